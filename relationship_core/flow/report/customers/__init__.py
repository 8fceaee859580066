"""One customer: where the relationship stands, what it rests on, and what happened."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

import polars as pl
from attrs import field, frozen

from relationship_core.columns import (
    CONTACT_POINTS,
    CUSTOMERS,
    DECISIONS,
    DELIVERY_EVENTS,
    MESSAGES,
    PREFERENCES,
    STATES,
    TASKS,
    TRANSITIONS,
    Page,
)
from relationship_core.declarations import ScoringRule
from relationship_core.flow.catalog import CONFIDENCE, Catalog
from relationship_core.flow.customers import find_customer
from relationship_core.flow.objects import as_transitions
from relationship_core.flow.offers.coupons import Coupon, coupons
from relationship_core.flow.permission.said import said
from relationship_core.flow.report.costs import Costs, CostTerms, customer_costs
from relationship_core.flow.report.customers.ahead import Known, Upcoming, ahead
from relationship_core.flow.report.customers.cases import Case, cases
from relationship_core.flow.report.customers.copies import Subject
from relationship_core.flow.report.customers.course import Course
from relationship_core.flow.report.customers.declared import declared_cases
from relationship_core.flow.report.customers.influence import Influence
from relationship_core.flow.report.customers.ties import Tie, accounts, contacts
from relationship_core.flow.report.customers.timeline import TimelineEntry, timeline
from relationship_core.flow.report.customers.what_if import told_of
from relationship_core.flow.report.customers.wishes import (
    Favourite,
    Goal,
    OwnedItem,
    StatedPreference,
    causes,
    goals,
    items,
    likes,
    preferences,
)
from relationship_core.flow.standing import Moment, refuse_the_past
from relationship_core.flow.ties import history as history_of
from relationship_core.flow.united import plain, ties_of
from relationship_core.model.customer import ContactPoint, Customer
from relationship_core.model.relationship import Score, Transition
from relationship_core.ports import Store

NOTHING: Mapping[str, float] = MappingProxyType({})


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
        first_at: when the first of them happened; None without any.
        influences: for each numeric score with evidence the interactions that weigh most in it.
        course: the scores over time.
        cases: promises, complaints, inquiries and favours: what waits first.
        items: what the customer owns.
        goals: what the customer wants to achieve.
        preferences: what they said they like.
        causes: what they care for.
        likes: the categories and products that they buy most.
        ahead: what comes next, by day.
        coupons: what they hold, or held, since messages told them of offers, oldest first.
        costs: what the relationship has cost both sides: by owner and campaign, and then what interactions have cost.
        contacts: of an account, its contacts, also those of the past.
        accounts: of a contact, the accounts.
        merged: the other ids of this customer, merged into this one.
        asked: the id that was asked for: the customer's, or one of those that were merged into it. The view
            is the same for each.
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
    first_at: datetime | None
    influences: Mapping[str, tuple[Influence, ...]]
    course: Course
    cases: tuple[Case, ...]
    items: tuple[OwnedItem, ...]
    goals: tuple[Goal, ...]
    preferences: tuple[StatedPreference, ...]
    causes: tuple[str, ...]
    likes: tuple[Favourite, ...]
    ahead: tuple[Upcoming, ...]
    coupons: tuple[Coupon, ...]
    costs: tuple[Costs, ...]
    contacts: tuple[Tie, ...]
    accounts: tuple[Tie, ...]
    merged: tuple[str, ...]
    asked: str = field(eq=False)


def view_customer(
    store: Store,
    catalog: Catalog,
    customer: str,
    moment: Moment,
    costs: CostTerms,
    *,
    entries: int = 20,
    parameters: Mapping[str, float] = NOTHING,
) -> CustomerView:
    """Everything about one customer: past, present and future.

    Args:
        store: where the project lives.
        catalog: the columns there are.
        customer: the customer's id.
        moment: the instant that scores are computed as of.
        costs: by what costs are counted, and coupons told.
        entries: how many lines of the timeline.
        parameters: the parameters in force, by name.

    Raises:
        RejectedError: nobody has that id, or something was recorded that happened after the moment.
    """
    refuse_the_past(store, moment.now, "show")
    page = find_customer(store, customer)
    state = store.read(STATES, page=page)
    row = state.row(0, named=True) if state.height else {"since": None, "due_at": None, "stage": None}
    names = [name for name, column in catalog.columns.items() if column.origin not in {"run", "attribute", "customer"}]
    ties = ties_of(store)
    history = history_of(plain(store), ties, page).sort("at", maintain_order=True)
    moves = as_transitions(store.read(TRANSITIONS, page=page).sort("at"))
    messages = store.read(MESSAGES, page=page)
    subject = Subject(
        store=store,
        page=page,
        customer=store.read(CUSTOMERS, page=page),
        history=history,
        contacts=ties.contacts.filter(pl.col("account") == page.first),
        wishes=said(store, PREFERENCES, page, [name for name in PREFERENCES.schema if name != "customer"]),
        catalog=catalog,
        zone=moment.zone,
    )
    profile = _profile(subject.customer, store.read(CONTACT_POINTS, page=page))
    wants, owns = goals(history, moment.zone), items(history, moment.zone)
    stage = row["stage"] if row["stage"] in catalog.ladder.names else catalog.ladder.names[0]
    told = told_of(subject, moment, moves, stage, [name for name in names if name in catalog.types])
    known = told.known
    held = coupons(store, costs.coupons, moment.now, page=page)
    gone = messages.filter(pl.col("settled_at") <= moment.now)
    found = cases(history, moment, parameters, declared_cases(store, catalog, page, moment.now))
    return CustomerView(
        customer=profile,
        as_of=moment.now,
        stage=known["stage"],
        since=row["since"],
        lapsed=known["lapsed"],
        due_at=row["due_at"],
        scores=_scores(known, catalog),
        measures={name: known[name] for name in _measure_names(catalog) if known.get(name) is not None},
        transitions=moves,
        timeline=timeline(history, messages, _heard(store, page, moment), entries),
        interactions=history.height,
        first_at=history["at"][0] if history.height else None,
        influences=told.influences,
        course=told.course,
        cases=found,
        items=owns,
        goals=wants,
        preferences=preferences(history),
        causes=causes(history),
        likes=likes(history),
        ahead=ahead(
            Known(
                numbers=known,
                attributes=profile.attributes,
                cases=found,
                goals=wants,
                items=owns,
                messages=messages,
                decisions=store.read(DECISIONS, page=page),
                tasks=store.read(TASKS, page=page),
                coupons=tuple(held),
                due_at=row["due_at"],
            ),
            moment,
        ),
        coupons=tuple(held),
        costs=customer_costs(store, gone, known, held, costs.minute),
        contacts=contacts(store, ties, catalog, page),
        accounts=accounts(store, ties, page),
        merged=ties.group(page.first)[1:],
        asked=customer,
    )


def _scores(known: Mapping[str, object], catalog: Catalog) -> tuple[Score, ...]:
    """The scores in a row of a standing."""
    return tuple(_score(rule, known) for rule in catalog.scores)


def _score(rule: ScoringRule, known: Mapping[str, object]) -> Score:
    found = known.get(rule.name)
    label = found if isinstance(found, str) else ""
    return Score(
        name=rule.name,
        value=float(rule.labels.index(label)) if label else _number(found),
        confidence=_number(known.get(rule.name + CONFIDENCE)) or 0.0,
        evidence=rule.evidence,
        label=label,
    )


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _heard(store: Store, page: Page, moment: Moment) -> pl.DataFrame:
    """What was heard of the customer's messages by then."""
    return store.read(DELIVERY_EVENTS, page=page, columns=["message", "type", "at"]).filter(pl.col("at") <= moment.now)


def _measure_names(catalog: Catalog) -> list[str]:
    origins = {"measure", "feature", "keyed feature"}
    names = [name for name, column in catalog.columns.items() if column.origin in origins and name in catalog.types]
    return ["contacts", *names]


def _profile(customers: pl.DataFrame, contact_points: pl.DataFrame) -> Customer:
    row = customers.row(0, named=True)
    return Customer(
        id=row["customer"],
        name=row["name"] or "",
        locale=row["locale"],
        zone=row["zone"],
        country=row["country"],
        contact_points=tuple(
            ContactPoint(medium=point["medium"], address=point["address"], synthetic=bool(point["synthetic"]))
            for point in contact_points.iter_rows(named=True)
        ),
        attributes=json.loads(row["attributes"] or "{}"),
    )
