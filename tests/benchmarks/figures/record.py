"""Recording a Parquet file into an empty project, against a bare executemany of the same rows."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from data import write_import
from measuring import Figure, Timing, timed
from probes import insert, rows_of
from projects import DATABASE, Prepared, open_project
from relationship_core import INTERACTIONS

LEAST = 0.35
REPEATS = 3


def measure(prepared: Prepared, repeats: int) -> list[Figure]:
    """The rate of the import as a share of the bare rate."""
    size = prepared.size
    product, probe, order = [], [], []
    with TemporaryDirectory(dir=prepared.folder) as name:
        folder = Path(name)
        file = write_import(folder, size.imported, size.importing)
        columns = list(INTERACTIONS.schema)
        for repeat in range(repeats):
            home = folder / f"project-{repeat}"
            home.mkdir()
            timing, rows = timed(_record, home, file)
            product.append(timing)
            by_customer = rows_of(home / DATABASE, "interactions", columns)
            if len(by_customer) != size.imported or rows != size.imported:
                message = f"{rows} of {size.imported} rows were recorded"
                raise RuntimeError(message)
            by_time = sorted(by_customer, key=lambda row: row[columns.index("at")])
            probe.append(_bare(home / "bare.db", columns, by_time))
            order.append(_bare(home / "bare-by-customer.db", columns, by_customer))
            del by_time, by_customer
    ratios = [bare.wall / ours.wall for ours, bare in zip(product, probe, strict=True)]
    rates = [size.imported / median(timing.wall for timing in timings) for timings in (product, probe, order)]
    figure = Figure(
        name="record",
        what=f"import {size.imported:,} interactions of {size.importing:,} customers",
        product=[timing.wall for timing in product],
        probe=[timing.wall for timing in probe],
        ratios=ratios,
        cpu_ratio=median(bare.cpu / ours.cpu for ours, bare in zip(product, probe, strict=True)),
        target=f"rate at least {LEAST:g} of bare",
        met=median(ratios) >= LEAST,
        notes=(
            f"{rates[0]:,.0f} rows a second, bare {rates[1]:,.0f}; bare after ordering by customer {rates[2]:,.0f}",
        ),
    )
    return [figure]


def _record(home: Path, file: Path) -> int:
    with open_project(home) as project:
        return project.import_file("interactions", file).new


def _bare(database: Path, columns: list[str], rows: list[tuple[object, ...]]) -> Timing:
    timing, _ = timed(insert, database, "interactions", columns, rows, index="customer")
    return timing
