"""Planning five campaigns, against reading the named columns and inserting the same rows bare."""

from __future__ import annotations

from pathlib import Path
from statistics import median

from data import NOW
from measuring import Figure, Timing, at_most, timed
from probes import insert, queries, read, rows_of
from projects import DATABASE, Prepared, copied, open_project

from relationship_core import DECISIONS, MESSAGES
from relationship_core.flow.plan.candidates import candidate_names

READING, INSERTING = 1.5, 4.0
REPEATS = 3


def measure(prepared: Prepared) -> list[Figure]:
    """Decisions for 30 % of the customers, messages for 10 %."""
    customers = prepared.size.customers
    pairs, raws = [], []
    for _ in range(REPEATS):
        with copied(prepared.reviewed()) as folder, open_project(folder) as project:
            wanted = queries(project.rules, candidate_names(project.rules) | {"locale"})
            reading, rows = timed(lambda folder=folder, wanted=wanted: read(folder / DATABASE, wanted))
            seconds, planned = timed(lambda project=project: project.plan(as_of=NOW))
            decisions = sum(planned.decided.values())
            if (planned.planned, decisions) != (customers // 10, customers * 3 // 10):
                message = f"there were {planned.planned} messages and {decisions} decisions"
                raise RuntimeError(message)
            inserting = _inserting(folder)
            pairs.append((seconds, reading.times(READING) + inserting.times(INSERTING)))
            raws.append((reading.wall, inserting.wall))
    reading_seconds, inserting_seconds = (median(column) for column in zip(*raws, strict=True))
    columns = ", ".join(f"{len(query.types)} of {query.table}" for query in wanted)
    return [
        at_most(
            "plan",
            f"plan of 5 campaigns for {customers:,} customers: {decisions:,} decisions, {planned.planned:,} messages",
            pairs,
            1.0,
            target="at most 1.5 x reading + 4 x inserting",
            notes=(
                f"reading {columns} columns, {rows:,} rows: {reading_seconds:.2f} s; inserting {inserting_seconds:.2f} s",
                "the probe's column is the allowance, 1.5 x reading + 4 x inserting",
            ),
        )
    ]


def _inserting(folder: Path) -> Timing:
    """Seconds to insert the decisions and messages that the product stored."""
    total = Timing(wall=0.0, cpu=0.0)
    for table in (DECISIONS, MESSAGES):
        columns = list(table.schema)
        rows = rows_of(folder / DATABASE, table.name, columns)
        timing, _ = timed(
            lambda name=table.name, columns=columns, rows=rows: insert(folder / "bare.db", name, columns, rows)
        )
        total += timing
    return total
