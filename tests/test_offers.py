"""Offers: coupons that messages issue, what redeems them, and what templates may say of them."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from click.testing import Result
from hypothesis import Phase, given, settings, strategies as st

from relationship_core import (
    CAMPAIGNS,
    MESSAGES,
    Action,
    Campaign,
    Choice,
    ConfigurationError,
    ContactPoint,
    Coupon,
    Customer,
    Interaction,
    Occasion,
    Offer,
    RejectedError,
    Relationships,
    Variant,
    read_campaigns,
)

Open = Callable[..., Relationships]
Make = Callable[..., Interaction]
Plan = Callable[..., Campaign]
Know = Callable[..., Customer]
Relate = Callable[..., Result]

START = datetime(2024, 3, 1, 12, tzinfo=UTC)
BERLIN = "Europe/Berlin"
TEN_OFF = Offer(summary="10 % off", days=14, percent=10, cost=250)
TELLS = "{{ offer.summary }}: {{ offer.code }}, until {{ offer.until }}"


def days(number: float) -> timedelta:
    return timedelta(days=number)


def saying(text: str) -> tuple[Variant, ...]:
    return (Variant(channel="letters", subject="Hello", text=text),)


@pytest.fixture
def offering(make_project: Open, make_campaign: Plan, make_customer: Know) -> Callable[..., Relationships]:
    """A project whose campaign ``spring`` offers ada and ben something, each day anew; delivered as of START."""

    def make(offer: Offer = TEN_OFF, *, text: str = TELLS, runs: Iterable[float] = (0,), **more: Any) -> Relationships:
        campaign = make_campaign("spring", offer=offer, variants=saying(text), key="day")
        project = make_project(campaign, minimum_interval_days={"default": 0.0}, **{"zone": BERLIN, **more})
        project.record_customers([make_customer("ada"), make_customer("ben")])
        for day in runs:
            project.run(as_of=START + days(day))
        return project

    return make


def coupons(project: Relationships, customer: str = "ada", after: float = 0) -> Sequence[Coupon]:
    return project.offers.show(customer=customer, as_of=START + days(after)).coupons


def states(project: Relationships, customer: str = "ada", after: float = 0) -> list[str]:
    return [each.state for each in coupons(project, customer, after)]


# What is issued


def test_a_message_that_went_issues_a_coupon_with_a_code_of_its_own(offering: Callable[..., Relationships]) -> None:
    with offering(runs=(0, 1)) as project:
        ada, ben = coupons(project, after=1), coupons(project, "ben", after=1)
    codes = [each.code for each in (*ada, *ben)]
    assert len(set(codes)) == 4
    assert all(re.fullmatch("[0-9A-HJKMNP-TV-Z]{10}", code) for code in codes)
    assert [(each.customer, each.campaign, each.summary, each.issued_at) for each in ada] == [
        ("ada", "spring", "10 % off", START),
        ("ada", "spring", "10 % off", START + days(1)),
    ]


def test_a_message_says_the_code_of_its_coupon_and_its_last_day(
    make_campaign: Plan, make_project: Open, make_customer: Know, tmp_path: Path
) -> None:
    letters = {"letters": Choice(use="folder", settings={"path": str(tmp_path / "out"), "medium": "sms"})}
    campaign = make_campaign("spring", offer=TEN_OFF, variants=saying(TELLS))
    with make_project(campaign, channels=letters, zone=BERLIN, quiet_hours={}) as project:
        point = ContactPoint(medium="sms", address="+491701234567", synthetic=True)
        project.record_customers([make_customer("ada", contact_points=[point])])
        project.run(as_of=START)
        (coupon,) = coupons(project)
    (file,) = (tmp_path / "out").rglob("*.txt")
    assert f"10 % off: {coupon.code}, until 2024-03-15" in file.read_text(encoding="utf-8")


def test_the_coupon_is_valid_to_the_end_of_the_day_that_the_message_names(
    offering: Callable[..., Relationships],
) -> None:
    """Also where the clocks change in between: Berlin's on 31 March 2024."""
    with offering(Offer(summary="Coffee", days=40)) as project:
        (coupon,) = coupons(project)
        assert coupon.expires_at == datetime(2024, 4, 11, tzinfo=ZoneInfo(BERLIN))
        last = datetime(2024, 4, 10, 23, 59, tzinfo=ZoneInfo(BERLIN))
        shown = [project.offers.show(as_of=at).campaigns[0] for at in (last, last + timedelta(minutes=1))]
        assert [(each.open, each.expired) for each in shown] == [(2, 0), (0, 2)]


