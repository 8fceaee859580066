"""The past of one customer: what happened and what we sent, line by line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from attrs import frozen

from relationship_core.model.words import TASK_SOURCE

if TYPE_CHECKING:
    import polars as pl

CATEGORIES_SHOWN = 4
"""So many categories of an order stand in its line of the timeline."""


@frozen(kw_only=True)
class TimelineEntry:
    """One line of a customer's history.

    Attributes:
        at: when.
        kind: the interaction's kind, or ``message`` for what we sent.
        source: the system that reported it, or the campaign.
        minor: money, in minor units; None without.
        detail: what else a person wants to know.
    """

    at: datetime
    kind: str
    source: str
    minor: int | None = None
    detail: str = ""


def timeline(
    history: pl.DataFrame, messages: pl.DataFrame, heard: pl.DataFrame, entries: int
) -> tuple[TimelineEntry, ...]:
    """What happened last, newest first.

    Args:
        history: rows of INTERACTIONS.
        messages: rows of MESSAGES.
        heard: rows of DELIVERY_EVENTS.
        entries: how many lines.
    """
    happened = [
        TimelineEntry(
            at=row["at"],
            kind=row["kind"],
            source=row["source"],
            minor=row["amount"],
            detail=_lines(row["lines"]) or _outcome(row) or row["reference"] or "",
        )
        for row in history.sort("at", descending=True).head(entries).iter_rows(named=True)
    ]
    last = {message: kind for message, kind, _ in heard.select("message", "type", "at").sort("at", "type").iter_rows()}
    sent = [
        TimelineEntry(
            at=row["settled_at"] or row["queued_at"],
            kind="message",
            source=row["campaign"],
            detail=f"{row['channel']}: {_state(row['state'], last.get(row['id'], ''))}",
        )
        for row in messages.sort("queued_at", descending=True).head(entries).iter_rows(named=True)
    ]
    return tuple(sorted((*happened, *sent), key=lambda entry: entry.at, reverse=True)[:entries])


def _state(state: str, heard: str) -> str:
    """Where a message is, and what was heard of it last where that says more."""
    return f"{state}, {heard}" if heard and heard != state else state


def _outcome(row: Mapping[str, object]) -> str:
    """What came of a task, and the note about it; empty for what comes from elsewhere."""
    if row["source"] != TASK_SOURCE:
        return ""
    said = json.loads(str(row["data"] or "{}"))
    return ": ".join(str(said[name]) for name in ("outcome", "note") if said.get(name))


def _lines(lines: list[Mapping[str, object]] | None) -> str:
    """An order's categories, those with the most lines first."""
    categories = [str(line["category"]) for line in lines or () if line["category"] is not None]
    ranked = sorted(set(categories), key=lambda category: (-categories.count(category), category))
    more = len(ranked) - CATEGORIES_SHOWN
    return ", ".join(ranked[:CATEGORIES_SHOWN]) + (f" and {more} more" if more > 0 else "")
