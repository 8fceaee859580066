"""Every hook is documented as it is, and does what its documentation says when a plugin implements it."""

import ast
import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import click
import polars as pl
import pytest

import relationship_core
from relationship_core import (
    Calibration,
    Interaction,
    InteractionKind,
    Ladder,
    Measure,
    Parameter,
    Plugins,
    Policy,
    Preset,
    PresetPart,
    Provider,
    RawRequest,
    Receipt,
    Refusal,
    ScoringRule,
    Stage,
    Transition,
    hookimpl,
    hookspecs,
    load_plugins,
    ports,
)
from relationship_core.builtin.channels import NullChannel, NullSettings
from relationship_core.builtin.executors import InProcess, InProcessSettings
from relationship_core.builtin.liquid import LiquidRenderer, LiquidSettings
from relationship_core.builtin.memory import MemoryStore
from relationship_core.builtin.stores import MemorySettings

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "hooks.md"

HOOKS: dict[str, Callable[..., object]] = {
    name: value for name, value in vars(hookspecs).items() if hasattr(value, f"{hookspecs.PROJECT}_spec")
}


# Documentation

LINE = 120
"""So long a line may be, in code of the documentation too."""


def section(name: str, hook: Callable[..., object]) -> str:
    """What the page must hold about a hook: its heading, its exact signature, its docstring."""
    signature = inspect.signature(hook)
    arguments = ", ".join(f"{each.name}: {each.annotation}" for each in signature.parameters.values())
    head = f"def {name}({arguments}) -> {signature.return_annotation}: ..."
    if len(head) > LINE:  # as the formatter breaks it
        head = f"def {name}(\n    {arguments}\n) -> {signature.return_annotation}: ..."
    return f"### {name}\n\n```python\n{head}\n```\n\n{inspect.getdoc(hook)}\n"


def undocumented(page: str, hooks: dict[str, Callable[..., object]]) -> list[str]:
    return [name for name, hook in hooks.items() if section(name, hook) not in page]


def names_of(module: ModuleType) -> Iterator[str]:
    """The classes of a module, and the names in the annotations of its functions."""
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.ClassDef):
            yield node.name
        if isinstance(node, ast.FunctionDef):
            annotations = (node.returns, *(each.annotation for each in (*node.args.args, *node.args.kwonlyargs)))
            for each in filter(None, annotations):
                yield from (name.id for name in ast.walk(each) if isinstance(name, ast.Name))


def test_the_page_documents_what_hooks_and_ports_hand_over() -> None:
    named = {*names_of(hookspecs), *names_of(ports)} & set(relationship_core.__all__)
    public = {name for name in named if isinstance(getattr(relationship_core, name), type)}
    page = PAGE.read_text(encoding="utf-8")
    shown = set(re.findall(r"^\.\. autoclass:: relationship_core\.(\w+)$", page, re.MULTILINE))
    assert public - shown == {"Clock"}  # which a program hands in, and no plugin


def test_every_hook_is_documented_as_it_is() -> None:
    assert undocumented(PAGE.read_text(encoding="utf-8"), HOOKS) == []


