"""A desk: one worker's place at one channel, where claimed messages are rendered and handed over one by one."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple

import polars as pl
from attrs import evolve, field, frozen

from relationship_core.errors import RejectedError
from relationship_core.flow.deliver.assigning import columns_of_assignees, task_of
from relationship_core.flow.deliver.goals import with_goal_reached
from relationship_core.flow.deliver.permission import Gate, asked_again, disturbing
from relationship_core.flow.deliver.present import Present
from relationship_core.flow.deliver.render import Row, Studio, columns_named, known_of, rendered, variant_of
from relationship_core.flow.deliver.settling import CAMPAIGN_ARCHIVED, keep_settled, settled, settled_by
from relationship_core.flow.message_states import EXPIRED, FAILED, QUEUED, STOPPED
from relationship_core.model.campaign import Campaign
from relationship_core.model.message import Message, Receipt
from relationship_core.model.task import Task
from relationship_core.ports import Channel, Lookup, Store

logger = logging.getLogger(__name__)


@frozen(kw_only=True)
class Desk:
    """One worker's place at one channel.

    Attributes:
        store: where the outbox is.
        channel: the channel.
        name: the name of its instance.
        worker: who claims messages here.
        studio: what rendering needs.
        gate: what permission is asked by.
        present: the delivery's instant, which goes on.
        halted: the campaigns on whose messages a policy failed in this delivery, with what happened.
        put_off: the messages that this delivery has put off; where it lasts, their time may come before its end.
    """

    store: Store
    channel: Channel
    name: str
    worker: str
    studio: Studio
    gate: Gate
    present: Present
    halted: dict[str, str]
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
    rows = claimed.to_dicts()
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
            except RejectedError as error:
                done.append(settled(row, FAILED, now, detail=str(error)))
            except Exception as error:  # noqa: BLE001  a renderer may be a plugin's, and fails this message only
                detail = f"the renderer failed with {type(error).__name__}"
                done.append(settled(row, FAILED, now, detail=detail))
            else:
                ready.append(Ready(row, message, task))
    keep_settled(desk.store, done)
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


def send(desk: Desk, ready: Sequence[Ready], totals: Counter[str], *, may: Callable[[], bool]) -> Generator[Receipt]:
    """Send one by one; each commit keeps the last receipt, the task that it made, and the next attempt together.

    Args:
        desk: the desk.
        ready: the messages.
        totals: counts what becomes of them.
        may: asked in each commit whether to go on.
    """
    done: list[Row] = []
    made: list[Task] = []
    keep = partial(keep_settled, desk.store, followed=desk.gate.followed)
    try:
        for row, message, task in ready:
            goes_on = keep(done, tasks=made, attempting=message.id, may=may)
            done, made = [], []
            if not goes_on:
                return
            receipt = hand_over(desk.channel, desk.name, message)
            done = [settled_by(receipt, row, desk.present.now)]
            made = [task] if task is not None and receipt.state == "accepted" else []
            totals[receipt.state] += 1
            if receipt.state == "deferred":
                desk.put_off.add(message.id)
            yield receipt
    finally:
        keep(done, tasks=made)


def hand_over(channel: Channel, name: str, message: Message) -> Receipt:
    """What the channel of this name answers for one message, or what can be said where it fails."""
    try:
        (receipt,) = channel.send((message,))
        return _checked(receipt, message.id)
    except Exception as error:  # noqa: BLE001  the core owns every try around plugin code; what it raised is logged
        logger.warning("channel %s failed on message %s with %s", name, message.id, type(error).__name__)
        return looked_up(channel, message.id, f"the channel failed with {type(error).__name__}")


def _checked(receipt: object, message: str) -> Receipt:
    if not isinstance(receipt, Receipt) or receipt.message != message:
        words = "the channel answered with something else than the message's receipt"
        raise TypeError(words)
    return receipt


def looked_up(channel: Channel, message: str, detail: str) -> Receipt:
    """What can be said of a message that may have been sent."""
    unknown = Receipt(message=message, state="unknown", detail=detail)
    if not isinstance(channel, Lookup):
        return unknown
    try:
        found = message in channel.sent((message,))
    except Exception as error:  # noqa: BLE001  a channel that cannot look leaves it unknown
        logger.warning("a channel failed to look up message %s with %s", message, type(error).__name__)
        return unknown
    return Receipt(message=message, state="accepted" if found else "deferred", detail=detail)
