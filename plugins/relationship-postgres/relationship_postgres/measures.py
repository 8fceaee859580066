"""Plain and keyed measures: their columns, and how contributions are combined in SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256

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
from relationship_postgres.database import Database
from relationship_postgres.frames import Types, listed, quoted
from relationship_postgres.given import Giving
from relationship_postgres.selection import Selection

# Both sides may be null: nothing was kept yet, or nothing is contributed. least and greatest leave nulls out.
COMBINED: Mapping[str, str] = {
    "sum": "coalesce(kept.{m} + excluded.{m}, kept.{m}, excluded.{m})",
    "count": "coalesce(kept.{m} + excluded.{m}, kept.{m}, excluded.{m})",
    "min": "least(kept.{m}, excluded.{m})",
    "max": "greatest(kept.{m}, excluded.{m})",
}
SQL_TYPES = {"number": "double precision", "instant": "bigint"}
LONGEST_NAME = 63
"""PostgreSQL cuts longer names off, in bytes."""


class Measures:
    """The measures that the store was prepared for."""

    def __init__(self, database: Database, giving: Giving, selection: Selection) -> None:
        self._database, self._giving, self._selection = database, giving, selection
        self._plain: dict[str, Measure] = {}
        self._keyed: dict[str, KeyedMeasure] = {}

    def prepare(self, measures: Sequence[Measure | KeyedMeasure]) -> None:
        """Add the columns that are missing."""
        plain = {measure.name: measure for measure in measures if isinstance(measure, Measure)}
        keyed = {measure.name: measure for measure in measures if isinstance(measure, KeyedMeasure)}
        if self._missing(plain):
            with self._database.transaction():
                for name in self._missing(plain):  # another process may have added some meanwhile
                    type_ = SQL_TYPES[plain[name].type]
                    self._database.run(f"ALTER TABLE measures ADD COLUMN {column_of(name)} {type_}")
        self._plain.update(plain)
        self._keyed.update(keyed)

    def _missing(self, plain: Mapping[str, Measure]) -> list[str]:
        kept: dict[str, str] = dict(
            self._database.rows(
                "SELECT attname::text, format_type(atttypid, NULL) FROM pg_catalog.pg_attribute "
                "WHERE attrelid = 'measures'::regclass AND attnum > 0 AND NOT attisdropped"
            )
        )
        for name, measure in plain.items():
            if kept.get(_cut(name), SQL_TYPES[measure.type]) != SQL_TYPES[measure.type]:
                raise another_measure_type(measure)
        return [name for name in plain if _cut(name) not in kept]

    def merge(self, frame: pl.DataFrame) -> None:
        """Combine the rows of a frame into the kept ones, one for each customer."""
        if not frame.height:
            return
        types = measure_types([name for name in frame.columns if name != "customer"], self._plain)
        rows = frame.select(
            pl.col("customer").cast(pl.String), *(pl.col(name).cast(type_) for name, type_ in types.items())
        ).fill_nan(None)
        combines = {name: self._plain[name].combine for name in types}
        folded = _folded(rows, ["customer"], combines)
        given = self._giving.frame(folded.rename({name: _cut(name) for name in types}))
        own = ", ".join(["customer", *map(column_of, types)])
        changes = ", ".join(
            f"{column_of(name)} = {COMBINED[combine].format(m=column_of(name))}" for name, combine in combines.items()
        )
        known = f"UPDATE SET {changes}" if types else "NOTHING"
        self._database.run(
            f"INSERT INTO measures AS kept ({own}) SELECT {own} FROM {given.source} "
            f"ORDER BY customer ON CONFLICT (customer) DO {known}",
            given.parameters,
        )

    def merge_keyed(self, frame: pl.DataFrame) -> None:
        """Combine the rows of a frame into the kept ones, one for each customer, measure and key."""
        combines = {name: prepared_measure(name, self._keyed).combine for name in frame["measure"].unique()}
        for combine in dict.fromkeys(combines.values()):
            names = [name for name, each in combines.items() if each == combine]
            rows = frame.filter(pl.col("measure").is_in(names)).fill_nan(None)
            given = self._giving.frame(_folded(rows, list(KEYED_MEASURES.key), {"value": combine}))
            changed = COMBINED[combine].format(m="value")
            self._database.run(
                f"INSERT INTO keyed_measures AS kept ({listed(KEYED_MEASURES.schema)}) "
                f"SELECT {listed(KEYED_MEASURES.schema)} FROM {given.source} ORDER BY {listed(KEYED_MEASURES.key)} "
                f"ON CONFLICT ({listed(KEYED_MEASURES.key)}) DO UPDATE SET value = {changed} "
                f"WHERE kept.value IS DISTINCT FROM {changed}",
                given.parameters,
            )

    def read(self, page: Page, names: Sequence[str]) -> pl.DataFrame:
        """The named measures, a row for each customer of the page, in order; nulls where nothing is kept."""
        types: Types = {"customer": pl.String(), **measure_types(names, self._plain)}
        columns = {name: column_of(name) for name in types}
        found = self._selection.read("measures", types, page, columns=columns)
        if found["customer"].equals(page.customers):
            return found
        customers = page.customers.alias("customer").to_frame()
        return customers.join(found, on="customer", how="left", maintain_order="left")

    def read_keyed(self, page: Page, names: Sequence[str]) -> pl.DataFrame:
        """Rows of KEYED_MEASURES of a page's customers for the named measures, in order of their key."""
        wanted = list(dict.fromkeys(names))
        for name in wanted:
            prepared_measure(name, self._keyed)
        found = self._selection.read("keyed_measures", KEYED_MEASURES.types(), page, "measure = ANY(%b)", (wanted,))
        return found.sort(KEYED_MEASURES.key)


def column_of(name: str) -> str:
    """The column of a plain measure, quoted."""
    return quoted(_cut(name))


def _cut(name: str) -> str:
    if len(name) <= LONGEST_NAME:  # names are ASCII
        return name
    return f"{name[: LONGEST_NAME - 9]}_{sha256(name.encode()).hexdigest()[:8]}"


def _folded(rows: pl.DataFrame, key: list[str], combines: Mapping[str, str]) -> pl.DataFrame:
    """The rows with each key once: a statement changes no row twice."""
    if not rows.select(pl.struct(key).is_duplicated().any()).item():
        return rows
    return (
        rows.group_by(key, maintain_order=True)
        .agg(
            pl.when(pl.col(name).is_not_null().any()).then(_FOLDS[combine](name)).alias(name)
            for name, combine in combines.items()
        )
        .select(rows.columns)
    )


_FOLDS = {"sum": pl.sum, "count": pl.sum, "min": pl.min, "max": pl.max}
