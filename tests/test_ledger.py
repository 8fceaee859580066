"""The ledger: an ask needs a balance, an open ask blocks the next, and what was asked fades."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from attrs import define, field
from hypothesis import given, settings, strategies as st

from relationship_core import (
    DECISIONS,
    MESSAGES,
    Campaign,
    ConfigurationError,
    Customer,
    Interaction,
    LedgerSettings,
    Relationships,
)

Open = Callable[..., Relationships]
Make = Callable[..., Interaction]
Plan = Callable[..., Campaign]
Know = Callable[..., Customer]

START = datetime(2024, 3, 1, 12, tzinfo=UTC)
NO_INTERVAL: Mapping[str, Any] = {"minimum_interval_days": {"default": 0.0}}
ANSWERS = (
    *("reply", "survey_answer", "review", "referral_made", "referral_converted", "feedback_given", "favour_declined"),
    *("order", "coupon_redeemed", "contract_signed", "preference_declared", "unsubscribe"),
)


def days(number: float) -> timedelta:
    return timedelta(days=number)


def step(project: Relationships, at: datetime) -> None:
    project.review(as_of=at)
    project.plan(as_of=at)


def verdict(project: Relationships, campaign: str) -> tuple[str, str, datetime | None]:
    row = project.store.read(DECISIONS, where={"campaign": campaign}).sort("at").row(-1, named=True)
    return row["reason"], row["detail"], row["until"]


@pytest.fixture
def asking(make_project: Open, make_campaign: Plan, make_customer: Know) -> Callable[..., Relationships]:
    """A project that would ask ada every day; the first ask has an answer where ``answered``."""

    def make(**more: Any) -> Relationships:
        project = make_project(make_campaign("ask", nature="ask", key="day"), **{**NO_INTERVAL, **more})
        project.record_customers([make_customer("ada")])
        return project

    return make


# The balance


def test_everybody_may_be_asked_once_and_again_after_a_give(
    asking: Callable[..., Relationships], make_interaction: Make
) -> None:
    project = asking(ledger=LedgerSettings(ask_days=0))
    project.run(as_of=START)
    assert verdict(project, "ask")[0] == "due"
    project.run(as_of=START + days(1))
    reason, detail, until = verdict(project, "ask")
    assert (reason, detail) == ("contact_balance", "has 0.0, needs 1.0")
    assert until is not None
    assert until > START + days(10 * 180), "the ask fades, and what it leaves comes close to the weight, and no more"
    project.record([make_interaction("ada", "gift_given", START + days(2))])
    project.run(as_of=START + days(2))
    assert verdict(project, "ask")[0] == "due"


def test_what_was_asked_fades(asking: Callable[..., Relationships]) -> None:
    """With a start of 2 and an ask of weight 1 the second may go at once, the third when half of both is gone."""
    project = asking(ledger=LedgerSettings(ask_days=0, start=2.0, half_life_days=30))
    for number in (0, 1, 2):
        project.run(as_of=START + days(number))
    reason, _detail, until = verdict(project, "ask")
    assert (reason, project.store.read(MESSAGES).height) == ("contact_balance", 2)
    assert until is not None
    assert days(28) < until - START < days(30.6)  # both asks weigh 1 together half a life after the middle of them
    project.run(as_of=START + days(30))
    assert verdict(project, "ask")[0] == "contact_balance"
    project.run(as_of=START + days(30.6))
    assert verdict(project, "ask")[0] == "due"


def test_weights_weigh(make_project: Open, make_campaign: Plan, make_customer: Know) -> None:
    for start, expected in ((1.0, "contact_balance"), (1.25, "due")):
        project = make_project(
            make_campaign("gift", weight=0.25, when="interactions IS NULL"),
            make_campaign("big", nature="ask", weight=1.5, key="day"),
            ledger=LedgerSettings(start=start),
            **NO_INTERVAL,
        )
        project.record_customers([make_customer("ada")])
        step(project, START)
        assert project.store.read(MESSAGES)["campaign"].to_list() == ["gift"]
        project.review(as_of=START + days(0.1), everybody=True)
        project.plan(as_of=START + days(0.1))
        assert verdict(project, "big")[0] == expected


COUNTED = ("queued", "claimed", "attempting", "accepted", "unknown")


@pytest.mark.parametrize("state", [*COUNTED, "held_out", "rejected", "failed", "stopped", "expired"])
def test_the_states_in_which_a_message_asked(asking: Callable[..., Relationships], state: str) -> None:
    for ledger, reason in (
        (LedgerSettings(ask_days=0), "contact_balance"),
        (LedgerSettings(start=9), "open_ask"),
    ):
        project = asking(ledger=ledger)
        step(project, START)
        (message,) = project.store.read(MESSAGES)["id"]
        gone = START if state in {"accepted", "unknown"} else None
        row = pl.DataFrame({"id": [message], "state": [state], "settled_at": [gone]})
        with project.store.transaction():
            project.store.update(MESSAGES, row.with_columns(pl.col("settled_at").cast(pl.Datetime("us", "UTC"))))
        project.review(as_of=START + days(1), everybody=True)
        project.plan(as_of=START + days(1))
        assert verdict(project, "ask")[0] == (reason if state in COUNTED else "due"), (state, reason)


def test_service_asks_without_asking_for_leave(make_project: Open, make_campaign: Plan, make_customer: Know) -> None:
    project = make_project(make_campaign("confirm", nature="ask", purpose="service", key="day"), **NO_INTERVAL)
    project.record_customers([make_customer("ada")])
    for number in range(3):
        project.run(as_of=START + days(number))
    assert project.store.read(MESSAGES).height == 3


# Open asks


def test_an_ask_is_open_until_its_time_is_over(asking: Callable[..., Relationships]) -> None:
    project = asking(ledger=LedgerSettings(start=9.0, ask_days=10.0))
    project.run(as_of=START)
    project.run(as_of=START + days(1))
    assert verdict(project, "ask") == ("open_ask", "asked on 2024-03-01", START + days(10))
    project.run(as_of=START + days(10) - timedelta(microseconds=1))
    assert verdict(project, "ask")[0] == "open_ask"
    project.run(as_of=START + days(10))
    assert verdict(project, "ask")[0] == "due"


@pytest.mark.parametrize("kind", [*ANSWERS, "visit", "praise", "gift_given"])
def test_what_is_an_answer(asking: Callable[..., Relationships], make_interaction: Make, kind: str) -> None:
    project = asking(ledger=LedgerSettings(start=9.0))
    topic = {"topic": "recipes"}  # leaving one topic is an answer, and leaves the others
    project.record([make_interaction("ada", kind, START - days(1), data=topic)])
    project.run(as_of=START)
    assert verdict(project, "ask")[0] == "due", "an answer of yesterday answers nothing that is asked today"
    project.run(as_of=START + days(1))
    assert verdict(project, "ask")[0] == "open_ask"
    project.record([make_interaction("ada", kind, START + days(1.5), data=topic)])
    project.run(as_of=START + days(1.5))
    assert verdict(project, "ask")[0] == ("due" if kind in ANSWERS else "open_ask")


def test_a_favour_is_an_ask_too(asking: Callable[..., Relationships], make_interaction: Make) -> None:
    project = asking(ledger=LedgerSettings(start=9.0))
    project.record([make_interaction("ada", "favour_asked", START - days(3), reference="review")])
    project.run(as_of=START)
    assert verdict(project, "ask") == ("open_ask", "asked on 2024-02-27", START + days(27))
    project.record([make_interaction("ada", "reply", START + days(1))])
    project.run(as_of=START + days(1))
    assert verdict(project, "ask")[0] == "due"


# Against a slow reference


@define
class Reference:
    """One customer's ledger, entry by entry."""

    settings: LedgerSettings
    fading: float
    entries: list[tuple[str, float, datetime | None, bool]] = field(factory=list)
    """Nature, weight, when it went (None: it waits), and whether it was recorded and not a message."""
    favours: list[datetime] = field(factory=list)
    answers: list[datetime] = field(factory=list)

    def balance(self, now: datetime) -> float:
        total = self.settings.start
        for nature, weight, at, recorded in self.entries:
            half_life = self.fading if recorded else self.settings.half_life_days
            age = (now - (at or now)) / days(1)
            total += {"give": 1, "ask": -1, "neutral": 0}[nature] * weight * 0.5 ** (age / half_life)
        return total

    def is_open(self, now: datetime) -> bool:
        asks = [at or now for nature, _weight, at, recorded in self.entries if nature == "ask" and not recorded]
        asks += self.favours
        return any(
            at + days(self.settings.ask_days) > now and not any(answer > at for answer in self.answers) for at in asks
        )

    def reason(self, now: datetime, weight: float) -> str | None:
        if self.is_open(now):
            return "open_ask"
        return "contact_balance" if self.balance(now) < weight - 1e-9 else None


