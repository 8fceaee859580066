"""What interactions tell beside their kind: the facts in ``data``, and the days and instants that they name."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl


def told(history: pl.DataFrame, kinds: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """The rows of these kinds, oldest first, with ``data`` as a mapping of texts."""
    for row in history.filter(pl.col("kind").is_in(kinds)).sort("at").iter_rows(named=True):
        yield row | {"data": _facts(row["data"])}


def _facts(data: str | None) -> Mapping[str, str]:
    try:
        facts = json.loads(data or "{}")
    except ValueError:
        return {}
    if not isinstance(facts, dict):
        return {}
    return {str(name): str(fact).strip() for name, fact in facts.items() if fact is not None and str(fact).strip()}


def instant_told(text: str | None, zone: str) -> datetime | None:
    """The instant that an ISO instant names, or the end of the project-local day that an ISO date names.

    None where it is neither: an instant without a zone could be anywhere. So do measures read it.
    """
    try:
        if text is None or len(text) > len("2024-06-01"):
            instant = datetime.fromisoformat(text or "")
            return instant if instant.tzinfo else None
        return datetime.combine(date.fromisoformat(text) + timedelta(days=1), time(), tzinfo=ZoneInfo(zone))
    except (ValueError, OverflowError):
        return None


def day_told(text: str | None, zone: str) -> date | None:
    """The project-local day of an ISO date or instant; None where it is neither."""
    instant = instant_told(text, zone)
    return None if instant is None else last_day(instant, zone)


def last_day(end: datetime, zone: str) -> date:
    """The last project-local day before an instant: what ends at midnight ends with the day before."""
    return (end - timedelta(microseconds=1)).astimezone(ZoneInfo(zone)).date()


def number_told(text: str | None) -> float | None:
    """The positive number that a text names; None where there is none."""
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if 0 < number < float("inf") else None
