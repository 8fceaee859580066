"""Explain: what every condition, policy and claim says of one customer, now, and what history tells of the past."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from click.testing import Result

from relationship_core import (
    ActionView,
    Campaign,
    Choice,
    ConfigurationError,
    Cost,
    Customer,
    Interaction,
    Offer,
    Policy,
    Provider,
    RejectedError,
    Relationships,
    Renderer,
    Variant,
    hookimpl,
)
from relationship_core.builtin.liquid import LiquidSettings

Open = Callable[..., Relationships]
Plan = Callable[..., Campaign]
Know = Callable[..., Customer]
Make = Callable[..., Interaction]
Relate = Callable[..., Result]

START = datetime(2024, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
FREE: Mapping[str, Any] = {"minimum_interval_days": {"default": 0.0}}


def step(project: Relationships, at: datetime) -> None:
    project.review(as_of=at)
    project.plan(as_of=at)


def answers(action: ActionView) -> dict[str, str]:
    return {policy.name: policy.answer for policy in action.policies}


def views(project: Relationships, customer: str, at: datetime) -> dict[str, ActionView]:
    return {action.campaign: action for action in project.explain(customer, as_of=at).actions}


# Policies


def test_every_policy_answers_in_its_order(make_project: Open, make_campaign: Plan, make_customer: Know) -> None:
    project = make_project(make_campaign("bill", purpose="service"), make_campaign("news"))
    project.record_customers([make_customer("ada", contact_points=[])])
    project.review(as_of=START)
    found = views(project, "ada", START)
    names = [policy.name for policy in project.plugins.policies]
    for action in found.values():
        assert [policy.name for policy in action.policies] == names
        assert answers(action)["no_contact_point"] == "holds_back"
        assert action.outlook is not None
        assert action.outlook.reason == "no_contact_point"
    assert answers(found["bill"])["minimum_interval"] == "does_not_apply"
    assert answers(found["news"])["minimum_interval"] == "passes"


def test_each_policy_speaks_for_itself_whatever_the_ones_before_it_say(
    make_project: Open, make_campaign: Plan, make_customer: Know
) -> None:
    channels = {"letters": Choice(use="null"), "texts": Choice(use="null", settings={"medium": "sms"})}
    two = make_campaign("two", variants=[Variant(channel="texts", text="Hello")])
    project = make_project(make_campaign("one"), two, channels=channels)
    project.record_customers([make_customer("ada")])
    project.run(as_of=START)
    told = {policy.name: policy for policy in views(project, "ada", START + DAY)["two"].policies}
    assert told["no_contact_point"].answer == "holds_back"
    assert told["minimum_interval"].answer == "holds_back"
    assert told["minimum_interval"].until == START + 14 * DAY


def test_what_policies_say_is_what_a_plan_decides(
    make_project: Open, make_campaign: Plan, make_customer: Know, make_interaction: Make
) -> None:
    """The outlook of an instant is the decision that a plan makes at that instant, for every action."""
    campaigns = [
        make_campaign("ask", nature="ask", key="month", value=2),
        make_campaign("dear", value=5, cost=Cost(money=9), key="day"),
        make_campaign("give", key="month", priority=3),
        make_campaign("later", when="silence_days > 300", key="once"),
        make_campaign("paid", value=9, cost=Cost(money=4), limits={"budget": 4}, priority=5),
        make_campaign("tried", holdout=0.5, key="day", priority=1),
    ]
    project = make_project(*campaigns, minimum_interval_days={"default": 2.0})
    project.record_customers(make_customer(f"c{number}") for number in range(4))
    project.record([make_interaction("c1", "order", START - DAY, minor=900)])
    for number in range(5):
        at = START + number * DAY
        project.review(as_of=at, everybody=True)
        before = {f"c{each}": views(project, f"c{each}", at) for each in range(4)}
        project.plan(as_of=at)
        if not number:
            continue  # which budgets are spent is known from the plan before
        for customer, found in before.items():
            for action in found.values():
                decided = [each for each in views(project, customer, at)[action.campaign].decisions if each.at == at]
                for decision in decided:
                    assert action.outlook is not None
                    told = (action.outlook.reason, action.outlook.detail)
                    assert told == (decision.reason, decision.detail), (number, customer, action.campaign)


class Broken:
    """A plugin whose policy always fails."""

    @hookimpl
    def relationship_policies(self) -> tuple[Policy, ...]:
        return (Policy(name="broken", refuses=pl.col("nonsense") > 1),)


def test_a_policy_that_fails_is_told(make_project: Open, make_campaign: Plan, make_customer: Know) -> None:
    project = make_project(make_campaign("news"), plugins=[Broken()])
    project.record_customers([make_customer("ada")])
    step(project, START)
    (news,) = project.explain("ada", as_of=START).actions
    assert answers(news)["broken"] == "failed"
    assert news.outlook is not None
    assert news.outlook.reason == "policy_failed"


def test_a_policy_that_fails_leaves_the_answers_of_the_others(
    make_project: Open, make_campaign: Plan, make_customer: Know
) -> None:
    def told(*plugins: object) -> dict[str, str]:
        project = make_project(make_campaign("news"), plugins=plugins)
        project.record_customers([make_customer("ada", contact_points=[])])
        step(project, START)
        return answers(views(project, "ada", START)["news"])

    sound = told()
    assert sound["no_contact_point"] == "holds_back"
    assert told(Broken()) == {**sound, "broken": "failed"}


# What is not looked at


class Unasked:
    """A plugin whose template language cannot be made."""

    @hookimpl
    def relationship_renderers(self) -> tuple[Provider[Renderer], ...]:
        return (Provider(name="unasked", factory=self._make, settings=LiquidSettings, summary="Is not there."),)

    def _make(self, _settings: LiquidSettings) -> Renderer:
        message = "nobody must ask for it"
        raise ConfigurationError(message)


def test_what_writes_nothing_waits_for_no_template_language(
    make_project: Open, make_campaign: Plan, make_customer: Know
) -> None:
    offer = Offer(summary="10 % off", percent=10)
    variants = [Variant(channel="letters", subject="Hello", text="{{ offer.code }}")]
    store = Choice(use="sqlite", settings={"path": "shop.db"})
    campaign = make_campaign("spring", offer=offer, variants=variants, audience="order_days > 0")
    with make_project(campaign, store=store) as project:
        project.record_customers([make_customer("ada")])
        step(project, START)
    with make_project(campaign, store=store, renderer=Choice(use="unasked"), plugins=[Unasked()]) as project:
        assert not project.explain("ada", as_of=START).actions[0].addressed
        assert not project.customer("ada", as_of=START).coupons
        with pytest.raises(ConfigurationError, match="nobody must ask"):
            project.plan(as_of=START)


def test_a_wrong_template_stops_the_plan_and_no_explanation(
    make_project: Open, make_campaign: Plan, make_customer: Know
) -> None:
    variants = [Variant(channel="letters", subject="Hello", text="{{ customer.nmae }}")]
    project = make_project(make_campaign("news", variants=variants))
    project.record_customers([make_customer("ada")])
    assert views(project, "ada", START)["news"].addressed
    for refused in (project.review, project.plan):
        with pytest.raises(ConfigurationError, match="nmae"):
            refused(as_of=START)


def test_an_explanation_refuses_what_it_cannot_judge(make_project: Open, make_campaign: Plan) -> None:
    wrong = make_campaign("b", variants=[Variant(channel="carrier-pigeon", subject="Hello", text="Hello")])
    for campaign, said in ((make_campaign("b", audience="odrer_days > 0"), "odrer_days"), (wrong, "carrier-pigeon")):
        with pytest.raises(ConfigurationError, match=f"campaign 'b'.*{said}"):
            make_project(make_campaign("a"), campaign).explain("ada", as_of=START)


# Arbitration, ledger, what comes


def test_who_wins_is_told_also_where_only_the_loser_is_asked_about(
    make_project: Open, make_campaign: Plan, make_customer: Know
) -> None:
    project = make_project(make_campaign("best", priority=3, owner="Ada"), make_campaign("second"), **FREE)
    project.record_customers([make_customer("eve")])
    project.review(as_of=START)
    (second,) = project.explain("eve", "second", as_of=START).actions
    assert second.outlook is not None
    assert (second.outlook.reason, second.outlook.detail) == ("outranked", "best of Ada: priority 3 goes before 0")
    assert second.decisions == ()


def test_the_ledger_and_when_something_may_change(make_project: Open, make_campaign: Plan, make_customer: Know) -> None:
    project = make_project(
        make_campaign("ask", nature="ask", priority=9), make_campaign("give"), minimum_interval_days={"default": 5.0}
    )
    project.record_customers([make_customer("eve")])
    step(project, START)
    explanation = project.explain("eve", as_of=START + DAY)
    ledger = explanation.ledger
    assert ledger is not None
    assert (ledger.gives, ledger.asks, ledger.open_ask_at) == (1, 0, None)
    assert ledger.balance == 2
    assert (explanation.changes_at, explanation.changes) == (START + 5 * DAY, "ask / write")
    project.deliver(as_of=START)
    step(project, START + 5 * DAY)
    ledger = project.explain("eve", as_of=START + 6 * DAY).ledger
    assert ledger is not None
    assert (ledger.gives, ledger.asks) == (1, 1)
    assert ledger.open_ask_at is not None
    assert ledger.open_ask_until is not None


def test_nobody_is_told_what_would_be_decided_of_what_was_sent(
    make_project: Open, make_campaign: Plan, make_customer: Know
) -> None:
    project = make_project(make_campaign("hello"))
    project.record_customers([make_customer("ada")])
    step(project, START)
    (hello,) = project.explain("ada", as_of=START + DAY).actions
    assert (hello.outlook, hello.policies, len(hello.messages)) == (None, (), 1)
    outside = make_project(make_campaign("hello", audience="interactions > 5"))
    outside.record_customers([make_customer("ada")])
    outside.review(as_of=START)
    (hello,) = outside.explain("ada", as_of=START).actions
    assert (hello.addressed, hello.outlook, hello.policies) == (False, None, ())


def test_it_writes_nothing(make_project: Open, make_campaign: Plan, make_customer: Know) -> None:
    project = make_project(make_campaign("hello", value=9, cost=Cost(money=4), limits={"budget": 4}))
    project.record_customers([make_customer("ada")])
    project.review(as_of=START)

    class Reading:
        """A store that nobody may write into."""

        def __init__(self, store: Any) -> None:
            self._store = store

        def __getattr__(self, name: str) -> Any:
            assert name not in {"put", "update", "delete", "mark", "unmark", "transaction", "append", "merge"}
            return getattr(self._store, name)

    store = project.store
    project.store = Reading(store)
    assert project.explain("ada", as_of=START).actions[0].outlook is not None
    project.store = store


def test_unknown_names(make_project: Open, make_campaign: Plan, make_customer: Know) -> None:
    project = make_project(make_campaign("hello"))
    project.record_customers([make_customer("ada")])
    with pytest.raises(ConfigurationError, match="did you mean 'hello'"):
        project.explain("ada", "helo")
    with pytest.raises(RejectedError, match="there is no customer"):
        project.explain("bob")


# The past


def test_the_past_is_told_from_history_and_what_is_not_kept_is_said(
    make_project: Open, make_campaign: Plan, make_customer: Know, make_interaction: Make
) -> None:
    campaigns = [make_campaign("thanks", when="orders >= 1", key="last_order_on"), make_campaign("hello", nature="ask")]
    project = make_project(*campaigns, minimum_interval_days={"default": 3.0})
    project.record_customers([make_customer("ada")])
    project.record([make_interaction("ada", "order", START, minor=900)])
    project.run(as_of=START + DAY)
    project.record([make_interaction("ada", "order", START + 20 * DAY, minor=900)])
    project.run(as_of=START + 21 * DAY)

    past = project.explain("ada", as_of=START + 2 * DAY)
    assert (past.stage, past.ledger, past.changes_at) == ("customer", None, None)
    assert [(move.origin, move.target) for move in past.moves] == [("prospect", "customer")]
    found = {action.campaign: action for action in past.actions}
    for action in found.values():
        assert (action.addressed, action.due, action.audience, action.policies, action.outlook) == (
            None, None, (), (), None,
        )  # fmt: skip
    (decision,) = found["thanks"].decisions
    assert (decision.reason, decision.at) == ("due", START + DAY)
    assert [(each.state, each.occasion) for each in found["thanks"].messages] == [("accepted", "2024-03-01")]
    assert found["hello"].decisions == ()
    assert any("hello / write was decided again later" in sentence for sentence in past.untold)
    assert any("is not kept" in sentence for sentence in past.untold)

    before = project.explain("ada", as_of=START - DAY)
    assert (before.stage, before.moves) == ("prospect", ())
    assert all(not action.decisions and not action.messages for action in before.actions)


def test_a_message_that_was_settled_later_was_queued_then(
    make_project: Open, make_campaign: Plan, make_customer: Know, make_interaction: Make
) -> None:
    project = make_project(make_campaign("hello"))
    project.record_customers([make_customer("ada")])
    step(project, START)
    project.deliver(as_of=START + 2 * DAY)
    project.record([make_interaction("ada", "visit", START + 3 * DAY)])
    states = [project.explain("ada", as_of=START + number * DAY).actions[0].messages[0].state for number in (1, 2, 3)]
    assert states == ["queued", "accepted", "accepted"]


def test_the_ledger_tells_what_was_given_and_asked_beside_messages(
    make_project: Open, make_campaign: Plan, make_customer: Know, make_interaction: Make
) -> None:
    project = make_project(make_campaign("hello"))
    project.record_customers([make_customer("ada")])
    project.record(
        [make_interaction("ada", kind, START) for kind in ("help_given", "favour_asked", "campaign_received")]
    )
    project.review(as_of=START)
    ledger = project.explain("ada", as_of=START).ledger
    assert ledger is not None
    assert [ledger.given, ledger.asked, ledger.balance] == pytest.approx([1.0, 2.0, 0.0])


# The command line


def test_on_the_command_line(relate: Relate, tmp_path: Any) -> None:
    assert relate("init").exit_code == 0
    orders = tmp_path / "orders.csv"
    orders.write_text(
        "source,id,customer,kind,at,amount\n"
        "t,1,ada,order,2025-01-01T10:00:00Z,9.00\nt,2,ada,order,2025-01-09T10:00:00Z,9.00\n"
    )
    people = tmp_path / "people.csv"
    people.write_text("customer,name,contact.email\nada,Ada,ada@example.com\n")
    assert relate("import", "customers", people).exit_code == 0
    assert relate("import", "interactions", orders).exit_code == 0
    at = ("--as-of", "2025-03-10T10:00:00Z")
    assert relate("review", *at).exit_code == 0
    shown = relate("explain", "ada", *at)
    told = " ".join(shown.output.split())
    assert shown.exit_code == 0
    assert "policies that pass: expired," in told
    assert "a plan would say due" in told
    assert "policy no_consent: holds back (none)" in told
    assert "Ledger: a balance of 1.00, 0 gives, 0 asks." in told
    assert "Unless there is news, " in told
    document = json.loads(relate("explain", "ada", "we-miss-you", "--json", *at).stdout)
    (action,) = document["actions"]
    assert {"name": "no_consent", "answer": "holds_back", "detail": "none", "until": None} in action["policies"]
    assert action["outlook"]["reason"] == "no_consent"

    past = relate("explain", "ada", "--as-of", "2025-01-05T10:00:00Z")
    assert past.exit_code == 0
    told = " ".join(past.output.split())
    assert "no decision of that time is kept" in told
    assert "is not kept, and so neither is who was in an audience" in told
