"""Sets a message's paragraphs into columns: how its lines stand, and how much room they take."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from relationship_core import RejectedError
from relationship_post.breaking import Line, lines as broken
from relationship_post.faces import BOLD, Faces, Style
from relationship_post.markup import Paragraph
from relationship_post.page import Text

_LEADING = 1.35
_HEADING = 1.25
_INDENT = 1.2
"""How far the items of a list stand from the left, in font sizes."""


@frozen
class _Row:
    """A line, how far it stands from the left, its size, and how much room it takes from the line above."""

    line: Line
    indent: float
    size: float
    advance: float


@frozen(kw_only=True)
class Column:
    """Where text may stand: from ``top`` down to ``bottom``."""

    left: float
    top: float
    width: float
    bottom: float


def rows(paragraphs: Sequence[Paragraph], faces: Faces, *, size: float, width: float) -> list[_Row]:
    """The lines of paragraphs, for a column of this width."""
    found: list[_Row] = []
    for paragraph in paragraphs:
        scale = size * _HEADING if paragraph.heading else size
        indent = _INDENT * size if paragraph.indent else 0.0
        runs = [(_bold(style, paragraph), text) for style, text in paragraph.runs]
        leading = scale * _LEADING
        gap = 0.0 if not found else size * (0.25 if paragraph.indent else 0.65)
        for line in broken(runs, faces, size=scale, width=width - indent):
            found.append(_Row(line, indent, scale, leading + gap))
            gap = 0.0
    return found


def height(lines: Sequence[_Row]) -> float:
    """How high the lines are together."""
    return sum(each.advance for each in lines)


def placed(lines: Sequence[_Row], columns: Sequence[Column], *, repeat: bool) -> list[list[Text]]:
    """The lines in columns, a list of texts for each column that is used.

    Args:
        lines: the lines.
        columns: the columns, in the order in which they are filled.
        repeat: whether the last column comes again and again, as on further pages.

    Raises:
        RejectedError: there is more text than room.
    """
    found: list[list[Text]] = [[]]
    number, y = 0, columns[0].top
    for row in lines:
        advance = row.advance if found[-1] else row.size
        if y + advance > columns[number].bottom and found[-1]:
            if number + 1 == len(columns) and not repeat:
                message = "the text is too long for the card: shorten it, or send a letter"
                raise RejectedError(message)
            number = min(number + 1, len(columns) - 1)
            found.append([])
            y, advance = columns[number].top, row.size
        y += advance
        found[-1].append(Text(columns[number].left + row.indent, y, row.size, row.line))
    return found


def _bold(style: Style, paragraph: Paragraph) -> Style:
    return style | BOLD if paragraph.heading else style
