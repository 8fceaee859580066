"""Plugins: loaded each on its own, checked, isolated, looked up by name, and told what happened."""

import logging
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import click
import pytest
from attrs import field, frozen

from relationship_core import (
    STATES,
    ConfigurationError,
    Feature,
    Interaction,
    InteractionKind,
    KeyedMeasure,
    Ladder,
    Measure,
    Parameter,
    ParameterSettings,
    Plugins,
    Policy,
    Provider,
    Relationships,
    RetriableError,
    ScoringRule,
    Secret,
    Stage,
    hookimpl,
    load_plugins,
)
from relationship_core.plugins.published import PUBLISHED

Install = Callable[..., str]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install a distribution with one plugin module; the answer is the module's name."""
    known = set(sys.modules)

    def install(source: str, *, name: str = "toy", distribution: str = "relationship-toy", version: str = "1.2") -> str:
        site = tmp_path / distribution
        module = f"{distribution.replace('-', '_')}_{name}"
        info = site / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True, exist_ok=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
        with (info / "entry_points.txt").open("a") as points:
            if not points.tell():
                points.write("[relationship_core]\n")
            points.write(f"{name} = {module}\n")
        (site / f"{module}.py").write_text(source)
        monkeypatch.syspath_prepend(site)
        return module

    yield install
    for module in set(sys.modules) - known:
        if module.startswith("relationship_toy"):
            del sys.modules[module]


KIND = """
from relationship_core import InteractionKind, hookimpl

@hookimpl
def relationship_interaction_kinds():
    return [InteractionKind(name="{name}", direction="inbound", summary="A test.")]
"""


def module(**members: object) -> ModuleType:
    made = ModuleType("handed_in")
    vars(made).update(members)
    return made


def implementing(hook: str, returned: object) -> object:
    """Make a plugin with one hook that returns something."""
    plugin = type("Toy", (), {hook: hookimpl(lambda _self: returned)})
    return plugin()


def kind(name: str) -> InteractionKind:
    return InteractionKind(name=name, direction="inbound", summary="A test.")


def reasons(plugins: Plugins) -> dict[str, str]:
    return {plugin.name: plugin.reason for plugin in plugins.broken}


# What is built in


def test_what_is_built_in_comes_through_the_same_door() -> None:
    plugins = load_plugins()
    assert {"memory", "sqlite"} <= set(plugins.stores)
    assert {"folder", "null"} <= set(plugins.channels)
    assert "liquid" in plugins.renderers
    assert "order" in plugins.kinds
    assert "b2c" in plugins.ladders
    assert {measure.name for measure in plugins.measures} >= {"orders", "spent"}
    assert {rule.name for rule in plugins.scores} >= {"commitment", "lapse"}
    assert {policy.name for policy in plugins.policies} >= {"minimum_interval"}
    first = plugins.installed[0]
    assert first.name == "builtin.stores"
    assert first.hooks == ("relationship_stores",)
    assert set(first.provides["store"]) == {"memory", "sqlite"}


def test_what_is_built_in_can_be_switched_off() -> None:
    plugins = load_plugins(disabled=["builtin.ladders"])
    assert "b2c" not in plugins.ladders
    with pytest.raises(ConfigurationError, match=r"\[ladder\] use: there is no 'b2c'"):
        plugins.ladder("b2c")


def test_what_others_add_can_be_asked_for_alone() -> None:
    plugins = load_plugins(builtin=False, extra=[implementing("relationship_interaction_kinds", (kind("toy_played"),))])
    assert "toy_played" in plugins.kinds
    assert "order" not in plugins.kinds


# Isolation


def test_an_installed_plugin_is_found(install: Install) -> None:
    install(KIND.format(name="toy_played"))
    plugins = load_plugins()
    assert plugins.kinds["toy_played"].summary == "A test."
    found = next(plugin for plugin in plugins.installed if plugin.name == "toy")
    assert (found.distribution, found.version) == ("relationship-toy", "1.2")
    assert found.hooks == ("relationship_interaction_kinds",)
    assert found.provides == {"interaction kind": ("toy_played",)}


