"""A server's words, without the people and secrets in them."""

from __future__ import annotations

import re
from collections.abc import Iterable

LONGEST = 200
"""So many characters of them are kept."""

_ADDRESS = re.compile(r"<[^<>\s]*@[^<>\s]*>|[^\s<>(),;:\"]+@[^\s<>(),;:\"]+")
_LINK = re.compile(r"\b[a-z]+://\S+", re.IGNORECASE)
_UNSEEN = re.compile(r"[^ -~]+")
_SHORTEST_NAME = 3


def without_people(words: str, people: Iterable[str] = (), secrets: Iterable[str] = ()) -> str:
    """What a server said, in one line of ASCII: without addresses, links, names and secrets.

    Args:
        words: what it said.
        people: names and addresses, of which no word of three letters or more is kept.
        secrets: texts of which nothing is kept.
    """
    for secret in filter(None, secrets):
        words = words.replace(secret, "...")
    words = _ADDRESS.sub("<address>", _LINK.sub("<link>", words))
    names = sorted({name for each in people for name in re.findall(r"\w+", each.partition("@")[0])}, key=len)
    for name in reversed(names):
        if len(name) >= _SHORTEST_NAME:
            words = re.sub(rf"\b{re.escape(name)}\b", "<name>", words, flags=re.IGNORECASE)
    return _UNSEEN.sub(" ", words).strip()[:LONGEST]
