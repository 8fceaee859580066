"""Recording interactions with order lines, cases and days, against a bare executemany of the same interactions.

The bare table has the product's own keys and indexes, and its rows come in the order in which the product wrote them:
by customer. That is the quickest order there is, so this probe is harder to keep up with than that of ``record``.
Neither the measures nor the keyed measures are written by it; the notes tell what that would take.
"""

from __future__ import annotations

from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from attrs import frozen

from histories import write_keyed_import
from measuring import Figure, Timing, timed
from probes import insert_alike, rows_of
from projects import DATABASE, Prepared, open_project
from relationship_core import INTERACTIONS, KEYED_MEASURES

LEAST = 0.25
REPEATS = 3


@frozen(kw_only=True)
class _Run:
    """One import, and bare insertions of what came out."""

    product: Timing
    bare: Timing
    by_time: Timing
    keyed: Timing
    keyed_rows: int


def measure(prepared: Prepared, repeats: int) -> list[Figure]:
    """The rate of the import as a share of the bare rate."""
    size = prepared.size
    with TemporaryDirectory(dir=prepared.folder) as name:
        folder = Path(name)
        file = write_keyed_import(folder, size)
        runs = [_run(folder / f"project-{repeat}", file, size.imported) for repeat in range(repeats)]
    keyed = median(run.keyed.wall for run in runs)
    ratios = [run.bare.wall / run.product.wall for run in runs]
    rates = [
        size.imported / median(timing.wall for timing in timings)
        for timings in zip(*((run.product, run.bare, run.by_time) for run in runs), strict=True)
    ]
    return [
        Figure(
            name="record keyed",
            what=f"import {size.imported:,} interactions of {size.importing:,} customers, with order lines and cases",
            product=[run.product.wall for run in runs],
            probe=[run.bare.wall for run in runs],
            ratios=ratios,
            cpu_ratio=median(run.bare.cpu / run.product.cpu for run in runs),
            target=f"rate at least {LEAST:g} of bare",
            met=median(ratios) >= LEAST,
            notes=(
                f"{rates[0]:,.0f} rows a second, bare {rates[1]:,.0f}; bare in order of time {rates[2]:,.0f}",
                f"{runs[-1].keyed_rows:,} rows of keyed measures come of it, which take another {keyed:.2f} s bare",
            ),
        )
    ]


def _run(home: Path, file: Path, expected: int) -> _Run:
    home.mkdir()
    product, rows = timed(_record, home, file)
    if rows != expected:
        message = f"{rows} of {expected} rows were recorded"
        raise RuntimeError(message)
    columns = ["number", *INTERACTIONS.schema]
    as_written = rows_of(home / DATABASE, "interactions", columns)
    bare = _bare(home, "interactions", columns, as_written)
    by_time = _bare(home, "interactions", columns[1:], [row[1:] for row in sorted(as_written, key=_at)])
    del as_written
    keyed_rows = rows_of(home / DATABASE, "keyed_measures", list(KEYED_MEASURES.schema))
    keyed = _bare(home, "keyed_measures", list(KEYED_MEASURES.schema), keyed_rows)
    return _Run(product=product, bare=bare, by_time=by_time, keyed=keyed, keyed_rows=len(keyed_rows))


def _record(home: Path, file: Path) -> int:
    with open_project(home) as project:
        return project.import_file("interactions", file).new


def _bare(home: Path, table: str, columns: list[str], rows: list[tuple[object, ...]]) -> Timing:
    database = home / "bare.db"
    timing, _ = timed(insert_alike, database, home / DATABASE, table, columns, rows)
    database.unlink()
    return timing


def _at(row: tuple[object, ...]) -> int:
    return int(str(row[1 + list(INTERACTIONS.schema).index("at")]))
