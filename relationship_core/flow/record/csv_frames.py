"""CSV as frames: plain lines all at once, the others row by row, to the same result.

Plain lines have no quotes and the right number of delimiters, so that there is one way only to read them.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence

import polars as pl

from relationship_core.flow.record import text_files
from relationship_core.flow.record.checks import PROBLEM
from relationship_core.flow.record.csv_rows import Lines, Row, read_rows
from relationship_core.flow.record.text_files import ROW, WRITTEN, bare, text_frame


def csv_frames(lines: Lines, delimiter: str, columns: Sequence[str], wanted: Sequence[str]) -> Iterator[pl.DataFrame]:
    """The rows after the header, in frames with the wanted columns, ``__row``, ``__problem`` and ``__written``."""
    number = 2
    while block := lines.take(text_files.BLOCK):
        if _is_plain(block, delimiter, len(columns)):
            yield _plain_frame(block, number, delimiter, columns).select(*wanted, ROW, PROBLEM, WRITTEN)
            number += len(block)
        else:
            lines.give_back(block)
            rows, number = _rows_of(lines, number, len(block), delimiter, len(columns))
            if rows:
                yield _frame(rows, columns, wanted)


def _is_plain(block: Sequence[str], delimiter: str, width: int) -> bool:
    return (
        width > 1
        and all(line.count(delimiter) == width - 1 for line in block)
        and not any('"' in line for line in block)
        and len(max(block, key=len)) < csv.field_size_limit()
    )


def _plain_frame(block: Sequence[str], number: int, delimiter: str, columns: Sequence[str]) -> pl.DataFrame:
    text = pl.Series("text", block, dtype=pl.String)
    fields = text.str.strip_chars_end("\r\n").str.split_exact(delimiter, len(columns) - 1).struct.unnest()
    rows = bare(fields.rename(dict(zip(fields.columns, columns, strict=True))))
    numbers = pl.int_range(number, number + len(block), eager=True)
    nothing = pl.lit(None, pl.String)
    return rows.with_columns(numbers.alias(ROW), nothing.alias(PROBLEM), nothing.alias(WRITTEN))


def _rows_of(lines: Lines, number: int, least: int, delimiter: str, width: int) -> tuple[list[Row], int]:
    """The rows that begin in the next ``least`` lines, and the number of the line after them."""
    rows: list[Row] = []
    after = number
    for row in read_rows(lines, delimiter, number, width):
        rows.append(row)
        after = row.line + len(lines.taken)
        if after >= number + least:
            break
    return rows, after


def _frame(rows: Sequence[Row], columns: Sequence[str], wanted: Sequence[str]) -> pl.DataFrame:
    places = [(name, columns.index(name)) for name in wanted]
    return text_frame(rows, {name: [row.fields[at] if row.fields else None for row in rows] for name, at in places})
