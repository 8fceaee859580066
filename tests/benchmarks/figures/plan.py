"""Planning five campaigns, against reading the named columns and inserting the same rows bare."""

from __future__ import annotations

from pathlib import Path
from statistics import median

from attrs import frozen

from data import NOW
from measuring import Figure, Timing, at_most, timed
from probes import insert, queries, read, rows_of
from projects import DATABASE, Prepared, copied, open_project
from relationship_core import DECISIONS, MESSAGES
from relationship_core.flow.plan.candidates import candidate_names

READING, INSERTING = 1.5, 4.0
REPEATS = 3


@frozen(kw_only=True)
class _Run:
    """One plan with its two probes, and what was read."""

    plan: Timing
    reading: Timing
    inserting: Timing
    reads: str

    @property
    def allowance(self) -> Timing:
        return self.reading.times(READING) + self.inserting.times(INSERTING)


def measure(prepared: Prepared, repeats: int) -> list[Figure]:
    """Decisions for 30 % of the customers, messages for 10 %."""
    customers = prepared.size.customers
    runs = [_run(prepared.reviewed(), customers) for _ in range(repeats)]
    reading, inserting = median(run.reading.wall for run in runs), median(run.inserting.wall for run in runs)
    return [
        at_most(
            "plan",
            f"plan of 5 campaigns for {customers:,} customers: "
            f"{_decisions(customers):,} decisions, {_messages(customers):,} messages",
            [(run.plan, run.allowance) for run in runs],
            1.0,
            target="at most 1.5 x reading + 4 x inserting",
            notes=(
                f"{runs[-1].reads}: {reading:.2f} s; inserting {inserting:.2f} s",
                "the probe's column is the allowance, 1.5 x reading + 4 x inserting",
            ),
        )
    ]


def _decisions(customers: int) -> int:
    return customers * 3 // 10


def _messages(customers: int) -> int:
    return customers // 10


def _run(database: Path, customers: int) -> _Run:
    with copied(database) as folder, open_project(folder) as project:
        wanted = queries(project.rules, candidate_names(project.rules) | {"locale"})
        reading, rows = timed(read, folder / DATABASE, wanted)
        planning, planned = timed(project.plan, as_of=NOW)
        decisions = sum(planned.decided.values())
        if (planned.planned, decisions) != (_messages(customers), _decisions(customers)):
            message = f"there were {planned.planned} messages and {decisions} decisions"
            raise RuntimeError(message)
        inserting = _inserting(folder)
    columns = ", ".join(f"{len(query.types)} of {query.table}" for query in wanted)
    reads = f"reading {columns} columns, {rows:,} rows"
    return _Run(plan=planning, reading=reading, inserting=inserting, reads=reads)


def _inserting(folder: Path) -> Timing:
    """How long it takes to insert the decisions and messages that the product stored."""
    total = Timing(wall=0.0, cpu=0.0)
    for table in (DECISIONS, MESSAGES):
        columns = list(table.schema)
        rows = rows_of(folder / DATABASE, table.name, columns)
        timing, _ = timed(insert, folder / "bare.db", table.name, columns, rows)
        total += timing
    return total
