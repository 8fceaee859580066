"""Plan: who gets what and why not, once per occasion, whatever is repeated or reordered."""

import itertools
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from attrs import evolve

from relationship_core import (
    CUSTOMERS,
    DECISIONS,
    MESSAGES,
    SUPPRESSIONS,
    TABLES,
    Action,
    Campaign,
    Choice,
    ConfigurationError,
    ContactPoint,
    Cost,
    Customer,
    Interaction,
    Measure,
    Occasion,
    Policy,
    RejectedError,
    Relationships,
    Variant,
    hookimpl,
)
from relationship_core.flow.candidate_columns import CANDIDATE_COLUMNS
from relationship_core.flow.permission.keys import address_key
from relationship_core.flow.permission.terms import Terms
from relationship_core.flow.plan import candidates
from relationship_core.flow.salt import project_salt

Open = Callable[..., Relationships]
Make = Callable[..., Interaction]
Plan = Callable[..., Campaign]
Know = Callable[..., Customer]

START = datetime(2024, 3, 1, 12, tzinfo=UTC)
NO_INTERVAL: Mapping[str, Any] = {"minimum_interval_days": {"default": 0.0}}


def days(number: float) -> timedelta:
    return timedelta(days=number)


def step(project: Relationships, at: datetime) -> None:
    """Review and plan, without delivering."""
    project.review(as_of=at)
    project.plan(as_of=at)


def verdicts(project: Relationships) -> dict[tuple[str, str], str]:
    """The reason of each decision, by campaign and occasion."""
    rows = project.store.read(DECISIONS).select("campaign", "occasion", "reason").iter_rows()
    return {(campaign, occasion): reason for campaign, occasion, reason in rows}


def everything(project: Relationships) -> dict[str, list[dict[str, Any]]]:
    return {table.name: project.store.read(table).to_dicts() for table in TABLES}


def addressed(project: Relationships) -> list[tuple[str, str, str]]:
    """What is in the outbox, as (customer, channel, address)."""
    return list(project.store.read(MESSAGES).select("customer", "channel", "address").sort("customer").iter_rows())


def suppress(project: Relationships, medium: str, address: str) -> None:
    row = {
        "medium": medium,
        "address_hash": address_key(medium, address, Terms(salt=project_salt(project.store, keep=True))),
        "scope": "all",
        "reason": "hard_bounce",
        "at": START,
        "source": "",
    }
    with project.store.transaction():
        project.store.put(SUPPRESSIONS, pl.DataFrame([row], schema=dict(SUPPRESSIONS.schema)))


@pytest.fixture
def ada(make_customer: Know) -> Customer:
    return make_customer("ada")


# Every reason


def test_due(make_project: Open, make_campaign: Plan, ada: Customer) -> None:
    project = make_project(make_campaign("hello"))
    project.record_customers([ada])
    step(project, START)
    assert verdicts(project) == {("hello", "once"): "due"}
    message = project.store.read(MESSAGES).row(0, named=True)
    assert (message["state"], message["queued_at"], message["not_before"]) == ("queued", START, START)
    decision = project.explain("ada", as_of=START).actions[0].decisions[0]
    assert (decision.verdict, decision.reason, decision.until) == ("planned", "due", None)


def test_nothing_due_leaves_a_row_only_while_in_the_audience(
    make_project: Open, make_campaign: Plan, make_interaction: Make, ada: Customer
) -> None:
    project = make_project(make_campaign("hello", audience="interactions < 2", when="silence_days > 30"))
    project.record_customers([ada])
    project.record([make_interaction("ada", "order", START, minor=5)])
    step(project, START)
    assert verdicts(project) == {("hello", ""): "nothing_due"}
    (action,) = project.explain("ada", as_of=START).actions
    assert (action.addressed, action.due) == (True, False)
    assert [atom.holds for atom in action.occasion] == [False]

    project.record([make_interaction("ada", "visit", START + days(1))])
    step(project, START + days(1))
    assert verdicts(project) == {}
    assert not project.explain("ada", as_of=START + days(1)).actions[0].addressed


def test_no_contact_point_until_there_is_one(make_project: Open, make_campaign: Plan, ada: Customer) -> None:
    project = make_project(make_campaign("hello"))
    project.record_customers([evolve(ada, contact_points=())])
    step(project, START)
    assert verdicts(project) == {("hello", "once"): "no_contact_point"}
    project.record_customers([ada])
    step(project, START + days(1))
    assert verdicts(project) == {("hello", "once"): "due"}


