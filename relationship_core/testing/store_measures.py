"""What a store promises of measures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from math import isclose, nan
from typing import Any

import polars as pl
import pytest
from hypothesis import given, strategies as st

from relationship_core.columns import KEYED_MEASURES, Page
from relationship_core.declarations import Feature, KeyedMeasure, Measure
from relationship_core.errors import ConfigurationError
from relationship_core.ports import Store
from relationship_core.table import INSTANT
from relationship_core.testing.rows import DAY, NOON, PROPERTY, frame, know, page

PLAIN = (
    Measure(name="total", combine="sum"),
    Measure(name="orders", combine="count"),
    Measure(name="lowest", combine="min"),
    Measure(name="highest", combine="max"),
    Measure(name="first_at", combine="min", type="instant"),
    Measure(name="last_at", combine="max", type="instant"),
    Measure(name="warmth", combine="sum", half_life_days=30),
)
NAMES = tuple(measure.name for measure in PLAIN)
KEYED = tuple(
    KeyedMeasure(name=f"days_{combine}", key="day", combine=combine, features=(Feature(name="f", value=pl.len()),))
    for combine in ("sum", "count", "min", "max")
)
FOLDED: Mapping[str, Callable[[Sequence[Any]], Any]] = {"sum": sum, "count": sum, "min": min, "max": max}
NO_NUMBERS = pl.DataFrame(schema={"customer": pl.String})
NO_KEYS = KEYED_MEASURES.empty()


def contributions(*rows: Mapping[str, Any], names: Sequence[str] = NAMES) -> pl.DataFrame:
    """A frame for merge(); what a row does not name is null."""
    instants = {measure.name for measure in PLAIN if measure.type == "instant"}
    types = {
        "customer": pl.String(),
        **{name: INSTANT if name in instants else pl.Float64() for name in names},
    }
    return pl.DataFrame([[row.get(name) for name in types] for row in rows], types, orient="row")


def keys(*rows: tuple[str, str, str, float | None]) -> pl.DataFrame:
    """A frame of keyed contributions."""
    return frame(KEYED_MEASURES, *(dict(zip(KEYED_MEASURES.schema, row, strict=True)) for row in rows))


def merge(store: Store, measures: pl.DataFrame, keyed: pl.DataFrame = NO_KEYS) -> None:
    """Merge in a transaction of its own."""
    with store.transaction():
        store.merge(measures, keyed)


def kept(store: Store, customer: str, names: Sequence[str] = NAMES) -> dict[str, Any]:
    """The measures of one customer."""
    row = store.read_measures(page(customer), names).to_dicts()[0]
    assert row.pop("customer") == customer
    return row


numbers = st.none() | st.integers(-(10**6), 10**6).map(float)
instants = st.none() | st.integers(0, 10**9).map(lambda seconds: NOON + timedelta(seconds=seconds))
# What forward decay adds up: never negative, and of any size.
weights = st.none() | st.floats(0, 1e200)
row_of_contributions = st.fixed_dictionaries(
    {
        "customer": st.sampled_from(("a", "b", "é")),
        "total": numbers,
        "orders": numbers,
        "lowest": numbers,
        "highest": numbers,
        "first_at": instants,
        "last_at": instants,
        "warmth": weights,
    }
)
row_of_keys = st.tuples(
    st.sampled_from(("a", "b")),
    st.sampled_from([measure.name for measure in KEYED]),
    st.sampled_from(("2024-02-29", "2024-03-01", "")),
    st.integers(-9, 9).map(float),
)


def folded(rows: Sequence[Mapping[str, Any]], measure: Measure) -> Any:
    """What one customer's contributions come to."""
    values = [row[measure.name] for row in rows if row[measure.name] is not None]
    return FOLDED[measure.combine](values) if values else None


def agree(found: Any, expected: Any) -> bool:
    """Equal, or numbers that differ by rounding alone."""
    if isinstance(expected, float):
        return isinstance(found, float) and isclose(found, expected, rel_tol=1e-9)
    return bool(found == expected)


