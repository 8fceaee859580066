"""A desk: one worker's place at one channel, where claimed messages are rendered and handed over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

import polars as pl
from attrs import evolve, field, frozen

from relationship_core.errors import RejectedError
from relationship_core.flow.deliver.assigning import columns_of_assignees, task_of
from relationship_core.flow.deliver.breaker import Streak
from relationship_core.flow.deliver.goals import with_goal_reached
from relationship_core.flow.deliver.handover import Handed, hand_over
from relationship_core.flow.deliver.outlets import Outlet
from relationship_core.flow.deliver.pace import Pace
from relationship_core.flow.deliver.permission import Gate, asked_again, disturbing
from relationship_core.flow.deliver.portions import Portion
from relationship_core.flow.deliver.present import Present
from relationship_core.flow.deliver.render import Row, Studio, columns_named, known_of, rendered, variant_of
from relationship_core.flow.deliver.settling import CAMPAIGN_ARCHIVED, Settled, keep_settled, settled, settled_by
from relationship_core.flow.deliver.suppressing import suppression
from relationship_core.flow.message_states import EXPIRED, FAILED, QUEUED, REJECTED, STOPPED
from relationship_core.model.campaign import Campaign
from relationship_core.model.message import Message, Receipt
from relationship_core.model.task import Task
from relationship_core.ports import Store

_OF_A_ROW = pl.exclude(
    "weight", "cost", "our_minutes", "their_minutes", "state", "queued_at", "worker", "claimed_until", "settled_at"
)
"""What settling and rendering do not ask of a message; an instant takes a microsecond to become an object."""
_SPARE = timedelta(minutes=1)
"""So long before its claim runs out a desk begins no other call: clocks differ, and a call takes its time."""


@frozen(kw_only=True)
class Desk:
    """One worker's place at one channel.

    Attributes:
        store: where the outbox is.
        outlet: the channel, and how it is used.
        pace: how fast messages may go.
        streak: the trouble in a row.
        portion: how much it claims.
        worker: who claims messages here.
        studio: what rendering needs.
        gate: what permission is asked by.
        present: the delivery's instant, which goes on.
        halted: the campaigns on whose messages a policy failed in this delivery, with what happened.
        suppress: keeps suppressions of addresses, inside a transaction.
        put_off: the messages that this delivery has put off; where it lasts, their time may come before its end.
    """

    store: Store
    outlet: Outlet
    pace: Pace
    streak: Streak
    portion: Portion
    worker: str
    studio: Studio
    gate: Gate
    present: Present
    halted: dict[str, str]
    suppress: Callable[[Sequence[Row]], object]
    put_off: set[str] = field(factory=set)


class Ready(NamedTuple):
    """A message that may be sent, with its row; and the task that it is, where it is one."""

    row: Row
    message: Message
    task: Task | None


def prepare(
    desk: Desk,
    claimed: pl.DataFrame,
    campaigns: Mapping[tuple[str, str], Campaign],
    totals: Counter[str],
    now: datetime,
    *,
    over: Collection[str] = (),
) -> tuple[list[Ready], list[Row]]:
    """Render what is still to be sent; settle what is not.

    Args:
        desk: the desk.
        claimed: the messages.
        campaigns: every version of their campaigns.
        totals: counts what becomes of them.
        now: the instant.
        over: the campaigns that were archived.

    Returns:
        What is to be sent; and how those are to be settled, when the delivery is over, of whom a failing policy does
        not tell whether they may be.
    """
    studio = evolve(desk.studio, moment=evolve(desk.studio.moment, now=now))
    claimed = _with_campaigns(claimed, campaigns)
    rows = claimed.select(_OF_A_ROW).to_dicts()
    totals["deferred"] -= sum(row["id"] in desk.put_off for row in rows)
    claimed = with_goal_reached(
        claimed,
        campaigns,
        store=desk.store,
        catalog=studio.catalog,
        moment=studio.moment,
        halted=desk.halted,
    )
    asked = asked_again(claimed, desk.store, desk.gate, now, desk.halted)
    waits = disturbing(claimed, desk.store, desk.gate, now)
    variants = [variant_of(campaigns[row["campaign"], row["version"]], row) for row in rows]
    names = frozenset[str]().union(*(columns_named(each, studio.renderer) for each in set(variants)))
    names |= columns_of_assignees(((campaigns[row["campaign"], row["version"]], row) for row in rows), studio)
    known = known_of(desk.store, studio, [row["customer"] for row in rows], names)
    ready: list[Ready] = []
    done: list[Row] = []
    unjudged: list[Row] = []
    for row, variant in zip(rows, variants, strict=True):
        campaign = campaigns[row["campaign"], row["version"]]
        if row["campaign"] in over:
            done.append(settled(row, STOPPED, now, detail=CAMPAIGN_ARCHIVED))
        elif row["expires_at"] is not None and row["expires_at"] <= now:
            done.append(settled(row, EXPIRED, now))
        elif row["id"] in asked.stopped:
            done.append(settled(row, STOPPED, now, detail=asked.stopped[row["id"]]))
        elif row["id"] in asked.unjudged:
            unjudged.append(settled(row, QUEUED, now, detail=asked.unjudged[row["id"]]))
        elif row["id"] in waits:
            done.append({**settled(row, QUEUED, now), "not_before": waits[row["id"]]})
        else:
            try:
                message = rendered(row, variant, campaign, known[row["customer"]], studio)
                task = task_of(row, message, campaign, known[row["customer"]], studio=studio, now=now)
                _refuse_lack(desk.outlet, message)
            except RejectedError as error:
                done.append(settled(row, FAILED, now, detail=str(error)))
            except Exception as error:  # noqa: BLE001  a renderer may be a plugin's, and fails this message only
                detail = f"the renderer failed with {type(error).__name__}"
                done.append(settled(row, FAILED, now, detail=detail))
            else:
                ready.append(Ready(row, message, task))
    keep_settled(desk.store, Settled(done))
    totals.update("deferred" if row["state"] == QUEUED else str(row["state"]) for row in done)
    desk.put_off.update(str(row["id"]) for row in done if row["state"] == QUEUED)
    totals["unjudged"] += len(unjudged)
    return ready, unjudged


def _with_campaigns(claimed: pl.DataFrame, campaigns: Mapping[tuple[str, str], Campaign]) -> pl.DataFrame:
    """Purpose, nature and topic as their campaigns have them, where a message was queued before it kept them."""
    theirs = [campaigns[key] for key in claimed.select("campaign", "version").iter_rows()]
    return claimed.with_columns(
        pl.coalesce(name, pl.Series([getattr(each, name) for each in theirs], dtype=pl.String)).alias(name)
        for name in ("purpose", "nature", "topic")
    )


def _refuse_lack(outlet: Outlet, message: Message) -> None:
    lack = outlet.lack(message)
    if lack:
        told = f"the channel {outlet.name!r} does not deliver {lack}; send it through another one, or without"
        raise RejectedError(told)


class Sent(NamedTuple):
    """What came of sending the messages of a claim.

    Attributes:
        receipts: what the channel answered.
        rejected: the rows of those that it will never take, with what it said of them.
        rest: those that were not handed over.
        misconfigured: what is wrong with the channel's credentials or settings.
    """

    receipts: Sequence[Receipt]
    rejected: Sequence[Row]
    rest: Sequence[Row]
    misconfigured: str


def send(desk: Desk, ready: Sequence[Ready], totals: Counter[str], *, until: datetime, may: Callable[[], bool]) -> Sent:
    """Hand messages over, call by call, until there is too much trouble.

    Each commit keeps the last receipts, the tasks that they made, and the next attempts together.

    Args:
        desk: the desk.
        ready: the messages.
        totals: counts what becomes of them.
        until: when the claim runs out.
        may: asked in each commit whether to go on.
    """
    done = Settled(())
    receipts: list[Receipt] = []
    rejected: list[Row] = []
    begun, misconfigured = 0, ""
    keep = partial(keep_settled, desk.store, followed=desk.gate.followed, suppress=desk.suppress)
    try:
        for start in range(0, len(ready), desk.outlet.call_size):
            call = ready[start : start + desk.outlet.call_size]
            desk.pace.take(len(call))
            if desk.present.now >= until - _SPARE:
                break
            goes_on = keep(done, attempting=[each.message.id for each in call], may=may)
            done = Settled(())
            if not goes_on:
                break
            begun += len(call)
            handed = hand_over(desk.outlet, [each.message for each in call])
            done = _settled(desk, call, handed)
            totals.update(answer.state for answer in handed.answers)
            receipts += [answer.receipt for answer in handed.answers if not answer.failed]
            rejected += [
                {**each.row, "detail": f"{desk.outlet.name} rejected it: {answer.receipt.detail}"}
                for each, answer in zip(call, handed.answers, strict=False)
                if answer.state == REJECTED
            ]
            desk.streak.note(handed.answers)
            misconfigured = handed.misconfigured
            if misconfigured or desk.streak.is_too_long:
                break
    finally:
        keep(done, durable=True)
    rest = [each.row for each in ready[begun:]]
    return Sent(receipts, rejected, rest, misconfigured)


def _settled(desk: Desk, call: Sequence[Ready], handed: Handed) -> Settled:
    """What the answers of a call make of its messages; those without one wait on."""
    now = desk.present.now
    answered = list(zip(call, handed.answers, strict=False))
    desk.put_off.update(answer.receipt.message for answer in handed.answers if answer.state == "deferred")
    return Settled(
        rows=[
            *(settled_by(answer, each.row, now) for each, answer in answered),
            *(settled(each.row, QUEUED, now, detail=str(each.row["detail"])) for each in call[len(answered) :]),
        ],
        tasks=[each.task for each, answer in answered if each.task is not None and answer.state == "accepted"],
        suppressed=[
            suppression(each.row, answer.receipt.suppression, source=desk.outlet.name, now=now)
            for each, answer in answered
            if answer.receipt.suppression is not None
        ],
    )
