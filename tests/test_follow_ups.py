"""Follow-ups, goals and cleared occasions: what comes next for a customer, and when a campaign is over for them."""

import copy
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from attrs import define, evolve, field, frozen
from hypothesis import HealthCheck, given, settings, strategies as st

from relationship_core import (
    DECISIONS,
    FACTS,
    MESSAGES,
    Action,
    ActionView,
    After,
    Campaign,
    Channel,
    Choice,
    ConfigurationError,
    Cost,
    Customer,
    Interaction,
    LedgerSettings,
    Limits,
    Message,
    Occasion,
    Offer,
    Provider,
    Receipt,
    Relationships,
    Store,
    Variant,
    hookimpl,
)
from relationship_core.builtin.channels import NullSettings

Open = Callable[..., Relationships]
Know = Callable[..., Customer]
Happen = Callable[..., Interaction]
Mortal = Callable[..., Store]
Plan = Callable[..., Campaign]

START = datetime(2024, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)
FREE: Mapping[str, Any] = {"minimum_interval_days": {"default": 0.0}}
PAID: Mapping[str, Any] = {"cost": Cost(money=1), "value": 9, "limits": {"budget": 1000}}
"""A budget that nothing exceeds: who may get something of it waits until every page was read."""
TEXT = (Variant(channel="letters", subject="Hello", text="{{ occasion.name }} {{ occasion.key }}"),)


def begins(name: str = "ask", **more: Any) -> Action:
    return Action(name=name, occasion=Occasion(**{"name": "lapse", **more}), variants=TEXT)


def follows(name: str = "win", *, after: str = "ask", days: float = 14, when: str = "") -> Action:
    return Action(name=name, after=After(action=after, days=days, when=when), variants=TEXT)


def campaign(*actions: Action, name: str = "lapse", limits: Mapping[str, Any] | None = None, **more: Any) -> Campaign:
    known = {"owner": "tests", "purpose": "marketing", "nature": "neutral", **more}
    return Campaign(name=name, actions=actions or (begins(), follows()), limits=Limits(**(limits or {})), **known)


class Scripted:
    """A plugin with the channel ``scripted``, which answers ``state`` and remembers what it was given."""

    medium = "email"

    def __init__(self, state: str = "accepted") -> None:
        self.state: Any = state
        self.given: list[tuple[str, str, str]] = []

    def send(self, messages: Sequence[Message]) -> Sequence[Receipt]:
        self.given += [(each.engagement.action, each.engagement.customer, each.text) for each in messages]
        return [Receipt(message=message.id, state=self.state) for message in messages]

    def close(self) -> None:
        pass

    @hookimpl
    def relationship_channels(self) -> tuple[Provider[Channel], ...]:
        return (Provider(name="scripted", factory=lambda _: self, settings=NullSettings, summary="Told."),)


@pytest.fixture
def shop(make_project: Open, make_customer: Know) -> Open:
    """A project of these campaigns with the customers ada and ben."""

    def make(*campaigns: Campaign, channel: Scripted | None = None, **more: Any) -> Relationships:
        chosen = {**FREE, **more}
        if channel is not None:
            chosen |= {"plugins": [channel], "channels": {"letters": Choice(use="scripted")}}
        project = make_project(*campaigns, **chosen)
        project.record_customers([make_customer("ada"), make_customer("ben")])
        return project

    return make


def step(project: Relationships, now: datetime, *, deliver: bool = True) -> int:
    """Review, plan and deliver as of an instant; how many customers were planned for."""
    project.review(as_of=now)
    planned = project.plan(as_of=now)
    if deliver:
        project.deliver(as_of=now)
    return planned.customers


def messages(project: Relationships) -> dict[tuple[str, str, str], str]:
    """The state of every message, by action, customer and occasion."""
    rows = project.store.read(MESSAGES).select("action", "customer", "occasion", "state").sort(pl.all())
    return {row[:3]: row[3] for row in rows.iter_rows()}


def decision(project: Relationships, action: str = "win", customer: str = "ada") -> tuple[str, str, datetime | None]:
    """Reason, detail and end of the last decision about an action."""
    own = project.store.read(DECISIONS, where={"action": action, "customer": customer}).sort("at")
    row = own.row(-1, named=True)
    return row["reason"], row["detail"], row["until"]


def told(project: Relationships, action: str, now: datetime, customer: str = "ada") -> ActionView:
    return next(each for each in project.explain(customer, as_of=now).actions if each.action == action)


# Follow-ups