@pytest.mark.parametrize(
    ("issued", "last"),
    [
        (datetime(2026, 10, 24, 22, 15, tzinfo=UTC), date(2026, 10, 26)),  # 00:15 of a day of 25 hours
        (datetime(2026, 3, 28, 22, 15, tzinfo=UTC), date(2026, 3, 29)),  # 23:15 before a day of 23 hours
    ],
)
def test_days_are_those_of_the_calendar_where_the_clocks_change(
    make_campaign: Plan, make_project: Open, tmp_path: Path, issued: datetime, last: date
) -> None:
    letters = {"letters": Choice(use="folder", settings={"path": str(tmp_path / "out"), "medium": "post"})}
    campaign = make_campaign("spring", offer=Offer(summary="Coffee", days=1), variants=saying(TELLS))
    with make_project(campaign, channels=letters, zone=BERLIN, clock=lambda: issued) as project:
        point = ContactPoint(medium="post", address="2 Side Street", synthetic=True)
        project.record_customers([Customer(id="ada", name="Ada", contact_points=[point])])
        project.run(as_of=issued)
        (coupon,) = project.offers.show(customer="ada", as_of=issued).coupons
    assert coupon.expires_at is not None
    assert coupon.expires_at.astimezone(ZoneInfo(BERLIN)) == datetime(
        last.year, last.month, last.day, tzinfo=ZoneInfo(BERLIN)
    ) + days(1)
    (file,) = (tmp_path / "out").glob("*.*")
    assert f"until {last}" in file.read_text(encoding="utf-8")


def test_zero_days_are_the_same_day_and_no_days_are_for_ever(offering: Callable[..., Relationships]) -> None:
    with offering(Offer(summary="Today", days=0)) as project:
        assert coupons(project)[0].expires_at == datetime(2024, 3, 2, tzinfo=ZoneInfo(BERLIN))
    with offering(Offer(summary="Always"), text="{{ offer.code }}{{ offer.until }}") as project:
        assert coupons(project)[0].expires_at is None
        assert states(project, after=2000) == ["open"]
        assert project.preview("spring")[0].message.text == "SAMPLECODE"


@pytest.mark.parametrize(
    "state", ["queued", "claimed", "attempting", "rejected", "expired", "failed", "stopped", "held_out"]
)
def test_a_message_that_did_not_go_issues_nothing(offering: Callable[..., Relationships], state: str) -> None:
    with offering() as project:
        put_state(project, "ada", state)
        assert coupons(project) == ()
        assert project.offers.show(as_of=START).campaigns[0].issued == 1


def put_state(project: Relationships, customer: str, state: str) -> None:
    mine = project.store.read(MESSAGES).filter(pl.col("customer") == customer)
    with project.store.transaction():
        project.store.update(MESSAGES, mine.select("id", state=pl.lit(state)))


def test_a_message_that_may_have_gone_issues_a_coupon_since_the_customer_may_hold_it(
    offering: Callable[..., Relationships], make_interaction: Make
) -> None:
    with offering() as project:
        put_state(project, "ada", "unknown")
        code = coupons(project)[0].code
        project.record([make_interaction("ada", "order", START + days(2), minor=900, data={"coupon": code})])
        assert states(project, after=2) == ["redeemed"]


def test_a_holdout_issues_nothing(make_project: Open, make_campaign: Plan, make_customer: Know) -> None:
    campaign = make_campaign("spring", offer=TEN_OFF, variants=saying(TELLS), holdout=0.5)
    with make_project(campaign) as project:
        project.record_customers([make_customer(f"c{number}") for number in range(40)])
        project.run(as_of=START)
        sent = project.store.read(MESSAGES, where={"state": "accepted"}).height
        assert 0 < sent < 40
        assert project.offers.show(as_of=START).campaigns[0].issued == sent


def test_only_a_text_that_names_the_offer_issues_a_coupon(
    make_project: Open, make_campaign: Plan, make_customer: Know
) -> None:
    occasion = Occasion(name="once")
    actions = [
        Action(name="ask", occasion=occasion, variants=saying("Why did you leave?")),
        Action(name="lure", occasion=occasion, variants=saying("Come back: {{ offer.code }}")),
    ]
    campaign = make_campaign("win-back", offer=TEN_OFF, actions=actions)
    with make_project(campaign, minimum_interval_days={"default": 0.0}) as project:
        project.record_customers([make_customer("ada")])
        for day in range(3):
            project.run(as_of=START + days(day))
        messages = project.store.read(MESSAGES).filter(pl.col("state") == "accepted")
        assert sorted(messages["action"]) == ["ask", "lure"]
        assert project.offers.show(as_of=START + days(3)).campaigns[0].issued == 1
        lure = messages.filter(pl.col("action") == "lure")["id"].item()
        assert [each.message for each in coupons(project, after=3)] == [lure]


def test_a_coupon_keeps_what_its_message_offered(
    make_project: Open, make_campaign: Plan, make_customer: Know, make_interaction: Make, tmp_path: Path
) -> None:
    def project_of(offer: Offer | None) -> Relationships:
        text = TELLS if offer else "Hello"
        campaign = make_campaign("spring", offer=offer, variants=saying(text))
        return make_project(campaign, store=Choice(use="sqlite", settings={"path": str(tmp_path / "a.db")}))

    with project_of(TEN_OFF) as project:
        project.record_customers([make_customer("ada")])
        project.run(as_of=START)
        (before,) = coupons(project)
    for later in (Offer(summary="5 % off", code="FIVE", days=1, cost=1), None):
        with project_of(later) as project:
            assert coupons(project) == (before,)
            assert coupons(project)[0].code == before.code
    with project_of(None) as project:
        project.record([make_interaction("ada", "order", START + days(9), data={"coupon": before.code})])
        (count,) = project.offers.show(as_of=START + days(9)).campaigns
        assert (count.summary, count.redeemed, count.cost) == ("10 % off", 1, 250)


