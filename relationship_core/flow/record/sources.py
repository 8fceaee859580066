"""Files as frames: CSV, JSON lines and Parquet, in chunks of a fixed number of rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
from attrs import frozen

from relationship_core.errors import RejectedError, UnsupportedError
from relationship_core.flow.record.checks import PROBLEM
from relationship_core.flow.record.csv_frames import csv_frames
from relationship_core.flow.record.csv_rows import Lines, Row, delimiter_of, read_rows
from relationship_core.flow.record.nested import read_json
from relationship_core.flow.record.text_files import (
    ROW,
    WRITTEN,
    blocks,
    encoding_named,
    in_chunks,
    lines_of,
    reading,
    text_frame,
)


@frozen(kw_only=True)
class Source:
    """A file that rows come from.

    Attributes:
        path: the file.
        columns: the names of its columns.
        total: how many rows it has; None where only reading all of it would tell.
        read: gives the named columns of the rows after so many, in chunks of so many rows. Every chunk has the
            columns ``__row``, ``__problem`` and ``__written`` besides. Text is text, and empty text is null.
        encoding: how it is written, where that was named and is not UTF-8.
        between: gives the same of the rows whose value in a column lies from one value up to, but without, another, or
            up to the greatest where that is None. None for a file that is only read from its beginning.
    """

    path: Path
    columns: tuple[str, ...]
    total: int | None
    read: Callable[[Sequence[str], int, int], Iterator[pl.DataFrame]]
    encoding: str | None = None
    between: Callable[[Sequence[str], str, Any, Any], pl.DataFrame] | None = None


def open_source(path: Path, encoding: str | None = None) -> Source:
    """The file, by its extension; text in an encoding, or in UTF-8.

    Raises:
        ConfigurationError: it is not there or cannot be opened; or there is no such encoding.
        RejectedError: it is empty, or not what its extension says.
        UnsupportedError: its extension is unknown.
    """
    kind = _KINDS.get(path.suffix.lower())
    if kind is None:
        message = f"files such as {path.name} cannot be read; those that can end in {', '.join(_KINDS)}"
        raise UnsupportedError(message)
    named = None if encoding is None else encoding_named(encoding)
    with reading(path, named):
        if path.stat().st_size == 0:
            message = f"the file {path.name} is empty"
            raise RejectedError(message)
        return kind(path, None if named == "utf-8" else named)


def _csv(path: Path, encoding: str | None) -> Source:
    with lines_of(path, encoding) as lines:
        header = next(lines, "")
    delimiter = delimiter_of(header)
    columns = _header(path, next(read_rows(Lines(iter([header])), delimiter, 1, None), None))

    def read(wanted: Sequence[str], skip: int, chunk: int) -> Iterator[pl.DataFrame]:
        with lines_of(path, encoding) as lines:
            next(lines, None)
            yield from in_chunks(csv_frames(Lines(lines), delimiter, columns, wanted), skip, chunk)

    return Source(path=path, columns=columns, total=None, read=read, encoding=encoding)


def _header(path: Path, row: Row | None) -> tuple[str, ...]:
    names = tuple(name.strip() for name in row.fields) if row is not None else ()
    if row is None or row.problem or not any(names):
        message = f"the first line of {path.name} is no header: it must name the columns"
        raise RejectedError(message)
    if names[0] == "sep=":
        message = f"the first line of {path.name}, {names[0]}, is for Excel alone; delete it"
        raise RejectedError(message)
    columns = tuple(name or f"column {place}" for place, name in enumerate(names, 1))
    twice = {name for name in columns if columns.count(name) > 1}
    if twice:
        message = f"the file {path.name} has two columns named {min(twice)!r}; rename one"
        raise RejectedError(message)
    return columns


def _json_lines(path: Path, encoding: str | None) -> Source:
    names: dict[str, None] = {}
    with lines_of(path, encoding) as lines:
        for _, values in _objects(lines):
            names.update(dict.fromkeys(values))
    if not names:
        message = f"the file {path.name} has no line with a JSON object"
        raise RejectedError(message)

    def read(wanted: Sequence[str], skip: int, chunk: int) -> Iterator[pl.DataFrame]:
        with lines_of(path, encoding) as lines:
            frames = (_json_frame(block, wanted) for block in blocks(_objects(lines)))
            yield from in_chunks(frames, skip, chunk)

    return Source(path=path, columns=tuple(names), total=None, read=read, encoding=encoding)


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
    return text_frame([row for row, _ in objects], columns)


def _json_text(value: Any) -> str | None:
    """A JSON value as a CSV file would have it."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value)


def _parquet(path: Path, _: str | None) -> Source:
    with _reading_parquet(path):
        columns = tuple(pl.read_parquet_schema(path))
        total = int(pl.scan_parquet(path, glob=False).select(pl.len()).collect().item())

    def read(wanted: Sequence[str], skip: int, chunk: int) -> Iterator[pl.DataFrame]:
        for start in range(skip, total, chunk):
            yield _parquet_rows(path, wanted, start, chunk)  # keeps no name for it: one chunk in memory at a time

    def between(wanted: Sequence[str], by: str, first: Any, end: Any) -> pl.DataFrame:
        value = pl.col(by)
        among = value >= first if end is None else (value >= first) & (value < end)
        with _reading_parquet(path):
            rows = pl.scan_parquet(path, glob=False).select(wanted).with_row_index(ROW, 1).filter(among).collect()
        return _numbered(rows.drop(ROW), rows[ROW])

    return Source(path=path, columns=columns, total=total, read=read, between=between)


def _parquet_rows(path: Path, wanted: Sequence[str], start: int, number: int) -> pl.DataFrame:
    with _reading_parquet(path):
        rows = pl.scan_parquet(path, glob=False).select(wanted).slice(start, number).collect()
    return _numbered(rows, pl.int_range(start + 1, start + 1 + rows.height, eager=True))


def _numbered(rows: pl.DataFrame, numbers: pl.Series) -> pl.DataFrame:
    nothing = pl.lit(None, pl.String)
    return rows.with_columns(numbers.cast(pl.Int64).alias(ROW), nothing.alias(PROBLEM), nothing.alias(WRITTEN))


@contextmanager
def _reading_parquet(path: Path) -> Iterator[None]:
    try:
        yield
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        message = f"the file {path.name} is no Parquet file, or it is damaged"
        raise RejectedError(message) from error


_KINDS: dict[str, Callable[[Path, str | None], Source]] = {
    ".csv": _csv,
    ".tsv": _csv,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".parquet": _parquet,
}
