"""Holdout: a share that gets nothing, the same in every run, and takes its place as if it got the message."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from math import sqrt
from typing import Any

import polars as pl
import pytest
from click.testing import Result

from relationship_core import (
    DECISIONS,
    FACTS,
    MESSAGES,
    Campaign,
    ConfigurationError,
    Cost,
    Customer,
    HoldoutSettings,
    Relationships,
)
from relationship_core.flow.plan.holdout import BUCKETS, OF_ALL, OF_CAMPAIGN, Holdout, bucket

Open = Callable[..., Relationships]
Plan = Callable[..., Campaign]
Know = Callable[..., Customer]
Relate = Callable[..., Result]

START = datetime(2024, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
FREE: Mapping[str, Any] = {"minimum_interval_days": {"default": 0.0}}
SALT = "of this project"
MANY = 20_000


def shares(campaign: str, salt: str = SALT) -> list[int]:
    return [bucket(salt, campaign, f"c{number}") for number in range(MANY)]


# Buckets


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5])
@pytest.mark.parametrize("salt", ["one", "two", "three"])
def test_a_share_is_what_it_says_within_sampling_error(share: float, salt: str) -> None:
    holdout = Holdout(salt=salt, shares={"news": share})
    left = sum(holdout.of("news", f"c{number}") is not None for number in range(MANY))
    assert abs(left / MANY - share) < 4 * sqrt(share * (1 - share) / MANY)


def test_buckets_are_even() -> None:
    """Chi-square over 100 classes: 99 degrees of freedom; 148 is exceeded once in a thousand."""
    counts = Counter(each // 100 for each in shares("news"))
    expected = MANY / 100
    assert max(shares("news")) < BUCKETS
    assert sum((counts[place] - expected) ** 2 / expected for place in range(100)) < 148


@pytest.mark.parametrize(("one", "other"), [("news", "offers"), ("news", ""), ("a", "b"), ("spring-1", "spring-2")])
def test_campaigns_are_independent_of_each_other_and_of_the_project(one: str, other: str) -> None:
    """Chi-square over a table of 10 by 10: 81 degrees of freedom; 126 is exceeded once in a thousand."""
    counts = Counter((first // 1000, second // 1000) for first, second in zip(shares(one), shares(other), strict=True))
    expected = MANY / 100
    assert sum((counts[x, y] - expected) ** 2 / expected for x in range(10) for y in range(10)) < 126


def test_a_larger_share_leaves_out_the_same_and_more() -> None:
    small, large = (Holdout(salt=SALT, shares={"news": share}) for share in (0.05, 0.2))
    left = [{each for each in map(str, range(2_000)) if which.of("news", each)} for which in (small, large)]
    assert left[0] < left[1]


def test_a_bucket_is_the_same_on_every_machine() -> None:
    """Were it another one after an update, people would change sides in the middle of an experiment."""
    assert [bucket(SALT, "news", "ada"), bucket(SALT, "", "ada"), bucket("another", "news", "ada")] == [8598, 9874, 701]


def test_its_salt_is_not_shown() -> None:
    assert SALT not in repr(Holdout(salt=SALT))


# In a plan


def shop(make_project: Open, make_customer: Know, *campaigns: Campaign, number: int = 60, **more: Any) -> Relationships:
    project = make_project(*campaigns, **{**FREE, **more})
    project.record_customers(make_customer(f"c{each:02d}") for each in range(number))
    with project.store.transaction():
        project.store.put(FACTS, pl.DataFrame({"name": ["salt"], "value": [SALT]}))
    return project


def step(project: Relationships, at: datetime) -> None:
    project.review(as_of=at)
    project.plan(as_of=at)


def left_out(project: Relationships, campaign: str) -> set[str]:
    rows = project.store.read(MESSAGES, where={"campaign": campaign, "state": "held_out"})
    return set(rows["customer"])


def test_who_is_held_out_takes_the_slot_and_the_interval_and_gets_nothing(
    make_project: Open, make_campaign: Plan, make_customer: Know
) -> None:
    project = shop(
        make_project,
        make_customer,
        make_campaign("best", priority=9, holdout=0.4),
        make_campaign("second"),
        minimum_interval_days={"default": 7.0},
    )
    project.review(as_of=START)
    planned = project.plan(as_of=START)
    left = left_out(project, "best")
    assert 10 < len(left) < 40
    assert (planned.planned, planned.held_out) == (60 - len(left), len(left))
    assert planned.decided == {
        ("best", "due"): 60 - len(left),
        ("best", "held_out"): len(left),
        ("second", "outranked"): 60,
    }
    rows = project.store.read(DECISIONS, where={"verdict": "held_out"})
    assert set(rows["customer"]) == left
    assert set(rows["reason"]) == {"held_out"}
    assert set(rows["detail"]) == {OF_CAMPAIGN}
    delivered = project.deliver(as_of=START)
    assert delivered.accepted == 60 - len(left)
    assert left_out(project, "best") == left
    step(project, START + DAY)
    second = project.store.read(DECISIONS, where={"campaign": "second"})
    assert set(second["until"]) == {START + 7 * DAY}
    assert project.store.read(MESSAGES, where={"campaign": "second"}).is_empty()
    step(project, START + 7 * DAY)
    assert project.store.read(MESSAGES, where={"campaign": "second"}).height == 60
    assert project.store.read(MESSAGES, where={"campaign": "best"}).height == 60


def test_who_is_held_out_of_everything_gets_service_all_the_same(
    make_project: Open, make_campaign: Plan, make_customer: Know
) -> None:
    project = shop(
        make_project,
        make_customer,
        make_campaign("bill", purpose="service", key="day"),
        make_campaign("news", key="month"),
        make_campaign("offers", nature="ask", key="month"),
        holdout=HoldoutSettings(share=0.3),
    )
    step(project, START)
    assert left_out(project, "bill") == left_out(project, "news") == set()
    alone = shop(make_project, make_customer, make_campaign("news"), make_campaign("offers"),
                 holdout=HoldoutSettings(share=0.3))  # fmt: skip
    for number in range(3):
        step(alone, START + number * DAY)
    left = left_out(alone, "news")
    assert (
        left
        == left_out(alone, "offers")
        == {each for each in (f"c{number:02d}" for number in range(60)) if bucket(SALT, "", each) < 3_000}
    )
    assert 5 < len(left) < 40
    rows = alone.store.read(DECISIONS, where={"verdict": "held_out"})
    assert set(rows["detail"]) == {OF_ALL}


def test_it_is_the_same_in_every_run_and_every_copy_of_the_project(
    make_project: Open, make_campaign: Plan, make_customer: Know
) -> None:
    found = []
    for size in (7, 50_000):
        project = shop(make_project, make_customer, make_campaign("news", key="day", holdout=0.25), page_size=size)
        for number in range(3):
            step(project, START + number * DAY)
            project.review(as_of=START + number * DAY, everybody=True)
            before = project.store.read(MESSAGES).to_dicts(), project.store.read(DECISIONS).to_dicts()
            project.plan(as_of=START + number * DAY)
            assert (project.store.read(MESSAGES).to_dicts(), project.store.read(DECISIONS).to_dicts()) == before
        by_day = (
            project.store.read(MESSAGES, where={"state": "held_out"})
            .group_by("occasion")
            .agg(pl.col("customer").sort())
        )
        assert by_day.height == 3
        assert by_day["customer"].n_unique() == 1
        found.append(by_day["customer"][0].to_list())
    assert found[0] == found[1]


def test_a_merged_customer_has_the_bucket_of_the_survivor(
    make_project: Open, make_campaign: Plan, make_customer: Know
) -> None:
    inside = next(each for each in (f"x{number}" for number in range(99)) if bucket(SALT, "news", each) < 1_000)
    outside = next(each for each in (f"x{number}" for number in range(99)) if bucket(SALT, "news", each) >= 1_000)
    for gone, survivor, is_left_out in ((inside, outside, False), (outside, inside, True)):
        project = shop(make_project, make_customer, make_campaign("news", key="day", holdout=0.1), number=1)
        project.record_customers([make_customer(gone), make_customer(survivor)])
        project.identities.merge(gone, into=survivor)
        for number in range(2):
            step(project, START + number * DAY)
        assert (survivor in left_out(project, "news")) is is_left_out
        assert gone not in set(project.store.read(MESSAGES)["customer"])


def test_what_is_held_out_costs_nothing_but_its_place_within_the_budget_is_its_own(
    make_project: Open, make_campaign: Plan, make_customer: Know
) -> None:
    campaign = make_campaign("paid", value=9, cost=Cost(money=2), limits={"budget": 40}, holdout=0.3)
    project = shop(make_project, make_customer, campaign)
    step(project, START)
    reasons = dict(project.store.read(DECISIONS).select("customer", "reason").iter_rows())
    sent = [each for each, reason in reasons.items() if reason == "due"]
    assert len(sent) == 20
    left = {each for each, reason in reasons.items() if reason == "held_out"}
    assert left == {each for each in reasons if each < max(sent)} - set(sent), "nobody behind the last who is paid for"
    assert left == {each for each in reasons if each < max(sent) and bucket(SALT, "paid", each) < 3_000}


def test_an_ask_that_is_held_out_is_no_open_ask(make_project: Open, make_campaign: Plan, make_customer: Know) -> None:
    project = shop(make_project, make_customer, make_campaign("ask", nature="ask", key="day", holdout=0.5))
    step(project, START)
    left = left_out(project, "ask")
    step(project, START + DAY)
    rows = project.store.read(DECISIONS, where={"occasion": "2024-03-02"})
    assert {row["customer"] for row in rows.to_dicts() if row["reason"] == "held_out"} == left


# Told


def test_reports_and_explanations_know_it(make_project: Open, make_campaign: Plan, make_customer: Know) -> None:
    project = shop(make_project, make_customer, make_campaign("news", holdout=0.3))
    project.run(as_of=START)
    left = left_out(project, "news")
    numbers = project.report()
    assert {(each.verdict, each.reason): each.engagements for each in numbers.decisions or ()} == {
        ("planned", "due"): 60 - len(left),
        ("held_out", "held_out"): len(left),
    }
    assert {each.state: each.messages for each in numbers.messages}["held_out"] == len(left)
    past = project.report(as_of=START + DAY)
    assert {each.state: each.messages for each in past.messages}["held_out"] == len(left)
    (action,) = project.explain(min(left), "news", as_of=START + DAY).actions
    assert [each.verdict for each in action.decisions] == ["held_out"]
    assert [(each.state, each.detail) for each in action.messages] == [("held_out", OF_CAMPAIGN)]


def test_everybody_held_out_is_refused(make_campaign: Plan) -> None:
    with pytest.raises(ConfigurationError, match="'news' holds out everybody"):
        make_campaign("news", holdout=1.0)


def test_the_command_line_counts_them(relate: Relate, tmp_path: Any) -> None:
    assert relate("init").exit_code == 0
    folder = tmp_path / "shop"
    for path in (folder / "campaigns").glob("*"):
        path.unlink()
    (folder / "campaigns" / "news.toml").write_text(
        'name = "news"\nowner = "Ada"\npurpose = "marketing"\nnature = "give"\nholdout = 0.5\n'
        '[[actions]]\nname = "write"\n[actions.occasion]\nname = "now"\n'
        '[[actions.variants]]\nchannel = "cards"\nsubject = "Hi"\ntext = "Hi {{ project.postal_address }}"\n'
    )
    with (folder / "relationship.toml").open("a") as file:
        file.write('\n[channels.cards]\nuse = "folder"\nmedium = "post"\npath = "outbox/cards"\n')
    (folder / "c.csv").write_text(
        "customer,name,contact.post\n" + "".join(f"c{each},C{each},{each} Main Street\n" for each in range(30))
    )
    assert relate("import", "customers", folder / "c.csv").exit_code == 0
    told = relate("run", "--json")
    assert told.exit_code == 0, told.output
    planned = json.loads(told.stdout)["planned"]
    assert planned["planned"] + planned["held_out"] == 30
    assert 3 < planned["held_out"] < 27
    (row,) = [each for each in planned["decisions"] if each["reason"] == "held_out"]
    assert (row["owner"], row["engagements"], len(row["examples"])) == ("Ada", planned["held_out"], 3)
    report = json.loads(relate("report", "--json").stdout)
    assert {each["verdict"] for each in report["decisions"]} == {"planned", "held_out"}