def test_suppressed_where_no_other_address_is_left(make_project: Open, make_campaign: Plan, ada: Customer) -> None:
    project = make_project(make_campaign("hello"))
    project.record_customers([ada])
    suppress(project, "email", " Ada@Example.com ")
    step(project, START)
    assert verdicts(project) == {("hello", "once"): "suppressed"}
    assert addressed(project) == []

    project.record_customers([evolve(ada, contact_points=[ContactPoint(medium="email", address="two@example.com")])])
    step(project, START + days(1))
    assert addressed(project) == [("ada", "letters", "two@example.com")]


def test_already_done_over_all_time(make_project: Open, make_campaign: Plan, ada: Customer) -> None:
    again = make_campaign("again", key="day", limits={"per_customer": 2})
    project = make_project(again, **NO_INTERVAL)
    project.record_customers([ada])
    for number in range(4):
        step(project, START + days(number))
    assert list(verdicts(project).values()) == ["due", "due", "already_done", "already_done"]


def test_the_minimum_interval_of_the_stage_ends_by_itself(
    make_project: Open, make_campaign: Plan, ada: Customer
) -> None:
    intervals = {"default": 30.0, "prospect": 2.5}
    project = make_project(make_campaign("one"), make_campaign("two"), minimum_interval_days=intervals)
    project.record_customers([ada])
    project.run(as_of=START)
    assert verdicts(project) == {("one", "once"): "due", ("two", "once"): "outranked"}
    (row,) = project.store.read(DECISIONS, where={"reason": "outranked"}).to_dicts()
    told = "one of tests: the order of names decides between equals"
    assert (row["detail"], row["until"]) == (told, START + days(2.5))

    project.review(as_of=START + days(2.3))
    assert project.plan(as_of=START + days(2.3)).customers == 0
    project.review(as_of=START + days(2.4), everybody=True)
    project.plan(as_of=START + days(2.4))
    (row,) = project.store.read(DECISIONS, where={"campaign": "two"}).to_dicts()
    assert (row["reason"], row["until"]) == ("minimum_interval", START + days(2.5))
    early = START + days(2.5) - timedelta(microseconds=1)
    project.review(as_of=early)
    assert project.plan(as_of=early).customers == 0
    project.run(as_of=START + days(2.5))
    assert verdicts(project)["two", "once"] == "due"


def test_service_needs_no_interval_but_counts_as_contact(
    make_project: Open, make_campaign: Plan, ada: Customer
) -> None:
    service = make_campaign("service", key="day", purpose="service")
    project = make_project(service, make_campaign("news"), minimum_interval_days={"default": 5.0})
    project.record_customers([ada])
    for number in range(3):
        step(project, START + days(number))
    found = verdicts(project)
    assert [reason for (campaign, _), reason in found.items() if campaign == "service"] == ["due"] * 3
    assert found["news", "once"] != "due"


def test_expired_counts_from_the_beginning_of_the_occasion(
    make_project: Open, make_campaign: Plan, make_interaction: Make, ada: Customer
) -> None:
    campaign = make_campaign("thanks", when="orders >= 1", since="last_order_at", limits={"expires_days": 2})
    project = make_project(campaign)
    project.record_customers([evolve(ada, contact_points=())])
    project.record([make_interaction("ada", "order", START, minor=5)])
    step(project, START + days(1))
    (row,) = project.store.read(DECISIONS).to_dicts()
    assert (row["reason"], row["until"]) == ("no_contact_point", START + days(2))
    step(project, START + days(2) - timedelta(microseconds=1))
    assert verdicts(project) == {("thanks", "once"): "no_contact_point"}
    step(project, START + days(2))
    assert verdicts(project) == {("thanks", "once"): "expired"}


