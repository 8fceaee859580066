"""What waits in the outbox for two ids that become one: of the same engagement, one message goes out."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from relationship_core.columns import MESSAGES, Page
from relationship_core.errors import RetriableError
from relationship_core.ports import Store

_ENGAGEMENT = ("campaign", "action", "occasion")
_GOING, _GONE = ("claimed", "attempting"), ("accepted", "unknown")


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
    going = same.filter(pl.col("state").is_in(_GOING))
    if going.select(pl.struct(_ENGAGEMENT).is_duplicated().any()).item():
        message = "the same message is being sent to both of them right now; run `relate deliver`, then merge them"
        raise RetriableError(message)
    place = pl.col("customer").replace_strict({each: n for n, each in enumerate(ids)}, return_dtype=pl.Int64)
    out = pl.col("state").is_in([*_GOING, *_GONE])
    waiting = same.with_columns(out.any().over(_ENGAGEMENT).alias("out"), place.alias("place")).filter(
        pl.col("state") == "queued"
    )
    first = pl.col("place") == pl.col("place").min().over(_ENGAGEMENT)
    repeated = waiting.filter(pl.col("out") | ~first)
    if repeated.height:
        store.delete(MESSAGES, repeated.select("id").sort("id"))