def test_codes_are_of_use_to_nobody_who_lacks_the_salt(offering: Callable[..., Relationships]) -> None:
    """Two projects give the same engagement different codes, and no repr shows one."""
    with offering() as one, offering() as other:
        mine, theirs = coupons(one)[0], coupons(other)[0]
    assert mine.code != theirs.code
    assert mine.code not in repr(mine)


# What redeems


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("order", {"data": {"coupon": "CODE"}}),
        ("order", {"data": {"coupon": " code "}, "reference": "A-17"}),
        ("order", {"data": {"coupon": "co-de"}}),
        ("coupon_redeemed", {"reference": "co-de"}),
        ("coupon_redeemed", {"reference": "CODE"}),
        ("coupon_redeemed", {"data": {"coupon": "CODE"}, "reference": "A-17"}),
    ],
)
def test_a_code_that_comes_back_redeems(
    offering: Callable[..., Relationships], make_interaction: Make, kind: str, said: Mapping[str, Any]
) -> None:
    with offering() as project:
        code = coupons(project)[0].code
        typed = {"CODE": code, " code ": f" {code.lower()} ", "co-de": f"{code[:5].lower()}-{code[5:7]} {code[7:]}"}
        data = {name: typed.get(text, text) for name, text in said.get("data", {}).items()}
        reference = typed.get(said.get("reference", ""), said.get("reference"))
        deed = make_interaction("ada", kind, START + days(3), minor=1999, data=data, reference=reference)
        project.record([deed])
        (coupon,) = coupons(project, after=3)
        assert (coupon.state, coupon.redeemed_at) == ("redeemed", START + days(3))
        assert coupon.revenue == (1999 if kind == "order" else None)
        assert states(project, "ben", after=3) == ["open"]
        assert states(project, after=2) == ["open"], "what happened later was not known then"


@pytest.mark.parametrize("meant", [("0", "O"), ("1", "I"), ("1", "L")])
def test_what_is_easily_misread_does_not_count(
    offering: Callable[..., Relationships], make_interaction: Make, meant: tuple[str, str]
) -> None:
    digit, letter = meant
    with offering(Offer(summary="Shared", code=f"A{digit}B")) as project:
        project.record([make_interaction("ada", "order", START + days(1), data={"coupon": f"a{letter.lower()}b"})])
        assert states(project, after=1) == ["redeemed"]


def test_the_code_of_somebody_elses_coupon_redeems_nothing(
    offering: Callable[..., Relationships], make_interaction: Make
) -> None:
    with offering() as project:
        code = coupons(project, "ben")[0].code
        project.record([make_interaction("ada", "order", START + days(1), minor=100, data={"coupon": code})])
        project.record([make_interaction("ada", "coupon_redeemed", START + days(1), reference="NEVERHEARD")])
        assert states(project, after=1) == ["open"]
        assert states(project, "ben", after=1) == ["open"]


@pytest.mark.parametrize(("at", "state"), [(-0.45, "redeemed"), (-0.6, "open"), (-2, "open")])
def test_a_code_that_came_on_a_day_before_its_coupon_redeems_nothing(
    offering: Callable[..., Relationships], make_interaction: Make, at: float, state: str
) -> None:
    """The clock of a shop may be wrong by hours; a day of the project's zone counts, and START is 13 o'clock there."""
    with offering() as project:
        code = coupons(project)[0].code
        project.record([make_interaction("ada", "order", START + days(at), minor=1999, data={"coupon": code})])
        (count,) = project.offers.show(as_of=START).campaigns
        assert states(project) == [state]
        assert (count.redeemed, count.revenue) == ((1, 1999) if state == "redeemed" else (0, 0))


def test_a_code_that_comes_too_late_redeems_nothing(
    offering: Callable[..., Relationships], make_interaction: Make
) -> None:
    with offering() as project:
        (coupon,) = coupons(project)
        end = coupon.expires_at
        assert end is not None
        late = make_interaction("ada", "order", end, minor=100, data={"coupon": coupon.code})
        project.record([late])
        assert states(project, after=30) == ["expired"]
        in_time = make_interaction("ada", "order", end - timedelta(seconds=1), minor=70, data={"coupon": coupon.code})
        project.record([in_time])  # told afterwards
        (redeemed,) = coupons(project, after=30)
        assert (redeemed.state, redeemed.revenue) == ("redeemed", 70)


def test_a_shared_code_redeems_the_oldest_open_coupon_of_whoever_brings_it(
    offering: Callable[..., Relationships], make_interaction: Make
) -> None:
    def use(day: float, minor: int) -> Interaction:
        return make_interaction("ada", "order", START + days(day), minor=minor, data={"coupon": "spring"})

    shared = Offer(summary="Spring", code="SPRING", days=10)
    with offering(shared, runs=(0, 5)) as project:
        project.record([use(-1, 1), use(2, 2), use(3, 3), use(6, 4), use(7, 5), use(40, 6)])
        found = [(each.code, each.state, each.revenue) for each in coupons(project, after=40)]
        assert found == [("SPRING", "redeemed", 2), ("SPRING", "redeemed", 4)]
        assert states(project, "ben", after=40) == ["expired", "expired"]


