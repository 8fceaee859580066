"""Abandoned messages: those that a worker had claimed, or was attempting, when it died."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import polars as pl

from relationship_core.columns import MESSAGES
from relationship_core.errors import ConfigurationError
from relationship_core.flow.deliver.assigning import taken_tasks
from relationship_core.flow.deliver.handover import looked_up
from relationship_core.flow.deliver.outlets import LEASE, Outlet
from relationship_core.flow.deliver.render import Row, Studio
from relationship_core.flow.deliver.settling import Settled, keep_settled, settled, write_settled
from relationship_core.flow.deliver.worker import is_gone, is_here, was_cut_off
from relationship_core.flow.message_states import GOING_STATES, QUEUED
from relationship_core.flow.versions import kept_campaigns
from relationship_core.model.message import Receipt
from relationship_core.ports import Store
from relationship_core.table import INSTANT

DIED = "its worker died while sending it"
KEYS_KEPT = timedelta(hours=20)
"""So long a provider surely knows a message again by its id: they forget the keys of a day ago."""

Outlets = Mapping[str, Callable[[], Outlet]]
"""How to get each channel instance, by name."""


def settle_abandoned(
    store: Store,
    outlets: Outlets,
    studio: Studio,
    now: datetime,
    totals: Counter[str],
    *,
    worker: str,
    followed: Collection[str],
) -> None:
    """Take over what workers that are gone had claimed or were attempting.

    What was only claimed waits again. What may have gone is taken over first, so that of several workers who find it
    one alone asks what became of it.

    Args:
        store: where the outbox is.
        outlets: how to get each channel instance, by name.
        studio: what rendering needs.
        now: the instant.
        totals: counts what becomes of them.
        worker: who takes over.
        followed: the campaigns with follow-ups.
    """
    with store.transaction():
        # Read inside, so that nobody else settles them meanwhile.
        left = [row for row in store.read(MESSAGES, where={"state": GOING_STATES}).iter_rows(named=True)
                if _is_abandoned(row, now)]  # fmt: skip
        doubtful = [row for row in left if row["state"] == "attempting" or was_cut_off(str(row["worker"]))]
        ids = {row["id"] for row in doubtful}
        waiting = [settled(row, QUEUED, now, detail=str(row["detail"])) for row in left if row["id"] not in ids]
        if waiting:
            write_settled(store, waiting)
        if doubtful:
            store.update(MESSAGES, _taken_over(doubtful, worker, now + LEASE))
    for own, receipts in _asked(doubtful, outlets, now):
        states = [QUEUED if each.state == "deferred" else each.state for each in receipts]
        done = [settled(row, state, now, detail=DIED) for row, state in zip(own, states, strict=True)]
        taken = [row for row, state in zip(own, states, strict=True) if state == "accepted"]
        tasks = taken_tasks(taken, kept_campaigns(store), store, studio, now) if taken else []
        keep_settled(store, Settled(done, tasks), followed=followed)
        totals.update(state for state in states if state != QUEUED)


def _asked(rows: Sequence[Row], outlets: Outlets, now: datetime) -> Iterable[tuple[Sequence[Row], Sequence[Receipt]]]:
    """The messages of each channel, with what can be said of them."""
    for name in sorted({str(row["channel"]) for row in rows}):
        own = [row for row in rows if row["channel"] == name]
        outlet = outlet_of(outlets, name)
        known = [row for row in own if outlet is not None and (outlet.can_look or not _is_forgotten(row, now))]
        unknown = [row for row in own if row not in known]
        yield unknown, [Receipt(message=str(row["id"]), state="unknown", detail=DIED) for row in unknown]
        if outlet is not None and known:
            yield known, looked_up(outlet, [str(row["id"]) for row in known], DIED)


def outlet_of(outlets: Outlets, name: str) -> Outlet | None:
    """A channel instance; None where it is not configured any more, or its plugin is gone."""
    try:
        return outlets[name]() if name in outlets else None
    except ConfigurationError:
        return None


def _is_forgotten(row: Row, now: datetime) -> bool:
    """Whether it was claimed so long ago that no provider surely knows it again by its id."""
    until = row["claimed_until"]
    return not isinstance(until, datetime) or until - LEASE + KEYS_KEPT < now


def _taken_over(rows: Sequence[Row], worker: str, until: datetime) -> pl.DataFrame:
    ids = pl.Series("id", [row["id"] for row in rows], dtype=pl.String)
    return ids.to_frame().with_columns(
        pl.lit("attempting").alias("state"),
        pl.lit(worker).alias("worker"),
        pl.lit(until, INSTANT).alias("claimed_until"),
    )


def _is_abandoned(row: Row, now: datetime) -> bool:
    worker, until = str(row["worker"]), row["claimed_until"]
    if is_here(worker):
        return False
    return is_gone(worker) or (isinstance(until, datetime) and until <= now)
