"""Calibrations: parameters fitted to the customers there are, kept in versions, and everybody due afterwards."""

import json
import math
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import Result

from relationship_core import (
    CALIBRATIONS,
    Calibration,
    Choice,
    ConfigurationError,
    Customer,
    Interaction,
    Measure,
    Parameter,
    ParameterSettings,
    Progress,
    RejectedError,
    Relationships,
    ScoringRule,
    Still,
    hookimpl,
    load_plugins,
)
from relationship_core.flow.standing import Moment, standing

NOON = datetime(2029, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)

Open = Callable[..., Relationships]
Know = Callable[..., Customer]
Make = Callable[..., Interaction]
Fit = Callable[[pl.DataFrame], Any]


def mean_visits(customers: pl.DataFrame) -> Mapping[str, float]:
    """Fit ``many_visits``."""
    return {"many_visits": float(customers["visits"].fill_null(0).sum()) / customers.height}


class Shop:
    """A plugin with a score that is relative to a fitted parameter, and a calibration that is ``fit``."""

    def __init__(self, fit: Fit = mean_visits, **more: Any) -> None:
        self.fit = fit
        self.more = more
        self.seen: list[pl.DataFrame] = []

    @hookimpl
    def relationship_parameters(self) -> Sequence[Parameter]:
        return (
            Parameter(name="many_visits", value=5.0, low=0.0, high=1000.0, summary="So many visits are many."),
            Parameter(name="few_visits", value=1.0, low=0.0, summary="So many visits are few."),
            Parameter(name="visit_half_life", value=100.0, low=30.0),
        )

    @hookimpl
    def relationship_measures(self, parameters: Mapping[str, float]) -> Sequence[Measure]:
        half_life = parameters["visit_half_life"]
        return (
            Measure(name="visits", kinds=("visit",), combine="count"),
            Measure(name="fresh_visits", kinds=("visit",), combine="count", half_life_days=half_life),
        )

    @hookimpl
    def relationship_scores(self, parameters: Mapping[str, float]) -> Sequence[ScoringRule]:
        value = pl.col("visits").fill_null(0) / (pl.col("visits").fill_null(0) + parameters["many_visits"] + 1)
        return (ScoringRule(name="zeal", value=value, confidence=pl.lit(1.0), motion=Still()),)

    @hookimpl
    def relationship_calibrations(self) -> Sequence[Calibration]:
        known = {"parameters": ("many_visits", "few_visits"), "needs": ("visits", "stage"), **self.more}
        return (Calibration(name="zeal", fit=self._fit, summary="A test.", **known),)

    def _fit(self, customers: pl.DataFrame) -> Any:
        self.seen.append(customers)
        return self.fit(customers)


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Choice:
    if request.param == "memory":
        return Choice(use="memory")
    return Choice(use="sqlite", settings={"path": str(tmp_path / "relationships.db")})


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def open_shop(make_project: Open, store: Choice, shop: Shop, tmp_path: Path) -> Open:
    """The shop's project in each of the stores."""

    def open_(plugin: object = shop, /, **by_hand: float) -> Relationships:
        parameters = ParameterSettings(values=by_hand)
        return make_project(plugins=[plugin], store=store, folder=tmp_path, parameters=parameters)

    return open_


@pytest.fixture
def fill(make_customer: Know, make_interaction: Make) -> Callable[[Relationships, Mapping[str, int]], None]:
    """Customers, each with so many visits, the last of them at NOON."""

    def record(project: Relationships, visits: Mapping[str, int]) -> None:
        project.record_customers([make_customer(name) for name in visits])
        project.record(
            [make_interaction(name, "visit", NOON - n * DAY) for name, number in visits.items() for n in range(number)]
        )

    return record


Fill = Callable[[Relationships, Mapping[str, int]], None]


@pytest.fixture
def project(open_shop: Open, fill: Fill) -> Iterator[Relationships]:
    """The shop with three customers, of 2, 4 and no visits."""
    with open_shop() as opened:
        fill(opened, {"ada": 2, "bea": 4, "cay": 0})
        yield opened


def in_force(project: Relationships, name: str = "many_visits") -> tuple[float, str]:
    return next((each.value, each.origin) for each in project.parameters if each.name == name)


