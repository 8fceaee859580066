"""Kinds of frames: names and types of columns, and what identifies a row."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import polars as pl
from attrs import frozen

from relationship_core.errors import ConfigurationError, nearest

INSTANT = pl.Datetime("us", "UTC")
"""The type of every instant."""
ORDER_LINE = pl.Struct({"product": pl.String, "category": pl.String, "quantity": pl.Float64, "minor": pl.Int64})
"""The type of one line of an order."""


def defined(number: pl.Expr) -> pl.Expr:
    """The number, null where it is none. Not ``fill_nan``, which repeats its input in the query."""
    return number.replace(math.nan, None)


@frozen
class Table:
    """A named kind of frame.

    Attributes:
        name: the table's name, the same in every store.
        schema: column names and types, in order.
        key: the columns that identify a row.
    """

    name: str
    schema: Mapping[str, pl.DataType | type[pl.DataType]]
    key: tuple[str, ...]

    def empty(self) -> pl.DataFrame:
        """A frame of this table without rows."""
        return pl.DataFrame(schema=dict(self.schema))

    def types(self, columns: Iterable[str] | None = None) -> dict[str, pl.DataType | type[pl.DataType]]:
        """Names and types of these columns, in the order given; without columns, of all of them.

        Raises:
            ConfigurationError: the table has no such column.
        """
        if columns is None:
            return dict(self.schema)
        wanted = tuple(columns)
        for name in wanted:
            if name not in self.schema:
                hint = nearest(name, self.schema) or f"; it has {', '.join(self.schema)}"
                message = f"the table {self.name!r} has no column {name!r}{hint}"
                raise ConfigurationError(message)
        return {name: self.schema[name] for name in wanted}

    def conform(self, frame: pl.DataFrame, columns: Iterable[str] | None = None) -> pl.DataFrame:
        """The frame with exactly these columns of the table, in this order and of the table's types.

        Raises:
            ConfigurationError: the frame lacks one of the columns, or the table does.
        """
        types = self.types(columns)
        absent = [name for name in types if name not in frame.columns]
        if absent:
            message = f"a frame for the table {self.name!r} lacks the columns {', '.join(absent)}"
            raise ConfigurationError(message)
        had = frame.schema
        if all(had[name] == type_ for name, type_ in types.items()):
            # An expression costs a fifth of a millisecond, which a frame of one row feels.
            return frame if list(had) == list(types) else frame[list(types)]
        return frame.select(pl.col(name).cast(type_) for name, type_ in types.items())