def test_a_follow_up_comes_so_many_days_after_the_step_before_once_on_its_occasion(shop: Open) -> None:
    channel = Scripted()
    project = shop(campaign(), channel=channel)
    for hours in range(0, 24 * 20, 6):
        step(project, START + timedelta(hours=hours))
    sent = project.store.read(MESSAGES).sort("action", "customer")
    assert sent.select("action", "customer", "occasion", "queued_at").rows() == [
        (action, customer, "once", at)
        for action, at in (("ask", START), ("win", START + 14 * DAY))
        for customer in ("ada", "ben")
    ]
    assert sorted(channel.given[-2:]) == [("win", "ada", "lapse once"), ("win", "ben", "lapse once")]


def test_until_then_a_decision_says_when_and_nobody_is_looked_at(shop: Open) -> None:
    project = shop(campaign())
    step(project, START)
    assert step(project, START + DAY) == 2
    assert decision(project) == ("waiting", "14 days after ask", START + 14 * DAY)
    assert [step(project, START + days * DAY) for days in range(2, 14)] == [0] * 12
    assert step(project, START + 14 * DAY - TICK) == 0
    assert step(project, START + 14 * DAY) == 2
    assert decision(project)[0] == "due"
    assert [step(project, START + days * DAY) for days in (15, 30)] == [2, 0]


def test_days_count_from_when_the_step_before_went(shop: Open) -> None:
    project = shop(campaign(begins(), follows(days=2.5)))
    step(project, START, deliver=False)
    project.deliver(as_of=START + 3 * DAY)
    step(project, START + 4 * DAY)
    assert decision(project)[2] == START + 5.5 * DAY
    view = told(project, "win", START + 4 * DAY)
    assert view.step is not None
    assert (view.step.went_at, view.step.comes_at) == (START + 3 * DAY, START + 5.5 * DAY)


@pytest.mark.parametrize(
    ("state", "comes"), [("accepted", True), ("unknown", True), ("rejected", False), ("deferred", False)]
)
def test_only_after_what_went_or_may_have(shop: Open, state: str, comes: bool) -> None:
    project = shop(campaign(begins(), follows(days=0)), channel=Scripted(state))
    step(project, START)
    step(project, START + DAY, deliver=False)
    assert (("win", "ada", "once") in messages(project)) is comes
    if not comes:
        assert project.store.read(DECISIONS, where={"action": "win"}).is_empty()


def test_what_its_worker_left_behind_is_followed_as_well(shop: Open) -> None:
    project = shop(campaign(begins(), follows(days=0)))
    step(project, START, deliver=False)
    died = project.store.read(MESSAGES).select(
        "id", state=pl.lit("attempting"), worker=pl.lit("gone"), claimed_until=pl.lit(START)
    )
    with project.store.transaction():
        project.store.update(MESSAGES, died)
    project.deliver(as_of=START + DAY)
    assert step(project, START + DAY) == 2
    assert messages(project)["ask", "ada", "once"] == "unknown"
    assert ("win", "ada", "once") in messages(project)


def test_an_event_is_seen_at_once_and_a_time_on_time(shop: Open, make_interaction: Happen) -> None:
    when = "last_order_at > step_at OR now - step_at >= 9.75"
    project = shop(campaign(begins(), follows(days=1, when=when)))
    step(project, START)
    step(project, START + 2 * DAY)
    reason, detail, until = decision(project)
    assert (reason, detail) == ("waiting", "after ask, until its condition holds")
    assert until is not None
    assert START + 9 * DAY < until <= START + 9.75 * DAY
    project.record([make_interaction("ben", "order", START + 3 * DAY, minor=500)])
    step(project, START + 3 * DAY)
    assert ("win", "ben", "once") in messages(project)
    for minutes in range(-3, 1):
        assert ("win", "ada", "once") not in messages(project)
        step(project, START + 9.75 * DAY + timedelta(minutes=minutes))
    assert ("win", "ada", "once") in messages(project)


def test_what_went_stays_decided_where_its_condition_holds_no_more(shop: Open, make_interaction: Happen) -> None:
    project = shop(campaign(begins(), follows(days=1, when="now - step_at < 3")))
    for days in range(3):
        step(project, START + days * DAY)
    assert messages(project)["win", "ada", "once"] == "accepted"
    project.record([make_interaction("ada", "order", START + 5 * DAY, minor=100)])
    assert step(project, START + 5 * DAY) == 1
    assert decision(project)[0] == "due"
    assert told(project, "win", START + 5 * DAY).outlook is None


