"""Text files: their lines, and rows of text as frames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TypeVar

import polars as pl

from relationship_core.errors import ConfigurationError, RejectedError
from relationship_core.flow.record.checks import PROBLEM
from relationship_core.flow.record.csv_rows import Row

ROW = "__row"
"""The column that holds the line at which a row begins; in Parquet the number of the row, from 1."""

WRITTEN = "__written"
"""The column that holds a row that could not be read, as it is written in the file."""

BLOCK = 50_000
"""Rows that are Python objects at a time."""

T = TypeVar("T")


def text_frame(rows: Sequence[Row], columns: Mapping[str, Sequence[str | None]]) -> pl.DataFrame:
    """Columns of text beside the numbers of the rows and their problems."""
    return bare(pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))).with_columns(
        pl.Series(ROW, [row.line for row in rows], dtype=pl.Int64),
        pl.Series(PROBLEM, [row.problem for row in rows], dtype=pl.String),
        pl.Series(WRITTEN, [row.written for row in rows], dtype=pl.String),
    )


def bare(frame: pl.DataFrame) -> pl.DataFrame:
    """Texts without white space around them; empty ones are null."""
    text = pl.all().str.strip_chars()
    return frame.select(pl.when(text != "").then(text))


def blocks(things: Iterator[T]) -> Iterator[list[T]]:
    """Lists of so many that they may be Python objects at a time."""
    while block := list(islice(things, BLOCK)):
        yield block


def in_chunks(frames: Iterable[pl.DataFrame], skip: int, chunk: int) -> Iterator[pl.DataFrame]:
    """The rows of these frames after the first ``skip``, in frames of exactly ``chunk`` rows, but for the last."""
    kept: list[pl.DataFrame] = []
    height = 0
    for frame in frames:
        rest = frame[min(skip, frame.height) :]
        skip -= frame.height - rest.height
        kept.append(rest)
        height += rest.height
        while height >= chunk:
            whole = pl.concat(kept)
            yield whole[:chunk]
            kept, height = [whole[chunk:]], height - chunk
    if height:
        yield pl.concat(kept)


@contextmanager
def lines_of(path: Path) -> Iterator[Iterator[str]]:
    """The lines of a text file.

    Raises:
        ConfigurationError: it is not there or cannot be read.
        RejectedError: it is not UTF-8.
    """
    with reading(path), path.open(encoding="utf-8-sig", newline="") as file:
        yield file


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Say in one sentence what keeps a file from being read.

    Raises:
        ConfigurationError: it is not there or cannot be read.
        RejectedError: it is not UTF-8.
    """
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
