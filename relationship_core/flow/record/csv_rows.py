"""CSV, row by row: a malformed row is a row with a problem, and the rows around it are read.

polars reads a CSV file whole or not at all, or fills up ragged rows without a word; so this is Python's reader.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

DELIMITERS = ",;\t|"


class Row(NamedTuple):
    """One row: its fields, or what is wrong with it and how it was written."""

    line: int
    fields: list[str]
    problem: str | None = None
    written: str | None = None


def delimiter_of(header: str) -> str:
    """The character that separates the names of a header: the most frequent one outside quotes."""
    unquoted = "".join(header.split('"')[::2])
    return max(DELIMITERS, key=unquoted.count)


def read_rows(lines: Lines, delimiter: str, first_line: int, width: int | None) -> Iterator[Row]:
    """The rows of these lines; blank ones are left out. Without a width any number of fields is right.

    A row that is not well quoted, or has not ``width`` fields, loses its first line only, and reading goes on with
    the next line: one stray quote does not swallow the rows after it.
    """
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    line = first_line
    while True:
        lines.taken.clear()
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Row(line, [], f"the row is not well-formed CSV: {error}", lines.keep_first())
        else:
            if len(fields) == width or (width is None and fields):
                yield Row(line, fields)
            elif fields:
                problem = f"the row has {len(fields)} fields, and the header {width}"
                yield Row(line, [], problem, lines.keep_first())
        line += len(lines.taken)


class Lines:
    """Lines that can be given back."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._given_back: deque[str] = deque()
        self.taken: list[str] = []

    def __iter__(self) -> Lines:
        return self

    def __next__(self) -> str:
        line = self._given_back.popleft() if self._given_back else next(self._lines)
        self.taken.append(line)
        return line

    def take(self, number: int) -> list[str]:
        """The next lines, at most so many."""
        first = [self._given_back.popleft() for _ in range(min(number, len(self._given_back)))]
        return first + list(islice(self._lines, number - len(first)))

    def give_back(self, lines: Sequence[str]) -> None:
        """Make these lines the next ones again."""
        self._given_back.extendleft(reversed(lines))

    def keep_first(self) -> str:
        """Give back every line but the first that was taken, and return that one."""
        self.give_back(self.taken[1:])
        del self.taken[1:]
        return self.taken[0].rstrip("\r\n")
