"""Parameters: declared, chosen in sets, set by hand, and handed to what is declared with them."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import polars as pl
import pytest
from click.testing import Result

from relationship_core import (
    Calibration,
    Choice,
    ConfigurationError,
    InteractionKind,
    Ladder,
    Measure,
    Parameter,
    ParameterSettings,
    Plugins,
    Provider,
    Relationships,
    ScoringRule,
    Settings,
    Stage,
    TableCalibration,
    hookimpl,
    load_plugins,
    read_settings,
)
from relationship_core.builtin.memory import MemoryStore
from relationship_core.builtin.stores import MemorySettings
from relationship_core.plugins.sources import Source, builtin_sources

NOON = datetime(2029, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


class Bakery:
    """A plugin whose measure, score and ladder are declared with parameters of its own."""

    def __init__(self) -> None:
        self.asked: list[Mapping[str, float]] = []

    @hookimpl
    def relationship_parameters(self) -> Sequence[Parameter]:
        return (
            Parameter(
                name="crumb_days", value=60.0, sets={"wholesale": 90.0}, low=30.0, summary="Half-life of crumbs."
            ),
            Parameter(name="crumb_worth", value=0.5, low=0.0, high=1.0, summary="What a crumb is worth."),
        )

    @hookimpl
    def relationship_measures(self, parameters: Mapping[str, float]) -> Sequence[Measure]:
        self.asked.append(parameters)
        return (Measure(name="crumbs", combine="count", half_life_days=parameters["crumb_days"]),)

    @hookimpl
    def relationship_scores(self, parameters: Mapping[str, float]) -> Sequence[ScoringRule]:
        worth = parameters["crumb_worth"]
        # A function: nothing in its text tells the worth.
        return (
            ScoringRule(
                name="crumbling",
                value=lambda frame: pl.Series([worth] * frame.height, dtype=pl.Float64),
                confidence=pl.lit(1.0),
            ),
        )

    @hookimpl
    def relationship_ladders(self, parameters: Mapping[str, float]) -> Sequence[Ladder]:
        worth = parameters["crumb_worth"]
        stages = (Stage(name="prospect"), Stage(name="guest", enter=f"crumbling > {worth / 2}"))
        return (Ladder(name="bakery", stages=stages),)


Opening = Callable[..., Relationships]


@pytest.fixture
def bakery() -> Bakery:
    return Bakery()


@pytest.fixture
def open_bakery(bakery: Bakery) -> Opening:
    """A project in memory with the bakery; parameters by hand, and the set ``use``."""

    def open_(use: str = "", **by_hand: Any) -> Relationships:
        settings = Settings(parameters=ParameterSettings(use=use, values=by_hand), ladder="bakery")
        return Relationships(settings=settings, plugins=load_plugins(extra=[bakery]), clock=lambda: NOON)

    return open_


def view_of(project: Relationships, name: str) -> tuple[float, str]:
    return next((each.value, each.origin) for each in project.parameters if each.name == name)


def half_life(project: Relationships) -> float | None:
    (measure,) = (each for each in project.catalog.measures if each.name == "crumbs")
    assert isinstance(measure, Measure)
    return measure.half_life_days


# Declaring


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"value": math.nan}, "Parameter.value must be a number"),
        ({"value": math.inf}, "Parameter.value must be a number"),
        ({"value": "much"}, "Parameter.value must be a number, not text"),
        ({"value": True}, "Parameter.value must be a number, not a bool"),
        ({"value": 2.0, "high": 1.0}, "value of the parameter 'worth' must be a number of at most 1, not 2"),
        ({"value": 0.5, "sets": {"b2b": 2.0}, "low": 0.0, "high": 1.0}, "in the set 'b2b'.* from 0 to 1, not 2"),
        ({"value": 0.5, "sets": {"b2b": "much"}}, "in the set 'b2b'.* must be a number, not text"),
        ({"value": 0.5, "low": 2.0, "high": 1.0}, "a low of 2 above its high of 1"),
        ({"value": 0.5, "low": math.nan}, "Parameter.low must be a number"),
        ({"name": "Worth", "value": 0.5}, "Parameter.name must be lower-case"),
        ({"name": "use", "value": 0.5}, "'use'"),
    ],
)
def test_a_wrong_parameter_is_refused_in_words(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        Parameter(**{"name": "worth", **wrong})


def test_a_parameter_keeps_its_sets_to_itself() -> None:
    sets = {"b2b": 2.0}
    parameter = Parameter(name="worth", value=1, sets=sets)
    sets["b2b"] = 3.0
    assert (parameter.value, dict(parameter.sets)) == (1.0, {"b2b": 2.0})


def test_two_plugins_cannot_declare_one_parameter() -> None:
    class Rival:
        @hookimpl
        def relationship_parameters(self) -> Sequence[Parameter]:
            return (Parameter(name="crumb_days", value=1.0),)

    with pytest.raises(ConfigurationError, match=r"the parameter 'crumb_days' is declared by .* Bakery .* Rival"):
        _ = load_plugins(extra=[Bakery(), Rival()]).parameters


# Values in force


def test_without_a_word_each_parameter_has_its_own_value(open_bakery: Opening) -> None:
    with open_bakery() as project:
        assert view_of(project, "crumb_days") == (60.0, "default")
        assert half_life(project) == 60.0


def test_a_set_goes_before_the_own_value_and_by_hand_before_the_set(open_bakery: Opening) -> None:
    with open_bakery("wholesale") as project:
        assert view_of(project, "crumb_days") == (90.0, "set")
        assert view_of(project, "crumb_worth") == (0.5, "default")
        assert half_life(project) == 90.0
    with open_bakery("wholesale", crumb_days=45) as project:
        assert view_of(project, "crumb_days") == (45.0, "by hand")
        assert half_life(project) == 45.0


def test_the_hooks_are_handed_every_parameter_and_cannot_change_it(open_bakery: Opening, bakery: Bakery) -> None:
    with open_bakery(crumb_worth=0.25) as project:
        (given,) = bakery.asked
        assert given == {each.name: each.value for each in project.parameters}
        assert given["crumb_worth"] == 0.25
        assert project.catalog.ladder.stages[1].enter == "crumbling > 0.125"
        with pytest.raises(TypeError):
            given["crumb_worth"] = 1.0  # type: ignore[index]  # that it cannot be done is what is tested


def test_plugins_that_are_shared_have_the_values_of_each_project(bakery: Bakery) -> None:
    shared = load_plugins(extra=[bakery])

    def opened(days: float) -> Relationships:
        return Relationships(
            settings=Settings(parameters=ParameterSettings(values={"crumb_days": days})), plugins=shared
        )

    with opened(40.0) as first, opened(50.0) as second:
        assert (half_life(first), half_life(second)) == (40.0, 50.0)
        assert first.plugins.values["crumb_days"] == 40.0
    assert shared.values["crumb_days"] == 60.0


def test_a_hook_without_the_argument_goes_on_working() -> None:
    class Plain:
        @hookimpl
        def relationship_measures(self) -> Sequence[Measure]:
            return (Measure(name="loaves", combine="count"),)

    with Relationships(plugins=load_plugins(extra=[Plain()])) as project:
        assert "loaves" in project.catalog.types


def test_a_default_for_the_argument_is_refused() -> None:
    class Lazy:
        @hookimpl
        def relationship_ladders(self, parameters: Mapping[str, float] = MappingProxyType({})) -> Sequence[Ladder]:
            return (Ladder(name="lazy", stages=(Stage(name=f"one_of_{len(parameters)}"),)),)

    with pytest.raises(ConfigurationError, match="gives the argument 'parameters' a default"):
        load_plugins(extra=[Lazy()])


# Configuration


def settings_of(folder: Path, text: str) -> Settings:
    (folder / "relationship.toml").write_text(text, encoding="utf-8")
    return read_settings(folder)


def test_the_table_of_parameters_is_read(tmp_path: Path) -> None:
    read = settings_of(tmp_path, '[parameters]\nuse = "b2b"\ntrust_half_life_days = 400\nworth = 0.5\n')
    assert read.parameters == ParameterSettings(use="b2b", values={"trust_half_life_days": 400.0, "worth": 0.5})
    assert settings_of(tmp_path, "").parameters == ParameterSettings()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[parameters]\nworth = "much"', r"relationship.toml, \[parameters\] worth: must be a number, not text"),
        ("[parameters]\nworth = true", r"\[parameters\] worth: must be a number, not true"),
        ("[parameters]\nworth = nan", r"\[parameters\] worth: must be a number, not the number nan"),
        ("[parameters]\nworth = inf", r"\[parameters\] worth: must be a number, not the number inf"),
        ("[parameters]\nworth = [1]", r"\[parameters\] worth: must be a number, not a list"),
        ("[parameters]\nuse = 1", r"\[parameters\] use: must be text, not the number 1"),
        ("parameters = 1", r"\[?parameters\]?: must be a table, not the number 1"),
    ],
)
def test_what_is_no_number_is_refused_with_its_place(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        settings_of(tmp_path, text)


@pytest.mark.parametrize(
    ("use", "by_hand", "words"),
    [
        ("wholesail", {}, r"\[parameters\] use: there is no set 'wholesail'; did you mean 'wholesale'\?"),
        ("", {"crumb_day": 40.0}, r"\[parameters\] crumb_day: there is no such parameter; did you mean 'crumb_days'\?"),
        ("", {"zzz": 40.0}, r"\[parameters\] zzz: there is no such parameter; `relate plugins` shows"),
        ("", {"crumb_days": 29.9}, r"\[parameters\] crumb_days must be a number of at least 30, not 29.9"),
        ("", {"crumb_worth": 1.5}, r"\[parameters\] crumb_worth must be a number from 0 to 1, not 1.5"),
        ("", {"crumb_worth": "much"}, r"\[parameters\] crumb_worth must be a number from 0 to 1, not text"),
        ("", {"crumb_worth": True}, r"\[parameters\] crumb_worth must be a number from 0 to 1, not a bool"),
    ],
)
def test_wrong_values_by_hand_are_refused(open_bakery: Opening, use: str, by_hand: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        open_bakery(use, **by_hand)


def test_all_mistakes_are_told_at_once(open_bakery: Opening) -> None:
    with pytest.raises(ConfigurationError) as refused:
        open_bakery("wholesail", crumb_day=40.0, crumb_worth=2.0)
    assert len(str(refused.value).splitlines()) == 3


# Isolation: what breaks with a value


class Brittle(Bakery):
    """Takes no crumbs of less than 50 days, and has a kind and a store as well."""

    @hookimpl
    def relationship_measures(self, parameters: Mapping[str, float]) -> Sequence[Measure]:
        if parameters["crumb_days"] < 50.0:
            raise ArithmeticError
        return super().relationship_measures(parameters)

    @hookimpl
    def relationship_interaction_kinds(self) -> Sequence[InteractionKind]:
        return (InteractionKind(name="tasting", direction="inbound", summary="A test."),)

    @hookimpl
    def relationship_stores(self) -> Sequence[Provider[MemoryStore]]:
        return (Provider(name="oven", factory=lambda _: MemoryStore(), settings=MemorySettings, summary="A test."),)


def installed(plugin: object) -> Plugins:
    """As an installed plugin, without which the rest goes on; what a program hands in is needed."""
    source = Source(name=type(plugin).__name__, load=lambda: plugin, distribution="relationship-bakery")
    return Plugins([*builtin_sources(), source])


def test_a_plugin_that_breaks_with_a_value_counts_whole_as_broken() -> None:
    plugins = installed(Brittle())
    settings = Settings(parameters=ParameterSettings(values={"crumb_days": 40.0}))
    with Relationships(settings=settings, plugins=plugins) as project:
        (broken,) = project.plugins.broken
        assert (broken.name, broken.reason) == ("Brittle", "its relationship_measures failed: ArithmeticError")
        assert "tasting" not in project.plugins.kinds
        assert "crumbling" not in project.catalog.types
        assert "oven" not in project.plugins.stores
        assert "orders" in project.catalog.types
    with Relationships(plugins=plugins) as project:  # with other values it works
        assert project.plugins.broken == ()
        assert "tasting" in project.plugins.kinds


def test_a_store_whose_plugin_breaks_with_a_value_is_not_gone_on_with() -> None:
    settings = Settings(store=Choice(use="oven"), parameters=ParameterSettings(values={"crumb_days": 40.0}))
    with pytest.raises(ConfigurationError, match=r"there is no 'oven'.*broken plugin: Brittle"):
        Relationships(settings=settings, plugins=installed(Brittle()))


def test_a_needed_plugin_that_breaks_with_a_value_is_fatal() -> None:
    settings = Settings(parameters=ParameterSettings(values={"crumb_days": 40.0}))
    with pytest.raises(ConfigurationError, match=r"the plugin Brittle .* is needed and broken"):
        Relationships(settings=settings, plugins=load_plugins(extra=[Brittle()]))


FRAGILE = """
from relationship_core import Measure, Parameter, hookimpl

