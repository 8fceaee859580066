"""E-mail messages as bytes (RFC 5322), put together by hand.

EmailMessage makes a few hundred of them a second and a folder takes thousands; besides, it folds a long address of
List-Unsubscribe so that nobody finds it. Tests parse the bytes back.
Every text is quoted-printable: it reads well, survives any relay, and cannot contain a boundary, which has ``=_`` in
it.
"""

from __future__ import annotations

import re
from base64 import b64encode, encodebytes
from binascii import b2a_qp
from collections.abc import Iterable
from email.utils import format_datetime, formataddr, parseaddr
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote

from relationship_core.errors import WrongDataError

if TYPE_CHECKING:
    from datetime import datetime

    from relationship_core.model.message import Attachment, Message


LONGEST_PLAIN_HEADER = 900
"""A line may have 998 characters; a longer header is folded."""

_WORD_BYTES = 45
"""So many bytes become an encoded word of 72 characters; RFC 2047 allows 75."""
_LINE = 76
_CONTINUED = 0b1100_0000
_CONTINUES = 0b1000_0000
"""The two highest bits of a byte of UTF-8 that is not the first one of its character are 10."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_UNNAMED = re.compile(r"[^ !#-\[\]-~]")
_MEDIA_TYPE = re.compile(r"(?!message/|multipart/)[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+", re.IGNORECASE)


def eml(
    message: Message, *, sender: str, domain: str, reply_to: str = "", headers: Iterable[tuple[str, str]] = ()
) -> bytes:
    """One message with its headers, in lines that end with CR LF.

    A message with HTML beside its text becomes multipart/alternative, and one with attachments multipart/mixed around
    what it would be without them. Where it has an address at which one click unsubscribes, it gets List-Unsubscribe and
    List-Unsubscribe-Post (RFC 8058), each on one line.

    Args:
        message: what to write. ``refusal`` has found nothing against it.
        sender: for From: ``Corner Bakery <hello@example.com>``, or the bare address.
        domain: the right side of Message-ID.
        reply_to: for Reply-To, as the sender; empty for none.
        headers: more of them by name; ASCII, each stays on one line.

    Raises:
        WrongDataError: a header would hold a line break or another control character.
        UnicodeError: the text holds half a surrogate pair, or an address is not ASCII.
    """
    more = tuple(headers)
    given = (message.id, message.subject, message.recipient, message.address, message.unsubscribe, sender, reply_to)
    if _CONTROL.search("".join((*given, domain, *(text for header in more for text in header)))):
        told = "a header of the message would hold a line break or another control character; take it out"
        raise WrongDataError(told)
    lines = [
        f"From: {_sender(sender, 'From')}",
        *([f"Reply-To: {_sender(reply_to, 'Reply-To')}"] if reply_to else ()),
        f"To: {_mailbox(message.recipient, message.address, 'To')}",
        f"Subject: {_words(message.subject, 'Subject')}",
        f"Date: {_date(message.at)}",
        f"Message-ID: <{message.id}@{domain}>",
    ]
    if message.unsubscribe:
        lines += [f"List-Unsubscribe: <{message.unsubscribe}>", "List-Unsubscribe-Post: List-Unsubscribe=One-Click"]
    lines += [f"{name}: {value}" for name, value in more]
    lines.append("MIME-Version: 1.0\r\n")
    return "\r\n".join(lines).encode("ascii") + _content(message)


def _content(message: Message) -> bytes:
    """The headers that say what follows, an empty line, and what follows."""
    written = _written(message)
    if not message.attachments:
        return written
    parts = (written, *map(_attached, message.attachments))
    return _multipart("mixed", f"=_mixed_{message.id}".encode("ascii"), parts)


def _written(message: Message) -> bytes:
    if not message.html:
        return _part(message.text, b"plain")
    html = _part(message.html, b"html")
    parts = (_part(message.text, b"plain"), html) if message.text else (html,)
    return _multipart("alternative", f"=_{message.id}".encode("ascii"), parts)


def _multipart(subtype: str, boundary: bytes, parts: Iterable[bytes]) -> bytes:
    return b"".join(
        (
            f'Content-Type: multipart/{subtype};\r\n boundary="'.encode("ascii") + boundary + b'"\r\n\r\n',
            *(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts),
            b"--" + boundary + b"--\r\n",
        )
    )


def _part(text: str, subtype: bytes) -> bytes:
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    body = b2a_qp(lines.encode("utf-8"), istext=True).replace(b"\n", b"\r\n")
    return (
        b"Content-Type: text/" + subtype + b'; charset="utf-8"\r\n'
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + body + (b"" if body.endswith(b"\n") else b"\r\n")
    )


def _attached(file: Attachment) -> bytes:
    # What is a message, or made of parts, may not be base64 (RFC 2046), and goes as plain bytes.
    kind = file.type if _MEDIA_TYPE.fullmatch(file.type) else "application/octet-stream"
    head = (
        f"Content-Type: {kind}\r\n"
        f"Content-Disposition: attachment;{_file_name(file.name)}\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\n"
    )
    return head.encode("ascii") + encodebytes(file.content).replace(b"\n", b"\r\n")


def _file_name(name: str) -> str:
    """The file's name for Content-Disposition (RFC 2231). Twice, in ASCII as well, some readers take the worse one."""
    if _UNNAMED.search(name) is None:
        return f' filename="{name}"'
    return f"\r\n filename*=utf-8''{quote(name, safe='')}"


@lru_cache(maxsize=64)
def _sender(sender: str, header: str) -> str:
    return _mailbox(*parseaddr(sender), header)


# A claim is filled in at one instant.
@lru_cache(maxsize=8)
def _date(at: datetime) -> str:
    return format_datetime(at)


def _mailbox(name: str, address: str, header: str) -> str:
    if not name:
        return address
    if _plain(name):
        return formataddr((name, address))
    words = _words(name, header)
    room = _LINE - len(words) + words.rfind("\n") + 1
    return f"{words} <{address}>" if len(address) + 3 <= room else f"{words}\r\n <{address}>"


def _words(text: str, header: str) -> str:
    """Text for a header: as it is, or as encoded words (RFC 2047) in lines of at most 76 characters."""
    if _plain(text):
        return text
    content = text.encode("utf-8")
    # The header's name, a colon and a space stand before the first word, and the twelve characters around it.
    room = (_LINE - len(header) - 14) // 4 * 3
    words = []
    start = 0
    while start < len(content):
        end = start + room
        while end < len(content) and content[end] & _CONTINUED == _CONTINUES:
            end -= 1
        words.append(f"=?utf-8?b?{b64encode(content[start:end]).decode('ascii')}?=")
        start, room = end, _WORD_BYTES
    return "\r\n ".join(words)


def _plain(text: str) -> bool:
    return text.isascii() and "=?" not in text and len(text) <= LONGEST_PLAIN_HEADER