def versions(project: Relationships) -> list[tuple[str, int, dict[str, Any]]]:
    rows = project.store.read(CALIBRATIONS).iter_rows(named=True)
    return [(row["calibration"], row["version"], json.loads(row["content"])) for row in rows]


# Fitting


def test_what_was_fitted_is_in_force_at_once_and_kept_as_a_version(project: Relationships) -> None:
    calibrated = project.calibrate("zeal", as_of=NOON)
    assert (calibrated.as_of, calibrated.customers, calibrated.versions) == (NOON, 3, {"zeal": 1})
    assert calibrated.everybody_due
    many, few = calibrated.parameters
    assert (many.name, many.calibration, many.before, many.fitted, many.value) == ("many_visits", "zeal", 5, 2, 2)
    assert (few.name, few.before, few.fitted, few.value, few.origin) == ("few_visits", 1.0, None, 1.0, "default")
    assert in_force(project) == (2.0, "fitted")
    assert versions(project) == [("zeal", 1, {"customers": 3, "values": {"many_visits": 2.0}})]
    assert project.store.read(CALIBRATIONS)["at"].to_list() == [NOON]
    (zeal,) = (score for score in project.customer("ada", as_of=NOON).scores if score.name == "zeal")
    assert zeal.value == pytest.approx(2 / (2 + 2 + 1))


def test_the_fit_sees_a_row_for_each_customer_and_the_columns_it_needs(open_shop: Open, fill: Fill, shop: Shop) -> None:
    heard: list[Progress] = []
    with open_shop() as project:
        fill(project, {f"c{number}": number for number in range(5)})
        project._page_size = 2
        project.calibrate("zeal", as_of=NOON, progress=heard.append)
    (seen,) = shop.seen
    assert seen.columns == ["visits", "stage"]
    assert seen["visits"].fill_null(0).to_list() == [0, 1, 2, 3, 4]
    assert [(each.step, each.done, each.total) for each in heard] == [("calibrate", n, 5) for n in (2, 4, 5)]


def test_what_was_fitted_is_there_when_the_project_is_opened_again(
    make_project: Open, fill: Fill, shop: Shop, tmp_path: Path
) -> None:
    more = {"store": Choice(use="sqlite", settings={"path": "relationships.db"}), "folder": tmp_path}
    with make_project(plugins=[shop], **more) as project:
        fill(project, {"ada": 2, "bea": 4})
        project.calibrate("zeal", as_of=NOON)
    with make_project(plugins=[shop], **more) as project:
        assert in_force(project) == (3.0, "fitted")
        assert project.plugins.values["many_visits"] == 3.0


def test_a_refit_marks_everybody_due_and_nothing_else_does(project: Relationships, fill: Fill) -> None:
    assert project.review(as_of=NOON).customers == 3
    assert project.review(as_of=NOON).customers == 0
    assert project.calibrate("zeal", as_of=NOON, dry_run=True).parameters[0].value == 2.0
    assert project.review(as_of=NOON).customers == 0

    assert project.calibrate("zeal", as_of=NOON).everybody_due
    assert project.store.marked("review") is None
    assert project.review(as_of=NOON).customers == 3

    # The same customers again: the same values, so nothing that a review could see differently.
    again = project.calibrate("zeal", as_of=NOON)
    assert (again.everybody_due, again.versions) == (False, {})
    assert project.review(as_of=NOON).customers == 0

    fill(project, {"dan": 10})
    assert project.review(as_of=NOON).customers == 1
    assert project.calibrate("zeal", as_of=NOON).versions == {"zeal": 2}
    assert project.review(as_of=NOON).customers == 4
    assert [version for _, version, _ in versions(project)] == [1, 2]
    assert in_force(project) == (4.0, "fitted")


def test_a_fit_that_differs_by_rounding_finds_nothing_new(open_shop: Open, fill: Fill, shop: Shop) -> None:
    found = iter([0.1 + 0.2, 0.3, 0.3000001])
    shop.fit = lambda _: {"few_visits": next(found)}
    with open_shop() as project:
        fill(project, {"ada": 2})
        assert project.calibrate("zeal", as_of=NOON).versions == {"zeal": 1}
        again = project.calibrate("zeal", as_of=NOON)
        assert (again.versions, again.everybody_due) == ({}, False)
        assert in_force(project, "few_visits") == (0.1 + 0.2, "fitted")
        assert project.calibrate("zeal", as_of=NOON).everybody_due


