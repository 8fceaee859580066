"""Rows of the customers of a page."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import polars as pl

from relationship_core import Page, Table
from relationship_core.builtin.sqlite.database import Database
from relationship_core.builtin.sqlite.frames import Row, Types, equal, frame_of, frame_of_documents, listed, quoted


class Selection:
    """Reads and deletes by page: a contiguous one is a range, any other a temporary table to join with."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: tuple[Page, int] | None = None

    def conditions(
        self, table: Table, where: Mapping[str, str | Collection[str]] | None
    ) -> tuple[str, tuple[Any, ...]]:
        """A condition that columns have these values, and its parameters.

        Several values of a column are kept in a temporary table until the next condition is asked for: as parameters
        they would be too many, and a JSON text ends at the first zero character.
        """
        values = where or {}
        table.types(values)
        single = {name: value for name, value in values.items() if isinstance(value, str)}
        several = {name: value for name, value in values.items() if name not in single}
        if several:
            self._list(several)
        among = [f"{quoted(name)} IN (SELECT value FROM temp.listed WHERE name = ?)" for name in several]
        return " AND ".join([equal(single), *among]), (*single.values(), *several)

    def _list(self, several: Mapping[str, Collection[str]]) -> None:
        with self._database.together():
            self._database.run(
                "CREATE TEMP TABLE IF NOT EXISTS listed "
                "(name TEXT, value TEXT, PRIMARY KEY (name, value)) WITHOUT ROWID"
            )
            self._database.run("DELETE FROM temp.listed")
            for name, values in several.items():
                rows = [(name, value) for value in values]
                self._database.run_many("INSERT OR IGNORE INTO temp.listed VALUES (?, ?)", rows)

    def read(
        self, table: str, types: Types, page: Page, conditions: str = "1", parameters: Sequence[Any] = ()
    ) -> pl.DataFrame:
        """Rows of the page's customers; ordered as the table is where the page is contiguous."""
        if not len(page.customers):
            return frame_of([], types)
        if page.contiguous and not any(type_ == pl.Float64 for type_ in types.values()):
            return self.read_documents(table, types, page, conditions, parameters)
        wanted = {"customer": pl.String(), **types}
        found = frame_of(self._rows(listed(wanted), table, page, conditions, parameters), wanted)
        return self._of_page(found, page).select(list(types))

    def read_documents(
        self, table: str, types: Types, page: Page, conditions: str = "1", parameters: Sequence[Any] = ()
    ) -> pl.DataFrame:
        """The same by way of one JSON array for each column: a third of the time where rows are many and short.

        Only for text, and for numbers of at most 15 digits.
        """
        if not len(page.customers):
            return frame_of([], types)
        wanted = {"customer": pl.String(), **types}
        arrays = ", ".join(f"json_group_array({quoted(name)})" for name in wanted)
        (documents,) = self._rows(arrays, table, page, conditions, parameters)
        return self._of_page(frame_of_documents(documents, wanted), page).select(list(types))

    def _rows(self, what: str, table: str, page: Page, conditions: str, parameters: Sequence[Any]) -> list[Row]:
        if page.contiguous:
            scope = f"FROM {quoted(table)} WHERE customer BETWEEN ? AND ? AND {conditions}"
            return self._database.rows(f"SELECT {what} {scope}", (page.first, page.last, *parameters))
        self._keep(page)
        scope = f"FROM temp.page CROSS JOIN {quoted(table)} USING (customer) WHERE {conditions}"
        return self._database.rows(f"SELECT {what} {scope}", parameters)

    def read_kept(self, keys: pl.DataFrame, types: Types) -> pl.DataFrame:
        """The interactions with these keys (source, id), in order."""
        with self._database.together():
            self._database.run(
                "CREATE TEMP TABLE IF NOT EXISTS wanted (source TEXT, id TEXT, PRIMARY KEY (source, id)) WITHOUT ROWID"
            )
            self._database.run_many("INSERT OR IGNORE INTO temp.wanted VALUES (?, ?)", keys.rows())
            rows = self._database.rows(
                f"SELECT {listed(types)} FROM temp.wanted CROSS JOIN interactions USING (source, id) "
                "ORDER BY source, id"
            )
            self._database.run("DELETE FROM temp.wanted")
        return frame_of(rows, types)

    def read_all(self, table: str, types: Types, page: Page) -> pl.DataFrame:
        """One row for each of the page's customers, in order; nulls where the table has none."""
        found = self.read(table, types, page)
        if found["customer"].equals(page.customers):
            return found
        customers = page.customers.alias("customer").to_frame()
        return customers.join(found, on="customer", how="left", maintain_order="left")

    def delete(self, table: str, page: Page, conditions: str = "1", parameters: Sequence[Any] = ()) -> None:
        """Delete rows of the page's customers, and of nobody between them."""
        if not len(page.customers):
            return
        scope = f"{conditions} AND customer BETWEEN ? AND ?"
        bounds = (*parameters, page.first, page.last)
        if not self._database.rows(f"SELECT 1 FROM {quoted(table)} WHERE {scope} LIMIT 1", bounds):
            return
        if not page.contiguous or not self.is_contiguous(page.customers):
            self._keep(page)
            scope = f"{scope} AND customer IN (SELECT customer FROM temp.page)"
        self._database.run(f"DELETE FROM {quoted(table)} WHERE {scope}", bounds)

    def is_contiguous(self, customers: pl.Series) -> bool:
        """Tell whether nobody else lies between the first and the last."""
        between = self._database.rows(
            "SELECT count(*) FROM (SELECT 1 FROM customers WHERE customer BETWEEN ? AND ? LIMIT ?)",
            (customers[0], customers[-1], len(customers) + 1),
        )
        return bool(between[0][0] == len(customers))

    def _of_page(self, found: pl.DataFrame, page: Page) -> pl.DataFrame:
        """Without those who were recorded since the page was made, and lie between its first and its last."""
        if found.is_empty() or not page.contiguous or found["customer"].equals(page.customers):
            return found
        if self.is_contiguous(page.customers):
            return found
        return found.filter(pl.col("customer").is_in(page.customers.implode()))

    def _keep(self, page: Page) -> None:
        # A rollback brings back what the temporary table held before.
        rollbacks = self._database.rollbacks
        if self._kept is not None and self._kept[0] is page and self._kept[1] == rollbacks:
            return
        with self._database.together():
            self._database.run(
                "CREATE TEMP TABLE IF NOT EXISTS page (customer TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID"
            )
            self._database.run("DELETE FROM temp.page")
            self._database.run_many("INSERT INTO temp.page VALUES (?)", page.customers.to_frame().rows())
        self._kept = (page, rollbacks)