@hookimpl
def relationship_parameters():
    return [Parameter(name="toy_days", value=60.0)]

@hookimpl
def relationship_measures(parameters):
    return [Measure(name="toys", combine="count", half_life_days=parameters["toy_days"])]
"""


def test_the_command_line_tells_of_a_plugin_that_breaks_with_a_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, relate: Callable[..., Result]
) -> None:
    info = tmp_path / "site" / "relationship_fragile-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: relationship-fragile\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[relationship_core]\nfragile = relationship_fragile_plugin\n")
    (tmp_path / "site" / "relationship_fragile_plugin.py").write_text(FRAGILE)
    monkeypatch.syspath_prepend(tmp_path / "site")
    assert relate("init").exit_code == 0
    assert relate("plugins").exit_code == relate("doctor").exit_code == 0
    with (tmp_path / "shop" / "relationship.toml").open("a", encoding="utf-8") as file:
        file.write("\n[parameters]\ntoy_days = 10\n")
    plugins, doctor = relate("plugins", "--json"), relate("doctor", "--json")
    assert (plugins.exit_code, doctor.exit_code) == (1, 1)
    (broken,) = json.loads(plugins.stdout)["broken"]
    assert broken["reason"].startswith("its relationship_measures failed: ")
    assert "half_life_days must be a number of at least 30, not 10.0" in broken["reason"]
    (told,) = [each["found"] for each in json.loads(doctor.stdout)["checks"] if not each["ok"]]
    assert told.startswith("fragile is left out: its relationship_measures failed: ")


# Changed values


def test_a_changed_value_that_only_a_function_reads_marks_everybody(
    bakery: Bakery, make_customer: Callable[..., Any]
) -> None:
    plugins = load_plugins(extra=[bakery])

    def opened(worth: float) -> Relationships:
        """On another ladder than the bakery's, whose conditions would tell the worth."""
        by_hand = ParameterSettings(values={"crumb_worth": worth})
        return Relationships(settings=Settings(parameters=by_hand), plugins=plugins, clock=lambda: NOON)

    with opened(0.5) as first, opened(0.75) as second, opened(0.75) as same:
        first.record_customers([make_customer("ada"), make_customer("bea")])
        assert first.review(as_of=NOON).customers == 2
        assert first.review(as_of=NOON).customers == 0
        second.store = same.store = first.store
        assert second.review(as_of=NOON).customers == 2
        assert same.review(as_of=NOON).customers == 0


