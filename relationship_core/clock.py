"""The one place that asks the machine for the time; everything else is handed a clock."""

from __future__ import annotations

from datetime import UTC, datetime


def system_clock() -> datetime:
    """The present instant in UTC."""
    return datetime.now(UTC)
