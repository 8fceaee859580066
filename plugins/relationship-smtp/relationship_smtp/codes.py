"""What enhanced status codes (RFC 3463) say about an address."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from relationship_core import SuppressionReason

_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.]*\d)")

GONE_ADDRESSES = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"})
"""The address does not exist, its domain does not, it cannot exist, it moved away, its domain takes no mail. The other
codes of 5.1 are about our own address, or say nothing certain."""


def status_in(text: str) -> str:
    """The first enhanced status code in a text, such as ``5.1.1``; empty where there is none."""
    found = _STATUS.search(text)
    return ".".join(str(int(part)) for part in found.groups()) if found else ""


def suppression_for(status: str) -> SuppressionReason | None:
    """Why an address must not be used again; None where it may work another time."""
    return "hard_bounce" if status in GONE_ADDRESSES else None
