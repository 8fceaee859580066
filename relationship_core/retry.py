"""How long a provider asks to wait, as answers of HTTP say it (RFC 9110, section 10.2.3)."""

from __future__ import annotations

import re
from datetime import UTC
from email.utils import parsedate_to_datetime

LONGEST_WAIT = 86_400.0
"""So many seconds at most are waited because a provider says so."""


def retry_after(said: str, date: str = "") -> float | None:
    """The seconds of a ``Retry-After`` header, for a receipt; None where nothing is said that is understood.

    Args:
        said: the header: seconds, or a date; empty where there is none.
        date: the ``Date`` header of the same answer. A date is compared with it, and with no clock of ours.

    Returns:
        0 to 86,400.
    """
    said = said.strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", said):
        return min(float(said), LONGEST_WAIT)
    until, answered = _seconds(said), _seconds(date)
    if until is None or answered is None:
        return None
    return min(max(until - answered, 0.0), LONGEST_WAIT)


def _seconds(date: str) -> float | None:
    """A date of HTTP, in seconds since 1970."""
    try:
        read = parsedate_to_datetime(date)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
