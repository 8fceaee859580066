"""What no channel may pass on: ids that are no file names, headers of more than one line, halves of characters."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import quote

from relationship_core.errors import UnsupportedError

if TYPE_CHECKING:
    from relationship_core.model.message import Message

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
_BREAKS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
"""Control characters, and what else str.splitlines takes for the end of a line."""
_MAILBOX = re.compile(r"[^\s@<>,;:\"()\[\]\\]+@[^\s@<>,;:\"()\[\]\\]+")
_LINK = re.compile(r"https://[!#-;=?-\[\]^_a-z~]{1,890}")
"""An address that a header may hold between < and >, on a line of at most 998 characters."""
_LONGEST_NAME = 900
"""So many characters at most may the name of a file come to in a header, where each byte takes up to three."""


def refusal(message: Message, medium: str) -> str:
    """Why a message will never be accepted; empty where it may be. It repeats nothing of the message."""
    if not is_file_name(message.id):
        return "the message's id is not made of letters, digits, hyphens and underscores"
    problem = _refused_headers(message, medium) or _refused_text(message)
    return problem or (_refused_parts(message) if medium == "email" else "")


def _refused_headers(message: Message, medium: str) -> str:
    if not _one_line(message.subject):
        return "the subject holds a line break or another control character"
    if not _one_line(message.recipient):
        return "the recipient's name holds a line break or another control character"
    # A postal address is the lines of its label.
    lines = message.address.split("\n") if medium == "post" else [message.address]
    if not all(map(_one_line, lines)):
        return "the address holds a line break or another control character"
    if medium == "email" and not (message.address.isascii() and _MAILBOX.fullmatch(message.address)):
        return "the address is no e-mail address in ASCII"
    return ""


def _refused_text(message: Message) -> str:
    for text in (message.subject, message.recipient, message.address, message.text, message.html):
        try:
            text.encode()
        except UnicodeEncodeError as error:
            return f"it holds U+{ord(text[error.start]):04X}, which is half a character that UTF-8 lacks"
    return ""


def _refused_parts(message: Message) -> str:
    if message.unsubscribe and not _LINK.fullmatch(message.unsubscribe):
        return "the address at which one click unsubscribes is none of https, in ASCII, of at most 898 characters"
    for file in message.attachments:
        if not _one_line(file.name):
            return "the name of an attachment holds a line break or another control character"
        if len(quote(file.name, safe="", errors="replace")) > _LONGEST_NAME:
            return "the name of an attachment is too long"
    return ""


def refuse_attachments(messages: Iterable[Message]) -> None:
    """Refuse messages with files, for a channel that cannot deliver any.

    Raises:
        UnsupportedError: a message has one.
    """
    if any(message.attachments for message in messages):
        told = "this channel delivers no attachments; send the message through another one, or without its files"
        raise UnsupportedError(told)


def is_file_name(message: str) -> bool:
    """Whether a message's id can name a file in one folder."""
    return _ID.fullmatch(message) is not None


def _one_line(text: str) -> bool:
    """Whether text stays on one line, wherever it is written."""
    return _BREAKS.search(text) is None
