"""What headers of strangers' mail say, whatever is in them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message as Mail
from email.utils import parseaddr, parsedate_to_datetime

_UNSEEN = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]+")
_AHEAD = timedelta(hours=12)
"""A sender's clock may be so far ahead; later than that it is not believed."""


def header(mail: Mail, name: str) -> str:
    """The first header of that name as it was sent, on one line; empty where there is none."""
    return _UNSEEN.sub(" ", str(mail.get(name, ""))).strip()


def words(mail: Mail, name: str) -> str:
    """A header for people: its encoded words in letters."""
    raw = header(mail, name)
    try:
        parts = decode_header(raw)
    except (HeaderParseError, ValueError):
        return raw
    said = "".join(part if isinstance(part, str) else decoded(part, charset) for part, charset in parts)
    return _UNSEEN.sub(" ", said).strip()


def decoded(content: bytes, charset: str | None) -> str:
    """Bytes as text; what the character set does not know becomes a question mark of its own."""
    try:
        return content.decode(charset or "utf-8", "replace")
    except (LookupError, ValueError):
        return content.decode("utf-8", "replace")


def address(mail: Mail, name: str) -> str:
    """The address in a header; empty where there is none that mail could be sent to."""
    found = parseaddr(header(mail, name))[1]
    return found if re.fullmatch(r"[!-?A-~]+@[A-Za-z0-9.-]+", found) else ""


def instant(text: str) -> datetime | None:
    """A date of a mail (RFC 5322); None where it is none. Without a zone it is taken for UTC."""
    try:
        at = parsedate_to_datetime(text)
        return at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def first_instant(texts: list[str], received_at: datetime) -> datetime:
    """The first of these dates that can be believed; when the mail came to us where none can."""
    for text in texts:
        at = instant(text)
        if at is not None and at <= received_at + _AHEAD:
            return at
    return received_at


def our_ids(text: str, domain: str) -> list[str]:
    """The ids of our messages among the Message-IDs of a text, in their order."""
    return re.findall(rf"<([0-9a-f]{{32}})@{re.escape(domain)}>", text, flags=re.IGNORECASE)
