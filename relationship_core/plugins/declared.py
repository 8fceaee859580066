"""What plugins declare: each record with its plugin, checked, and no name twice."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from attrs import frozen

from relationship_core.errors import ConfigurationError
from relationship_core.plugins.sources import Source

if TYPE_CHECKING:
    from relationship_core.declarations import CaseMeasure, KeyedMeasure, Measure, Policy, ScoringRule
    from relationship_core.model.interaction import InteractionKind
    from relationship_core.model.relationship import Ladder
    from relationship_core.parameters import Calibration, Parameter, TableCalibration
    from relationship_core.presets import Preset
    from relationship_core.providers import Provider

Record: TypeAlias = (
    "Provider[object] | InteractionKind | Policy | Parameter | Measure | KeyedMeasure | CaseMeasure | ScoringRule | "
    "Ladder | Calibration | TableCalibration | Preset"
)

FIRST: Mapping[str, str] = MappingProxyType({"relationship_stores": "store", "relationship_parameters": "parameter"})
"""The declaring hooks that must be asked before a store is open, each with the word for what it returns."""

LATER: Mapping[str, str] = MappingProxyType(
    {
        "relationship_channels": "channel",
        "relationship_receivers": "receiver",
        "relationship_renderers": "renderer",
        "relationship_executors": "executor",
        "relationship_interaction_kinds": "interaction kind",
        "relationship_import_presets": "import preset",
        "relationship_measures": "measure",
        "relationship_scores": "score",
        "relationship_ladders": "ladder",
        "relationship_policies": "policy",
        "relationship_calibrations": "calibration",
    }
)
"""Those that are asked when the values of parameters are known, some of which lie in the store."""

DECLARING: Mapping[str, str] = MappingProxyType({**FIRST, **LATER})
"""The declaring hooks, each with the word for what it returns."""


def _classes(hook: str) -> tuple[type, ...]:
    """What a declaring hook returns."""
    # Imported when something is declared, and not for the commands that `relate --help` asks for.
    from relationship_core import declarations, parameters
    from relationship_core.model.interaction import InteractionKind
    from relationship_core.model.relationship import Ladder
    from relationship_core.presets import Preset
    from relationship_core.providers import Provider

    classes: Mapping[str, tuple[type, ...]] = {
        "relationship_interaction_kinds": (InteractionKind,),
        "relationship_import_presets": (Preset,),
        "relationship_measures": (declarations.Measure, declarations.KeyedMeasure, declarations.CaseMeasure),
        "relationship_scores": (declarations.ScoringRule,),
        "relationship_ladders": (Ladder,),
        "relationship_policies": (declarations.Policy,),
        "relationship_parameters": (parameters.Parameter,),
        "relationship_calibrations": (parameters.Calibration, parameters.TableCalibration),
    }
    return classes.get(hook, (Provider,))


@frozen(kw_only=True, eq=False)
class Declared:
    """One record, by whom and through which hook."""

    source: Source
    hook: str
    record: Record

    @property
    def word(self) -> str:
        """What people call it."""
        return DECLARING[self.hook]

    @cached_property
    def names(self) -> tuple[tuple[str, str, str], ...]:
        """Every name that it takes: where it must be unique, the name, and what has it."""
        return tuple(_names_taken(self))


def checked(returned: object, hook: str) -> Iterable[Record]:
    """The records that a hook returned.

    Raises:
        ConfigurationError: it returned something else.
    """
    word, classes = DECLARING[hook], _classes(hook)
    expected = " or ".join(each.__name__ for each in classes)
    if inspect.iscoroutine(returned):
        returned.close()
    if not isinstance(returned, (tuple, list)):
        message = f"its {hook} returned {type(returned).__name__}; it must return a tuple of {expected}"
        raise ConfigurationError(message)
    for record in returned:
        if not isinstance(record, classes):
            message = f"its {hook} returned a {word} of type {type(record).__name__}; it must be {expected}"
            raise ConfigurationError(message)
    return tuple(returned)


def _names_taken(declared: Declared) -> Iterator[tuple[str, str, str]]:
    from relationship_core.declarations import CaseMeasure, KeyedMeasure, Measure, ScoringRule
    from relationship_core.parameters import Calibration

    record = declared.record
    if isinstance(record, ScoringRule):
        yield "column", record.name, "score"
        yield "column", f"{record.name}_confidence", "score"
        return
    yield declared.word, record.name, declared.word
    if isinstance(record, Calibration):
        for name in record.parameters:
            yield "fit", name, "fit of the parameter"
    if isinstance(record, Measure):
        yield "column", record.name, "measure"
    if isinstance(record, CaseMeasure):
        for keyed in record.keyed:
            yield "measure", keyed.name, "measure"
    if isinstance(record, (Measure, KeyedMeasure, CaseMeasure)):
        for feature in record.features:
            yield "column", feature.name, "feature"


def refuse_clashes(found: Iterable[Declared]) -> None:
    """Two declarations must not take one name.

    Raises:
        ConfigurationError: they do; the message names both distributions.
    """
    taken: dict[tuple[str, str], tuple[str, Source]] = {}
    for declared in found:
        for space, name, word in declared.names:
            if (space, name) in taken:
                raise ConfigurationError(_clash(name, taken[space, name], (word, declared.source)))
            taken[space, name] = (word, declared.source)


def _clash(name: str, first: tuple[str, Source], second: tuple[str, Source]) -> str:
    (word, source), (other_word, other) = first, second
    what = word if word == other_word else f"{word} and {other_word}"
    if source is other:
        return f"it declares the {what} {name!r} twice"
    by = " and ".join(f"the plugin {each.name} of {each.owner}" for each in (source, other))
    return f"the {what} {name!r} is declared by {by}; uninstall one, or name its plugin in [plugins] disabled"


def provided(found: Iterable[Declared]) -> Mapping[str, tuple[str, ...]]:
    """The names declared, by the word for them."""
    names: dict[str, list[str]] = {}
    for declared in found:
        names.setdefault(declared.word, []).append(declared.record.name)
    return MappingProxyType({word: tuple(each) for word, each in names.items()})


def source_of(record: object, declared: Iterable[Declared]) -> Source | None:
    """Which plugin declared a record, if one of these did."""
    return next((each.source for each in declared if each.record is record), None)