def test_a_purchase_that_is_told_twice_redeems_one_coupon(
    offering: Callable[..., Relationships], make_interaction: Make
) -> None:
    shared = Offer(summary="Spring", code="SPRING")
    with offering(shared, runs=(0, 1, 2, 3)) as project:
        project.record(
            [
                make_interaction("ada", "order", START + days(4), minor=500, data={"coupon": "SPRING"}),
                make_interaction("ada", "coupon_redeemed", START + days(4.1), reference="SPRING"),
                make_interaction("ada", "order", START + days(5), minor=600, data={"coupon": "SPRING"}, reference="N"),
                make_interaction("ada", "coupon_redeemed", START + days(7), reference="N", data={"coupon": "SPRING"}),
            ]
        )
        found = [(each.state, each.revenue) for each in coupons(project, after=9)]
        assert found == [("redeemed", 500), ("redeemed", 600), ("open", None), ("open", None)]


def test_what_was_bought_with_it_is_the_order_that_it_names_or_one_of_that_day(
    offering: Callable[..., Relationships], make_interaction: Make
) -> None:
    noon = START + days(4)
    with offering(Offer(summary="Spring", code="SPRING"), runs=(0, 1, 2)) as project:
        project.record(
            [
                make_interaction("ada", "order", noon - days(1), minor=100, reference="N-1"),
                make_interaction("ada", "order", noon, minor=200),
                make_interaction("ada", "order", noon + timedelta(hours=1), minor=300),
                make_interaction("ada", "coupon_redeemed", noon, data={"coupon": "SPRING"}, reference="N-1"),
                make_interaction("ada", "coupon_redeemed", noon + timedelta(minutes=1), reference="SPRING"),
                make_interaction("ada", "coupon_redeemed", noon + days(3), reference="SPRING"),
            ]
        )
        assert [each.revenue for each in coupons(project, after=9)] == [100, 200, None]


def test_a_day_is_one_of_the_projects_zone(offering: Callable[..., Relationships], make_interaction: Make) -> None:
    late = datetime(2024, 3, 4, 22, 30, tzinfo=UTC)  # still 4 March in Berlin
    with offering() as project:
        project.record(
            [
                make_interaction("ada", "order", late, minor=100),
                make_interaction("ada", "order", late + timedelta(hours=2), minor=200),
                make_interaction(
                    "ada", "coupon_redeemed", late + timedelta(hours=1), reference=coupons(project)[0].code
                ),
            ]
        )
        assert [each.revenue for each in coupons(project, after=9)] == [200]


def test_what_is_recorded_and_delivered_again_changes_nothing(
    offering: Callable[..., Relationships], make_interaction: Make
) -> None:
    with offering() as project:
        code = coupons(project)[0].code
        deed = make_interaction("ada", "order", START + days(2), minor=100, data={"coupon": code})
        project.record([deed])
        first = project.offers.show(customer="ada", as_of=START + days(2))
        project.record([deed])
        project.plan(as_of=START + days(2), dry_run=True)
        project.deliver(as_of=START + days(2))
        project.rebuild()
        again = project.offers.show(customer="ada", as_of=START + days(2))
        assert again == first
        assert [each.code for each in again.coupons] == [code]


# Who is who


def test_a_merged_customer_redeems_what_either_id_holds(
    offering: Callable[..., Relationships], make_interaction: Make
) -> None:
    with offering() as project:
        code = coupons(project, "ben")[0].code
        project.record([make_interaction("ada", "order", START + days(1), minor=100, data={"coupon": code})])
        assert states(project, "ben", after=1) == ["open"]
        project.identities.merge("ada", into="ben")
        merged = coupons(project, "ada", after=1)
        assert merged == coupons(project, "ben", after=1)
        assert sorted((each.customer, each.state) for each in merged) == [("ben", "open"), ("ben", "redeemed")]
        assert code in {each.code for each in merged if each.state == "redeemed"}
        project.identities.unmerge("ada")
        assert (states(project, after=1), states(project, "ben", after=1)) == (["open"], ["open"])


def test_a_contact_redeems_the_coupon_of_their_account_by_its_own_code_alone(
    make_project: Open, make_campaign: Plan, make_customer: Know, make_interaction: Make
) -> None:
    own = make_campaign("own", offer=TEN_OFF, variants=saying(TELLS), audience="account")
    shared = make_campaign(
        "shared", offer=Offer(summary="All", code="ALL"), variants=saying(TELLS), audience="account", key="day"
    )
    with make_project(own, shared, minimum_interval_days={"default": 0.0}) as project:
        project.record_customers([make_customer("firm"), make_customer("ada"), make_customer("ben")])
        project.accounts.link("firm", "ada")
        for day in range(2):
            project.run(as_of=START + days(day))
        held = {each.campaign: each for each in coupons(project, "firm", after=1)}
        assert held.keys() == {"own", "shared"}
        project.record(
            [
                make_interaction("ada", "order", START + days(3), minor=1, data={"coupon": "ALL"}),
                make_interaction("ben", "order", START + days(3), minor=2, data={"coupon": held["own"].code}),
                make_interaction("ada", "order", START + days(4), minor=3, data={"coupon": held["own"].code}),
            ]
        )
        after = {each.campaign: each for each in coupons(project, "firm", after=9)}
        assert (after["own"].state, after["own"].revenue, after["shared"].state) == ("redeemed", 3, "open")


