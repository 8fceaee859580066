"""A run that was cut short, and what came between it and the next one."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from relationship_core import (
    DECISIONS,
    RUNS,
    Campaign,
    Choice,
    Customer,
    Interaction,
    RejectedError,
    Relationships,
    Store,
)

Open = Callable[..., Relationships]
Plan = Callable[..., Campaign]
Know = Callable[..., Customer]
Make = Callable[..., Interaction]

START = datetime(2024, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def cut_short(store: Store, step: str, as_of: datetime) -> None:
    """Leave a run behind that died in this step."""
    row = {"run": "00000001", "as_of": as_of, "step": step, "state": "running", "started_at": as_of, "outcome": ""}
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
