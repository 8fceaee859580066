"""What the customers of a page said, under which of their ids each word counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, cast

import polars as pl

from relationship_core.columns import Page
from relationship_core.flow.ties import Ties
from relationship_core.flow.united import plain, ties_of
from relationship_core.model.instants import EARLIEST
from relationship_core.table import INSTANT, Table

if TYPE_CHECKING:
    from relationship_core.ports import Store


class Reading(Protocol):
    """What is read from: a store, or the part of one that somebody makes up to ask "what if"."""

    def read(self, table: Table, *, page: Page | None = None, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """As ``Store.read``."""
        ...


def said(store: Reading, table: Table, page: Page, columns: Sequence[str]) -> pl.DataFrame:
    """Rows of CONSENTS or PREFERENCES that count for a page's customers.

    A merged id goes by what was recorded for it, and by what was recorded for the others once they were one customer;
    so what each of them said before stays with the one who said it.

    Returns:
        ``customer``, the page's; ``member``, the id for which the row counts; and the columns asked for. A row counts
        several times where it counts for several ids.
    """
    kept = cast("Store", store)
    ties, wanted = ties_of(kept), [*dict.fromkeys([*columns, "recorded_at"])]
    theirs = ties.merged.filter(pl.col("survivor").is_in(page.customers.implode()))
    if theirs.is_empty():
        rows = plain(kept).read(table, page=page, columns=["customer", *columns])
        return rows.with_columns(pl.col("customer").alias("member"))
    ids = Page(pl.concat([page.customers, theirs["customer"].alias("customer")]).unique().sort())
    rows = plain(kept).read(table, page=ids, columns=["customer", *wanted])
    since = rows.join(_together(ties, theirs), on="customer").filter(pl.col("recorded_at") > pl.col("since"))
    counted = pl.concat(
        [
            rows.with_columns(pl.col("customer").alias("member")).select("member", *wanted),
            since.select("member", *wanted),
        ]
    )
    return (
        counted.join(theirs, left_on="member", right_on="customer", how="left", maintain_order="left")
        .with_columns(pl.coalesce("survivor", "member").alias("customer"))
        .select("customer", *columns, "member")
    )


def happened() -> pl.Expr:
    """When something was said: nothing was after it was recorded, whatever a clock that is ahead told."""
    return pl.min_horizontal("at", "recorded_at").alias("at")


def _together(ties: Ties, theirs: pl.DataFrame) -> pl.DataFrame:
    """Since when two ids are one customer: ``member``, ``customer`` and ``since``, each pair both ways.

    They are since both stand for one id, or one of them for the other.
    """
    ids = pl.concat([theirs["customer"], theirs["survivor"].alias("customer")]).unique()
    themselves = ids.alias("member").to_frame().with_columns(customer="member", since=pl.lit(EARLIEST, INSTANT))
    joined = ties.joined.filter(pl.col("member").is_in(ids.implode())).select("member", "customer", "since")
    upwards = pl.concat([joined, themselves.select(joined.columns)]).rename({"customer": "above"})
    pairs = upwards.join(upwards, on="above", suffix="_other").filter(pl.col("member") != pl.col("member_other"))
    return pairs.group_by("member", pl.col("member_other").alias("customer")).agg(
        pl.max_horizontal("since", "since_other").min().alias("since")
    )


def members(store: Reading, page: Page) -> pl.DataFrame:
    """``customer`` and ``member``: the merged ids of a page's customers, and their own; of those merged alone.

    An id that had been nobody's before it was linked never said anything by itself, and is not among them.
    """
    ties = ties_of(cast("Store", store))
    theirs = ties.merged.filter(pl.col("survivor").is_in(page.customers.implode()))
    own = theirs.select(pl.col("survivor").alias("customer"), pl.col("survivor").alias("member")).unique()
    people = theirs.filter(~pl.col("customer").is_in(sorted(ties.linked)))
    return pl.concat([own, people.select(pl.col("survivor").alias("customer"), pl.col("customer").alias("member"))])
