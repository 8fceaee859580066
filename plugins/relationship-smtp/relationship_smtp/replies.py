"""Replies: what a person wrote to the address that our mail is from."""

from __future__ import annotations

import re
from email.message import Message as Mail
from hashlib import sha256
from typing import TYPE_CHECKING

from relationship_core import RawRequest, Reply
from relationship_smtp.headers import address, decoded, first_instant, header, our_ids, words
from relationship_smtp.html_text import text_of

if TYPE_CHECKING:
    from relationship_core import ReplyWish

LONGEST = 20_000
"""So many characters of a reply are kept."""

_MACHINES = frozenset(
    {"mailer-daemon", "postmaster", "noreply", "no-reply", "donotreply", "do-not-reply", "mail-daemon", "bounce"}
)
_MARKS = (
    *("x-autoreply", "x-autorespond", "x-autoresponder", "x-auto-reply", "x-mail-autoreply", "list-id"),
    *("list-unsubscribe", "feedback-id", "x-failed-recipients"),
)
"""Headers that no mail of a person to a person has."""
_BULK = frozenset({"bulk", "junk", "list", "auto_reply"})
_AWAY = re.compile(r"(automatic reply|auto(matic)?[- ]?response|out of (the )?office|autoreply)\b", re.IGNORECASE)
_STOP = frozenset({"stop", "unsubscribe", "remove me", "stop all", "opt out", "optout"})
_QUOTED = re.compile(r"^>|^-{2,} ?original message ?-{2,}$|^_{10,}$", re.IGNORECASE)
# "On 2 March 2026 Corner Bakery <hello@example.com> wrote:", in any language, and often on two lines.
_ATTRIBUTION = re.compile(r"(^|\n)[^\n]*\d[^\n]*(\n[^\n]+)?:$")


def reply_to(mail: Mail, request: RawRequest, *, domain: str, sender: str) -> Reply | None:
    """What a mail says as a reply; None where no person wrote it, or we did.

    Args:
        mail: the mail.
        request: what it came as.
        domain: the right side of the Message-ID of our messages.
        sender: the address that our own mail is from.
    """
    author = address(mail, "From")
    if not author or author.lower() == sender or is_automatic(mail):
        return None
    # Of the references the last one is the nearest (RFC 5322, 3.6.4).
    answered = our_ids(header(mail, "In-Reply-To"), domain) + our_ids(header(mail, "References"), domain)[::-1]
    said = own_words(text_in(mail))
    return Reply(
        id=header(mail, "Message-ID") or sha256(request.body).hexdigest(),
        medium="email",
        address=author,
        at=first_instant([header(mail, "Date")], request.received_at),
        text=said[:LONGEST],
        message=answered[0].lower() if answered else None,
        wish=_wish(said) if answered else None,
    )


def is_automatic(mail: Mail) -> bool:
    """Whether a machine wrote a mail: an absence, a notice, a list (RFC 3834)."""
    if header(mail, "Auto-Submitted").lower().partition(";")[0].strip() not in {"", "no"}:
        return True
    if header(mail, "Precedence").lower() in _BULK or header(mail, "Return-Path") == "<>":
        return True
    if any(name in mail for name in _MARKS) or header(mail, "X-Auto-Response-Suppress").lower() == "all":
        return True
    if address(mail, "From").partition("@")[0].lower() in _MACHINES:
        return True
    return _AWAY.match(words(mail, "Subject")) is not None


def text_in(mail: Mail) -> str:
    """The text of a mail; of one with HTML alone, the text of that."""
    for kind in ("text/plain", "text/html"):
        for part in mail.walk():
            if part.get_content_type() == kind and part.get_content_disposition() != "attachment":
                content = part.get_payload(decode=True)
                if isinstance(content, bytes):
                    text = decoded(content, part.get_content_charset())
                    return text if kind == "text/plain" else text_of(text)
    return ""


def own_words(text: str) -> str:
    """A text without what it quotes: from the first quoted line, and the line that announces it."""
    lines = text.replace("\0", "").replace("\r\n", "\n").split("\n")
    end = next((place for place, line in enumerate(lines) if _QUOTED.search(line)), len(lines))
    own = "\n".join(lines[:end]).rstrip()
    return (_ATTRIBUTION.sub("", own) if end < len(lines) else own).strip()


def _wish(said: str) -> ReplyWish | None:
    """A wish in one line that says nothing else; anything longer is for a person to read."""
    return "stop" if said.strip(" .!\n\t").lower() in _STOP else None
