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

_NO_TEXT = {
    b"PK\x03\x04": "a ZIP archive or an Excel workbook",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"\x1f\x8b": "compressed by gzip",
    b"%PDF": "a PDF",
}
"""What a file is that begins so."""

_START = 200
"""Bytes of the beginning of a file, by which it is told what it is."""

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
        RejectedError: it is in another encoding, or no text.
    """
    named = "utf-8-sig" if encoding is None or encoding == "utf-8" else encoding
    with reading(path, encoding):
        _check_start(path, encoding)
        with path.open(encoding=named, newline="") as file:
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


def _check_start(path: Path, encoding: str | None) -> None:
    start = _start(path)
    for mark, what in _NO_TEXT.items():
        if start.startswith(mark):
            message = f"the file {path.name} is no text but {what}; unpack it, or save it as CSV"
            raise RejectedError(message)
    if encoding in {None, "utf-8"} and _has_two_bytes_a_letter(start):
        raise _not_utf_8(path)


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_START)


def _has_two_bytes_a_letter(start: bytes) -> bool:
    """Whether the beginning of a file is UTF-16: as UTF-8 it may be valid, with a NUL beside every Latin letter."""
    return start.count(0) * 3 > len(start)


def _not_utf_8(path: Path) -> RejectedError:
    probable = _probable_encoding(path)
    return RejectedError(f"the file {path.name} is not UTF-8; name its encoding, probably --encoding {probable}")


def _probable_encoding(path: Path) -> str:
    """What a file that is not UTF-8 probably is: by its byte order mark, its NULs, or what Windows writes."""
    start = _start(path)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if _has_two_bytes_a_letter(start):
        return "utf-16-be" if start.startswith(b"\0") else "utf-16-le"
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
        if encoding in {None, "utf-8"}:
            raise _not_utf_8(path) from error
        message = f"the file {path.name} is not in the encoding {encoding}; name another one"
        raise RejectedError(message) from error
    except OSError as error:
        message = f"the file {path} cannot be read: {error.strerror or type(error).__name__}"
        raise ConfigurationError(message) from error
