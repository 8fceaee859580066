"""Links: the addresses in messages under which customers unsubscribe, say what they want, and confirm.

An address is that of ``[project] links``, a letter for its purpose, and a token: ``https://example.com/r/u/AQE...``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlsplit

from attrs import field, frozen

from relationship_core.flow.permission.tokens import TOKEN_LENGTH, TokenPurpose, sign_token
from relationship_core.model.message import is_outbox_id
from relationship_core.model.words import LINKS

LETTERS: Mapping[TokenPurpose, str] = {"unsubscribe": "u", "preference": "p", "confirm": "c"}
"""What stands before the token; links are short, since a header that holds one must stay on one line."""

_PURPOSES = {letter: purpose for purpose, letter in LETTERS.items()}
_SAMPLE = "sample".ljust(TOKEN_LENGTH, "-")
"""Stands for the token in a preview and a test: nobody's, and as long as one."""


@frozen(kw_only=True)
class Links:
    """Where the links of messages lead.

    Attributes:
        base: the address of ``[project] links``; empty for none.
        salt: signs tokens; empty where nothing is sent.
    """

    base: str
    salt: str = field(repr=False)

    def of(self, message: str, purpose: TokenPurpose, now: datetime) -> str:
        """The address of one purpose for one message; empty where the project has none for links.

        Args:
            message: its id; what is not of the outbox gets a sample, which does nothing.
            purpose: what it is for.
            now: when the message goes.
        """
        if not self.base:
            return ""
        real = self.salt and is_outbox_id(message)
        token = sign_token(purpose, message, secrets=(self.salt,), now=now) if real else _SAMPLE
        return f"{self.base.rstrip('/')}/{LETTERS[purpose]}/{token}"


def link_names(base: str) -> Mapping[str, frozenset[str]]:
    """What templates may name of links; nothing where the project has no address for them."""
    return {LINKS: frozenset(LETTERS)} if base else {}


def link_words(links: Links, message: str, now: datetime) -> Mapping[str, object]:
    """What templates read of links."""
    return {LINKS: {purpose: links.of(message, purpose, now) for purpose in LETTERS}} if links.base else {}


def purpose_and_token(url: str) -> tuple[TokenPurpose, str] | None:
    """What a link is for and its token, whatever its address begins with; None where it is no link of ours."""
    *_, letter, token = ["", "", *urlsplit(url).path.rstrip("/").split("/")]
    return (_PURPOSES[letter], token) if letter in _PURPOSES else None