def test_steps_go_on_from_step_to_step_and_entered_at_stays(shop: Open) -> None:
    third = follows("last", after="win", days=3, when="now - entered_at >= 20")
    project = shop(campaign(begins(), follows(days=4), third))
    for days in range(25):
        step(project, START + days * DAY)
    queued = project.store.read(MESSAGES, where={"customer": "ada"}).sort("queued_at")
    assert queued.select("action", "queued_at").rows() == [
        ("ask", START),
        ("win", START + 4 * DAY),
        ("last", START + 20 * DAY),
    ]


def test_every_occasion_has_its_own_steps(shop: Open, make_interaction: Happen) -> None:
    project = shop(campaign(begins(when="orders > 0", key="last_order_on"), follows(days=3)))
    for days in range(8):
        if days in {0, 2}:
            project.record([make_interaction("ada", "order", START + days * DAY, minor=100)])
        step(project, START + days * DAY)
    sent = project.store.read(MESSAGES).sort("queued_at")
    assert sent.select("action", "occasion", "queued_at").rows() == [
        ("ask", "2024-03-01", START),
        ("ask", "2024-03-03", START + 2 * DAY),
        ("win", "2024-03-01", START + 3 * DAY),
        ("win", "2024-03-03", START + 5 * DAY),
    ]
    last = told(project, "win", START + 8 * DAY).step
    assert last is not None
    assert (last.occasion, last.went_at) == ("2024-03-03", START + 2 * DAY)


def test_who_has_left_the_audience_gets_no_more(shop: Open, make_interaction: Happen) -> None:
    project = shop(campaign(audience="coalesce(orders, 0) = 0"))
    step(project, START)
    step(project, START + DAY)
    project.record([make_interaction("ada", "order", START + 2 * DAY, minor=100)])
    for days in range(2, 20):
        step(project, START + days * DAY)
    assert [key for key in messages(project) if key[0] == "win"] == [("win", "ben", "once")]


def test_a_follow_up_that_was_not_due_in_time_expires(shop: Open) -> None:
    late = campaign(begins(), follows(days=2, when="orders > 0"), limits={"expires_days": 3})
    project = shop(late)
    step(project, START)
    step(project, START + DAY)
    step(project, START + 2 * DAY)
    assert decision(project) == ("waiting", "after ask, until its condition holds", START + 5 * DAY)
    step(project, START + 5 * DAY)
    assert decision(project) == ("expired", "", None)


@pytest.mark.parametrize("terms", [{}, PAID], ids=["", "with a budget"])
def test_who_is_held_out_of_a_step_is_held_out_of_what_follows(
    make_project: Open, make_customer: Know, terms: Mapping[str, Any]
) -> None:
    project = make_project(campaign(holdout=0.5, **terms), **FREE)
    project.record_customers(make_customer(f"c{number:02d}") for number in range(40))
    for days in range(16):
        step(project, START + days * DAY)
    found: dict[str, list[str]] = {}
    for (action, customer, _), state in messages(project).items():
        found.setdefault(customer, []).append(f"{action} {state}")
    assert {tuple(each) for each in found.values()} == {
        ("ask accepted", "win accepted"),
        ("ask held_out", "win held_out"),
    }
    assert len(found) == 40
    at = project.store.read(MESSAGES, where={"action": "win"})["queued_at"].unique().to_list()
    assert at == [START + 14 * DAY]


@pytest.mark.parametrize("known", ["survivor", "merged", "both"])
def test_merged_customers_follow_as_one(shop: Open, known: str) -> None:
    audience = {"survivor": "customer = 'ada'", "merged": "customer = 'ben'", "both": ""}[known]
    first = shop(campaign(audience=audience))
    step(first, START)
    project = shop(campaign())
    project.store = first.store
    project.identities.merge("ben", into="ada")
    for days in range(1, 20):
        step(project, START + days * DAY)
    follow_ups = [key for key in messages(project) if key[0] == "win"]
    assert follow_ups == [("win", "ada", "once")]


def test_the_interval_and_the_cap_hold_for_follow_ups(shop: Open) -> None:
    project = shop(campaign(begins(), follows(days=2)), minimum_interval_days={"default": 5.0})
    for days in range(3):
        step(project, START + days * DAY)
    assert decision(project)[0] == "minimum_interval"
    for days in range(3, 7):
        step(project, START + days * DAY)
    at = project.store.read(MESSAGES, where={"action": "win"})["queued_at"].unique().to_list()
    assert at == [START + 5 * DAY]


def test_a_follow_up_takes_the_place_of_the_ask_before_it_and_of_no_other(shop: Open) -> None:
    terms: Mapping[str, Any] = {"nature": "ask", "weight": 0.25}
    own = campaign(begins(), follows(days=14), priority=1, **terms)
    project = shop(own, campaign(begins("favour"), name="favour", **terms), ledger=LedgerSettings(ask_days=30))
    step(project, START)
    assert messages(project) == {("ask", who, "once"): "accepted" for who in ("ada", "ben")}
    step(project, START + 14 * DAY)
    assert messages(project)["win", "ada", "once"] == "accepted"
    assert decision(project, "favour")[0] == "open_ask"


