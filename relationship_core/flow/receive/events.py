"""Delivery events: each is kept once, and moves its message to where all that was heard of it says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from relationship_core.columns import DELIVERY_EVENTS, MESSAGES
from relationship_core.flow.heard import settle_heard
from relationship_core.flow.receive.consequences import REASONS, draw_consequences, said_again
from relationship_core.flow.receive.received import Received
from relationship_core.flow.receive.told import within, written
from relationship_core.flow.record.recorder import Recorder
from relationship_core.flow.united import plain
from relationship_core.model.instants import utc
from relationship_core.model.message import DeliveryEvent

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
    ids = sorted({written(each.message) for each in events})
    messages = store.read(MESSAGES, where={"id": ids}, columns=_OF_MESSAGE) if ids else MESSAGES.empty()
    now = utc(recorder.clock())
    rows = _rows(events, receiver, now).join(
        messages.select(pl.col("id").alias("message"), "customer"), on="message", maintain_order="left"
    )
    known = store.read(DELIVERY_EVENTS, where={"message": ids}) if ids else DELIVERY_EVENTS.empty()
    distinct = rows.unique(DELIVERY_EVENTS.key, keep="first", maintain_order=True)
    new = distinct.join(known, on=DELIVERY_EVENTS.key, how="anti", maintain_order="left")
    of_kind = ["message", "type"]
    first = new.join(known, on=of_kind, how="anti", maintain_order="left")
    again = new.join(known, on=of_kind, how="semi", maintain_order="left").filter(pl.col("type").is_in(REASONS))
    meant = said_again(recorder, again, known, messages)
    suppressed = draw_consequences(recorder, receiver, pl.concat([first, meant]), messages)
    with store.transaction():
        store.put(DELIVERY_EVENTS, DELIVERY_EVENTS.conform(new))
        settle_heard(store, ids)
    return Received(
        events=new.height,
        repeated=rows.height - new.height,
        ignored=len(events) - rows.height,
        suppressed=suppressed,
    )


def _rows(events: Sequence[DeliveryEvent], receiver: str, now: datetime) -> pl.DataFrame:
    rows = [
        {
            "message": written(each.message),
            "type": each.type,
            # Nothing was heard of before it happened, whatever a clock that is ahead told.
            "at": within(each.at, now),
            "receiver": receiver,
            "detail": written(each.detail),
            "suppression": each.suppression,
            "raw": written(each.raw),
            "recorded_at": now,
        }
        for each in events
    ]
    return pl.DataFrame(rows, schema=DELIVERY_EVENTS.types(_HEARD))
