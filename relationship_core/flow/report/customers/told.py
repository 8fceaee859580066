"""What interactions tell beside their kind: the texts in ``data``, and the days and instants that they name."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from relationship_core.flow.record.fold import data_instant


def told(
    history: pl.DataFrame, kinds: Sequence[str], instants: Sequence[str] = (), zone: str = "UTC"
) -> Iterator[Mapping[str, Any]]:
    """The rows of these kinds, oldest first, with ``data`` as a mapping of texts.

    Args:
        history: rows of INTERACTIONS.
        kinds: the kinds of interaction.
        instants: names in the data whose instants are added to each row under these names, read as measures read
            them; None where there is none.
        zone: the project's; a date lasts until its day there ends.
    """
    rows = history.filter(pl.col("kind").is_in(kinds))
    if rows.is_empty():
        return
    named = [data_instant(name, zone).alias(name) for name in instants]
    for row in rows.sort("at").with_columns(named).iter_rows(named=True):
        yield row | {"data": _texts(row["data"])}


def _texts(data: str | None) -> Mapping[str, str]:
    try:
        found = json.loads(data or "{}")
    except ValueError:
        return {}
    if not isinstance(found, dict):
        return {}
    return {str(name): str(text).strip() for name, text in found.items() if text is not None and str(text).strip()}


def last_day(end: datetime, zone: str) -> date:
    """The last project-local day before an instant: what ends at midnight ends with the day before."""
    return (end - timedelta(microseconds=1)).astimezone(ZoneInfo(zone)).date()


def number_told(text: str | None) -> float | None:
    """The positive number that a text names; None where there is none. So do measures read it."""
    if text is None or not text.isascii() or "_" in text:  # Python alone takes these for numbers
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 < number < float("inf") else None
