"""Campaigns as people look at them: where each stands, since when and by whom, and what waits and went."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import polars as pl
from attrs import evolve, field, frozen

from relationship_core.campaign_files import campaign_version
from relationship_core.columns import CAMPAIGN_ACTS, CAMPAIGNS, MESSAGES
from relationship_core.errors import ConfigurationError, nearest
from relationship_core.flow.campaigns.life import Lives, moves_without_file, read_lives
from relationship_core.flow.message_states import WAITING_STATES
from relationship_core.flow.versions import last_version
from relationship_core.model.campaign import Campaign
from relationship_core.model.life import CampaignAct, CampaignState, LifeAct
from relationship_core.ports import Store


@frozen(kw_only=True)
class CampaignVersion:
    """One content that a campaign had.

    Attributes:
        version: what it is called.
        at: since when it is known.
        approved: whether it was approved at some time.
        waiting: how many messages with this content wait in the outbox.
    """

    version: str
    at: datetime
    approved: bool
    waiting: int


@frozen(kw_only=True)
class CampaignView:
    """Where one campaign is in its life.

    Attributes:
        campaign: its name.
        owner: who answers for it; empty where its file is gone.
        state: where it is; ``draft`` also where its content has changed since it was approved, if it must be.
        version: the version of its content; where its file is gone, the last one that is known.
        approved: the version that was approved last; empty for none.
        since: when it came there; None where nothing was done with it, so that it is as the configuration says.
        actor: who brought it there.
        reason: why.
        waiting: how many of its messages wait in the outbox.
        accepted: how many its channels took.
        may: what may be done with it.
        is_gone: whether its file is gone.
        acts: what was done with it, oldest first.
        versions: every content that it had, oldest first.
    """

    campaign: str
    owner: str
    state: CampaignState
    version: str
    approved: str
    since: datetime | None
    actor: str
    reason: str
    waiting: int
    accepted: int
    may: tuple[LifeAct, ...]
    is_gone: bool = False
    acts: tuple[CampaignAct, ...] = field(default=(), repr=False)
    versions: tuple[CampaignVersion, ...] = field(default=(), repr=False)


def view_campaigns(store: Store, campaigns: Iterable[Campaign], *, approval: bool) -> tuple[CampaignView, ...]:
    """Every campaign by name: those that there are, and those whose file is gone while something of them is left.

    Args:
        store: where their lives are kept.
        campaigns: those that there are.
        approval: whether the project asks for approvals.
    """
    there = {each.name: each for each in campaigns}
    lives, counts, acts = read_lives(store, approval=approval), _counts(store), _acts(store)
    waiting = {name for name, numbers in counts.items() if _waiting(numbers)}
    return tuple(
        _view(store, lives, name, there.get(name), counts.get(name, {}), acts.get(name, ()))
        for name in sorted(there.keys() | lives.known.keys() | waiting)
    )


def view_campaign(store: Store, campaigns: Iterable[Campaign], name: str, *, approval: bool) -> CampaignView:
    """One campaign, with what was done with it and every content that it had.

    Raises:
        ConfigurationError: there is no such campaign, and never was.
    """
    there = {each.name: each for each in campaigns}
    lives = read_lives(store, approval=approval)
    refuse_unknown_campaign(name, there.keys() | lives.names)
    acts = _acts(store, name).get(name, ())
    view = _view(store, lives, name, there.get(name), _counts(store, name).get(name, {}), acts)
    return evolve(view, acts=acts, versions=_versions(store, name, acts))


def count_waiting(store: Store, name: str) -> int:
    """How many messages of a campaign are still to be sent."""
    return _waiting(_counts(store, name).get(name, {}))


def refuse_unknown_campaign(name: str, known: Iterable[str]) -> None:
    """Refuse the name of a campaign that never was.

    Raises:
        ConfigurationError: it is none of those that are known.
    """
    names = sorted(known)
    if name not in names:
        hint = nearest(name, names) or f"; there are {', '.join(names) or 'none'}"
        message = f"there is no campaign {name!r}{hint}"
        raise ConfigurationError(message)


def _view(  # noqa: PLR0917  one view of six things
    store: Store,
    lives: Lives,
    name: str,
    campaign: Campaign | None,
    counts: Mapping[str, int],
    acts: Sequence[CampaignAct],
) -> CampaignView:
    life = lives.of(name)
    version = last_version(store, name) if campaign is None else campaign_version(campaign)
    moved = [each for each in acts if each.act != "test"]
    last = moved[-1] if moved else None
    return CampaignView(
        campaign=name,
        owner="" if campaign is None else campaign.owner,
        state=life.state if campaign is None else life.state_with(version),
        version=version,
        approved=life.approved,
        since=last.at if last else None,
        actor=last.actor if last else "",
        reason=last.reason if last else "",
        waiting=_waiting(counts),
        accepted=counts.get("accepted", 0),
        may=life.moves(version) if campaign is not None else moves_without_file(life),
        is_gone=campaign is None,
    )


def _waiting(counts: Mapping[str, int]) -> int:
    return sum(counts.get(state, 0) for state in WAITING_STATES)


def _counts(store: Store, name: str | None = None) -> Mapping[str, Mapping[str, int]]:
    """How many messages there are, by campaign and state."""
    counts: dict[str, dict[str, int]] = {}
    where = None if name is None else {"campaign": name}
    for campaign, state, rows in store.count(MESSAGES, ["campaign", "state"], where=where).iter_rows():
        counts.setdefault(campaign, {})[state] = rows
    return counts


def _acts(store: Store, name: str | None = None) -> Mapping[str, tuple[CampaignAct, ...]]:
    """What was done with each campaign, oldest first."""
    acts: dict[str, tuple[CampaignAct, ...]] = {}
    for row in store.read(CAMPAIGN_ACTS, where=None if name is None else {"campaign": name}).drop("entry").to_dicts():
        acts[row["campaign"]] = (*acts.get(row["campaign"], ()), CampaignAct(**row))
    return acts


def _versions(store: Store, name: str, acts: Iterable[CampaignAct]) -> tuple[CampaignVersion, ...]:
    approved = {each.version for each in acts if each.act == "approve"}
    counted = store.count(MESSAGES, ["version", "state"], where={"campaign": name})
    waiting = counted.filter(pl.col("state").is_in(WAITING_STATES)).group_by("version").agg(pl.col("rows").sum())
    rows = dict(waiting.iter_rows())
    kept = store.read(CAMPAIGNS, where={"campaign": name}, columns=["version", "at"]).sort("at", "version")
    return tuple(
        CampaignVersion(version=version, at=at, approved=version in approved, waiting=rows.get(version, 0))
        for version, at in kept.iter_rows()
    )
