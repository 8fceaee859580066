"""E-mail messages as bytes (RFC 5322), put together by hand.

EmailMessage makes a few hundred of them a second and a folder takes thousands; tests parse the bytes back.
Every body is quoted-printable: it reads well, survives any relay, and cannot contain the boundary, which has
``=_`` in it.
"""

from __future__ import annotations

from binascii import b2a_qp
from email.header import Header
from email.utils import format_datetime, formataddr, parseaddr
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from relationship_core.model.message import Message


LONGEST_PLAIN_HEADER = 900
"""A line may have 998 characters; a longer header is folded."""


def eml(message: Message, *, sender: str, domain: str) -> bytes:
    """One message with its headers. Line breaks in what becomes a header must have been refused before.

    Args:
        message: what to write; with HTML it becomes multipart/alternative.
        sender: for From: ``Corner Bakery <hello@example.com>``, or the bare address.
        domain: the right side of Message-ID.

    Raises:
        UnicodeError: the text holds half a surrogate pair, or an address is not ASCII.
    """
    headers = (
        f"From: {_mailbox(*parseaddr(sender))}",
        f"To: {_mailbox(message.recipient, message.address)}",
        f"Subject: {_words(message.subject, 'Subject')}",
        f"Date: {format_datetime(message.at)}",
        f"Message-ID: <{message.id}@{domain}>",
        "MIME-Version: 1.0",
    )
    head = "\r\n".join(headers).encode("ascii") + b"\r\n"
    if not message.html:
        return head + _part(message.text, "plain")
    boundary = f"=_{message.id}".encode("ascii")
    return b"".join(
        (
            head,
            b'Content-Type: multipart/alternative; boundary="' + boundary + b'"\r\n\r\n',
            *(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in _alternatives(message)),
            b"--" + boundary + b"--\r\n",
        )
    )


def _alternatives(message: Message) -> tuple[bytes, ...]:
    html = _part(message.html, "html")
    return (_part(message.text, "plain"), html) if message.text else (html,)


def _part(text: str, subtype: str) -> bytes:
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    body = b2a_qp(lines.encode("utf-8"), istext=True).replace(b"\n", b"\r\n")
    return (
        b"Content-Type: text/" + subtype.encode("ascii") + b'; charset="utf-8"\r\n'
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + body + (b"" if body.endswith(b"\n") else b"\r\n")
    )


def _mailbox(name: str, address: str) -> str:
    if not name:
        return address
    if _plain(name):
        return formataddr((name, address))
    return f"{_words(name, 'From')} <{address}>"


# Many messages share sender and subject, and encoding a header is the slowest part of a message.
@lru_cache(maxsize=256)
def _words(text: str, header: str) -> str:
    if _plain(text):
        return text
    return Header(text, "utf-8", header_name=header).encode(linesep="\r\n")


def _plain(text: str) -> bool:
    return text.isascii() and "=?" not in text and len(text) <= LONGEST_PLAIN_HEADER
