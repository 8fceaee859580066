"""Preferences: one batch of wishes; each is kept for whoever was named, and for others who had a closer one."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from relationship_core.columns import PREFERENCES
from relationship_core.flow.permission.preferences import WISH_ORDER, latest, ranked
from relationship_core.flow.record.recorder import Recorder
from relationship_core.flow.record.spread import SURVIVOR, ids_of, kept_of_all, with_survivors
from relationship_core.flow.ties import Ties
from relationship_core.flow.united import ties_of
from relationship_core.model.instants import utc

_KEY = ["at", "wish"]
_ORDER = "__order"


def commit_preferences(recorder: Recorder, wishes: pl.DataFrame, note: Callable[[int, pl.DataFrame], None]) -> int:
    """Keep a batch of wishes, and mark their customers for review.

    The same wish of the same instant is not kept again. One is written under the id that was named, and under each
    other id of a merged customer for which it is stricter than that id's own present one.

    Args:
        recorder: what to work with.
        wishes: checked rows of preferences, with any further columns.
        note: called inside the transaction with the number of new wishes, and with those rows that cannot be kept,
            with one more column, ``reason``.

    Returns:
        How many were new.
    """
    store = recorder.store
    with store.transaction():
        ties = ties_of(store)
        good, refused = with_survivors(store, ties, wishes)
        new = 0
        if good.height:
            kept = kept_of_all(store, ties, PREFERENCES, good[SURVIVOR])
            written = _written(good.with_row_index(_ORDER), kept, ties, recorder)
            new = written[_ORDER].n_unique()
            if written.height:
                store.put(PREFERENCES, PREFERENCES.conform(written).sort(PREFERENCES.key))
                store.mark("review", written[SURVIVOR].alias("customer").unique().sort())
        note(new, refused)
    return new


def _written(wishes: pl.DataFrame, kept: pl.DataFrame, ties: Ties, recorder: Recorder) -> pl.DataFrame:
    """The rows to write, with SURVIVOR and _ORDER."""
    now = pl.lit(utc(recorder.clock()), PREFERENCES.schema["recorded_at"])
    columns = [_ORDER, SURVIVOR, *PREFERENCES.schema]
    rows = wishes.with_columns(now.alias("recorded_at")).select(columns)
    rows = rows.unique(["customer", *_KEY], keep="first", maintain_order=True)
    rows = rows.join(kept, on=["customer", *_KEY], how="anti", maintain_order="left")
    merged = rows[SURVIVOR].is_in(ties.merged["survivor"].implode())
    written = [rows.filter(~merged)]
    # What one of several ids says decides what the next wish of the same customer is stricter than.
    turn = pl.int_range(pl.len()).over(SURVIVOR).alias("__turn")
    for part in rows.filter(merged).with_columns(turn).sort("__turn", _ORDER).partition_by("__turn", include_key=False):
        more = _of_turn(part, kept, ties, recorder)
        written.append(more)
        kept = pl.concat([kept, more.select(kept.columns)])
    return pl.concat(written)


def _of_turn(rows: pl.DataFrame, kept: pl.DataFrame, ties: Ties, recorder: Recorder) -> pl.DataFrame:
    """The rows to write of wishes of different customers who have several ids each."""
    settings = recorder.terms.preference
    present = latest(kept, ["customer"], settings).select(pl.col("customer").alias("id"), pl.col("rank").alias("own"))
    own = pl.col("own").fill_null(WISH_ORDER[settings.unasked])
    seen = rows.join(kept, on=[SURVIVOR, *_KEY], how="semi")[_ORDER]
    news = (pl.col("id") == pl.col("customer")) & ~pl.col(_ORDER).is_in(seen.implode())
    everyone = rows.with_columns(ranked(pl.col("wish"))).join(ids_of(ties), on=SURVIVOR)
    places = everyone.join(present, on="id", how="left")
    chosen = places.filter((pl.col("rank") > own) | news).with_columns(customer="id")
    return chosen.join(kept, on=["customer", *_KEY], how="anti").select(rows.columns)