def test_a_day_without_a_midnight_begins_when_it_begins(
    make_project: Open, make_campaign: Plan, make_interaction: Make, ada: Customer
) -> None:
    """On 2018-11-04 clocks in Sao Paulo went from midnight to one; what expires by it expires still."""
    campaign = make_campaign("thanks", when="orders >= 1", since="last_order_on", limits={"expires_days": 2})
    project = make_project(campaign, zone="America/Sao_Paulo")
    project.record_customers([ada])
    at = datetime(2018, 11, 4, 15, tzinfo=UTC)
    project.record([make_interaction("ada", "order", at, minor=5)])
    step(project, at)
    (expires,) = project.store.read(MESSAGES)["expires_at"]
    assert expires == datetime(2018, 11, 6, 3, tzinfo=UTC)


# One slot


def winner(project: Relationships) -> list[str]:
    return sorted(project.store.read(DECISIONS, where={"reason": "due"})["campaign"])


def test_the_order_of_claims_to_a_slot(make_project: Open, make_campaign: Plan, ada: Customer) -> None:
    """Give before neutral before ask, then priority, then value, then name; the order of files decides nothing."""
    ladder = [
        make_campaign("e-give", nature="give"),
        make_campaign("d-neutral", nature="neutral", priority=9),
        make_campaign("c-ask", nature="ask", priority=9, value=1),
        make_campaign("b-ask", nature="ask", priority=8, value=99),
        make_campaign("a-ask", nature="ask", priority=8, value=98),
    ]
    for place, best in enumerate(ladder):
        for order in itertools.islice(itertools.permutations(ladder[place:]), 0, None, 29):
            project = make_project(*order)
            project.record_customers([ada])
            step(project, START)
            assert winner(project) == [best.name]
            losers = project.store.read(DECISIONS, where={"reason": "outranked"})
            assert all(detail.startswith(f"{best.name} of tests: ") for detail in losers["detail"])


def test_service_never_gives_way_but_keeps_to_its_limit(make_project: Open, make_campaign: Plan, ada: Customer) -> None:
    variants = [Variant(channel="letters", subject="Hello", text="Hello")]
    actions = [Action(name=name, occasion=Occasion(name=name), variants=variants) for name in ("one", "two", "three")]
    project = make_project(
        make_campaign("both", purpose="service", actions=actions, limits={"per_customer": 2}),
        make_campaign("more", purpose="service", priority=-5),
        make_campaign("news"),
    )
    project.record_customers([ada])
    step(project, START)
    found = dict(
        project.store.read(DECISIONS).select(pl.concat_str("campaign", "action", separator=" "), "reason").iter_rows()
    )
    assert found == {
        "both one": "due",
        "both three": "due",
        "both two": "already_done",
        "more write": "due",
        "news write": "outranked",
    }


# Repetition


def test_two_plans_at_one_instant_change_nothing(make_project: Open, make_campaign: Plan, make_customer: Know) -> None:
    project = make_project(
        make_campaign("one"), make_campaign("two"), make_campaign("three", purpose="service"), **NO_INTERVAL
    )
    project.record_customers(make_customer(f"c{number}") for number in range(5))
    step(project, START)
    before = everything(project)
    project.review(as_of=START, everybody=True)
    assert project.plan(as_of=START).customers == 5
    assert everything(project) == before


def test_what_was_queued_at_this_instant_keeps_the_slot(
    make_project: Open, make_campaign: Plan, make_interaction: Make, ada: Customer
) -> None:
    """Late news would have let another campaign win: it is outranked, and the message is not disowned."""
    project = make_project(
        make_campaign("hello"), make_campaign("thanks", when="orders >= 1", priority=9), **NO_INTERVAL
    )
    project.record_customers([ada])
    project.run(as_of=START)
    project.record([make_interaction("ada", "order", START, minor=5)])
    project.run(as_of=START)
    assert verdicts(project) == {("hello", "once"): "due", ("thanks", "once"): "outranked"}
    assert project.store.read(MESSAGES).height == 1


def test_who_left_the_audience_at_this_instant_has_had_the_contact(
    make_project: Open, make_campaign: Plan, make_interaction: Make, ada: Customer
) -> None:
    campaigns = make_campaign("welcome", audience="interactions IS NULL"), make_campaign("thanks", when="orders >= 1")
    project = make_project(*campaigns)
    project.record_customers([ada])
    project.run(as_of=START)
    project.record([make_interaction("ada", "order", START, minor=5)])
    project.run(as_of=START)
    assert verdicts(project) == {("welcome", "once"): "due", ("thanks", "once"): "minimum_interval"}


