"""Caps and intervals: no window ever holds more messages than its cap, however often is planned before a delivery."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from attrs import define, field
from hypothesis import given, settings, strategies as st

from relationship_core import (
    DECISIONS,
    INSTANT,
    MESSAGES,
    Campaign,
    Cap,
    Choice,
    ContactPoint,
    Customer,
    Interaction,
    QuietHours,
    Relationships,
    Variant,
)
from relationship_core.flow.plan.caps import ROOM, beyond_caps

Open = Callable[..., Relationships]
Plan = Callable[..., Campaign]
Know = Callable[..., Customer]

START = datetime(2024, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
CHANNELS = {"letters": Choice(use="null"), "texts": Choice(use="null", settings={"medium": "sms"})}
ALWAYS: Mapping[str, Any] = {"channels": CHANNELS, "quiet_hours": {"sms": QuietHours(begin="00:00", end="00:00")}}
MEDIUM = {"letters": "email", "texts": "sms"}


def days(number: float) -> timedelta:
    return timedelta(days=number)


def by_text() -> list[Variant]:
    return [Variant(channel="texts", text="Hello")]


def both(make_customer: Know, name: str) -> Customer:
    points = [
        ContactPoint(medium="email", address=f"{name}@example.com", synthetic=True),
        ContactPoint(medium="sms", address=f"+49301234{len(name)}", synthetic=True),
    ]
    return make_customer(name, contact_points=points)


def step(project: Relationships, at: datetime) -> None:
    project.review(as_of=at)
    project.plan(as_of=at)


def verdict(project: Relationships, campaign: str) -> tuple[str, str, datetime | None]:
    row = project.store.read(DECISIONS, where={"campaign": campaign}).sort("at").row(-1, named=True)
    return row["reason"], row["detail"], row["until"]


# One cap


@pytest.fixture
def weekly(make_project: Open, make_campaign: Plan, make_customer: Know) -> Relationships:
    """Two campaigns, one message each a day at most, and two messages in seven days."""
    caps = {"weekly": Cap(count=2, days=7)}
    project = make_project(
        make_campaign("first", key="day", priority=1),
        make_campaign("second", key="day"),
        make_campaign("service", key="day", purpose="service", when="orders > 0"),
        minimum_interval_days={"default": 0.0},
        caps=caps,
    )
    project.record_customers([make_customer("ada")])
    return project


def test_the_window_rolls(weekly: Relationships) -> None:
    for number in (0, 1):
        weekly.run(as_of=START + days(number))
    weekly.run(as_of=START + days(2))
    assert verdict(weekly, "first") == ("frequency_cap", "weekly", START + days(7))
    weekly.run(as_of=START + days(7) - timedelta(microseconds=1))
    assert verdict(weekly, "first")[0] == "frequency_cap"
    weekly.run(as_of=START + days(7))
    assert verdict(weekly, "first")[0] == "due"
    weekly.run(as_of=START + days(7.5))
    assert verdict(weekly, "second") == ("frequency_cap", "weekly", START + days(8))


def test_what_waits_counts_however_long_it_has_waited(weekly: Relationships) -> None:
    for number in (0, 1, 2, 30, 60):
        step(weekly, START + days(number))
    assert weekly.store.read(MESSAGES).height == 2
    assert verdict(weekly, "first")[:2] == ("frequency_cap", "weekly")
    weekly.deliver(as_of=START + days(61))
    step(weekly, START + days(67))
    assert weekly.store.read(MESSAGES).height == 2
    step(weekly, START + days(68))
    assert weekly.store.read(MESSAGES).height == 3


def test_service_is_not_counted_unless_the_cap_says_so(
    make_project: Open, make_campaign: Plan, make_customer: Know
) -> None:
    services = [make_campaign(f"service-{number}", purpose="service", key="day") for number in range(3)]
    for purposes, expected in ((["marketing"], 3), (["marketing", "service"], 2), (["service"], 2)):
        project = make_project(
            *services,
            minimum_interval_days={"default": 0.0},
            caps={"two": Cap(count=2, days=5, purposes=tuple(purposes))},
        )
        project.record_customers([make_customer("ada")])
        step(project, START)
        step(project, START + days(0.1))
        assert project.store.read(MESSAGES).height == expected, purposes
        refused = project.store.read(DECISIONS, where={"reason": "frequency_cap"})
        assert set(refused["detail"]) <= {"two"}
        assert refused.height == 3 - expected


def test_a_cap_of_one_medium(make_project: Open, make_campaign: Plan, make_customer: Know) -> None:
    project = make_project(
        make_campaign("text", key="day", priority=1, variants=by_text()),
        make_campaign("mail", key="day"),
        minimum_interval_days={"default": 0.0},
        caps={"texts": Cap(count=1, days=10, media=("sms",)), "all": Cap(count=3, days=10)},
        **ALWAYS,
    )
    project.record_customers([both(make_customer, "ada")])
    for number in range(4):
        project.run(as_of=START + days(number))
    sent = project.store.read(MESSAGES).sort("queued_at")["medium"].to_list()
    assert sent == ["sms", "email", "email"]
    assert verdict(project, "text")[:2] == ("frequency_cap", "texts") or verdict(project, "text")[1] == "all"
    assert verdict(project, "mail") == ("frequency_cap", "all", START + days(10))


COUNTED = ("queued", "claimed", "attempting", "accepted", "unknown", "held_out")


@pytest.mark.parametrize("state", [*COUNTED, "rejected", "failed", "stopped", "expired"])
def test_the_states_in_which_a_message_was_a_contact(
    make_project: Open, make_campaign: Plan, make_customer: Know, state: str
) -> None:
    for setting, reason in (
        ({"minimum_interval_days": {"default": 9.0}}, "minimum_interval"),
        ({"minimum_interval_days": {"default": 0.0}, "caps": {"one": Cap(count=1, days=9)}}, "frequency_cap"),
    ):
        project = make_project(make_campaign("early"), make_campaign("late", when="interactions IS NULL"), **setting)
        project.record_customers([make_customer("ada")])
        step(project, START)
        (message,) = project.store.read(MESSAGES)["id"]
        gone = {"accepted": START, "unknown": START}.get(state)
        row = pl.DataFrame({"id": [message], "state": [state], "settled_at": [gone]})
        with project.store.transaction():
            project.store.update(MESSAGES, row.with_columns(pl.col("settled_at").cast(pl.Datetime("us", "UTC"))))
        project.review(as_of=START + days(1), everybody=True)
        project.plan(as_of=START + days(1))
        assert verdict(project, "late")[0] == (reason if state in COUNTED else "due"), (state, reason)


def test_what_will_have_expired_before_it_may_go_is_no_contact(
    make_project: Open, make_campaign: Plan, make_customer: Know
) -> None:
    project = make_project(
        make_campaign("early", limits={"expires_days": 2}, key="month", when="stage_days IS NULL"),
        make_campaign("late", priority=-1),
        minimum_interval_days={"default": 9.0},
    )
    project.record_customers([make_customer("ada")])
    step(project, START)
    for number, reason in ((1, "outranked"), (1.9, "minimum_interval"), (2, "due")):
        project.review(as_of=START + days(number), everybody=True)
        project.plan(as_of=START + days(number))
        found = verdict(project, "late")[0]
        assert found == reason or (number < 2 and found == "minimum_interval"), number


# Several in one plan


def test_winners_of_one_plan_share_the_room() -> None:
    rows = [("ada", 1, 2), ("ada", 1, None), ("bob", None, None), ("ada", None, 2), ("bob", 2, 1), ("ada", 1, 2)]
    ranked = pl.DataFrame({"customer": [row[0] for row in rows], ROOM: [{"a": row[1], "b": row[2]} for row in rows]})
    assert beyond_caps(ranked).to_list() == [None, "a", None, None, None, "a"]
    nowhere = ranked.with_columns(pl.lit(None, ranked.schema[ROOM]).alias(ROOM))
    assert beyond_caps(nowhere).to_list() == [None] * 6


# Against a slow reference


@define
class Kept:
    """A message as the reference keeps it."""

    campaign: str
    purpose: str
    medium: str
    day: str
    sent: datetime | None = None


@define
class Reference:
    """One customer, judged message by message."""

    campaigns: Sequence[Campaign]
    caps: Mapping[str, Cap]
    interval: float
    messages: list[Kept] = field(factory=list)

    def plan(self, now: datetime, media: frozenset[str]) -> None:
        day = now.strftime("%Y-%m-%d")
        before = list(self.messages)
        taken = False
        for campaign in self.campaigns:  # in the order of their claims
            medium = MEDIUM[campaign.actions[0].variants[0].channel]
            done = any(each.campaign == campaign.name and each.day == day for each in before)
            service = campaign.purpose == "service"
            if done or medium not in media or (taken and not service):
                continue
            if not service and any(now < (each.sent or now) + days(self.interval) for each in before):
                continue
            if all(self.has_room(cap, campaign.purpose, medium, now) for cap in self.caps.values()):
                self.messages.append(Kept(campaign.name, campaign.purpose, medium, day))
                taken = True

    def has_room(self, cap: Cap, purpose: str, medium: str, now: datetime) -> bool:
        if purpose not in cap.purposes or (cap.media and medium not in cap.media):
            return True
        inside = [
            each
            for each in self.messages
            if each.purpose in cap.purposes
            and (not cap.media or each.medium in cap.media)
            and (each.sent is None or each.sent > now - days(cap.days))
        ]
        return len(inside) < cap.count

    def deliver(self, now: datetime) -> None:
        for each in self.messages:
            each.sent = each.sent or now


purposes = st.sampled_from([("marketing",), ("service",), ("marketing", "service")])
media_of_cap = st.sampled_from([(), ("email",), ("sms",), ("email", "sms")])
some_caps = st.dictionaries(
    st.sampled_from(["a", "b", "c"]),
    st.builds(
        Cap,
        count=st.integers(1, 4),
        days=st.sampled_from([0.5, 1.0, 2.0, 3.25, 7.0]),
        purposes=purposes,
        media=media_of_cap,
    ),
    max_size=3,
)
some_steps = st.lists(st.tuples(st.sampled_from([0.25, 0.5, 1.0, 1.75, 3.0]), st.booleans()), min_size=2, max_size=9)


@settings(max_examples=max(settings().max_examples // 8, 1))
@given(some_caps, st.sampled_from([0.0, 0.5, 1.0, 2.5]), some_steps)
def test_caps_and_intervals_agree_with_a_slow_reference(  # noqa: PLR0917  three builders, and what is generated
    make_project: Open,
    make_campaign: Plan,
    make_customer: Know,
    caps: dict[str, Cap],
    interval: float,
    steps: list[tuple[float, bool]],
) -> None:
    campaigns = [
        make_campaign("s-mail", purpose="service", key="day"),
        make_campaign("s-text", purpose="service", key="day", variants=by_text(), nature="neutral"),
        make_campaign("m-text", key="day", variants=by_text(), priority=2),
        make_campaign("m-mail", key="day", priority=1),
        make_campaign("m-more", key="day", nature="neutral"),
    ]
    project = make_project(*campaigns, minimum_interval_days={"default": interval}, caps=caps, **ALWAYS)
    reachable = {"ada": {"email", "sms"}, "bob": {"email"}, "cleo": {"sms"}}
    people = [
        evolve_points(both(make_customer, name), media, make_customer) for name, media in sorted(reachable.items())
    ]
    project.record_customers(people)
    references = {name: Reference(campaigns, caps, interval) for name in reachable}
    now = START
    for length, delivers in steps:
        now += days(length)
        step(project, now)
        for name, media in reachable.items():
            references[name].plan(now, frozenset(media))
        if delivers:
            project.deliver(as_of=now)
            for reference in references.values():
                reference.deliver(now)
        kept = project.store.read(MESSAGES).select("customer", "campaign", "occasion").rows()
        expected = [(name, each.campaign, each.day) for name, one in references.items() for each in one.messages]
        assert sorted(kept) == sorted(expected)
    messages = project.store.read(MESSAGES).to_dicts()
    decided = [_decided_again(project, now) for _repetition in range(2)]
    assert decided[0] == decided[1]
    assert project.store.read(MESSAGES).to_dicts() == messages
    project.deliver(as_of=now)
    _refuse_full_windows(project.store.read(MESSAGES), caps)


def _decided_again(project: Relationships, now: datetime) -> list[dict[str, Any]]:
    """The decisions about everybody, also of those for whom nothing has changed."""
    project.review(as_of=now, everybody=True)
    project.plan(as_of=now)
    return project.store.read(DECISIONS).to_dicts()


def evolve_points(customer: Customer, media: set[str], make_customer: Know) -> Customer:
    points = [point for point in customer.contact_points if point.medium in media]
    return make_customer(customer.id, contact_points=points)


def _refuse_full_windows(messages: pl.DataFrame, caps: Mapping[str, Cap]) -> None:
    """No window that ends with a message holds more than its cap, by the times at which they went."""
    for cap in caps.values():
        counted = messages.filter(pl.col("purpose").is_in(cap.purposes))
        counted = counted.filter(pl.col("medium").is_in(cap.media)) if cap.media else counted
        for (_customer,), theirs in counted.group_by("customer"):
            for at in theirs["settled_at"]:
                inside = theirs.filter((pl.col("settled_at") <= at) & (pl.col("settled_at") > at - days(cap.days)))
                assert inside.height <= cap.count, (cap, inside)


# Two customers who become one


@pytest.fixture
def pair(
    make_project: Open, make_campaign: Plan, make_customer: Know, make_interaction: Callable[..., Interaction]
) -> Callable[..., Relationships]:
    """``ada``, who bought something, and ``bob``, who came by: a campaign for each of them."""

    def make(limit: str, **terms: Any) -> Relationships:
        project = make_project(
            make_campaign("buyers", audience="orders > 0", **terms),
            make_campaign("visitors", audience="last_visit_at IS NOT NULL", **terms),
            minimum_interval_days={"default": 7.0 if limit == "interval" else 0.0},
            caps={"weekly": Cap(count=1, days=7)} if limit == "cap" else {},
        )
        project.record_customers([make_customer("ada"), make_customer("bob")])
        began = START - days(60)
        project.record([make_interaction("ada", "order", began, minor=500), make_interaction("bob", "visit", began)])
        step(project, START)
        assert states_of(project) == {"buyers": "queued", "visitors": "queued"}
        return project

    return make


def states_of(project: Relationships) -> dict[str, str]:
    return dict(project.store.read(MESSAGES).select("campaign", "state").iter_rows())


@pytest.mark.parametrize("sent", [False, True])
@pytest.mark.parametrize(("limit", "most"), [("cap", 1), ("interval", 1), ("nothing", 2)])
def test_a_merge_exceeds_neither_cap_nor_interval(
    pair: Callable[..., Relationships], limit: str, most: int, sent: bool
) -> None:
    """Each of two has a message that was planned without the other's; as one customer they get what one may get."""
    project = pair(limit)
    if sent:
        with project.store.transaction():
            one = project.store.read(MESSAGES, where={"campaign": "buyers"}, columns=["id"])
            gone = {"state": pl.lit("accepted"), "settled_at": pl.lit(START, INSTANT)}
            project.store.update(MESSAGES, one.with_columns(**gone))
    project.identities.merge("bob", into="ada")
    assert project.deliver(as_of=START).accepted == 0, "what waited is planned anew first"
    for number in (1, 2, 3):
        step(project, START + number * HOUR)
        project.deliver(as_of=START + number * HOUR)
    assert [*states_of(project).values()] == ["accepted"] * most
    project.identities.unmerge("bob")
    step(project, START + days(8))
    project.deliver(as_of=START + days(8))
    assert states_of(project) == {"buyers": "accepted", "visitors": "accepted"}


def test_a_merge_takes_back_no_service(pair: Callable[..., Relationships]) -> None:
    project = pair("cap", purpose="service")
    project.identities.merge("bob", into="ada")
    assert project.deliver(as_of=START).accepted == 2


def test_a_merge_leaves_what_waits_where_the_other_had_nothing(pair: Callable[..., Relationships]) -> None:
    project = pair("cap")
    project.record_customers([Customer(id="cyd")])
    before = project.store.read(MESSAGES)
    project.identities.merge("ada", into="cyd")
    assert project.store.read(MESSAGES).equals(before)