@pytest.mark.parametrize("terms", [{}, PAID], ids=["", "with a budget"])
def test_a_plan_repeated_at_its_instant_changes_nothing_and_loses_nobody(shop: Open, terms: Mapping[str, Any]) -> None:
    """Also where the step before went out in between: only the next plan sees it."""
    project = shop(campaign(begins(), follows(days=0), **terms))
    step(project, START)
    before = project.store.read(DECISIONS), project.store.read(MESSAGES)
    for _ in range(2):
        project.plan(as_of=START)
        assert (project.store.read(DECISIONS).equals(before[0]), project.store.read(MESSAGES).equals(before[1])) == (
            True,
            True,
        )
    assert step(project, START + TICK) == 2
    assert ("win", "ada", "once") in messages(project)


@pytest.mark.parametrize("days", [0, 14])
@pytest.mark.parametrize("committed", [False, True])
def test_a_plan_that_died_anywhere_and_is_repeated_gives_the_same_and_loses_nobody(
    make_project: Open, make_customer: Know, make_mortal: Mortal, *, days: int, committed: bool
) -> None:
    campaigns = [
        campaign(holdout=0.4, audience="customer <= 'c2'"),
        campaign(name="paid", holdout=0.4, audience="customer > 'c2'", **PAID),
    ]
    now = START + days * DAY

    reviewed = make_project(*campaigns, page_size=2, **FREE)
    reviewed.record_customers(make_customer(f"c{number}") for number in range(6))
    with reviewed.store.transaction():
        reviewed.store.put(FACTS, pl.DataFrame({"name": ["salt"], "value": ["of all shops"]}))
    for day in (0, 1) if days else ():
        step(reviewed, START + day * DAY)
    reviewed.review(as_of=now)

    def until_then() -> Relationships:
        project = make_project(*campaigns, page_size=2, **FREE)
        project.store = copy.deepcopy(reviewed.store)
        return project

    def kept(project: Relationships) -> list[pl.DataFrame]:
        return [project.store.read(table) for table in (DECISIONS, MESSAGES)]

    whole = until_then()
    whole.plan(as_of=now)
    first = kept(whole)
    whole.deliver(as_of=now)
    step(whole, now + DAY)
    assert {"held_out", "due"} <= {*first[0]["reason"]}
    deaths = 0
    for at in itertools.count(1):
        project = until_then()
        store = project.store
        project.store = make_mortal(store, at, committed=committed)
        try:
            project.plan(as_of=now)
        except KeyboardInterrupt:
            deaths += 1
        else:
            break
        project.store = store
        project.plan(as_of=now)
        assert all(one.equals(other) for one, other in zip(kept(project), first, strict=True))
        project.deliver(as_of=now)
        step(project, now + DAY)
        assert all(one.equals(other) for one, other in zip(kept(project), kept(whole), strict=True))
    assert deaths > 3


# The slow reference: customer after customer, looked at anew in every plan


@frozen(kw_only=True)
class Known:
    """What a condition may ask of one customer at one time."""

    now: datetime
    orders: Sequence[datetime]
    step_at: datetime | None = None
    entered_at: datetime | None = None

    @property
    def last(self) -> datetime | None:
        return max(self.orders, default=None)


def later(one: datetime | None, other: datetime | None, days: float = 0) -> bool:
    """Whether one is later by more than so many days; not where one of both is unknown."""
    return one is not None and other is not None and one - other > days * DAY


CONDITIONS: Mapping[str, Callable[[Known], bool]] = {
    "": lambda _: True,
    "orders >= 2": lambda known: len(known.orders) >= 2,
    "last_order_at > step_at": lambda known: later(known.last, known.step_at),
    "now - step_at > 2.5": lambda known: later(known.now, known.step_at, 2.5),
    "now - step_at < 3": lambda known: not later(known.now, known.step_at, 3 - 1e-9),
    "now - last_order_at > 1.5": lambda known: later(known.now, known.last, 1.5),
    "last_order_at > entered_at OR now - entered_at > 4": lambda known: (
        later(known.last, known.entered_at) or later(known.now, known.entered_at, 4)
    ),
}
GOALS: Mapping[str, Callable[[Known], bool]] = {
    "": lambda _: False,
    "orders >= 3": lambda known: len(known.orders) >= 3,
    "last_order_at > entered_at": lambda known: later(known.last, known.entered_at),
    "now - last_order_at < 1": lambda known: known.last is not None and not later(known.now, known.last, 1 - 1e-9),
    "now - entered_at > 3": lambda known: later(known.now, known.entered_at, 3),
}


