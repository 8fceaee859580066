"""Trading history by category, yearly days and contact: against slow references, in both stores, through merges."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import Result
from hypothesis import Phase, given, settings, strategies as st

from relationship_core import (
    MESSAGES,
    Campaign,
    Choice,
    ConfigurationError,
    Interaction,
    OrderLine,
    Relationships,
    Variant,
)
from relationship_core.declarations import next_change_column
from relationship_core.flow.standing import Moment, standing
from relationship_core.flow.united import united

Open = Callable[..., Relationships]
Make = Callable[..., Interaction]
Plan = Callable[..., Campaign]

START = datetime(2024, 2, 27, 3, tzinfo=UTC)
DAY = timedelta(days=1)
GAPS = 2

GIVES = {"inquiry_answered", "complaint_resolved", "gift_given", "help_given"}
LAST = {
    "last_given_at": GIVES,
    "last_from_us_at": {*GIVES, "complaint_answered", "service", "account_contact"},
    "last_referral_at": {"referral_made", "referral_converted"},
    "last_converted_at": {"referral_converted"},
    "last_review_at": {"review"},
    "last_feedback_at": {"feedback_given", "survey_answer"},
    "last_praise_at": {"praise"},
}
OF_TRADE = (
    *("last_order_category", "last_order_category_on"),
    *("replenish_category", "replenish_due_on", "replenishments_due"),
)
OF_DAYS = ("anniversary_on", "last_anniversary_on")
COLUMNS = (*LAST, "referrals_converted", "last_promise_broken_at", *OF_TRADE, *OF_DAYS)


# The slow reference


def local(at: datetime, zone: str) -> date:
    return at.astimezone(ZoneInfo(zone)).date()


def yearly(first: date, year: int) -> date:
    try:
        return first.replace(year=year)
    except ValueError:
        return date(year, 2, 28)


def of_days(found: Sequence[Interaction], today: date, zone: str) -> dict[str, Any]:
    paid = [local(each.at, zone) for each in found if each.kind == "order" and each.amount and each.amount.minor > 0]
    if not paid:
        return dict.fromkeys(OF_DAYS)
    days = [yearly(min(paid), year) for year in range(min(paid).year + 1, today.year + 2)]
    past = [day for day in days if day <= today]
    return {
        "anniversary_on": min(day for day in days if day >= today),
        "last_anniversary_on": max(past) if past else None,
    }


def of_trade(found: Sequence[Interaction], today: date, zone: str) -> dict[str, Any]:
    money: dict[date, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for each in found:
        for line in each.lines if each.kind == "order" else ():
            if line.category is not None:
                money[local(each.at, zone)][line.category] += line.minor or 0
    kept = {}
    for category in {name for day in money.values() for name in day}:
        days = sorted(day for day, names in money.items() if category in names)
        if len(days) >= 3:
            gap = Fraction(sum((later - day).days for day, later in pairwise(days)), len(days) - 1)
            if today <= days[-1] + timedelta(days=int(gap * GAPS)):
                kept[category] = days[-1] + timedelta(days=int(gap))
    first = min(((due, name) for name, due in kept.items()), default=(None, None))
    last = money[max(money)] if money else {}
    return {
        "last_order_category": min(last, key=lambda name: (-last[name], name), default=None),
        "last_order_category_on": max(money, default=None),
        "replenish_category": first[1],
        "replenish_due_on": first[0],
        "replenishments_due": sum(due <= today for due in kept.values()),
    }


def broken_at(found: Sequence[Interaction], now: datetime) -> datetime | None:
    """Each promise by itself, from the report or the missed time on, whichever came first."""
    instants = [each.at for each in found if each.kind == "promise_broken" and each.reference is None]
    for reference in {each.reference for each in found} - {None}:
        of_case = [each for each in found if each.reference == reference]
        at = {kind: [e.at for e in of_case if e.kind == f"promise_{kind}"] for kind in ("made", "kept", "broken")}
        times = [min(at["broken"])] if at["broken"] else []
        due = max((datetime.fromisoformat(e.data["due"]) for e in of_case if e.kind == "promise_made"), default=None)
        if due is not None and due <= now and not (at["kept"] and min(at["kept"]) <= due):
            times.append(due)
        instants += [min(times)] if times else []
    return max(instants, default=None)


def by_hand(found: Sequence[Interaction], now: datetime, zone: str) -> dict[str, Any]:
    today = local(now, zone)
    of_kinds = {name: max((e.at for e in found if e.kind in kinds), default=None) for name, kinds in LAST.items()}
    converted = sum(each.kind == "referral_converted" for each in found)
    return {
        **of_kinds,
        "referrals_converted": converted or None,
        "last_promise_broken_at": broken_at(found, now),
        **of_trade(found, today, zone),
        **of_days(found, today, zone),
    }


# Random histories

KINDS = sorted({kind for kinds in LAST.values() for kind in kinds} | {"delivery", "campaign_received", "visit"})
CATEGORIES = ("bread", "tea", "Öl", "a b", None)
lines = st.lists(
    st.builds(
        OrderLine,
        product=st.just("p"),
        category=st.sampled_from(CATEGORIES),
        minor=st.none() | st.integers(-300, 900),
    ),
    max_size=4,
)
deeds = st.lists(
    st.one_of(
        st.tuples(st.sampled_from("ab"), st.just("order"), st.integers(0, 40), st.integers(0, 23), lines),
        st.tuples(st.sampled_from("ab"), st.just("order"), st.integers(0, 900), st.integers(0, 23), lines),
        st.tuples(
            st.sampled_from("ab"),
            st.sampled_from(["promise_made", "promise_kept", "promise_broken"]),
            st.integers(0, 60),
            st.integers(0, 23),
            st.sampled_from(["1", "2", None]),
        ),
        st.tuples(st.sampled_from("ab"), st.sampled_from(KINDS), st.integers(0, 60), st.integers(0, 23), st.just(None)),
    ),
    max_size=25,
)
ZONES = st.sampled_from(["UTC", "America/Havana", "Australia/Lord_Howe", "Asia/Kathmandu"])
FEW = settings(max_examples=25, phases=[Phase.reuse, Phase.generate], deadline=None)


def interactions(make: Make, found: Sequence[tuple[Any, ...]]) -> list[Interaction]:
    made = []
    for number, (customer, kind, day, hour, more) in enumerate(found):
        at = START + day * DAY + timedelta(hours=hour)
        known: dict[str, Any] = {"id": f"{number:03}"}
        if kind == "order":
            known |= {"lines": more, "minor": number % 4 * 100}
        elif kind.startswith("promise"):
            known |= {"reference": more, "data": {"due": (at + (day % 9) * DAY).isoformat()}}
        made.append(make(customer, kind, at, **known))
    return made


def seen(project: Relationships, now: datetime, zone: str, *names: str) -> dict[str, dict[str, Any]]:
    wanted = names or COLUMNS
    store = united(project.store)
    (page,) = store.pages(None, as_of=now)
    frame = standing(store, project.catalog, page, wanted, Moment(now=now, zone=zone))
    return {row["customer"]: row for row in frame.select("customer", *wanted).iter_rows(named=True)}


@pytest.mark.parametrize("store", ["memory", "sqlite"])
@given(found=deeds, split=st.integers(0, 25), days=st.integers(0, 60) | st.integers(60, 1000), zone=ZONES)
@FEW
def test_the_columns_are_what_a_loop_over_the_history_gives(
    make_project: Open,
    make_interaction: Make,
    tmp_path_factory: pytest.TempPathFactory,
    *,
    store: str,
    found: list[tuple[Any, ...]],
    split: int,
    days: int,
    zone: str,
) -> None:
    folder = tmp_path_factory.mktemp("trade")
    choice = Choice(use="sqlite", settings={"path": "r.db"}) if store == "sqlite" else Choice(use="memory")
    now = START + 900 * DAY + DAY + days * DAY if any(deed[2] > 60 for deed in found) else START + (60 + days) * DAY
    project = make_project(store=choice, folder=folder, zone=zone)
    known = [*interactions(make_interaction, found), make_interaction("a", "visit", START, id="a")]
    known.append(make_interaction("b", "visit", START, id="b"))
    project.record(known[split:])
    project.record(known[:split])
    expected = {who: by_hand([e for e in known if e.customer == who], now, zone) for who in "ab"}

    def check() -> None:
        for who, row in seen(project, now, zone).items():
            assert {name: row[name] for name in COLUMNS} == expected[who]

    check()
    project.rebuild()
    check()
    project.identities.merge("b", into="a")
    apart, expected = expected, {"a": by_hand(known, now, zone)}
    check()
    project.rebuild()
    check()
    project.identities.unmerge("b")
    expected = apart
    check()
    project.close()


# Due times: nothing changes before the column says so

JUMPING = ("replenish_category", "replenish_due_on", "replenishments_due", *OF_DAYS)


def jumps(project: Relationships, now: datetime, zone: str, name: str) -> datetime | None:
    changes = seen(project, now, zone, name, next_change_column(name))["a"]
    jump: datetime | None = changes[next_change_column(name)]
    assert jump is None or jump > now
    return jump


def around_midnight(now: datetime, days: int, zone: str) -> Iterator[datetime]:
    """A second before the midnight after so many days, then, and almost two hours later."""
    midnight = datetime.combine(local(now, zone) + days * DAY, datetime.min.time(), tzinfo=ZoneInfo(zone))
    yield from (midnight.astimezone(UTC) + timedelta(seconds=away) for away in (-1, 0, 7199))


@given(
    found=deeds,
    days=st.integers(0, 60),
    hour=st.integers(0, 23),
    zone=ZONES,
    ahead=st.lists(st.integers(1, 60) | st.integers(1, 800), min_size=1, max_size=4),
)
@settings(FEW, max_examples=40)
def test_nothing_changes_by_itself_before_its_next_change(
    make_project: Open,
    make_interaction: Make,
    *,
    found: list[tuple[Any, ...]],
    days: int,
    hour: int,
    zone: str,
    ahead: list[int],
) -> None:
    near = [deed for deed in found if deed[2] <= 60 and deed[0] == "a"]
    now = START + (61 + days) * DAY + timedelta(hours=hour)
    project = make_project(zone=zone)
    project.record([*interactions(make_interaction, near), make_interaction("a", "visit", START, id="a")])
    before = seen(project, now, zone)["a"]
    until = {name: jumps(project, now, zone, name) for name in JUMPING}
    assert before["anniversary_on"] is None or until["anniversary_on"] is not None
    instants = {jump - timedelta(seconds=1) for jump in until.values() if jump is not None}
    instants |= {at for day in ahead for at in around_midnight(now, day, zone)}
    for later in sorted(instants):
        after = seen(project, later, zone)["a"]
        for name, jump in until.items():
            assert after[name] == before[name] or (jump is not None and jump <= later), (name, later)


@pytest.mark.parametrize("zone", ["America/New_York", "America/Havana", "Australia/Lord_Howe"])
@pytest.mark.parametrize("first", [datetime(2023, 3, 12, 16, tzinfo=UTC), datetime(2024, 2, 29, 16, tzinfo=UTC)])
def test_a_yearly_day_is_noticed_in_every_zone(
    make_project: Open, make_interaction: Make, zone: str, first: datetime
) -> None:
    project = make_project(zone=zone)
    project.record([make_interaction("a", "order", first, minor=5)])
    now, past = first + 300 * DAY, []
    for _ in range(12):
        row = seen(project, now, zone, *OF_DAYS)["a"]
        past.append(row["last_anniversary_on"])
        jump = jumps(project, now, zone, "last_anniversary_on")
        assert jump is not None
        now = jump
    day = local(first, zone)
    expected = [None, *(yearly(day, day.year + years) for years in (1, 2, 3))]
    assert list(dict.fromkeys(past))[:3] == expected[:3]


# What people see of texts and dates


MORE = "More {{ facts.replenish_category }} by {{ facts.replenish_due_on }}"


def orders(make: Make, customer: str, *days: int, **more: Any) -> list[Interaction]:
    tea = [OrderLine(product="t", category="tea", minor=300)]
    return [make(customer, "order", START + day * DAY, minor=300, lines=tea, **more) for day in days]


def test_texts_and_dates_are_compared_shown_and_explained(
    make_project: Open, make_interaction: Make, make_campaign: Plan, make_customer: Callable[..., Any]
) -> None:
    refill = make_campaign(
        "refill",
        audience="replenish_category = 'tea' AND last_order_category LIKE 't%'",
        when="replenishments_due >= 1 AND replenish_due_on >= '2024-03-01'",
        key="replenish_due_on",
        since="replenish_due_on",
        variants=[Variant(channel="letters", subject="Hi", text=MORE)],
    )
    yearly_day = make_campaign(
        "yearly", when="last_anniversary_on IS NOT NULL", key="last_anniversary_on", since="last_anniversary_on"
    )
    project = make_project(refill, yearly_day, minimum_interval_days={"default": 0.0})
    project.record_customers([make_customer("ada")])
    project.record(orders(make_interaction, "ada", 0, 10, 20))
    due, anniversary = START + 30 * DAY, START + 366 * DAY
    planned = {}
    for at in (START + 29 * DAY, due, anniversary - DAY, anniversary):
        done = project.run(as_of=at).planned
        assert done is not None
        planned[at] = done.planned
        if at == due:
            (action, _) = project.explain("ada", as_of=due).actions
            assert {atom.text: atom.holds for atom in action.audience} == {
                "replenish_category = 'tea'": True,
                "last_order_category LIKE 't%'": True,
            }
            (preview,) = project.preview("refill", as_of=due)
            assert preview.message.text == "More tea by 2024-03-28"
    assert planned == {START + 29 * DAY: 0, due: 1, anniversary - DAY: 0, anniversary: 1}


def test_the_page_of_a_customer_shows_texts_and_dates(tmp_path: Path, relate: Callable[..., Result]) -> None:
    lines = [{"product": "t", "category": "tea", "minor": 300}]
    rows = [
        {
            "id": f"{day}",
            "customer": "ada",
            "kind": "order",
            "at": f"2024-03-0{day}T10:00:00Z",
            "amount": 3,
            "lines": lines,
        }
        for day in (1, 5, 9)
    ]
    (tmp_path / "orders.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    assert relate("init").exit_code == 0
    assert relate("import", "interactions", tmp_path / "orders.jsonl", "--source", "till").exit_code == 0
    shown = relate("customer", "ada", "--measures", "--as-of", "2024-03-10T12:00:00Z").stdout
    assert "replenish_category" in shown
    assert "2024-03-13" in shown
    document = json.loads(relate("customer", "ada", "--json", "--as-of", "2024-03-10T12:00:00Z").stdout)
    assert document["measures"]["last_order_category"] == "tea"
    assert document["measures"]["anniversary_on"] == "2025-03-01"


@pytest.mark.parametrize("zone", ["America/New_York", "Pacific/Kiritimati"])
@pytest.mark.parametrize(
    ("born", "days"),
    [
        ("1980-06-20", ["2025-06-20", "2026-06-20"]),
        ("--06-20", ["2025-06-20", "2026-06-20"]),
        ("2000-02-29", ["2025-02-28", "2026-02-28"]),
        ("20 June", []),
        ("1980-02-30", []),
        (None, []),
    ],
)
def test_a_birthday_is_an_occasion_every_year_on_its_day(  # noqa: PLR0917  three builders, and three that vary
    make_project: Open,
    make_customer: Callable[..., Any],
    make_campaign: Plan,
    zone: str,
    born: str | None,
    days: Sequence[str],
) -> None:
    wish = make_campaign(
        "birthday",
        when="last_birthday_on IS NOT NULL",
        key="last_birthday_on",
        since="last_birthday_on",
        limits={"expires_days": 3},
    )
    project = make_project(wish, zone=zone, attributes={"birthday": "text"}, minimum_interval_days={"default": 0.0})
    attributes = {} if born is None else {"birthday": born}
    project.record_customers([make_customer("ada", attributes=attributes)])
    for date_ in days or ["2025-06-20"]:
        begins = datetime.combine(date.fromisoformat(date_), time(), tzinfo=ZoneInfo(zone)).astimezone(UTC)
        for at, number in ((begins - timedelta(seconds=1), 0), (begins, 1), (begins + DAY, 0)):
            done = project.run(as_of=at).planned
            assert done is not None
            assert done.planned == (number if days else 0), at
    keys = project.store.read(MESSAGES)["occasion"].sort().to_list()
    assert keys == list(days)


@pytest.mark.parametrize("occasion", [{"when": "last_birthday_on IS NOT NULL"}, {"key": "last_birthday_on"}])
def test_without_the_attribute_there_is_no_such_column(
    make_project: Open, make_campaign: Plan, occasion: dict[str, str]
) -> None:
    wish = make_campaign("birthday", **occasion)
    words = r"there is no column 'last_birthday_on'; set \[attributes\] birthday = \"text\""
    with pytest.raises(ConfigurationError, match=words):
        _ = make_project(wish).rules


@pytest.mark.parametrize("kind", ["number", "boolean"])
def test_an_attribute_of_another_type_is_refused(make_project: Open, kind: str) -> None:
    words = rf"attribute 'birthday'.* 'last_birthday_on' .* as {kind}; set \[attributes\] birthday = \"text\""
    with pytest.raises(ConfigurationError, match=words):
        make_project(attributes={"birthday": kind})
