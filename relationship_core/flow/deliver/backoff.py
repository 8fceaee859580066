"""Backoff: how long to wait before something is tried again."""

from __future__ import annotations

import hashlib
from datetime import timedelta

_DOUBLINGS = 20
"""Beyond these nothing waits longer, whatever the longest delay is."""
_STEPS = 2**32


def delay(key: str, attempt: int, *, first: timedelta, longest: timedelta) -> timedelta:
    """Twice as long after each attempt, less a random part of up to a half, so that not all come back together.

    The random part is made of the key and the attempt: the same again wherever it is computed.

    Args:
        key: what is tried again: a message's id, a channel's name.
        attempt: how often it was tried, from 1.
        first: the delay after the first attempt.
        longest: the longest one.
    """
    doublings: int = 2 ** min(attempt - 1, _DOUBLINGS)
    whole = min(first * doublings, longest)
    digest = hashlib.blake2b(f"{key}\x1f{attempt}".encode(), digest_size=4).digest()
    return whole - whole / 2 * (int.from_bytes(digest) / _STEPS)