@define(kw_only=True)
class Sent:
    """A message of the reference."""

    state: str
    queued_at: datetime
    expires_at: datetime | None
    settled_at: datetime | None = None


@define(kw_only=True)
class Person:
    """One customer of the reference: what happened, what was sent, and what is said about follow-ups."""

    orders: list[datetime] = field(factory=list)
    sent: dict[tuple[str, str, str], Sent] = field(factory=dict)
    said: dict[tuple[str, str, str], str] = field(factory=dict)

    def entered(self, name: str, occasion: str, but: datetime | None = None) -> datetime | None:
        of_it = [each for (which, _, when), each in self.sent.items() if (which, when) == (name, occasion)]
        return min((each.queued_at for each in of_it if each.queued_at != but), default=None)

    def plan(self, campaigns: Iterable[Campaign], now: datetime) -> None:
        before = dict(self.sent)
        self.said = {}
        for each in campaigns:
            days = each.limits.expires_days
            for action in each.actions:
                for occasion, came, due in self.occasions(each, action, before, now):
                    key = (each.name, action.name, occasion)
                    if key in self.sent:
                        continue
                    expires = None if days is None else came + days * DAY
                    entered = self.entered(each.name, occasion, but=now)
                    over = GOALS[each.goal](Known(now=now, orders=self.orders, entered_at=entered))
                    reason = "expired" if expires and expires <= now else "goal_reached" if over else "waiting"
                    if due and reason == "waiting":
                        self.sent[key] = Sent(state="queued", queued_at=now, expires_at=expires)
                    elif action.after is not None:
                        self.said[key] = reason

    def occasions(
        self, campaign: Campaign, action: Action, before: Mapping[tuple[str, str, str], Sent], now: datetime
    ) -> Iterable[tuple[str, datetime, bool]]:
        """Occasions, when they began, and whether something is due."""
        if action.occasion is not None:
            if action.occasion.key == "once" or self.orders:
                yield max(self.orders).date().isoformat() if action.occasion.key != "once" else "once", now, True
        elif action.after is not None:
            for (name, which, occasion), step in before.items():
                went = step.state == "accepted" and step.queued_at != now
                if (name, which) == (campaign.name, action.after.action) and went and step.settled_at is not None:
                    known = Known(
                        now=now,
                        orders=self.orders,
                        step_at=step.settled_at,
                        entered_at=self.entered(name, occasion, but=now),
                    )
                    comes = step.settled_at + action.after.days * DAY
                    yield occasion, comes, comes <= now and CONDITIONS[action.after.when](known)

    def deliver(self, campaigns: Iterable[Campaign], now: datetime) -> None:
        goals = {each.name: GOALS[each.goal] for each in campaigns}
        for (name, _, occasion), each in self.sent.items():
            if each.state == "queued":
                known = Known(now=now, orders=self.orders, entered_at=self.entered(name, occasion))
                gone = "expired" if each.expires_at and each.expires_at <= now else "accepted"
                each.state = "stopped" if gone == "accepted" and goals[name](known) else gone
                each.settled_at = now


def drawn_campaign(data: st.DataObject, name: str) -> Campaign:
    days, when = st.sampled_from([0.0, 0.5, 1.0, 2.0]), st.sampled_from(sorted(CONDITIONS))
    key = data.draw(st.sampled_from(["once", "last_order_on"]))
    return campaign(
        begins("first", key=key, when="" if key == "once" else "orders > 0"),
        follows("second", after="first", days=data.draw(days), when=data.draw(when)),
        follows(
            "third", after=data.draw(st.sampled_from(["first", "second"])), days=data.draw(days), when=data.draw(when)
        ),
        name=name,
        goal=data.draw(st.sampled_from(sorted(GOALS))),
        limits={"expires_days": data.draw(st.sampled_from([None, 1.5, 3.0]))},
        purpose="service",  # nothing else than steps, goals and expiry holds it back
    )


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_steps_and_goals_are_what_a_slow_reference_finds(
    make_project: Open, make_customer: Know, make_interaction: Happen, data: st.DataObject
) -> None:
    """Whatever was drawn: pages, the order of campaigns, plans that are repeated, and when messages go out."""
    campaigns = [drawn_campaign(data, name) for name in ("a", "b")]
    people = {f"c{number}": Person() for number in range(6)}
    project = make_project(*data.draw(st.permutations(campaigns)), page_size=data.draw(st.integers(1, 6)), **FREE)
    project.record_customers(map(make_customer, people))
    times = st.integers(0, 31).map(lambda quarter: START + quarter * DAY / 4)
    ahead = {customer: sorted(data.draw(st.sets(times, max_size=4))) for customer in people}
    for now in (START + quarter * DAY / 4 for quarter in sorted(data.draw(st.sets(st.integers(0, 32), min_size=8)))):
        for customer, person in people.items():
            happened = [at for at in ahead[customer] if at <= now and at not in person.orders]
            project.record([make_interaction(customer, "order", at, minor=100) for at in happened])
            person.orders += happened
            person.plan(campaigns, now)
        project.review(as_of=now)
        project.plan(as_of=now)
        if data.draw(st.booleans()):
            project.plan(as_of=now)
        compare(project, people)
        if data.draw(st.booleans()):
            project.deliver(as_of=now)
            for person in people.values():
                person.deliver(campaigns, now)
            compare(project, people)


