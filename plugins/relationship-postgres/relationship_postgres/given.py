"""Rows that are handed to the server, as something that a statement can select from.

A few go as parameters, one array for each column. Many go by COPY into a temporary table of the session, as CSV that
polars writes: from a thousand rows or so on that is quicker. Texts are always quoted there, so that a null, which is
not, differs from an empty text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from attrs import frozen

from relationship_postgres.database import Database
from relationship_postgres.frames import Type, kept_series, kept_value, listed, quoted, sql_type

FEW = 500
"""So many rows at most go as parameters."""

PIECE = 100_000
"""How many rows are CSV at once."""


@frozen
class Given:
    """What a statement selects from.

    Attributes:
        source: stands after FROM, and is called ``given`` in the statement.
        parameters: for the placeholders in it.
    """

    source: str
    parameters: tuple[Any, ...] = ()


class Giving:
    """Hands rows to the server."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._tables: dict[tuple[str, ...], str] = {}
        self._used: tuple[int, set[str]] = (0, set())

    def rows(self, rows: Sequence[Mapping[str, object]], types: Mapping[str, Type]) -> Given:
        """A few rows with these columns."""
        return _arrays({name: [kept_value(row[name]) for row in rows] for name in types}, types)

    def frame(self, frame: pl.DataFrame) -> Given:
        """The rows of a frame; many only inside a transaction, for as long as it lasts."""
        types = dict(frame.schema)
        if frame.height <= FEW:
            return _arrays({name: kept_series(frame[name]).to_list() for name in types}, types)
        table = self._table(tuple(map(sql_type, types.values())))
        for start in range(0, frame.height, PIECE):
            kept = pl.DataFrame([kept_series(column) for column in frame[start : start + PIECE]])
            text = kept.write_csv(include_header=False, quote_style="non_numeric")
            self._database.copy(table, text.encode())
        columns = ", ".join(f"c{number} AS {quoted(name)}" for number, name in enumerate(types))
        return Given(f"(SELECT {columns} FROM {table}) AS given")

    def _table(self, types: tuple[str, ...]) -> str:
        """An empty temporary table with columns of these types; it is empty again after the transaction."""
        table = self._tables.setdefault(types, f"given_{len(self._tables)}")
        columns = ", ".join(_column(f"c{number}", type_) for number, type_ in enumerate(types))
        if self._used[0] != self._database.transactions:
            self._used = (self._database.transactions, set())
        # One that was made in a transaction which was undone is gone with it.
        self._database.run(f"CREATE TEMPORARY TABLE IF NOT EXISTS {table} ({columns}) ON COMMIT DELETE ROWS")
        if table in self._used[1]:
            self._database.run(f"TRUNCATE {table}")
        self._used[1].add(table)
        return table


def _column(name: str, type_: str) -> str:
    return f'{name} {type_} COLLATE "C"' if type_ == "text" else f"{name} {type_}"


def _arrays(columns: Mapping[str, list[Any]], types: Mapping[str, Type]) -> Given:
    arrays = ", ".join(f"%b::{sql_type(type_)}[]" for type_ in types.values())
    return Given(f"unnest({arrays}) AS given ({listed(types)})", tuple(columns.values()))
