"""What relationships cost, on both sides: per customer, campaign and owner."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import pytest
from click.testing import Result
from hypothesis import Phase, given, settings, strategies as st

from relationship_core import (
    CAMPAIGNS,
    MESSAGES,
    Campaign,
    Choice,
    Cost,
    Costs,
    Customer,
    Interaction,
    LedgerSettings,
    Offer,
    Relationships,
    Variant,
)

Open = Callable[..., Relationships]
Make = Callable[..., Interaction]
Plan = Callable[..., Campaign]
Know = Callable[..., Customer]
Relate = Callable[..., Result]

START = datetime(2024, 3, 1, 12, tzinfo=UTC)
LATE = START + timedelta(days=99)
COST = Cost(money=80, our_minutes=2, their_minutes=0.5)


def days(number: float) -> timedelta:
    return timedelta(days=number)


def coupon_letter(text: str = "{{ offer.code }}") -> tuple[Variant, ...]:
    return (Variant(channel="letters", subject="Hello", text=text),)


def told(costs: Iterable[Costs]) -> dict[tuple[str, str], tuple[float, ...]]:
    """Owner and campaign, each with messages, money, offers, minutes of both sides, and the total."""
    return {
        (each.owner, each.campaign): (
            *(each.messages, each.money, each.offers),
            *(each.our_minutes, each.their_minutes, each.total),
        )
        for each in costs
    }


@pytest.fixture
def costly(make_project: Open, make_campaign: Plan, make_customer: Know) -> Callable[..., Relationships]:
    """A project whose ``card`` went to ada and ben at START; it costs something, and so does a minute of ours: 50."""

    def make(**more: Any) -> Relationships:
        campaign = make_campaign("card", owner="shop", cost=COST, value=10_000, key="day", **more)
        project = make_project(campaign, ledger=LedgerSettings(minute=50), minimum_interval_days={"default": 0.0})
        project.record_customers([make_customer("ada"), make_customer("ben")])
        project.run(as_of=START)
        return project

    return make


def test_what_went_costs_money_and_minutes_by_owner_and_campaign(costly: Callable[..., Relationships]) -> None:
    with costly() as project:
        assert told(project.report().costs) == {("shop", "card"): (2, 160, 0, 4.0, 1.0, 160 + 4 * 50)}
        assert told(project.customer("ada", as_of=START).costs) == {("shop", "card"): (1, 80, 0, 2.0, 0.5, 180)}


def test_totals_are_whole_minor_units(costly: Callable[..., Relationships], make_interaction: Make) -> None:
    with costly(goal="orders > 9") as project:
        project.record([make_interaction("ada", "account_contact", START, data={"our_minutes": "0.25"})])
        totals = [each.total for each in (*project.report().costs, *project.customer("ada", as_of=START).costs)]
    assert totals == [360, 180, 12]
    assert {type(each) for each in totals} == {int}


def test_a_project_that_sent_nothing_costs_nothing(make_project: Open, make_customer: Know) -> None:
    with make_project() as project:
        project.record_customers([make_customer("ada")])
        assert project.report().costs == project.customer("ada", as_of=START).costs == ()


def test_a_redeemed_coupon_costs_what_its_offer_says(
    costly: Callable[..., Relationships], make_interaction: Make
) -> None:
    with costly(offer=Offer(summary="Coffee", code="CUP", cost=120), variants=coupon_letter()) as project:
        used = [make_interaction("ada", "order", START + days(day), data={"coupon": "CUP"}) for day in (1, 2)]
        project.record(used)
        assert told(project.report().costs) == {("shop", "card"): (2, 160, 120, 4.0, 1.0, 160 + 120 + 200)}
        before = project.report(as_of=START).costs
        assert told(before) == {("shop", "card"): (2, 160, 0, 4.0, 1.0, 360)}
        at = START + days(3)
        assert told(project.customer("ada", as_of=at).costs) == {("shop", "card"): (1, 80, 120, 2.0, 0.5, 300)}
        assert told(project.customer("ben", as_of=at).costs) == {("shop", "card"): (1, 80, 0, 2.0, 0.5, 180)}


def test_what_interactions_say_of_costs_is_the_customers(
    costly: Callable[..., Relationships], make_interaction: Make
) -> None:
    with costly() as project:
        data = {"cost_minor": "900", "our_minutes": "20", "their_minutes": "5"}
        project.record([make_interaction("ada", "account_contact", START, data=data)])
        project.record([make_interaction("ada", "gift_given", START, data={"cost_minor": "100"})])
        assert told(project.customer("ada", as_of=START).costs) == {
            ("shop", "card"): (1, 80, 0, 2.0, 0.5, 180),
            ("", ""): (0, 1000, 0, 20.0, 5.0, 2000),
        }
        assert told(project.report().costs).keys() == {("shop", "card")}, "an interaction has no campaign"


def test_merged_customers_cost_together_and_apart_again(
    costly: Callable[..., Relationships], make_interaction: Make
) -> None:
    with costly() as project:
        project.record([make_interaction("ada", "gift_given", START, data={"cost_minor": "100"})])
        apart = [told(project.customer(each, as_of=START).costs) for each in ("ada", "ben")]
        project.identities.merge("ada", into="ben")
        for each in ("ada", "ben"):
            assert told(project.customer(each, as_of=START).costs) == {
                ("shop", "card"): (2, 160, 0, 4.0, 1.0, 360),
                ("", ""): (0, 100, 0, 0.0, 0.0, 100),
            }
        assert told(project.report().costs) == {("shop", "card"): (2, 160, 0, 4.0, 1.0, 360)}
        project.identities.unmerge("ada")
        assert [told(project.customer(each, as_of=START).costs) for each in ("ada", "ben")] == apart


def test_costs_stay_with_whoever_owned_the_campaign(
    make_project: Open, make_campaign: Plan, make_customer: Know, tmp_path: Path
) -> None:
    def run(day: float, owner: str, cost: Cost) -> Mapping[tuple[str, str], tuple[float, ...]]:
        store = Choice(use="sqlite", settings={"path": str(tmp_path / "a.db")})
        campaign = make_campaign("card", owner=owner, cost=cost, value=10_000, key="day")
        with make_project(campaign, store=store, minimum_interval_days={"default": 0.0}) as project:
            project.record_customers([make_customer("ada")])
            project.run(as_of=START + days(day))
            return told(project.report().costs)

    run(0, "shop", Cost(money=10))
    assert run(1, "care", Cost(money=30)) == {
        ("care", "card"): (1, 30, 0, 0.0, 0.0, 30),
        ("shop", "card"): (1, 10, 0, 0.0, 0.0, 10),
    }


def test_a_message_from_before_costs_were_kept_has_those_of_its_campaign(costly: Callable[..., Relationships]) -> None:
    with costly() as project:
        before = project.report().costs
        bare = project.store.read(MESSAGES, columns=["id"]).with_columns(
            cost=pl.lit(None, pl.Int64), our_minutes=pl.lit(None, pl.Float64), their_minutes=pl.lit(None, pl.Float64)
        )
        with project.store.transaction():
            project.store.update(MESSAGES, bare)
        assert project.report().costs == before


# The same, slowly


class Sent(NamedTuple):
    """A message: whose, of which campaign, when it was settled in days after START, in which state, and its cost."""

    customer: str
    campaign: str
    at: float
    state: str
    cost: Cost


OWNERS = {"card": "shop", "call": "care", "gift": "care"}
PEOPLE = ("ada", "ben", "cat")
QUARTERS = st.integers(0, 40).map(lambda number: number / 4)
SENT = st.builds(
    Sent,
    st.sampled_from(PEOPLE),
    st.sampled_from(sorted(OWNERS)),
    QUARTERS,
    st.sampled_from(["accepted", "unknown", "rejected", "expired", "failed", "stopped", "held_out"]),
    st.builds(
        Cost,
        money=st.integers(0, 500),
        our_minutes=st.integers(0, 8).map(lambda number: number / 2),
        their_minutes=st.integers(0, 8).map(lambda number: number / 4),
    ),
)
MINUTE = 7


def slowly(sent: Iterable[Sent], until: float) -> dict[tuple[str, str], tuple[float, ...]]:
    """What had been spent on the messages that had gone, one by one."""
    sums: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0] * 4)
    for each in sent:
        if each.state in {"accepted", "unknown"} and each.at <= until:
            line = sums[OWNERS[each.campaign], each.campaign]
            for place, number in enumerate((1, each.cost.money, each.cost.our_minutes, each.cost.their_minutes)):
                line[place] += number
    return {
        key: (messages, money, 0, ours, theirs, money + round(ours * MINUTE))
        for key, (messages, money, ours, theirs) in sums.items()
    }


def put_messages(project: Relationships, sent: Sequence[Sent]) -> None:
    versions = dict(project.store.read(CAMPAIGNS, columns=["campaign", "version"]).iter_rows())
    rows = [
        dict.fromkeys(MESSAGES.schema)
        | {"id": f"{number:032x}", "campaign": each.campaign, "version": versions[each.campaign]}
        | {"action": "write", "customer": each.customer, "occasion": str(number), "channel": "letters", "variant": 0}
        | {"medium": "email", "state": each.state, "queued_at": START, "settled_at": START + days(each.at)}
        | {"cost": each.cost.money, "our_minutes": each.cost.our_minutes, "their_minutes": each.cost.their_minutes}
        | {"attempts": 0}
        for number, each in enumerate(sent)
    ]
    with project.store.transaction():
        project.store.put(MESSAGES, pl.DataFrame(rows, schema=dict(MESSAGES.schema)))


@settings(max_examples=max(settings().max_examples // 5, 1), phases=[Phase.reuse, Phase.generate])
@given(sent=st.lists(SENT, max_size=12), at=QUARTERS)
def test_costs_agree_with_a_slow_reference(
    make_project: Open, make_campaign: Plan, make_customer: Know, sent: Sequence[Sent], at: float
) -> None:
    campaigns = [make_campaign(name, owner=owner) for name, owner in OWNERS.items()]
    with make_project(*campaigns, ledger=LedgerSettings(minute=MINUTE)) as project:
        project.review(as_of=START)
        project.plan(as_of=START)  # keeps what the campaigns say
        project.record_customers([make_customer(each) for each in PEOPLE])
        put_messages(project, sent)
        assert told(project.report().costs) == slowly(sent, 99)
        assert told(project.report(as_of=START + days(at)).costs) == slowly(sent, at)
        own = [each for each in sent if each.customer == "ada"]
        assert told(project.customer("ada", as_of=START + days(at)).costs) == slowly(own, at)
        costs = project.report().costs
        assert [*costs] == sorted(costs, key=lambda each: (each.owner, each.campaign))


# Where it is told

SHOP = """\
[project]
postal_address = "1 Main Street"

