"""Campaigns: who is addressed, on which occasion, with what."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

from attrs import converters, field, frozen, validators

from relationship_core.model.interaction import Nature
from relationship_core.model.texts import filled, slug

Purpose: TypeAlias = Literal["service", "marketing"]
"""For the law. Whatever carries a price, an offer or a buying link is marketing."""


_LARGEST = 2**63 - 1
_bounded = validators.and_(validators.ge(-_LARGEST), validators.le(_LARGEST))


@frozen(kw_only=True)
class Variant:
    """What an action says on one channel in one language.

    Attributes:
        channel: the name of a channel instance of the configuration.
        locale: language tag this text is written in; None for any.
        subject: template of the subject line; unused by channels without one.
        text: template of the plain text.
        html: template of the HTML; empty where there is none.
    """

    channel: str = field(validator=filled)
    locale: str | None = None
    subject: str = ""
    text: str = ""
    html: str = ""


@frozen(kw_only=True)
class Occasion:
    """What makes an action due for a customer now, and what tells one occasion from the next.

    Attributes:
        name: what it is called: ``order``, ``lapse``, ``birthday``.
        when: the condition under which there is an occasion; empty for always.
        key: a column whose value identifies the occasion, such as ``last_order_on``; one engagement
            per key. Or ``once``, ``day``, ``month`` or ``year`` of the project-local date.
        since: a column of type instant or date at which the occasion began; it dates expiry. Empty: now.
    """

    name: str = field(validator=slug)
    when: str = ""
    key: str = "once"
    since: str = ""


@frozen(kw_only=True)
class Action:
    """One step of a campaign.

    Attributes:
        name: unique in the campaign.
        occasion: what makes it due.
        variants: texts in order of preference; the first channel on which the customer can be reached wins.
    """

    name: str = field(validator=slug)
    occasion: Occasion
    variants: tuple[Variant, ...] = field(converter=tuple[Variant, ...], validator=validators.min_len(1))


@frozen(kw_only=True)
class Limits:
    """Bounds on a campaign.

    Attributes:
        expires_days: an engagement is worth doing this many days after its occasion began, and not later;
            None for ever.
        per_customer: at most this many engagements of the campaign per customer, over all time, messages that
            failed aside; None for no bound.
    """

    expires_days: float | None = field(
        default=None, converter=converters.optional(float), validator=validators.optional(validators.gt(0))
    )
    per_customer: int | None = field(default=None, validator=validators.optional(validators.ge(1)))


@frozen(kw_only=True)
class Campaign:
    """A plan to address an audience.

    Attributes:
        name: unique in the project.
        owner: the person or department that answers for it.
        purpose: service or marketing.
        nature: a give, an ask or neutral.
        audience: the condition that says whom it addresses; empty for everybody.
        actions: its steps, in order.
        priority: among campaigns of like purpose and nature the higher wins the customer's slot.
        value: expected value of one engagement, in minor units of the project's currency.
        limits: bounds.
        summary: one line for people.
    """

    name: str = field(validator=slug)
    owner: str = field(validator=filled)
    purpose: Purpose = field(validator=validators.in_(get_args(Purpose)))
    nature: Nature = field(validator=validators.in_(get_args(Nature)))
    audience: str = ""
    actions: tuple[Action, ...] = field(converter=tuple[Action, ...], validator=validators.min_len(1))
    priority: int = field(default=0, validator=_bounded)
    value: int = field(default=0, validator=_bounded)
    limits: Limits = field(factory=Limits)
    summary: str = ""

    def __attrs_post_init__(self) -> None:
        """Refuse two actions of one name."""
        names = [action.name for action in self.actions]
        if len(set(names)) != len(names):
            message = f"the campaign {self.name!r} names an action twice: {', '.join(names)}"
            raise ValueError(message)