def test_the_page_documents_no_other_hook() -> None:
    headings = re.findall(r"^### (\S+)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert sorted(headings) == sorted(HOOKS)


def test_every_function_of_the_page_of_hooks_is_a_hook_with_a_docstring() -> None:
    functions = {name for name, value in vars(hookspecs).items() if inspect.isfunction(value)}
    assert functions == set(HOOKS)
    assert all(inspect.getdoc(hook) for hook in HOOKS.values())


def added(a_hook: int) -> None:
    """Is new."""


def changed() -> Sequence[int]:
    """Storage backends, for ``[store] use = "name"``."""
    return ()


changed.__name__ = "relationship_stores"


@pytest.mark.parametrize(("name", "hook"), [("relationship_new", added), ("relationship_stores", changed)])
def test_a_new_hook_and_a_changed_one_are_found(name: str, hook: Callable[..., object]) -> None:
    assert undocumented(PAGE.read_text(encoding="utf-8"), {**HOOKS, name: hook}) == [name]


def test_the_example_on_the_page_works() -> None:
    (example, *_) = re.findall(r"```python\n(from .*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    plugin = type(inspect)("bakery")
    exec(example, vars(plugin))  # noqa: S102  what the page tells people to write
    assert "tasting" in load_plugins(extra=[plugin]).kinds


# Each hook at work

NOW = datetime(2017, 3, 1, 9, tzinfo=UTC)


class Deaf:
    """A receiver that takes nothing."""

    def receive(self, request: RawRequest) -> Refusal:
        return Refusal(status=400, reason=f"{request.method} is not understood")

    def close(self) -> None:
        """Nothing is held."""


class Toy:
    """A plugin that implements every hook."""

    def __init__(self) -> None:
        self.heard: dict[str, object] = {}

    @hookimpl
    def relationship_stores(self) -> Sequence[Provider[MemoryStore]]:
        return (
            Provider(name="toy", factory=lambda _settings: MemoryStore(), settings=MemorySettings, summary="A test."),
        )

    @hookimpl
    def relationship_channels(self) -> Sequence[Provider[NullChannel]]:
        return (Provider(name="toy", factory=NullChannel, settings=NullSettings, summary="A test."),)

    @hookimpl
    def relationship_receivers(self) -> Sequence[Provider[Deaf]]:
        return (Provider(name="toy", factory=lambda _settings: Deaf(), settings=NullSettings, summary="A test."),)

    @hookimpl
    def relationship_renderers(self) -> Sequence[Provider[LiquidRenderer]]:
        return (Provider(name="toy", factory=LiquidRenderer, settings=LiquidSettings, summary="A test."),)

    @hookimpl
    def relationship_executors(self) -> Sequence[Provider[InProcess]]:
        return (
            Provider(name="toy", factory=lambda _settings: InProcess(), settings=InProcessSettings, summary="A test."),
        )

    @hookimpl
    def relationship_interaction_kinds(self) -> Sequence[InteractionKind]:
        return (InteractionKind(name="toy", direction="inbound", summary="A test."),)

    @hookimpl
    def relationship_import_presets(self) -> Sequence[Preset]:
        part = PresetPart(name="toys", what="customers", columns={"customer": "Child"})
        return (Preset(name="toy", summary="A test.", parts=(part,)),)

    @hookimpl
    def relationship_parameters(self) -> Sequence[Parameter]:
        return (Parameter(name="toy_days", value=40.0),)

    @hookimpl
    def relationship_measures(self) -> Sequence[Measure]:
        return (Measure(name="toys", kinds=("toy",), combine="count"),)

    @hookimpl
    def relationship_scores(self, parameters: Mapping[str, float]) -> Sequence[ScoringRule]:
        self.heard["parameters"] = parameters
        return (ScoringRule(name="fun", value=pl.lit(1.0), confidence=pl.lit(1.0)),)

    @hookimpl
    def relationship_ladders(self) -> Sequence[Ladder]:
        return (Ladder(name="toy", stages=(Stage(name="everybody"),)),)

    @hookimpl
    def relationship_policies(self) -> Sequence[Policy]:
        return (Policy(name="toy", refuses=pl.lit(value=False)),)

    @hookimpl
    def relationship_calibrations(self) -> Sequence[Calibration]:
        return (Calibration(name="toy", parameters=("toy_days",), needs=("orders",), fit=lambda _customers: {}),)

    @hookimpl
    def relationship_recorded(self, interactions: Sequence[Interaction]) -> None:
        self.heard["recorded"] = interactions

    @hookimpl
    def relationship_stage_changed(self, transitions: Sequence[Transition]) -> None:
        self.heard["stage_changed"] = transitions

    @hookimpl
    def relationship_delivered(self, receipts: Sequence[Receipt]) -> None:
        self.heard["delivered"] = receipts

    @hookimpl
    def relationship_commands(self, cli: click.Group) -> None:
        cli.add_command(click.Command("play"))


@pytest.fixture
def toy() -> Toy:
    return Toy()


@pytest.fixture
def plugins(toy: Toy) -> Plugins:
    return load_plugins(extra=[toy])


def test_the_toy_implements_every_hook(plugins: Plugins) -> None:
    (found,) = (plugin for plugin in plugins.installed if plugin.name == "Toy")
    assert set(found.hooks) == set(HOOKS)


def test_what_is_declared_is_there_by_name(plugins: Plugins) -> None:
    assert isinstance(plugins.make(plugins.stores["toy"], MemorySettings(), "[store]"), MemoryStore)
    assert isinstance(plugins.make(plugins.channels["toy"], NullSettings(), "[channels.x]"), NullChannel)
    assert isinstance(plugins.make(plugins.receivers["toy"], NullSettings(), "[receivers.x]"), Deaf)
    assert isinstance(plugins.make(plugins.renderers["toy"], LiquidSettings(), "[renderer]"), LiquidRenderer)
    assert isinstance(plugins.make(plugins.executors["toy"], InProcessSettings(), "[executor]"), InProcess)
    assert plugins.kinds["toy"].direction == "inbound"
    assert plugins.presets["toy"].parts[0].what == "customers"
    assert plugins.parameters["toy_days"].value == 40.0
    (toy,) = [each for each in plugins.calibrations.values() if each.name == "toy"]
    assert isinstance(toy, Calibration)
    assert toy.parameters == ("toy_days",)
    assert plugins.ladder("toy").names == ("everybody",)
    assert "toys" in {measure.name for measure in plugins.measures}
    assert "fun" in {rule.name for rule in plugins.scores}
    assert "toy" in {policy.name for policy in plugins.policies}
    assert {"toys": "measure", "fun": "score", "fun_confidence": "score"}.items() <= plugins.columns.items()


def test_declaring_hooks_are_handed_the_values_of_parameters(plugins: Plugins, toy: Toy) -> None:
    assert "fun" in {rule.name for rule in plugins.scores}
    given = toy.heard["parameters"]
    assert given == {name: each.value for name, each in plugins.parameters.items()}
    with pytest.raises(TypeError):
        given["toy_days"] = 30.0


def test_what_happened_is_announced_as_tuples(plugins: Plugins, toy: Toy) -> None:
    interaction = Interaction(source="shop", id="1", customer="c1", kind="toy", at=NOW)
    transition = Transition(customer="c1", at=NOW, origin="prospect", target="customer")
    receipt = Receipt(message="1", state="accepted")
    plugins.recorded([interaction])
    plugins.stage_changed([transition])
    plugins.delivered([receipt])
    assert toy.heard == {"recorded": (interaction,), "stage_changed": (transition,), "delivered": (receipt,)}
    assert all(plugins.listens(f"relationship_{name}") for name in toy.heard)


def test_a_command_is_added(plugins: Plugins) -> None:
    cli = click.Group()
    plugins.commands(cli)
    assert "play" in cli.commands
