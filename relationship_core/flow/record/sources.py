"""Files as frames: CSV, JSON lines and Parquet, in chunks of a fixed number of rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import Any, TypeVar

import polars as pl
from attrs import frozen

from relationship_core.errors import ConfigurationError, RejectedError, UnsupportedError
from relationship_core.flow.record.checks import PROBLEM
from relationship_core.flow.record.csv_rows import Row, delimiter_of, read_rows
from relationship_core.flow.record.nested import read_json

ROW = "__row"
"""The column that holds the line at which a row begins; in Parquet the number of the row, from 1."""

WRITTEN = "__written"
"""The column that holds a row that could not be read, as it is written in the file."""

_BLOCK = 50_000
"""Rows that are Python objects at a time."""

T = TypeVar("T")


@frozen(kw_only=True)
class Source:
    """A file that rows come from.

    Attributes:
        path: the file.
        columns: the names of its columns.
        total: how many rows it has; None where only reading all of it would tell.
        read: gives the named columns of the rows after so many, in chunks of so many rows. Every chunk has the
            columns ``__row``, ``__problem`` and ``__written`` besides. Text is text, and empty text is null.
    """

    path: Path
    columns: tuple[str, ...]
    total: int | None
    read: Callable[[Sequence[str], int, int], Iterator[pl.DataFrame]]


def open_source(path: Path) -> Source:
    """The file, by its extension.

    Raises:
        ConfigurationError: it is not there or cannot be opened.
        RejectedError: it is empty, or not what its extension says.
        UnsupportedError: its extension is unknown.
    """
    kind = _KINDS.get(path.suffix.lower())
    if kind is None:
        message = f"files such as {path.name} cannot be read; those that can end in {', '.join(_KINDS)}"
        raise UnsupportedError(message)
    with _reading(path):
        if path.stat().st_size == 0:
            message = f"the file {path.name} is empty"
            raise RejectedError(message)
        return kind(path)


def _csv(path: Path) -> Source:
    with _lines(path) as lines:
        header = next(lines)
    delimiter = delimiter_of(header)
    columns = _header(path, next(read_rows(iter([header]), delimiter, 1, None), None))

    def read(wanted: Sequence[str], skip: int, chunk: int) -> Iterator[pl.DataFrame]:
        places = [(name, columns.index(name)) for name in wanted]
        with _lines(path) as lines:
            next(lines)
            rows = read_rows(lines, delimiter, 2, len(columns))
            for part in _chunks(rows, skip, chunk):
                yield pl.concat([_csv_frame(block, places) for block in part])

    return Source(path=path, columns=columns, total=None, read=read)


def _header(path: Path, row: Row | None) -> tuple[str, ...]:
    names = tuple(name.strip() for name in row.fields) if row is not None else ()
    if row is None or row.problem or not any(names):
        message = f"the first line of {path.name} is no header: it must name the columns"
        raise RejectedError(message)
    twice = {name for name in names if name and names.count(name) > 1}
    if twice:
        message = f"the file {path.name} has two columns named {min(twice)!r}; rename one"
        raise RejectedError(message)
    return tuple(name or f"column {place}" for place, name in enumerate(names, 1))


def _csv_frame(rows: Sequence[Row], places: Iterable[tuple[str, int]]) -> pl.DataFrame:
    columns = {name: [row.fields[place] if row.fields else None for row in rows] for name, place in places}
    return _text_frame(rows, columns)


def _text_frame(rows: Sequence[Row], columns: dict[str, list[str | None]]) -> pl.DataFrame:
    frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))
    bare = pl.all().str.strip_chars()
    return frame.select(pl.when(bare != "").then(bare)).with_columns(
        pl.Series(ROW, [row.line for row in rows], dtype=pl.Int64),
        pl.Series(PROBLEM, [row.problem for row in rows], dtype=pl.String),
        pl.Series(WRITTEN, [row.written for row in rows], dtype=pl.String),
    )


def _json_lines(path: Path) -> Source:
    names: dict[str, None] = {}
    with _lines(path) as lines:
        for _, values in _objects(lines):
            names.update(dict.fromkeys(values))
    if not names:
        message = f"the file {path.name} has no line with a JSON object"
        raise RejectedError(message)

    def read(wanted: Sequence[str], skip: int, chunk: int) -> Iterator[pl.DataFrame]:
        with _lines(path) as lines:
            for part in _chunks(_objects(lines), skip, chunk):
                yield pl.concat([_json_frame(block, wanted) for block in part])

    return Source(path=path, columns=tuple(names), total=None, read=read)


def _objects(lines: Iterable[str]) -> Iterator[tuple[Row, dict[str, Any]]]:
    """Each line that is not blank, with its object; empty where it is none."""
    for number, line in enumerate(lines, 1):
        if line.isspace():
            continue
        try:
            values = read_json(line)
        except ValueError:
            values = None
        if isinstance(values, dict):
            yield Row(number, []), values
        else:
            yield Row(number, [], "the line is not a JSON object", line.rstrip("\r\n")), {}


def _json_frame(objects: Sequence[tuple[Row, dict[str, Any]]], wanted: Sequence[str]) -> pl.DataFrame:
    columns = {name: [_json_text(values.get(name)) for _, values in objects] for name in wanted}
    return _text_frame([row for row, _ in objects], columns)


def _json_text(value: Any) -> str | None:
    """A JSON value as a CSV file would have it."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value)


def _parquet(path: Path) -> Source:
    with _reading_parquet(path):
        columns = tuple(pl.read_parquet_schema(path))
        total = int(pl.scan_parquet(path, glob=False).select(pl.len()).collect().item())

    def read(wanted: Sequence[str], skip: int, chunk: int) -> Iterator[pl.DataFrame]:
        nothing = pl.lit(None, pl.String)
        for start in range(skip, total, chunk):
            with _reading_parquet(path):
                part = pl.scan_parquet(path, glob=False).select(wanted).slice(start, chunk).collect()
            numbers = pl.int_range(start + 1, start + 1 + part.height, eager=True)
            yield part.with_columns(numbers.alias(ROW), nothing.alias(PROBLEM), nothing.alias(WRITTEN))

    return Source(path=path, columns=columns, total=total, read=read)


@contextmanager
def _reading_parquet(path: Path) -> Iterator[None]:
    try:
        yield
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        message = f"the file {path.name} is no Parquet file, or it is damaged"
        raise RejectedError(message) from error


def _chunks(rows: Iterator[T], skip: int, chunk: int) -> Iterator[Iterator[list[T]]]:
    """The rows after so many, chunk by chunk, each chunk in blocks."""
    remaining = islice(rows, skip, None)
    for first in remaining:
        yield _blocks(islice(chain([first], remaining), chunk))


def _blocks(rows: Iterator[T]) -> Iterator[list[T]]:
    while block := list(islice(rows, _BLOCK)):
        yield block


@contextmanager
def _lines(path: Path) -> Iterator[Iterator[str]]:
    """The lines of a text file."""
    with _reading(path), path.open(encoding="utf-8-sig", newline="") as file:
        yield file


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        message = f"there is no file {path}"
        raise ConfigurationError(message) from error
    except UnicodeDecodeError as error:
        message = f"the file {path.name} is not UTF-8; save it in this encoding"
        raise RejectedError(message) from error
    except OSError as error:
        message = f"the file {path} cannot be read: {error.strerror or type(error).__name__}"
        raise ConfigurationError(message) from error


_KINDS: dict[str, Callable[[Path], Source]] = {
    ".csv": _csv,
    ".tsv": _csv,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".parquet": _parquet,
}
