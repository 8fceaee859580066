"""Settling: what a receipt, or the lack of one, makes of a queued message."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta

import polars as pl

from relationship_core.columns import MESSAGES
from relationship_core.flow.deliver.render import Row
from relationship_core.flow.message_states import CONTACT_STATES, GONE_STATES
from relationship_core.flow.tasks.keeping import keep_tasks
from relationship_core.flow.united import ties_of
from relationship_core.model.message import Receipt
from relationship_core.model.task import Task
from relationship_core.ports import Store

FIRST_DELAY = timedelta(minutes=1)
LONGEST_DELAY = timedelta(hours=6)
"""A deferred message waits twice as long each time, from the first of these to the second."""
CAMPAIGN_ARCHIVED = "campaign_archived"
"""What is told of a message that was stopped because its campaign was archived."""

_SETTLED: Mapping[str, pl.DataType | type[pl.DataType]] = {
    name: MESSAGES.schema[name]
    for name in (
        "id",
        "state",
        "not_before",
        "worker",
        "claimed_until",
        "attempts",
        "reference",
        "detail",
        "settled_at",
    )
}


def settled(row: Row, state: str, now: datetime, *, detail: str = "", reference: str | None = None) -> Row:
    """A message's columns in a state that it has from now on, and its customer; nobody works on it any more."""
    return {
        "id": row["id"],
        "customer": row["customer"],
        "campaign": row["campaign"],
        "state": state,
        "not_before": row["not_before"],
        "worker": None,
        "claimed_until": None,
        "attempts": row["attempts"],
        "reference": reference,
        "detail": detail,
        "settled_at": now if state != "queued" else None,
    }


def settled_by(receipt: Receipt, row: Row, now: datetime) -> Row:
    """The message's columns after its receipt; a deferred one waits and is queued again."""
    if receipt.state != "deferred":
        return settled(row, receipt.state, now, detail=receipt.detail, reference=receipt.reference)
    attempts = int(str(row["attempts"])) + 1
    delay = min(FIRST_DELAY * 2 ** min(attempts - 1, 10), LONGEST_DELAY)
    if receipt.retry_after is not None:
        delay = max(delay, timedelta(seconds=receipt.retry_after))
    return {
        **settled(row, "queued", now, detail=receipt.detail),
        "not_before": now + delay,
        "attempts": attempts,
    }


def keep_settled(
    store: Store,
    rows: Sequence[Row],
    *,
    tasks: Sequence[Task] = (),
    followed: Collection[str] = (),
    attempting: str | None = None,
    may: Callable[[], bool] = lambda: True,
) -> bool:
    """Write messages that are settled; in the same commit, that the next one is being attempted.

    Args:
        store: where the outbox is.
        rows: what is settled.
        tasks: the tasks that it made.
        followed: the campaigns with follow-ups: to whom their messages went waits for the next step.
        attempting: the next message.
        may: asked in the same commit whether that one may still be attempted.

    Returns:
        Whether it may.
    """
    if not rows and attempting is None:
        return True
    with store.transaction():
        if rows:
            store.update(MESSAGES, pl.DataFrame(list(rows), schema=dict(_SETTLED)))
            _mark_for_plan(store, rows, followed)
            keep_tasks(store, tasks)
        if attempting is None:
            return True
        if not may():
            return False
        store.update(MESSAGES, pl.DataFrame({"id": [attempting], "state": ["attempting"]}))
        return True


def _mark_for_plan(store: Store, rows: Sequence[Row], followed: Collection[str]) -> None:
    """What came to nothing was no contact: others may have waited for that slot. What went may have a next step."""
    concerned = [
        str(row["customer"])
        for row in rows
        if row["state"] not in CONTACT_STATES or (row["state"] in GONE_STATES and row["campaign"] in followed)
    ]
    if concerned:
        store.mark("plan", ties_of(store).resolved(pl.Series("customer", concerned, pl.String)).unique().sort())
