"""Arbitration: one contact plan for everybody's campaigns, and no budget exceeded, whatever is reordered or dies."""

import copy
import itertools
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from attrs import evolve, frozen
from click.testing import Result
from hypothesis import HealthCheck, given, settings, strategies as st

from relationship_core import (
    DECISIONS,
    FACTS,
    MESSAGES,
    Action,
    Campaign,
    Choice,
    ConfigurationError,
    Cost,
    Customer,
    Occasion,
    Page,
    Plugins,
    Policy,
    ProjectSettings,
    Relationships,
    RetriableError,
    Store,
    Variant,
    hookimpl,
    load_plugins,
)

Open = Callable[..., Relationships]
Plan = Callable[..., Campaign]
Know = Callable[..., Customer]
Relate = Callable[..., Result]

START = datetime(2024, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
FREE: Mapping[str, Any] = {"minimum_interval_days": {"default": 0.0}, "attributes": {"tags": "text"}}
"""No intervals; the attribute ``tags`` names the campaigns whose audience a customer is in."""
NATURES = {"give": 0, "neutral": 1, "ask": 2}
MONEY_STATES = ("queued", "claimed", "attempting", "accepted", "unknown")

# The slow reference: customer after customer, each takes the best that is left.


@frozen(kw_only=True)
class World:
    """Campaigns, and whom each addresses: for each customer the letters of campaigns."""

    campaigns: tuple[Campaign, ...]
    customers: Mapping[str, str]


def expected(world: World, *, spent: Mapping[str, int] | None = None) -> dict[tuple[str, str, str], str]:
    """The reason of every decision, by (campaign, action, customer), as a person would find it with a pencil."""
    money = Counter(spent or {})
    found: dict[tuple[str, str, str], str] = {}
    for customer in sorted(world.customers):
        engaged: Counter[str] = Counter()
        taken = False
        for campaign, action in claims(world, customer):
            limits = campaign.limits
            key = (campaign.name, action.name, customer)
            if campaign.purpose == "marketing" and taken:
                found[key] = "outranked"
            elif limits.per_customer is not None and engaged[campaign.name] >= limits.per_customer:
                found[key] = "already_done"
            elif limits.budget is not None and money[campaign.name] + campaign.cost.money > limits.budget:
                found[key] = "budget"
            else:
                found[key] = "due"
                taken = True
                engaged[campaign.name] += 1
                money[campaign.name] += campaign.cost.money
    return found


def claims(world: World, customer: str) -> Sequence[tuple[Campaign, Action]]:
    """What is due for a customer, the best claim first."""
    mine = [each for each in world.campaigns if each.name in world.customers[customer]]
    ranked = sorted(
        mine,
        key=lambda each: (each.purpose != "service", NATURES[each.nature], -each.priority, -each.value, each.name),
    )
    return [(each, action) for each in ranked for action in sorted(each.actions, key=lambda action: action.name)]


def an_action(name: str, key: str = "once") -> Action:
    variants = (Variant(channel="letters", subject="Hello", text="Hello"),)
    return Action(name=name, occasion=Occasion(name="occasion", key=key), variants=variants)


@st.composite
def worlds(draw: st.DrawFn, make_campaign: Plan) -> World:
    names = "abcdef"[: draw(st.integers(1, 6))]
    campaigns = []
    for name in names:
        money = draw(st.sampled_from([0, 2, 3]))
        campaigns.append(
            make_campaign(
                name,
                audience=f"tags LIKE '%{name}%'",
                purpose=draw(st.sampled_from(["marketing", "marketing", "service"])),
                nature=draw(st.sampled_from(sorted(NATURES))),
                priority=draw(st.integers(0, 2)),
                value=draw(st.integers(5, 6)),
                cost=Cost(money=money),
                limits={
                    "budget": draw(st.none() | st.integers(3, 16)),
                    "per_customer": draw(st.sampled_from([None, 1, 2])),
                },
                actions=[an_action(f"step{number}") for number in range(draw(st.integers(1, 3)))],
            )
        )
    tags = st.text(alphabet=names, max_size=6)
    customers = draw(st.lists(tags, min_size=1, max_size=9))
    return World(campaigns=tuple(campaigns), customers={f"c{place}": each for place, each in enumerate(customers)})


def known(project: Relationships, world: World, make_customer: Know) -> None:
    project.record_customers(make_customer(each, attributes={"tags": tags}) for each, tags in world.customers.items())


def decided(project: Relationships) -> dict[tuple[str, str, str], str]:
    rows = project.store.read(DECISIONS).select("campaign", "action", "customer", "reason").iter_rows()
    return {(campaign, action, customer): reason for campaign, action, customer, reason in rows}


def kept(project: Relationships) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    messages = project.store.read(MESSAGES).drop("id").sort("campaign", "action", "customer", "occasion")
    return project.store.read(DECISIONS).to_dicts(), messages.to_dicts()


def money_spent(project: Relationships) -> dict[str, int]:
    rows = project.store.read(MESSAGES).filter(pl.col("state").is_in(MONEY_STATES))
    return dict(rows.group_by("campaign").agg(pl.col("cost").sum()).iter_rows())


def examples(number: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return settings(max_examples=number, suppress_health_check=[HealthCheck.function_scoped_fixture])


@examples(12)
@given(data=st.data())
def test_it_agrees_with_a_pencil_whatever_the_order_of_files_and_the_size_of_pages(
    data: st.DataObject, make_project: Open, make_campaign: Plan, make_customer: Know
) -> None:
    world = data.draw(worlds(make_campaign))
    found = []
    for size, campaigns in ((50_000, world.campaigns), (data.draw(st.integers(1, 4)), world.campaigns[::-1])):
        project = make_project(*campaigns, page_size=size, **FREE)
        known(project, world, make_customer)
        project.review(as_of=START)
        dry = project.plan(as_of=START, dry_run=True)
        planned = project.plan(as_of=START)
        assert evolve(dry, dry_run=False) == planned
        assert decided(project) == expected(world)
        before = {table.name: project.store.read(table).to_dicts() for table in (DECISIONS, MESSAGES, FACTS)}
        project.review(as_of=START, everybody=True)
        project.plan(as_of=START)
        for table in (DECISIONS, MESSAGES):
            assert project.store.read(table).to_dicts() == before[table.name]
        found.append((kept(project), planned.decided, planned.examples, planned.planned, planned.customers))
    assert found[0] == found[1]


@examples(8)
@given(data=st.data())
def test_two_plans_before_a_delivery_never_exceed_a_budget(
    data: st.DataObject, make_project: Open, make_campaign: Plan, make_customer: Know
) -> None:
    world = data.draw(worlds(make_campaign))
    campaigns = [
        evolve(each, actions=[an_action(action.name, "day") for action in each.actions]) for each in world.campaigns
    ]
    project = make_project(*campaigns, page_size=data.draw(st.integers(1, 4)), **FREE)
    known(project, world, make_customer)
    for number in range(3):
        project.review(as_of=START + number * DAY)
        project.plan(as_of=START + number * DAY)
    spent = money_spent(project)
    for campaign in campaigns:
        if campaign.limits.budget is not None:
            assert spent.get(campaign.name, 0) <= campaign.limits.budget


def test_a_plan_without_budgets_writes_page_by_page_what_one_with_unreachable_ones_writes_together(
    make_project: Open, make_campaign: Plan, make_customer: Know
) -> None:
    def shop(budget: int | None) -> Relationships:
        campaigns = [
            make_campaign(name, key="day", priority=place % 2, value=9, cost=Cost(money=1), limits={"budget": budget})
            for place, name in enumerate("abc")
        ]
        project = make_project(*campaigns, page_size=3, **FREE)
        project.record_customers(make_customer(f"c{number:02d}") for number in range(11))
        for number in range(2):
            project.review(as_of=START + number * DAY)
            project.plan(as_of=START + number * DAY)
        return project

    paged, together = kept(shop(None)), kept(shop(10**9))
    for rows in (paged[1], together[1]):
        for row in rows:
            del row["version"]
    assert paged == together


# Whatever dies


class Dying:
    """A store that breaks at one of its commits."""

    def __init__(self, store: Store, last: int) -> None:
        self._store = store
        self._left = last

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def put(self, table: Any, frame: pl.DataFrame) -> None:
        if self._left == 0:
            raise KeyboardInterrupt
        self._left -= 1
        self._store.put(table, frame)


@pytest.mark.parametrize("again", [START, START + DAY], ids=["at its instant", "a day later"])
def test_a_plan_that_died_anywhere_and_is_repeated_gives_the_same_and_keeps_to_its_budget(
    make_project: Open, make_campaign: Plan, make_customer: Know, again: datetime
) -> None:
    campaigns = [
        make_campaign("few", priority=2, value=9, cost=Cost(money=3), limits={"budget": 14}, holdout=0.3),
        make_campaign("more", priority=1, value=9, cost=Cost(money=2), limits={"budget": 8}),
        make_campaign("rest"),
    ]

    reviewed = make_project(*campaigns, page_size=3, **FREE)
    reviewed.record_customers(make_customer(f"c{number:02d}") for number in range(20))
    with reviewed.store.transaction():
        reviewed.store.put(FACTS, pl.DataFrame({"name": ["salt"], "value": ["of all shops"]}))
    reviewed.review(as_of=START)

    def shop() -> Relationships:
        project = make_project(*campaigns, page_size=3, **FREE)
        project.store = copy.deepcopy(reviewed.store)
        return project

    whole = shop()
    whole.plan(as_of=START)
    reasons = Counter(
        reason for _, _, reason in whole.store.read(DECISIONS).select("campaign", "action", "reason").rows()
    )
    assert reasons.keys() == {"due", "outranked", "budget", "held_out"}
    deaths = 0
    for last in itertools.count():
        project = shop()
        store = project.store
        project.store = Dying(store, last)
        try:
            project.plan(as_of=START)
        except KeyboardInterrupt:
            deaths += 1
        else:
            break
        project.store = store
        project.plan(as_of=again)
        assert money_spent(project) == money_spent(whole)
        if again == START:
            assert kept(project) == kept(whole)
    assert deaths > 10


def test_money_of_messages_that_came_to_nothing_is_given_to_those_who_waited(
    make_project: Open, make_campaign: Plan, make_customer: Know
) -> None:
    project = make_project(make_campaign("few", value=9, cost=Cost(money=5), limits={"budget": 10}), **FREE)
    project.record_customers(make_customer(f"c{number}") for number in range(5))
    project.review(as_of=START)
    project.plan(as_of=START)
    assert list(decided(project).values()) == ["due", "due", "budget", "budget", "budget"]
    assert project.plan(as_of=START + DAY).customers == 0
    first = project.store.read(MESSAGES).filter(pl.col("customer") == "c0").select("id", state=pl.lit("rejected"))
    with project.store.transaction():
        project.store.update(MESSAGES, first)
    planned = project.plan(as_of=START + 2 * DAY)
    assert (planned.planned, planned.customers) == (1, 3)
    assert decided(project)["few", "write", "c2"] == "due"
    assert money_spent(project) == {"few": 10}
    assert project.plan(as_of=START + 3 * DAY).customers == 0


def test_of_two_plans_that_spend_at_once_the_first_stops(
    make_project: Open, make_campaign: Plan, make_customer: Know
) -> None:
    """The second begins to spend while the first writes its pages; the first leaves the rest to a later plan."""
    campaign = make_campaign("few", value=9, cost=Cost(money=5), limits={"budget": 20})
    project = make_project(campaign, page_size=2, **FREE)
    project.record_customers(make_customer(f"c{number}") for number in range(10))
    project.review(as_of=START)

    class Interrupting(Dying):
        def put(self, table: Any, frame: pl.DataFrame) -> None:
            self._store.put(table, frame)
            if table.name == MESSAGES.name:
                text = '{"plan": "another", "full": []}'
                self._store.put(FACTS, pl.DataFrame({"name": ["budgets"], "value": [text]}))

    store = project.store
    project.store = Interrupting(store, 0)
    with pytest.raises(RetriableError, match="another plan has begun to spend"):
        project.plan(as_of=START)
    project.store = store
    assert money_spent(project) == {"few": 10}
    project.plan(as_of=START + DAY)
    assert money_spent(project) == {"few": 20}


def test_who_got_a_message_between_selection_and_arbitration_is_left_to_the_next_plan(
    make_project: Open, make_campaign: Plan, make_customer: Know
) -> None:
    """Another plan, of other campaigns, was quicker: a customer has one slot."""
    campaign = make_campaign("few", value=9, cost=Cost(money=5), limits={"budget": 500})
    project = make_project(campaign, minimum_interval_days={"default": 9.0})
    project.record_customers([make_customer("ada"), make_customer("ben")])
    project.review(as_of=START)
    other = make_project(make_campaign("other"))
    other.record_customers([make_customer("ada")])
    other.review(as_of=START - DAY)
    other.plan(as_of=START - DAY)
    quicker = other.store.read(MESSAGES)

    class Late(Dying):
        def mark(self, step: Any, customers: pl.Series | None) -> None:
            self._store.mark(step, customers)
            if customers is not None:
                self._store.put(MESSAGES, quicker)

    store = project.store
    project.store = Late(store, 99)
    project.plan(as_of=START)
    project.store = store
    assert project.store.read(MESSAGES).sort("customer")["campaign"].to_list() == ["other", "few"]
    assert project.store.marked("plan") == 1
    project.plan(as_of=START)
    assert decided(project)["few", "write", "ada"] == "minimum_interval"


# Who won, and why


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"purpose": "service"}, "service goes before marketing"),
        ({"nature": "give"}, "give goes before ask"),
        ({"nature": "ask", "priority": 9}, "priority 9 goes before 0"),
        ({"nature": "ask", "value": 9}, "value 9 goes before 3"),
        ({"nature": "ask", "value": 3}, "the order of names decides between equals"),
    ],
)
def test_who_lost_is_told_who_won_and_why(
    make_project: Open, make_campaign: Plan, make_customer: Know, more: Mapping[str, Any], why: str
) -> None:
    project = make_project(
        make_campaign("best", owner="Ada", **more), make_campaign("second", nature="ask", value=3, owner="Ben"), **FREE
    )
    project.record_customers([make_customer("eve")])
    project.review(as_of=START)
    project.plan(as_of=START)
    (row,) = project.store.read(DECISIONS, where={"campaign": "second"}).to_dicts()
    assert (row["reason"], row["detail"]) == ("outranked", f"best of Ada: {why}")


