"""What Lob prints: HTML pages made of a message."""

from __future__ import annotations

import re
from html import escape, unescape
from math import ceil
from typing import TYPE_CHECKING

from relationship_core import RejectedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from relationship_core import Message

# On the first page of a letter Lob prints both addresses into the upper 3.5 inches.
_LETTER = """
@page { size: 8.5in 11in; margin: 0.9in 1in }
body { margin: 0; font: 11pt/1.4 Georgia, "Times New Roman", serif; color: #111 }
main { padding-top: 2.8in }
h1 { font-size: 12pt; margin: 0 0 10pt }
p { margin: 0 0 9pt }
"""
# A quarter of an inch of the sheet is cut off; on the back the right 3.4 inches are the carrier's.
_BACK = """
body { margin: 0; width: 6.25in; height: 4.25in; position: relative; font: 8.5pt/1.3 Georgia, serif; color: #111 }
main { position: absolute; left: 0.3in; top: 0.3in; width: 2.4in; height: 3.6in; overflow: hidden }
p { margin: 0 0 5pt }
"""
_FRONT = """
body { margin: 0; width: 6.25in; height: 4.25in; display: table; background: #f0ebdd; color: #111 }
h1 { display: table-cell; vertical-align: middle; text-align: center; padding: 0.6in; font: bold 24pt Georgia, serif }
"""
_SHEETS = {"4x6": (6.25, 4.25), "6x9": (9.25, 6.25), "6x11": (11.25, 6.25)}
# A line as long as this was broken for the width of a screen, not where the reader is to see a new line.
_WRAPPED = re.compile(r"(?<=[^\n]{60})\n")
_CHARACTERS_A_LINE = 42
_LINES = 22
_LONGEST_SUBJECT = 90


def pages(message: Message, *, kind: str, size: str) -> Mapping[str, str]:
    """The files of a letter, ``file``, or of a postcard, ``front`` and ``back``.

    Args:
        message: what it says; HTML that is a whole page stays as it is.
        kind: ``letter`` or ``postcard``.
        size: of a postcard, such as ``4x6``.

    Raises:
        RejectedError: there is nothing to print, or too much for a postcard, which Lob would cut off.
    """
    if not (message.text.strip() or message.html.strip()):
        reason = "there is no text to print"
        raise RejectedError(reason)
    body = message.html or _paragraphs(message.text)
    if kind == "letter":
        heading = f"<h1>{escape(message.subject)}</h1>" if message.subject else ""
        return {"file": _page(f"<main>{heading}{body}</main>", _LETTER, message)}
    _check_room(message, size)
    front = f"<h1>{escape(message.subject)}</h1>"
    return {
        "front": _page(front, _sized(_FRONT, size), message, is_content=False),
        "back": _page(f"<main>{body}</main>", _sized(_BACK, size), message),
    }


def _check_room(message: Message, size: str) -> None:
    """Refuse what would be cut off; an estimate, since nobody but Lob sets the page."""
    if "<html" in message.html.lower():
        return
    said = _said(message.html) if message.html else message.text
    needed = sum(ceil(len(line) / _CHARACTERS_A_LINE) or 1 for line in said.strip().split("\n"))
    if needed > _LINES * (1 if size == "4x6" else 2):
        reason = "the text is too long for the postcard: shorten it, or send a letter"
        raise RejectedError(reason)
    if len(message.subject) > _LONGEST_SUBJECT:
        reason = "the subject is too long for the front of the postcard: shorten it"
        raise RejectedError(reason)


def _said(html: str) -> str:
    lines = re.sub(r"<(br|/p|/div|/li|/h[1-6])\b[^>]*>", "\n", re.sub(r"\s+", " ", html), flags=re.IGNORECASE)
    return unescape(re.sub(r"<[^>]*>", "", lines))


def _sized(style: str, size: str) -> str:
    width, height = _SHEETS[size]
    return style.replace("6.25in", f"{width}in", 1).replace("4.25in", f"{height}in", 1)


def _page(body: str, style: str, message: Message, *, is_content: bool = True) -> str:
    if is_content and "<html" in message.html.lower():
        return message.html
    language = f' lang="{escape(message.locale)}"' if message.locale else ""
    return f'<html{language}><head><meta charset="utf-8"><style>{style}</style></head><body>{body}</body></html>'


def _paragraphs(text: str) -> str:
    parts = (part.strip("\n") for part in re.split(r"\n[ \t]*\n", text.replace("\r\n", "\n")))
    joined = (_WRAPPED.sub(" ", each) for each in parts if each)
    return "".join(f"<p>{escape(each).replace(chr(10), '<br>')}</p>" for each in joined)
