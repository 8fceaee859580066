"""Preferences: one batch of wishes; a stricter one than the present reaches every id of a customer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import polars as pl

from relationship_core.columns import PREFERENCES
from relationship_core.config.contact import PreferenceSettings
from relationship_core.flow.permission.preferences import WISH_ORDER
from relationship_core.flow.record.recorder import Recorder
from relationship_core.flow.record.spread import SURVIVOR, kept_of_all, spread, with_survivors
from relationship_core.flow.ties import Ties
from relationship_core.flow.united import ties_of
from relationship_core.model.instants import utc
from relationship_core.ports import Store

_KEY = [SURVIVOR, "at", "wish"]
_Row = Mapping[str, Any]


def commit_preferences(recorder: Recorder, wishes: pl.DataFrame, note: Callable[[int, pl.DataFrame], None]) -> int:
    """Keep a batch of wishes, and mark their customers for review.

    The same wish of the same instant is not kept again. One that is stricter than the present one is written under
    every id of a merged customer, another one under the survivor's alone.

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
        fresh = good.clear()
        if good.height:
            kept = kept_of_all(store, ties, PREFERENCES, good[SURVIVOR])
            fresh = good.unique(_KEY, keep="first", maintain_order=True).join(
                kept, on=_KEY, how="anti", maintain_order="left"
            )
            if fresh.height:
                _keep(store, fresh, _everywhere(fresh, kept, ties, recorder), ties, utc(recorder.clock()))
        note(fresh.height, refused)
    return fresh.height


def _keep(store: Store, fresh: pl.DataFrame, everywhere: pl.Series, ties: Ties, now: datetime) -> None:
    rows = fresh.with_columns(pl.lit(now, PREFERENCES.schema["recorded_at"]).alias("recorded_at"))
    store.put(PREFERENCES, PREFERENCES.conform(spread(rows, ties, everywhere)).sort(PREFERENCES.key))
    store.mark("review", fresh[SURVIVOR].alias("customer").unique().sort())


def _everywhere(fresh: pl.DataFrame, kept: pl.DataFrame, ties: Ties, recorder: Recorder) -> pl.Series:
    """For each wish whether it is stricter than the present one of its customer, who has several ids."""
    merged = fresh[SURVIVOR].is_in(ties.merged["survivor"].implode())
    if not merged.any():
        return merged
    told: dict[str, list[_Row]] = {}
    for row in kept.iter_rows(named=True):
        told.setdefault(row[SURVIVOR], []).append(row)
    now, settings, found = utc(recorder.clock()), recorder.terms.preference, []
    for has_others, row in zip(merged, fresh.iter_rows(named=True), strict=True):
        own = told.setdefault(row[SURVIVOR], [])
        stricter = has_others and WISH_ORDER[row["wish"]] > _present(own, ties, row[SURVIVOR], settings)
        ids = ties.group(row[SURVIVOR]) if stricter else (row[SURVIVOR],)
        own.extend({**row, "customer": each, "recorded_at": now} for each in ids)
        found.append(stricter)
    return pl.Series(found, dtype=pl.Boolean)


def _present(rows: Sequence[_Row], ties: Ties, survivor: str, settings: PreferenceSettings) -> int:
    """The strictest of the latest wishes of a customer's ids, in the order of WISH_ORDER."""
    since = {
        (member, above): at
        for member, above, at in ties.joined.filter(pl.col("member").is_in(ties.group(survivor))).iter_rows()
    }
    latest = []
    for member in ties.group(survivor):
        own = [
            (row["at"], WISH_ORDER[row["wish"]])
            for row in rows
            if row["customer"] == member
            or ((member, row["customer"]) in since and row["recorded_at"] > since[member, row["customer"]])
        ]
        latest += [max(own)[1]] if own else []
    return max(latest) if latest else WISH_ORDER[settings.unasked]
