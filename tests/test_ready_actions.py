"""The ready actions: each file is right, each acts where it should and not where it should not, on both demos too."""

import json
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from shutil import copytree, ignore_patterns
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import polars as pl
import pytest
from attrs import evolve
from click.testing import Result
from hypothesis import given, settings, strategies as st

from relationship_core import (
    CONTACTS,
    DECISIONS,
    INTERACTIONS,
    MESSAGES,
    STATES,
    Choice,
    ConfigurationError,
    ConsentSettings,
    ContactPoint,
    Customer,
    Interaction,
    Message,
    OrderLine,
    Plugins,
    Preference,
    ReadyCampaign,
    Relationships,
    Settings,
    Variant,
    Wish,
    copy_ready_campaign,
    read_campaigns,
    read_settings,
    ready_campaigns,
)
from relationship_demo.garage.business import GARAGE
from relationship_demo.months import Month
from relationship_demo.project import prepare

Relate = Callable[..., Result]
MakeInteraction = Callable[..., Interaction]
MakeProject = Callable[..., Relationships]
MakeShop = Callable[..., "AbstractContextManager[Shop]"]

START = datetime(2024, 1, 1, 10, tzinfo=UTC)
"""Day 0, from which days are counted here."""

CHANNELS = {
    "mail": Choice(use="null", settings={"medium": "email"}),
    "texts": Choice(use="null", settings={"medium": "sms"}),
    "letters": Choice(use="null", settings={"medium": "post"}),
    "tasks": Choice(use="task"),
}


def day(number: float) -> datetime:
    return START + timedelta(days=number)


class Told(NamedTuple):
    """Something that happened: its kind, its day, and what else there is to say."""

    kind: str
    day: float
    more: dict[str, Any] = {}  # noqa: RUF012  read only


def order(number: float, category: str = "") -> Told:
    lines = [OrderLine(product=category, category=category, minor=1_000)] if category else []
    return Told("order", number, {"minor": 1_000, "lines": lines})


def run_well(project: Relationships, at: datetime) -> None:
    """Review, plan and deliver as of an instant; no campaign may have been stopped."""
    planned = project.run(as_of=at).planned
    assert planned is not None
    assert planned.failed == {}


class Shop:
    """A project with ready campaigns, in which nobody has to allow anything."""

    def __init__(self, project: Relationships, make_interaction: MakeInteraction) -> None:
        self.project = project
        self._make_interaction = make_interaction

    def join(self, *people: str, wish: Wish | None = "close", **points: str) -> None:
        """Record people with an e-mail address and what else is given, who want such a relationship; None: unasked."""
        self.project.record_customers([somebody(name, **points) for name in people])
        if wish is not None:
            said = [Preference(customer=name, wish=wish, at=day(-10), source="test") for name in people]
            self.project.permissions.record_preferences(said)

    def tell(self, *told: Told, customer: str = "ada", later: float = 0) -> None:
        """Record what happened with somebody, all of it so many days later."""
        rows = [(each.kind, day(each.day + later), each.more) for each in told]
        self.project.record([self._make_interaction(customer, kind, at, **more) for kind, at, more in rows])

    def run(self, number: float) -> Mapping[str, list[str]]:
        """Review, plan and deliver on a day; gives the actions that went then, as ``campaign/action``, by customer."""
        run_well(self.project, day(number))
        went: dict[str, list[str]] = {}
        for row in self.project.store.read(MESSAGES).filter(pl.col("queued_at") == day(number)).iter_rows(named=True):
            assert row["state"] == "accepted", row
            went.setdefault(row["customer"], []).append(f"{row['campaign']}/{row['action']}")
        return went

    def plan(self, number: float, customer: str = "ada") -> list[str]:
        """The same for one customer."""
        return sorted(self.run(number).get(customer, []))

    def reasons(self, customer: str, action: str) -> set[str]:
        """Why an action, ``campaign/action``, did not go ahead; empty for whoever is not in its audience."""
        campaign, name = action.split("/")
        rows = self.project.store.read(DECISIONS, where={"campaign": campaign, "action": name})
        return set(rows.filter(pl.col("customer") == customer, pl.col("verdict") == "skipped")["reason"])


def somebody(name: str, **points: str) -> Customer:
    addresses = {"email": f"{name}@example.com", **points}
    return Customer(
        id=name,
        name=name.title(),
        contact_points=[ContactPoint(medium=medium, address=at, synthetic=True) for medium, at in addresses.items()],
    )