def test_a_plan_counts_by_campaign_owner_and_reason_and_names_examples(
    make_project: Open, make_campaign: Plan, make_customer: Know
) -> None:
    found = []
    for size in (1, 2, 50):
        project = make_project(
            make_campaign("paid", owner="Ada", value=9, priority=1, cost=Cost(money=5), limits={"budget": 10}),
            make_campaign("rest", owner="Ben"),
            page_size=size,
            **FREE,
        )
        project.record_customers(make_customer(f"c{number}") for number in range(9))
        project.review(as_of=START)
        dry = project.plan(as_of=START, dry_run=True)
        found.append(dry)
        assert evolve(dry, dry_run=False) == project.plan(as_of=START)
    assert found[0].owners == {"paid": "Ada", "rest": "Ben"}
    assert found[0].decided == {
        ("paid", "due"): 2,
        ("paid", "budget"): 7,
        ("rest", "due"): 7,
        ("rest", "outranked"): 2,
    }
    assert found[0].examples["paid", "due"] == ("c0", "c1")
    assert found[0].examples["rest", "due"] == ("c2", "c3", "c4")
    assert found[0] == found[1] == found[2]


# A policy that fails


class Broken:
    """A plugin whose policy fails on one campaign."""

    @hookimpl
    def relationship_policies(self) -> tuple[Policy, ...]:
        def picky(campaigns: pl.Series) -> pl.Series:
            if (campaigns == "bad").any():
                message = "out of order"
                raise ValueError(message)
            return pl.Series([False] * len(campaigns))

        return (Policy(name="picky", refuses=pl.col("campaign").map_batches(picky, return_dtype=pl.Boolean)),)


