"""Truth against finding: what was planted, and what the project found out without being told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import polars as pl
from attrs import evolve

from relationship_core import (
    INTERACTIONS,
    STATES,
    TRANSITIONS,
    Action,
    Campaign,
    Choice,
    Customer,
    Occasion,
    Page,
    Relationships,
    Settings,
    Variant,
)
from relationship_demo.business import Claim, Truth
from relationship_demo.garage.lives import MEANINGS
from relationship_demo.garage.permission import kept_to
from relationship_demo.garage.world import world
from relationship_demo.months import Month

DROP = 0.1
"""By so much at least trust must have fallen at the first review after a break; time alone takes 0.007 in a month."""
ENOUGH_ADVOCATES = 0.9
WHOLE = ("private", "firm")
"""The forms of those who have all of a relationship: a firm's contact, and a second id, have a part of it."""

PROBE = Campaign(
    name="probe",
    owner="nobody",
    purpose="service",
    nature="neutral",
    audience="trust >= 0",
    actions=[Action(name="look", occasion=Occasion(name="now"), variants=[Variant(channel="nowhere", text="Look")])],
)
"""A campaign that is never planned: explaining it to us tells what trust is."""


def truth_against_finding(relationships: Relationships, months: Sequence[Month]) -> Truth:
    """The table at the end of the demo, from a project of which these months have been replayed."""
    last = months[-1].until
    planted = world().truth.filter(pl.col("since") < last)
    stages = tuple(relationships.ladder().stages)
    highest = highest_stages(relationships, planted["customer"])
    broken = planted.filter(pl.col("form").is_in(WHOLE), pl.col("broken_at") < last)
    page = Page(_with_contacts(broken["customer"]).sort())
    history = relationships.store.read(INTERACTIONS, page=page, columns=list(INTERACTIONS.schema))
    trust = trust_around(relationships.settings, months, (_of(history, month) for month in months), broken)
    return Truth(
        meanings=MEANINGS,
        lives=_lives(planted, highest, stages),
        stages=stages,
        claims=[
            *claims(planted, highest, stages, trust),
            _duplicates(relationships, planted),
            *kept_to(relationships, planted),
        ],
    )


def highest_stages(relationships: Relationships, customers: pl.Series) -> pl.DataFrame:
    """``customer``, the ``highest`` stage that each has ever reached, the ``stage`` now, and whether ``lapsed``."""
    stages = list(relationships.ladder().stages)
    page = Page(customers.sort())
    rank = pl.col("target").replace_strict({stage: n for n, stage in enumerate(stages)}, return_dtype=pl.Int64)
    moves = relationships.store.read(TRANSITIONS, page=page).group_by("customer").agg(rank.max().alias("rank"))
    states = relationships.store.read(STATES, page=page).select("customer", "stage", "lapsed")
    names = pl.col("rank").fill_null(0).replace_strict(dict(enumerate(stages)), return_dtype=pl.String)
    found = (
        customers.to_frame("customer").join(states, on="customer", how="left").join(moves, on="customer", how="left")
    )
    return found.select("customer", "stage", pl.col("lapsed").fill_null(value=False), highest=names)


def claims(planted: pl.DataFrame, highest: pl.DataFrame, stages: Sequence[str], trust: pl.DataFrame) -> list[Claim]:
    """What the truth demands, and for how many it was found.

    Args:
        planted: rows of the truth.
        highest: as ``highest_stages`` gives it.
        stages: the stages of the ladder, the lowest first.
        trust: as ``trust_around`` gives it.
    """
    known = planted.join(highest, on="customer")
    reached = {stage: pl.col("highest").is_in(list(stages[n:])) for n, stage in enumerate(stages)}
    advocates = known.filter(pl.col("form").is_in(WHOLE), pl.col("life").is_in(["advocate", "partner"]))
    spurious = known.filter(pl.col("life") == "spurious")
    dropped = trust.filter(pl.col("before") - pl.col("after") >= DROP)
    return [
        ("true advocates reach advocate", advocates.height, _count(advocates, reached["advocate"]), ENOUGH_ADVOCATES),
        ("spurious customers never pass client", spurious.height, _count(spurious, ~reached["supporter"]), 1.0),
        (f"broken trust drops by {DROP} or more within a review", trust.height, dropped.height, 1.0),
    ]


