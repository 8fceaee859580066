"""What the customer told us: goals, preferences and causes; what they own; and what they buy most."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
from attrs import frozen

from relationship_core.flow.report.customers.told import last_day, number_told, told

MOST = 5
"""So many products, and so many categories, are named."""


@frozen(kw_only=True)
class Goal:
    """Something the customer wants to achieve.

    Attributes:
        goal: in the words that were recorded.
        by: until when; None where nothing was said.
        help: how we help; may be empty.
        declared_at: when they told us; None where only its end is recorded.
        reached_at: when they had it; None while it is open.
    """

    goal: str
    by: date | None
    help: str
    declared_at: datetime | None
    reached_at: datetime | None


@frozen(kw_only=True)
class OwnedItem:
    """Something the customer owns.

    Attributes:
        reference: its id, such as a serial number.
        name: what it is called; else its product, else its reference.
        acquired_at: when they got it; None where only its services are recorded.
        retired_at: when they gave it up; None while they have it.
        serviced_at: the last service; None before the first.
        service_interval_days: days between services; None where nothing says so.
        service_on: the project-local day of the next service; None where nothing says so, or it is retired.
    """

    reference: str
    name: str
    acquired_at: datetime | None
    retired_at: datetime | None
    serviced_at: datetime | None
    service_interval_days: float | None
    service_on: date | None


@frozen(kw_only=True)
class StatedPreference:
    """What the customer said they like, the last word on each topic.

    Attributes:
        topic: what it is about.
        value: what they said.
        at: when.
    """

    topic: str
    value: str
    at: datetime


@frozen(kw_only=True)
class Favourite:
    """A product or category that the customer buys.

    Attributes:
        sort: ``product`` or ``category``.
        name: as the orders call it.
        lines: in how many order lines.
        minor: money for them, in minor units; None where no line says so.
    """

    sort: str
    name: str
    lines: int
    minor: int | None


def goals(history: pl.DataFrame, zone: str) -> tuple[Goal, ...]:
    """The goals, open ones first and by their date; one without a reference goes by its words."""
    found: dict[str, dict[str, Any]] = {}
    for row in told(history, ("goal_declared", "goal_reached"), ("by",), zone):
        data = row["data"]
        goal = found.setdefault(row["reference"] or data.get("goal", ""), {"goal": row["reference"] or ""})
        if row["kind"] == "goal_reached":
            goal["reached_at"] = row["at"]
            continue
        by = goal.get("by"), None if row["by"] is None else last_day(row["by"], zone)
        goal["by"] = max((day for day in by if day), default=None)
        goal.setdefault("declared_at", row["at"])
        goal |= {"goal": data.get("goal", goal["goal"]), "help": data.get("help", goal.get("help", ""))}
    nothing = {"by": None, "help": "", "declared_at": None, "reached_at": None}
    every = [Goal(**(nothing | goal)) for goal in found.values()]
    return tuple(sorted(every, key=lambda goal: (goal.reached_at is not None, goal.by or date.max, goal.goal)))


def items(history: pl.DataFrame, zone: str) -> tuple[OwnedItem, ...]:
    """What they own, by reference; what is retired comes last."""
    found: dict[str, dict[str, Any]] = {}
    for row in told(history, ("item_acquired", "item_retired", "service")):
        if not row["reference"]:
            continue
        item = found.setdefault(row["reference"], {"reference": row["reference"]})
        data = row["data"]
        if row["kind"] == "item_acquired":
            name = data.get("name") or data.get("product") or item.get("name")
            intervals = item.get("service_interval_days"), number_told(data.get("service_interval_days"))
            # Whoever has it again after they gave it up has it.
            item |= {"acquired_at": row["at"], "retired_at": None, "name": name}
            item["service_interval_days"] = max((each for each in intervals if each), default=None)
        else:
            item["retired_at" if row["kind"] == "item_retired" else "serviced_at"] = row["at"]
    every = (_item(item, zone) for item in found.values() if "acquired_at" in item)
    return tuple(sorted(every, key=lambda item: (item.retired_at is not None, item.reference)))


def _item(known: Mapping[str, Any], zone: str) -> OwnedItem:
    interval, retired = known.get("service_interval_days"), known.get("retired_at")
    last = max(known["acquired_at"], known.get("serviced_at") or known["acquired_at"])
    next_service = None
    if interval is not None and retired is None and interval < timedelta.max.days:
        try:
            next_service = last.astimezone(ZoneInfo(zone)).date() + timedelta(days=interval)
        except OverflowError:  # so far away that there is no such day
            next_service = None
    return OwnedItem(
        reference=known["reference"],
        name=known.get("name") or known["reference"],
        acquired_at=known["acquired_at"],
        retired_at=retired,
        serviced_at=known.get("serviced_at"),
        service_interval_days=interval,
        service_on=next_service,
    )


def preferences(history: pl.DataFrame) -> tuple[StatedPreference, ...]:
    """The last word on each topic, by topic."""
    found = {
        row["data"]["topic"]: StatedPreference(
            topic=row["data"]["topic"], value=row["data"].get("value", ""), at=row["at"]
        )
        for row in told(history, ("preference_declared",))
        if "topic" in row["data"]
    }
    return tuple(found[topic] for topic in sorted(found))


def causes(history: pl.DataFrame) -> tuple[str, ...]:
    """What the customer declared to care for, or took part in, by name."""
    rows = told(history, ("preference_declared", "community_act"))
    return tuple(sorted({row["data"]["cause"] for row in rows if "cause" in row["data"]}))


def likes(history: pl.DataFrame) -> tuple[Favourite, ...]:
    """The categories and then the products with the most order lines."""
    lines = history.filter(pl.col("kind") == "order", pl.col("lines").list.len() > 0).select(
        pl.col("lines").explode().struct.unnest()
    )
    return tuple(like for sort in ("category", "product") for like in _most(lines, sort))


def _most(lines: pl.DataFrame, sort: str) -> list[Favourite]:
    bought = (
        lines.filter(pl.col(sort).is_not_null())
        .group_by(pl.col(sort).alias("name"))
        .agg(pl.len().alias("lines"), pl.when(pl.col("minor").count() > 0).then(pl.col("minor").sum()).alias("minor"))
        .sort(["lines", "name"], descending=[True, False])
        .head(MOST)
    )
    return [Favourite(sort=sort, **row) for row in bought.iter_rows(named=True)]
