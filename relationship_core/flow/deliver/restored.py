"""A restored store: what it still has in the outbox may have gone since the backup was made."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

import polars as pl
from attrs import frozen

from relationship_core.columns import MESSAGES
from relationship_core.flow.deliver.abandoned import KEYS_KEPT, Outlets, outlet_of
from relationship_core.flow.deliver.assigning import taken_tasks
from relationship_core.flow.deliver.epoch import Witness, advance
from relationship_core.flow.deliver.handover import looked_up
from relationship_core.flow.deliver.render import Row, Studio
from relationship_core.flow.deliver.settling import settled, write_settled
from relationship_core.flow.deliver.worker import is_here
from relationship_core.flow.message_states import QUEUED, WAITING_STATES
from relationship_core.flow.tasks.keeping import keep_tasks
from relationship_core.flow.versions import kept_campaigns
from relationship_core.ports import Store

RESTORED = "the store was restored from a backup, and it may have gone before"
_CHUNK = 1_000
"""So many are looked up and settled together."""


@frozen(kw_only=True)
class Restored:
    """What was made of the outbox of a restored store.

    Attributes:
        unknown: nobody can tell whether they have gone; they are not sent again by themselves.
        accepted: their channel has sent them.
        queued: they go with the next delivery: their channel has not sent them, or knows them again.
    """

    unknown: int = 0
    accepted: int = 0
    queued: int = 0


def accept_restored(
    store: Store, outlets: Outlets, studio: Studio, witness: Witness, *, followed: Collection[str]
) -> Restored:
    """Mark what may have gone since the backup, and let deliveries begin again.

    Args:
        store: the restored store.
        outlets: how to get each channel instance, by name.
        studio: what rendering needs; its moment is the instant.
        witness: what remembers the epoch outside of the store.
        followed: the campaigns with follow-ups.
    """
    now = studio.moment.now
    totals = dict.fromkeys(("unknown", "accepted", QUEUED), 0)
    waiting = store.read(MESSAGES, where={"state": WAITING_STATES}, columns=["id", "channel", "queued_at"])
    for (channel,), own in waiting.group_by("channel", maintain_order=True):
        for chunk in own.iter_slices(_CHUNK):
            states = _states(chunk, str(channel), outlets, now)
            for state in _settle(store, studio, states, followed=followed):
                totals[state] += 1
    with store.transaction(durable=True):
        epoch = advance(store, beyond=witness.read())
    witness.write(epoch)
    return Restored(unknown=totals["unknown"], accepted=totals["accepted"], queued=totals[QUEUED])


def _states(messages: pl.DataFrame, channel: str, outlets: Outlets, now: datetime) -> dict[str, str]:
    """What can be said of messages of a channel that may have gone."""
    ids = messages["id"].to_list()
    outlet = outlet_of(outlets, channel)
    if outlet is not None and outlet.can_look:
        told = looked_up(outlet, ids, RESTORED)
        return {each.message: QUEUED if each.state == "deferred" else each.state for each in told}
    if outlet is not None and outlet.is_idempotent:
        # It went after it was queued, if it did: so its provider knows the id still.
        fresh = messages.filter(pl.col("queued_at") + KEYS_KEPT > now)["id"]
        return {**dict.fromkeys(ids, "unknown"), **dict.fromkeys(fresh.to_list(), QUEUED)}
    return dict.fromkeys(ids, "unknown")


def _settle(store: Store, studio: Studio, states: Mapping[str, str], *, followed: Collection[str]) -> list[str]:
    """Settle messages, but those that another worker is at since; the states that they have now."""
    now = studio.moment.now
    with store.transaction():
        found = store.read(MESSAGES, where={"state": WAITING_STATES, "id": list(states)}).to_dicts()
        rows: list[Row] = [row for row in found if not (row["worker"] and is_here(str(row["worker"])))]
        taken = [row for row in rows if states[str(row["id"])] == "accepted"]
        tasks = taken_tasks(taken, kept_campaigns(store), store, studio, now) if taken else []
        done = [settled(row, states[str(row["id"])], now, detail=RESTORED) for row in rows]
        if done:
            write_settled(store, done, followed=followed)
            keep_tasks(store, tasks)
    return [states[str(row["id"])] for row in rows]
