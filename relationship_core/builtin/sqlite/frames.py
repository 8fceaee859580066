"""Between data frames and the rows of SQLite."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import polars as pl

from relationship_core import INSTANT

Type: TypeAlias = pl.DataType | type[pl.DataType]
Types: TypeAlias = Mapping[str, Type]
Row: TypeAlias = tuple[Any, ...]


FEW = 100
"""In frames of fewer rows nobody looks for columns that have one value."""


def quoted(name: str) -> str:
    """An identifier as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def listed(names: Iterable[str]) -> str:
    """Identifiers as a list of columns."""
    return ", ".join(map(quoted, names))


def equal(names: Iterable[str]) -> str:
    """A condition that each of these columns has the value of a parameter; true without columns."""
    return " AND ".join(f"{quoted(name)} = ?" for name in names) or "1"


def rows_of(frame: pl.DataFrame) -> list[Row]:
    """The frame as SQLite keeps it: instants in microseconds, lists as JSON text."""
    return _as_kept(frame).rows()


def values_of(frame: pl.DataFrame) -> list[Any]:
    """The same values in one list, row after row: half the time of a tuple for each row."""
    values: list[Any] = [None] * (frame.width * frame.height)
    for place, column in enumerate(_as_kept(frame)):
        values[place :: frame.width] = column.to_list()
    return values


def shared_values(frame: pl.DataFrame) -> dict[str, Any]:
    """The columns that have one value in every row of a frame of some height, with that value as SQLite keeps it.

    At least one column is none of them.
    """
    if frame.height < FEW:
        return {}
    shared = [column.name for column in frame if _is_one_value(column)][: frame.width - 1]
    first = _as_kept(frame[:1])
    return {name: first[name].item() for name in shared}


def _is_one_value(column: pl.Series) -> bool:
    if column.dtype.is_nested() or column.null_count():
        return column.null_count() == len(column)
    return bool(column[0] == column[-1] and (column == column[0]).all())


def _as_kept(frame: pl.DataFrame) -> pl.DataFrame:
    types = frame.schema
    if any(isinstance(type_, pl.List) for type_ in types.values()):
        return frame.select(_kept(name, type_) for name, type_ in types.items())
    if INSTANT not in types.values():
        return frame
    # Without an expression, which wakes threads for what is one row where messages are settled one by one.
    return pl.DataFrame([column.cast(pl.Int64) if column.dtype == INSTANT else column for column in frame])


def _kept(name: str, type_: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if type_ == INSTANT:
        return column.to_physical()
    if isinstance(type_, pl.List):
        wrapped = pl.struct(name).struct.json_encode()
        text = wrapped.str.strip_prefix(f'{{"{name}":').str.strip_suffix("}")
        return pl.when(column.is_not_null()).then(text).alias(name)
    return column


def frame_of(rows: Sequence[Row], types: Types) -> pl.DataFrame:
    """Rows of these columns as a frame."""
    if not rows:
        return pl.DataFrame(schema=dict(types))
    # Typed series from whole columns take a third of the time of a frame from rows.
    columns = zip(*rows, strict=True)
    return pl.DataFrame(
        [_series(name, type_, values) for (name, type_), values in zip(types.items(), columns, strict=True)]
    )


def frame_of_documents(documents: Row, types: Types) -> pl.DataFrame:
    """One JSON array for each of these columns as a frame."""
    if documents[0] == "[]":
        return frame_of([], types)
    return pl.DataFrame(
        [
            _typed(pl.Series(name, [document]).str.json_decode(pl.List(_raw(type_))).explode(), type_)
            for (name, type_), document in zip(types.items(), documents, strict=True)
        ]
    )


def _series(name: str, type_: Type, values: Sequence[Any]) -> pl.Series:
    return _typed(pl.Series(name, values, dtype=_raw(type_)), type_)


def _raw(type_: Type) -> Type:
    """The type in which SQLite keeps a column."""
    if type_ in {INSTANT, pl.Boolean}:
        return pl.Int64
    return pl.String if isinstance(type_, pl.List) else type_


def _typed(kept: pl.Series, type_: Type) -> pl.Series:
    if isinstance(type_, pl.List):
        return kept.str.json_decode(type_)
    return kept.cast(type_)