def test_after_a_refit_nobody_is_planned_by_what_was_reviewed_before_it(project: Relationships) -> None:
    project.review(as_of=NOON)
    project.plan(as_of=NOON)
    project.calibrate("zeal", as_of=NOON)
    with pytest.raises(ConfigurationError, match="run `relate review` first"):
        project.plan(as_of=NOON)
    project.review(as_of=NOON)
    project.plan(as_of=NOON)


def test_a_dry_run_keeps_nothing(project: Relationships) -> None:
    calibrated = project.calibrate("zeal", as_of=NOON, dry_run=True)
    assert (calibrated.versions, calibrated.everybody_due) == ({}, False)
    assert (calibrated.parameters[0].fitted, calibrated.parameters[0].origin) == (2.0, "fitted")
    assert in_force(project) == (5.0, "default")
    assert versions(project) == []


def test_by_hand_goes_before_what_was_fitted(open_shop: Open, fill: Fill) -> None:
    with open_shop(many_visits=7.0) as project:
        fill(project, {"ada": 2})
        project.review(as_of=NOON)
        calibrated = project.calibrate("zeal", as_of=NOON)
        assert calibrated.parameters[0].fitted == 2.0
        assert (calibrated.parameters[0].value, calibrated.parameters[0].origin) == (7.0, "by hand")
        assert in_force(project) == (7.0, "by hand")
        assert (calibrated.versions, calibrated.everybody_due) == ({"zeal": 1}, False)
        assert project.review(as_of=NOON).customers == 0


def test_what_a_fit_leaves_out_stays_as_it_was(project: Relationships, shop: Shop) -> None:
    shop.fit = lambda _: {"many_visits": 8.0, "few_visits": 3.0}
    project.calibrate("zeal", as_of=NOON)
    shop.fit = lambda _: {"few_visits": 2.0}
    project.calibrate("zeal", as_of=NOON)
    assert (in_force(project), in_force(project, "few_visits")) == ((8.0, "fitted"), (2.0, "fitted"))
    shop.fit = lambda _: {}
    assert project.calibrate("zeal", as_of=NOON).versions == {}
    assert in_force(project) == (8.0, "fitted")


def test_of_nobody_nothing_is_asked(open_shop: Open, shop: Shop) -> None:
    with open_shop() as project:
        calibrated = project.calibrate(as_of=NOON)
        assert (calibrated.customers, calibrated.versions, calibrated.everybody_due) == (0, {}, False)
        assert shop.seen == []


def test_all_calibrations_are_fitted_without_a_name(project: Relationships) -> None:
    calibrated = project.calibrate(as_of=NOON)
    found = {*(each.calibration for each in calibrated.parameters), *(each.name for each in calibrated.tables)}
    assert found == set(project.plugins.calibrations)
    assert "zeal" in calibrated.versions


def test_a_fitted_value_counts_only_while_the_parameter_allows_it(
    make_project: Open, fill: Fill, tmp_path: Path
) -> None:
    class Narrower(Shop):
        @hookimpl
        def relationship_parameters(self) -> Sequence[Parameter]:
            return (Parameter(name="many_visits", value=5.0, high=10.0), *super().relationship_parameters()[1:])

    more = {"store": Choice(use="sqlite", settings={"path": "relationships.db"}), "folder": tmp_path}
    with make_project(plugins=[Shop(lambda _: {"many_visits": 900.0, "few_visits": 3.0})], **more) as project:
        fill(project, {"ada": 2})
        project.calibrate("zeal", as_of=NOON)
        assert in_force(project) == (900.0, "fitted")
    with make_project(plugins=[Narrower()], **more) as project:
        assert in_force(project) == (5.0, "default")
        assert in_force(project, "few_visits") == (3.0, "fitted")
    with make_project(**more) as project:  # without the plugin nobody asks for its parameters
        assert "many_visits" not in project.plugins.values


