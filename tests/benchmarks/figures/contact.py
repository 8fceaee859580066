"""Sixteen campaigns with everything that holds them back, against five with nothing; a day of it; and one answer."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from data import NEXT_DAY, NOW, news
from figures.start import relate
from measuring import Figure, Timing, at_most, timed
from projects import Prepared, copied, open_project
from sixteen import SIXTEEN, contacted, open_contact, permitted, write_contact

MOST_TIMES = 3.0
DAY_SECONDS = 2.0
EXPLAIN_SECONDS = 0.5
REPEATS = 3
ANSWERS = 15

_START = "import sys; from relationship_core import Relationships; Relationships.open(sys.argv[1]).close()"
"""Opens a project and does nothing with it."""


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
        Figure(
            name="campaigns day",
            what=f"review and plan of a day by {len(SIXTEEN)} campaigns, "
            f"{due:,} of {prepared.size.customers:,} customers due",
            product=[product.wall for product, _ in runs],
            probe=[start.wall for _, start in runs],
            ratios=[product.wall / start.wall for product, start in runs],
            cpu_ratio=median(product.cpu / start.cpu for product, start in runs),
            target=f"under {DAY_SECONDS:g} s plus start-up",
            met=median(product.wall for product, _ in runs) < DAY_SECONDS,
            notes=(f"{planned_for:,} planned for", "the probe's column is the start-up: a process that opens it"),
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
            answer, _ = timed(_run, _asked(folder, customer))
            pairs.append((answer, start))
    return [
        Figure(
            name="explain",
            what=f"relate explain as a process, one of {customers:,} customers, by {len(SIXTEEN)} campaigns",
            product=[product.wall for product, _ in pairs],
            probe=[start.wall for _, start in pairs],
            ratios=[product.wall / start.wall for product, start in pairs],
            cpu_ratio=median(product.cpu / start.cpu for product, start in pairs),
            target=f"under {EXPLAIN_SECONDS:g} s",
            met=median(product.wall for product, _ in pairs) < EXPLAIN_SECONDS,
            notes=(
                f"slowest {max(product.wall for product, _ in pairs):.3f} s",
                "the probe's column is the start-up: a process that opens it",
            ),
        )
    ]


def _opened(folder: Path) -> str:
    if not (folder / "relationship.toml").exists():
        write_contact(folder, None)
    return _run([sys.executable, "-c", _START, str(folder)])


def _asked(folder: Path, customer: str) -> list[str]:
    return [*relate(), "--project", str(folder), "explain", customer, "--as-of", NOW.isoformat()]


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        message = f"{command[0]} ended with status {done.returncode}: {done.stderr.strip()[-300:]}"
        raise RuntimeError(message)
    return done.stdout


def _check(folder: Path) -> None:
    """Refuse to measure an answer about nothing."""
    answer = json.loads(_run([*_asked(folder, "c00000000"), "--json"]))
    if len(answer["actions"]) <= len(SIXTEEN) // 4:
        message = f"explain tells of {len(answer['actions'])} actions"
        raise RuntimeError(message)