def test_a_changed_half_life_asks_for_a_rebuild(
    open_bakery: Opening, make_customer: Callable[..., Any], make_interaction: Callable[..., Any]
) -> None:
    with open_bakery() as first, open_bakery(crumb_days=45.0) as second:
        first.record_customers([make_customer("ada")])
        first.record([make_interaction("ada", "visit", NOON - 45 * DAY)])
        second.store = first.store
        with pytest.raises(ConfigurationError, match=r"the measure 'crumbs' has changed .* run `relate rebuild`"):
            second.review(as_of=NOON)
        with pytest.raises(ConfigurationError, match="the measure 'crumbs' has changed"):
            second.record([make_interaction("ada", "visit", NOON)])
        second.rebuild()
        second.review(as_of=NOON)
        view = second.customer("ada", as_of=NOON)
    assert view.measures["crumbs"] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [
        (-math.inf, math.inf, "a number"),
        (1e-6, math.inf, "a number of at least 0.000001"),
        (-math.inf, 36_500.0, "a number of at most 36500"),
        (1e-6, 1e12, "a number from 0.000001 to 1,000,000,000,000"),
        (-0.5, 0.25, "a number from -0.5 to 0.25"),
        (0.0, 1e300, "a number from 0 to 1e+300"),
    ],
)
def test_a_range_is_written_as_people_write_numbers(low: float, high: float, told: str) -> None:
    assert Parameter(name="flour", value=max(low, 0.2), low=low, high=high).range == told