def test_a_fitted_half_life_asks_for_a_rebuild(make_project: Open, fill: Fill, store: Choice, tmp_path: Path) -> None:
    shop = Shop(lambda _: {"visit_half_life": 50.0}, parameters=("visit_half_life",))
    with make_project(plugins=[shop], store=store, folder=tmp_path) as project:
        fill(project, {"ada": 1})
        project.review(as_of=NOON)
        project.calibrate("zeal", as_of=NOON)
        with pytest.raises(ConfigurationError, match=r"'fresh_visits' has changed .* run `relate rebuild`"):
            project.review(as_of=NOON)
        project.rebuild()
        assert project.review(as_of=NOON + 50 * DAY).customers == 1
        assert project.customer("ada", as_of=NOON + 50 * DAY).measures["fresh_visits"] == pytest.approx(0.5)


def test_who_was_merged_into_another_is_no_customer_of_their_own(project: Relationships, shop: Shop) -> None:
    project.identities.merge("ada", into="bea")
    assert project.calibrate("zeal", as_of=NOON).customers == 2
    assert sorted(shop.seen[-1]["visits"].fill_null(0)) == [0, 6]


# What goes wrong


def raising(_customers: pl.DataFrame) -> Mapping[str, float]:
    message = "ada@example.com"
    raise LookupError(message)


WRONG: Mapping[str, tuple[Fit, str]] = {
    "nan": (lambda _: {"many_visits": math.nan}, "a wrong 'many_visits': it must be a number from 0 to 1000, not nan"),
    "infinite": (lambda _: {"many_visits": math.inf}, "a wrong 'many_visits': .* not inf"),
    "infinite, without a bound": (lambda _: {"few_visits": math.inf}, "a wrong 'few_visits': .* at least 0, not inf"),
    "out of range": (lambda _: {"many_visits": -1.0}, "a wrong 'many_visits': .* from 0 to 1000, not -1"),
    "text": (lambda _: {"many_visits": "5"}, "a wrong 'many_visits': .* not text"),
    "true": (lambda _: {"many_visits": True}, "a wrong 'many_visits': .* not a bool"),
    "nothing": (lambda _: {"many_visits": None}, "a wrong 'many_visits': .* not None"),
    "unknown": (lambda _: {"many_visit": 1.0}, r"'many_visit', which it does not fit; did you mean 'many_visits'\?"),
    "another's": (lambda _: {"visit_half_life": 40.0}, "'visit_half_life', which it does not fit"),
    "no name": (lambda _: {1: 40.0}, "a value for 1, which it does not fit"),
    "a list": (lambda _: [1.0], "must give values by parameter, not a list"),
    "none": (lambda _: None, "must give values by parameter, not None"),
    "raises": (raising, "failed with LookupError; mend its plugin or disable it"),
}


@pytest.mark.parametrize(("fit", "words"), WRONG.values(), ids=WRONG.keys())
def test_a_fit_that_goes_wrong_is_named_and_keeps_nothing(
    project: Relationships, shop: Shop, fit: Fit, words: str
) -> None:
    project.calibrate("zeal", as_of=NOON)
    project.review(as_of=NOON)
    shop.fit = fit
    for name in ("zeal", None):  # beside others that are right, too
        with pytest.raises(ConfigurationError, match=f"the calibration 'zeal' .*{words}") as refused:
            project.calibrate(name, as_of=NOON)
        assert "example.com" not in str(refused.value)
    assert len(versions(project)) == 1
    assert in_force(project) == (2.0, "fitted")
    assert project.review(as_of=NOON).customers == 0


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"needs": ("visitz",)}, r"reads the column 'visitz', which nothing declares; did you mean 'visits'\?"),
        ({"parameters": ("many_visit",)}, r"fits the parameter 'many_visit', .* did you mean 'many_visits'\?"),
    ],
)
def test_a_calibration_of_what_is_not_there_fails_when_it_is_used(
    make_project: Open, more: dict[str, Any], words: str
) -> None:
    with (
        make_project(plugins=[Shop(**more)]) as project,
        pytest.raises(ConfigurationError, match=f"the calibration 'zeal' {words}"),
    ):
        project.calibrate(as_of=NOON)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"fit": 1}, "Calibration.fit must be a function, not an int"),
        ({"parameters": ()}, "Calibration.parameters must hold at least one"),
        ({"parameters": "worth"}, "Calibration.parameters must be a list of texts, not text"),
        ({"needs": ()}, "Calibration.needs must hold at least one"),
        ({"name": ""}, "Calibration.name must be"),
    ],
)
def test_a_wrong_calibration_is_refused_in_words(wrong: dict[str, Any], words: str) -> None:
    right = {"name": "zeal", "parameters": ("worth",), "needs": ("orders",), "fit": mean_visits}
    with pytest.raises(ConfigurationError, match=words):
        Calibration(**{**right, **wrong})