def hook(head: str, body: str = "return ()", mark: str = "@hookimpl") -> str:
    return f"from relationship_core import hookimpl\n{mark}\ndef {head}:\n    {body}\n"


BROKEN = {
    "import no_such_library": "ModuleNotFoundError: No module named 'no_such_library'",
    "1 / 0": "ZeroDivisionError",
    "raise SystemExit(3)": "SystemExit: 3",
    "def x(: pass": "SyntaxError",
    "x = 1": "it implements no hook",
    hook("relationship_channels()", mark=""): "its relationship_channels is not marked with @hookimpl",
    hook("relationship_chanels()"): "its relationship_chanels is no hook; did you mean 'relationship_channels'?",
    hook("relationship_recorded(interactions, more)"): "more",
    hook("relationship_recorded(interactions=())"): "relationship_recorded gives the argument 'interactions' a default",
    hook("relationship_recorded(*, interactions)"): "its relationship_recorded takes 'interactions' by keyword only",
    hook("relationship_recorded(**all)"): "its relationship_recorded takes 'all' by keyword only or as a rest",
    hook("relationship_channels()", "return (yield)", "@hookimpl(wrapper=True)"): "is a wrapper",
    hook("relationship_channels()", "yield", "@hookimpl(hookwrapper=True)"): "is a wrapper",
    hook("relationship_channels()", mark="@hookimpl(tryfirst=True)"): "asks to be called first or last",
    hook("relationship_channels()", mark="@hookimpl(trylast=True)"): "asks to be called first or last",
    hook("relationship_channels()").replace("def ", "async def "): "its relationship_channels is a coroutine",
    hook("relationship_channels()", "return 1 / 0"): "its relationship_channels failed: ZeroDivisionError",
    hook("relationship_channels()", "yield 1"): "returned generator; it must return a tuple of Provider",
    hook("relationship_channels()", "pass"): "returned NoneType; it must return a tuple of Provider",
    hook("relationship_measures()", "return ['x']"): "a measure of type str; it must be Measure or KeyedMeasure",
    f"{KIND.format(name='toy_played')}\n{hook('relationship_scores()', 'raise KeyError(1)')}": "failed: KeyError: 1",
}


@pytest.mark.parametrize(("source", "reason"), BROKEN.items())
def test_a_broken_plugin_is_reported_and_the_rest_stays(install: Install, source: str, reason: str) -> None:
    install(source, name="broken")
    install(KIND.format(name="well"), name="well")
    plugins = load_plugins()
    assert "well" in plugins.kinds
    assert "toy_played" not in plugins.kinds
    (broken,) = (plugin for plugin in plugins.broken if plugin.distribution == "relationship-toy")
    assert (broken.name, broken.version) == ("broken", "1.2")
    assert reason in broken.reason
    assert "\n" not in broken.reason
    assert "broken" not in {plugin.name for plugin in plugins.installed}


@pytest.mark.parametrize("named", ["toy", "relationship-toy"])
def test_a_broken_plugin_that_is_required_is_fatal(install: Install, named: str) -> None:
    install("1 / 0")
    with pytest.raises(ConfigurationError, match=r"toy \(relationship-toy 1\.2\).*ZeroDivisionError") as raised:
        load_plugins(required=[named])
    assert isinstance(raised.value.__cause__, ZeroDivisionError)


def test_a_plugin_that_breaks_when_it_is_asked_is_fatal_then(install: Install) -> None:
    install(
        "from relationship_core import hookimpl\n@hookimpl\ndef relationship_channels():\n    raise OSError('no modem')"
    )
    plugins = load_plugins(required=["toy"])
    with pytest.raises(ConfigurationError, match="no modem"):
        _ = plugins.channels


def test_a_required_plugin_must_be_installed(install: Install) -> None:
    install(KIND.format(name="toy_played"))
    with pytest.raises(ConfigurationError, match=r"'tyo' .*not installed; did you mean 'toy'\?"):
        load_plugins(required=["tyo"])


