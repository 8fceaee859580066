"""Plain and keyed measures: their columns, and how contributions are combined in SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from relationship_core import (
    KEYED_MEASURES,
    KeyedMeasure,
    Measure,
    Page,
    another_measure_type,
    measure_types,
    prepared_measure,
)
from relationship_core.builtin.sqlite.database import Database
from relationship_core.builtin.sqlite.frames import Types, listed, quoted
from relationship_core.builtin.sqlite.selection import Selection

# Both sides may be null: nothing was kept yet, or nothing is contributed.
COMBINED: Mapping[str, str] = {
    "sum": "coalesce({m} + excluded.{m}, {m}, excluded.{m})",
    "count": "coalesce({m} + excluded.{m}, {m}, excluded.{m})",
    "min": "coalesce(min({m}, excluded.{m}), {m}, excluded.{m})",
    "max": "coalesce(max({m}, excluded.{m}), {m}, excluded.{m})",
}
AFFINITY = {"number": "REAL", "instant": "INTEGER"}
FEW = 100
"""Of at most so many customers all keyed measures are read by one query; of more it is quicker by one each."""

_KEYED_NAMES = """
WITH RECURSIVE names (measure) AS (
    SELECT min(measure) FROM keyed_measures
    UNION ALL
    SELECT (SELECT min(measure) FROM keyed_measures WHERE measure > names.measure) FROM names
    WHERE names.measure IS NOT NULL
)
SELECT measure FROM names WHERE measure IS NOT NULL
"""
"""The names that keyed rows have: a step in the key for each, where DISTINCT would read every row."""


class Measures:
    """The measures that the store was prepared for."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._plain: dict[str, Measure] = {}
        self._keyed: dict[str, KeyedMeasure] = {}

    def prepare(self, measures: Sequence[Measure | KeyedMeasure]) -> None:
        """Add the columns that are missing."""
        plain = {measure.name: measure for measure in measures if isinstance(measure, Measure)}
        keyed = {measure.name: measure for measure in measures if isinstance(measure, KeyedMeasure)}
        if self._missing(plain):
            with self._database.transaction():
                for name in self._missing(plain):  # another process may have added some meanwhile
                    affinity = AFFINITY[plain[name].type]
                    self._database.run(f"ALTER TABLE measures ADD COLUMN {quoted(name)} {affinity}")
        self._plain.update(plain)
        self._keyed.update(keyed)

    def _missing(self, plain: Mapping[str, Measure]) -> list[str]:
        kept: dict[str, str] = dict(self._database.rows("SELECT name, type FROM pragma_table_info('measures')"))
        for name, measure in plain.items():
            if name in kept and kept[name] != AFFINITY[measure.type]:
                raise another_measure_type(measure)
        return [name for name in plain if name not in kept]

    def types(self, names: Sequence[str]) -> Types:
        """Names and types of plain measures."""
        return measure_types(names, self._plain)

    def merge(self, frame: pl.DataFrame) -> None:
        """Combine one row for each customer into the kept one."""
        if not frame.height:
            return
        types = self.types([name for name in frame.columns if name != "customer"])
        # NaN becomes null, as a store must have it, on its way into SQLite.
        rows = frame.select(
            pl.col("customer").cast(pl.String), *(pl.col(name).cast(type_) for name, type_ in types.items())
        ).sort("customer")
        changes = ", ".join(
            f"{quoted(name)} = {COMBINED[self._plain[name].combine].format(m=quoted(name))}" for name in types
        )
        known = f"DO UPDATE SET {changes}" if types else "DO NOTHING"
        self._database.insert(f"measures ({listed(['customer', *types])})", rows, f"(customer) {known}")

    def merge_keyed(self, frame: pl.DataFrame) -> None:
        """Combine one row for each customer, measure and key into the kept one."""
        for (name,), rows in frame.partition_by("measure", as_dict=True).items():
            combine = prepared_measure(str(name), self._keyed).combine
            self._database.insert(
                f"keyed_measures ({listed(rows.columns)})",
                rows.sort("customer", "key"),
                f"(measure, customer, key) DO UPDATE SET value = {COMBINED[combine].format(m='value')}",
            )

    def read_keyed(self, selection: Selection, page: Page, names: Sequence[str]) -> pl.DataFrame:
        """Rows of KEYED_MEASURES of a page's customers for the named measures, in order of their key."""
        wanted = list(dict.fromkeys(names))
        if len(page.customers) <= FEW:
            return self._read_of_few(selection, page, wanted)
        frames = [self._read_keyed(selection, page, name) for name in wanted]
        return pl.concat([KEYED_MEASURES.empty(), *frames]).sort(KEYED_MEASURES.key)

    def _read_of_few(self, selection: Selection, page: Page, names: Sequence[str]) -> pl.DataFrame:
        for name in names:
            prepared_measure(name, self._keyed)
        among = f"measure IN ({', '.join('?' * len(names))})"
        return selection.read("keyed_measures", KEYED_MEASURES.schema, page, among, names).sort(KEYED_MEASURES.key)

    def _read_keyed(self, selection: Selection, page: Page, name: str) -> pl.DataFrame:
        # JSON has 15 digits: enough for every count, not for every sum.
        read = selection.read_documents if prepared_measure(name, self._keyed).combine == "count" else selection.read
        types = KEYED_MEASURES.types(["customer", "key", "value"])
        found = read("keyed_measures", types, page, "measure = ?", (name,))
        return found.with_columns(pl.lit(name).alias("measure")).select(list(KEYED_MEASURES.schema))

    def clear_keyed(self, selection: Selection, page: Page) -> None:
        """Delete the keyed measures of a page's customers."""
        for (name,) in self._database.rows(_KEYED_NAMES):
            selection.delete("keyed_measures", page, "measure = ?", (name,))