def test_no_two_calibrations_fit_one_parameter(make_project: Open) -> None:
    class Rival:
        @hookimpl
        def relationship_calibrations(self) -> Sequence[Calibration]:
            return (Calibration(name="rival", parameters=("many_visits",), needs=("orders",), fit=mean_visits),)

    with pytest.raises(ConfigurationError, match="the fit of the parameter 'many_visits' is declared by"):
        make_project(plugins=[Shop(), Rival()])


def test_an_unknown_calibration_gets_the_nearest_name(project: Relationships) -> None:
    with pytest.raises(ConfigurationError, match=r"calibration: there is no 'zael'; did you mean 'zeal'\?"):
        project.calibrate("zael", as_of=NOON)


def test_nobody_is_calibrated_as_of_the_past(project: Relationships) -> None:
    with pytest.raises(RejectedError, match="cannot calibrate as of"):
        project.calibrate(as_of=NOON - DAY)


# The built-in ones


Visits = Mapping[str, Sequence[int]]


@pytest.fixture
def buyers(make_project: Open, make_customer: Know, make_interaction: Make) -> Iterator[Relationships]:
    """A project in memory without plugins and with 40 buyers and one who never bought.

    Buyer n ordered n % 10 + 1 times, every n % 7 + 1 days, the last time n days before NOON, for n euros each.
    """
    with make_project() as project:
        project.record_customers([make_customer(f"b{number:02}") for number in range(40)])
        project.record_customers([make_customer("nobody")])
        project.record(
            make_interaction(f"b{n:02}", "order", NOON - n * DAY - k * (n % 7 + 1) * DAY, minor=100 * (n + 1))
            for n in range(40)
            for k in range(n % 10 + 1)
        )
        yield project


def fitted(project: Relationships, name: str) -> dict[str, float | None]:
    return {each.name: each.fitted for each in project.calibrate(name, as_of=NOON).parameters}


