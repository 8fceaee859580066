"""Customers of whom much is known: twenty interactions each, which leave numbers of eleven keyed measures.

Five lives in turn, so that every number is the same every time. Ten of the eleven keyed measures of a life are of
those that the standard scores, the ladder and the due time are computed from; the other one keeps categories by day.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import polars as pl
from attrs import asdict, frozen

from data import NOW, Size, numbered
from relationship_core import INTERACTIONS, ORDER_LINE

INTERACTIONS_EACH = 20
KEYED_EACH = 11
"""How many keyed measures each customer has numbers of."""

SLICE = 1_000_000
"""How many interactions are made at once."""

_CATEGORIES = ("bread", "tea", "fruit", "cheese")


@frozen
class _Deed:
    """One interaction of a life.

    Attributes:
        kind: what it was.
        days: before NOW; a customer's whole life is up to six days earlier.
        minor: minor units of an order.
        category: of an order's line.
        reference: the case that it belongs to.
        data: further facts, as JSON text.
        due_days: of a promise: days until it is due.
    """

    kind: str
    days: int
    minor: int | None = None
    category: str | None = None
    reference: str | None = None
    data: str | None = None
    due_days: int | None = None


def _orders(count: int, *, every: int, last: int, minor: int) -> tuple[_Deed, ...]:
    return tuple(
        _Deed("order", last + n * every, minor=minor, category=_CATEGORIES[n % len(_CATEGORIES)]) for n in range(count)
    )


def _several(kind: str, count: int, *, every: int, last: int) -> tuple[_Deed, ...]:
    return tuple(_Deed(kind, last + n * every) for n in range(count))


_CAUSE, _TOPIC = '{"cause": "rivers"}', '{"topic": "tea"}'

_PROMISED = (
    *_orders(7, every=30, last=12, minor=4_000),
    *_several("visit", 5, every=35, last=9),
    _Deed("promise_made", 60, reference="p1", due_days=9),
    _Deed("promise_kept", 55, reference="p1"),
    _Deed("inquiry", 90, reference="q1"),
    _Deed("inquiry_answered", 89, reference="q1"),
    *_several("campaign_received", 2, every=40, last=20),
    _Deed("review", 100),
    _Deed("praise", 110),
)
_COMPLAINED = (
    *_orders(7, every=20, last=25, minor=6_000),
    *_several("visit", 4, every=30, last=14),
    _Deed("complaint_opened", 80, reference="c1", data='{"severity": "minor"}'),
    _Deed("complaint_answered", 79, reference="c1"),
    _Deed("complaint_resolved", 76, reference="c1"),
    *_several("praise", 2, every=50, last=30),
    _Deed("survey_answer", 40, data='{"nps": "9"}'),
    *_several("campaign_received", 2, every=60, last=35),
    _Deed("inquiry", 50, reference="q1"),
)
_ALLY = (
    *_orders(6, every=25, last=8, minor=9_000),
    *_several("visit", 3, every=40, last=15),
    _Deed("review", 70),
    _Deed("referral_converted", 120),
    *_several("cocreation", 2, every=90, last=60),
    _Deed("joint_plan", 45),
    _Deed("preference_declared", 300, data=_CAUSE),
    _Deed("community_act", 150, data=_CAUSE),
    _Deed("preference_declared", 200, data=_TOPIC),
    _Deed("help_given", 100, data=_TOPIC),
    _Deed("gift_given", 65),
    _Deed("praise", 33),
)
_WRONGED = (
    *_orders(6, every=40, last=50, minor=3_000),
    *_several("visit", 4, every=45, last=40),
    _Deed("promise_made", 75, reference="p1", due_days=5),
    _Deed("promise_broken", 69, reference="p1"),
    _Deed("complaint_opened", 66, reference="c1", data='{"severity": "severe"}'),
    *_several("campaign_received", 3, every=15, last=22),
    _Deed("billing_error", 130),
    _Deed("return", 72),
    _Deed("coupon_redeemed", 90),
    _Deed("praise", 260),
)

_LIVES: Sequence[Sequence[_Deed]] = (_PROMISED, _PROMISED, _COMPLAINED, _ALLY, _WRONGED)
"""The first life is that of customers 0, 5, 10 and so on."""


def histories(customers: int) -> Iterator[pl.DataFrame]:
    """The interactions of all customers as rows of INTERACTIONS, in order of time, slice by slice."""
    deeds = pl.DataFrame([{"life": life, **asdict(deed)} for life, deeds in enumerate(_LIVES) for deed in deeds])
    deeds = deeds.with_row_index("deed")
    number = pl.col("number").cast(pl.Int64)
    # A few hours about noon, so that the days of a customer's deeds stay those of the life.
    jitter = pl.duration(seconds=number * 7_919 % 21_600 - 10_800)
    order = (
        pl.DataFrame({"number": pl.int_range(customers, dtype=pl.UInt32, eager=True)})
        .with_columns(life=number % len(_LIVES))
        .join(deeds.select("life", "deed", "days"), on="life")
        .select("number", "deed", at=pl.lit(NOW) - pl.duration(days=pl.col("days") + number % 7) + jitter)
        .sort("at", "number", "deed")
        .with_row_index("row")
    )
    for part in order.iter_slices(SLICE):
        yield _interactions(part.join(deeds.drop("days"), on="deed", how="left", maintain_order="left"))


def _interactions(rows: pl.DataFrame) -> pl.DataFrame:
    due = (pl.col("at") + pl.duration(days=pl.col("due_days"))).dt.strftime("%Y-%m-%dT%H:%M:%S+00:00")
    promise = pl.lit('{"due": "') + due + pl.lit('"}')
    minor = pl.col("minor") + pl.col("number") % 1_000
    line = pl.struct(product=pl.col("category"), category="category", quantity=pl.lit(1.0), minor=minor)
    made = rows.select(
        pl.lit("shop").alias("source"),
        numbered("e", "row").alias("id"),
        numbered("c", "number").alias("customer"),
        "kind",
        "at",
        minor.cast(pl.Int64).alias("amount"),
        "reference",
        pl.when(pl.col("category").is_not_null()).then(pl.concat_list(line.cast(ORDER_LINE))).alias("lines"),
        pl.coalesce(promise, "data").alias("data"),
    )
    return INTERACTIONS.conform(made)


_KEYED_MIX = {
    "order": 8,
    "visit": 4,
    "campaign_received": 2,
    "promise_made": 1,
    "promise_kept": 1,
    "complaint_opened": 1,
    "complaint_resolved": 1,
    "inquiry": 1,
    "inquiry_answered": 1,
}
"""Kinds of the interactions of the figure ``record keyed``, by weight: every one of them leaves keyed numbers."""

_OF_A_CASE = tuple(kind for kind in _KEYED_MIX if kind.startswith(("promise", "complaint", "inquiry")))


def write_keyed_import(folder: Path, size: Size) -> Path:
    """Write interactions with order lines, cases and days, in order of time, as a shop would export them."""
    rows = size.imported
    kinds = pl.Series([kind for kind, weight in _KEYED_MIX.items() for _ in range(weight)])
    step = int(timedelta(days=730) / timedelta(microseconds=1)) // rows
    row = pl.int_range(rows, eager=True)
    drawn = {
        "number": pl.int_range(size.importing, eager=True).sample(rows, with_replacement=True, seed=1),
        "kind": kinds.sample(rows, with_replacement=True, seed=2),
        "minor": pl.int_range(500, 20_000, eager=True).sample(rows, with_replacement=True, seed=3),
        "case": pl.int_range(4, eager=True).sample(rows, with_replacement=True, seed=4),
    }
    kind, case = pl.col("kind"), pl.col("case").cast(pl.String)
    due = (pl.col("at") + pl.duration(days=14)).dt.strftime("%Y-%m-%dT%H:%M:%S+00:00")
    line = pl.struct(
        product=pl.lit("p") + (pl.col("minor") % 500).cast(pl.String),
        category=pl.lit("category ") + (pl.col("minor") % 20).cast(pl.String),
        quantity=pl.lit(1.0),
        minor=pl.col("minor"),
    )
    frame = (
        pl.DataFrame({"row": row, **drawn})
        .with_columns(at=pl.lit(NOW) - pl.duration(microseconds=(rows - pl.col("row")) * step))
        .select(
            pl.lit("shop").alias("source"),
            numbered("e", "row").alias("id"),
            numbered("c", "number").alias("customer"),
            "kind",
            "at",
            pl.when(kind == "order").then(pl.col("minor")).alias("amount_minor"),
            pl.when(kind.is_in(_OF_A_CASE)).then(kind.str.slice(0, 1) + case).alias("reference"),
            pl.when(kind == "order").then(pl.concat_list(line)).alias("lines"),
            pl.when(kind == "promise_made").then(pl.lit('{"due": "') + due + pl.lit('"}')).alias("data"),
        )
    )
    path = folder / "import-keyed.parquet"
    frame.write_parquet(path)
    return path