def _duplicates(relationships: Relationships, planted: pl.DataFrame) -> Claim:
    """How many of those who are known twice are listed as candidates for merging, or have been merged."""
    pairs = planted.filter(pl.col("same_as").is_not_null()).select("customer", "same_as").rows()
    listed = {candidate.customers for candidate in relationships.identities.candidates().found}
    show = relationships.identities.show
    found = [
        (one, other)
        for one, other in pairs
        if tuple(sorted((one, other))) in listed or show(one).customer == show(other).customer
    ]
    return ("second ids are listed for merging, or merged", len(pairs), len(found), 1.0)


def _count(frame: pl.DataFrame, condition: pl.Expr) -> int:
    return frame.filter(condition).height


def trust_around(
    settings: Settings, months: Sequence[Month], history: Iterable[pl.DataFrame], broken: pl.DataFrame
) -> pl.DataFrame:
    """What trust was at the last review before each break, and at the first one after it.

    The months are lived through again, with these customers and the contacts of the firms among them alone, since
    nobody can ask what a score was: a project does not look at what happened later.

    Args:
        settings: of the project; its store is left alone.
        months: the months of the replay.
        history: for each of them, the interactions that reached us in it.
        broken: ``customer`` and ``broken_at``.

    Returns:
        ``customer``, ``before`` and ``after``.
    """
    at: dict[str, datetime] = dict(broken.select("customer", "broken_at").iter_rows())
    found: dict[str, dict[str, float]] = {customer: {} for customer in at}
    alone = evolve(settings, store=Choice(use="memory"), channels={"nowhere": Choice(use="null")})
    now = [months[0].since]
    with Relationships(settings=alone, campaigns=[PROBE], clock=lambda: now[0]) as relationships:
        known = _with_contacts(broken["customer"])
        relationships.record_customers(Customer(id=customer) for customer in sorted(known))
        for account, contact in _links(broken["customer"]).select("account", "customer").iter_rows():
            relationships.accounts.link(account, contact)
        for month, interactions in zip(months, history, strict=False):
            now[0] = month.end
            relationships.record(interactions.filter(pl.col("customer").is_in(known.implode())))
            for customer, when in _near(at, month):
                found[customer][when] = _trust(relationships, customer)
    rows = [{"customer": customer, **trust} for customer, trust in found.items() if "after" in trust]
    return pl.DataFrame(rows, schema={"customer": pl.String, "before": pl.Float64, "after": pl.Float64})


def _links(customers: pl.Series) -> pl.DataFrame:
    """The contacts of the firms among these."""
    return world().contacts.filter(pl.col("account").is_in(customers.implode()))


def _with_contacts(customers: pl.Series) -> pl.Series:
    return pl.concat([customers, _links(customers)["customer"]])


def _near(breaks: Mapping[str, datetime], month: Month) -> list[tuple[str, str]]:
    """Whose trust broke in the month, or soon after the review at its end."""
    within = [(customer, "after") for customer, at in breaks.items() if month.since <= at < month.until]
    next_end = month.until + (month.until - month.since)
    return within + [(customer, "before") for customer, at in breaks.items() if month.until <= at < next_end]


def _trust(relationships: Relationships, customer: str) -> float:
    """Trust as a condition reads it; a condition costs a tenth of looking at everything about a customer."""
    (action,) = relationships.explain(customer, PROBE.name).actions
    return float(str(action.audience[0].values["trust"]))


def _of(history: pl.DataFrame, month: Month) -> pl.DataFrame:
    return history.filter(pl.col("at").is_between(pl.lit(month.since), pl.lit(month.until), closed="left"))


def _lives(planted: pl.DataFrame, highest: pl.DataFrame, stages: Sequence[str]) -> list[dict[str, object]]:
    """A row for each life of private customers, then of firms, then of their contacts."""
    known = planted.join(highest, on="customer")
    groups = [(life, life, "private") for life in MEANINGS]
    firms = sorted(set(known.filter(pl.col("form") == "firm")["life"]), key=list(MEANINGS).index)
    groups += [(f"{life} firm", life, "firm") for life in firms]
    groups += [(f"{life} firm's contact", life, "contact") for life in firms]
    return [
        _row(told, known.filter(pl.col("form") == form, pl.col("life") == life), stages) for told, life, form in groups
    ]


def _row(told: str, group: pl.DataFrame, stages: Sequence[str]) -> dict[str, object]:
    reached = {stage: _count(group, pl.col("highest") == stage) for stage in stages}
    return {"life": told, "planted": group.height, **reached, "lapsed": _count(group, pl.col("lapsed"))}
