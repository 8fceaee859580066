"""One customer's story: its moves and our messages one by one, and what lies between them added up."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from attrs import frozen

from relationship_demo.business import Business

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from relationship_core import CustomerView, TimelineEntry


@frozen(kw_only=True)
class Line:
    """One line of the story.

    Attributes:
        since: the first day it speaks of, by the clocks of the business.
        until: the last.
        what: what happened.
        why: what it rested on; empty where there is nothing to say.
    """

    since: str
    until: str
    what: str
    why: str = ""


def story(view: CustomerView, business: Business) -> tuple[Line, ...]:
    """The story of a customer, oldest first."""
    return tuple(_lines(view, business))


def _lines(view: CustomerView, business: Business) -> Iterator[Line]:
    between: list[TimelineEntry] = []
    entries = sorted(view.timeline, key=lambda entry: entry.at)
    for at, line in sorted(_turns(view, business), key=lambda turn: turn[0]):
        while entries and entries[0].at <= at:
            between.append(entries.pop(0))
        yield from _added_up(between, business)
        between.clear()
        yield line
    yield from _added_up(entries, business)


def _turns(view: CustomerView, business: Business) -> Iterator[tuple[datetime, Line]]:
    """What deserves a line of its own, each with its instant."""
    for move in view.transitions:
        evidence = ", ".join(f"{name} {_short(value)}" for name, value in move.evidence.items())
        day = _day(move.at, business)
        yield move.at, Line(since=day, until=day, what=f"{move.origin} becomes {move.target}", why=evidence)
    for entry in view.timeline:
        if entry.kind == "message":
            day = _day(entry.at, business)
            yield entry.at, Line(since=day, until=day, what=f"we send: {entry.source}", why=entry.detail)


def _added_up(entries: list[TimelineEntry], business: Business) -> Iterator[Line]:
    happened = [entry for entry in entries if entry.kind != "message"]
    if not happened:
        return
    kinds = Counter(entry.kind for entry in happened)
    what = ", ".join(_counted(kind, number, business) for kind, number in kinds.most_common())
    minor = sum(entry.minor or 0 for entry in happened)
    yield Line(
        since=_day(happened[0].at, business),
        until=_day(happened[-1].at, business),
        what=what,
        why=f"{minor / 100:,.2f} {business.currency}" if minor else "",
    )


def _counted(kind: str, number: int, business: Business) -> str:
    one, many = business.wording.plurals.get(kind, (kind, kind))
    return f"{number} {one if number == 1 else many}"


def _short(value: str) -> str:
    """A number with three digits; anything else as it is."""
    try:
        return f"{float(value):.3g}"
    except ValueError:
        return value


def _day(at: datetime, business: Business) -> str:
    return f"{at.astimezone(ZoneInfo(business.zone)):%Y-%m-%d}"
