"""One customer: where the relationship stands, what it rests on, and what happened."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

import polars as pl
from attrs import frozen

from relationship_core.columns import (
    CONTACT_POINTS,
    CUSTOMERS,
    INTERACTIONS,
    MESSAGES,
    STATES,
    TRANSITIONS,
    Page,
)
from relationship_core.errors import RejectedError
from relationship_core.flow.catalog import CONFIDENCE, Catalog
from relationship_core.flow.objects import as_transitions
from relationship_core.flow.standing import Moment, refuse_the_past, standing
from relationship_core.model.customer import ContactPoint, Customer
from relationship_core.model.relationship import Score, Transition
from relationship_core.ports import Store

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


@frozen(kw_only=True)
class CustomerView:
    """What is known about one customer as of an instant.

    Attributes:
        customer: profile and contact points.
        as_of: the instant of measures and scores; stage and mark are those of the last review.
        stage: the stage on the ladder.
        since: since when; None before the first move.
        lapsed: whether the lapsed mark is set.
        due_at: when the next review looks at them without news; None for never.
        scores: every score, with confidence and evidence.
        measures: every measure and feature that has a value.
        transitions: every move on the ladder, oldest first.
        timeline: interactions and messages, newest first.
        interactions: how many interactions there are in all.
    """

    customer: Customer
    as_of: datetime
    stage: str
    since: datetime | None
    lapsed: bool
    due_at: datetime | None
    scores: tuple[Score, ...]
    measures: Mapping[str, float | str | datetime]
    transitions: tuple[Transition, ...]
    timeline: tuple[TimelineEntry, ...]
    interactions: int


def view_customer(store: Store, catalog: Catalog, customer: str, moment: Moment, *, entries: int = 20) -> CustomerView:
    """Everything about one customer.

    Args:
        store: where the project lives.
        catalog: the columns there are.
        customer: the customer's id.
        moment: the instant that scores are computed as of.
        entries: how many lines of the timeline.

    Raises:
        RejectedError: nobody has that id, or something was recorded that happened after the moment.
    """
    refuse_the_past(store, moment.now, "show")
    page = find_customer(store, customer)
    state = store.read(STATES, page=page)
    row = state.row(0, named=True) if state.height else {"since": None, "due_at": None}
    names = [name for name, column in catalog.columns.items() if column.origin not in {"run", "attribute", "customer"}]
    known = standing(store, catalog, page, [name for name in names if name in catalog.types], moment).row(0, named=True)
    history = store.read(INTERACTIONS, page=page)
    return CustomerView(
        customer=_profile(store, page),
        as_of=moment.now,
        stage=known["stage"],
        since=row["since"],
        lapsed=known["lapsed"],
        due_at=row["due_at"],
        scores=_scores(known, catalog),
        measures={name: known[name] for name in _measure_names(catalog) if known.get(name) is not None},
        transitions=as_transitions(store.read(TRANSITIONS, page=page).sort("at")),
        timeline=_timeline(history, store.read(MESSAGES, page=page), entries),
        interactions=history.height,
    )


def find_customer(store: Store, customer: str) -> Page:
    """The page of one known customer.

    Raises:
        RejectedError: nobody has that id.
    """
    page = Page(pl.Series("customer", [customer], dtype=pl.String))
    if store.read(CUSTOMERS, page=page, columns=["customer"]).is_empty():
        message = f"there is no customer {customer!r} in this project; ids are those of the import, letter for letter"
        raise RejectedError(message)
    return page


def _scores(known: Mapping[str, object], catalog: Catalog) -> tuple[Score, ...]:
    """The scores in a row of a standing."""
    return tuple(
        Score(
            name=rule.name,
            value=_number(known.get(rule.name)),
            confidence=_number(known.get(rule.name + CONFIDENCE)) or 0.0,
            evidence=rule.evidence,
        )
        for rule in catalog.scores
    )


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _measure_names(catalog: Catalog) -> list[str]:
    origins = {"measure", "feature", "keyed feature"}
    return [name for name, column in catalog.columns.items() if column.origin in origins and name in catalog.types]


def _profile(store: Store, page: Page) -> Customer:
    row = store.read(CUSTOMERS, page=page).row(0, named=True)
    points = store.read(CONTACT_POINTS, page=page).iter_rows(named=True)
    return Customer(
        id=row["customer"],
        name=row["name"] or "",
        locale=row["locale"],
        zone=row["zone"],
        country=row["country"],
        contact_points=tuple(
            ContactPoint(medium=point["medium"], address=point["address"], synthetic=bool(point["synthetic"]))
            for point in points
        ),
        attributes=json.loads(row["attributes"] or "{}"),
    )


def _timeline(history: pl.DataFrame, messages: pl.DataFrame, entries: int) -> tuple[TimelineEntry, ...]:
    happened = [
        TimelineEntry(
            at=row["at"],
            kind=row["kind"],
            source=row["source"],
            minor=row["amount"],
            detail=_lines(row["lines"]) or row["reference"] or "",
        )
        for row in history.sort("at", descending=True).head(entries).iter_rows(named=True)
    ]
    sent = [
        TimelineEntry(
            at=row["settled_at"] or row["queued_at"],
            kind="message",
            source=row["campaign"],
            detail=f"{row['channel']}: {row['state']}",
        )
        for row in messages.sort("queued_at", descending=True).head(entries).iter_rows(named=True)
    ]
    return tuple(sorted((*happened, *sent), key=lambda entry: entry.at, reverse=True)[:entries])


def _lines(lines: list[Mapping[str, object]] | None) -> str:
    """An order's categories, those with the most lines first."""
    categories = [str(line["category"]) for line in lines or () if line["category"] is not None]
    ranked = sorted(set(categories), key=lambda category: (-categories.count(category), category))
    more = len(ranked) - CATEGORIES_SHOWN
    return ", ".join(ranked[:CATEGORIES_SHOWN]) + (f" and {more} more" if more > 0 else "")
