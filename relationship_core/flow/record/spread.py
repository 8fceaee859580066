"""Spreading: under which ids of a merged customer something is written, so that an un-merge leaves it with each."""

from __future__ import annotations

import polars as pl

from relationship_core.columns import CUSTOMERS, Page
from relationship_core.flow.erased import ERASED_REASON, erased_among
from relationship_core.flow.record.checks import Rule, sift
from relationship_core.flow.ties import Ties
from relationship_core.flow.united import plain
from relationship_core.ports import Store
from relationship_core.table import Table

SURVIVOR = "__survivor"
"""The id that a row's customer has now."""


COPIED = "__copied"
"""Whether a row is written under another id than the one that was named."""


def put_missing(store: Store, customers: pl.Series) -> int:
    """Give every customer a row who has none yet, and say how many that were; inside a transaction."""
    page = Page(customers.unique().sort())
    known = store.read(CUSTOMERS, page=page, columns=["customer"])["customer"]
    if len(known) == len(page.customers):
        return 0
    missing = page.customers.to_frame("customer").filter(~pl.col("customer").is_in(known.implode()))
    nothing = [pl.lit(None, kind).alias(name) for name, kind in CUSTOMERS.schema.items() if name != "customer"]
    store.put(CUSTOMERS, missing.select("customer", *nothing))
    return missing.height


def with_survivors(
    store: Store, ties: Ties, rows: pl.DataFrame, introducing: pl.Series | None = None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows whose customer there is, with SURVIVOR; and the others with ``reason``; inside a transaction.

    Args:
        store: where customers are.
        ties: who is who.
        rows: have ``customer``.
        introducing: for each row whether it makes its customer known, without a name; None for no row. Whoever was
            erased stays so.
    """
    named = rows.with_columns(ties.resolved(rows["customer"]).alias(SURVIVOR))
    ids = Page(rows["customer"].unique().sort())
    known = store.read(CUSTOMERS, page=ids, columns=["customer"])["customer"] if rows.height else rows["customer"]
    if len(known) == len(ids.customers):
        return named, rows.clear().with_columns(reason=pl.lit("", pl.String))
    erased = erased_among(store, ids.customers)
    if introducing is not None and introducing.any():
        newcomers = rows.filter(introducing)["customer"].unique()
        newcomers = newcomers.filter(~newcomers.is_in(erased.implode()))
        put_missing(store, newcomers)
        known = pl.concat([known, newcomers])
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


def ids_of(ties: Ties) -> pl.DataFrame:
    """SURVIVOR and ``id``: every id of each customer who has several."""
    theirs = ties.merged.select(pl.col("survivor").alias(SURVIVOR), pl.col("customer").alias("id"))
    own = theirs.select(SURVIVOR, pl.col(SURVIVOR).alias("id")).unique()
    return pl.concat([own, theirs])


def spread(rows: pl.DataFrame, ties: Ties, everywhere: pl.Series) -> pl.DataFrame:
    """The rows under the ids that were named, with COPIED; those marked, under every other id of their customers too.

    Args:
        rows: have ``customer`` and SURVIVOR.
        ties: who is who.
        everywhere: for each row whether every id gets it.
    """
    own = rows.with_columns(pl.lit(value=False).alias(COPIED))
    if not ties.survivors:
        return own
    ids = ids_of(ties).rename({"id": "__id"})
    more = own.filter(everywhere).join(ids, on=SURVIVOR).filter(pl.col("__id") != pl.col("customer"))
    copies = more.with_columns(pl.col("__id").alias("customer"), pl.lit(value=True).alias(COPIED))
    return pl.concat([own, copies.drop("__id")])