def quantile(values: Sequence[float], share: float) -> float:
    """Between the two nearest in order, by their distance."""
    ordered, place = sorted(values), share * (len(values) - 1)
    below = int(place)
    above = min(below + 1, len(values) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def columns_of(project: Relationships, *names: str) -> pl.DataFrame:
    """These columns of those who bought."""
    (page,) = project.store.pages(None, as_of=NOON)
    moment = Moment(now=NOON, zone="UTC")
    return standing(project.store, project.catalog, page, names, moment).filter(pl.col("customer") != "nobody")


def test_the_bounds_of_rfm_are_the_quintiles_of_those_who_bought(buyers: Relationships) -> None:
    found = fitted(buyers, "rfm")
    of = {"recency_days": "silence_days", "frequency": "order_days_365", "monetary": "recent_spend"}
    frame = columns_of(buyers, *of.values())
    assert frame.height == 40
    for name, column in of.items():
        for fifth in (1, 2, 3, 4):
            expected = quantile(frame[column].to_list(), fifth / 5)
            assert found[f"rfm_{name}_{fifth}"] == pytest.approx(expected, rel=1e-9), name


def test_after_fitting_rfm_each_fifth_has_as_many_customers(buyers: Relationships) -> None:
    (recency,) = (each.name for each in buyers.catalog.scores if "recency" in each.name and each.name != "recency")

    def counts() -> list[int]:
        fifths = columns_of(buyers, recency)[recency].to_list()
        return [fifths.count(fifth) for fifth in (1, 2, 3, 4, 5)]

    assert counts() != [8, 8, 8, 8, 8]
    buyers.calibrate("rfm", as_of=NOON)
    assert counts() == [8, 8, 8, 8, 8]


def test_the_prior_rhythm_is_the_mean_of_those_who_show_one(buyers: Relationships) -> None:
    gaps = [n % 7 + 1 for n in range(40) if n % 10 + 1 >= 3]
    found = fitted(buyers, "priors")
    assert found["order_gap_prior_days"] == pytest.approx(sum(gaps) / len(gaps), rel=1e-12)
    assert found["visit_gap_prior_days"] is None, "nobody ever visited"
    again = buyers.calibrate("priors", as_of=NOON)
    assert again.versions == {}, "what was fitted plays no part in the next fit"


@pytest.mark.parametrize("spread", [(8.0, 2.0), (0.8, 0.2), (30.0, 30.0)])
def test_a_prior_ratio_is_the_planted_mean_of_customers(spread: tuple[float, float]) -> None:
    alpha, beta = spread
    draw = random.Random(7)
    rows = []
    for _ in range(4000):
        share, events = draw.betavariate(alpha, beta), draw.choice([1, 1, 1, 2, 3, 5, 40])
        good = sum(draw.random() < share for _ in range(events))
        rows.append((float(good), float(events - good)))
    found = prior_of(rows)
    assert found is not None
    # Of 4,000 customers the mean of the ratios has a standard error of at most 0.5 / sqrt(4000) = 0.008.
    assert found == pytest.approx(alpha / (alpha + beta), abs=0.024)


def prior_of(rows: Sequence[tuple[float | None, float | None]]) -> float | None:
    """The trust prior fitted to promises kept and broken."""
    columns = {name: [None] * len(rows) for name in calibration("priors").needs}
    frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.Float64)).with_columns(
        pl.Series("promises_kept", [good for good, _ in rows], dtype=pl.Float64),
        pl.Series("promises_broken", [bad for _, bad in rows], dtype=pl.Float64),
        *(pl.lit(None, pl.Date).alias(name) for name in columns if name.endswith("_on")),
    )
    return calibration("priors").fit(frame).get("trust_prior")


def calibration(name: str) -> Calibration:
    found = load_plugins().calibrations[name]
    assert isinstance(found, Calibration)
    return found


def test_one_customer_of_many_events_is_no_majority() -> None:
    """Half of the customers are kept every promise, half none; one of them has a thousand promises."""
    rows = [(1.0, 0.0)] * 50 + [(0.0, 1.0)] * 49 + [(0.0, 1000.0)]
    assert prior_of(rows) == pytest.approx(0.5, abs=0.01)
    assert sum(good for good, _ in rows) / sum(map(sum, rows)) < 0.05, "as the mean of events it would be"


def test_no_prior_is_certain() -> None:
    assert prior_of([(3.0, None)] * 50) == 0.99
    assert prior_of([(None, 3.0)] * 50) == 0.01


def test_too_little_data_is_left_out(make_project: Open, make_customer: Know, make_interaction: Make) -> None:
    assert prior_of([(1.0, 1.0)] * 9) is None
    assert prior_of([(0.3, 0.1)] * 50) is None, "what is long ago says too little"
    assert prior_of([(1.0, 1.0)] * 10) == pytest.approx(0.5)
    with make_project() as project:
        project.record_customers([make_customer(f"b{number}") for number in range(24)])
        project.record([make_interaction(f"b{number}", "order", NOON, minor=100) for number in range(24)])
        calibrated = project.calibrate(as_of=NOON)
        assert {each.fitted for each in calibrated.parameters} == {None}
        assert (calibrated.versions, calibrated.everybody_due) == ({}, False)
        project.record([make_interaction("b24", "order", NOON, minor=100)])
        assert all(value is not None for value in fitted(project, "rfm").values())


def test_a_prior_is_the_same_in_any_order_of_customers() -> None:
    rows = [(float(n % 4), float(n % 3)) for n in range(60)]
    assert prior_of(rows) == pytest.approx(prior_of(rows[::-1]), rel=1e-12)


# The command line


