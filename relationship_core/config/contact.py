"""What the configuration says of contact: permission, caps, quiet hours, the ledger, and who is held out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import time
from typing import TYPE_CHECKING, get_args

from attrs import field, frozen

from relationship_core.errors import ConfigurationError
from relationship_core.model.validation import declared, floating, texts
from relationship_core.model.words import TASK_MEDIUM, Purpose, Wish

if TYPE_CHECKING:
    from attrs import Attribute

_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


def _apart(_owner: object, attribute: Attribute[tuple[str, ...]], value: tuple[str, ...]) -> None:
    for name in value:
        if value.count(name) > 1:
            message = f"{attribute.name} names {name!r} twice; once is enough"
            raise ConfigurationError(message)


@frozen(kw_only=True)
class ConsentSettings:
    """``[consent]``: what marketing needs.

    Attributes:
        without: media on which marketing needs no consent, only no objection, such as ``post`` in many countries. A
            task never needs one, since a person decides there.
        double_opt_in: media on which a grant counts once the customer has confirmed it.
    """

    without: tuple[str, ...] = field(default=("post",), converter=texts, validator=[declared.each(str), _apart])
    double_opt_in: tuple[str, ...] = field(default=(), converter=texts, validator=[declared.each(str), _apart])

    def __attrs_post_init__(self) -> None:
        """Refuse a medium that needs a consent twice and none at all."""
        both = sorted(set(self.without) & set(self.double_opt_in))
        if both:
            message = f"{both[0]!r} stands in without and in double_opt_in, which contradict each other; choose one"
            raise ConfigurationError(message)


@frozen(kw_only=True)
class PreferenceSettings:
    """``[preference]``: which relationship customers want.

    Attributes:
        unasked: what is assumed of those who were not asked.
        occasional_days: the shortest time between two contacts with those who want one occasionally.
        ask_again_days: how long nobody is asked again.
    """

    unasked: Wish = field(default="occasional", validator=declared.one_of(get_args(Wish)))
    occasional_days: float = field(default=60.0, converter=floating, validator=declared.number(0))
    ask_again_days: float = field(default=365.0, converter=floating, validator=declared.number(0))


@frozen(kw_only=True)
class Cap:
    """``[caps.<name>]``: so many messages in so many days for one customer, and no more.

    The window rolls: it holds the messages of the last ``days``, those that wait to be sent among them.

    Attributes:
        count: how many there may be.
        days: the length of the window.
        purposes: which messages count, and are held back.
        media: on which media; empty for all.
    """

    count: int = field(validator=declared.whole(1))
    days: float = field(converter=floating, validator=declared.number(above=0))
    purposes: tuple[Purpose, ...] = field(
        default=("marketing",), converter=texts, validator=declared.each_one_of(get_args(Purpose))
    )
    media: tuple[str, ...] = field(default=(), converter=texts, validator=declared.each(str))


def _of_day(owner: object, attribute: Attribute[str], value: str) -> None:
    declared.text(owner, attribute, value)
    if not _CLOCK.fullmatch(value):
        message = f"{attribute.name} must be a time of day such as 21:00, not {value!r}"
        raise ConfigurationError(message)


@frozen(kw_only=True)
class QuietHours:
    """``[quiet_hours.<medium>]``: when nobody is disturbed, by the customer's own clock.

    Attributes:
        begin: when it begins, such as ``21:00``.
        end: when it ends, on the next day where that is earlier. Equal times mean that there is no quiet.
    """

    begin: str = field(default="21:00", validator=_of_day)
    end: str = field(default="08:00", validator=_of_day)

    @property
    def times(self) -> tuple[time, time]:
        """Beginning and end as times."""
        return time.fromisoformat(self.begin), time.fromisoformat(self.end)


@frozen(kw_only=True)
class LedgerSettings:
    """``[ledger]``: what we give and what we ask, for each customer.

    Attributes:
        start: the contact balance that everybody begins with; 1 is one give.
        half_life_days: gives and asks lose half of their weight in this many days.
        ask_days: how long an ask without an answer stays open, and keeps the next one back.
        minute: what a minute of ours costs, in minor units of the project's currency.
    """

    start: float = field(default=1.0, converter=floating, validator=declared.number(0))
    half_life_days: float = field(default=180.0, converter=floating, validator=declared.number(30))
    ask_days: float = field(default=30.0, converter=floating, validator=declared.number(0))
    minute: int = field(default=0, validator=declared.whole(0))


@frozen(kw_only=True)
class HoldoutSettings:
    """``[holdout]``: who is left out of every campaign, to see what all of them cause.

    Attributes:
        share: from 0 to less than 1.
    """

    share: float = field(default=0.0, converter=floating, validator=declared.number(0, 1))

    def __attrs_post_init__(self) -> None:
        """Refuse to hold out everybody."""
        if self.share == 1:
            message = "share holds out everybody of every campaign, so that nobody would get one; lower it"
            raise ConfigurationError(message)


DEFAULT_QUIET_HOURS: Mapping[str, QuietHours] = {"sms": QuietHours()}
"""SMS is quiet from 21:00 to 8:00 unless the project says otherwise."""


def refuse_needless_quiet(_owner: object, _attribute: object, value: Mapping[str, QuietHours]) -> None:
    """An attrs validator: a letter wakes nobody, and neither does a task."""
    if "post" in value:
        message = "quiet_hours: post has no quiet hours, since nobody is woken by a letter; remove [quiet_hours.post]"
        raise ConfigurationError(message)
    if TASK_MEDIUM in value:
        message = (
            "quiet_hours: a task has no quiet hours, since the customer hears nothing of it, and who does it chooses "
            "the hour; remove [quiet_hours.task]"
        )
        raise ConfigurationError(message)


def named_media(
    consent: ConsentSettings, caps: Mapping[str, Cap], hours: Mapping[str, QuietHours]
) -> tuple[tuple[str, str], ...]:
    """Every medium that these settings name, after the place where they do."""
    return (
        *(("[consent] without", medium) for medium in consent.without),
        *(("[consent] double_opt_in", medium) for medium in consent.double_opt_in),
        *((f"[caps.{name}] media", medium) for name, cap in caps.items() for medium in cap.media),
        *(("[quiet_hours]", medium) for medium in hours),
    )