@pytest.fixture(scope="module")
def make_shop(make_project: MakeProject, make_interaction: MakeInteraction) -> MakeShop:
    """A shop with these ready campaigns, or all."""

    def make(*names: str) -> AbstractContextManager[Shop]:
        @contextmanager
        def opened() -> Iterator[Shop]:
            campaigns = [each.campaign for each in ready_campaigns(names or None)]
            consent = ConsentSettings(without=("email", "post", "sms"))
            with make_project(*campaigns, channels=CHANNELS, consent=consent) as project:
                yield Shop(project, make_interaction)

        return opened()

    return make


# The files.


class Words(HTMLParser):
    """The words that a reader of HTML sees."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.feed(html)

    def handle_data(self, data: str) -> None:
        self.words += data.split()


@pytest.fixture(scope="module")
def previews(make_shop: MakeShop) -> Mapping[str, Sequence[Message]]:
    """What each ready campaign says to somebody with a long history and without a name."""
    with make_shop() as shop:
        shop.project.record_customers([Customer(id="nameless")])
        everything = (
            *(order(number, "Wine") for number in range(0, 400, 40)),
            *(Told("visit", number) for number in range(0, 50, 10)),
            Told("referral_made", 380),
            Told("review", 381),
            Told("promise_broken", 382),
            Told("contract_signed", 300, {"data": {"until": day(450).isoformat()}}),
            CAR,
        )
        shop.tell(*everything, customer="nameless")
        shop.join(*(f"buyer{number}" for number in range(40)))
        for number in range(40):
            basket = ("Wine", "Cheese & more") if number % 2 else ("Soap", "Towels")
            shop.tell(*(order(0, category) for category in basket[:1]), customer=f"buyer{number}")
            shop.tell(*(order(1, category) for category in basket[1:]), customer=f"buyer{number}")
        shop.project.calibrate("co-purchase", as_of=day(400))
        return {
            each.name: [said.message for said in shop.project.preview(each.name, "nameless", as_of=day(400))]
            for each in ready_campaigns()
        }


def every_ready() -> pytest.MarkDecorator:
    return pytest.mark.parametrize("ready", ready_campaigns(), ids=lambda ready: ready.name)


def without_tags(text: str) -> str:
    return re.sub(r"\{[{%].*?[%}]\}", "", text)


def test_there_are_eighteen() -> None:
    assert len({each.name for each in ready_campaigns()}) == 18


@every_ready()
def test_everything_is_said_to_somebody_without_a_name(
    ready: ReadyCampaign, previews: Mapping[str, Sequence[Message]]
) -> None:
    said = previews[ready.name]
    assert len(said) == sum(len(action.variants) for action in ready.campaign.actions)
    texts = [text for message in said for text in (message.subject, message.text, message.html)]
    assert not [text for text in texts if re.search(r"[{}]|\bNone\b|\bnull\b|  |,,| ,", text)]


@every_ready()
def test_the_same_is_said_in_text_and_in_html(ready: ReadyCampaign, previews: Mapping[str, Sequence[Message]]) -> None:
    for message in previews[ready.name]:
        assert bool(message.html) == (message.channel in {"mail", "letters"})
        if message.html:
            assert Words(message.html).words == message.text.split()


@every_ready()
def test_a_text_message_is_one_segment(ready: ReadyCampaign, previews: Mapping[str, Sequence[Message]]) -> None:
    for message in previews[ready.name]:
        if message.channel == "texts":
            # Of the 160 characters of a segment, 20 are for the project's name, which is empty here.
            assert re.fullmatch(r"[A-Za-z0-9 %&.,:;?!'()-]{1,140}", message.text), message.text


@every_ready()
def test_what_reaches_the_customer_as_marketing_says_how_to_stop(ready: ReadyCampaign) -> None:
    for _where, variant in variants(ready):
        to_customer = ready.campaign.purpose == "marketing" and variant.channel != "tasks"
        assert ("stop" in variant.text.lower()) is to_customer


@every_ready()
def test_service_carries_nothing_to_buy(ready: ReadyCampaign) -> None:
    if ready.campaign.purpose == "service":
        assert ready.campaign.offer is None
        said = " ".join(without_tags(f"{each.subject} {each.text} {each.html}") for _where, each in variants(ready))
        assert not re.search(r"https?:|www\.|href|[%$\u20ac]|\b(offer|discount|price|coupon|code|sale|shop)s?\b", said)


@every_ready()
def test_an_offer_is_an_ask_and_asks_are_marketing(ready: ReadyCampaign) -> None:
    campaign = ready.campaign
    assert campaign.offer is None or campaign.nature == "ask"
    assert campaign.nature != "ask" or campaign.purpose == "marketing"
    assert campaign.purpose == "service" or campaign.value > campaign.cost.money > -1
    assert campaign.topic in ({"care", "offers", "questions"} if campaign.purpose == "marketing" else {""})
    assert campaign.cost.their_minutes > 0 or {each.channel for _where, each in variants(ready)} >= {"tasks"}


@every_ready()
def test_its_columns_are_those_of_its_conditions_and_templates(ready: ReadyCampaign, make_shop: MakeShop) -> None:
    with make_shop(ready.name) as shop:
        rules = shop.project.rules
        conditions = [each for trigger in rules.triggers for each in (trigger.audience, trigger.when, trigger.goal)]
        named = {column for each in conditions if each is not None for column in each.columns} | rules.occasion_names
        shown = set(re.findall(r"\bfacts\.(\w+)", repr(ready.campaign)))
        assert set(ready.columns) == (named | shown) - {"now", "step_at", "entered_at"}
        assert set(ready.columns) <= set(rules.catalog.types)


def variants(ready: ReadyCampaign) -> list[tuple[str, Variant]]:
    return [(action.name, variant) for action in ready.campaign.actions for variant in action.variants]


# What makes them act.


MONTHLY = (order(0), order(30), order(60))
COFFEE = (order(0, "coffee"), order(50, "coffee"), order(100, "coffee"))
CAR = Told("item_acquired", 0, {"reference": "car", "data": {"service_interval_days": "100"}})
WEEKLY = tuple(order(number) for number in (0, 7, 14, 21, 28))
WINE = (order(0, "wine"), order(40, "wine"))
YEAR = (order(0), order(100), order(200), order(350))
PRAISED = (*MONTHLY, *(Told("praise", number) for number in range(10, 70, 6)))
GIFTS = tuple(Told("gift_given", number) for number in (10, 40, 66))


class Case(NamedTuple):
    """A history after which one action, and no other, goes on a day."""

    history: tuple[Told, ...]
    on: float
    action: str
    wish: Wish | None = "close"


CASES = {
    "thank-order": Case((order(0),), 1.5, "say-thanks"),
    "thank-referral": Case((Told("referral_made", 0),), 1, "say-thanks"),
    "thank-review": Case((Told("review", 0),), 1, "say-thanks"),
    "presence": Case(MONTHLY, 110, "clients"),
    "win-back": Case(MONTHLY, 155, "ask-why"),
    "second-purchase": Case((order(0),), 20, "offer"),
    "replenish": Case(COFFEE, 151, "remind"),
    "service-reminder": Case((CAR,), 101, "remind"),
    "memory": Case(WINE, 65, "remember"),
    "little-extra": Case(WEEKLY, 40, "give"),
    "feedback": Case((order(0), order(30)), 42, "ask"),
    "referral-ask": Case((*PRAISED, *GIFTS), 72, "ask"),
    "preference-invitation": Case((order(0), order(30)), 42, "invite", None),
    "apology": Case((Told("promise_broken", 0),), 1, "say-sorry"),
    "anniversary": Case(YEAR, 368, "remember"),
}
"""Of next-category, card and account-review there are tests of their own."""

OUTSIDE = ""
"""No reason is kept of those who are not addressed."""

ENDED: dict[str, tuple[str, Sequence[Told], str]] = {
    "a gift thanks for an order": ("thank-order", [Told("gift_given", 1)], "cleared"),
    "what came back was no pleasure": ("thank-order", [Told("return", 1)], OUTSIDE),
    "help thanks for a referral": ("thank-referral", [Told("help_given", 0.5)], "cleared"),
    "a gift thanks for a review": ("thank-review", [Told("gift_given", 0.5)], "cleared"),
    "a call is presence": ("presence", [Told("account_contact", 90)], "cleared"),
    "they are back": ("win-back", [order(150)], OUTSIDE),
    "they looked in": ("win-back", [Told("visit", 150)], "nothing_due"),
    "another ask is open": ("second-purchase", [Told("favour_asked", 15, {"reference": "f"})], "open_ask"),
    "a second order": ("second-purchase", [order(10)], OUTSIDE),
    "enough coffee": ("replenish", [order(149, "coffee")], OUTSIDE),
    "they wait for redress": ("replenish", [Told("complaint_opened", 120, {"reference": "c"})], "open_complaint"),
    "it was serviced": ("service-reminder", [Told("service", 50, {"reference": "car"})], OUTSIDE),
    "the car is sold": ("service-reminder", [Told("item_retired", 50, {"reference": "car"})], OUTSIDE),
    "it came back": ("memory", [Told("return", 45)], OUTSIDE),
    "a call was memory enough": ("memory", [Told("account_contact", 50)], "cleared"),
    "it would hurt now": ("little-extra", [Told("sensitive_noted", 30)], "sensitive"),
    "they have told us": ("feedback", [Told("feedback_given", 35)], OUTSIDE),
    "they have recommended us": ("referral-ask", [Told("referral_made", 50)], OUTSIDE),
    "they have left": ("anniversary", [Told("complaint_opened", 360, {"reference": "c"})], OUTSIDE),
}


PROMOTED = ("thank-order", "thank-referral", "thank-review", "presence", "memory")
"""Whom an advertisement has reached just before."""

TODAY = 400
"""The day on which all of them are planned for together; nobody's history has anything to do with anybody else's."""


class Day(NamedTuple):
    """What went on that day and half a day later, by customer, and the project."""

    went: Mapping[str, list[str]]
    then: Mapping[str, list[str]]
    shop: Shop


@pytest.fixture(scope="module")
def today(make_shop: MakeShop) -> Iterator[Day]:
    with make_shop() as shop:
        for name, case in CASES.items():
            shop.join(name, wish=case.wish)
            shop.tell(*case.history, customer=name, later=TODAY - case.on)
        for why, (name, more, _reason) in ENDED.items():
            shop.join(id_of(why), wish=CASES[name].wish)
            shop.tell(*CASES[name].history, *more, customer=id_of(why), later=TODAY - CASES[name].on)
        for name in PROMOTED:
            case, customer = CASES[name], f"promoted-{name}"
            shop.join(customer)
            promotion = Told("campaign_received", case.on - 0.5)
            shop.tell(*case.history, promotion, customer=customer, later=TODAY - case.on)
        yield Day(shop.run(TODAY), shop.run(TODAY + 0.5), shop)


def id_of(why: str) -> str:
    return why.replace(" ", "-")


@pytest.mark.parametrize("name", CASES)
def test_it_acts_alone_where_it_should_and_once(today: Day, name: str) -> None:
    assert today.went[name] == [f"{name}/{CASES[name].action}"]
    assert name not in today.then


@pytest.mark.parametrize("name", CASES)
def test_what_it_needs_is_what_it_is_said_to_need(name: str) -> None:
    (ready,) = ready_campaigns([name])
    assert {told.kind for told in CASES[name].history} == set(ready.kinds)


@pytest.mark.parametrize("why", ENDED)
def test_it_does_not_act_where_it_should_not(today: Day, why: str) -> None:
    name, _more, reason = ENDED[why]
    action = f"{name}/{CASES[name].action}"
    assert [each for each in today.went.get(id_of(why), []) if each.startswith(f"{name}/")] == []
    assert today.shop.reasons(id_of(why), action) == ({reason} if reason else set())


@pytest.mark.parametrize("name", PROMOTED)
def test_a_promotion_clears_nothing(today: Day, name: str) -> None:
    assert today.went[f"promoted-{name}"] == [f"{name}/{CASES[name].action}"]


@pytest.fixture
def ada(make_shop: MakeShop, request: pytest.FixtureRequest) -> Iterator[Shop]:
    """A shop with the campaigns that the test names, and ada."""
    with make_shop(*request.param) as shop:
        shop.join("ada")
        yield shop


def only(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("ada", [names], indirect=True, ids=["only"])


@only("feedback", "presence")
def test_a_question_of_ours_is_no_presence(ada: Shop) -> None:
    ada.tell(*MONTHLY)
    assert ada.plan(72) == ["feedback/ask"]
    assert ada.plan(110) == ["presence/clients"]


@only("presence", "thank-order")
def test_our_own_sign_of_life_is_thanks_enough(ada: Shop) -> None:
    ada.tell(*MONTHLY)
    assert ada.plan(110) == ["presence/clients"]
    ada.tell(order(115))
    assert ada.plan(117) == []
    assert "cleared" in ada.reasons("ada", "thank-order/say-thanks")


@only("thank-order")
def test_who_orders_every_week_is_thanked_every_six_weeks(ada: Shop) -> None:
    thanked = []
    for week in range(14):
        ada.tell(order(7 * week))
        if ada.plan(7 * week + 2):
            thanked.append(week)
    assert thanked == [0, 6, 12]


@pytest.mark.parametrize(
    ("more", "then"),
    [
        ([], ["win-back/win-back"]),
        ([order(160)], []),
        ([Told("visit", 160)], []),
        ([Told("reply", 160)], []),
    ],
    ids=["silent", "ordered", "looked in", "answered"],
)
@only("win-back")
def test_two_weeks_after_the_question_who_said_nothing_is_welcome(
    ada: Shop, more: Sequence[Told], then: Sequence[str]
) -> None:
    ada.tell(*MONTHLY)
    assert ada.plan(155) == ["win-back/ask-why"]
    assert ada.plan(168) == []
    ada.tell(*more)
    assert ada.plan(169.5) == then


@only("memory")
def test_the_memory_is_of_the_day_of_what_they_took_home(ada: Shop) -> None:
    ada.tell(order(0, "Wine"), order(38, "Wine"), order(40))
    assert ada.plan(65) == ["memory/remember"]
    said = [each.message.text for each in ada.project.preview("memory", "ada", as_of=day(65))]
    assert said
    assert all("on 08 February" in text and "wine" in text for text in said)


@only("win-back")
def test_who_looked_in_regularly_is_asked_too(ada: Shop) -> None:
    ada.tell(*(Told("visit", number) for number in range(0, 50, 10)))
    assert ada.plan(120) == ["win-back/ask-visitors"]


@only("presence")
def test_who_is_no_client_is_left_alone_longer(ada: Shop) -> None:
    ada.tell(order(0), order(40), Told("account_contact", 20))
    assert ada.plan(100) == []
    assert ada.reasons("ada", "presence/customers") == {"cleared"}
    assert ada.reasons("ada", "presence/clients") == {"nothing_due"}


@only("service-reminder")
def test_a_service_is_reminded_of_twice_and_no_more(ada: Shop) -> None:
    ada.tell(CAR)
    assert ada.plan(101) == ["service-reminder/remind"]
    assert ada.plan(120) == []
    assert ada.plan(132) == ["service-reminder/remind-again"]
    assert ada.plan(170) == []


@only("apology", "feedback")
def test_an_apology_waits_for_nothing_and_a_person_follows(ada: Shop) -> None:
    ada.tell(Told("complaint_opened", 0, {"reference": "c"}), Told("promise_broken", 0.5))
    assert ada.plan(1) == ["apology/say-sorry"]
    assert ada.plan(2) == []
    assert ada.plan(3.5) == ["apology/put-right"]
    (task,) = ada.project.tasks.list()
    assert (task.customer, task.assignee, task.title) == ("ada", "Customer care", "Put it right with Ada")
    ada.project.tasks.done(task.id, outcome="put_right", note="A new date is agreed", actor="eve")
    kept = ada.project.store.read(INTERACTIONS, where={"source": "tasks"})
    assert kept.select("customer", "kind").rows() == [("ada", "help_given")]


@only("apology")
def test_an_apology_does_not_come_late(ada: Shop) -> None:
    ada.tell(Told("promise_broken", 0))
    assert ada.plan(15) == []
    assert ada.reasons("ada", "apology/say-sorry") == {"expired"}


@only("apology")
def test_a_promise_that_is_missed_in_silence_deserves_an_apology_too(ada: Shop) -> None:
    ada.tell(Told("promise_made", 0, {"reference": "p", "data": {"due": day(5).isoformat()}}))
    assert ada.plan(4) == []
    assert ada.plan(5.5) == ["apology/say-sorry"]


@only("little-extra")
def test_what_came_of_the_little_extra_is_recorded(ada: Shop) -> None:
    ada.tell(*WEEKLY)
    assert ada.plan(40) == ["little-extra/give"]
    (task,) = ada.project.tasks.list()
    assert ada.project.tasks.outcomes(task.id) == {"given": "gift_given", "talked": "account_contact", "not_now": ""}
    ada.project.tasks.done(task.id, outcome="given", actor="eve")
    assert ada.project.store.read(INTERACTIONS, where={"source": "tasks"})["kind"].to_list() == ["gift_given"]


@only("little-extra", "thank-order")
def test_work_that_nobody_has_done_yet_is_no_give(ada: Shop) -> None:
    ada.tell(*WEEKLY)
    assert ada.plan(40) == ["little-extra/give"]
    ada.tell(order(41))
    assert ada.plan(42.5) == ["thank-order/say-thanks"]


@only("account-review", "presence")
def test_work_that_reaches_nobody_is_no_presence(ada: Shop) -> None:
    ada.join("firm")
    ada.project.accounts.link("firm", "ada", role="buyer")
    ada.tell(*MONTHLY)
    assert ada.run(92) == {"firm": ["account-review/yearly"]}
    assert ada.run(110) == {"firm": ["presence/clients"], "ada": ["presence/clients"]}


@only("referral-ask")
def test_a_referral_is_asked_for_after_gives_alone(ada: Shop) -> None:
    ada.tell(*PRAISED)
    assert ada.plan(72) == []
    assert ada.reasons("ada", "referral-ask/ask") == {"contact_balance"}


@only("referral-ask")
def test_buying_alone_is_never_asked_for_a_referral(ada: Shop) -> None:
    ada.tell(*MONTHLY, *GIFTS)
    assert ada.plan(72) == []
    assert ada.reasons("ada", "referral-ask/ask") == set()


@only("preference-invitation", "feedback")
def test_a_wish_that_was_said_is_obeyed_and_not_asked_for(ada: Shop) -> None:
    ada.join("cy", wish="none")
    ada.tell(order(0), order(30), customer="cy")
    assert ada.plan(42, "cy") == []
    assert ada.reasons("cy", "preference-invitation/invite") == set()
    assert ada.reasons("cy", "feedback/ask") == {"preference"}


@only("card")
def test_a_card_goes_to_those_with_a_postal_address(ada: Shop) -> None:
    ada.join("bea", post="1 Sample Street\nAnytown")
    for customer in ("ada", "bea"):
        ada.tell(*MONTHLY, customer=customer)
    ada.project.review(as_of=day(65))
    for customer in ("ada", "bea"):
        ada.tell(*(order(number) for number in range(90, 241, 30)), customer=customer)
    assert ada.run(255) == {"bea": ["card/post-card"]}
    assert ada.reasons("ada", "card/post-card") == {"no_contact_point"}


@only("account-review")
def test_an_account_is_reviewed_by_a_person(ada: Shop) -> None:
    ada.join("firm", "dan")
    until = {"data": {"until": day(200).isoformat()}}
    ada.tell(Told("inquiry", 0), Told("contract_signed", 1, until), customer="dan")
    ada.project.accounts.link("firm", "dan", role="buyer")
    assert ada.run(50) == {}
    assert ada.run(95) == {"firm": ["account-review/yearly"]}
    assert ada.run(150) == {"firm": ["account-review/before-the-end"]}
    yearly, ending = sorted(ada.project.tasks.list(closed=True), key=lambda task: task.created_at)
    assert (yearly.customer, yearly.assignee, yearly.title) == ("firm", "Sales", "Account review: Firm")
    assert "ends on 19 July 2024" in ending.text


@only("next-category")
def test_what_others_are_fond_of_is_offered_once_it_was_fitted(ada: Shop) -> None:
    others = [f"other{number}" for number in range(60)]
    ada.join(*others)
    for number, other in enumerate(others):
        basket = ("coffee", "cake") if number % 2 else ("soap", "towels")
        ada.tell(*(order(10 + place, category) for place, category in enumerate(basket)), customer=other)
    ada.tell(*(order(number, "coffee") for number in (0, 30, 60)))
    assert ada.plan(65) == []
    ada.project.calibrate("co-purchase", as_of=day(65))
    assert ada.plan(65.5) == ["next-category/offer"]
    ada.tell(order(66, "cake"))
    assert ada.plan(90) == []


# Bringing them into a project.


def test_a_project_with_all_of_them_is_well(tmp_path: Path, relate: Relate) -> None:
    made = relate("init", "--with", "all")
    assert made.exit_code == 0, made.output
    assert "  campaigns/thank-order/\n" in made.stdout
    checked = relate("doctor", "--json")
    assert json.loads(checked.stdout)["ok"], checked.output
    assert {each.name for each in read_campaigns(tmp_path / "shop")} == {each.name for each in ready_campaigns()}


def test_those_that_are_named_take_the_place_of_the_examples(tmp_path: Path, relate: Relate) -> None:
    document = json.loads(relate("init", "--with", "card, presence", "--json").stdout)
    assert [path for path in document["written"] if path.endswith(".toml")] == [
        "campaigns/card/campaign.toml",
        "campaigns/presence/campaign.toml",
        "relationship.toml",
    ]
    assert [each.name for each in read_campaigns(tmp_path / "shop")] == ["card", "presence"]


def test_a_wrong_name_says_the_nearest_and_writes_nothing(tmp_path: Path, relate: Relate) -> None:
    refused = relate("init", "--with", "card,thankorder")
    assert refused.exit_code == 1
    assert "did you mean 'thank-order'?" in refused.stderr
    assert not (tmp_path / "shop").exists()
    assert relate("init", "--with", "").exit_code == 1
    relate("init")
    assert "did you mean 'win-back'?" in relate("campaign", "add", "card", "winback").stderr
    assert not (tmp_path / "shop" / "campaigns" / "card").exists()


def test_adding_never_overwrites(tmp_path: Path, relate: Relate) -> None:
    relate("init", "--with", "card")
    card = tmp_path / "shop" / "campaigns" / "card"
    for path in card.iterdir():
        path.write_text(path.read_text().replace("Thank you", "Thanks"))
    before = {path: path.read_bytes() for path in card.iterdir()}
    added = relate("campaign", "add", "card", "presence")
    assert added.exit_code == 0, added.output
    assert "added campaigns/presence/\n" in added.stdout
    assert "card is there already" in added.stdout
    assert {path: path.read_bytes() for path in card.iterdir()} == before


def test_adding_finishes_what_was_begun_and_keeps_what_is_there(tmp_path: Path, relate: Relate) -> None:
    relate("init", "--with", "card")
    folder = tmp_path / "shop" / "campaigns" / "presence"
    folder.mkdir()
    (folder / "mail.txt").write_text("Mine.")
    document = json.loads(relate("campaign", "add", "presence", "--json").stdout)
    assert document["written"] == ["campaigns/presence/mail.html", "campaigns/presence/campaign.toml"]
    assert (folder / "mail.txt").read_text() == "Mine."


def test_a_campaign_of_that_name_elsewhere_is_there_already(tmp_path: Path, relate: Relate) -> None:
    relate("init", "--with", "card")
    folder = tmp_path / "shop" / "campaigns"
    (folder / "card").rename(folder / "our-card")
    assert json.loads(relate("campaign", "add", "card", "--json").stdout)["present"] == ["card"]
    assert not (folder / "card").exists()


def test_a_campaign_without_its_channel_is_refused(tmp_path: Path, relate: Relate) -> None:
    relate("init", "--with", "presence")
    file = tmp_path / "shop" / "relationship.toml"
    file.write_text(file.read_text().replace("[channels.letters]", "[channels.cards]"))
    refused = relate("campaign", "add", "feedback", "card")
    assert refused.exit_code == 1
    assert "needs the channel 'letters'" in refused.stderr
    assert not (tmp_path / "shop" / "campaigns" / "feedback").exists()


def test_the_list_says_what_is_there_and_what_each_needs(relate: Relate) -> None:
    listed = json.loads(relate("campaign", "ready", "--json").stdout)["campaigns"]
    assert [each["name"] for each in listed] == [each.name for each in ready_campaigns()]
    assert not any(each["present"] for each in listed)
    relate("init", "--with", "win-back")
    listed = json.loads(relate("campaign", "ready", "--json").stdout)["campaigns"]
    assert [each["name"] for each in listed if each["present"]] == ["win-back"]
    (mine,) = (each for each in listed if each["present"])
    assert (mine["kinds"], mine["channels"]) == (["order"], ["mail", "texts"])
    assert "order_gap_days" in mine["columns"]
    told = " ".join(relate("campaign", "ready").stdout.split())
    assert all(each.campaign.summary in told for each in ready_campaigns())


@settings(max_examples=20)
@given(names=st.lists(st.sampled_from([each.name for each in ready_campaigns()]), max_size=4))
def test_copies_are_whole_and_repeating_changes_nothing(names: list[str]) -> None:
    with TemporaryDirectory() as folder:
        for name in names:
            copy_ready_campaign(name, folder)
        before = {path: path.stat().st_mtime_ns for path in Path(folder).rglob("*")}
        assert [written for name in names for written in copy_ready_campaign(name, folder)] == []
        assert {path: path.stat().st_mtime_ns for path in Path(folder).rglob("*")} == before
        assert {each.name: each for each in read_campaigns(folder)} == {
            each.name: each.campaign for each in ready_campaigns(names)
        }


@given(name=st.text())
def test_no_other_name_is_found(name: str) -> None:
    if name not in {each.name for each in ready_campaigns()}:
        with pytest.raises(ConfigurationError, match="comes with the package"):
            copy_ready_campaign(name, ".")


# On the two demos.

DEMOS = Path(__file__).resolve().parent.parent / "docs" / "reference" / "ready-actions.md"

LACKING = {
    "thank-referral": {"referral_made", "referral_converted"},
    "thank-review": {"review"},
    "service-reminder": {"item_acquired"},
    "referral-ask": {"praise", "survey_answer", "complaint_opened", "promise_made", "inquiry", "billing_error"},
    "apology": {"promise_made", "promise_broken"},
    "account-review": set[str](),
}
"""What the groceries cannot show, and the kinds of interaction that their data would need for it.

