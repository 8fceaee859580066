"""The synthetic customers of the benchmarks: the same every time, with shares that are fixed by their numbers.

Nothing in it is random in effect: samples are drawn with fixed seeds, so that two runs measure the same work.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
from attrs import frozen

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
"""When the benchmarks take place; reviews and plans are as of this instant."""

NEXT_DAY = NOW + timedelta(days=1)


@frozen(kw_only=True)
class Size:
    """How much is measured.

    Attributes:
        name: what the command line calls it.
        imported: interactions of the figures that hold each of them in memory, as ``record``.
        importing: customers of these.
        loaded: interactions of the figure ``load``.
        loading: customers of these.
        customers: customers of every other figure; each has three interactions.
    """

    name: str
    imported: int
    importing: int
    loaded: int
    loading: int
    customers: int

    @property
    def due(self) -> int:
        """The customers who are due on the day of the figure ``day``."""
        return self.customers // 100


SIZES = {
    "full": Size(
        name="full", imported=1_000_000, importing=100_000, loaded=1_000_000, loading=100_000, customers=1_000_000
    ),
    "large": Size(
        name="large", imported=1_000_000, importing=100_000, loaded=20_000_000, loading=1_000_000, customers=1_000_000
    ),
    "small": Size(name="small", imported=50_000, importing=5_000, loaded=50_000, loading=5_000, customers=50_000),
}

_MIX = {"order": 12, "visit": 4, "campaign_received": 2, "coupon_redeemed": 1, "praise": 1}
"""Kinds of the interactions that are imported, by weight."""

_Deed = tuple[str, int, int]
"""Kind, days before NOW, minor units."""

_REGULAR: Sequence[_Deed] = (("order", 8, 10_000), ("order", 18, 10_000), ("order", 28, 10_000))
_GOOD_REGULAR: Sequence[_Deed] = (("order", 8, 30_000), ("order", 18, 30_000), ("order", 28, 30_000))
_MISSED: Sequence[_Deed] = (("order", 40, 5_000), ("order", 50, 5_000), ("order", 60, 5_000))
_LONG_GONE: Sequence[_Deed] = (("order", 70, 5_000), ("order", 80, 5_000), ("order", 90, 5_000))
_LAPSED: Sequence[_Deed] = (("order", 85, 5_000), ("order", 95, 5_000), ("visit", 99, 0))
_SILENT: Sequence[_Deed] = (("order", 45, 5_000), ("order", 55, 5_000), ("visit", 60, 0))
_ONCE: Sequence[_Deed] = (("order", 20, 25_000), ("visit", 25, 0), ("visit", 35, 0))
_ONCE_LATELY: Sequence[_Deed] = (("order", 5, 25_000), ("visit", 10, 0), ("visit", 20, 0))
_OLD_FRIEND: Sequence[_Deed] = (("visit", 400, 0), ("order", 10, 40_000), ("order", 20, 40_000))
_FRIEND: Sequence[_Deed] = (("visit", 100, 0), ("order", 10, 40_000), ("order", 20, 40_000))
_SMALL: Sequence[_Deed] = (("order", 15, 2_000), ("visit", 16, 0), ("coupon_redeemed", 15, 0))
_TWICE: Sequence[_Deed] = (("order", 10, 2_000), ("order", 20, 2_000), ("visit", 30, 0))
_VOCAL: Sequence[_Deed] = (("praise", 12, 0), ("complaint_opened", 30, 0), ("promise_kept", 25, 0))
_STRANGER: Sequence[_Deed] = (
    ("campaign_received", 9, 0),
    ("campaign_received", 40, 0),
    ("campaign_received", 70, 0),
)

_LIVES: Sequence[Sequence[_Deed]] = (
    *(_GOOD_REGULAR, _REGULAR, _REGULAR),
    *(_MISSED, _LONG_GONE, _LONG_GONE),
    *(_LAPSED, _SILENT, _SILENT),
    *(_ONCE, _ONCE_LATELY, _ONCE_LATELY),
    *(_OLD_FRIEND, _FRIEND, _FRIEND),
    *([_SMALL] * 15),
    *([_TWICE] * 10),
    *([_VOCAL] * 5),
    *([_STRANGER] * 5),
)
"""What the customers did: the first life is that of customers 0, 50, 100 and so on.

