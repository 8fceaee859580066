"""Raw probes: the least that Python, sqlite3 and polars can do for the same rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

import polars as pl
from projects import CACHE_KIB

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
        connection.execute(f"CREATE TABLE {table} ({', '.join(columns)})")  # noqa: S608  names of this repository
        if index is not None:
            connection.execute(f"CREATE INDEX {table}_by_{index} ON {table} ({index})")
        statement = f"INSERT INTO {table} VALUES ({', '.join('?' * len(columns))})"  # noqa: S608  as above
        for start in range(0, len(rows), BATCH):
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(statement, rows[start : start + BATCH])
            connection.execute("COMMIT")


def rows_of(database: Path, table: str, columns: Sequence[str]) -> list[Row]:
    """The rows that the product stored, to insert the very same ones."""
    with closing(connect(database)) as connection:
        return connection.execute(f"SELECT {', '.join(columns)} FROM {table}").fetchall()  # noqa: S608  as above
