"""Scores over time as letters: a line of blocks for a table, and a plot of some lines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby, pairwise

from rich.text import Text

from relationship_core.cli.documents import is_plain

HEIGHT = 4
"""Lines of a plot."""
BLOCKS = " ▁▂▃▄▅▆▇█"
EIGHTHS = 8
LEFT = 6
"""Columns before a plot, for its numbers."""

SHORTEST = 3
"""A label that is cut has so many letters at least."""

Values = Sequence[float | None]


def span_of(values: Values, low: float, high: float) -> tuple[float, float]:
    """The span of a score's axis: what its rule says, as far as that is finite, otherwise what there is."""
    known = [value for value in values if value is not None]
    bottom = low if math.isfinite(low) else min(known, default=0.0)
    top = high if math.isfinite(high) else max(known, default=1.0)
    return (bottom, top) if top > bottom else (bottom, bottom + 1.0)


def share_of(value: float, span: tuple[float, float]) -> float:
    """Where a value stands in a span, 0 to 1."""
    low, high = span
    return min(max((value - low) / (high - low), 0.0), 1.0)


def spark(values: Values, span: tuple[float, float], cells: int) -> Text:
    """Values as a line of blocks, the last one at its end; a dot where there was no evidence."""
    return Text("".join(_cell(value, span) for value in sampled(values, cells)), style="cyan")


def _cell(value: float | None, span: tuple[float, float]) -> str:
    if value is None:
        return "." if is_plain() else "·"
    share = share_of(value, span)
    return str(min(int(share * 10), 9)) if is_plain() else BLOCKS[1 + min(int(share * EIGHTHS), EIGHTHS - 1)]


def sampled(values: Values, cells: int) -> Values:
    """As many of the values as there are cells, evenly, the first and the last among them."""
    if len(values) <= cells:
        return values
    return [values[round(cell * (len(values) - 1) / (cells - 1))] for cell in range(cells)]


def plot(values: Values, span: tuple[float, float], columns: int) -> list[Text]:
    """The values as columns of blocks, HEIGHT lines from the top down, with the span on the left."""
    low, high = span
    wide = [end - start for start, end in pairwise(_starts(len(values), columns))]
    return [
        Text.assemble(
            (_margin(high if line == HEIGHT - 1 else low if line == 0 else None), "dim"),
            ("".join(_block(value, span, line) * n for value, n in zip(values, wide, strict=True)).rstrip(), "cyan"),
        )
        for line in reversed(range(HEIGHT))
    ]


def _starts(points: int, columns: int) -> list[int]:
    """The column, after the margin, where each of the points begins, and where the last one ends."""
    room = max(points, columns - LEFT)
    return [place * room // points for place in range(points + 1)]


def _margin(number: float | None) -> str:
    bar = "|" if is_plain() else "│"
    return " " * (LEFT - 1) + bar if number is None else f"{number:>{LEFT - 2}.1f} " + bar


def _block(value: float | None, span: tuple[float, float], line: int) -> str:
    if value is None:
        return " " if line else ("." if is_plain() else "·")
    # The lowest value is seen as well: it has a line of its own thickness.
    eighths = max(1, round(share_of(value, span) * HEIGHT * EIGHTHS)) - line * EIGHTHS
    if is_plain():
        return "#" if eighths > EIGHTHS // 2 or (line == 0 and eighths > 0) else " "
    return BLOCKS[min(max(eighths, 0), EIGHTHS)]


def under_plot(labels: Sequence[str], columns: int) -> Text:
    """What each of the points is called, in a line under a plot: equal neighbours once, from where they begin."""
    starts = _starts(len(labels), columns)
    runs = [list(run) for _, run in groupby(range(len(labels)), key=labels.__getitem__)]
    begins = [starts[run[0]] for run in runs]
    if len(begins) > 1:
        # The last one may begin a little early, so that it is whole, where the one before stays whole.
        earliest = begins[-2] + len(labels[runs[-2][0]]) + 1
        begins[-1] = min(begins[-1], max(earliest, starts[-1] - len(labels[-1])))
    line = ""
    for run, (begin, end) in zip(runs, pairwise([*begins, starts[-1] + 1]), strict=True):
        line = line.ljust(begin)[:begin] + cut(labels[run[0]], end - begin - 1)
    return Text(" " * LEFT + line, style="dim")


def cut(label: str, room: int) -> str:
    """As much of a label as there is room for."""
    if len(label) <= room:
        return label
    return label[: room - 1] + ("." if is_plain() else "…") if room >= SHORTEST else ""


def dated(first: str, last: str, points: int, columns: int) -> Text:
    """The first and the last day, under the ends of a plot."""
    room = _starts(points, columns)[-1]
    if first == last or room < len(first) + len(last) + 2:
        return Text(" " * LEFT + last, style="dim")
    return Text(" " * LEFT + first + last.rjust(room - len(first)), style="dim")
