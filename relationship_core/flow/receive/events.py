"""Delivery events: each is kept once, and moves its message to where all that was heard of it says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from relationship_core.columns import DELIVERY_EVENTS, MESSAGES
from relationship_core.flow.message_states import QUEUED, REJECTED, UNKNOWN
from relationship_core.flow.receive.consequences import draw
from relationship_core.flow.receive.received import Received
from relationship_core.flow.record.recorder import Recorder
from relationship_core.flow.united import plain, ties_of
from relationship_core.model.instants import utc
from relationship_core.model.message import DeliveryEvent
from relationship_core.ports import Store

ARRIVED = ("delivered", "opened", "clicked", "complained", "unsubscribed", "replied", "bounced")
"""What is heard only of a message that its provider has sent."""
REFUSED = ("rejected", "failed")
"""What is heard of a message that its provider will not send after all."""
TAKEN = ("accepted", "deferred")
"""What is heard of a message that its provider has."""

_ACCEPTED = "accepted"
_MOVED = (QUEUED, _ACCEPTED, REJECTED, UNKNOWN)
"""The states that what is heard may change. What is being sent waits for its receipt; what never left stays."""
_HEARD = ("message", "type", "at", "receiver", "detail", "suppression", "raw", "recorded_at")
_OF_MESSAGE = ("id", "customer", "campaign", "medium", "address", "topic", "state")


def keep_events(recorder: Recorder, receiver: str, events: Sequence[DeliveryEvent]) -> Received:
    """Keep events that are new, with what follows from them.

    Args:
        recorder: what to work with.
        receiver: the name of the receiver instance.
        events: the events, of any messages, in any order.

    Returns:
        How many were new, known already, of no message of ours; and how many addresses were suppressed.
    """
    store = plain(recorder.store)
    ids = sorted({each.message for each in events})
    messages = store.read(MESSAGES, where={"id": ids}, columns=_OF_MESSAGE) if ids else MESSAGES.empty()
    now = utc(recorder.clock())
    rows = _rows(events, receiver, now).join(
        messages.select(pl.col("id").alias("message"), "customer"), on="message", maintain_order="left"
    )
    known = store.read(DELIVERY_EVENTS, where={"message": ids}) if ids else DELIVERY_EVENTS.empty()
    distinct = rows.unique(DELIVERY_EVENTS.key, keep="first", maintain_order=True)
    new = distinct.join(known, on=DELIVERY_EVENTS.key, how="anti", maintain_order="left")
    suppressed = draw(recorder, receiver, new.join(known, on=["message", "type"], how="anti"), messages)
    with store.transaction():
        store.put(DELIVERY_EVENTS, DELIVERY_EVENTS.conform(new))
        settle_heard(store, ids, now)
    return Received(
        events=new.height,
        repeated=rows.height - new.height,
        ignored=len(events) - rows.height,
        suppressed=suppressed,
    )


def _rows(events: Sequence[DeliveryEvent], receiver: str, now: datetime) -> pl.DataFrame:
    rows = [
        {
            "message": each.message,
            "type": each.type,
            # Nothing was heard of before it happened, whatever a clock that is ahead told.
            "at": min(utc(each.at), now),
            "receiver": receiver,
            "detail": each.detail,
            "suppression": each.suppression,
            "raw": each.raw,
            "recorded_at": now,
        }
        for each in events
    ]
    return pl.DataFrame(rows, schema=DELIVERY_EVENTS.types(_HEARD))


def settle_heard(store: Store, messages: Sequence[str], now: datetime) -> None:
    """Move messages to the states that all that was heard of them comes to; inside a transaction.

    The order in which it was heard makes no difference. A message of which nobody knew whether it went is known to have
    gone, or not; one that its provider had taken and then refused is refused.

    Args:
        store: where the outbox is.
        messages: their ids.
        now: the instant.
    """
    if not messages:
        return
    heard = plain(store).read(DELIVERY_EVENTS, where={"message": list(messages)}, columns=["message", "type", "detail"])
    rows = plain(store).read(MESSAGES, where={"id": list(messages)}, columns=["id", "customer", "state", "settled_at"])
    kind = pl.col("type")
    outcome = (
        pl.when(kind.is_in(ARRIVED).any())
        .then(pl.lit(_ACCEPTED))
        .when(kind.is_in(REFUSED).any())
        .then(pl.lit(REJECTED))
        .when(kind.is_in(TAKEN).any())
        .then(pl.lit(_ACCEPTED))
    )
    told = pl.col("detail").filter(kind.is_in(REFUSED)).sort().last()
    outcomes = heard.group_by("message").agg(outcome.alias("outcome"), told.alias("detail"))
    moved = rows.join(outcomes, left_on="id", right_on="message").filter(
        pl.col("state").is_in(_MOVED), pl.col("outcome") != pl.col("state")
    )
    if moved.is_empty():
        return
    store.update(
        MESSAGES,
        moved.select(
            "id",
            pl.col("outcome").alias("state"),
            pl.when(pl.col("outcome") == REJECTED).then("detail").otherwise(pl.lit("")).alias("detail"),
            pl.coalesce("settled_at", pl.lit(now)).cast(MESSAGES.schema["settled_at"]).alias("settled_at"),
        ),
    )
    # What came to nothing was no contact, and what went may have a next step.
    store.mark("plan", ties_of(store).resolved(moved["customer"]).unique().sort())