class MeasureContract:
    """Contributions combine as declared, in any order and any batches."""

    def test_a_customer_without_contributions_has_a_row_of_nulls(self, store: Store) -> None:
        store.prepare([*PLAIN, *KEYED])
        found = store.read_measures(page("ada"), NAMES)
        assert found.equals(contributions({"customer": "ada"}))
        assert store.read_keyed(page("ada"), [measure.name for measure in KEYED]).equals(NO_KEYS)

    def test_each_measure_combines_as_declared(self, store: Store) -> None:
        store.prepare(PLAIN)
        first = {
            "customer": "ada",
            "total": 2.5,
            "orders": 1.0,
            "lowest": 4.0,
            "highest": 4.0,
            "first_at": NOON,
            "last_at": NOON,
            "warmth": 1e30,
        }
        second = {
            **first,
            "total": -1.0,
            "lowest": 5.0,
            "highest": 5.0,
            "first_at": NOON - DAY,
            "last_at": NOON + DAY,
        }
        merge(store, contributions(first))
        merge(store, contributions(second))
        assert kept(store, "ada") == {
            "total": 1.5,
            "orders": 2.0,
            "lowest": 4.0,
            "highest": 5.0,
            "first_at": NOON - DAY,
            "last_at": NOON + DAY,
            "warmth": 2e30,
        }

    def test_null_and_nan_contribute_nothing(self, store: Store) -> None:
        store.prepare(PLAIN)
        names = ("total", "lowest", "highest")
        merge(store, contributions({"customer": "ada"}, names=names))
        assert kept(store, "ada", names) == {"total": None, "lowest": None, "highest": None}
        merge(store, contributions({"customer": "ada", "total": 1.0, "lowest": 1.0}, names=names))
        nans = {"customer": "ada", "total": nan, "lowest": nan, "highest": nan}
        merge(store, contributions(nans, names=names))
        assert kept(store, "ada", names) == {"total": 1.0, "lowest": 1.0, "highest": None}

    def test_whole_numbers_come_back_as_numbers(self, store: Store) -> None:
        store.prepare(PLAIN)
        merge(store, pl.DataFrame({"customer": ["ada"], "orders": [3]}))
        assert store.read_measures(page("ada"), ["orders"]).schema == {
            "customer": pl.String,
            "orders": pl.Float64,
        }
        assert kept(store, "ada", ["orders"]) == {"orders": 3.0}

    def test_a_frame_may_hold_some_measures_only(self, store: Store) -> None:
        store.prepare(PLAIN)
        merge(store, contributions({"customer": "ada", "total": 1.0}, names=("total",)))
        merge(store, contributions({"customer": "ada", "last_at": NOON}, names=("last_at",)))
        merge(store, contributions({"customer": "ada"}, names=()))
        assert kept(store, "ada", ("last_at", "total")) == {"last_at": NOON, "total": 1.0}

    @pytest.mark.parametrize("contiguous", [False, True])
    def test_rows_come_in_the_order_of_the_page(self, store: Store, contiguous: bool) -> None:
        store.prepare(PLAIN)
        know(store, *"abcd")
        merge(store, contributions(*({"customer": id_, "total": 1.0} for id_ in "dcb"), names=("total",)))
        found = store.read_measures(page("a", "b", "d", contiguous=contiguous), ["total"])
        assert found.rows() == [("a", None), ("b", 1.0), ("d", 1.0)]
        assert store.read_measures(page(), ["total"]).rows() == []

    def test_only_the_measures_asked_for_come_back(self, store: Store) -> None:
        store.prepare(PLAIN)
        assert store.read_measures(page("ada"), ["total"]).columns == ["customer", "total"]
        assert store.read_measures(page("ada"), []).columns == ["customer"]

    def test_an_unknown_measure_is_refused_with_the_nearest_name(self, store: Store) -> None:
        store.prepare([*PLAIN, *KEYED])
        with pytest.raises(ConfigurationError, match="'total'"):
            store.read_measures(page("ada"), ["totl"])
        with pytest.raises(ConfigurationError, match="'orders'"):
            merge(store, contributions({"customer": "ada"}, names=("ordrs",)))
        with pytest.raises(ConfigurationError, match="'days_sum'"):
            merge(store, NO_NUMBERS, keys(("ada", "days_sm", "k", 1.0)))

    def test_a_measure_may_be_added_later(self, store: Store) -> None:
        store.prepare(PLAIN[:1])
        merge(store, contributions({"customer": "ada", "total": 1.0}, names=("total",)))
        store.prepare([*PLAIN, *KEYED])
        store.prepare([*PLAIN, *KEYED])
        merge(store, contributions({"customer": "ada", "highest": 7.0}, names=("highest",)))
        assert kept(store, "ada", ("total", "highest", "orders")) == {
            "total": 1.0,
            "highest": 7.0,
            "orders": None,
        }

    def test_a_measure_cannot_become_another_type(self, store: Store) -> None:
        store.prepare([Measure(name="last", combine="max")])
        with pytest.raises(ConfigurationError, match="'last'"):
            store.prepare([Measure(name="last", combine="max", type="instant")])

    def test_keyed_contributions_combine_by_customer_measure_and_key(self, store: Store) -> None:
        store.prepare(KEYED)
        merge(
            store,
            NO_NUMBERS,
            keys(
                ("a", "days_sum", "x", 2.0),
                ("a", "days_sum", "x", 3.0),
                ("a", "days_sum", "é'\"", 1.0),
                ("b", "days_max", "x", 2.0),
                ("b", "days_min", "x", 2.0),
            ),
        )
        merge(store, NO_NUMBERS, keys(("b", "days_max", "x", 1.0), ("b", "days_min", "x", 1.0)))
        merge(store, NO_NUMBERS, keys(("b", "days_max", "x", None), ("c", "days_min", "x", nan)))
        rows = store.read_keyed(page("a", "b"), ["days_sum", "days_max"]).rows()
        assert rows == [
            ("a", "days_sum", "x", 5.0),
            ("a", "days_sum", "é'\"", 1.0),
            ("b", "days_max", "x", 2.0),
        ]
        assert store.read_keyed(page("c"), ["days_min"]).rows() == [("c", "days_min", "x", None)]
        assert store.read_keyed(page("a", "b"), []).is_empty()

    def test_measures_are_forgotten_by_page_or_altogether(self, store: Store) -> None:
        store.prepare([*PLAIN, *KEYED])
        know(store, "a", "b", "c")
        rows = contributions(*({"customer": id_, "total": 1.0} for id_ in "abc"), names=("total",))
        merge(store, rows, keys(*((id_, "days_sum", "x", 1.0) for id_ in "abc")))
        with store.transaction():
            store.clear_measures(page("a", "c"))
        everybody = page("a", "b", "c")
        assert store.read_measures(everybody, ["total"]).rows() == [("a", None), ("b", 1.0), ("c", None)]
        assert store.read_keyed(everybody, ["days_sum"])["customer"].to_list() == ["b"]
        with store.transaction():
            store.clear_measures()
        assert store.read_measures(everybody, ["total"])["total"].to_list() == [None] * 3
        assert store.read_keyed(everybody, ["days_sum"]).is_empty()

    def test_an_undone_merge_leaves_the_numbers(self, store: Store) -> None:
        store.prepare([*PLAIN, *KEYED])
        row = contributions({"customer": "ada", "total": 1.0}, names=("total",))
        merge(store, row, keys(("ada", "days_sum", "x", 1.0)))
        with pytest.raises(ZeroDivisionError), store.transaction():
            store.merge(row, keys(("ada", "days_sum", "x", 1.0)))
            store.clear_measures()
            raise ZeroDivisionError
        assert kept(store, "ada", ["total"]) == {"total": 1.0}
        assert store.read_keyed(page("ada"), ["days_sum"])["value"].to_list() == [1.0]

    @PROPERTY
    @given(batches=st.lists(st.lists(row_of_contributions, max_size=5), max_size=6))
    def test_any_batches_in_any_order_fold_alike(
        self, store: Store, batches: list[list[dict[str, str | float | datetime | None]]]
    ) -> None:
        store.prepare(PLAIN)
        with store.transaction():
            store.clear_measures()
        for batch in batches:
            merge(store, contributions(*batch))
        for customer in ("a", "b", "é"):
            rows = [row for batch in batches for row in batch if row["customer"] == customer]
            found = kept(store, customer)
            for measure in PLAIN:
                assert agree(found[measure.name], folded(rows, measure)), measure.name

    @PROPERTY
    @given(batches=st.lists(st.lists(row_of_keys, max_size=6), max_size=6))
    def test_keyed_contributions_fold_alike(
        self, store: Store, batches: list[list[tuple[str, str, str, float]]]
    ) -> None:
        store.prepare(KEYED)
        with store.transaction():
            store.clear_measures()
        expected: dict[tuple[str, str, str], list[float]] = {}
        for batch in batches:
            merge(store, NO_NUMBERS, keys(*batch))
            for customer, measure, key, value in batch:
                expected.setdefault((customer, measure, key), []).append(value)
        combine = {measure.name: FOLDED[measure.combine] for measure in KEYED}
        found = store.read_keyed(Page(pl.Series(["a", "b"])), list(combine))
        assert found.rows() == [(*key, combine[key[1]](values)) for key, values in sorted(expected.items())]