def compare(project: Relationships, people: Mapping[str, Person]) -> None:
    keys = ("customer", "campaign", "action", "occasion")
    rows = project.store.read(MESSAGES).select(*keys, "state", "queued_at", "expires_at", "settled_at").rows()
    assert {row[:4]: row[4:] for row in rows} == {
        (customer, *key): (each.state, each.queued_at, each.expires_at, each.settled_at)
        for customer, person in people.items()
        for key, each in person.sent.items()
    }
    skipped = project.store.read(DECISIONS, where={"verdict": "skipped"})
    later_steps = skipped.filter(pl.col("action") != "first").select(*keys, "reason").rows()
    assert {row[:4]: row[4] for row in later_steps} == {
        (customer, *key): reason for customer, person in people.items() for key, reason in person.said.items()
    }


# Goals


GOAL = "last_order_at > entered_at"


def test_who_reaches_the_goal_gets_no_follow_up(shop: Open, make_interaction: Happen) -> None:
    project = shop(campaign(goal=GOAL))
    project.record([make_interaction("ada", "order", START - DAY, minor=100)])
    step(project, START)
    project.record([make_interaction("ada", "order", START + 2 * DAY, minor=100)])
    for days in range(2, 20):
        step(project, START + days * DAY)
    assert messages(project) == {
        ("ask", "ada", "once"): "accepted",
        ("ask", "ben", "once"): "accepted",
        ("win", "ben", "once"): "accepted",
    }
    assert decision(project) == ("goal_reached", "", None)
    view = told(project, "win", START + 20 * DAY)
    assert view.goal is not None
    assert view.goal.reached
    assert view.goal.atoms[0].values == {"last_order_at": START + 2 * DAY, "entered_at": START}
    assert view.outlook is not None
    assert view.outlook.reason == "goal_reached"


def test_a_goal_that_holds_before_anything_was_queued_keeps_the_first_step_back(
    shop: Open, make_interaction: Happen
) -> None:
    project = shop(campaign(goal="orders > 0"))
    project.record([make_interaction("ada", "order", START - DAY, minor=100)])
    step(project, START)
    assert messages(project) == {("ask", "ben", "once"): "accepted"}
    assert decision(project, "ask")[0] == "goal_reached"


@pytest.mark.parametrize("purpose", ["marketing", "service"])
def test_a_goal_that_is_reached_between_plan_and_claim_stops_the_message(
    shop: Open, make_interaction: Happen, purpose: str
) -> None:
    project = shop(campaign(goal=GOAL, purpose=purpose))
    step(project, START, deliver=False)
    project.record([make_interaction("ada", "order", START + DAY, minor=100)])
    delivered = project.deliver(as_of=START + DAY)
    assert (delivered.accepted, delivered.stopped) == (1, 1)
    row = project.store.read(MESSAGES, where={"customer": "ada"}).row(0, named=True)
    assert (row["state"], row["detail"]) == ("stopped", "goal_reached")
    for days in range(1, 20):
        step(project, START + days * DAY)
    assert [key[1] for key in messages(project) if key[0] == "win"] == ["ben"]


def test_the_goal_of_the_version_that_a_message_is_pinned_to_stops_it(shop: Open, make_interaction: Happen) -> None:
    project = shop(campaign(goal=GOAL))
    step(project, START, deliver=False)
    other = shop(campaign(), campaign(name="more"))
    other.store = project.store
    other.record([make_interaction("ada", "order", START + DAY, minor=100)])
    delivered = other.deliver(as_of=START + DAY)
    assert (delivered.accepted, delivered.stopped) == (1, 1)