def test_whoever_is_forgotten_holds_nothing(offering: Callable[..., Relationships]) -> None:
    with offering() as project:
        project.forget("ada")
        assert project.offers.show(as_of=START).campaigns[0].issued == 1
        with pytest.raises(RejectedError, match="no customer 'ada'"):
            project.offers.show(customer="ada")


# The same, slowly


class Sent(NamedTuple):
    """A message: who got it, of which campaign, when it was settled in days after START, and how."""

    customer: str
    campaign: str
    at: float
    state: str


class Came(NamedTuple):
    """A deed: whose, what, when, with which code (the number of a message, a shared one, or none), and the rest."""

    customer: str
    kind: str
    at: float
    code: int | str | None
    reference: str | None
    minor: int | None


PEOPLE = ("ada", "ben", "cat")
OFFERS = {
    "own": Offer(summary="own", days=3),
    "ever": Offer(summary="ever"),
    "one": Offer(summary="one", code="SHARED", days=2),
    "two": Offer(summary="two", code="shared"),
}
QUARTERS = st.integers(0, 40).map(lambda number: number / 4)
SENT = st.builds(
    Sent,
    st.sampled_from(PEOPLE),
    st.sampled_from(sorted(OFFERS)),
    QUARTERS,
    st.sampled_from(["accepted", "accepted", "accepted", "unknown", "rejected", "held_out"]),
)
CAME = st.builds(
    Came,
    st.sampled_from(PEOPLE),
    st.sampled_from(["order", "order", "coupon_redeemed"]),
    QUARTERS,
    st.one_of(st.integers(0, 7), st.just("SHARED"), st.none()),
    st.sampled_from([None, None, "N-1", "N-2"]),
    st.one_of(st.none(), st.integers(0, 99)),
)
Told = tuple[str, datetime | None, int | None]
"""State, when it was redeemed, and with how much money."""


def code_of(deed: Interaction) -> str:
    """The code that a deed brings, in capital letters; empty without."""
    said = deed.data.get("coupon") or (deed.reference if deed.kind == "coupon_redeemed" else "")
    return (said or "").upper()


def slow_uses(deeds: Sequence[Interaction]) -> list[tuple[datetime, str, str, int | None]]:
    """When each code came back, the id of the deed, the code and the money; what was told twice counts once."""
    orders = [deed for deed in deeds if deed.kind == "order"]
    found: dict[str, tuple[datetime, str, str, int | None]] = {}
    for order in orders:
        if code_of(order):
            found[order.id] = (order.at, order.id, code_of(order), money_of(order))
    taken: set[str] = set()
    for deed in (deed for deed in deeds if deed.kind == "coupon_redeemed" and code_of(deed)):
        fitting = []
        for order in orders:
            if order.id in taken or code_of(order) not in {"", code_of(deed)}:
                continue
            names_it = bool(deed.data) and deed.reference is not None and deed.reference == order.reference
            if names_it or order.at.date() == deed.at.date():
                fitting.append((not names_it, not code_of(order), order.at, order.id))
        at, money, id = deed.at, None, deed.id
        if fitting:
            (order,) = (each for each in orders if each.id == min(fitting)[3])
            taken.add(order.id)
            money = money_of(order)
            if code_of(order):
                at, id = min(at, order.at), order.id
        found[id] = (at, id, code_of(deed), money)
    return sorted(found.values())


def money_of(order: Interaction) -> int | None:
    return None if order.amount is None else order.amount.minor


def slowly(
    sent: Sequence[Sent], codes: Mapping[int, str], deeds: Sequence[Interaction], who: Mapping[str, str], now: datetime
) -> dict[int, Told]:
    """What became of the coupon of each message that issued one, by its number: holder by holder, use by use."""
    found: dict[int, Told] = {}
    for holder in set(who.values()):
        mine = [number for number in codes if who[sent[number].customer] == holder and issue(sent[number]) <= now]
        free = sorted(mine, key=lambda number: (sent[number].at, number))
        theirs = [deed for deed in deeds if who[deed.customer] == holder and deed.at <= now]
        for at, _id, code, money in slow_uses(sorted(theirs, key=lambda deed: (deed.at, deed.id))):
            for number in free:
                shared = bool(OFFERS[sent[number].campaign].code)
                issued = issue(sent[number])
                in_time = at < end_of(sent[number]) and (issued <= at if shared else issued.date() <= at.date())
                if codes[number].upper() == code and in_time:
                    found[number] = ("redeemed", at, money)
                    free.remove(number)
                    break
        found |= {number: ("expired" if end_of(sent[number]) <= now else "open", None, None) for number in free}
    return found