@pytest.fixture
def filled(tmp_path: Path, relate: Callable[..., Result]) -> Path:
    """A project folder with 30 customers of one order each."""
    lines = [
        "id,customer,kind,at,amount",
        *(f"{n},b{n},order,2024-05-{n % 28 + 1:02}T10:00:00Z,{n}.50" for n in range(30)),
    ]
    (tmp_path / "orders.csv").write_text("\n".join(lines), encoding="utf-8")
    assert relate("init").exit_code == 0
    assert relate("import", "interactions", tmp_path / "orders.csv", "--source", "till").exit_code == 0
    return tmp_path / "shop"


@pytest.mark.usefixtures("filled")
def test_calibrate_shows_old_and_new_values_and_says_who_is_due(relate: Callable[..., Result]) -> None:
    at = ("--as-of", "2024-06-01T12:00:00Z")
    relate("review", *at)
    dry = relate("calibrate", "--dry-run", *at)
    assert "Would fit" in dry.stdout
    assert "Nothing was kept." in dry.stdout
    first = relate("calibrate", "rfm", *at)
    assert re.search(r"rfm_recency_days_1 +30 +\S+ +\S+ +changed", first.stdout)
    assert "Fitted 12 parameters to 30 customers as of 2024-06-01T12:00:00+00:00." in first.stdout
    assert "rfm: kept as version 1" in first.stdout
    assert "Everybody is due for review; `relate run` judges them anew." in first.stdout
    again = relate("calibrate", *at)
    assert "No value in force has changed, so nobody is due for it." in again.stdout
    assert re.search(r"trust_prior +0.5 +0.5 +too little data", again.stdout)
    assert "kept as version" not in again.stdout


@pytest.mark.usefixtures("filled")
def test_the_document_of_calibrate(relate: Callable[..., Result]) -> None:
    told = json.loads(relate("calibrate", "rfm", "--json", "--as-of", "2024-06-01T12:00:00Z").stdout)
    assert (told["customers"], told["versions"], told["everybody_due"], told["dry_run"]) == (
        30,
        {"rfm": 1},
        True,
        False,
    )
    assert {each["origin"] for each in told["parameters"]} == {"fitted"}


@pytest.mark.usefixtures("filled")
def test_a_wrong_name_of_a_calibration_is_one_sentence(relate: Callable[..., Result]) -> None:
    told = relate("calibrate", "rmf")
    assert told.exit_code == 1
    assert told.stderr == (
        "Error: calibration: there is no 'rmf'; did you mean 'rfm'?; the known ones are co-purchase, priors, rfm\n"
    )


def test_plugins_and_doctor_show_what_is_set_and_fitted(filled: Path, relate: Callable[..., Result]) -> None:
    assert "Parameters of this project" not in relate("plugins").stdout
    assert "each has its own value" in relate("doctor").stdout
    relate("calibrate", "rfm", "--as-of", "2024-06-01T12:00:00Z")
    with (filled / "relationship.toml").open("a", encoding="utf-8") as file:
        file.write('\n[parameters]\nuse = "b2b"\nprior_weight = 5\n')
    shown = relate("plugins").stdout
    assert re.search(r"prior_weight +5 +by hand", shown)
    assert re.search(r"trust_half_life_days +730 +set", shown)
    assert re.search(r"rfm_recency_days_1 +\S+ +fitted", shown)
    assert "benefit_prior" not in shown
    checks = json.loads(relate("doctor", "--json").stdout)["checks"]
    (found,) = (each["found"] for each in checks if each["check"] == "parameters")
    assert found.startswith("set by hand: prior_weight 5; fitted: rfm_recency_days_1 ")
    assert "of the set b2b: benefit_half_life_days 365, " in found


def test_a_wrong_parameter_is_told_by_every_command(filled: Path, relate: Callable[..., Result]) -> None:
    with (filled / "relationship.toml").open("a", encoding="utf-8") as file:
        file.write("\n[parameters]\nprior_weigth = 5\n")
    complaint = "[parameters] prior_weigth: there is no such parameter; did you mean 'prior_weight'?"
    told = relate("review")
    assert (told.exit_code, told.stderr) == (1, f"Error: {complaint}\n")
    assert complaint in " ".join(relate("doctor").stdout.split())
    assert "Installed plugins" in relate("plugins").stdout