def test_a_failing_policy_stops_its_campaign_and_no_other(
    make_project: Open, make_campaign: Plan, make_customer: Know
) -> None:
    campaigns = [
        make_campaign("bad", priority=9),
        make_campaign("good", when="true"),
        make_campaign("well", nature="ask"),
    ]
    project = make_project(*campaigns, plugins=[Broken()], page_size=2, **FREE)
    project.record_customers(make_customer(f"c{number}") for number in range(5))
    project.review(as_of=START)
    planned = project.plan(as_of=START)
    assert (
        dict(planned.failed) == {"bad": "the policy 'picky' failed with ValueError"} or "picky" in planned.failed["bad"]
    )
    assert planned.decided == {("bad", "policy_failed"): 5, ("good", "due"): 5, ("well", "outranked"): 5}
    mended = make_project(*campaigns, page_size=2, **FREE)
    mended.store = project.store
    assert mended.store.marked("plan") == 5
    mended.review(as_of=START + DAY)
    again = mended.plan(as_of=START + DAY)
    assert dict(again.failed) == {}
    assert again.decided["bad", "due"] == 5


def test_the_command_line_names_the_stopped_campaign_and_ends_with_status_1(
    relate: Relate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**known: Any) -> Plugins:
        return load_plugins(extra=[Broken()], **known)

    monkeypatch.setattr("relationship_core.relationships.load_plugins", broken)
    assert relate("init").exit_code == 0
    folder = tmp_path / "shop"
    for path in (folder / "campaigns").glob("*"):
        path.unlink()
    for name in ("bad", "good"):
        (folder / "campaigns" / f"{name}.toml").write_text(CAMPAIGN.format(name=name))
    (tmp_path / "people.csv").write_text("customer,name,contact.email\nada,Ada,ada@example.com\n")
    assert relate("import", "customers", tmp_path / "people.csv").exit_code == 0
    assert relate("review").exit_code == 0
    for words in (("plan", "--dry-run"), ("plan",), ("run",)):
        told = relate(*words)
        assert told.exit_code == 1
        assert "The campaign bad was stopped: the policy 'picky' failed with" in told.stdout
        document = relate(*words, "--json")
        assert document.exit_code == 1
        planned = json.loads(document.stdout)
        assert list((planned["planned"] if words == ("run",) else planned)["failed"]) == ["bad"]
    assert [path.name for path in (folder / "outbox" / "mail").iterdir()] != []


