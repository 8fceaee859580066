"""What waits in the outbox for two ids that become one: of one engagement one message goes out, and none too soon."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from relationship_core.columns import MESSAGES, Page
from relationship_core.errors import RetriableError
from relationship_core.flow.message_states import CONTACT_STATES, GOING_STATES, GONE_STATES, QUEUED
from relationship_core.ports import Store

_ENGAGEMENT = ("campaign", "action", "occasion")


def withdraw_repeated(store: Store, ids: Sequence[str]) -> None:
    """Take queued messages back whose engagement another of these ids has had, or has waiting.

    A message that was taken back leaves no trace, so that its customer may have it after an un-merge.

    Args:
        store: where the outbox is; inside a transaction.
        ids: all ids of what becomes one customer, in the order in which they keep a waiting message.

    Raises:
        RetriableError: two messages of one engagement are being sent right now.
    """
    columns = ["id", "customer", *_ENGAGEMENT, "state"]
    messages = store.read(MESSAGES, page=Page.of(ids), columns=columns)
    same = messages.filter(pl.struct(_ENGAGEMENT).is_duplicated())
    if same.is_empty():
        return
    going = same.filter(pl.col("state").is_in(GOING_STATES))
    if going.select(pl.struct(_ENGAGEMENT).is_duplicated().any()).item():
        message = "the same message is being sent to both of them right now; run `relate deliver`, then merge them"
        raise RetriableError(message)
    place = pl.col("customer").replace_strict({each: n for n, each in enumerate(ids)}, return_dtype=pl.Int64)
    out = pl.col("state").is_in([*GOING_STATES, *GONE_STATES])
    waiting = same.with_columns(out.any().over(_ENGAGEMENT).alias("out"), place.alias("place")).filter(
        pl.col("state") == QUEUED
    )
    first = pl.col("place") == pl.col("place").min().over(_ENGAGEMENT)
    repeated = waiting.filter(pl.col("out") | ~first)
    if repeated.height:
        store.delete(MESSAGES, repeated.select("id").sort("id"))


def take_back_crowded(store: Store, ids: Sequence[str], others: Sequence[str]) -> None:
    """Take queued marketing back where two sides that become one customer both have contacts.

    Each was planned without those of the other, so that together they may come too soon, or be too many. The next
    plan decides about all of it anew, by every policy. What service messages say is owed to the customer: they stay.

    Args:
        store: where the outbox is; inside a transaction.
        ids: the ids of one side.
        others: the ids of the other.
    """
    columns = ["id", "customer", "state", "purpose"]
    messages = store.read(MESSAGES, page=Page.of([*ids, *others]), columns=columns)
    contacts = messages.filter(pl.col("state").is_in(CONTACT_STATES))
    of_one = contacts["customer"].is_in(list(ids))
    if of_one.all() or not of_one.any():
        return
    marketing = pl.col("purpose").fill_null("marketing") == "marketing"
    waiting = contacts.filter((pl.col("state") == QUEUED) & marketing)
    if waiting.height:
        store.delete(MESSAGES, waiting.select("id").sort("id"))