# The page of reference


PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "parameters.md"


def rows_of_parameters(plugins: Plugins) -> list[str]:
    """The table of parameters: name, value, sets, range, meaning."""
    return [
        f"| `{each.name}` | {each.value:,g} | {sets_of(each)} | {each.range.removeprefix('a number ') or 'any'} "
        f"| {each.summary} |"
        for each in plugins.parameters.values()
    ]


def sets_of(parameter: Parameter) -> str:
    return ", ".join(f"`{name}` {value:,g}" for name, value in parameter.sets.items())


def rows_of_calibrations(plugins: Plugins) -> list[str]:
    """The table of calibrations: name, what it fits, meaning."""
    return [f"| `{each.name}` | {fits(each)} | {each.summary} |" for each in plugins.calibrations.values()]


def fits(calibration: Calibration | TableCalibration) -> str:
    if isinstance(calibration, TableCalibration):
        return f"the table `{calibration.name}`"
    return ", ".join(f"`{name}`" for name in calibration.parameters)


def wrong_rows(page: str, plugins: Plugins) -> set[str]:
    """The rows that are on the page or should be, but not both."""
    shown = [line for line in page.splitlines() if line.startswith("| `")]
    return {*shown} ^ {*rows_of_parameters(plugins), *rows_of_calibrations(plugins)}


def test_the_page_lists_every_parameter_and_calibration_as_it_is() -> None:
    plugins = built_in()
    assert rows_of_parameters(plugins)
    assert rows_of_calibrations(plugins)
    assert wrong_rows(PAGE.read_text(encoding="utf-8"), plugins) == set()


def test_a_parameter_that_the_page_lacks_or_tells_otherwise_is_found() -> None:
    plugins, page = built_in(), PAGE.read_text(encoding="utf-8")
    for row in (*rows_of_parameters(plugins), *rows_of_calibrations(plugins)):
        assert wrong_rows(page.replace(row + "\n", ""), plugins) == {row}
    first = rows_of_parameters(plugins)[0]
    assert len(wrong_rows(page.replace(first, first.replace(" | ", " | 1", 1)), plugins)) == 2


def built_in() -> Plugins:
    return Plugins(list(builtin_sources()))


def test_what_is_built_in_says_what_it_is() -> None:
    plugins = built_in()
    assert all(each.summary for each in plugins.parameters.values())
    assert {"b2b"} == {name for each in plugins.parameters.values() for name in each.sets}
    for calibration in plugins.calibrations.values():
        assert isinstance(calibration, TableCalibration) or set(calibration.parameters) <= set(plugins.parameters)
