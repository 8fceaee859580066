"""Fonts: which letters there are, how wide they are, and which font each is set in.

A letter that no font has would be printed as a box, so it is found before anything is printed.
"""

from __future__ import annotations

import struct
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cached_property
from hashlib import sha256
from importlib.resources import as_file, files
from pathlib import Path
from typing import TypeAlias

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont

from relationship_core import ConfigurationError

Style: TypeAlias = int
"""The sum of BOLD and ITALIC."""

PLAIN, BOLD, ITALIC = 0, 1, 2
_FILES = ("NotoSans-Regular.ttf", "NotoSans-Bold.ttf", "NotoSans-Italic.ttf", "NotoSans-BoldItalic.ttf")
_JAPANESE = "MTLc3m.ttf"

_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})
# Blocks whose letters change with their neighbours, which takes a shaping engine.
_SHAPED = ((0x0700, 0x07BF), (0x0900, 0x0DFF), (0x0F00, 0x109F), (0x1780, 0x18AF), (0x1A00, 0x1AAF), (0xA980, 0xA9DF))
_INVISIBLE = {ord(each): None for each in "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"}
_INVISIBLE |= dict.fromkeys((*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))
_SPACES = {ord(each): " " for each in "\t\v\f\u2002\u2003\u2009\u200a\u202f"} | {0x2028: "\n", 0x2029: "\n"}
_CLEAN = {**_INVISIBLE, **_SPACES}
_KEPT_WIDTHS = 50_000


class Face:
    """One font file, known to reportlab by a name of its own."""

    def __init__(self, path: Path) -> None:
        """Read a TrueType file.

        Raises:
            ConfigurationError: it cannot be read, or is no TrueType font with outlines that can be embedded.
        """
        try:
            # By what is in it: the same fonts in another place give the same bytes.
            self.name = f"relationship-{sha256(path.read_bytes()).hexdigest()[:12]}"
            font = TTFont(self.name, str(path))
        except (OSError, TTFError, struct.error, LookupError, ValueError) as error:  # as far as it is whole
            message = (
                f"the font {path} cannot be used: name a TrueType file (.ttf), not one with outlines in CFF (.otf)"
            )
            raise ConfigurationError(message) from error
        pdfmetrics.registerFont(font)
        glyphs, widths = font.face.charToGlyph, font.face.charWidths
        # Fonts have glyphs for control characters, which are not for printing.
        self.letters = frozenset(each for each in map(chr, glyphs) if not unicodedata.category(each).startswith("C"))
        self.widths = {chr(code): widths.get(code, font.face.defaultWidth) for code in glyphs}


class Faces:
    """The fonts of a channel, each read when it is first needed."""

    def __init__(self, more: Sequence[Path] = ()) -> None:
        """Take further fonts.

        Raises:
            ConfigurationError: one of them cannot be used.
        """
        self._bundled: dict[str, Face] = {}
        self._more = tuple(Face(path) for path in more)
        self._widths: dict[tuple[str, Style], int] = {}

    def complaint(self, text: str) -> str:
        """Why text cannot be printed; empty where it can be. It names the first letter that is in the way."""
        if self.is_plain(text):
            return ""
        known = self.face(PLAIN).letters.union({"\n"}, *(each.letters for each in self._fallbacks))
        for letter in dict.fromkeys(text):
            code = f"U+{ord(letter):04X}"
            if unicodedata.bidirectional(letter) in _RIGHT_TO_LEFT:
                return f"it holds {code} of a script that runs from right to left, which is not set here"
            if any(first <= ord(letter) <= last for first, last in _SHAPED):
                return f"it holds {code} of a script whose letters change with their neighbours, which is not set here"
            if letter not in known:
                return f"it holds {code}, which no font here has; name a font that has it in the setting fonts"
        return ""

    def is_plain(self, text: str) -> bool:
        """Whether the first font has all of it."""
        return self._plain_letters.issuperset(text)

    def width(self, text: str, style: Style) -> int:
        """How wide text without line breaks is, in thousandths of the font size."""
        known = self._widths.get((text, style))
        if known is None:
            known = self._measured(text, style)
            if len(self._widths) >= _KEPT_WIDTHS:
                self._widths.clear()
            self._widths[text, style] = known
        return known

    def pieces(self, text: str, style: Style) -> Iterable[tuple[str, str]]:
        """Text in pieces of one font each, with the font's name."""
        first = self.face(style)
        if first.letters.issuperset(text):
            return [(first.name, text)]
        found: list[tuple[str, str]] = []
        for letter in text:
            name = self._face_of(letter, first).name
            if found and found[-1][0] == name:
                found[-1] = (name, found[-1][1] + letter)
            else:
                found.append((name, letter))
        return found

    def face(self, style: Style) -> Face:
        """The first font in a style."""
        return self._bundle(_FILES[style])

    @cached_property
    def _plain_letters(self) -> frozenset[str]:
        # The italics lack nothing that the upright has; a test compares them.
        return self.face(PLAIN).letters | {"\n"}

    @property
    def _fallbacks(self) -> tuple[Face, ...]:
        return (self._bundle(_JAPANESE), *self._more)

    def _bundle(self, name: str) -> Face:
        if name not in self._bundled:
            with as_file(files("relationship_post") / "fonts" / name) as path:
                self._bundled[name] = Face(path)
        return self._bundled[name]

    def _face_of(self, letter: str, first: Face) -> Face:
        if letter in first.letters:
            return first
        return next((each for each in self._fallbacks if letter in each.letters), first)

    def _measured(self, text: str, style: Style) -> int:
        first = self.face(style)
        try:
            return int(sum(map(first.widths.__getitem__, text)))
        except KeyError:
            return int(sum(self._face_of(letter, first).widths.get(letter, 0) for letter in text))


def clean(text: str) -> str:
    """Text as it is set: composed letters, plain spaces, nothing invisible."""
    if text.isascii() and text.isprintable():
        return text
    return unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n").translate(_CLEAN)