def issue(sent: Sent) -> datetime:
    return START + days(sent.at)


def end_of(sent: Sent) -> datetime:
    length = OFFERS[sent.campaign].days
    if length is None:
        return datetime.max.replace(tzinfo=UTC)
    last = (issue(sent) + days(length)).date()
    return datetime(last.year, last.month, last.day, tzinfo=UTC) + days(1)


def put_messages(project: Relationships, sent: Sequence[Sent]) -> None:
    versions = dict(project.store.read(CAMPAIGNS, columns=["campaign", "version"]).iter_rows())
    rows = [
        dict.fromkeys(MESSAGES.schema)
        | {"id": f"{number:032x}", "campaign": each.campaign, "version": versions[each.campaign]}
        | {"action": "write", "customer": each.customer, "occasion": str(number), "channel": "letters", "variant": 0}
        | {"medium": "email", "state": each.state, "queued_at": START, "settled_at": issue(each), "attempts": 0}
        for number, each in enumerate(sent)
    ]
    with project.store.transaction():
        project.store.put(MESSAGES, pl.DataFrame(rows, schema=dict(MESSAGES.schema)))


def shown(project: Relationships, at: datetime) -> dict[int, Told]:
    """What the project tells of every coupon, by the number of its message."""
    told: dict[int, Told] = {}
    for customer in PEOPLE:
        for each in project.offers.show(customer=customer, as_of=at).coupons:
            told[int(each.message, 16)] = (each.state, each.redeemed_at, each.revenue)
    return told


@pytest.fixture(scope="module")
def offers_made(make_project: Open, make_campaign: Plan, make_customer: Know) -> Callable[[], Relationships]:
    """A project that knows the people and what the campaigns offer, and has sent nothing yet."""
    campaigns = [make_campaign(name, offer=offer, variants=saying(TELLS)) for name, offer in OFFERS.items()]

    def make() -> Relationships:
        project = make_project(*campaigns)
        project.review(as_of=START)
        project.plan(as_of=START)  # keeps what the campaigns say
        project.record_customers([make_customer(each) for each in PEOPLE])
        return project

    return make


