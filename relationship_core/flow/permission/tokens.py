"""Tokens: what a link in a message says to whoever receives the click. Signed, opaque, and not for ever.

A token names the message that it was sent with, what may be done with it, and until when; the message id is opaque
itself, and only the project's own store knows whose it is. So a token holds nothing that needs to be hidden, and
nothing of it can be changed: it ends with the first 16 bytes of an HMAC-SHA256 (RFC 2104; RFC 4868 keeps as many) over
everything before them.

    version (1 byte) | purpose (1) | expiry, seconds since 1970-01-01 UTC (5) | message id (16) | MAC (16)

That is 39 bytes, and 52 characters of base64url (RFC 4648, section 5), with no bit to spare that could be changed
unseen.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeAlias, get_args

from attrs import frozen

from relationship_core.errors import RejectedError, WrongArgumentError
from relationship_core.model.instants import utc
from relationship_core.model.message import is_outbox_id

TokenPurpose: TypeAlias = Literal["unsubscribe", "preference", "confirm"]
"""What a link may be used for: to end messages, to say which relationship is wanted, to confirm a consent."""

LIFETIMES: Mapping[TokenPurpose, timedelta] = {
    # The law wants 30 working days after sending, and people come back to mail of last year.
    "unsubscribe": timedelta(days=400),
    "preference": timedelta(days=90),
    "confirm": timedelta(days=7),
}
"""How long a link of each purpose works."""

VERSION = 1
"""The first byte of every token of this form; another form takes another number, so that old links are told apart."""

TOKEN_LENGTH = 52
"""Characters of a token."""

_CODES: Mapping[TokenPurpose, int] = {"unsubscribe": 1, "preference": 2, "confirm": 3}
"""The second byte; a code is never given to another purpose."""

_EXPIRY_BYTES, _MAC_BYTES = 5, 16
_SIGNED_BYTES = 23
_TOKEN = re.compile(rf"[A-Za-z0-9_-]{{{TOKEN_LENGTH}}}", re.ASCII)
_KEY_LABEL = b"relationship-core link token"


@frozen(kw_only=True)
class Token:
    """What a token says.

    Attributes:
        purpose: what it may be used for.
        message: the id of the message that it was sent with.
        expires_at: until when it works.
    """

    purpose: TokenPurpose
    message: str
    expires_at: datetime


def sign_token(purpose: TokenPurpose, message: str, *, secrets: Sequence[str], now: datetime) -> str:
    """Make the token of a link.

    Args:
        purpose: what the link may be used for.
        message: the id of the message that it is part of, 32 hexadecimal digits as the outbox makes them.
        secrets: the project's secrets, the one in use first.
        now: when the link is made; it works for the purpose's lifetime from then on.

    Returns:
        52 letters, digits, hyphens and underscores.

    Raises:
        WrongArgumentError: there is no such purpose, no secret, or the message id is another one's.
    """
    _refuse_purpose(purpose)
    if not is_outbox_id(message):
        told = "a token is for a message of the outbox, whose id is 32 hexadecimal digits in lower case"
        raise WrongArgumentError(told)
    expiry = int((utc(now) + LIFETIMES[purpose]).timestamp())
    said = bytes((VERSION, _CODES[purpose])) + expiry.to_bytes(_EXPIRY_BYTES, "big") + bytes.fromhex(message)
    return base64.urlsafe_b64encode(said + _mac(said, _keys(secrets)[0])).decode("ascii")


def read_token(token: str, purpose: TokenPurpose, *, secrets: Sequence[str], now: datetime) -> Token:
    """What a token says, if this project made it for this purpose and it still works.

    Args:
        token: what the link held.
        purpose: what it is about to be used for.
        secrets: the project's secrets: the one in use, and earlier ones whose links still work.
        now: the present.

    Raises:
        RejectedError: it was changed or cut, is for something else, is another project's, or has expired. The message
            repeats nothing of it.
        WrongArgumentError: there is no such purpose, or no secret.
    """
    _refuse_purpose(purpose)
    said = _said(token, _keys(secrets))
    if said is None or said[0] != VERSION or said[1] != _CODES[purpose]:
        message = f"this is no link of this project for this purpose ({purpose}); ask for a new one"
        raise RejectedError(message)
    expires_at = datetime.fromtimestamp(int.from_bytes(said[2 : 2 + _EXPIRY_BYTES], "big"), UTC)
    if utc(now) >= expires_at:
        message = f"this link ({purpose}) worked until {expires_at:%Y-%m-%d}; ask for a new one"
        raise RejectedError(message)
    return Token(purpose=purpose, message=said[2 + _EXPIRY_BYTES :].hex(), expires_at=expires_at)


def _said(token: str, keys: Sequence[bytes]) -> bytes | None:
    """What is signed of a token; None where no key signed it."""
    if not _TOKEN.fullmatch(token):
        return None
    whole = base64.urlsafe_b64decode(token)
    said, mac = whole[:_SIGNED_BYTES], whole[_SIGNED_BYTES:]
    # Every key is tried, and each comparison takes the same time, so that nothing can be learned from how long it took.
    matches = [hmac.compare_digest(_mac(said, key), mac) for key in keys]
    return said if any(matches) else None


def _mac(said: bytes, key: bytes) -> bytes:
    return hmac.digest(key, said, "sha256")[:_MAC_BYTES]


def _keys(secrets: Sequence[str]) -> list[bytes]:
    """A key for tokens alone from each secret, which may be used for other things as well."""
    if isinstance(secrets, str) or not secrets or not all(secrets):
        message = "tokens are signed with the project's secrets: a list of texts, none of them empty"
        raise WrongArgumentError(message)
    return [hmac.digest(secret.encode(), _KEY_LABEL, "sha256") for secret in secrets]


def _refuse_purpose(purpose: str) -> None:
    if purpose not in get_args(TokenPurpose):
        message = f"a token is for one of {', '.join(get_args(TokenPurpose))}, not {purpose!r}"
        raise WrongArgumentError(message)
