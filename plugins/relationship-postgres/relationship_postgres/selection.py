"""Rows of the customers of a page, and rows whose columns have certain values."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import polars as pl

from relationship_core import Page, Table
from relationship_postgres.database import Database
from relationship_postgres.frames import Types, frame_of, kept_text, kept_texts, quoted


def conditions(table: Table, where: Mapping[str, str | Collection[str]] | None) -> tuple[str, tuple[Any, ...]]:
    """A condition that columns have these values, and its parameters; true without columns."""
    values = where or {}
    types = table.types(values)
    parts, parameters = [], []
    for name, value in values.items():
        column = quoted(name) if types[name] == pl.String else f"{quoted(name)}::text"
        parts.append(f"{column} = %b" if isinstance(value, str) else f"{column} = ANY(%b::text[])")
        parameters.append(kept_text(value) if isinstance(value, str) else [kept_text(each) for each in value])
    return " AND ".join(parts) or "true", tuple(parameters)


class Selection:
    """Reads and deletes by page: a contiguous one is a range, any other a list of ids."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(
        self,
        table: str,
        types: Types,
        page: Page,
        conditions: str = "true",
        parameters: Sequence[Any] = (),
        *,
        columns: Mapping[str, str] | None = None,
        order: str = "customer",
    ) -> pl.DataFrame:
        """Rows of the page's customers with these columns, whose names in SQL may be other ones."""
        if not len(page.customers):
            return frame_of([], types)
        wanted = {**types, "customer": pl.String()}
        names = ", ".join((columns or {}).get(name, quoted(name)) for name in wanted)
        scope, bounds = _scope(page)
        found = frame_of(
            self._database.rows(
                f"SELECT {names} FROM {quoted(table)} WHERE {scope} AND {conditions} ORDER BY {order}",
                (*bounds, *parameters),
            ),
            wanted,
        )
        return _of_page(found, page).select(list(types))

    def delete(self, table: str, page: Page, conditions: str = "true", parameters: Sequence[Any] = ()) -> None:
        """Delete rows of the page's customers, and of nobody between them."""
        if len(page.customers):
            self._database.run(
                f"DELETE FROM {quoted(table)} WHERE customer = ANY(%b::text[]) AND {conditions}",
                (kept_texts(page.customers).to_list(), *parameters),
            )

    def is_contiguous(self, customers: pl.Series) -> bool:
        """Tell whether nobody else lies between the first and the last."""
        between = self._database.rows(
            "SELECT count(*) FROM (SELECT 1 FROM customers WHERE customer BETWEEN %b AND %b LIMIT %b) AS found",
            (kept_text(customers[0]), kept_text(customers[-1]), len(customers) + 1),
        )
        return bool(between[0][0] == len(customers))


def _scope(page: Page) -> tuple[str, tuple[Any, ...]]:
    if page.contiguous:
        return "customer BETWEEN %b AND %b", (kept_text(page.first), kept_text(page.last))
    return "customer = ANY(%b::text[])", (kept_texts(page.customers).to_list(),)


def _of_page(found: pl.DataFrame, page: Page) -> pl.DataFrame:
    """Without those who were recorded since the page was made, and lie between its first and its last."""
    if found.is_empty() or not page.contiguous or found["customer"].equals(page.customers):
        return found
    return found.filter(pl.col("customer").is_in(page.customers.implode()))
