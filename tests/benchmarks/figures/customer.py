"""`relate customer ID` as a process, among very many customers, against a process that reads the same rows bare.

The probe starts Python too, imports `sqlite3` alone, and reads and prints every row of the customer. So the two differ
by what the product does with the rows, and by what it imports to do it. `relate --help` is no probe for that: it is the
product itself, and has a figure of its own.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from data import NOW
from figures.start import printed, relate
from histories import INTERACTIONS_EACH
from measuring import Figure, Timing, timed, under
from projects import Prepared, write_project

MOST_SECONDS = 0.5
REPEATS = 15

_BARE = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
for table in ("customers", "contact_points", "interactions", "measures", "states", "transitions", "decisions",
              "messages"):
    for row in connection.execute(f"SELECT * FROM {table} WHERE customer = ?", sys.argv[2:]):
        print(row)
names = "SELECT min(measure) FROM keyed_measures"
(measure,) = connection.execute(names).fetchone()
while measure is not None:
    for row in connection.execute("SELECT * FROM keyed_measures WHERE measure = ? AND customer = ?",
                                  (measure, sys.argv[2])):
        print(row)
    (measure,) = connection.execute(names + " WHERE measure > ?", (measure,)).fetchone()
"""
"""Reads and prints every row of one customer."""

_IMPORTS = "import polars, rich.console, rich.table"
"""What the command cannot do without, beside itself."""


def measure(prepared: Prepared, repeats: int) -> list[Figure]:
    """Alternating runs, each a whole process, and each of another customer."""
    customers, database = prepared.size.customers, prepared.known()
    with TemporaryDirectory(dir=prepared.folder) as name:
        folder = Path(name)
        write_project(folder, database)
        _check(folder)
        printed(_shown(folder, _id(0)))
        pairs, imports = [], []
        for repeat in range(1, repeats + 1):
            # Far from each other, and of every life.
            customer = _id(repeat * (customers // (repeats + 1)) + repeat % 5)
            raw, _ = timed(printed, [sys.executable, "-c", _BARE, str(database), customer])
            seconds, _ = timed(printed, _shown(folder, customer))
            imported, _ = timed(printed, [sys.executable, "-c", _IMPORTS])
            pairs.append((seconds, raw))
            imports.append(imported)
    return [_figure(customers, pairs, imports)]


def _figure(customers: int, pairs: Sequence[tuple[Timing, Timing]], imports: Sequence[Timing]) -> Figure:
    return under(
        "customer",
        f"relate customer as a process, one of {customers:,} customers of {INTERACTIONS_EACH} interactions each",
        pairs,
        MOST_SECONDS,
        notes=(
            f"slowest {max(product.wall for product, _ in pairs):.3f} s",
            f"a Python that imports polars and rich takes {median(each.wall for each in imports):.3f} s",
        ),
    )


def _id(number: int) -> str:
    return f"c{number:08d}"


def _shown(folder: Path, customer: str) -> list[str]:
    return [*relate(), "--project", str(folder), "customer", customer, "--as-of", NOW.isoformat()]


def _check(folder: Path) -> None:
    """Refuse to measure a page that tells of nothing."""
    view = json.loads(printed([*_shown(folder, _id(1)), "--json"]))
    if view["interactions"] != INTERACTIONS_EACH or not any(score["confidence"] for score in view["scores"]):
        message = f"the customer has {view['interactions']} interactions, and perhaps no scores"
        raise RuntimeError(message)
