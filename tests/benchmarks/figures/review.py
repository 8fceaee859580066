"""Reviewing everybody, against reading the same rows into a data frame."""

from __future__ import annotations

from pathlib import Path

from data import NOW
from measuring import Figure, Timing, at_most, timed
from probes import Query, queries, read
from projects import DATABASE, Prepared, copied, open_project

from relationship_core import Relationships
from relationship_core.flow.rules import due_names

FIRST, SECOND = 2.0, 1.3
REPEATS = 3


def measure(prepared: Prepared) -> list[Figure]:
    """The first review of everybody, a second one that finds nothing new, and one of those who are due."""
    customers = prepared.size.customers
    first, second, due = [], [], []
    rows = 0
    for _ in range(REPEATS):
        with copied(prepared.imported(customers)) as folder, open_project(folder) as project:
            wanted = review_queries(project)
            first.append(_pair(project, folder, wanted, customers, everybody=False))
            second.append(_pair(project, folder, wanted, customers, everybody=True))
            seconds, reviewed = timed(lambda project=project: project.review(as_of=NOW))
            due.append((seconds, second[-1][1]))
            rows, left = read(folder / DATABASE, wanted), reviewed.customers
    columns = ", ".join(f"{len(query.types)} of {query.table}" for query in wanted)
    return [
        at_most(
            "review",
            f"first review of {customers:,} customers",
            first,
            FIRST,
            notes=(f"reads {columns} columns, {rows:,} rows with the states",),
        ),
        at_most("review again", f"second review of all {customers:,}, without news", second, SECOND),
        at_most("review due", f"review of those who are due, without news ({left:,} customers)", due, None),
    ]


def review_queries(project: Relationships) -> list[Query]:
    """What a review has to read."""
    return queries(project.rules, due_names(project.rules) | {"stage", "stage_days", "lapsed"})


def _pair(
    project: Relationships, folder: Path, wanted: list[Query], customers: int, *, everybody: bool
) -> tuple[Timing, Timing]:
    raw, _ = timed(lambda: read(folder / DATABASE, wanted))
    seconds, reviewed = timed(lambda: project.review(as_of=NOW, everybody=everybody))
    if reviewed.customers != customers:
        message = f"{reviewed.customers} of {customers} customers were reviewed"
        raise RuntimeError(message)
    return seconds, raw
