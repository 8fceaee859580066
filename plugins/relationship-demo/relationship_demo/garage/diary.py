"""The diary of one relationship: what happened, as rows of INTERACTIONS, and when it was reported."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import polars as pl
from attrs import field, frozen

from relationship_core import INTERACTIONS
from relationship_demo.garage.people import ZONE

Line: TypeAlias = dict[str, Any]
"""One line of an order, with the fields of ORDER_LINE."""

HOURS = {"morning": (7.5, 10.5), "workshop": (7.5, 17.5), "telephone": (8.0, 19.0), "sofa": (18.0, 22.5)}
"""When people do things, in hours of the local day: bring a car, call, write a review."""
SUNDAY = 6

REPORTED = {**INTERACTIONS.schema, "reported": INTERACTIONS.schema["at"]}
"""The columns of a diary: those of INTERACTIONS, and when the row reaches us."""


@frozen(kw_only=True)
class Actor:
    """Somebody who acts in a relationship.

    Attributes:
        customer: the id under which it is reported.
        share: how often it is this one, relative to the others.
        source: the system that reports what they do.
    """

    customer: str
    share: float = 1.0
    source: str = "workshop"


@frozen
class Diary:
    """What happened in one relationship.

    Attributes:
        key: tells this diary's rows from those of others.
        random: where chance comes from.
        since: nothing happens before.
        until: nothing happens from here on: the end of the data.
    """

    key: str
    random: Random
    since: datetime
    until: datetime
    rows: list[dict[str, Any]] = field(factory=list)

    def note(
        self,
        kind: str,
        at: datetime,
        who: Actor,
        reference: str | None = None,
        *,
        lines: Sequence[Line] = (),
        **data: str,
    ) -> None:
        """Write down what happened; what the data are too short for is left out."""
        at = at.replace(second=0, microsecond=0)
        if not self.since <= at < self.until:
            return
        amount = sum(line["minor"] for line in lines) if lines else None
        self.rows.append(
            {
                "source": who.source,
                "id": f"{self.key}-{len(self.rows) + 1}",
                "customer": who.customer,
                "kind": kind,
                "at": at,
                "amount": amount,
                "reference": reference,
                "lines": list(lines) or None,
                "data": json.dumps(data, sort_keys=True),
                "reported": at,
            }
        )

    def reference(self, what: str) -> str:
        """A new reference for a promise, a case, a favour."""
        return f"{what}-{self.key}-{len(self.rows) + 1}"

    def happens(self, share: float) -> bool:
        """Whether something of such a probability happens."""
        return self.random.random() < share

    def whole(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return self.random.randint(low, high)

    def at_hour(self, day: date, where: str) -> datetime:
        """An instant of that local day, or of Monday where it is a Sunday and the workshop is closed."""
        if where != "sofa" and day.weekday() == SUNDAY:
            day += timedelta(days=1)
        minutes = round(60 * self.random.uniform(*HOURS[where]))
        return local(day, minutes)

    def after(self, at: datetime, low: float, high: float, where: str = "telephone") -> datetime:
        """An instant so many days after another, at an hour at which people do such a thing; never before it."""
        day = (at + timedelta(days=self.random.uniform(low, high))).astimezone(ZoneInfo(ZONE)).date()
        found = self.at_hour(day, where)
        return found if found > at else self.at_hour(day + timedelta(days=1), where)

    def arrivals(self, a_year: float, since: datetime, until: datetime) -> list[datetime]:
        """Instants of a Poisson process of that rate, in the evenings."""
        found = []
        at = since
        while a_year > 0:
            at += timedelta(days=self.random.expovariate(a_year / 365))
            if at >= until:
                break
            found.append(self.at_hour(at.astimezone(ZoneInfo(ZONE)).date(), "sofa"))
        return found


def local(day: date, minutes: int) -> datetime:
    """So many minutes after the midnight of a local day by the clock on the wall, in UTC."""
    wall = datetime.combine(day, time(minutes // 60, minutes % 60), tzinfo=ZoneInfo(ZONE))
    return wall.astimezone(UTC)


def frame(rows: Sequence[dict[str, Any]]) -> pl.DataFrame:
    """Rows of diaries as columns, in the order of their reports."""
    return pl.DataFrame(rows, schema=REPORTED, orient="row").sort("reported", "at", "source", "id")
