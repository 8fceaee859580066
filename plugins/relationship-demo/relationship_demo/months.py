"""Months of a replay, by the clocks of one zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from attrs import frozen


@frozen
class Month:
    """One month, by the clocks of a zone.

    Attributes:
        name: as ``2017-01``.
        since: its first instant, in UTC.
        until: the first instant of the next month, in UTC.
    """

    name: str
    since: datetime
    until: datetime

    @property
    def end(self) -> datetime:
        """Its last second, from which it is looked back upon."""
        return self.until - timedelta(seconds=1)


def months_from(year: int, count: int, zone: str) -> tuple[Month, ...]:
    """So many months in order, the first of them January of the year."""
    names = [(year + n // 12, n % 12 + 1) for n in range(count + 1)]
    starts = [datetime(*name, 1, tzinfo=ZoneInfo(zone)).astimezone(UTC) for name in names]
    return tuple(Month(f"{name[0]}-{name[1]:02}", starts[n], starts[n + 1]) for n, name in enumerate(names[:-1]))
