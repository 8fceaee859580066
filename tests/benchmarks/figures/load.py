"""The initial load of a shop that moves in, and folding all of its history again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import polars as pl
from attrs import frozen

from data import Size, write_customers, write_import
from measuring import Figure, Timing, at_most, timed
from peak import peak_mb
from probes import BATCH, connect, insert, insert_more
from projects import DATABASE, Prepared, open_project
from relationship_core import INTERACTIONS

REPEATS = 1
SECONDS_A_MILLION, LEAST, MOST_MB, READING = 18.0, 0.25, 2_000, 2.0
"""20 million interactions in six minutes; the least share of the bare rate; the highest resident
memory; and a rebuild, as so many times the reading."""

_IN_MEMORY = 1_000_000
"""Rows of the probe."""


@frozen(kw_only=True)
class _Run:
    """One load."""

    load: Timing
    bare: Timing
    peak: float
    rebuild: Timing
    reading: Timing


def measure(prepared: Prepared, repeats: int) -> list[Figure]:
    """Customers and interactions into an empty project, its memory, and a rebuild."""
    size = prepared.size
    runs = []
    for _ in range(repeats):
        with TemporaryDirectory(dir=prepared.folder) as name:
            runs.append(_run(Path(name), size))
    allowed = SECONDS_A_MILLION * size.loaded / 1e6
    what = f"{size.loading:,} customers and {size.loaded:,} interactions"
    return [
        Figure(
            name="load",
            what=f"initial load of {what}, by a process of its own",
            product=[run.load.wall for run in runs],
            probe=[run.bare.wall for run in runs],
            ratios=[run.load.wall / run.bare.wall for run in runs],
            target=f"at most {allowed:.0f} s: 20 million in 6 minutes",
            met=median(run.load.wall for run in runs) <= allowed,
            notes=(
                f"{size.loaded / median(run.load.wall for run in runs):,.0f} interactions a second",
                "the probe: executemany of the interactions in order of time, with an index on the customer",
            ),
        ),
        Figure(
            name="load rate",
            what="the rate of that load, against the bare one",
            product=[run.load.wall for run in runs],
            probe=[run.bare.wall for run in runs],
            ratios=[run.bare.wall / run.load.wall for run in runs],
            target=f"at least {LEAST:g} of bare",
            met=median(run.bare.wall / run.load.wall for run in runs) >= LEAST,
        ),
        Figure(
            name="load memory",
            what=f"highest resident memory of that process, for {what}",
            product=[run.peak for run in runs],
            probe=[float(MOST_MB)] * len(runs),
            unit="MB",
            ratios=[run.peak / MOST_MB for run in runs],
            target=f"at most {MOST_MB:,} MB",
            met=max(run.peak for run in runs) <= MOST_MB,
            notes=("the probe's column is the bound",),
        ),
        at_most(
            "rebuild",
            f"folding all measures again from {size.loaded:,} interactions, against reading their rows",
            [(run.rebuild, run.reading) for run in runs],
            READING,
        ),
    ]


def _run(folder: Path, size: Size) -> _Run:
    files = [write_customers(folder, size.loading), write_import(folder, size.loaded, size.loading)]
    command = [sys.executable, __file__, str(folder), *map(str, files)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout
    told = json.loads(answer)
    if told["new"] != size.loaded:
        message = f"{told['new']} of {size.loaded} interactions were recorded"
        raise RuntimeError(message)
    reading, _ = timed(_read, folder / DATABASE)
    with open_project(folder, campaigns=()) as project:
        rebuild, rebuilt = timed(project.rebuild)
    if rebuilt.interactions != size.loaded:
        message = f"{rebuilt.interactions} of {size.loaded} interactions were folded again"
        raise RuntimeError(message)
    return _Run(
        load=Timing(wall=told["wall"], cpu=told["cpu"]),
        bare=_bare(folder / "bare.db", folder / DATABASE),
        peak=told["peak"],
        rebuild=rebuild,
        reading=reading,
    )


def _bare(database: Path, product: Path) -> Timing:
    """Insert the product's interactions in order of time; never more than a million of them are in memory."""
    columns = list(INTERACTIONS.schema)
    insert(database, "interactions", columns, [], index="customer")
    total = Timing(wall=0.0, cpu=0.0)
    with closing(connect(product)) as connection:
        cursor = connection.execute(f"SELECT {', '.join(columns)} FROM interactions ORDER BY at")  # noqa: S608  our own
        while rows := cursor.fetchmany(_IN_MEMORY):
            timing, _ = timed(insert_more, database, "interactions", columns, rows)
            total += timing
    return total


def _read(database: Path) -> int:
    """Every interaction, in the order in which it was kept, by fetchmany into data frames."""
    rows = 0
    types = {name: pl.Int64 if name in {"at", "amount"} else pl.String for name in INTERACTIONS.schema}
    with closing(connect(database)) as connection:
        cursor = connection.execute(f"SELECT {', '.join(INTERACTIONS.schema)} FROM interactions")  # noqa: S608  our own
        while found := cursor.fetchmany(BATCH):
            rows += pl.DataFrame(found, schema=types, orient="row").height
    return rows


def main(folder: Path, customers: Path, interactions: Path) -> None:
    """Load the files into the project in a folder, and print what it took."""

    def load() -> int:
        with open_project(folder, campaigns=()) as project:
            project.import_file("customers", customers)
            return project.import_file("interactions", interactions).new

    timing, new = timed(load)
    print(json.dumps({"wall": timing.wall, "cpu": timing.cpu, "new": new, "peak": peak_mb()}))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
