"""Folding, against a plain loop over single interactions."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import polars.selectors as cs
import pytest
from hypothesis import given, strategies as st

from relationship_core import (
    INTERACTIONS,
    ConfigurationError,
    Interaction,
    KeyedMeasure,
    Measure,
    Money,
    OrderLine,
)
from relationship_core.flow.record.fold import LANDMARK, decayed_value, fold
from relationship_core.flow.record.frames import interactions_frame

ZONE = "America/New_York"
DAY = timedelta(days=1)

lines = st.builds(
    OrderLine,
    product=st.sampled_from(["tea", "cup"]),
    category=st.sampled_from(["drinks", "kitchen", None]),
    quantity=st.floats(0, 9),
    minor=st.integers(0, 10**6) | st.none(),
)
interactions = st.lists(
    st.builds(
        Interaction,
        source=st.just("test"),
        id=st.uuids().map(str),
        customer=st.sampled_from(["a", "b", "ä"]),
        kind=st.sampled_from(["order", "visit", "complaint_opened"]),
        at=st.datetimes(datetime(1971, 1, 1), datetime(2029, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001  the zone follows
        amount=st.none() | st.builds(Money, minor=st.integers(0, 10**9), currency=st.just("EUR")),
        reference=st.sampled_from([None, "r1", "r2"]),
        lines=st.lists(lines, max_size=2),
        data=st.sampled_from([{}, {"weight": "1.5"}, {"weight": "heavy"}, {"other": "1"}]),
    ),
    max_size=12,
    unique_by=lambda one: one.id,
)


def local_day(at: datetime) -> str:
    return at.astimezone(ZoneInfo(ZONE)).date().isoformat()


def decay(one: Interaction, days: float) -> float:
    return float(2 ** ((one.at - LANDMARK) / DAY / days))


def minor(one: Interaction) -> int | None:
    return None if one.amount is None else one.amount.minor


def weight(one: Interaction) -> float | None:
    return 1.5 if one.data.get("weight") == "1.5" else None


PLAIN: dict[str, Callable[[Interaction], Any]] = {
    "everything": lambda _: 1,
    "paid": lambda one: 1 if one.kind == "order" and (minor(one) or 0) > 0 else None,
    "spent": lambda one: minor(one) if one.kind == "order" else None,
    "ones": lambda one: 1 if one.kind in {"order", "visit"} else None,
    "recent": lambda one: None if one.amount is None else one.amount.minor * decay(one, 30),
    "fading": lambda one: decay(one, 365) if one.kind == "visit" else None,
    "smallest": minor,
    "largest": lambda one: minor(one) if one.kind == "order" else None,
    "first_at": lambda one: one.at,
    "last_order_at": lambda one: one.at if one.kind == "order" else None,
    "reciprocal": lambda one: 1 / one.amount.minor if one.amount and one.amount.minor else None,
    "skipped_night": lambda one: int(local_day(one.at) == "2017-03-12"),
    "weight": weight,
    "nothing": lambda _: None,
    "constant": lambda _: 2,
}
KEYED: dict[str, Callable[[Interaction], list[tuple[str | None, Any]]]] = {
    "order_day": lambda one: [(local_day(one.at), 1)] if one.kind == "order" else [],
    "category": lambda one: [(line.category, line.minor) for line in one.lines],
    "daily": lambda one: [(line.category and f"{local_day(one.at)} {line.category}", line.minor) for line in one.lines],
    "product": lambda one: [(line.product, line.quantity) for line in one.lines],
    "case": lambda one: [(one.reference, one.at.timestamp() // 1)],
}
COMBINES: dict[str, Callable[[list[Any]], Any]] = {"sum": sum, "count": sum, "min": min, "max": max}


def by_hand(each: Sequence[Interaction], measures: Sequence[Measure | KeyedMeasure]) -> dict[tuple[str, ...], Any]:
    parts: dict[tuple[str, ...], list[Any]] = {}
    for measure in measures:
        for one in each:
            found: list[tuple[tuple[str, ...], Any]]
            if isinstance(measure, Measure):
                found = [((one.customer, measure.name), PLAIN[measure.name](one))]
            else:
                keys = KEYED[measure.name](one)
                found = [((one.customer, measure.name, key), value) for key, value in keys if key is not None]
            for place, value in found:
                if value is not None:
                    parts.setdefault(place, []).append(value)
    combines = {measure.name: COMBINES[measure.combine] for measure in measures}
    return {place: combines[place[1]](values) for place, values in parts.items()}


def flat(plain: pl.DataFrame, keyed: pl.DataFrame) -> dict[tuple[str, ...], Any]:
    numbers: dict[tuple[str, ...], Any] = {}
    for row in plain.iter_rows(named=True):
        customer = row.pop("customer")
        numbers |= {(customer, name): value for name, value in row.items() if value is not None}
    for customer, name, key, value in keyed.iter_rows():
        assert (customer, name, key) not in numbers
        numbers[customer, name, key] = value
    return numbers


def seconds(numbers: dict[tuple[str, ...], Any]) -> dict[tuple[str, ...], float]:
    return {place: v.timestamp() if isinstance(v, datetime) else float(v) for place, v in numbers.items()}


@given(each=interactions)
def test_a_fold_is_what_a_loop_over_single_interactions_gives(
    each: list[Interaction], every_measure: tuple[Measure | KeyedMeasure, ...]
) -> None:
    plain, keyed = fold(interactions_frame(each).select(list(INTERACTIONS.schema)), every_measure, ZONE)
    assert seconds(flat(plain, keyed)) == pytest.approx(seconds(by_hand(each, every_measure)), rel=1e-9)
    assert plain["customer"].to_list() == sorted({one.customer for one in each}, key=str.encode)
    assert keyed["customer"].is_sorted()


def one_order(at: datetime, **more: Any) -> pl.DataFrame:
    order = Interaction(source="s", id="1", customer="c", kind="order", at=at, **more)
    return interactions_frame([order])


def test_a_decayed_sum_halves_with_every_half_life() -> None:
    at = datetime(2024, 5, 1, tzinfo=UTC)
    measure = Measure(name="recent", combine="sum", value=pl.col("amount"), half_life_days=180)
    plain, _ = fold(one_order(at, amount=Money(minor=1000, currency="EUR")), [measure], ZONE)
    for halvings in (0, 1, 2, 10):
        now = at + halvings * 180 * DAY
        value = plain.select(decayed_value("recent", 180, now)).item()
        assert value == pytest.approx(1000 / 2**halvings, rel=1e-12)
        in_columns = plain.with_columns(now=pl.lit(now)).select(decayed_value("recent", 180, pl.col("now"))).item()
        assert in_columns == value


@pytest.mark.parametrize("at", [datetime(1970, 1, 1, tzinfo=UTC), datetime(2099, 12, 31, tzinfo=UTC)])
def test_no_instant_overflows_the_shortest_half_life(at: datetime) -> None:
    measure = Measure(name="recent", combine="count", half_life_days=30)
    plain, _ = fold(one_order(at), [measure], ZONE)
    assert plain["recent"].is_finite().all()
    assert plain.select(decayed_value("recent", 30, at)).item() == pytest.approx(1)


def test_a_day_is_the_day_of_the_projects_zone(every_measure: tuple[Measure | KeyedMeasure, ...]) -> None:
    late_evening = one_order(datetime(2017, 3, 2, 4, 59, tzinfo=UTC))
    _, keyed = fold(late_evening, every_measure, ZONE)
    assert keyed.filter(measure="order_day")["key"].to_list() == ["2017-03-01"]
    _, keyed = fold(late_evening, every_measure, "UTC")
    assert keyed.filter(measure="order_day")["key"].to_list() == ["2017-03-02"]


def test_a_customer_to_whom_nothing_was_contributed_has_a_row(
    every_measure: tuple[Measure | KeyedMeasure, ...],
) -> None:
    spent = [measure for measure in every_measure if measure.name == "spent"]
    plain, _ = fold(one_order(datetime(2017, 3, 2, tzinfo=UTC)), spent, ZONE)
    assert plain.rows() == [("c", None)]


def test_without_interactions_there_are_no_contributions(every_measure: tuple[Measure | KeyedMeasure, ...]) -> None:
    plain, keyed = fold(INTERACTIONS.empty(), every_measure, ZONE)
    assert plain.is_empty()
    assert keyed.is_empty()


def test_numbers_are_numbers_and_instants_are_instants(every_measure: tuple[Measure | KeyedMeasure, ...]) -> None:
    plain, _ = fold(one_order(datetime(2017, 3, 2, tzinfo=UTC)), every_measure, ZONE)
    assert set(plain.select(cs.datetime("us", "UTC")).columns) == {"first_at", "last_order_at"}
    assert plain.select(cs.float()).width == plain.width - 3


def test_a_measure_of_too_few_values_is_named_too() -> None:
    bad = Measure(name="bad", combine="sum", value=pl.col("amount").head(2))
    rows = pl.concat([one_order(datetime(2017, 3, day, tzinfo=UTC)) for day in (2, 3, 4)])
    with pytest.raises(ConfigurationError, match="the measure 'bad' cannot be computed"):
        fold(rows, [bad], ZONE)


@pytest.mark.parametrize("value", [pl.col("amuont"), pl.col("kind").dt.year(), pl.col("kind").cast(pl.Float64)])
def test_a_measure_that_cannot_be_computed_is_named(value: pl.Expr) -> None:
    good, bad = Measure(name="good", combine="count"), Measure(name="bad", combine="sum", value=value)
    with pytest.raises(ConfigurationError, match="the measure 'bad' cannot be computed"):
        fold(one_order(datetime(2017, 3, 2, tzinfo=UTC)), [good, bad], ZONE)
