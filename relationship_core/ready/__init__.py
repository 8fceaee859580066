"""Ready actions: campaigns that come with the package, each a folder of its own with its templates.

They are files to copy and to change, in English. A project has those that it chose in its ``campaigns``; nothing here
acts by itself.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path

from attrs import frozen

from relationship_core.campaign_files import FOLDER_NAME, IN_FOLDER, campaigns_in
from relationship_core.chosen import variants_of
from relationship_core.errors import ConfigurationError, nearest
from relationship_core.model.campaign import Action, Campaign

_KINDS: Mapping[str, tuple[str, ...]] = {
    "thank-order": ("order",),
    "thank-referral": ("referral_made",),
    "thank-review": ("review",),
    "presence": ("order",),
    "win-back": ("order",),
    "second-purchase": ("order",),
    "next-category": ("order",),
    "replenish": ("order",),
    "service-reminder": ("item_acquired",),
    "memory": ("order",),
    "little-extra": ("order",),
    "card": ("order",),
    "feedback": ("order",),
    "referral-ask": ("order", "praise", "gift_given"),
    "preference-invitation": ("order",),
    "apology": ("promise_broken",),
    "anniversary": ("order",),
    "account-review": (),
}
"""The ready campaigns in the order of their documentation, each with the kinds without which it never acts."""

_SHOWN = re.compile(r"\bfacts\.([a-z_][a-z0-9_]*)")
_NO_COLUMNS = frozenset({"", "step_at", "entered_at", "once", "day", "month", "year"})
"""What only messages tell, and the keys of occasions that are no columns."""


@frozen(kw_only=True)
class ReadyCampaign:
    """A campaign that comes with the package.

    Attributes:
        campaign: the campaign as its file has it.
        kinds: the kinds of interaction without which it never acts.
    """

    campaign: Campaign
    kinds: tuple[str, ...]

    @property
    def name(self) -> str:
        """The campaign's name, which is its folder's as well."""
        return self.campaign.name

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that its conditions, occasions and templates name."""
        from relationship_core.conditions import columns_named

        where = f"campaign {self.name!r}"
        named = {name for text in _conditions(self.campaign) for name in columns_named(text, where=where)}
        shown = {name for text in _templates(self.campaign) for name in _SHOWN.findall(text)}
        return tuple(sorted((named | shown | set(_of_occasions(self.campaign))) - _NO_COLUMNS))

    @property
    def channels(self) -> tuple[str, ...]:
        """The channel instances that a project must configure for it."""
        return tuple(sorted({variant.channel for _where, variant in variants_of(self.campaign)}))


def ready_campaigns(names: Iterable[str] | None = None) -> tuple[ReadyCampaign, ...]:
    """The campaigns that come with the package, or those of them that are named.

    Raises:
        ConfigurationError: there is none of a name.
    """
    wanted = tuple(_KINDS if names is None else dict.fromkeys(names))
    for name in wanted:
        _refuse_unknown(name)
    return tuple(_ready()[name] for name in wanted)


def copy_ready_campaign(name: str, folder: Path | str) -> tuple[str, ...]:
    """Copy a campaign with its templates into a project's ``campaigns``; a file that is there stays as it is.

    Args:
        name: the campaign's name.
        folder: the project folder.

    Returns:
        The files that were written, relative to the project folder.

    Raises:
        ConfigurationError: there is none of that name.
        OSError: the folder cannot be written to.
    """
    _refuse_unknown(name)
    written = []
    with _folder() as top:
        # The campaign's own file comes last, so that what was cut short is no campaign yet.
        for source in sorted((top / name).iterdir(), key=lambda path: (path.name == IN_FOLDER, path.name)):
            path = Path(FOLDER_NAME, name, source.name)
            if _copy_new(source, Path(folder) / path):
                written.append(path.as_posix())
    return tuple(written)


def _refuse_unknown(name: str) -> None:
    if name not in _KINDS:
        hint = nearest(name, _KINDS) or f"; there are {', '.join(_KINDS)}"
        message = f"no campaign {name!r} comes with the package{hint}"
        raise ConfigurationError(message)


@cache
def _ready() -> Mapping[str, ReadyCampaign]:
    with _folder() as folder:
        found = {each.name: each for each in campaigns_in(folder)}
    return {name: ReadyCampaign(campaign=found[name], kinds=kinds) for name, kinds in _KINDS.items()}


@contextmanager
def _folder() -> Iterator[Path]:
    with as_file(files(__package__)) as folder:
        yield folder


def _copy_new(source: Path, target: Path) -> bool:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with source.open("rb") as reader, target.open("xb") as writer:
            shutil.copyfileobj(reader, writer)
    except FileExistsError:
        return False
    return True


def _conditions(campaign: Campaign) -> Iterator[str]:
    yield campaign.audience
    yield campaign.goal
    for action in campaign.actions:
        yield from _of_action(action)


def _of_action(action: Action) -> Iterator[str]:
    if action.occasion is not None:
        yield action.occasion.when
    if action.after is not None:
        yield action.after.when


def _of_occasions(campaign: Campaign) -> Iterator[str]:
    for action in campaign.actions:
        if action.occasion is not None:
            yield from (action.occasion.key, action.occasion.since)


def _templates(campaign: Campaign) -> Iterator[str]:
    for _where, variant in variants_of(campaign):
        yield from (variant.subject, variant.text, variant.html)
