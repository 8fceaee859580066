"""How many segments an SMS has: each is paid for.

An SMS has 140 bytes. In the GSM 7-bit alphabet (3GPP TS 23.038, section 6.2.1) these are 160 characters, of which those
of the extension table take two; a single other character makes the whole text UCS-2 with 70 units of 16 bits. A longer
text is sent in segments with a header of 6 bytes each (TS 23.040, section 9.2.3.24.1), which leaves 153 and 67. Neither
an extended character nor a surrogate pair is split between two segments.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias

from attrs import frozen

Encoding: TypeAlias = Literal["GSM-7", "UCS-2"]

BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The basic table: a character's place is its code. ESC leads to the other table and is no character."""

EXTENSION = {
    0x0A: "\f", 0x14: "^", 0x28: "{", 0x29: "}", 0x2F: "\\", 0x3C: "[", 0x3D: "~", 0x3E: "]", 0x40: "|", 0x65: "€",
}  # fmt: skip
"""The extension table: a character by its code behind ESC."""

ALONE = {"GSM-7": 160, "UCS-2": 70}
JOINED = {"GSM-7": 153, "UCS-2": 67}
"""How many units a segment has: one that is the whole message, and one of several."""

_SINGLE = frozenset(BASIC) - {"\x1b"}
_DOUBLE = frozenset(EXTENSION.values())
_GSM = _SINGLE | _DOUBLE
_LAST_OF_ONE_UNIT = 0xFFFF


@frozen(kw_only=True)
class Segments:
    """How a text is sent.

    Attributes:
        encoding: the alphabet.
        units: how many units of it the text takes: septets, or 16 bits each.
        count: how many segments it takes; an empty text takes one.
    """

    encoding: Encoding
    units: int
    count: int


def segments(text: str) -> Segments:
    """How a text is sent as SMS."""
    encoding: Encoding = "GSM-7" if _GSM.issuperset(text) else "UCS-2"
    sizes = [2 if each in _DOUBLE else 1 for each in text] if encoding == "GSM-7" else _wide(text)
    units = sum(sizes)
    count = 1 if units <= ALONE[encoding] else _joined(sizes, JOINED[encoding])
    return Segments(encoding=encoding, units=units, count=count)


def _wide(text: str) -> Sequence[int]:
    return [2 if ord(each) > _LAST_OF_ONE_UNIT else 1 for each in text]


def _joined(sizes: Iterable[int], room: int) -> int:
    count, used = 1, 0
    for size in sizes:
        if used + size > room:
            count, used = count + 1, 0
        used += size
    return count