@pytest.mark.parametrize("named", ["toy", "relationship-toy"])
def test_a_disabled_plugin_is_not_even_imported(install: Install, named: str) -> None:
    made = install("raise RuntimeError")
    plugins = load_plugins(disabled=[named, "not-installed-at-all"])
    assert "toy" not in reasons(plugins)
    assert made not in sys.modules


def test_a_missing_provider_may_belong_to_a_broken_plugin(install: Install) -> None:
    install("import no_such_sdk")
    plugins = load_plugins()
    with pytest.raises(ConfigurationError, match=r"\[channels\.x\] use: there is no 'modem'.*toy .*no_such_sdk"):
        plugins.find(plugins.channels, "modem", "[channels.x] use")


def test_what_a_published_distribution_brings_is_told_with_its_name() -> None:
    plugins = load_plugins()
    with pytest.raises(ConfigurationError, match=r"there is no 'postgre'; the known ones are"):
        plugins.find({}, "postgre", "[store] use")
    with pytest.raises(
        ConfigurationError,
        match=r"\[store\] use: there is no 'postgres'; `pip install relationship-postgres` brings it",
    ):
        plugins.find({}, "postgres", "[store] use")
    with pytest.raises(ConfigurationError, match=r"not installed; `pip install relationship-postgres` brings it"):
        load_plugins(required=["relationship-postgres"], disabled=["relationship-postgres"])


def test_every_distribution_beside_the_core_but_the_demo_is_told_so() -> None:
    names = {path.parent.name for path in (Path(__file__).parent.parent / "plugins").glob("*/pyproject.toml")}
    assert {f"relationship-{name}" for name in PUBLISHED} == names - {"relationship-demo"}


def test_a_name_that_is_near_is_suggested() -> None:
    plugins = load_plugins()
    with pytest.raises(ConfigurationError, match=r"did you mean 'folder'\?; the known ones are .*null"):
        plugins.find(plugins.channels, "foldr", "[channels.x] use")


def test_a_class_is_no_plugin() -> None:
    with pytest.raises(ConfigurationError, match="the class Toy"):
        load_plugins(extra=[type("Toy", (), {})])


def test_one_object_is_registered_once() -> None:
    plugin = implementing("relationship_interaction_kinds", [kind("toy_played")])
    with pytest.raises(ConfigurationError, match="registered already"):
        load_plugins(extra=[plugin, plugin])


def test_an_optional_hook_of_another_version_is_let_through() -> None:
    plugin = module(
        relationship_tomorrow=hookimpl(optionalhook=True)(lambda: ()),
        relationship_interaction_kinds=hookimpl(lambda: (kind("toy_played"),)),
    )
    assert "toy_played" in load_plugins(extra=[plugin]).kinds


def test_the_order_is_built_in_then_by_distribution_then_handed_in(install: Install) -> None:
    install(KIND.format(name="kind_z"), name="a", distribution="relationship-toy-z")
    install(KIND.format(name="kind_b"), name="b", distribution="relationship-toy-a")
    install(KIND.format(name="kind_a"), name="a", distribution="relationship-toy-a")
    plugins = load_plugins(extra=[implementing("relationship_interaction_kinds", (kind("kind_x"),))])
    names = [name for name in plugins.kinds if name.startswith("kind_")]
    assert names == ["kind_a", "kind_b", "kind_z", "kind_x"]
    assert next(iter(plugins.kinds)) == "inquiry"


# Names


@frozen(kw_only=True)
class ToySettings:
    """Settings of a toy."""

    token: Secret = field(factory=lambda: Secret("hunter2"))
    path: str = ""


def provider(name: str, factory: Callable[[Any], object] = repr) -> Provider[object]:
    return Provider(name=name, factory=factory, settings=ToySettings, summary="A test.")


def measure(name: str, *features: str) -> Measure:
    return Measure(name=name, combine="count", features=[feature(each) for each in features])


