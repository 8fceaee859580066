"""Spreading: under which ids of a merged customer something is written, so that an un-merge leaves it with each."""

from __future__ import annotations

import polars as pl

from relationship_core.columns import CUSTOMERS, Page, Table
from relationship_core.flow.erased import ERASED_REASON, erased_among
from relationship_core.flow.record.checks import Rule, sift
from relationship_core.flow.ties import Ties
from relationship_core.flow.united import plain
from relationship_core.ports import Store

SURVIVOR = "__survivor"
"""The id that a row's customer has now."""


def with_survivors(store: Store, ties: Ties, rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows whose customer there is, with SURVIVOR; and the others with ``reason``."""
    named = rows.with_columns(ties.resolved(rows["customer"]).alias(SURVIVOR))
    ids = Page(rows["customer"].unique().sort())
    known = store.read(CUSTOMERS, page=ids, columns=["customer"])["customer"] if rows.height else rows["customer"]
    if len(known) == len(ids.customers):
        return named, rows.clear().with_columns(reason=pl.lit("", pl.String))
    erased = erased_among(store, ids.customers)
    rules: list[Rule] = [
        (pl.col("customer").is_in(erased.implode()), ERASED_REASON),
        (~pl.col("customer").is_in(known.implode()), "there is no such customer; record them first"),
    ]
    good, bad = sift(named, rules)
    return good, bad.drop(SURVIVOR)


def kept_of_all(store: Store, ties: Ties, table: Table, survivors: pl.Series) -> pl.DataFrame:
    """What a table holds of customers under all of their ids, with SURVIVOR."""
    own = survivors.unique()
    others = ties.merged.filter(pl.col("survivor").is_in(own.implode()))["customer"]
    page = Page(pl.concat([own.alias("customer"), others]).unique().sort())
    rows = plain(store).read(table, page=page)
    return rows.with_columns(ties.resolved(rows["customer"]).alias(SURVIVOR))


def spread(rows: pl.DataFrame, ties: Ties, everywhere: pl.Series) -> pl.DataFrame:
    """The rows under their survivors; those marked, under every id of these as well.

    Args:
        rows: have ``customer`` and SURVIVOR.
        ties: who is who.
        everywhere: for each row whether every id gets it.
    """
    own = rows.with_columns(pl.col(SURVIVOR).alias("customer"))
    if not ties.survivors:
        return own
    theirs = ties.merged.select(pl.col("survivor").alias(SURVIVOR), pl.col("customer").alias("__alias"))
    more = own.filter(everywhere).join(theirs, on=SURVIVOR).with_columns(pl.col("__alias").alias("customer"))
    return pl.concat([own, more.drop("__alias")])