Nobody is within a day of a threshold, so that on the next day those are due of whom there is news. The first fifteen
are the audiences of the five campaigns, three of fifty each, and in each the first of the three
has an occasion: decisions for 30 % of the customers, messages for 10 %.
"""


def write_import(folder: Path, rows: int, customers: int) -> Path:
    """Write so many interactions of so many customers, in order of time, as a shop would export them."""
    kinds = pl.Series([kind for kind, weight in _MIX.items() for _ in range(weight)])
    span = timedelta(days=730) / timedelta(microseconds=1)
    step = int(span) // rows
    frame = pl.DataFrame(
        {
            "id": _numbered("e", pl.int_range(rows, eager=True)),
            "customer": _numbered("c", pl.int_range(customers, eager=True).sample(rows, with_replacement=True, seed=1)),
            "kind": kinds.sample(rows, with_replacement=True, seed=2),
            "amount_minor": pl.int_range(500, 20_000, eager=True).sample(rows, with_replacement=True, seed=3),
        }
    ).with_columns(
        source=pl.lit("shop"),
        at=pl.lit(NOW) - pl.duration(microseconds=(rows - pl.int_range(rows)) * step),
        amount_minor=pl.when(pl.col("kind") == "order").then(pl.col("amount_minor")),
    )
    path = folder / "import.parquet"
    frame.write_parquet(path)
    return path


def write_customers(folder: Path, customers: int) -> Path:
    """Write customers, each with an e-mail address under example.com."""
    ids = _numbered("c", pl.int_range(customers, eager=True))
    frame = pl.DataFrame({"customer": ids}).with_columns(
        name=pl.lit("Customer ") + pl.col("customer"),
        locale=pl.lit("en"),
        country=pl.lit("DE"),
        **{"contact.email": pl.col("customer") + "@example.com"},
    )
    path = folder / "customers.parquet"
    frame.write_parquet(path)
    return path


def write_lives(folder: Path, customers: int) -> Path:
    """Write the three interactions of each customer, in order of time."""
    deeds = pl.DataFrame(
        [(life, *deed) for life, deeds in enumerate(_LIVES) for deed in deeds],
        schema={"life": pl.Int64, "kind": pl.String, "days": pl.Int64, "amount_minor": pl.Int64},
        orient="row",
    )
    number = pl.col("number")
    # A few hours about noon, so that the days of a customer's deeds stay those of the life.
    jitter = pl.duration(seconds=number * 7_919 % 21_600 - 10_800)
    frame = (
        pl.DataFrame({"number": pl.int_range(customers, eager=True)})
        .with_columns(life=number % len(_LIVES))
        .join(deeds, on="life", maintain_order="left_right")
        .with_columns(at=pl.lit(NOW) - pl.duration(days=pl.col("days")) + jitter)
        .sort("at", maintain_order=True)
        .select(
            numbered("c", "number").alias("customer"),
            "kind",
            "at",
            amount_minor=pl.when(pl.col("kind") == "order").then(pl.col("amount_minor") + number % 1_000),
        )
        .with_row_index("row")
        .with_columns(id=numbered("e", "row"), source=pl.lit("shop"))
        .drop("row")
    )
    path = folder / "lives.parquet"
    frame.write_parquet(path)
    return path


def news(size: Size, due: int | None = None) -> pl.DataFrame:
    """What is recorded on the day of the figure ``day``: an interaction each of so many, or one in a hundred."""
    rows = size.due if due is None else due
    kinds = pl.Series(["order", "visit", "campaign_received"])
    # 97 has no common divisor with the numbers of lives and customers, so the news are of every kind of life, and of
    # nobody twice.
    return pl.DataFrame(
        {
            "source": ["shop"] * rows,
            "id": _numbered("n", pl.int_range(rows, eager=True)),
            "customer": _numbered("c", pl.int_range(rows, eager=True) * 97 % size.customers),
            "kind": kinds.sample(rows, with_replacement=True, seed=4),
            "at": [NOW + timedelta(hours=12)] * rows,
        }
    ).with_columns(
        pl.col("at").cast(pl.Datetime("us", "UTC")),
        amount=pl.when(pl.col("kind") == "order").then(pl.lit(4_200)),
    )


def _numbered(prefix: str, numbers: pl.Series) -> pl.Series:
    return pl.DataFrame({"number": numbers}).select(numbered(prefix, "number")).to_series()


def numbered(prefix: str, column: str) -> pl.Expr:
    """Ids from numbers, in the same order."""
    return pl.lit(prefix) + pl.col(column).cast(pl.String).str.zfill(8)