def test_one_engagement_for_an_occasion_whatever_comes_back(
    make_project: Open, make_campaign: Plan, make_interaction: Make, ada: Customer
) -> None:
    campaign = make_campaign("thanks", when="silence_days < 1", key="last_order_on")
    project = make_project(campaign, **NO_INTERVAL)
    project.record_customers([ada])
    for number, hour in ((0, 0), (0, 6), (1, 0), (4, 0), (4, 3)):
        at = START + days(number) + timedelta(hours=hour)
        project.record([make_interaction("ada", "order", at, minor=5)])
        project.run(as_of=at)
        project.run(as_of=at + timedelta(hours=1))
    sent = project.store.read(MESSAGES)["occasion"].sort().to_list()
    assert sent == ["2024-03-01", "2024-03-02", "2024-03-05"]


def test_a_kept_message_is_never_queued_again(make_project: Open, make_campaign: Plan, ada: Customer) -> None:
    """Not even when the decisions are gone, which have their own retention."""
    project = make_project(make_campaign("hello"), **NO_INTERVAL)
    project.record_customers([ada])
    project.run(as_of=START)
    with project.store.transaction():
        project.store.delete(DECISIONS, project.store.read(DECISIONS))
    project.review(as_of=START + days(1), everybody=True)
    project.plan(as_of=START + days(1))
    assert project.store.read(MESSAGES)["state"].to_list() == ["accepted"]


def test_the_order_of_campaigns_changes_nothing(make_project: Open, make_campaign: Plan, make_customer: Know) -> None:
    campaigns = [make_campaign(name, value=len(name) % 3, key="day") for name in ("a", "bb", "ccc", "dddd")]
    found = []
    for order in (campaigns, campaigns[::-1], campaigns[2:] + campaigns[:2]):
        project = make_project(*order, **NO_INTERVAL)
        project.record_customers(make_customer(f"c{number}") for number in range(4))
        for number in range(3):
            step(project, START + days(number))
        found.append(project.store.read(DECISIONS).to_dicts())
    assert found[0] == found[1] == found[2]


def test_a_dry_run_keeps_nothing(make_project: Open, make_campaign: Plan, make_customer: Know) -> None:
    project = make_project(make_campaign("one"), make_campaign("two"))
    project.record_customers(make_customer(f"c{number}") for number in range(3))
    project.review(as_of=START)
    before = everything(project)
    dry = project.plan(as_of=START, dry_run=True)
    assert everything(project) == before
    wet = project.plan(as_of=START)
    assert (dry.planned, dry.customers, dry.decided) == (wet.planned, wet.customers, wet.decided)
    assert (dry.planned, dry.dry_run, wet.dry_run) == (3, True, False)
    assert wet.decided == {("one", "due"): 3, ("two", "outranked"): 3}


def test_other_intervals_are_looked_at_at_once(make_project: Open, make_campaign: Plan, ada: Customer) -> None:
    campaigns = make_campaign("one"), make_campaign("two")
    project = make_project(*campaigns)
    project.record_customers([ada])
    project.run(as_of=START)
    relaxed = make_project(*campaigns, **NO_INTERVAL)
    relaxed.store = project.store
    relaxed.run(as_of=START + days(1))
    assert verdicts(relaxed)["two", "once"] == "due"


def test_a_plan_of_the_past_is_refused(make_project: Open, make_campaign: Plan, make_interaction: Make) -> None:
    project = make_project(make_campaign("hello"))
    project.record([make_interaction("ada", "visit", START)])
    with pytest.raises(RejectedError, match="cannot plan as of"):
        project.plan(as_of=START - days(1))


def test_without_campaigns_nothing_is_planned(make_project: Open, ada: Customer) -> None:
    project = make_project()
    project.record_customers([ada])
    project.review(as_of=START)
    assert project.plan(as_of=START).decided == {}


# The way to the customer


