"""What is bought together, fitted over all customers, and what that proposes to each of them."""

import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import permutations
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import Result
from hypothesis import given, strategies as st

from relationship_core import (
    CALIBRATIONS,
    Campaign,
    CaseMeasure,
    Choice,
    ConfigurationError,
    Customer,
    Feature,
    Interaction,
    KeyedMeasure,
    Measure,
    OrderLine,
    ParameterSettings,
    Part,
    Relationships,
    TableCalibration,
    hookimpl,
)
from relationship_core.builtin import co_purchase
from relationship_core.builtin.measures.next_category import next_category
from relationship_core.errors import WrongArgumentError

Open = Callable[..., Relationships]
Make = Callable[..., Interaction]
Plan = Callable[..., Campaign]
Baskets = Mapping[str, frozenset[str]]

NOON = datetime(2029, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
CATEGORIES = ("bread", "tea", "Öl", "jam", "salt", "rye", "egg")


# The slow reference


def pairs_by_hand(baskets: Baskets, support: float, share: float) -> list[tuple[str, str, Fraction, int]]:
    """Bought, other, lift and customers of every pair, in the order of proposals."""
    count = {name: sum(name in basket for basket in baskets.values()) for name in CATEGORIES}
    found = []
    for one, other in permutations(CATEGORIES, 2):
        both = sum({one, other} <= basket for basket in baskets.values())
        if both >= max(support, share * len(baskets)):
            lift = Fraction(both * len(baskets), count[one] * count[other])
            found += [(one, other, lift, both)] if lift > 1 else []
    return sorted(found, key=lambda pair: (-pair[2], -pair[3], pair[1].encode(), pair[0].encode()))


def proposal_by_hand(basket: frozenset[str], pairs: Sequence[tuple[str, str, Fraction, int]]) -> str | None:
    return next((other for bought, other, *_ in pairs if bought in basket and other not in basket), None)


def rows_of(baskets: Baskets) -> pl.DataFrame:
    found = [(who, name, 1.0) for who, basket in baskets.items() for name in basket]
    random.Random(len(found)).shuffle(found)
    return pl.DataFrame(found, schema={"customer": pl.String, "key": pl.String, "value": pl.Float64}, orient="row")


def proposals(rows: pl.DataFrame, table: pl.DataFrame) -> dict[str, str]:
    value = next_category({co_purchase.NAME: table}).value
    assert not isinstance(value, pl.Expr)
    return dict(value(rows).select("customer", "value").iter_rows())


every_basket = st.dictionaries(
    st.text("abc", min_size=1, max_size=3), st.frozensets(st.sampled_from(CATEGORIES), min_size=1), min_size=1
)


@given(baskets=every_basket, pages=st.integers(1, 4), support=st.integers(2, 4), share=st.sampled_from([0.0, 0.3]))
def test_pairs_and_proposals_are_what_a_loop_over_customers_gives(
    baskets: Baskets, pages: int, support: int, share: float
) -> None:
    """Whatever the pages, and whatever the order of rows."""
    rows, expected = rows_of(baskets), pairs_by_hand(baskets, support, share)
    places = [rows.filter(pl.col("customer").hash(seed=1) % pages == page) for page in range(pages)]
    parts = [co_purchase.buyers_of_each(page) for page in places if page.height]
    table = co_purchase.fit_pairs(parts, support=support, share=share)
    frequent = any(
        sum(name in basket for basket in baskets.values()) >= max(support, share * len(baskets)) for name in CATEGORIES
    )
    assert (table is not None) == frequent
    if table is None:
        return
    assert [(b, o, n) for b, o, _, n in table.iter_rows()] == [(b, o, n) for b, o, _, n in expected]
    assert table["lift"].to_list() == [float(lift) for _, _, lift, _ in expected]
    by_hand = {who: proposal_by_hand(basket, expected) for who, basket in baskets.items()}
    assert proposals(rows, table) == {who: name for who, name in by_hand.items() if name is not None}


def test_each_category_proposes_its_best_partners_alone() -> None:
    """A category with many partners keeps those with the highest lift; whoever has them all is proposed nothing."""
    names = [f"c{number:02}" for number in range(co_purchase.MOST_PARTNERS + 5)]
    baskets = {f"{name}{n}": frozenset({"hub", name}) for place, name in enumerate(names) for n in range(place + 2)}
    others = {f"x{number}": frozenset({"other"}) for number in range(9)}
    alone = {f"{name}-": frozenset({name}) for name in names[:5]}
    found = [co_purchase.buyers_of_each(rows_of({**baskets, **others, **alone}))]
    table = co_purchase.fit_pairs(found, support=2, share=0)
    assert table is not None
    assert table.filter(pl.col("bought") == "hub")["other"].to_list() == names[:4:-1]
    everything = rows_of({"greedy": frozenset({"hub", *names[5:]}), "new": frozenset({"hub"})})
    assert proposals(everything, table) == {"new": names[-1]}


def test_of_many_categories_those_with_most_customers_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(co_purchase, "MOST_CATEGORIES", 2)
    baskets = {f"a{n}": frozenset({"tea", "jam", "egg"}) for n in range(3)} | {"b": frozenset({"tea", "jam"})}
    baskets |= {f"c{n}": frozenset({"salt"}) for n in range(2)}
    table = co_purchase.fit_pairs([co_purchase.buyers_of_each(rows_of(baskets))], support=2, share=0)
    assert table is not None
    assert table.select("bought", "other").rows() == [("tea", "jam"), ("jam", "tea")]


# In a project


@pytest.fixture(params=["memory", "sqlite"])
def open_shop(request: pytest.FixtureRequest, make_project: Open, tmp_path: Path) -> Open:
    sqlite = Choice(use="sqlite", settings={"path": str(tmp_path / "r.db")})

    def open_(*campaigns: Campaign, **more: Any) -> Relationships:
        store = sqlite if request.param == "sqlite" else Choice(use="memory")
        parameters = ParameterSettings(values={"co_purchase_support": 3, **more.pop("by_hand", {})})
        return make_project(*campaigns, store=store, folder=tmp_path, parameters=parameters, page_size=7, **more)

    return open_


def bought(make: Make, customer: str, *categories: str, day: int = 1) -> Interaction:
    lines = [OrderLine(product="p", category=name, minor=100) for name in categories]
    return make(customer, "order", NOON - day * DAY, minor=100 * len(lines), lines=lines)


def some(make: Make) -> Iterator[Interaction]:
    """Ten who take tea and jam, ten who take bread, Tom who takes tea, and Jo who takes all."""
    for number in range(10):
        yield bought(make, f"t{number}", "tea", "jam")
        yield bought(make, f"b{number}", "bread")
    yield bought(make, "tom", "tea")
    yield bought(make, "jo", "bread", "jam", "tea")


def proposed(project: Relationships, who: str) -> Any:
    return project.customer(who, as_of=NOON).measures.get("next_category")


def test_what_was_fitted_is_proposed_at_once_and_kept_as_a_version(open_shop: Open, make_interaction: Make) -> None:
    project = open_shop()
    project.record(some(make_interaction))
    project.review(as_of=NOON)
    assert proposed(project, "tom") is None
    assert project.calibrate("co-purchase", as_of=NOON, dry_run=True).tables[0].rows == 2
    assert proposed(project, "tom") is None
    fitted = project.calibrate("co-purchase", as_of=NOON)
    assert (fitted.versions, fitted.everybody_due, fitted.parameters) == ({"co-purchase": 1}, True, ())
    assert [(each.name, each.rows, each.before, each.changed) for each in fitted.tables] == [
        ("co-purchase", 2, None, True)
    ]
    assert {who: proposed(project, who) for who in ("tom", "jo", "t1", "b1")} == {
        "tom": "jam",
        "jo": None,
        "t1": None,
        "b1": None,
    }
    content = json.loads(project.store.read(CALIBRATIONS)["content"][0])
    assert content["customers"] == 22
    assert content["table"]["values"]["bought"] == ["tea", "jam"]
    again = project.calibrate("co-purchase", as_of=NOON)
    assert (again.versions, again.everybody_due, again.tables[0].changed) == ({}, False, False)
    project.close()


def test_a_new_table_marks_everybody_due_for_review_and_plan(
    open_shop: Open, make_interaction: Make, make_campaign: Plan, make_customer: Callable[..., Customer]
) -> None:
    """A campaign proposes what was fitted, in text and condition; a refit with other buyers proposes something else."""
    project = open_shop(
        make_campaign("offer", audience="next_category IN ('jam', 'bread')", when="orders >= 1", key="next_category"),
        minimum_interval_days={"default": 0.0},
    )
    project.record_customers([make_customer("tom")])
    project.record(some(make_interaction))
    runs = [project.run(as_of=NOON)]
    project.calibrate(as_of=NOON)
    runs.append(project.run(as_of=NOON))
    others = [bought(make_interaction, f"n{number}", "tea", "bread", day=0) for number in range(40)]
    others += [bought(make_interaction, f"o{number}", "jam", day=0) for number in range(40)]
    project.record(others)
    runs.append(project.run(as_of=NOON))
    assert proposed(project, "tom") == "jam"
    assert project.calibrate("co-purchase", as_of=NOON).versions == {"co-purchase": 2}
    assert proposed(project, "tom") == "bread"
    runs.append(project.run(as_of=NOON))
    assert [run.planned.planned for run in runs if run.planned] == [0, 1, 0, 1]
    assert [run.reviewed.customers for run in runs if run.reviewed] == [22, 22, 80, 102]
    project.close()


def test_a_project_that_is_opened_again_proposes_the_same(
    make_project: Open, make_interaction: Make, tmp_path: Path
) -> None:
    store = Choice(use="sqlite", settings={"path": "r.db"})
    chosen: dict[str, Any] = {"store": store, "folder": tmp_path}
    chosen["parameters"] = ParameterSettings(values={"co_purchase_support": 3})
    with make_project(**chosen) as project:
        project.record(some(make_interaction))
        project.calibrate(as_of=NOON)
    with make_project(**chosen) as project:
        assert proposed(project, "tom") == "jam"
        assert project.review(as_of=NOON).customers == 22
        assert project.review(as_of=NOON).customers == 0


def test_merged_customers_have_one_basket(open_shop: Open, make_interaction: Make) -> None:
    project = open_shop()
    project.record(some(make_interaction))
    project.identities.merge("b0", into="tom")
    assert project.calibrate("co-purchase", as_of=NOON).customers == 21
    assert proposed(project, "tom") == "jam"
    project.identities.merge("t0", into="tom")
    assert proposed(project, "tom") is None
    project.identities.unmerge("t0")
    assert proposed(project, "tom") == "jam"
    project.close()


def test_too_little_data_leaves_the_table_as_it_was(open_shop: Open, make_interaction: Make) -> None:
    project = open_shop(by_hand={"co_purchase_support": 30})
    empty = project.calibrate("co-purchase", as_of=NOON)
    assert (empty.tables[0].rows, empty.versions, empty.everybody_due) == (None, {}, False)
    project.record(some(make_interaction))
    assert project.calibrate("co-purchase", as_of=NOON).tables[0].rows is None
    project.close()


def test_the_command_shows_tables(tmp_path: Path, relate: Callable[..., Result]) -> None:
    orders = [
        {"id": f"{n}", "customer": f"c{n}", "kind": "order", "at": "2024-05-01T10:00:00Z", "lines": lines}
        for n in range(60)
        for lines in [[{"product": name, "category": name} for name in (("tea", "jam") if n % 2 else ("rye",))]]
    ]
    (tmp_path / "orders.jsonl").write_text("\n".join(map(json.dumps, orders)), encoding="utf-8")
    assert relate("init").exit_code == 0
    assert relate("import", "interactions", tmp_path / "orders.jsonl", "--source", "till").exit_code == 0
    at = ("--as-of", "2024-06-01T12:00:00Z")
    told = json.loads(relate("calibrate", "co-purchase", "--dry-run", "--json", *at).stdout)
    assert told["tables"] == [{"name": "co-purchase", "rows": 2, "before": None, "changed": True}]
    shown = relate("calibrate", "co-purchase", *at).stdout
    assert "Fitted 1 table to 60 customers as of 2024-06-01T12:00:00+00:00." in shown
    assert "co-purchase: kept as version 1" in shown
    assert "Everybody is due for review" in shown
    again = relate("calibrate", *at).stdout
    assert "1 table to 60 customers" in again
    assert "as it was" in again


# Tables and functions of plugins


class Counter:
    """A plugin with a table of how often each category was bought, and a feature that reads it."""

    def __init__(self, value: Callable[[pl.DataFrame], Any] | None = None, **more: Any) -> None:
        self.value = value
        self.more = more

    @hookimpl
    def relationship_measures(self, tables: Mapping[str, pl.DataFrame]) -> Sequence[KeyedMeasure]:
        table = tables.get("popularity", pl.DataFrame(schema={"key": pl.String, "times": pl.Float64}))

        def most(rows: pl.DataFrame) -> pl.DataFrame:
            found = rows.join(table, on="key")
            return found.group_by("customer").agg(pl.col("times").max().alias("value"))

        feature = Feature(name="most_popular", value=self.value or most, absent=0)
        return (KeyedMeasure(name="bought", kinds=("order",), key="category", features=(feature,)),)

    @hookimpl
    def relationship_calibrations(self) -> Sequence[TableCalibration]:
        known: dict[str, Any] = {
            "keyed": "bought",
            "gather": lambda rows: rows.group_by("key").agg(times=pl.col("value").sum()),
            "fit": lambda parts: pl.concat(parts).group_by("key").agg(pl.col("times").sum()).sort("key"),
        }
        return (TableCalibration(name="popularity", **{**known, **self.more}),)


def test_a_plugin_brings_a_table_and_a_feature_that_reads_it(make_project: Open, make_interaction: Make) -> None:
    with make_project(plugins=[Counter()], page_size=5) as project:
        project.record(some(make_interaction))
        assert project.customer("tom", as_of=NOON).measures["most_popular"] == 0
        project.calibrate("popularity", as_of=NOON)
        assert project.plugins.tables["popularity"].rows() == [("bread", 11.0), ("jam", 11.0), ("tea", 12.0)]
        assert project.customer("tom", as_of=NOON).measures["most_popular"] == 12


def failing(_: object) -> Any:
    message = "ada@example.com"
    raise LookupError(message)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"gather": failing}, "the calibration 'popularity' failed with LookupError; mend its plugin"),
        ({"gather": lambda _: 1}, "the calibration 'popularity' must gather a frame, not an int"),
        ({"fit": failing}, "the calibration 'popularity' failed with LookupError"),
        ({"fit": lambda _: {}}, "the calibration 'popularity' must give a frame, not"),
        ({"fit": lambda _: pl.DataFrame({"at": [NOON]})}, "gave a column 'at' with the type Datetime"),
        ({"fit": lambda _: pl.DataFrame({"x": [1.0, None]})}, "gave a column 'x' with values that are null"),
        ({"fit": lambda _: pl.DataFrame({"x": [1.0, float("nan")]})}, "with values that are null or not finite"),
        ({"keyed": "boughd"}, "reads the keyed measure 'boughd', which nothing declares; did you mean 'bought'"),
    ],
)
def test_a_table_that_goes_wrong_is_named_and_keeps_nothing(
    make_project: Open, make_interaction: Make, more: dict[str, Any], words: str
) -> None:
    with make_project(plugins=[Counter(**more)]) as project:
        project.record(some(make_interaction))
        with pytest.raises(ConfigurationError, match=words) as caught:
            project.calibrate(as_of=NOON)
        assert "ada@example.com" not in str(caught.value)
        assert project.store.read(CALIBRATIONS).is_empty()


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (failing, "the feature 'most_popular' failed with LookupError; mend its plugin"),
        (lambda rows: rows.select("customer"), "the feature 'most_popular' failed with ColumnNotFoundError"),
        (lambda rows: pl.concat([rows, rows]), "the feature 'most_popular' gives several values for one customer"),
    ],
)
def test_a_function_that_goes_wrong_is_named(
    make_project: Open, make_interaction: Make, value: Callable[[pl.DataFrame], Any], words: str
) -> None:
    with make_project(plugins=[Counter(value)]) as project:
        project.record(some(make_interaction))
        with pytest.raises(ConfigurationError, match=words):
            project.customer("tom", as_of=NOON)


def test_only_keyed_measures_have_functions() -> None:
    feature = Feature(name="f", value=failing)
    words = "the feature 'f' of the measure 'm' is a function, which only keyed measures can have"
    with pytest.raises(WrongArgumentError, match=words):
        Measure(name="m", combine="count", features=(feature,))
    with pytest.raises(WrongArgumentError, match=words):
        CaseMeasure(name="m", parts=(Part(name="p", kinds=("visit",)),), features=(feature,))