KINDS = ("gift_given", "help_given", "favour_asked", "campaign_received", "reply", "order", "visit")
some_steps = st.lists(
    st.tuples(st.sampled_from([0.5, 1.0, 3.0, 11.0, 45.0]), st.sampled_from([None, *KINDS]), st.booleans()),
    min_size=2,
    max_size=9,
)
some_settings = st.builds(
    LedgerSettings,
    start=st.sampled_from([0.0, 1.0, 2.5]),
    half_life_days=st.sampled_from([30.0, 47.0, 180.0]),
    ask_days=st.sampled_from([0.0, 2.0, 30.0]),
)


@settings(max_examples=max(settings().max_examples // 6, 1))
@given(some_settings, some_steps)
def test_balance_and_open_asks_agree_with_a_slow_reference(  # noqa: PLR0917  four builders, and what is generated
    make_project: Open,
    make_campaign: Plan,
    make_customer: Know,
    make_interaction: Make,
    ledger: LedgerSettings,
    steps: list[tuple[float, str | None, bool]],
) -> None:
    campaigns = [
        make_campaign("gift", nature="give", weight=0.4, key="day", when="visit_silence_days < 1"),
        make_campaign("word", nature="neutral", key="day", when="silence_days < 1"),
        make_campaign("ask", nature="ask", weight=0.9, key="day"),
    ]
    project = make_project(*campaigns, ledger=ledger, **NO_INTERVAL)
    fading = project.catalog.parameters["reciprocity_half_life_days"]
    project.record_customers([make_customer("ada")])
    reference = Reference(ledger, fading)
    now, told, last = START, set[tuple[str, str]](), dict[str, datetime]()
    for length, kind, delivers in steps:
        now += days(length)
        if kind is not None:
            project.record([make_interaction("ada", kind, now, reference=now.isoformat(), minor=5)])
            last[kind] = now
            _record(reference, kind, now)
        step(project, now)
        _plan(reference, now, told, last)
        found = project.store.read(MESSAGES).select("campaign", "occasion").rows()
        assert set(found) == told, verdict(project, "ask")
        if delivers:
            project.deliver(as_of=now)
            reference.entries = [(*each[:2], each[2] or now, each[3]) for each in reference.entries]


def _record(reference: Reference, kind: str, now: datetime) -> None:
    if kind in {"gift_given", "help_given"}:
        reference.entries.append(("give", 1.0, now, True))
    if kind in {"favour_asked", "campaign_received"}:
        reference.entries.append(("ask", 1.0, now, True))
    if kind == "favour_asked":
        reference.favours.append(now)
    if kind in ANSWERS:
        reference.answers.append(now)


def _plan(reference: Reference, now: datetime, told: set[tuple[str, str]], last: Mapping[str, datetime]) -> None:
    """The first that is due and allowed, in the order of claims: give, neutral, ask."""
    day = now.strftime("%Y-%m-%d")
    due = {
        "gift": "visit" in last and now - last["visit"] < days(1),
        "word": "order" in last and now - last["order"] < days(1),
        "ask": reference.reason(now, 0.9) is None,
    }
    for campaign, nature, weight in (("gift", "give", 0.4), ("word", "neutral", 1.0), ("ask", "ask", 0.9)):
        if due[campaign] and (campaign, day) not in told:
            told.add((campaign, day))
            reference.entries.append((nature, weight, None, False))
            return


# What cannot be configured


@pytest.mark.parametrize(
    "wrong", [{"start": -1}, {"half_life_days": 29}, {"ask_days": -1}, {"minute": -1}, {"minute": 0.5}]
)
def test_a_ledger_that_cannot_be_kept(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=f"{next(iter(wrong))} must be"):
        LedgerSettings(**wrong)
