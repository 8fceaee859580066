"""Settling: what a receipt, or the lack of one, makes of a queued message."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import polars as pl

from relationship_core.columns import MESSAGES
from relationship_core.flow.deliver.backoff import delay
from relationship_core.flow.deliver.handover import Answer
from relationship_core.flow.deliver.render import Row
from relationship_core.flow.heard import settle_heard
from relationship_core.flow.message_states import CONTACT_STATES, FAILED, GONE_STATES, QUEUED, REJECTED, UNKNOWN
from relationship_core.flow.tasks.keeping import keep_tasks
from relationship_core.flow.united import ties_of
from relationship_core.model.task import Task
from relationship_core.ports import Store

FIRST_DELAY = timedelta(minutes=1)
LONGEST_DELAY = timedelta(hours=6)
"""A deferred message waits twice as long each time, from the first of these to the second, less up to a half."""
CAMPAIGN_ARCHIVED = "campaign_archived"
"""What is told of a message that was stopped because its campaign was archived."""

RESENT = "sent again"
"""With this begins what is told of a message that was sent once more, though it may have gone before."""
_TOLD_OF = (QUEUED, *GONE_STATES, REJECTED, FAILED)
"""The states in which it is told for ever that a message was sent again."""

_SETTLED = (
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
"""The columns of a message that settling changes, after its key."""


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
        "detail": _resent(detail) if was_resent(row) and state in _TOLD_OF else detail,
        "settled_at": now if state != "queued" else None,
    }


def was_resent(row: Row) -> bool:
    """Whether a message was sent once more, though it may have gone before."""
    return str(row["detail"]).startswith(RESENT)


def _resent(detail: str) -> str:
    if detail.startswith(RESENT):
        return detail
    return f"{RESENT}, {detail}" if detail else RESENT


def settled_by(answer: Answer, row: Row, now: datetime) -> Row:
    """The message's columns after its receipt; a deferred one waits and is queued again."""
    receipt = answer.receipt
    if answer.state != "deferred":
        return settled(row, answer.state, now, detail=receipt.detail, reference=receipt.reference)
    attempts = int(str(row["attempts"])) + 1
    wait = delay(str(row["id"]), attempts, first=FIRST_DELAY, longest=LONGEST_DELAY)
    if receipt.retry_after is not None:
        wait = max(wait, timedelta(seconds=receipt.retry_after))
    return {
        **settled(row, QUEUED, now, detail=receipt.detail),
        "not_before": now + wait,
        "attempts": attempts,
    }


class Settled(NamedTuple):
    """Messages that are settled, and what goes with them into the same commit.

    Attributes:
        rows: their columns.
        tasks: the tasks that were made.
        suppressed: the addresses that are not to be used again, as rows of suppressions.
    """

    rows: Sequence[Row]
    tasks: Sequence[Task] = ()
    suppressed: Sequence[Row] = ()


def keep_settled(
    store: Store,
    settled: Settled,
    *,
    followed: Collection[str] = (),
    suppress: Callable[[Sequence[Row]], object] = lambda _: None,
    attempting: Sequence[str] = (),
    may: Callable[[], bool] = lambda: True,
    durable: bool = False,
) -> bool:
    """Write messages that are settled; in the same commit, that the next ones are being attempted.

    Args:
        store: where the outbox is.
        settled: what is settled.
        followed: the campaigns with follow-ups: to whom their messages went waits for the next step.
        suppress: keeps suppressions, inside the transaction.
        attempting: the next messages.
        may: asked in the same commit whether those may still be attempted.
        durable: whether it must survive a power cut.

    Returns:
        Whether they may.
    """
    if not settled.rows and not attempting:
        return True
    # The messages are this worker's alone, so that others may settle theirs beside it; a suppression is everybody's.
    with store.transaction(durable=durable, shared=not settled.suppressed):
        if settled.rows:
            write_settled(store, settled.rows, followed=followed)
            keep_tasks(store, settled.tasks)
            if settled.suppressed:
                suppress(settled.suppressed)
        if not attempting:
            return True
        if not may():
            return False
        store.revise(MESSAGES, [{"id": message, "state": "attempting"} for message in attempting])
        return True


def write_settled(store: Store, rows: Sequence[Row], *, followed: Collection[str] = ()) -> None:
    """Write messages that are settled; inside a transaction."""
    store.revise(MESSAGES, [{name: row[name] for name in _SETTLED} for row in rows])
    # A provider may report a message before its answer to it has come, or in place of one.
    settle_heard(store, [str(row["id"]) for row in rows if row["state"] == UNKNOWN])
    _mark_for_plan(store, rows, followed)


def release(store: Store, rows: Sequence[Row], worker: str, now: datetime) -> None:
    """Give claimed messages back to the outbox, but those that somebody else has taken over since."""
    if not rows:
        return
    with store.transaction():
        ids = [str(row["id"]) for row in rows]
        own = {"id": ids, "state": "claimed", "worker": worker}
        held = set(store.read(MESSAGES, where=own, columns=["id"])["id"])
        back = [settled(row, QUEUED, now, detail=str(row["detail"])) for row in rows if row["id"] in held]
        if back:
            write_settled(store, back)


def _mark_for_plan(store: Store, rows: Sequence[Row], followed: Collection[str]) -> None:
    """What came to nothing was no contact: others may have waited for that slot. What went may have a next step."""
    concerned = [
        str(row["customer"])
        for row in rows
        if row["state"] not in CONTACT_STATES or (row["state"] in GONE_STATES and row["campaign"] in followed)
    ]
    if concerned:
        store.mark("plan", ties_of(store).resolved(pl.Series("customer", concerned, pl.String)).unique().sort())