@settings(max_examples=max(settings().max_examples // 5, 1), phases=[Phase.reuse, Phase.generate])
@given(history=st.tuples(st.lists(SENT, max_size=8), st.lists(CAME, max_size=12)), at=QUARTERS)
def test_coupons_agree_with_a_slow_reference(
    offers_made: Callable[[], Relationships],
    make_interaction: Make,
    history: tuple[Sequence[Sent], Sequence[Came]],
    at: float,
) -> None:
    sent, came = history
    with offers_made() as project:
        put_messages(project, sent)
        codes = {
            int(each.message, 16): each.code
            for customer in PEOPLE
            for each in project.offers.show(customer=customer, as_of=START + days(99)).coupons
        }
        assert codes.keys() == {n for n, each in enumerate(sent) if each.state in {"accepted", "unknown"}}
        deeds = []
        for number, each in enumerate(came):
            code = codes.get(each.code, "NOBODYS") if isinstance(each.code, int) else each.code
            deeds.append(
                make_interaction(
                    each.customer,
                    each.kind,
                    START + days(each.at),
                    id=f"{number:02}",
                    minor=each.minor,
                    reference=each.reference,
                    data={} if code is None else {"coupon": code},
                )
            )
        project.record(deeds[::2])
        project.record(deeds[1::2])
        apart = {each: each for each in PEOPLE}
        for now in (START + days(at), START + days(99)):
            assert shown(project, now) == slowly(sent, codes, deeds, apart, now)
        project.identities.merge("ada", into="ben")
        late = START + days(99)
        assert shown(project, late) == slowly(sent, codes, deeds, {**apart, "ada": "ben"}, late)
        together = {each.campaign: each for each in project.offers.show(as_of=late).campaigns}
        for name in OFFERS:
            mine = {n: told for n, told in shown(project, late).items() if sent[n].campaign == name}
            assert together[name].issued == len(mine)
            assert together[name].redeemed == sum(state == "redeemed" for state, _, _ in mine.values())
            assert together[name].revenue == sum(money or 0 for _, _, money in mine.values())
        project.identities.unmerge("ada")
        assert shown(project, late) == slowly(sent, codes, deeds, apart, late)


# What templates may say


@pytest.mark.parametrize(
    ("offer", "text", "said"),
    [
        (Offer(summary="A", percent=12.5), "{{ offer.percent }} %", "12.5 %"),
        (Offer(summary="A", percent=10), "{{ offer.percent }} %", "10 %"),
        (Offer(summary="A", amount=550), "{{ offer.amount }} {{ project.currency }}", "5.50 EUR"),
        (Offer(summary="A", code="SPRING"), "{{ offer.code }}", "SPRING"),
        (Offer(summary="A"), "{{ offer.code }}", "SAMPLECODE"),
        (Offer(summary="A & B", days=1), "{{ offer.summary }} {{ offer.until | date: '%d.%m.' }}", "A & B 02.03."),
    ],
)
def test_a_preview_shows_a_sample(offering: Callable[..., Relationships], offer: Offer, text: str, said: str) -> None:
    with offering(offer, text=text) as project:
        assert project.preview("spring", "ada", as_of=START)[0].message.text == said


def refused(make_project: Open, campaign: Campaign) -> str:
    with make_project(campaign) as project, pytest.raises(ConfigurationError) as caught:
        _ = project.rules
    return str(caught.value)


def test_a_template_that_names_an_offer_without_one_is_refused(make_project: Open, make_campaign: Plan) -> None:
    campaign = make_campaign("spring", variants=saying("{{ offer.code }}"))
    assert refused(make_project, campaign) == (
        "campaign 'spring', action 'write': the template names 'offer', and the campaign carries none; "
        "say under [offer] what it offers"
    )


def test_service_whose_template_tells_of_an_offer_is_told_that_it_is_marketing(
    make_project: Open, make_campaign: Plan
) -> None:
    campaign = make_campaign("spring", purpose="service", variants=saying("{% if offer.percent %}x{% endif %}"))
    assert refused(make_project, campaign).endswith(
        "say under [offer] what it offers, and purpose = 'marketing', which an offer makes it"
    )


def test_an_offer_that_no_template_tells_of_is_refused(make_project: Open, make_campaign: Plan) -> None:
    campaign = make_campaign("spring", offer=TEN_OFF, variants=saying("Use TENOFF"))
    assert refused(make_project, campaign) == (
        "campaign 'spring': none of its templates tells of its offer, so that nobody could take it up; "
        "name 'offer.code' or 'offer.summary' in one of them"
    )


def test_what_an_offer_does_not_say_is_refused_with_what_it_says(make_project: Open, make_campaign: Plan) -> None:
    campaign = make_campaign("spring", offer=TEN_OFF, variants=saying("{{ offer.amount }}"))
    message = refused(make_project, campaign)
    assert "offer has no 'amount'" in message
    assert "it has code, percent, summary, until" in message


@pytest.mark.parametrize("said", ["{{ offer }}", "{{ customer }}", "{{ project }}", "{{ occasion }}"])
def test_what_has_parts_is_not_printed_whole(make_project: Open, make_campaign: Plan, said: str) -> None:
    campaign = make_campaign("spring", offer=TEN_OFF, variants=saying("{{ offer.code }} " + said))
    name = said.strip("{} ")
    assert f"the template names {name!r} alone; name one of it, such as {name}." in refused(make_project, campaign)


@pytest.mark.parametrize("code", [" ", "TEN OFF", " TEN", "TEN\N{PARTY POPPER}", "TEN_OFF", "-", "TEN-", "T\nEN"])
def test_a_code_that_cannot_be_typed_is_refused(code: str) -> None:
    with pytest.raises(ConfigurationError, match=r"Offer\.code must be letters and digits"):
        Offer(summary="A", code=code)


@pytest.mark.parametrize("code", ["", "TENOFF", "fr\N{LATIN SMALL LETTER U WITH DIAERESIS}hling-24"])
def test_a_code_is_of_letters_digits_and_hyphens(code: str) -> None:
    assert Offer(summary="A", code=code).code == code


@pytest.mark.parametrize("name", ["cost", "amount"])
def test_the_money_of_an_offer_may_be_summed(name: str) -> None:
    most: Mapping[str, Any] = {name: 10**12}
    more: Mapping[str, Any] = {name: 10**12 + 1}
    assert getattr(Offer(summary="A", **most), name) * 1_000_000 < 2**63
    with pytest.raises(ConfigurationError, match=rf"Offer\.{name} must be .* to 1,000,000,000,000"):
        Offer(summary="A", **more)


SPRING = """\
name = "spring"
owner = "shop"
purpose = "{purpose}"
nature = "ask"
{first}
[offer]
summary = "10 % off"
{offer}

[[actions]]
name = "write"

[actions.occasion]
name = "spring"

[[actions.variants]]
channel = "mail"
subject = "Spring"
text = "{{{{ offer.code }}}}"
"""


def write_campaign(folder: Path, *, purpose: str = "marketing", offer: str = "", first: str = "") -> None:
    (folder / "campaigns").mkdir(parents=True, exist_ok=True)
    text = SPRING.format(purpose=purpose, offer=offer, first=first)
    (folder / "campaigns" / "spring.toml").write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"purpose": "service"}, "carries an offer, which makes it marketing; say purpose = 'marketing'"),
        ({"offer": "percent = 10\namount = 100"}, "an offer takes off a percentage or an amount, not both"),
        ({"offer": "days = 40000"}, "days must be a whole number from 0 to 36,500"),
        ({"offer": "days = 1.5"}, "days"),
        ({"offer": "dayz = 4"}, "did you mean 'days'?"),
        ({"offer": "amount = 0"}, "amount must be"),
    ],
)
def test_a_wrong_offer_is_refused(tmp_path: Path, said: Mapping[str, str], why: str) -> None:
    write_campaign(tmp_path, **said)
    with pytest.raises(ConfigurationError, match=re.escape(why)):
        read_campaigns(tmp_path)


