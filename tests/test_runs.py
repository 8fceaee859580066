"""A run that was cut short, and what came between it and the next one."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from relationship_core import (
    DECISIONS,
    MESSAGES,
    RUNS,
    Campaign,
    Choice,
    Consent,
    ContactPoint,
    Customer,
    Interaction,
    Preference,
    Progress,
    RejectedError,
    Relationships,
    Store,
    Variant,
)

Open = Callable[..., Relationships]
Plan = Callable[..., Campaign]
Know = Callable[..., Customer]
Make = Callable[..., Interaction]

START = datetime(2024, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


HOUR = timedelta(hours=1)


def cut_short(store: Store, step: str, as_of: datetime, *, started_at: datetime | None = None) -> None:
    """Leave a run behind that died in this step."""
    started = started_at or as_of
    row = {"run": "00000001", "as_of": as_of, "step": step, "state": "running", "started_at": started, "outcome": ""}
    with store.transaction():
        store.put(RUNS, pl.DataFrame([{**row, "finished_at": None}], schema=dict(RUNS.schema)))


def test_a_run_that_was_to_plan_reviews_by_campaigns_that_changed_meanwhile(
    make_project: Open, make_campaign: Plan, make_customer: Know, tmp_path: Path
) -> None:
    store = Choice(use="sqlite", settings={"path": str(tmp_path / "project.db")})
    with make_project(make_campaign("one"), store=store) as project:
        project.record_customers(make_customer(f"c{number}") for number in range(3))
        project.review(as_of=START)
        cut_short(project.store, "plan", START)
    with make_project(make_campaign("one"), make_campaign("two", nature="ask"), store=store) as project:
        ran = project.run(as_of=START + DAY)
        assert (ran.resumed, ran.as_of) == (True, START)
        assert ran.reviewed is not None
        assert ran.reviewed.customers == 3
        assert sorted(project.store.read(DECISIONS)["campaign"].unique()) == ["one", "two"]


@pytest.mark.parametrize("step", ["review", "plan"])
def test_a_run_that_a_later_review_has_overtaken_is_given_up(
    make_project: Open, make_campaign: Plan, make_customer: Know, step: str
) -> None:
    project = make_project(make_campaign("one"))
    project.record_customers([make_customer("ada")])
    project.review(as_of=START)
    cut_short(project.store, step, START)
    project.review(as_of=START + DAY)
    ran = project.run(as_of=START + DAY)
    assert (ran.resumed, ran.as_of) == (False, START + DAY)
    assert sorted(project.store.read(RUNS)["state"]) == ["finished", "overtaken"]


def test_a_run_goes_on_delivering_whatever_was_reviewed_since(
    make_project: Open, make_campaign: Plan, make_customer: Know
) -> None:
    project = make_project(make_campaign("one"))
    project.record_customers([make_customer("ada")])
    project.review(as_of=START)
    project.plan(as_of=START)
    cut_short(project.store, "deliver", START)
    project.review(as_of=START + DAY)
    ran = project.run(as_of=START + DAY)
    assert (ran.resumed, ran.delivered.accepted) == (True, 1)


def test_a_run_before_the_last_review_leaves_no_trace(make_project: Open, make_interaction: Make) -> None:
    project = make_project()
    project.record([make_interaction("ada", "visit", START)])
    project.review(as_of=START + 2 * DAY)
    with pytest.raises(RejectedError, match="there was a review as of 2024-03-03T12:00:00"):
        project.run(as_of=START + DAY)
    assert project.store.read(RUNS).is_empty()


# What is delivered late


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


def planned(project: Relationships, *, started_at: datetime | None = None) -> None:
    """A run as of START that died before it delivered anything."""
    project.review(as_of=START)
    project.plan(as_of=START)
    cut_short(project.store, "deliver", START, started_at=started_at)


def outbox(project: Relationships) -> dict[str, tuple[str, datetime, datetime | None]]:
    rows = project.store.read(MESSAGES).select("customer", "state", "not_before", "settled_at").iter_rows()
    return {customer: (state, not_before, settled_at) for customer, state, not_before, settled_at in rows}


def test_a_run_that_is_taken_up_obeys_what_was_said_since(
    make_project: Open, make_campaign: Plan, make_customer: Know
) -> None:
    clock = Clock()
    project = make_project(make_campaign("one"), clock=clock)
    project.record_customers(make_customer(who) for who in ("ada", "bob", "eve"))
    planned(project)
    clock.now += 3 * DAY
    project.permissions.record_consents([Consent(customer="ada", act="object", at=clock.now)])
    project.permissions.record_preferences([Preference(customer="bob", wish="none", at=clock.now)])
    clock.now += HOUR
    ran = project.run()
    assert (ran.resumed, ran.as_of, ran.delivered.as_of) == (True, START, START + 3 * DAY + HOUR)
    assert (ran.delivered.accepted, ran.delivered.stopped) == (1, 2)
    assert {who: (state, settled) for who, (state, _, settled) in outbox(project).items()} == {
        "ada": ("stopped", clock.now),
        "bob": ("stopped", clock.now),
        "eve": ("accepted", clock.now),
    }


@pytest.mark.parametrize(
    ("expires_days", "expected"),
    [
        (1, ("expired", START, START + 3 * DAY + 14 * HOUR)),
        (9, ("queued", START + 3 * DAY + 20 * HOUR, None)),
    ],
    ids=["expired", "night"],
)
def test_a_run_that_is_taken_up_at_night_wakes_nobody_and_sends_nothing_stale(
    make_project: Open,
    make_campaign: Plan,
    *,
    expires_days: int,
    expected: tuple[str, datetime, datetime | None],
) -> None:
    """It is two in the morning; quiet hours end at eight."""
    clock = Clock()
    texts = {"texts": Choice(use="null", settings={"medium": "sms"})}
    variants = [Variant(channel="texts", text="Hello")]
    campaign = make_campaign("one", variants=variants, limits={"expires_days": expires_days})
    project = make_project(campaign, channels=texts, clock=clock)
    phone = ContactPoint(medium="sms", address="+4930123456", synthetic=True)
    project.record_customers([Customer(id="ada", zone="UTC", contact_points=[phone])])
    planned(project)
    clock.now += 3 * DAY + 14 * HOUR
    assert project.run().delivered.accepted == 0
    assert outbox(project) == {"ada": expected}


def test_a_replay_that_is_taken_up_keeps_its_own_instant(
    make_project: Open, make_campaign: Plan, make_customer: Know
) -> None:
    """It had been started a hundred days after the instant that it is as of."""
    clock = Clock()
    project = make_project(make_campaign("one", limits={"expires_days": 1}), clock=clock)
    project.record_customers([make_customer("ada")])
    clock.now += 100 * DAY
    planned(project, started_at=clock.now)
    clock.now += 3 * DAY
    ran = project.run()
    assert (ran.resumed, ran.delivered.as_of, ran.delivered.accepted) == (True, START, 1)
    assert outbox(project) == {"ada": ("accepted", START, START)}


def test_a_run_that_takes_long_to_plan_delivers_by_the_time_that_it_is_then(
    make_project: Open, make_campaign: Plan, make_customer: Know
) -> None:
    clock = Clock()
    project = make_project(make_campaign("one"), clock=clock)
    project.record_customers([make_customer("ada")])

    def listen(progress: Progress) -> None:
        if progress.step == "plan":
            clock.now += HOUR

    ran = project.run(progress=listen)
    assert (ran.resumed, ran.as_of, ran.delivered.as_of) == (False, START, START + HOUR)
    assert outbox(project) == {"ada": ("accepted", START, START + HOUR)}
