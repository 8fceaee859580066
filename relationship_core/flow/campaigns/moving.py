"""Moving campaigns on in their lives: each act is kept, and none is ever changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import polars as pl
from attrs import frozen

from relationship_core.columns import CAMPAIGN_ACTS, MESSAGES
from relationship_core.errors import RejectedError
from relationship_core.flow.campaigns.life import ACTS_FACT, Life, count_acts, moves_without_file, read_lives
from relationship_core.flow.campaigns.view import count_waiting
from relationship_core.flow.deliver.settling import CAMPAIGN_ARCHIVED
from relationship_core.flow.facts import write_fact
from relationship_core.flow.message_states import STOPPED
from relationship_core.flow.united import ties_of
from relationship_core.flow.versions import keep_version, last_version
from relationship_core.model.campaign import Campaign
from relationship_core.model.life import CampaignAct, CampaignState, LifeAct
from relationship_core.ports import Store

_DONE: Mapping[LifeAct, str] = {
    "draft": "made a draft",
    "approve": "approved",
    "activate": "activated",
    "pause": "paused",
    "archive": "archived",
}
_IS: Mapping[CampaignState, str] = {
    "draft": "a draft",
    "approved": "approved",
    "active": "active",
    "paused": "paused",
    "archived": "archived",
}


@frozen(kw_only=True)
class CampaignMove:
    """What an act did.

    Attributes:
        act: the act, as it is kept.
        stopped: how many messages it stopped that waited in the outbox.
        waiting: how many messages of the campaign wait there now, those among them that a delivery has claimed.
    """

    act: CampaignAct
    stopped: int = 0
    waiting: int = 0


@frozen(kw_only=True)
class Doing:
    """What somebody wants to do with a campaign, and when.

    Attributes:
        name: the campaign's name.
        campaign: the campaign; None where its file is gone, so that it can only be archived.
        act: what is to be done.
        actor: who does it.
        reason: why.
        at: when.
    """

    name: str
    campaign: Campaign | None
    act: LifeAct
    actor: str
    reason: str
    at: datetime


def move(store: Store, doing: Doing, *, approval: bool, seen: str = "") -> CampaignMove:
    """Do it, all of it or nothing: the act is kept, and what waits of an archived campaign is stopped.

    Args:
        store: where the project lives.
        doing: what is to be done.
        approval: whether the project asks for approvals.
        seen: the version of the content that it is to be done with; empty for whatever there is.

    Raises:
        RejectedError: the campaign is not in a state in which this may be done, or has other content; or nobody says
            who does it.
    """
    refuse_nobody(doing.actor)
    with store.transaction():
        version = present_version(store, doing)
        life = read_lives(store, approval=approval).of(doing.name)
        _refuse_other_content(doing, version, seen)
        _refuse_wrong_move(doing, life, version)
        act = keep_act(store, doing, state=life.after(doing.act), version=version)
        stopped = _stop_waiting(store, doing) if doing.act == "archive" else 0
        return CampaignMove(act=act, stopped=stopped, waiting=count_waiting(store, doing.name))


def refuse_nobody(actor: str) -> None:
    """Refuse an act that nobody did.

    Raises:
        RejectedError: the actor has no name.
    """
    if not actor.strip():
        message = "what is done with a campaign is somebody's decision; name whoever decides it as actor"
        raise RejectedError(message)


def present_version(store: Store, doing: Doing) -> str:
    """The version of the campaign's content, which is kept from now on; that kept last where its file is gone."""
    if doing.campaign is None:
        return last_version(store, doing.name)
    return keep_version(store, doing.campaign, doing.at)


def keep_act(store: Store, doing: Doing, *, state: CampaignState, version: str, detail: str = "") -> CampaignAct:
    """Add an act to those that are kept; inside a transaction."""
    before = store.read(CAMPAIGN_ACTS, where={"campaign": doing.name}, columns=["entry"])["entry"]
    act = CampaignAct(
        campaign=doing.name,
        act=doing.act,
        state=state,
        version=version,
        at=doing.at,
        actor=doing.actor,
        reason=doing.reason,
        detail=detail,
    )
    row = (act.campaign, len(before) + 1, act.act, act.state, act.version, act.at, act.actor, act.reason, act.detail)
    store.put(CAMPAIGN_ACTS, pl.DataFrame([row], schema=CAMPAIGN_ACTS.types(), orient="row"))
    write_fact(store, ACTS_FACT, str(count_acts(store) + 1))
    return act


def _refuse_other_content(doing: Doing, version: str, seen: str) -> None:
    if seen and seen != version:
        message = (
            f"the content of the campaign {doing.name!r} has the version {version} by now, not {seen}; "
            f"look at it again with `relate preview {doing.name}`"
        )
        raise RejectedError(message)


def _refuse_wrong_move(doing: Doing, life: Life, version: str) -> None:
    may = life.moves(version) if doing.campaign is not None else moves_without_file(life)
    if doing.act in may:
        return
    state = life.state_with(version)
    message = (
        f"the campaign {doing.name!r} is {_IS[state]} and cannot be {_DONE[doing.act]}{_why(doing, life, version)}"
    )
    raise RejectedError(f"{message}; {_what_may_be_done(may)}")


def _why(doing: Doing, life: Life, version: str) -> str:
    """What is not said by the state alone."""
    if doing.campaign is None:
        return ", and its file is gone or wrong"
    if doing.act == "activate" and life.state != "archived" and life.lacks_approval(version):
        changed = "its content has changed since it was approved"
        return f": {changed if life.approved else '[campaigns] approval asks for an approval first'}"
    if doing.act == "approve" and life.approved == version and life.state != "archived":
        return ": its content is approved already"
    return ""


def _what_may_be_done(may: Sequence[LifeAct]) -> str:
    done = [_DONE[each] for each in may]
    if not done:
        return "nothing can be done with it until its file is there again"
    return f"it may be {' or '.join(filter(None, (', '.join(done[:-1]), done[-1])))}"


def _stop_waiting(store: Store, doing: Doing) -> int:
    """Settle what is queued; whoever waited for these customers' slots is looked at again."""
    queued = store.read(MESSAGES, where={"campaign": doing.name, "state": "queued"}, columns=["id", "customer"])
    if queued.is_empty():
        return 0
    stopped = queued.select(
        "id",
        pl.lit(STOPPED).alias("state"),
        pl.lit(CAMPAIGN_ARCHIVED).alias("detail"),
        pl.lit(doing.at, MESSAGES.schema["settled_at"]).alias("settled_at"),
    )
    store.update(MESSAGES, stopped)
    store.mark("plan", ties_of(store).resolved(queued["customer"]).unique().sort())
    return queued.height
