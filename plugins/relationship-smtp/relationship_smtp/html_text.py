"""HTML as plain text, for readers of mail who see no HTML."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_UNSEEN = frozenset({"head", "script", "style", "template", "title"})
_PARAGRAPHS = frozenset(
    {"blockquote", "dl", "fieldset", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr",
     "ol", "p", "pre", "section", "table", "ul"}
)  # fmt: skip
_LINES = frozenset({"address", "article", "aside", "dd", "div", "dt", "li", "main", "nav", "tr"})
_CELLS = frozenset({"td", "th"})
_LINKS = ("http://", "https://", "mailto:", "tel:")
_WHITE = re.compile(r"[ \t\r\n\f]+")


class _Text(HTMLParser):
    """Collects the text of a page, with line breaks where a page has them."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._breaks = 0
        self._unseen = 0
        self._kept = 0
        self._links: list[tuple[str, int]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin an element."""
        if tag in _UNSEEN:
            self._unseen += 1
        elif tag == "br":
            self._breaks = min(2, self._breaks + 1)
        elif tag == "a":
            self._links.append((dict(attrs).get("href") or "", len(self.parts)))
        elif tag == "img":
            self.handle_data(dict(attrs).get("alt") or "")
        else:
            self._break(tag)
            if tag == "li":
                self._write("- ")
        self._kept += tag == "pre"

    def handle_endtag(self, tag: str) -> None:
        """End an element."""
        if tag in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        elif tag == "a" and self._links:
            self._end_link(*self._links.pop())
        else:
            self._break(tag)
        self._kept = max(0, self._kept - (tag == "pre"))

    def handle_data(self, data: str) -> None:
        """Take text, in which a line break is a space."""
        if self._unseen:
            return
        if self._kept:
            self._write(data)
            return
        text = _WHITE.sub(" ", data)
        if self._breaks or not self.parts or self.parts[-1].endswith((" ", "\n")):
            text = text.lstrip(" ")
        self._write(text)

    def _write(self, text: str) -> None:
        if text and self._breaks and self.parts:
            self.parts.append("\n" * self._breaks)
        if text:
            self._breaks = 0
            self.parts.append(text)

    def _break(self, tag: str) -> None:
        if tag in _PARAGRAPHS:
            self._breaks = 2
        elif tag in _LINES:
            self._breaks = max(1, self._breaks)
        elif tag in _CELLS:
            self.handle_data(" ")

    def _end_link(self, target: str, begun: int) -> None:
        said = "".join(self.parts[begun:]).strip()
        shown = target.removeprefix("mailto:").removeprefix("tel:")
        if target.startswith(_LINKS) and shown not in said:
            self._write(f" ({shown})" if said else shown)


def text_of(html: str) -> str:
    """The text that somebody reads on a page: paragraphs, items of lists, links with their addresses."""
    reader = _Text()
    reader.feed(html)
    reader.close()
    text = "".join(reader.parts).replace("\u00a0", " ")
    return re.sub(r"[ \t]+\n", "\n", text).strip("\n ") + "\n"