def test_a_goal_that_cannot_be_judged_any_more_leaves_its_messages_in_the_outbox(shop: Open) -> None:
    project = shop(campaign(goal="size > 4"), attributes={"size": "number"})
    step(project, START, deliver=False)
    other = shop(campaign(), campaign(begins(), name="more"))
    other.store = project.store
    delivered = other.deliver(as_of=START + DAY)
    assert (delivered.accepted, delivered.unjudged) == (0, 2)
    assert "there is no column 'size'" in delivered.policy_failed["lapse"]
    project.store = other.store
    assert project.deliver(as_of=START + DAY).accepted == 2


def test_a_goal_that_is_lost_again_lets_the_follow_up_go(shop: Open, make_interaction: Happen) -> None:
    project = shop(campaign(begins(), follows(days=2), goal="now - last_order_at < 7 AND entered_at < now"))
    step(project, START)
    project.record([make_interaction("ada", "order", START + DAY, minor=100)])
    for days in range(1, 12):
        step(project, START + days * DAY)
    at = dict(project.store.read(MESSAGES, where={"action": "win"}).select("customer", "queued_at").iter_rows())
    assert at == {"ben": START + 2 * DAY, "ada": START + 8 * DAY}


# Cleared occasions


def thanks(name: str = "thanks", **more: Any) -> Campaign:
    """One that anything of ours may settle, once there was an order."""
    known = {"when": "now - last_order_at >= 3", "since": "last_order_at", "key": "last_order_on", **more}
    return campaign(begins("thank", **known), name=name, nature="give")


def other(name: str = "news", **more: Any) -> Campaign:
    known = {"audience": "orders > 0", "nature": "give", **more}
    text = "{{ offer.code }}" if "offer" in known else "Hello"
    written = evolve(begins("write", when="now - last_order_at >= 1"), variants=[Variant(channel="letters", text=text)])
    return campaign(written, name=name, **known)


def cleared(
    project: Relationships, make_interaction: Happen, *, deed: str = "", days: int = 6
) -> tuple[str, str, datetime | None]:
    """What becomes of the occasion of an order, when another campaign has written, or we have done, a day later."""
    project.record([make_interaction("ada", "order", START, minor=100)])
    for day in range(days):
        if deed and day == 1:
            project.record([make_interaction("ada", deed, START + DAY)])
        step(project, START + day * DAY)
    return decision(project, "thank")


@pytest.mark.parametrize(
    ("by", "campaigns", "clears"),
    [
        ("give", [other()], True),
        ("give", [other(nature="neutral")], False),
        ("give", [other(offer=Offer(summary="10 % off", percent=10))], False),
        ("give", [other(nature="ask", weight=0.1)], False),
        ("presence", [other()], True),
        ("presence", [other(nature="neutral")], True),
        ("presence", [other(nature="ask", weight=0.1)], False),
        ("presence", [other(nature="neutral", offer=Offer(summary="10 % off", percent=10))], False),
        ("presence", [other(offer=Offer(summary="10 % off", percent=10))], False),
        ("presence", [other(holdout=0.9999)], False),
        ("", [other()], False),
    ],
)
def test_an_occasion_is_cleared_by_what_it_says(
    shop: Open, make_interaction: Happen, by: str, campaigns: Iterable[Campaign], clears: bool
) -> None:
    reason, detail, until = cleared(shop(thanks(cleared_by=by), *campaigns), make_interaction)
    if clears:
        assert (reason, detail, until) == ("cleared", "by campaign news on 2024-03-02", None)
    else:
        assert reason == "due"


@pytest.mark.parametrize(
    ("by", "kind", "clears"),
    [
        ("give", "gift_given", True),
        ("presence", "gift_given", True),
        ("presence", "account_contact", True),
        ("give", "account_contact", False),
        ("presence", "campaign_received", False),
        ("presence", "visit", False),
    ],
)
def test_a_deed_that_was_recorded_clears_as_well(
    shop: Open, make_interaction: Happen, by: str, kind: str, clears: bool
) -> None:
    project = shop(thanks(cleared_by=by))
    reason, detail, _ = cleared(project, make_interaction, deed=kind)
    assert (reason, detail) == (("cleared", "by what was recorded on 2024-03-02") if clears else ("due", ""))


def test_what_was_there_before_the_occasion_began_clears_nothing(shop: Open, make_interaction: Happen) -> None:
    project = shop(thanks(cleared_by="give"))
    project.record([make_interaction("ada", "gift_given", START - DAY)])
    assert cleared(project, make_interaction)[0] == "due"