def test_the_first_variant_that_reaches_them(make_project: Open, make_campaign: Plan, make_customer: Know) -> None:
    variants = [
        Variant(channel="cards", locale="de", text="Hallo"),
        Variant(channel="letters", locale="pt-BR", subject="Oi", text="Oi"),
        Variant(channel="texts", text="Hi"),
        Variant(channel="letters", subject="Hi", text="Hi"),
    ]
    channels = {
        "letters": Choice(use="null"),
        "cards": Choice(use="null", settings={"medium": "post"}),
        "texts": Choice(use="null", settings={"medium": "sms"}),
        "unused": Choice(use="null", settings={"medium": "fax"}),
    }
    project = make_project(make_campaign("hello", variants=variants), channels=channels)
    points = {
        medium: ContactPoint(medium=medium, address=f"{medium}@example.com")
        for medium in ("email", "post", "sms", "fax")
    }

    def known(id_: str, locale: str | None, *media: str) -> Customer:
        return make_customer(id_, locale=locale, contact_points=[points[medium] for medium in media])

    project.record_customers(
        [
            known("austrian", "de-AT", "email", "post", "sms"),
            known("brazilian", "pt-BR", "email", "post"),
            known("carioca", "pt-BR", "email", "sms"),
            known("lisboan", "pt-PT", "email", "post"),
            known("nobody", "de", "fax"),
            known("stranger", None, "email", "post", "sms"),
            known("writer", "de", "email"),
        ]
    )
    step(project, START)
    chosen = project.store.read(MESSAGES).select("customer", "channel", "variant").sort("customer").iter_rows()
    assert list(chosen) == [
        ("austrian", "cards", 0),
        ("brazilian", "letters", 1),
        ("carioca", "letters", 1),
        ("lisboan", "letters", 3),
        ("stranger", "texts", 2),
        ("writer", "letters", 3),
    ]


def test_another_variant_where_the_first_is_suppressed(
    make_project: Open, make_campaign: Plan, make_customer: Know
) -> None:
    variants = [Variant(channel="letters", subject="Hi", text="Hi"), Variant(channel="texts", text="Hi")]
    channels = {"letters": Choice(use="null"), "texts": Choice(use="null", settings={"medium": "sms"})}
    project = make_project(make_campaign("hello", variants=variants), channels=channels)
    points = [ContactPoint(medium="email", address="ada@example.com"), ContactPoint(medium="sms", address="+15550100")]
    project.record_customers([make_customer("ada", contact_points=points)])
    suppress(project, "email", "ada@example.com")
    step(project, START)
    assert addressed(project) == [("ada", "texts", "+15550100")]


# Policies of plugins


class Mondays:
    """A plugin that refuses asks until Monday, and says so."""

    def __init__(self, refuses: pl.Expr) -> None:
        self._refuses = refuses

    @hookimpl
    def relationship_policies(self) -> tuple[Policy, ...]:
        until = pl.lit(START + days(3)).cast(pl.Datetime("us", "UTC"))
        detail = pl.concat_str(pl.lit("not on weekends, "), "customer")
        return (Policy(name="weekend", refuses=self._refuses, until=until, detail=detail, natures=("ask",)),)


def test_a_policy_narrows_for_its_natures_until_its_instant(
    make_project: Open, make_campaign: Plan, ada: Customer
) -> None:
    plugin = Mondays(pl.col("now") < START + days(3))
    project = make_project(make_campaign("ask", nature="ask"), make_campaign("give"), plugins=[plugin], **NO_INTERVAL)
    project.record_customers([ada])
    step(project, START)
    assert verdicts(project) == {("ask", "once"): "weekend", ("give", "once"): "due"}
    (row,) = project.store.read(DECISIONS, where={"campaign": "ask"}).to_dicts()
    assert (row["detail"], row["until"]) == ("not on weekends, ada", START + days(3))
    step(project, START + days(2))
    assert verdicts(project)["ask", "once"] == "weekend"
    step(project, START + days(3))
    assert verdicts(project)["ask", "once"] == "due"


def failing(_series: pl.Series) -> pl.Series:
    message = "out of order"
    raise ValueError(message)


@pytest.mark.parametrize(
    "refuses", [pl.col("nonsense") > 1, pl.col("priority").map_batches(failing, return_dtype=pl.Boolean)]
)
def test_a_policy_that_fails_stops_its_campaign_and_is_asked_again_by_the_next_plan(
    make_project: Open, make_campaign: Plan, ada: Customer, refuses: pl.Expr
) -> None:
    campaigns = make_campaign("ask", nature="ask")
    broken = make_project(campaigns, plugins=[Mondays(refuses)])
    broken.record_customers([ada])
    broken.review(as_of=START)
    planned = broken.plan(as_of=START)
    told = planned.failed["ask"]
    assert re.fullmatch(r"the policy 'weekend' failed with [A-Za-z]+", told)
    (row,) = broken.store.read(DECISIONS).to_dicts()
    assert (row["verdict"], row["reason"], row["detail"], row["until"]) == ("skipped", "policy_failed", told, None)
    assert broken.store.read(MESSAGES).is_empty()
    assert broken.store.marked("plan") == 1
    assert broken.plan(as_of=START + days(1)).customers == 1


