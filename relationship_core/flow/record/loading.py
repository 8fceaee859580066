"""The initial load: a large file of interactions into a project that has none, customer after customer.

Interactions that come in order of time touch every customer again and again. So what a load keeps in a transaction is
the whole history of some customers: a first pass over the file finds how many rows each has and cuts them into ranges,
every further pass reads one range. The first pass also sees that no interaction comes twice, so that the store need
not look for each.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import polars as pl
from attrs import frozen

from relationship_core.flow.record.convert import text

KEY = ("source", "id", "customer")
"""Our columns that the first pass reads."""

CHUNKS = 4
"""A range is as long as so many chunks, since each is a pass over the file."""


_FRAMES = 8
"""So many frames' numbers of rows by customer are kept before they are added up."""


@frozen(kw_only=True)
class Range:
    """The rows of neighbouring customers.

    Attributes:
        start: how many rows are before them, in order of customer.
        rows: how many they are.
        first: the least value that their column of customers has in the file.
        end: the least value beyond them; None in the last range.
    """

    start: int
    rows: int
    first: Any
    end: Any


def survey(frames: Iterable[pl.DataFrame], longest: int) -> list[Range] | None:
    """Cut a file into ranges; None where it cannot be loaded by them.

    That is where an interaction comes twice, a row names no customer, or one customer has more than a range.

    Args:
        frames: all rows, with the columns KEY; that of customers as it is in the file.
        longest: how many rows a range has at most.
    """
    keys: list[pl.Series] = []
    counts: list[pl.DataFrame] = []
    for frame in frames:
        sources, ids = (text(frame[name])[0] for name in ("source", "id"))
        key = pl.select(pl.concat_str([sources, ids], separator="\0").hash(seed=1)).to_series()
        keys.append(key.filter(sources.is_not_null() & ids.is_not_null()))
        counts.append(frame.group_by("customer").agg(rows=pl.len().cast(pl.Int64)))
        if len(counts) == _FRAMES:
            counts = [_total(counts)]
    # Two keys of one hash are taken for one, which costs time and nothing else: once in 90,000 files of 20 million.
    in_order = pl.concat(keys, rechunk=True)
    keys.clear()  # eight bytes for each interaction of the file
    in_order = in_order.sort(in_place=True)
    if (in_order[1:] == in_order[:-1]).any():
        return None
    customers = _total(counts).sort("customer")
    if customers["customer"].null_count() or customers.select(pl.col("rows").max()).item() > longest:
        return None
    return _ranges(customers, longest)


def _total(counts: list[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat(counts).group_by("customer").agg(pl.col("rows").sum())


def _ranges(customers: pl.DataFrame, longest: int) -> list[Range]:
    ranges: list[Range] = []
    start = 0
    while customers.height:
        fitting = max(1, int((customers["rows"].cum_sum() <= longest).sum()))
        rows = int(customers["rows"][:fitting].sum())
        first, customers = customers["customer"][0], customers[fitting:]
        end = customers["customer"][0] if customers.height else None
        ranges.append(Range(start=start, rows=rows, first=first, end=end))
        start += rows
    return ranges