[channels.mail]
use = "folder"
path = "outbox"

[consent]
without = ["email"]

[ledger]
minute = 50

[preference]
unasked = "close"

[minimum_interval_days]
default = 0
"""
CARD = """\
name = "{name}"
owner = "{owner}"
purpose = "marketing"
nature = "give"
value = 10000
{more}

[cost]
money = 80
our_minutes = 2
their_minutes = 0.5

[[actions]]
name = "write"

[actions.occasion]
name = "once"

[[actions.variants]]
channel = "mail"
subject = "Hello"
text = "Hello"
"""


@pytest.fixture
def shop(relate: Relate, tmp_path: Path) -> Path:
    """A project folder in which two owners have written to ada, one of them twice."""
    folder = tmp_path / "shop"
    (folder / "campaigns").mkdir(parents=True)
    (folder / "relationship.toml").write_text(SHOP, encoding="utf-8")
    for number, (name, owner) in enumerate(OWNERS.items()):
        text = CARD.format(name=name, owner=owner, more=f"priority = {number}")
        (folder / "campaigns" / f"{name}.toml").write_text(text, encoding="utf-8")
    (tmp_path / "customers.csv").write_text("customer,name,contact.email\nada,Ada,ada@example.com\n", encoding="utf-8")
    assert relate("import", "customers", tmp_path / "customers.csv").exit_code == 0
    for day in range(3):
        done = relate("run", "--as-of", (START + days(day)).isoformat())
        assert done.exit_code == 0, done.output
    return folder


@pytest.mark.usefixtures("shop")
def test_relate_report_and_customer_tell_costs(relate: Relate, tmp_path: Path) -> None:
    document = json.loads(relate("report", "--json").stdout)
    one = {"messages": 1, "money": 80, "offers": 0, "our_minutes": 2.0, "their_minutes": 0.5, "total": 180.0}
    assert document["costs"] == [
        {"owner": "care", "campaign": "call", **one},
        {"owner": "care", "campaign": "gift", **one},
        {"owner": "shop", "campaign": "card", **one},
    ]
    text = relate("report").stdout
    rows = [line.split() for line in text[text.index("\nCosts in EUR") :].splitlines()[4:]]
    assert rows == [
        ["care", "call", "1", "0.80", "0.00", "2", "0.5", "1.80"],
        ["gift", "1", "0.80", "0.00", "2", "0.5", "1.80"],
        ["together", "2", "1.60", "0.00", "4", "1", "3.60"],
        ["shop", "card", "1", "0.80", "0.00", "2", "0.5", "1.80"],
        ["all", "owners", "together", "3", "2.40", "0.00", "6", "1.50", "5.40"],
    ]
    for command in (("report",), ("customer", "ada")):
        page = tmp_path / f"{command[0]}.html"
        assert relate(*command, "--html", page).exit_code == 0
        assert "5.40" in page.read_text(encoding="utf-8")
    assert "What it costs, in EUR" in relate("customer", "ada").stdout
    assert len(json.loads(relate("customer", "ada", "--json").stdout)["costs"]) == 3
