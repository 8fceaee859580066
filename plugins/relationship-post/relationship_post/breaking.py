"""Breaks paragraphs into lines. Words break at spaces, those of Chinese and Japanese anywhere."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from relationship_post.faces import Faces, Style
from relationship_post.markup import Run

Line: TypeAlias = list[tuple[Style, str]]
"""The runs of one line."""

_WIDE = "\u2e80-\u2fdf\u3000-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff"
_NEVER_FIRST = "、。，．・：；！？ー々）］｝〉》」』】ゃゅょっャュョッ"  # noqa: RUF001  wide signs are meant
# A wide letter with the signs that may not begin a line, a line break, spaces, or a word.
_TOKEN = re.compile(rf"[{_WIDE}][{_NEVER_FIRST}]*|\n| +|[^\s{_WIDE}\n ]+|\s")
_WORD = re.compile(r"\n| +|[^ \n]+")
_NARROW = re.compile(rf"[^{_WIDE}]*")


def lines(runs: Sequence[Run], faces: Faces, *, size: float, width: float) -> list[Line]:
    """The lines of a paragraph.

    Args:
        runs: what it says.
        faces: the fonts.
        size: the font size in points.
        width: how wide a line may be, in points.
    """
    limit = width * 1000 / size
    if len(runs) == 1 and _NARROW.fullmatch(runs[0][1]):
        style, text = runs[0]
        if (quick := _of_one_style(style, text, faces, limit)) is not None:
            return quick
    return list(_filled(_words(runs), faces, limit))


def _of_one_style(style: Style, text: str, faces: Faces, limit: float) -> list[Line] | None:
    """The same for text of one style, several times as quick; None where a word is wider than a line."""
    found: list[Line] = []
    width, space = faces.width, faces.width(" ", style)
    for part in text.split("\n"):
        line: list[str] = []
        used = limit  # so that the first word begins a line
        for word in part.split(" "):
            if not word:
                continue
            wide = width(word, style)
            if wide > limit:
                return None
            used += space + wide
            if used > limit:
                if line:
                    found.append([(style, " ".join(line))])
                line, used = [], wide
            line.append(word)
        found.append([(style, " ".join(line))] if line else [])
    if text.endswith("\n"):
        found.pop()
    return found


def _words(runs: Sequence[Run]) -> Iterator[list[Run]]:
    """What stays on one line: a word of one or several styles, or a single space or line break."""
    word: list[Run] = []
    for style, text in runs:
        narrow = _NARROW.fullmatch(text) is not None
        for part in (_WORD if narrow else _TOKEN).findall(text):
            glues = part[0] not in " \n" and (narrow or not _is_wide(part))
            if glues:
                word.append((style, part))
                continue
            if word:
                yield word
                word = []
            yield [(style, part if part[0] != " " else " ")]
    if word:
        yield word


def _is_wide(part: str) -> bool:
    return _NARROW.fullmatch(part[0]) is None


def _filled(words: Iterable[list[Run]], faces: Faces, limit: float) -> Iterator[Line]:
    line: Line = []
    used, space = 0, False
    for word in words:
        text = word[0][1]
        if text == "\n":
            yield line
            line, used, space = [], 0, False
        elif text == " ":
            space = bool(line)
        else:
            wide = sum(faces.width(part, style) for style, part in word)
            gap = faces.width(" ", word[0][0]) if space else 0
            if line and used + gap + wide > limit:
                yield line
                line, used, gap, space = [], 0, 0, False
            if wide > limit:
                *full, (rest, wide) = _torn(word, faces, limit)
                yield from (each for each, _ in full)
            else:
                rest = word
            if space:
                _add(line, rest[0][0], " ")
            for style, part in rest:
                _add(line, style, part)
            used, space = used + gap + wide, False
    if line:
        yield line


def _add(line: Line, style: Style, text: str) -> None:
    if line and line[-1][0] == style:
        line[-1] = (style, line[-1][1] + text)
    else:
        line.append((style, text))


def _torn(word: list[Run], faces: Faces, limit: float) -> Iterator[tuple[list[Run], int]]:
    """A word that is wider than a line, in parts that are not."""
    part: Line = []
    used = 0
    for style, text in word:
        for letter in text:
            wide = faces.width(letter, style)
            if part and used + wide > limit:
                yield part, used
                part, used = [], 0
            _add(part, style, letter)
            used += wide
    yield part, used
