"""The category that a customer may want next: of those not bought, the one with the highest lift over co-purchase."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import polars as pl

from relationship_core import Feature
from relationship_core.builtin import co_purchase


def next_category(tables: Mapping[str, pl.DataFrame]) -> Feature:
    """What the calibration of co-purchase proposes; nothing before it was fitted."""
    table = tables.get(co_purchase.NAME)
    return Feature(
        name="next_category",
        value=partial(proposed, pairs=_ranked(table)) if table is not None else pl.lit(None, pl.String).first(),
        type="text",
        summary="Of the categories never bought, the one with the highest lift over co-purchase with one that was; "
        f"null before `relate calibrate {co_purchase.NAME}` has found any.",
    )


def _ranked(table: pl.DataFrame) -> pl.DataFrame:
    """The pairs with their place in the order of proposals, and their rank among those of the same category."""
    pairs = table.select("bought", "other").with_row_index("place")
    return pairs.with_columns(rank=pl.col("place").rank("ordinal").over("bought"))


def proposed(rows: pl.DataFrame, *, pairs: pl.DataFrame) -> pl.DataFrame:
    """Of each customer the first pair, in the order of proposals, with a category that was bought and one that was not.

    Each category bought asks for its best partner, then those for their next one whose partner was bought already.
    So the work follows the categories that customers have, not all the pairs there could be.
    """
    have = rows.select(pl.col("customer").rank("dense").alias("number"), "customer", "key")
    names = pl.concat([have["key"], pairs["other"]]).unique().sort().to_frame("key").with_row_index("code")
    codes = have.join(names, on="key").select("number", "code", "key")
    bought = codes.select(held=_held("code", names.height))
    partners = pairs.join(names, left_on="other", right_on="key")
    waiting, rank = codes.select("number", "key"), 1
    found = [codes.clear().join(partners, left_on="key", right_on="bought").select("number", "place")]
    while not waiting.is_empty() and rank <= co_purchase.MOST_PARTNERS:
        best = partners.filter(pl.col("rank") == rank).select("bought", "place", "code")
        asked = waiting.join(best, left_on="key", right_on="bought").with_columns(held=_held("code", names.height))
        found.append(asked.join(bought, on="held", how="anti").select("number", "place"))
        waiting = asked.join(bought, on="held", how="semi").select("number", "key")
        rank += 1
    firsts = pl.concat(found).group_by("number").agg(pl.col("place").min())
    customers = have.select("number", "customer").unique()
    return (
        firsts.join(pairs, on="place").join(customers, on="number").select("customer", pl.col("other").alias("value"))
    )


def _held(code: str, categories: int) -> pl.Expr:
    """A customer and a category as one whole number, which is quicker to look up than a pair."""
    return pl.col("number").cast(pl.Int64) * categories + pl.col(code).cast(pl.Int64)
