"""What stands on a page, before it is drawn: runs of text, QR codes, rectangles and a picture.

Lengths are in points; positions are measured from the left and from the top edge of the trimmed sheet.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TypeAlias

from attrs import field, frozen

from relationship_core import RejectedError
from relationship_post.breaking import Line, lines as broken
from relationship_post.faces import PLAIN, Faces, clean

Colour: TypeAlias = tuple[float, float, float]

BLACK: Colour = (0.0, 0.0, 0.0)
GREY: Colour = (0.35, 0.35, 0.35)
PALE: Colour = (0.94, 0.92, 0.87)

_SIZES = (10.5, 10.0, 9.5, 9.0, 8.5, 8.0, 7.5, 7.0)
_WHOLE_DOWN_TO = 8.5
"""Lines are set smaller down to this size before a long one is broken."""
_LEADING = 1.2
_DESCENT = 0.3


@frozen
class Text:
    """One line of text.

    Attributes:
        x: where it begins.
        y: its baseline.
        size: the font size.
        line: what it says.
        colour: in red, green and blue from 0 to 1.
    """

    x: float
    y: float
    size: float
    line: Line
    colour: Colour = BLACK


@frozen
class Box:
    """A filled rectangle; a thin one is a line."""

    x: float
    y: float
    width: float
    height: float
    colour: Colour


@frozen
class Code:
    """A QR code and where it stands; ``side`` is its width and height."""

    x: float
    y: float
    side: float
    content: str


@frozen
class Picture:
    """The picture that fills a rectangle; what is too much of it is cut off."""

    x: float
    y: float
    width: float
    height: float


@frozen(kw_only=True)
class Page:
    """Everything on one side of a sheet."""

    texts: Sequence[Text] = ()
    boxes: Sequence[Box] = ()
    codes: Sequence[Code] = ()
    pictures: Sequence[Picture] = ()


@frozen(kw_only=True)
class Sheet:
    """The sheets of a format.

    Attributes:
        width: of the trimmed sheet.
        height: of the trimmed sheet.
        bleed: how far what is printed goes beyond the trim.
        crop_marks: whether there are marks outside where to cut.
        folds: where there are marks outside where to fold, from the left.
    """

    width: float
    height: float
    bleed: float = 0.0
    crop_marks: bool = False
    folds: tuple[float, ...] = field(default=())


def address_texts(
    lines: Sequence[str],
    faces: Faces,
    *,
    left: float,
    top: float,
    width: float,
    height: float,
    from_below: bool = False,
) -> list[Text]:
    """The lines of an address, in the largest size at which they fit into a rectangle.

    Raises:
        RejectedError: they do not fit in any size that can be read.
    """
    widest = max((faces.width(line, PLAIN) for line in lines), default=0) / 1000
    whole = [(size, [[(PLAIN, line)] for line in lines]) for size in _SIZES if size >= _WHOLE_DOWN_TO]
    fitting = [(size, set_lines) for size, set_lines in whole if widest * size <= width]
    for size, set_lines in chain(fitting, _broken(lines, faces, width)):
        leading = size * _LEADING
        if (len(set_lines) - 1) * leading + (1 + _DESCENT) * size <= height:
            last = top + height - _DESCENT * size
            first = last - (len(set_lines) - 1) * leading if from_below else top + size
            return [Text(left, first + number * leading, size, line) for number, line in enumerate(set_lines)]
    message = "the address has too many or too long lines for the place where it is to stand"
    raise RejectedError(message)


def _broken(lines: Sequence[str], faces: Faces, width: float) -> Iterator[tuple[float, list[Line]]]:
    """The lines, broken where they are too long, in every size."""
    for size in _SIZES:
        yield size, [part for line in lines for part in broken([(PLAIN, line)], faces, size=size, width=width)]


def block(text: str, faces: Faces, *, left: float, top: float, width: float, size: float) -> list[Text]:
    """A small text in grey, such as the sender's, from a place downwards."""
    runs = [(PLAIN, clean(text))]
    leading = size * _LEADING
    return [
        Text(left, top + size + number * leading, size, line, GREY)
        for number, line in enumerate(broken(runs, faces, size=size, width=width))
    ]