def feature(name: str) -> Feature:
    import polars as pl

    return Feature(name=name, value=pl.lit(1.0))


def keyed(name: str, *features: str) -> KeyedMeasure:
    return KeyedMeasure(name=name, key="day", features=[feature(each) for each in features])


def score(name: str) -> ScoringRule:
    import polars as pl

    return ScoringRule(name=name, value=pl.lit(0.5), confidence=pl.lit(0.0))


def policy(name: str) -> Policy:
    import polars as pl

    return Policy(name=name, refuses=pl.lit(value=False))


LADDER = Ladder(name="short", stages=[Stage(name="all")])

STORES, CHANNELS, RENDERERS = "relationship_stores", "relationship_channels", "relationship_renderers"
KINDS, MEASURES, SCORES = "relationship_interaction_kinds", "relationship_measures", "relationship_scores"
LADDERS, POLICIES = "relationship_ladders", "relationship_policies"

CLASHES = [
    ((STORES, provider("toy")), (STORES, provider("toy")), "the store 'toy'"),
    ((CHANNELS, provider("toy")), (CHANNELS, provider("toy")), "the channel 'toy'"),
    ((RENDERERS, provider("toy")), (RENDERERS, provider("toy")), "the renderer 'toy'"),
    ((KINDS, kind("toy")), (KINDS, kind("toy")), "the interaction kind 'toy'"),
    ((MEASURES, measure("toy")), (MEASURES, measure("toy")), "the measure 'toy'"),
    ((MEASURES, measure("toy")), (MEASURES, keyed("toy", "f")), "the measure 'toy'"),
    ((MEASURES, measure("toy")), (MEASURES, measure("t", "toy")), "measure and feature 'toy'"),
    ((MEASURES, keyed("t", "toy")), (MEASURES, keyed("u", "toy")), "the feature 'toy'"),
    ((MEASURES, measure("toy")), (SCORES, score("toy")), "measure and score 'toy'"),
    ((MEASURES, measure("t", "toy")), (SCORES, score("toy")), "feature and score 'toy'"),
    ((SCORES, score("toy")), (SCORES, score("toy")), "the score 'toy'"),
    ((SCORES, score("toy")), (SCORES, score("toy_confidence")), "the score 'toy_confidence'"),
    ((LADDERS, LADDER), (LADDERS, LADDER), "the ladder 'short'"),
    ((POLICIES, policy("toy")), (POLICIES, policy("toy")), "the policy 'toy'"),
]


@pytest.mark.parametrize(("first", "second", "named"), CLASHES)
def test_a_name_is_declared_once(
    install: Install, first: tuple[str, object], second: tuple[str, object], named: str
) -> None:
    source = "from relationship_core import hookimpl\nRETURNED = []\n@hookimpl\ndef {hook}():\n    return RETURNED\n"
    for name, implemented, record in (("one", *first), ("two", *second)):
        made = install(
            source.format(hook=implemented), name=name, distribution=f"relationship-toy-{name}", version="0.3"
        )
        vars(__import__(made))["RETURNED"].append(record)
    plugins = load_plugins()
    with pytest.raises(ConfigurationError) as raised:
        _ = plugins.columns
    message = str(raised.value)
    assert named in message
    assert "relationship-toy-one 0.3" in message
    assert "relationship-toy-two 0.3" in message
    assert load_plugins(disabled=["two"]).columns is not None


def test_two_namespaces_may_share_a_name() -> None:
    plugin = module(
        relationship_stores=hookimpl(lambda: (provider("toy"),)),
        relationship_channels=hookimpl(lambda: (provider("toy"),)),
        relationship_interaction_kinds=hookimpl(lambda: (kind("toy"),)),
        relationship_measures=hookimpl(lambda: (measure("toy"), keyed("toys", "toy_days"))),
    )
    plugins = load_plugins(extra=[plugin])
    assert plugins.columns["toy"] == "measure"
    assert plugins.columns["toy_days"] == "feature"
    assert "toys" not in plugins.columns