def test_an_occasion_that_is_over_is_looked_at_once_more_and_then_left(
    make_project: Open, make_campaign: Plan, ada: Customer
) -> None:
    spring = make_campaign("spring", audience="now < '2024-03-04T12:00:00Z'", limits={"expires_days": 9})
    project = make_project(spring, make_campaign("hello", priority=1), minimum_interval_days={"default": 7.0})
    project.record_customers([ada])
    looked_at = []
    for number in range(0, 14, 2):
        project.review(as_of=START + days(number))
        looked_at.append(project.plan(as_of=START + days(number)).customers)
    assert verdicts(project) == {("hello", "once"): "due", ("spring", "once"): "outranked"}
    assert looked_at == [1, 0, 1, 0, 1, 0, 0], "when the audience ended, when the interval did, and no more"


def test_what_went_out_at_this_instant_is_not_called_refused(
    make_project: Open, make_campaign: Plan, ada: Customer
) -> None:
    project = make_project(make_campaign("hello"))
    project.record_customers([ada])
    project.run(as_of=START)
    suppress(project, "email", "ada@example.com")
    project.review(as_of=START, everybody=True)
    project.plan(as_of=START)
    assert verdicts(project) == {("hello", "once"): "due"}


# Names, and people who go


@pytest.mark.parametrize("name", sorted(CANDIDATE_COLUMNS - {"customer", "now"}))
def test_an_attribute_with_the_name_of_a_candidates_column_is_refused(make_project: Open, name: str) -> None:
    told = "(has the name of a column that planning gives every candidate; give it another one|of that name clash)"
    with pytest.raises(ConfigurationError, match=f"'{name}' .*{told}"):
        make_project(attributes={name: "text"})


@pytest.mark.parametrize("name", ["place", "permitted", "key", "locale_of_birth", "reason", "until", "detail"])
def test_an_attribute_may_have_any_other_name(
    make_project: Open, make_campaign: Plan, ada: Customer, name: str
) -> None:
    project = make_project(make_campaign("hello", audience=f"{name} = 'x'"), attributes={name: "text"})
    project.record_customers([evolve(ada, attributes={name: "x"})])
    step(project, START)
    assert verdicts(project) == {("hello", "once"): "due"}


def test_a_measure_with_the_name_of_a_candidates_column_is_refused(make_project: Open) -> None:
    class Wishes:
        @hookimpl
        def relationship_measures(self) -> tuple[Measure, ...]:
            return (Measure(name="wish", combine="count", summary="Wishes."),)

    with pytest.raises(ConfigurationError, match="the measure 'wish' has the name of a column that planning gives"):
        make_project(plugins=[Wishes()])


def test_every_column_of_candidates_is_told() -> None:
    bullets = (candidates.__doc__ or "").partition("standing:\n\n")[2]
    assert {*re.findall(r"``(\w+)``", bullets), "customer"} == CANDIDATE_COLUMNS


@pytest.mark.parametrize("limits", [{}, {"budget": 100}])
@pytest.mark.parametrize("erased", ["b", "d", "e"])
def test_somebody_who_is_forgotten_while_a_plan_goes_on_gets_nothing(
    make_project: Open, make_campaign: Plan, make_customer: Know, limits: Mapping[str, Any], erased: str
) -> None:
    project = make_project(make_campaign("hello", limits=limits, value=5, cost=Cost(money=1)), page_size=2)
    project.record_customers(make_customer(each) for each in "abcde")
    project.review(as_of=START)

    def forget(_: object) -> None:
        if erased in project.store.read(CUSTOMERS)["customer"]:
            project.forget(erased)

    project.plan(as_of=START, progress=forget)
    for table in (MESSAGES, DECISIONS):
        assert {*project.store.read(table)["customer"]} == {*"abcde"} - {erased}
    assert project.store.marked("plan") == 0
