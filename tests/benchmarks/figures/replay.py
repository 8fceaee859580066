"""The purchases of CDNOW, lived through day by day: reviews of those who are due, against reviews of everybody.

Data: the CDNOW master file (Fader and Hardie): 23,570 customers who bought for the first time in the first quarter of
1997, with all of their purchases until 1998-06-30. The distribution ``lifetimes`` carries it, and is not imported.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import polars as pl
from attrs import frozen

from measuring import Figure, Timing, timed
from projects import Prepared, open_project
from relationship_core import INTERACTIONS, STATES, TRANSITIONS, Relationships

REPEATS = 1
MOST_TOUCHED = 0.015
"""Of the customer-days, so many may be looked at."""
_EVENING = time(22, tzinfo=UTC)
"""When each day is reviewed; purchases are at noon."""


@frozen
class _Run:
    """One replay.

    Attributes:
        touched: how many customers the reviews of those who were due looked at, in all.
        days: how many those of everybody did.
        due: what the former took.
        everybody: what the latter took.
    """

    touched: int
    days: int
    due: Timing
    everybody: Timing


def measure(prepared: Prepared, repeats: int) -> list[Figure]:
    """How many customers a daily review of those who are due looks at, and that it finds the same."""
    bought = purchases()
    if prepared.size.name == "small":
        bought = bought.filter(pl.col("customer").is_in(bought["customer"].unique().sort().gather_every(20).implode()))
    runs = []
    for _ in range(repeats):
        with TemporaryDirectory(dir=prepared.folder) as name:
            runs.append(_replay(Path(name), bought))
    share = max(run.touched / run.days for run in runs)
    return [
        Figure(
            name="replay",
            what=f"a review every day of {bought['customer'].n_unique():,} customers of CDNOW; states and moves are "
            "those of reviewing everybody",
            product=[run.due.wall for run in runs],
            probe=[run.everybody.wall for run in runs],
            ratios=[run.due.wall / run.everybody.wall for run in runs],
            cpu_ratio=median(run.due.cpu / run.everybody.cpu for run in runs),
            target=f"at most {MOST_TOUCHED:.1%} of the customer-days touched",
            met=share <= MOST_TOUCHED,
            notes=(
                f"{runs[-1].touched:,} of {runs[-1].days:,} customer-days touched: {share:.2%}",
                "the probe's column is the daily review of everybody",
            ),
        )
    ]


def purchases() -> pl.DataFrame:
    """Rows of INTERACTIONS."""
    found = find_spec("lifetimes")
    if found is None or found.origin is None:
        message = "the purchases of CDNOW are not installed; install the distribution lifetimes"
        raise RuntimeError(message)
    lines = (Path(found.origin).parent / "datasets" / "CDNOW_master.txt").read_text(encoding="ascii").splitlines()
    rows = [(number, *line.split()) for number, line in enumerate(lines[1:]) if line.strip()]
    frame = pl.DataFrame(rows, schema=["number", "customer", "day", "quantity", "paid"], orient="row")
    return frame.select(
        pl.lit("cdnow").alias("source"),
        pl.col("number").cast(pl.String).alias("id"),
        "customer",
        pl.lit("order").alias("kind"),
        (pl.col("day").str.to_datetime("%Y%m%d", time_unit="us", time_zone="UTC") + pl.duration(hours=12)).alias("at"),
        (pl.col("paid").cast(pl.Float64) * 100).round().cast(pl.Int64).alias("amount"),
        pl.lit(None, pl.String).alias("reference"),
        pl.lit(None, INTERACTIONS.schema["lines"]).alias("lines"),
        pl.lit(None, pl.String).alias("data"),
    )


def _replay(folder: Path, bought: pl.DataFrame) -> _Run:
    touched = days = 0
    ours = theirs = Timing(wall=0.0, cpu=0.0)
    with (
        open_project(folder, database="due.db", campaigns=()) as due,
        open_project(folder, database="everybody.db", campaigns=()) as everybody,
    ):
        for day, rows in _by_day(bought):
            if rows.height:
                due.record(rows)
                everybody.record(rows)
            as_of = datetime.combine(day, _EVENING)
            timing, reviewed = timed(due.review, as_of=as_of)
            ours, touched = ours + timing, touched + reviewed.customers
            timing, reviewed = timed(everybody.review, as_of=as_of, everybody=True)
            theirs, days = theirs + timing, days + reviewed.customers
            _compare(due, everybody, day)
    return _Run(touched, days, ours, theirs)


def _by_day(bought: pl.DataFrame) -> Iterator[tuple[date, pl.DataFrame]]:
    parts = {day: rows for (day,), rows in bought.group_by(pl.col("at").dt.date())}
    day: date = min(parts)
    while day <= max(parts):
        yield day, parts.get(day, bought.clear())
        day += timedelta(days=1)


def _compare(due: Relationships, everybody: Relationships, day: date) -> None:
    # What a move rests on is told in numbers that differ in their last digit with the number of rows beside them.
    told = ((STATES, ["customer", "stage", "since", "lapsed"]), (TRANSITIONS, ["customer", "at", "origin", "target"]))
    for table, columns in told:
        if not due.store.read(table, columns=columns).equals(everybody.store.read(table, columns=columns)):
            message = f"on {day} the {table.name} of those who were due differ from those of everybody"
            raise RuntimeError(message)
