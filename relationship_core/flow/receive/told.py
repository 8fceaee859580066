"""What others tell, as it can be kept: times that can be so, and text that can be written."""

from __future__ import annotations

from datetime import datetime

from relationship_core.model.instants import EARLIEST, utc


def within(told: datetime, now: datetime) -> datetime:
    """The instant that was told, in UTC; the present where it lies ahead, and EARLIEST where it lies before."""
    return min(max(utc(told), EARLIEST), utc(now))


def written(told: str) -> str:
    """The text that was told, with a question mark for each half of a surrogate pair, which no encoding has."""
    return told.encode("utf-8", "replace").decode("utf-8")
