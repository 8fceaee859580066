"""Preferences: which relationship customers want now, and from when on they may be asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import get_args

import polars as pl

from relationship_core.columns import PREFERENCES, Page
from relationship_core.config.contact import PreferenceSettings
from relationship_core.flow.permission.said import Reading, happened, said
from relationship_core.model.words import UNASKED, Wish
from relationship_core.table import INSTANT

WISH_ORDER: Mapping[str, int] = {wish: place for place, wish in enumerate(get_args(Wish))}
"""The wishes, from the closest relationship to none."""

_READ = ("at", "wish", "ask_again_at", "recorded_at")


def wishes_of(
    store: Reading, page: Page, settings: PreferenceSettings, now: datetime | pl.Series | None
) -> pl.DataFrame:
    """As ``wishes_in``, of what is kept."""
    return wishes_in(said(store, PREFERENCES, page, _READ), page, settings, now)


def wishes_in(
    rows: pl.DataFrame, page: Page, settings: PreferenceSettings, now: datetime | pl.Series | None
) -> pl.DataFrame:
    """Which relationship each customer wants as of an instant, a row for each of the page, in its order.

    Of several ids the strictest wish holds, of one id the latest. ``now`` may be an instant for each of them;
    without one every wish counts that is kept.

    Returns:
        ``customer``; ``preference``, the wish, or ``unasked``; and ``preference_ask_at``, the instant from which they
        may be asked again, null where they were never asked.
    """
    everybody = page.customers.alias("customer").to_frame()
    if rows.height and now is not None:
        nows = everybody.with_columns(pl.lit(now, INSTANT).alias("now") if isinstance(now, datetime) else now)
        rows = rows.join(nows, on="customer").filter(happened() <= pl.col("now"))
    if rows.is_empty():
        return everybody.with_columns(
            preference=pl.lit(UNASKED), preference_ask_at=pl.lit(None, dtype=INSTANT)
        )  # fmt: skip
    theirs = latest(rows, ["customer", "member"], settings)
    wanted = theirs.group_by("customer").agg(pl.col("rank").max(), pl.col("again").max())
    names = pl.col("rank").replace_strict(dict(enumerate(WISH_ORDER)), default=UNASKED, return_dtype=pl.String)
    return everybody.join(wanted, on="customer", how="left", maintain_order="left").select(
        "customer", names.alias("preference"), pl.col("again").alias("preference_ask_at")
    )


def latest(rows: pl.DataFrame, by: Sequence[str], settings: PreferenceSettings) -> pl.DataFrame:
    """The latest wish of each id; of two at one instant the stricter.

    Args:
        rows: ``at``, ``recorded_at``, ``wish``, ``ask_again_at`` and the columns of ``by``.
        by: the columns that tell the ids apart.
        settings: say when somebody may be asked again.

    Returns:
        The columns of ``by``; ``rank``, the wish in the order of WISH_ORDER; and ``again``, the next asking.
    """
    next_time = pl.col("at") + pl.duration(days=settings.ask_again_days)
    return (
        rows.with_columns(happened())
        .with_columns(ranked(pl.col("wish")), pl.coalesce("ask_again_at", next_time).cast(INSTANT).alias("again"))
        .sort("at", "rank", "again")
        .group_by(*by, maintain_order=True)
        .agg(pl.col("rank").last(), pl.col("again").last())
    )


def ranked(wish: pl.Expr) -> pl.Expr:
    """The places of wishes in WISH_ORDER, as ``rank``."""
    return wish.replace_strict(WISH_ORDER, return_dtype=pl.UInt32).alias("rank")


def wish(preference: pl.Expr, settings: PreferenceSettings) -> pl.Expr:
    """The wish that counts: what a customer said, or what the project assumes of those who were not asked."""
    return pl.when(preference == UNASKED).then(pl.lit(settings.unasked)).otherwise(preference)