def test_service_with_an_offer_is_refused(make_campaign: Plan) -> None:
    with pytest.raises(ConfigurationError, match="carries an offer, which makes it marketing"):
        make_campaign("spring", purpose="service", offer=TEN_OFF)


# Where it is told


def test_an_open_coupon_is_part_of_what_comes_next(
    offering: Callable[..., Relationships], make_interaction: Make
) -> None:
    with offering() as project:
        (coupon,) = coupons(project)
        view = project.customer("ada", as_of=START)
        assert view.coupons == (coupon,)
        found = [each for each in view.ahead if each.what == "coupon"]
        assert [(each.on, each.detail) for each in found] == [
            (date(2024, 3, 15), f"10 % off ({coupon.code}), spring"),
        ]
        project.record([make_interaction("ada", "order", START + days(1), data={"coupon": coupon.code})])
        later = project.customer("ada", as_of=START + days(1))
        assert [each.what for each in later.ahead if each.what == "coupon"] == []
        assert [each.state for each in later.coupons] == ["redeemed"]


SHOP = """\
[project]
zone = "Europe/Berlin"
postal_address = "1 Main Street"

[channels.mail]
use = "folder"
path = "outbox"

[consent]
without = ["email"]
"""


@pytest.fixture
def shop(relate: Relate, tmp_path: Path) -> Path:
    """A project folder in which ``spring`` has offered ada and ben 10 % off."""
    folder = tmp_path / "shop"
    write_campaign(folder, offer="days = 14\npercent = 10\ncost = 250", first="value = 1000")
    (folder / "relationship.toml").write_text(SHOP, encoding="utf-8")
    people = "customer,name,contact.email\nada,Ada,ada@example.com\nben,Ben,ben@example.com\n"
    (tmp_path / "customers.csv").write_text(people, encoding="utf-8")
    assert relate("import", "customers", tmp_path / "customers.csv").exit_code == 0
    done = relate("run", "--as-of", START.isoformat())
    assert done.exit_code == 0, done.output
    return folder


def document(done: Result) -> Any:
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


LATER = ("--as-of", "2024-03-10T12:00:00Z")


@pytest.mark.usefixtures("shop")
def test_relate_offers_counts_and_names_coupons(relate: Relate, tmp_path: Path) -> None:
    (coupon,) = document(relate("offers", "--customer", "ada", *LATER, "--json"))["coupons"]
    order: dict[str, object] = {
        "source": "till",
        "id": "1",
        "customer": "ada",
        "kind": "order",
        "at": "2024-03-05T12:00:00Z",
    }
    order |= {"amount": "20.00", "data": {"coupon": coupon["code"]}}
    (tmp_path / "orders.jsonl").write_text(json.dumps(order), encoding="utf-8")
    assert relate("import", "interactions", tmp_path / "orders.jsonl").exit_code == 0

    told = document(relate("offers", *LATER, "--json"))
    assert told == {
        "as_of": "2024-03-10T12:00:00+00:00",
        "campaigns": [
            {"campaign": "spring", "summary": "10 % off", "issued": 2, "open": 1, "redeemed": 1, "expired": 0,
             "revenue": 2000, "cost": 250},
        ],
        "coupons": [],
    }  # fmt: skip
    assert document(relate("offers", "spring", *LATER, "--json")) == told
    (mine,) = document(relate("offers", "--customer", "ada", *LATER, "--json"))["coupons"]
    assert mine == {
        "message": coupon["message"],
        "customer": "ada",
        "campaign": "spring",
        "code": coupon["code"],
        "summary": "10 % off",
        "issued_at": "2024-03-01T12:00:00+00:00",
        "expires_at": "2024-03-15T23:00:00+00:00",
        "state": "redeemed",
        "redeemed_at": "2024-03-05T12:00:00+00:00",
        "revenue": 2000,
    }
    shown = " ".join(relate("offers", "--customer", "ada", *LATER).stdout.split())
    for words in ("Offers to ada", "20.00 EUR", "2.50 EUR", coupon["code"], "2024-03-15", "redeemed", "2024-03-05"):
        assert words in shown
    page = tmp_path / "ben.html"
    assert relate("customer", "ben", *LATER, "--html", page).exit_code == 0
    assert "coupon until then" in page.read_text(encoding="utf-8")


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("sprnig",), "no campaign 'sprnig' carries an offer, or did; did you mean 'spring'?"),
        (("--customer", "eve"), "there is no customer 'eve' in this project"),
    ],
)
def test_relate_offers_of_nobody_or_nothing_is_an_error(relate: Relate, arguments: Sequence[str], why: str) -> None:
    done = relate("offers", *arguments)
    assert done.exit_code == 1
    assert why in done.stderr


def test_relate_offers_without_any_says_where_to_begin(relate: Relate, shop: Path) -> None:
    (shop / "campaigns" / "spring.toml").unlink()
    for name in ("relationships.db", "relationships.db-wal", "relationships.db-shm"):
        (shop / name).unlink(missing_ok=True)
    done = relate("offers")
    assert (done.exit_code, done.stdout) == (
        0,
        "No campaign carries an offer; [offer] in the file of a campaign says what it offers.\n",
    )
