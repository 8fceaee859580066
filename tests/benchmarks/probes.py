"""Raw probes: the least that Python, sqlite3 and polars can do for the same rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, TypeAlias

import polars as pl
from attrs import frozen

from projects import CACHE_KIB
from relationship_core import INSTANT, KEYED_MEASURES, STATES, KeyedMeasure
from relationship_core.flow.rules import Rules

Row: TypeAlias = tuple[Any, ...]

BATCH = 50_000
"""Rows fetched at a time, and rows inserted in one transaction."""


def connect(database: Path) -> sqlite3.Connection:
    """A connection with the settings of the product's: WAL, synchronous NORMAL, the same page cache."""
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    return connection


def insert(
    database: Path, table: str, columns: Sequence[str], rows: Sequence[Row], *, index: str | None = None
) -> None:
    """Insert rows with executemany into a new plain table, BATCH in a transaction, with at most one index."""
    with closing(connect(database)) as connection:
        connection.execute(f"CREATE TABLE {table} ({', '.join(columns)})")
        if index is not None:
            connection.execute(f"CREATE INDEX {table}_by_{index} ON {table} ({index})")
        _insert(connection, table, len(columns), rows)


def insert_more(database: Path, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Insert further rows into such a table."""
    with closing(connect(database)) as connection:
        _insert(connection, table, len(columns), rows)


def insert_alike(database: Path, like: Path, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Insert rows as above into a new table that has the keys and indexes of another database's."""
    with closing(connect(like)) as connection:
        sql = "SELECT sql FROM sqlite_master WHERE tbl_name = ? AND sql IS NOT NULL ORDER BY type = 'index'"
        statements = [statement for (statement,) in connection.execute(sql, (table,))]
    with closing(connect(database)) as connection:
        for statement in statements:
            connection.execute(statement)
        _insert(connection, f"{table} ({', '.join(columns)})", len(columns), rows)


def _insert(connection: sqlite3.Connection, into: str, width: int, rows: Sequence[Row]) -> None:
    statement = f"INSERT INTO {into} VALUES ({', '.join('?' * width)})"  # noqa: S608  names of this repository
    for start in range(0, len(rows), BATCH):
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(statement, rows[start : start + BATCH])
        connection.execute("COMMIT")


def rows_of(database: Path, table: str, columns: Sequence[str]) -> list[Row]:
    """The rows that the product stored, to insert the very same ones."""
    with closing(connect(database)) as connection:
        return connection.execute(f"SELECT {', '.join(columns)} FROM {table}").fetchall()  # noqa: S608  as above


@frozen(kw_only=True)
class Query:
    """A query for whole rows of one table, in the order of its key.

    Attributes:
        table: the table.
        types: the columns and the types that they have in a frame.
        measures: for keyed measures: which of them.
    """

    table: str
    types: Mapping[str, pl.DataType | type[pl.DataType]]
    measures: Sequence[str] = ()

    def sql(self, condition: str = "") -> str:
        """The query, with another condition."""
        wanted = f"measure IN ({', '.join('?' * len(self.measures))})" if self.measures else ""
        conditions = " AND ".join(filter(None, (condition, wanted)))
        where = f" WHERE {conditions}" if conditions else ""
        return f"SELECT {', '.join(self.types)} FROM {self.table}{where}"  # noqa: S608  as above


def queries(rules: Rules, names: Iterable[str]) -> list[Query]:
    """The rows that must be read to know these columns of a customer's standing."""
    catalog = rules.catalog
    closed = catalog.closure(names)
    origins = {catalog.columns[name].origin for name in closed}
    plain = {
        name: pl.Int64 if catalog.columns[name].dtype == INSTANT else pl.Float64
        for name in sorted(closed)
        if catalog.columns[name].origin == "measure"
    }
    keyed = [
        measure.name
        for measure in catalog.measures
        if isinstance(measure, KeyedMeasure) and any(feature.name in closed for feature in measure.features)
    ]
    keyed += [
        part.name
        for case in catalog.cases
        if any(feature.name in closed for feature in case.features)
        for part in case.keyed
    ]
    found = [Query(table="measures", types={"customer": pl.String, **plain})] if plain else []
    if keyed:
        found.append(Query(table="keyed_measures", types=dict(KEYED_MEASURES.schema), measures=keyed))
    if "state" in origins:
        types = {**STATES.schema, "since": pl.Int64, "lapsed": pl.Int64, "due_at": pl.Int64}
        found.append(Query(table="states", types=types))
    profile = [name for name in sorted(closed) if catalog.columns[name].origin == "customer" and name != "customer"]
    if profile:
        found.append(Query(table="customers", types={"customer": pl.String, **dict.fromkeys(profile, pl.String)}))
    return found


def read(database: Path, wanted: Sequence[Query]) -> int:
    """Read all rows with fetchmany into one data frame for each query; return how many there were."""
    rows = 0
    with closing(connect(database)) as connection:
        for query in wanted:
            cursor = connection.execute(query.sql(), tuple(query.measures))
            parts = []
            while part := cursor.fetchmany(BATCH):
                parts.append(pl.DataFrame(part, schema=dict(query.types), orient="row"))
            rows += pl.concat(parts).height if parts else 0
    return rows


def read_by_key(database: Path, wanted: Sequence[Query], customers: Sequence[str]) -> int:
    """Read the rows of single customers, one query each by key; return how many there were."""
    rows = 0
    with closing(connect(database)) as connection:
        for query in wanted:
            sql = query.sql("customer = ?")
            part: list[Row] = []
            for customer in customers:
                part.extend(connection.execute(sql, (customer, *query.measures)))
            rows += pl.DataFrame(part, schema=dict(query.types), orient="row").height
    return rows