def test_a_name_declared_twice_by_one_plugin_breaks_it(install: Install) -> None:
    source = KIND.format(name="toy_played").replace("return [", "return 2 * [")
    install(source)
    plugins = load_plugins()
    assert "it declares the interaction kind 'toy_played' twice" in reasons(plugins)["toy"]
    assert "toy_played" not in plugins.kinds


def test_columns_say_what_they_are() -> None:
    columns = load_plugins().columns
    assert columns["orders"] == "measure"
    assert columns["silence_days"] == "feature"
    assert columns["commitment"] == columns["commitment_confidence"] == "score"


# Making


def making(factory: Callable[[Any], object]) -> tuple[Plugins, Provider[Any]]:
    plugins = load_plugins(extra=[implementing("relationship_channels", (provider("toy", factory),))])
    return plugins, plugins.channels["toy"]


def test_a_factory_makes_the_object() -> None:
    plugins, chosen = making(lambda settings: settings.path)
    assert plugins.make(chosen, ToySettings(path="here"), "[channels.x]") == "here"


def test_a_failing_factory_names_the_plugin_and_the_cause() -> None:
    def fail(_settings: ToySettings) -> object:
        raise OSError("no modem")

    plugins, chosen = making(fail)
    with pytest.raises(ConfigurationError, match=r"\[channels\.x\]: .*Toy.* 'toy': OSError: no modem") as raised:
        plugins.make(chosen, ToySettings(), "[channels.x]")
    assert isinstance(raised.value.__cause__, OSError)


def test_a_failing_factory_shows_no_secret() -> None:
    def fail(settings: ToySettings) -> object:
        raise OSError("refused") from KeyError(settings.token.reveal())

    plugins, chosen = making(fail)
    with pytest.raises(ConfigurationError, match=r"OSError$") as raised:
        plugins.make(chosen, ToySettings(), "[channels.x]")
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None


def test_what_a_factory_raises_on_purpose_passes() -> None:
    def later(_settings: ToySettings) -> object:
        message = "the modem is busy"
        raise RetriableError(message)

    plugins, chosen = making(later)
    with pytest.raises(RetriableError, match=r"^the modem is busy$"):
        plugins.make(chosen, ToySettings(), "[channels.x]")


# Announcing

INTERACTION = Interaction(
    source="shop", id="1", customer="zoe@example.com", kind="order", at=datetime(2017, 3, 1, tzinfo=UTC)
)


class Listener:
    """A plugin that hears."""

    def __init__(self) -> None:
        self.heard: list[object] = []

    @hookimpl
    def relationship_recorded(self, interactions: Sequence[Interaction]) -> None:
        self.heard.append(interactions)


class Failing:
    """A plugin that fails when it hears."""

    @hookimpl
    def relationship_recorded(self, interactions: Sequence[Interaction]) -> None:
        raise ValueError(interactions[0].customer)


class Deaf:
    """A plugin that does not care what it was."""

    def __init__(self) -> None:
        self.calls = 0

    @hookimpl
    def relationship_recorded(self) -> None:
        self.calls += 1


def test_every_listener_hears_although_one_fails(caplog: pytest.LogCaptureFixture) -> None:
    first, deaf, last = Listener(), Deaf(), Listener()
    plugins = load_plugins(extra=[first, Failing(), deaf, last])
    with caplog.at_level(logging.ERROR):
        # A list, and even an iterator, reaches each of them as the same tuple.
        plugins.recorded(cast("Sequence[Interaction]", iter([INTERACTION])))
    assert first.heard == last.heard == [(INTERACTION,)]
    assert deaf.calls == 1
    assert "Failing failed in relationship_recorded: ValueError" in caplog.text
    assert "zoe@example.com" not in caplog.text
    assert not plugins.broken


def test_nobody_listens_unless_somebody_does() -> None:
    assert not load_plugins(disabled=_installed()).listens("relationship_recorded")
    assert load_plugins(extra=[Listener()]).listens("relationship_recorded")


