"""What a message says, as paragraphs of plain, bold and italic runs; from text, or from simple HTML."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TypeAlias

from attrs import frozen

from relationship_core import RejectedError
from relationship_post.faces import BOLD, ITALIC, PLAIN, Style, clean

Run: TypeAlias = tuple[Style, str]
"""A style, and text with spaces and line breaks as they are set."""


@frozen
class Paragraph:
    """A paragraph.

    Attributes:
        runs: what it says.
        heading: whether it is a heading, which is set larger.
        indent: whether it is an item of a list.
    """

    runs: tuple[Run, ...]
    heading: bool = False
    indent: bool = False


_BLOCKS = frozenset(
    {"p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "table", "tr", "section", "article", "header"}
    | {"footer", "main", "body", "blockquote", "address", "hr", "pre"}
)
_STYLES = {"b": BOLD, "strong": BOLD, "th": BOLD, "i": ITALIC, "em": ITALIC, "cite": ITALIC}
_SILENT = frozenset({"script", "style", "head", "title", "template"})
# A line as long as this was broken for the width of a screen, not where the reader is to see a new line.
_WRAPPED = re.compile(r"(?<=[^\n]{60})\n")
_SPACE = re.compile(r"[ \t\r\n\f]+")


def paragraphs(text: str, html: str) -> tuple[Paragraph, ...]:
    """The paragraphs of a message: of its HTML where it has some, else of its text.

    Raises:
        RejectedError: the HTML is none.
    """
    return _of_html(html) if html.strip() else _of_text(text)


def _of_text(text: str) -> tuple[Paragraph, ...]:
    parts = (part.strip("\n") for part in re.split(r"\n[ \t]*\n", clean(text)))
    return tuple(Paragraph(((PLAIN, _WRAPPED.sub(" ", part)),)) for part in parts if part.strip())


def _of_html(html: str) -> tuple[Paragraph, ...]:
    reader = _Reader()
    try:
        reader.feed(html)
        reader.close()
    except AssertionError as error:  # what the library says of a declaration that is none
        message = "the HTML holds a declaration, <!..., that is none: take it out"
        raise RejectedError(message) from error
    return reader.finished()


class _Reader(HTMLParser):
    """Paragraphs, bold, italics, lists, line breaks, and links as text; of anything else, what it says."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._done: list[Paragraph] = []
        self._runs: list[Run] = []
        self._open: list[str] = []
        self._links: list[tuple[str, int]] = []
        self._numbers: list[int | None] = []
        self._silent = 0
        self._item = self._heading = False

    def finished(self) -> tuple[Paragraph, ...]:
        self._end_paragraph()
        return tuple(self._done)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silent += 1
        elif tag == "br":
            self._runs.append((PLAIN, "\n"))
        elif tag in _STYLES:
            self._open.append(tag)
        elif tag == "a":
            self._links.append((dict(attrs).get("href") or "", len(self._runs)))
        elif tag in {"td", "th"} and self._runs:
            self._runs.append((PLAIN, " "))
        elif tag in _BLOCKS:
            self._begin_block(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _SILENT:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent = max(0, self._silent - 1)
        elif tag in _STYLES and tag in self._open:
            self._open.remove(tag)
        elif tag == "a" and self._links:
            self._end_link(*self._links.pop())
        elif tag in _BLOCKS:
            self._end_block(tag)

    def handle_data(self, data: str) -> None:
        if self._silent:
            return
        text = _SPACE.sub(" ", clean(data))
        if not self._runs or self._runs[-1][1].endswith((" ", "\n")):
            text = text.lstrip(" ")
        if text:
            style = PLAIN
            for tag in self._open:
                style |= _STYLES[tag]
            self._runs.append((style, text))

    def _begin_block(self, tag: str) -> None:
        self._end_paragraph()
        self._heading = tag in {"h1", "h2", "h3"}
        if tag in {"ul", "ol"}:
            self._numbers.append(0 if tag == "ol" else None)
        elif tag == "li":
            self._item = True
            self._runs.append((PLAIN, self._bullet()))

    def _bullet(self) -> str:
        if not self._numbers or self._numbers[-1] is None:
            return "•\u00a0"
        self._numbers[-1] += 1
        return f"{self._numbers[-1]}.\u00a0"

    def _end_block(self, tag: str) -> None:
        self._end_paragraph()
        if tag in {"ul", "ol"} and self._numbers:
            self._numbers.pop()

    def _end_link(self, address: str, since: int) -> None:
        said = "".join(text for _, text in self._runs[since:]).strip()
        shown = clean(address.removeprefix("mailto:").removeprefix("tel:"))
        if shown and shown != said and not shown.startswith("#"):
            self._runs.append((PLAIN, f" ({shown})" if said else shown))

    def _end_paragraph(self) -> None:
        if self._runs and self._runs[-1][1].endswith(" "):
            style, text = self._runs.pop()
            self._runs.append((style, text.rstrip(" ")))
        if any(text.strip() for _, text in self._runs):
            self._done.append(Paragraph(tuple(self._runs), heading=self._heading, indent=self._item))
        self._runs, self._item, self._heading = [], False, False
