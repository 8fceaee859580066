"""What a day costs against how many customers there are, and against how many of them are due: points and pictures.

python tests/benchmarks/curves.py POINTS.json [--size small] [--customers N] [--pictures DIR]
    [--repeats N] [--folder DIR]

Points that are there already are not measured again, so that drawing again takes a moment.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from attrs import asdict, evolve, frozen

from chart import chart
from data import NEXT_DAY, SIZES, Size, news
from measuring import timed
from projects import Prepared, copied, open_project
from table import machine

CUSTOMERS = (10_000, 30_000, 100_000, 300_000, 1_000_000)
"""Of these are measured as many as the size has."""
SHARES = (0.001, 0.01, 0.1, 1.0)
TYPICAL_SHARE = 0.01
"""How many of the customers are due while their number grows."""
TYPICAL_CUSTOMERS = 100_000
"""So many customers, or as many of ``CUSTOMERS`` as the size has, while the share of those who are due grows."""
REPEATS = 3


@frozen(kw_only=True)
class Point:
    """A day.

    Attributes:
        customers: how many there are.
        due: how many of them did something.
        review: seconds of each measurement.
        plan: the same.
        load: the machine's load average afterwards.
    """

    customers: int
    due: int
    review: Sequence[float]
    plan: Sequence[float]
    load: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure where nothing was measured, and draw."""
    options = _options(arguments)
    if not options.points.exists():
        size = SIZES[options.size]
        if options.customers is not None:
            size = evolve(size, customers=options.customers)
        with TemporaryDirectory(prefix="relationship-curves-") as name:
            folder = options.folder or Path(name)
            folder.mkdir(parents=True, exist_ok=True)
            measured = _measured(Prepared(folder=folder, size=size), options.repeats)
        options.points.write_text(json.dumps(measured, indent=2) + "\n", encoding="utf-8")
    if options.pictures is not None:
        options.pictures.mkdir(parents=True, exist_ok=True)
        _draw(json.loads(options.points.read_text(encoding="utf-8")), options.pictures)
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("points", type=Path, metavar="POINTS.json", help="the measurements: written, or drawn again")
    parser.add_argument("--size", choices=SIZES, default="full", help="small: up to 30,000 customers, for a quick try")
    parser.add_argument("--customers", type=int, metavar="N", help="up to so many customers instead, 10,000 or more")
    parser.add_argument("--pictures", type=Path, metavar="DIR", help="draw cost-by-customers.svg and cost-by-due.svg")
    parser.add_argument("--repeats", type=int, default=REPEATS, metavar="N", help="measure each day so many times")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="keep the prepared databases there, as run.py does")
    return parser.parse_args(arguments)


def _measured(prepared: Prepared, repeats: int) -> dict[str, Any]:
    numbers = [number for number in CUSTOMERS if number <= prepared.size.customers]
    typical = max(number for number in numbers if number <= TYPICAL_CUSTOMERS)
    wanted = {
        "by_customers": [(number, TYPICAL_SHARE) for number in numbers],
        "by_due": [(typical, share) for share in SHARES],
    }
    days: dict[tuple[int, float], Point] = {}
    for day in sorted({day for group in wanted.values() for day in group}):
        days[day] = _point(prepared, *day, repeats)
        print(f"{day[0]:,} customers, {day[1]:.1%} due: {_total(asdict(days[day])):.2f} s", file=sys.stderr, flush=True)
    groups = {name: [asdict(days[day]) for day in group] for name, group in wanted.items()}
    return {"machine": machine(), **groups}


def _point(prepared: Prepared, customers: int, share: float, repeats: int) -> Point:
    size, due = evolve(prepared.size, customers=customers), round(customers * share)
    runs = [_day(evolve(prepared, size=size).planned(), size, due) for _ in range(repeats)]
    review, plan = zip(*runs, strict=True)
    return Point(customers=customers, due=due, review=review, plan=plan, load=os.getloadavg()[0])


def _day(database: Path, size: Size, due: int) -> tuple[float, float]:
    """Record the news of a day, then review and plan it; seconds of these two."""
    with copied(database) as folder, open_project(folder) as project:
        project.record(news(size, due))
        reviewing, reviewed = timed(project.review, as_of=NEXT_DAY)
        planning, planned = timed(project.plan, as_of=NEXT_DAY)
    if (reviewed.customers, planned.customers) != (due, due):
        message = f"{reviewed.customers} customers were reviewed and {planned.customers} planned for, not {due}"
        raise RuntimeError(message)
    return reviewing.wall, planning.wall


def _draw(points: Mapping[str, Any], folder: Path) -> None:
    grown, due = points["by_customers"], points["by_due"]
    by_customers = chart(
        f"A day on which {100 * TYPICAL_SHARE:g} % of the customers are due",
        x_name="customers",
        y_name="seconds",
        places={f"{day['customers']:,}": day["customers"] for day in grown},
        lines=_lines(grown),
    )
    by_due = chart(
        f"A day of {due[0]['customers']:,} customers",
        x_name="customers who are due",
        y_name="seconds",
        places={f"{day['due']:,} ({100 * day['due'] / day['customers']:g} %)": day["due"] for day in due},
        lines=_lines(due),
    )
    (folder / "cost-by-customers.svg").write_text(by_customers, encoding="utf-8")
    (folder / "cost-by-due.svg").write_text(by_due, encoding="utf-8")


def _lines(days: Sequence[Mapping[str, Any]]) -> dict[str, list[float]]:
    return {
        "both": [_total(day) for day in days],
        "review": [median(day["review"]) for day in days],
        "plan": [median(day["plan"]) for day in days],
    }


def _total(day: Mapping[str, Sequence[float]]) -> float:
    return median(map(sum, zip(day["review"], day["plan"], strict=True)))


if __name__ == "__main__":
    sys.exit(main())
