"""Sixteen campaigns with everything that holds them back, against five with nothing; a day of it; and one answer."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from data import NEXT_DAY, NOW, news
from figures.start import printed, relate
from measuring import Figure, Timing, at_most, timed, under
from projects import Prepared, copied, open_project
from sixteen import SIXTEEN, contacted, open_contact, permitted, write_contact

MOST_TIMES = 3.0
DAY_SECONDS = 2.0
EXPLAIN_SECONDS = 0.5
REPEATS = 3
ANSWERS = 15

_START = "import sys; from relationship_core import Relationships; Relationships.open(sys.argv[1]).close()"
"""Opens a project and does nothing with it."""
_START_UP = "the probe's column is the start-up: a process that opens it"


def campaigns(prepared: Prepared, repeats: int) -> list[Figure]:
    """A whole plan of each, one after the other."""
    pairs, last = [], None
    for _ in range(repeats):
        with copied(prepared.reviewed()) as folder, open_project(folder) as project:
            five, _ = timed(project.plan, as_of=NOW)
        with copied(permitted(prepared)) as folder, open_contact(folder) as project:
            sixteen, last = timed(project.plan, as_of=NOW)
        pairs.append((sixteen, five))
    if last is None or not last.planned or not last.held_out:
        message = "the sixteen campaigns planned nothing, or held nobody out"
        raise RuntimeError(message)
    reasons = sorted({reason for _, reason in last.decided})
    return [
        at_most(
            "campaigns",
            f"plan of {len(SIXTEEN)} campaigns with every policy for {last.customers:,} customers",
            pairs,
            MOST_TIMES,
            target=f"at most {MOST_TIMES:g} times five campaigns",
            notes=(
                f"{sum(last.decided.values()):,} decisions, {last.planned:,} messages, {last.held_out:,} held out",
                f"reasons: {', '.join(reasons)}",
                "the probe's column is the plan of the figure plan",
            ),
        )
    ]


def day(prepared: Prepared, repeats: int) -> list[Figure]:
    """Review and plan of a day on which one customer in a hundred is due, by sixteen campaigns."""
    runs: list[tuple[Timing, Timing]] = []
    due = planned_for = 0
    for _ in range(repeats):
        with copied(contacted(prepared)) as folder:
            start, _ = timed(_opened, folder)
            with open_contact(folder) as project:
                project.record(news(prepared.size))
                reviewing, reviewed = timed(project.review, as_of=NEXT_DAY)
                planning, planned = timed(project.plan, as_of=NEXT_DAY)
        runs.append((reviewing + planning, start))
        due, planned_for = reviewed.customers, planned.customers
    return [
        under(
            "campaigns day",
            f"review and plan of a day by {len(SIXTEEN)} campaigns, "
            f"{due:,} of {prepared.size.customers:,} customers due",
            runs,
            DAY_SECONDS,
            target=f"under {DAY_SECONDS:g} s without start-up",
            notes=(f"{planned_for:,} planned for", _START_UP),
        )
    ]


def explain(prepared: Prepared, repeats: int) -> list[Figure]:
    """`relate explain ID` as a process, another customer each time."""
    customers = prepared.size.customers
    with TemporaryDirectory(dir=prepared.folder) as name:
        folder = Path(name)
        write_contact(folder, contacted(prepared))
        _check(folder)
        pairs = []
        for repeat in range(1, repeats + 1):
            # Far from each other, and of every life.
            customer = f"c{repeat * (customers // (repeats + 1)) + repeat % 5:08d}"
            start, _ = timed(_opened, folder)
            answer, _ = timed(printed, _asked(folder, customer))
            pairs.append((answer, start))
    return [
        under(
            "explain",
            f"relate explain as a process, one of {customers:,} customers, by {len(SIXTEEN)} campaigns",
            pairs,
            EXPLAIN_SECONDS,
            notes=(f"slowest {max(product.wall for product, _ in pairs):.3f} s", _START_UP),
        )
    ]


def _opened(folder: Path) -> str:
    if not (folder / "relationship.toml").exists():
        write_contact(folder, None)
    return printed([sys.executable, "-c", _START, str(folder)])


def _asked(folder: Path, customer: str) -> list[str]:
    return [*relate(), "--project", str(folder), "explain", customer, "--as-of", NOW.isoformat()]


def _check(folder: Path) -> None:
    """Refuse to measure an answer about nothing."""
    answer = json.loads(printed([*_asked(folder, "c00000000"), "--json"]))
    if len(answer["actions"]) <= len(SIXTEEN) // 4:
        message = f"explain tells of {len(answer['actions'])} actions"
        raise RuntimeError(message)
