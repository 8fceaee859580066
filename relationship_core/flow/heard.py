"""What was heard of messages: it moves them to where all of it says, whenever it was heard."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from relationship_core.columns import DELIVERY_EVENTS, MESSAGES
from relationship_core.flow.message_states import QUEUED, REJECTED, UNKNOWN
from relationship_core.flow.united import plain, ties_of
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


def settle_heard(store: Store, messages: Sequence[str]) -> None:
    """Move messages to the states that all that was heard of them comes to; inside a transaction.

    The order in which it was heard makes no difference. A message of which nobody knew whether it went is known to have
    gone, or not; one that its provider had taken and then refused is refused.

    Args:
        store: where the outbox is.
        messages: their ids.
    """
    if not messages:
        return
    heard = plain(store).read(
        DELIVERY_EVENTS, where={"message": list(messages)}, columns=["message", "type", "at", "detail"]
    )
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
    outcomes = heard.group_by("message").agg(outcome.alias("outcome"), told.alias("detail"), pl.col("at").min())
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
            pl.coalesce("settled_at", "at").alias("settled_at"),
        ),
    )
    # What came to nothing was no contact, and what went may have a next step.
    store.mark("plan", ties_of(store).resolved(moved["customer"]).unique().sort())