def _installed() -> list[str]:
    return [plugin.name for plugin in load_plugins().installed if not plugin.name.startswith("builtin.")]


# Commands


class Commanding:
    """A plugin that adds a command."""

    def __init__(self, name: str, *, fails: bool = False) -> None:
        self.name = name
        self.fails = fails

    @hookimpl
    def relationship_commands(self, cli: click.Group) -> None:
        cli.add_command(click.Command(self.name))
        if self.fails:
            raise RuntimeError("no terminal")


def test_plugins_add_commands() -> None:
    cli = click.Group()
    load_plugins(extra=[Commanding("play")]).commands(cli)
    assert "play" in cli.commands


@pytest.mark.parametrize("name", ["run", "review"])
def test_a_command_is_not_replaced(install: Install, name: str) -> None:
    cli = click.Group(commands={"run": click.Command("run")})
    before = dict(cli.commands)
    install(
        "import click\nfrom relationship_core import hookimpl\n@hookimpl\n"
        f"def relationship_commands(cli):\n    cli.add_command(click.Command('{name}'))"
    )
    plugins = load_plugins()
    plugins.commands(cli, reserved=["review"])
    assert {key: cli.commands[key] for key in before} == before
    assert "review" not in cli.commands
    assert f"'{name}', which exists already" in reasons(plugins)["toy"]


def test_a_plugin_that_fails_half_way_adds_nothing() -> None:
    cli = click.Group()
    with pytest.raises(ConfigurationError, match="no terminal"):
        load_plugins(extra=[Commanding("play", fails=True)]).commands(cli)
    assert "play" not in cli.commands


# A distribution with a business of its own: kinds, parameters, measures, cases, scores and a ladder

RIDING_SCHOOL = """
from relationship_core import (
    CaseMeasure, Feature, Halving, InteractionKind, Ladder, Measure, Parameter, Part, ScoringRule, Stage, hookimpl
)


@hookimpl
def relationship_interaction_kinds():
    return [
        InteractionKind(name=name, direction="inbound", summary=name.title())
        for name in ("lesson", "exam_booked", "exam_passed")
    ]


@hookimpl
def relationship_parameters():
    return [Parameter(name="riding_half_life_days", value=90.0, sets={"b2b": 180.0}, low=30, summary="Of lessons.")]


@hookimpl
def relationship_measures(parameters):
    import polars as pl

    passed = pl.col("booked").is_not_null() & pl.col("passed").is_not_null()
    half_life = parameters["riding_half_life_days"]
    age = (pl.col("now") - pl.col("passed")) / pl.duration(days=1)
    fresh = pl.when(passed).then(pl.lit(2.0).pow(-age / half_life))
    return [
        Measure(name="lessons", kinds=["lesson"], combine="count", half_life_days=half_life),
        CaseMeasure(
            name="exam",
            parts=[Part(name="booked", kinds=["exam_booked"]), Part(name="passed", kinds=["exam_passed"])],
            features=[
                Feature(name="exams_passed", value=passed.sum(), absent=0),
                Feature(name="exams_fresh", value=fresh.sum(), motion=Halving(days=half_life), absent=0),
            ],
        ),
    ]


@hookimpl
def relationship_scores():
    import polars as pl

    lessons = pl.col("lessons").fill_null(0.0)
    skill = pl.col("exams_fresh") + lessons / 10
    return [
        ScoringRule(name="skill", value=skill, confidence=lessons / (lessons + 4), evidence=["lessons", "exams_fresh"]),
        ScoringRule(
            name="seat",
            value=pl.when(lessons > 0).then((skill > 0.5).cast(pl.Float64)),
            confidence=lessons / (lessons + 4),
            labels=["loose", "firm"],
        ),
    ]


@hookimpl
def relationship_ladders(parameters):
    return [
        Ladder(
            name="riding",
            stages=[
                Stage(name="guest"),
                Stage(name="pupil", enter="lessons > 0"),
                Stage(name="rider", enter="exams_passed >= 1 AND seat = 'firm'", leave="skill < 0.3"),
            ],
            lapsed="lessons < 0.5",
            freezes="complaints_open > 0",
        )
    ]
"""


