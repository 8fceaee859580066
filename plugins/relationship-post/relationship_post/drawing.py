"""Draws pages as PDF: the same pages give the same bytes."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

import segno
from PIL import Image
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from relationship_core import ConfigurationError
from relationship_post.faces import PLAIN, Faces
from relationship_post.page import BLACK, Code, Page, Picture, Sheet
from relationship_post.windows import MM

_MARK = 5 * MM
_MARK_GAP = 2 * MM
_QUIET_MODULES = 4
"""The white border that a QR code needs to be read (ISO/IEC 18004)."""

MOST_BYTES = 2331
"""What a QR code of the largest size holds with the error correction that is used here, M (ISO/IEC 18004, table 7)."""


class Drawing:
    """One PDF file in the making.

    Every page has the boxes that printers ask for: the trim is the finished sheet, the bleed is what is printed
    beyond it, and the media holds both and the marks.
    """

    def __init__(self, sheet: Sheet, faces: Faces, *, title: str, picture: Path | None = None) -> None:
        self._sheet = sheet
        self._faces = faces
        self._picture = ImageReader(str(picture)) if picture is not None else None
        self._edge = sheet.bleed + (_MARK + _MARK_GAP if sheet.crop_marks else 0.0)
        self._height = sheet.height + 2 * self._edge
        self._file = BytesIO()
        size = (sheet.width + 2 * self._edge, self._height)
        first = faces.face(PLAIN).name  # reportlab's own choice would be a font that is not embedded
        make: Any = Canvas  # its types take the name of a font for a number
        self._canvas: Any = make(self._file, pagesize=size, invariant=1, pageCompression=0, initialFontName=first)
        self._canvas.setTitle(title)
        self._canvas.setAuthor("")
        self._canvas.setTrimBox(self._box(0.0))
        self._canvas.setBleedBox(self._box(sheet.bleed))
        self.pages = 0

    def add(self, pages: Iterable[Page]) -> None:
        """Draw pages behind those that are there."""
        for page in pages:
            self._draw(page)
            self._canvas.showPage()
            self.pages += 1

    def finished(self) -> bytes:
        """The file; nothing can be added to it any more."""
        self._canvas.save()
        return self._file.getvalue()

    def _draw(self, page: Page) -> None:
        for picture in page.pictures:
            self._draw_picture(picture)
        for box in page.boxes:
            self._canvas.setFillColorRGB(*box.colour)
            self._canvas.rect(self._x(box.x), self._y(box.y + box.height), box.width, box.height, stroke=0, fill=1)
        for code in page.codes:
            self._draw_code(code)
        self._draw_texts(page)
        if self._sheet.crop_marks:
            self._draw_marks()

    def _draw_texts(self, page: Page) -> None:
        text = self._canvas.beginText()
        pieces = self._faces.pieces
        colour = None
        for each in page.texts:
            if each.colour != colour:
                text.setFillColorRGB(*each.colour)
                colour = each.colour
            text.setTextOrigin(self._x(each.x), self._y(each.y))
            parts = [part for style, run in each.line for part in pieces(run, style)]
            for name, part in parts[:-1]:
                text.setFont(name, each.size)
                text.textOut(part)
            for name, part in parts[-1:]:
                text.setFont(name, each.size)
                text.textLine(part)  # what stands behind it has a place of its own: its width need not be known
        self._canvas.drawText(text)

    def _draw_code(self, code: Code) -> None:
        rows = modules(code.content)
        side = code.side / (len(rows) + 2 * _QUIET_MODULES)
        path = self._canvas.beginPath()
        for number, row in enumerate(rows):
            y = self._y(code.y + (number + _QUIET_MODULES + 1) * side)
            for first, count in row:
                path.rect(self._x(code.x + (first + _QUIET_MODULES) * side), y, count * side, side)
        self._canvas.setFillColorRGB(*BLACK)
        self._canvas.drawPath(path, stroke=0, fill=1)

    def _draw_picture(self, picture: Picture) -> None:
        image = self._picture
        if image is None:
            return
        wide, high = image.getSize()
        scale = max(picture.width / wide, picture.height / high)
        x, y = self._x(picture.x), self._y(picture.y + picture.height)
        self._canvas.saveState()
        path = self._canvas.beginPath()
        path.rect(x, y, picture.width, picture.height)
        self._canvas.clipPath(path, stroke=0, fill=0)
        left = x - (wide * scale - picture.width) / 2
        below = y - (high * scale - picture.height) / 2
        self._canvas.drawImage(image, left, below, wide * scale, high * scale)
        self._canvas.restoreState()

    def _draw_marks(self) -> None:
        sheet, canvas = self._sheet, self._canvas
        near, far = sheet.bleed + _MARK_GAP, self._edge
        canvas.setLineWidth(0.25)
        for x in (0.0, sheet.width):
            for begin, end in ((-far, -near), (sheet.height + near, sheet.height + far)):
                canvas.line(self._x(x), self._y(begin), self._x(x), self._y(end))
        for y in (0.0, sheet.height):
            for begin, end in ((-far, -near), (sheet.width + near, sheet.width + far)):
                canvas.line(self._x(begin), self._y(y), self._x(end), self._y(y))
        canvas.setDash(2, 2)
        for x in sheet.folds:
            for begin, end in ((-far, -near), (sheet.height + near, sheet.height + far)):
                canvas.line(self._x(x), self._y(begin), self._x(x), self._y(end))
        canvas.setDash()

    def _box(self, beyond: float) -> tuple[float, float, float, float]:
        left = self._edge - beyond
        return (left, left, left + self._sheet.width + 2 * beyond, left + self._sheet.height + 2 * beyond)

    def _x(self, x: float) -> float:
        return self._edge + x

    def _y(self, y: float) -> float:
        return self._height - self._edge - y


def check_picture(path: Path) -> None:
    """Refuse a picture that cannot be printed.

    Raises:
        ConfigurationError: it is no picture, is not all there, or has more points than a sheet has any use for.
    """
    try:
        # Of a large one the library only warns, and then takes minutes and gigabytes.
        with (
            warnings.catch_warnings(action="error", category=Image.DecompressionBombWarning),
            Image.open(path) as image,
        ):
            image.load()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        message = (
            f"the picture {path} cannot be read: name a JPEG or PNG file of at most {Image.MAX_IMAGE_PIXELS} points"
        )
        raise ConfigurationError(message) from error


@lru_cache(maxsize=16)
def modules(content: str) -> list[list[tuple[int, int]]]:
    """The dark modules of a QR code: for each row, where a run of them begins and how long it is."""
    return [_dark_runs(row) for row in segno.make_qr(content, error="m").matrix]


def _dark_runs(row: Iterable[int]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for number, module in enumerate(row):
        if module and found and sum(found[-1]) == number:
            found[-1] = (found[-1][0], found[-1][1] + 1)
        elif module:
            found.append((number, 1))
    return found
