"""Codes of coupons: one for all where the offer has one, otherwise one of its own for each message."""

from __future__ import annotations

import hmac
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from relationship_core.model.offer import Offer


ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O and U, so that nobody reads one for another (https://www.crockford.com/base32.html)."""
LENGTH = 10
"""Characters, of five bits each: 2^50 codes."""
SAMPLE = "SAMPLECODE"
"""What stands for a code where nothing is sent."""

_BITS = 5
_BETWEEN = re.compile(r"[\s\-\u2010-\u2015]+")
_MEANT = str.maketrans("OIL", "011")


def coupon_code(offer: Offer, message: str, salt: str) -> str:
    """The code of the coupon that a message issues.

    Args:
        offer: what the message offers.
        message: its id.
        salt: the project's, without which no code can be guessed; empty where only a sample is shown.
    """
    if offer.code:
        return offer.code
    if not salt:
        return SAMPLE
    number = int.from_bytes(hmac.digest(salt.encode(), f"coupon\x1f{message}".encode(), "sha256"), "big")
    return "".join(ALPHABET[number >> place * _BITS & 31] for place in range(LENGTH))


def as_meant(code: str) -> str:
    """A code as it was meant, however typed: case, blanks, hyphens, and O for 0 or I and L for 1, do not count."""
    return _BETWEEN.sub("", code).upper().translate(_MEANT)
