"""Abandoned messages: those that a worker had claimed, or was attempting, when it died."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from datetime import datetime

from relationship_core.columns import MESSAGES
from relationship_core.flow.deliver.assigning import taken_tasks
from relationship_core.flow.deliver.desk import looked_up
from relationship_core.flow.deliver.render import Row, Studio
from relationship_core.flow.deliver.settling import keep_settled, settled
from relationship_core.flow.deliver.worker import is_gone, is_here
from relationship_core.flow.versions import kept_campaigns
from relationship_core.ports import Channel, Store


def settle_abandoned(
    store: Store,
    channels: Mapping[str, Callable[[], Channel]],
    studio: Studio,
    now: datetime,
    totals: Counter[str],
    *,
    followed: Collection[str],
) -> None:
    """Take over what workers that are gone had claimed or were attempting.

    Args:
        store: where the outbox is.
        channels: how to get each channel instance, by name.
        studio: what rendering needs.
        now: the instant.
        totals: counts what becomes of them.
        followed: the campaigns with follow-ups.
    """
    for state in ("claimed", "attempting"):
        rows = [
            row for row in store.read(MESSAGES, where={"state": state}).iter_rows(named=True) if _abandoned(row, now)
        ]
        done = [_resumed(row, channels, now) for row in rows]
        taken = [row for row, then in zip(rows, done, strict=True) if then["state"] == "accepted"]
        tasks = taken_tasks(taken, kept_campaigns(store), store, studio, now) if taken else []
        keep_settled(store, done, tasks=tasks, followed=followed)
        totals.update(str(row["state"]) for row in done if row["state"] != "queued")


def _abandoned(row: Row, now: datetime) -> bool:
    worker, until = str(row["worker"]), row["claimed_until"]
    if is_here(worker):
        return False
    return is_gone(worker) or (isinstance(until, datetime) and until <= now)


def _resumed(row: Row, channels: Mapping[str, Callable[[], Channel]], now: datetime) -> Row:
    if row["state"] == "claimed":
        return settled(row, "queued", now)
    detail = "its worker died while sending it"
    if row["channel"] not in channels:
        return settled(row, "unknown", now, detail=detail)
    receipt = looked_up(channels[str(row["channel"])](), str(row["id"]), detail)
    return settled(row, "queued" if receipt.state == "deferred" else receipt.state, now, detail=detail)