CAMPAIGN = """
name = "{name}"
owner = "tests"
purpose = "service"
nature = "give"

[[actions]]
name = "write"

[actions.occasion]
name = "now"

[[actions.variants]]
channel = "mail"
subject = "Hello"
text = "Hello"
"""


# Wrong input


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"limits": {"budget": 4}, "cost": Cost(money=5)}, "has a budget of 4, and one engagement costs 5"),
        ({"holdout": 1.0}, "holds out everybody"),
        ({"holdout": 0.1, "purpose": "service"}, "holds out a share of service messages"),
        ({"limits": {"per_customer": 0}}, "per_customer"),
        ({"owner": ""}, "owner"),
    ],
)
def test_a_campaign_that_contradicts_itself_is_refused(make_campaign: Plan, wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        make_campaign("news", **wrong)


@pytest.mark.parametrize("line", ["owner = .*", "purpose = .*", "nature = .*", "\\[actions.occasion\\]\nname = .*"])
def test_a_campaign_file_without_what_every_campaign_says_is_refused(relate: Relate, tmp_path: Path, line: str) -> None:
    assert relate("init").exit_code == 0
    text = re.sub(line, "", CAMPAIGN.format(name="news"))
    (tmp_path / "shop" / "campaigns" / "news.toml").write_text(text)
    told = relate("plan")
    assert told.exit_code == 1
    assert "campaigns/news.toml" in told.stderr
    (word,) = re.findall("owner|purpose|nature|occasion", line)
    assert word in told.stderr


@pytest.mark.parametrize("medium", ["email", "post"])
def test_marketing_without_a_postal_address_is_not_planned(
    make_project: Open, make_campaign: Plan, make_customer: Know, medium: str
) -> None:
    nowhere: Mapping[str, Any] = {
        "project": ProjectSettings(zone="UTC"),
        "channels": {"letters": Choice(use="null", settings={"medium": medium})},
    }
    told = f"the campaign 'news' is marketing by {medium}, .* set \\[project\\] postal_address"
    project = make_project(make_campaign("news"), **nowhere)
    project.record_customers([make_customer("ada")])
    project.review(as_of=START)
    with pytest.raises(ConfigurationError, match=told):
        project.plan(as_of=START)
    service = make_project(make_campaign("news", purpose="service"), **nowhere)
    service.record_customers([make_customer("ada")])
    service.review(as_of=START)
    assert service.plan(as_of=START).planned == (medium == "email")


def test_pages_of_nobody(make_project: Open, make_campaign: Plan) -> None:
    project = make_project(make_campaign("few", value=9, cost=Cost(money=5), limits={"budget": 10}))
    project.review(as_of=START)
    assert project.plan(as_of=START).customers == 0
    assert Page.of([]).customers.is_empty()