def test_a_distribution_brings_a_business_of_its_own(
    install: Install, make_interaction: Callable[..., Interaction], make_project: Callable[..., Relationships]
) -> None:
    install(RIDING_SCHOOL, name="school")
    plugins = load_plugins()
    (school,) = [plugin for plugin in plugins.installed if plugin.name == "school"]
    assert school.provides["measure"] == ("lessons", "exam")
    assert school.provides["ladder"] == ("riding",)
    chosen = ParameterSettings(values={"riding_half_life_days": 60.0})
    project = make_project(plugins=[Deaf()], ladder="riding", parameters=chosen)
    start = datetime(2025, 1, 1, 12, tzinfo=UTC)

    def at(days: float) -> datetime:
        return start + timedelta(days=days)

    project.record([make_interaction("ada", "exam_passed", at(3), reference="bronze")])
    project.record([make_interaction("ada", "lesson", at(1), id=f"lesson {n}") for n in range(4)])
    complaint = make_interaction("ada", "complaint_opened", at(3), reference="saddle")
    project.record([complaint])
    stages: list[str] = []
    for day, found in (
        (3, []),
        (4, [make_interaction("ada", "complaint_resolved", at(4), reference="saddle")]),
        (5, [make_interaction("ada", "exam_booked", at(0), reference="bronze")]),
        *((day, []) for day in range(6, 150)),
    ):
        project.record(found)
        project.review(as_of=at(day))
        (stage,) = project.store.read(STATES, columns=["stage"])["stage"].to_list() or [None]
        # Nobody has a state before the first move; the page is asked where it may differ from the last one.
        stages.append(stage if stages and stage == stages[-1] else project.customer("ada", as_of=at(day)).stage)
    assert stages[:3] == ["guest", "pupil", "rider"]
    fall = next(day for day, stage in enumerate(stages, 3) if stage == "pupil" and day > 5)
    # (2^(-(day - 3) / 60) + 0.4 * 2^(-(day - 1) / 60)) falls below 0.3
    assert fall == 136
    scores = {score.name: score for score in project.customer("ada", as_of=at(63)).scores}
    assert scores["skill"].value == pytest.approx(0.5 + 0.4 * 2 ** (-62 / 60))
    assert (str(scores["seat"]), scores["seat"].value) == ("firm", 1.0)


class Paced:
    """A plugin with a measure by a parameter, which keeps what it was asked with."""

    def __init__(self) -> None:
        self.asked: list[float] = []

    @hookimpl
    def relationship_parameters(self) -> tuple[Parameter, ...]:
        return (Parameter(name="pace", value=30.0),)

    @hookimpl
    def relationship_measures(self, parameters: Mapping[str, float]) -> tuple[Measure, ...]:
        self.asked.append(parameters["pace"])
        return (Measure(name="paced", combine="count", half_life_days=parameters["pace"]),)


def test_declarations_are_asked_for_once_by_the_same_values_and_anew_by_others() -> None:
    plugin = Paced()
    plugins = load_plugins(extra=[plugin])
    for pace in (30.0, 30.0, 60.0, 60.0, 30.0):
        (paced,) = [each for each in plugins.with_parameters({"pace": pace}).measures if each.name == "paced"]
        assert isinstance(paced, Measure)
        assert paced.half_life_days == pace
    assert plugin.asked == [30.0, 60.0, 30.0]


def test_a_plugin_that_breaks_with_the_same_values_again_is_broken_again() -> None:
    class Breaking:
        @hookimpl
        def relationship_scores(self) -> tuple[ScoringRule, ...]:
            message = "no scores today"
            raise ValueError(message)

    plugins = load_plugins(extra=[Breaking()])
    for _ in range(2):
        with pytest.raises(ConfigurationError, match="no scores today"):
            _ = plugins.with_parameters({}).scores
