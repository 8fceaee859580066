"""Text files: their lines, and rows of text as frames."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TypeVar

import polars as pl

from relationship_core.errors import ConfigurationError, RejectedError, nearest
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
def lines_of(path: Path, encoding: str | None = None) -> Iterator[Iterator[str]]:
    """The lines of a text file, in UTF-8 where no encoding is named.

    Raises:
        ConfigurationError: it is not there or cannot be read.
        RejectedError: it is in another encoding.
    """
    named = "utf-8-sig" if encoding is None or encoding == "utf-8" else encoding
    with reading(path, encoding), path.open(encoding=named, newline="") as file:
        yield file


def encoding_named(name: str) -> str:
    """The encoding of text that has this name, as Python calls it.

    Raises:
        ConfigurationError: there is none.
    """
    try:
        found = codecs.lookup(name).name
        "a,b\n".encode(found)
    except (LookupError, ValueError) as error:  # ValueError: a codec that makes no bytes of text, or a NUL in the name
        known = ("utf-8", "utf-16", "cp1252", "latin-1", "cp1250", "cp1251", "mac-roman")
        message = f"there is no encoding {name!r}{nearest(name, known)}"
        raise ConfigurationError(message) from error
    return found


def _probable_encoding(path: Path) -> str:
    """What a file that is not UTF-8 probably is: by its byte order mark, or what Windows writes."""
    with path.open("rb") as file:
        start = file.read(len(codecs.BOM_UTF16))
    if start in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}:
        return "utf-16"
    try:
        with path.open(encoding="cp1252") as text:
            for _ in text:
                pass
    except UnicodeDecodeError:
        return "latin-1"
    return "cp1252"


@contextmanager
def reading(path: Path, encoding: str | None = None) -> Iterator[None]:
    """Say in one sentence what keeps a file from being read.

    Raises:
        ConfigurationError: it is not there or cannot be read.
        RejectedError: it is not UTF-8, or not in the encoding that was named.
    """
    try:
        yield
    except FileNotFoundError as error:
        message = f"there is no file {path}"
        raise ConfigurationError(message) from error
    except UnicodeError as error:
        if encoding is None or encoding == "utf-8":
            probable = _probable_encoding(path)
            message = f"the file {path.name} is not UTF-8; name its encoding, probably --encoding {probable}"
        else:
            message = f"the file {path.name} is not in the encoding {encoding}; name another one"
        raise RejectedError(message) from error
    except OSError as error:
        message = f"the file {path} cannot be read: {error.strerror or type(error).__name__}"
        raise ConfigurationError(message) from error