Without anything that speaks for or against us nobody passes client, and households are no accounts.
"""


def printed(column: int) -> dict[str, int]:
    """The numbers of one demo, as the page has them."""
    table = DEMOS.read_text(encoding="utf-8").partition("\n## On the two demos\n")[2]
    rows = re.findall(r"^\| `([a-z-]+)` \| ([\d,]+)[^|]*\| ([\d,]+)[^|]*\|$", table, flags=re.MULTILINE)
    return {row[0]: int(row[column].replace(",", "")) for row in rows}


def check_against_the_page(project: Relationships, column: int) -> None:
    """Nothing that the page promises stays away, nothing comes that it denies, and numbers are of that size."""
    messages = project.store.read(MESSAGES, columns=["campaign"])
    counted = dict.fromkeys(printed(column), 0) | dict(messages["campaign"].value_counts().rows())
    assert list(printed(column)) == [each.name for each in ready_campaigns()]
    far = {
        name: (number, counted[name])
        for name, number in printed(column).items()
        if bool(number) != bool(counted[name]) or not number / 2 - 3 <= counted[name] <= number * 2 + 3
    }
    assert far == {}, "campaign: (as printed, as counted)"


def as_configured(folder: Path) -> Settings:
    """The settings of a demo, with the channels of the ready actions."""
    return evolve(read_settings(folder), channels=CHANNELS)


def test_they_act_on_the_groceries(
    replayed_year: tuple[Path, dict[str, Any]], tmp_path: Path, standard_plugins: Plugins
) -> None:
    """The year is over, and was lived without them: six weeks of plans for what it leaves to be done."""
    folder = copytree(replayed_year[0], tmp_path / "groceries", ignore=ignore_patterns("outbox"))
    with closing(sqlite3.connect(folder / "relationships.db")) as database, database:
        database.execute("DELETE FROM messages")
        database.execute("DELETE FROM decisions")
    clock = Clock()
    campaigns = [each.campaign for each in ready_campaigns()]
    settings = as_configured(folder)
    with Relationships(
        settings=settings, campaigns=campaigns, clock=clock, plugins=standard_plugins, folder=folder
    ) as shop:
        for days in (2, 12, 32, 42):
            clock.at = datetime(2018, 1, 1, 17, tzinfo=UTC) + timedelta(days=days)
            if days == 2:
                shop.calibrate("co-purchase")
            run_well(shop, clock.at)
        check_against_the_page(shop, 1)
        there = set(shop.store.count(INTERACTIONS, ["kind"])["kind"])
        assert {name for name, number in printed(1).items() if number == 0} == set(LACKING)
        assert not there & {kind for kinds in LACKING.values() for kind in kinds}
        assert set(shop.store.count(STATES, ["stage"])["stage"]) <= {"prospect", "customer", "client"}
        assert shop.store.read(CONTACTS).is_empty()


def test_they_act_on_the_garage(tmp_path: Path, standard_plugins: Plugins) -> None:
    """21 months of history, and three months in which they act twice a month."""
    prepare(tmp_path / "garage", GARAGE)
    clock, campaigns = Clock(), [each.campaign for each in ready_campaigns()]
    settings = as_configured(tmp_path / "garage")
    with Relationships(
        settings=settings, campaigns=campaigns, clock=clock, plugins=standard_plugins, folder=tmp_path / "garage"
    ) as garage:
        for number, month in enumerate(GARAGE.months()):
            clock.at = month.end
            newcomers = GARAGE.newcomers(month)
            if newcomers:
                garage.record_customers(newcomers)
                GARAGE.joined(garage, month)
            if number < 21:
                hear(garage, month, month.until)
                if number % 3 == 0:
                    garage.review()
                continue
            for days in (15, 30):
                clock.at = month.since + timedelta(days=days, hours=-12)
                hear(garage, month, clock.at)
                if (number, days) == (21, 15):
                    garage.calibrate("co-purchase")
                run_well(garage, clock.at)
        check_against_the_page(garage, 2)
        assert 0 not in printed(2).values()


def hear(garage: Relationships, month: Month, until: datetime) -> None:
    """What has reached the garage in a month until then; what it has heard before it hears for nothing."""
    garage.record(GARAGE.interactions(month).filter(pl.col("at") < until))
    said = GARAGE.said(month)
    garage.permissions.record_consents([each for each in said.consents if each.at < until])
    garage.permissions.record_preferences([each for each in said.preferences if each.at < until])


class Clock:
    """Shows what it is set to."""

    at = START

    def __call__(self) -> datetime:
        return self.at