def test_with_cleared_days_it_is_settled_for_so_long(shop: Open, make_interaction: Happen) -> None:
    project = shop(thanks(cleared_by="give", cleared_days=4, since=""))
    project.record([make_interaction("ada", "gift_given", START - DAY / 2)])
    until = START + 3.5 * DAY
    assert cleared(project, make_interaction, days=4) == ("cleared", "by what was recorded on 2024-03-01", until)
    step(project, until - TICK)
    assert decision(project, "thank")[0] == "cleared"
    assert step(project, until) == 1
    assert decision(project, "thank")[0] == "due"


def test_explain_says_what_cleared_it(shop: Open, make_interaction: Happen) -> None:
    project = shop(thanks(cleared_by="presence"), other())
    cleared(project, make_interaction)
    view = told(project, "thank", START + 6 * DAY)
    (policy,) = (each for each in view.policies if each.name == "cleared")
    assert (policy.answer, policy.detail) == ("holds_back", "by campaign news on 2024-03-02")
    assert view.outlook is not None
    assert view.outlook.reason == "cleared"


# Explain


def test_explain_says_which_step_it_waits_for_and_until_when(shop: Open) -> None:
    project = shop(campaign(goal=GOAL))
    step(project, START, deliver=False)
    view = told(project, "win", START)
    assert view.step is not None
    assert (view.step.after, view.step.went_at, view.due, view.outlook) == ("ask", None, False, None)
    project.deliver(as_of=START)
    step(project, START + DAY)
    view = told(project, "win", START + DAY)
    assert view.step is not None
    assert (view.step.occasion, view.step.went_at, view.step.comes_at) == ("once", START, START + 14 * DAY)
    assert view.outlook is not None
    assert (view.outlook.reason, view.outlook.until) == ("waiting", START + 14 * DAY)
    assert view.goal is not None
    assert not view.goal.reached
    explanation = project.explain("ada", as_of=START + DAY)
    assert (explanation.changes_at, explanation.changes) == (START + 14 * DAY, "lapse / win")
    due = told(project, "win", START + 14 * DAY)
    assert due.outlook is not None
    assert (due.due, due.outlook.reason) == (True, "due")
    assert told(project, "ask", START + DAY).step is None


def test_explain_judges_a_follow_up_as_the_plan_does(shop: Open) -> None:
    project = shop(campaign(begins(), follows(days=1, when="now - step_at > 5")))
    for days in range(9):
        now = START + days * DAY
        project.review(as_of=now)
        outlook = told(project, "win", now).outlook
        project.plan(as_of=now)
        if outlook is not None:
            assert decision(project) == (outlook.reason, outlook.detail, outlook.until)
        project.deliver(as_of=now)
    assert ("win", "ada", "once") in messages(project)


# Wrong input


@pytest.mark.parametrize(
    ("actions", "more", "told"),
    [
        ([begins(), follows(after="asks")], {}, "after 'asks', which is none of the actions above it"),
        ([follows(), begins()], {}, "after 'ask', which is none of the actions above it"),
        ([begins(), follows()], {"limits": {"per_customer": 1}}, "has 2 steps one after the other"),
        ([begins(), follows(), follows("end", after="win")], {"limits": {"per_customer": 2}}, "has 3 steps"),
    ],
)
def test_a_campaign_whose_steps_cannot_be_is_refused(
    actions: Sequence[Action], more: Mapping[str, Any], told: str
) -> None:
    with pytest.raises(ConfigurationError, match=told):
        campaign(*actions, **more)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (campaign(begins(), follows(when="stepat > now")), "action 'win', after when: .*did you mean 'step_at'"),
        (campaign(goal="entered > now"), "campaign 'lapse', goal: there is no column 'entered'"),
        (campaign(goal="step_at > now"), "campaign 'lapse', goal: there is no column 'step_at'"),
        (campaign(audience="entered_at < now"), "audience: there is no column 'entered_at'"),
        (campaign(begins(when="step_at < now")), "occasion when: there is no column 'step_at'"),
    ],
)
def test_a_condition_that_names_what_it_cannot_know_is_refused(make_project: Open, wrong: Campaign, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        make_project(wrong).rules.signature()


@pytest.mark.parametrize(
    ("occasion", "told"),
    [
        ({"cleared_days": 3}, "cleared_days without cleared_by"),
        ({"cleared_by": "give", "cleared_days": 36_501}, "a number above 0 and at most 36,500"),
        ({"cleared_by": "give"}, "name a column as since, or give cleared_days"),
        ({"cleared_by": "luck"}, "cleared_by"),
    ],
)
def test_an_occasion_that_nobody_knows_how_to_clear_is_refused(occasion: Mapping[str, Any], told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        begins(**occasion)
