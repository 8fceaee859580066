"""Reviewing everybody, against reading the same rows into a data frame."""

from __future__ import annotations

from pathlib import Path

from attrs import frozen

from data import NOW
from measuring import Figure, Timing, at_most, timed
from probes import Query, queries, read
from projects import DATABASE, Prepared, copied, open_project
from relationship_core import Relationships
from relationship_core.flow.rules import due_names

FIRST, SECOND = 2.0, 1.3
REPEATS = 3


@frozen(kw_only=True)
class _Run:
    """The first review, the second of everybody and one of those who are due, the first two with their probes."""

    first: tuple[Timing, Timing]
    second: tuple[Timing, Timing]
    due: Timing
    left: int
    reads: str


def measure(prepared: Prepared, repeats: int) -> list[Figure]:
    """The first review of everybody, a second one that finds nothing new, and one of those who are due."""
    customers = prepared.size.customers
    runs = [_run(prepared.imported(customers), customers) for _ in range(repeats)]
    due = f"review of those who are due, without news ({runs[-1].left:,} customers)"
    return [
        at_most(
            "review",
            f"first review of {customers:,} customers",
            [run.first for run in runs],
            FIRST,
            notes=(runs[-1].reads,),
        ),
        at_most(
            "review again",
            f"second review of all {customers:,}, without news",
            [run.second for run in runs],
            SECOND,
        ),
        at_most("review due", due, [(run.due, run.second[1]) for run in runs], None),
    ]


def review_queries(project: Relationships) -> list[Query]:
    """What a review has to read."""
    return queries(project.rules, due_names(project.rules) | {"stage", "stage_days", "lapsed"})


def _run(database: Path, customers: int) -> _Run:
    with copied(database) as folder, open_project(folder) as project:
        wanted = review_queries(project)
        first = _pair(project, folder, wanted, customers, everybody=False)
        second = _pair(project, folder, wanted, customers, everybody=True)
        due, reviewed = timed(project.review, as_of=NOW)
        columns = ", ".join(f"{len(query.types)} of {query.table}" for query in wanted)
        reads = f"reads {columns} columns, {read(folder / DATABASE, wanted):,} rows with the states"
    return _Run(first=first, second=second, due=due, left=reviewed.customers, reads=reads)


def _pair(
    project: Relationships, folder: Path, wanted: list[Query], customers: int, *, everybody: bool
) -> tuple[Timing, Timing]:
    raw, _ = timed(read, folder / DATABASE, wanted)
    timing, reviewed = timed(project.review, as_of=NOW, everybody=everybody)
    if reviewed.customers != customers:
        message = f"{reviewed.customers} of {customers} customers were reviewed"
        raise RuntimeError(message)
    return timing, raw
