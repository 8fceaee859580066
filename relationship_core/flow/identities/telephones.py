"""Telephone numbers in the form in which they can be compared: E.164, as everybody dials them."""

from __future__ import annotations

import polars as pl

from relationship_core.flow.normal_forms import dialled

NO_COUNTRY = "the telephone number begins with no country code, and neither its customer nor [project] has a country"
UNREADABLE = "the telephone number cannot be one in its customer's country"

_TAIL = 7
"""Numbers that are the same end with the same digits, so many at least; the others need not be read."""


def comparable(points: pl.DataFrame, everybody: pl.DataFrame, country: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The numbers that another customer may have as well.

    Reading a number takes 50 microseconds, so of the usual ones only those are read that end as another customer's.

    Args:
        points: ``customer`` and ``address``, a number as somebody wrote it.
        everybody: ``customer`` and ``country``.
        country: the country of customers who have none; empty for none.

    Returns:
        ``customer`` and ``key``; and ``customer`` and ``reason`` of numbers that cannot be compared: all that have no
        country, and of those that were read, all that are no telephone number.
    """
    fallback = pl.lit(country or None, pl.String)
    numbers = points.join(everybody.select("customer", "country"), on="customer", how="left").select(
        "customer",
        pl.col("address").str.strip_chars().alias("number"),
        pl.coalesce("country", fallback).alias("country"),
    )
    international = pl.col("number").str.starts_with("+") | pl.col("number").str.starts_with("\N{FULLWIDTH PLUS SIGN}")
    lost = ~international & pl.col("country").is_null()
    stray = numbers.filter(lost).select("customer", pl.lit(NO_COUNTRY).alias("reason"))
    read = _read(_shared(numbers.filter(~lost)).select(numbers.columns))
    wrong = read.filter(pl.col("key").is_null()).select("customer", pl.lit(UNREADABLE).alias("reason"))
    return read.filter(pl.col("key").is_not_null()).select("customer", "key"), pl.concat([stray, wrong])


def _shared(numbers: pl.DataFrame) -> pl.DataFrame:
    """Those that end as another customer's does, with ``key`` where they were read to see that."""
    digits = pl.col("number").str.replace_all(r"[^0-9]", "")
    # Letters and digits of other scripts stand for digits, and a short number may lack its country: they are read.
    odd = pl.col("number").str.contains(r"[^\x00-\x7f]|[A-Za-z]") | (digits.str.len_chars() < _TAIL)
    plain, strange = numbers.filter(~odd), _read(numbers.filter(odd))
    tails = pl.concat([plain.with_columns(digits.alias("tail"), pl.lit(None, pl.String).alias("key")),
                       strange.with_columns(pl.col("key").str.replace_all(r"[^0-9]", "").alias("tail"))
                       .select(*plain.columns, "tail", "key")])  # fmt: skip
    tail = pl.col("tail").str.tail(_TAIL)
    others = (pl.col("customer").n_unique().over(tail) > 1) | pl.col("tail").is_null()
    return tails.filter(others)


def _read(numbers: pl.DataFrame) -> pl.DataFrame:
    distinct = numbers.select("number", "country").unique()
    keys = [dialled(number, country) for number, country in distinct.iter_rows()]
    known = distinct.with_columns(pl.Series("key", keys, dtype=pl.String))
    return numbers.join(known, on=["number", "country"], how="left", nulls_equal=True, maintain_order="left")
