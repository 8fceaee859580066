"""The catalog: every column that a condition, a score or a template may name, and what it rests on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeAlias

import polars as pl
from attrs import field, frozen

from relationship_core.config.contact import PreferenceSettings
from relationship_core.declarations import (
    CaseMeasure,
    Feature,
    KeyedMeasure,
    Measure,
    ScoringRule,
    Unit,
    motion_of_feature,
    next_change_column,
)
from relationship_core.errors import ConfigurationError, nearest
from relationship_core.flow.expressions import text_of
from relationship_core.model.relationship import Ladder
from relationship_core.motions import Bounded, Halving, Linear, Motion, Still, next_change_of
from relationship_core.table import INSTANT

if TYPE_CHECKING:
    from relationship_core.config import Settings
    from relationship_core.plugins import Plugins

Origin: TypeAlias = Literal[
    "run", "customer", "account", "attribute", "permission", "state", "measure", "feature", "keyed feature", "score"
]

MOMENT_COLUMNS = frozenset({"today", "next_day", "next_month", "next_year"})
"""Columns that expressions may read beside those of the catalog; conditions may not."""
NEXT_CHANGE = next_change_column("")
CONFIDENCE = "_confidence"
"""What the names of columns end with that stand beside a feature or a score."""

_ATTRIBUTE_TYPES: Mapping[str, pl.DataType] = {
    "text": pl.String(),
    "number": pl.Float64(),
    "boolean": pl.Boolean(),
}
_TYPES: Mapping[str, pl.DataType] = {
    "number": pl.Float64(),
    "instant": INSTANT,
    "date": pl.Date(),
    "text": pl.String(),
}


@frozen(kw_only=True)
class Column:
    """One column of a customer's standing.

    Attributes:
        name: what conditions call it.
        dtype: its polars type.
        origin: where it comes from.
        motion: how it moves without news.
        needs: the columns it is computed from.
        unit: as the declaration says.
        summary: one line for people.
    """

    name: str
    dtype: pl.DataType
    origin: Origin
    motion: Motion
    needs: frozenset[str] = frozenset()
    unit: Unit = ""
    summary: str = ""


@frozen(kw_only=True)
class Catalog:
    """Everything declared, by name.

    Attributes:
        columns: every column, by name.
        measures: the plain and keyed measures, in order of declaration; those of cases among them, part by part.
        cases: the case measures.
        scores: the scoring rules, each after those that it needs.
        ladder: the project's ladder.
        account_ladder: that of accounts, with the same stages; None where accounts have the same one.
        preference: what is assumed of wishes.
        parameters: the values that all of this was declared with, by name.
        tables: the fitted tables that it was declared with, by name.
    """

    columns: Mapping[str, Column]
    measures: tuple[Measure | KeyedMeasure, ...]
    cases: tuple[CaseMeasure, ...]
    scores: tuple[ScoringRule, ...]
    ladder: Ladder
    account_ladder: Ladder | None = None
    preference: PreferenceSettings = field(factory=PreferenceSettings)
    parameters: Mapping[str, float] = MappingProxyType({})
    tables: Mapping[str, pl.DataFrame] = MappingProxyType({})

    @cached_property
    def types(self) -> Mapping[str, pl.DataType]:
        """The columns that conditions may name, with their types."""
        types = {name: column.dtype for name, column in self.columns.items() if not name.endswith(NEXT_CHANGE)}
        return MappingProxyType(types)

    @cached_property
    def absent(self) -> Mapping[str, str]:
        """Columns that are not there for want of an attribute, and what brings them."""
        features = [feature for feature in _features(self.measures) if feature.name not in self.columns]
        absent = {each.name: " and ".join(map(as_text, each.attributes)) for each in features if each.attributes}
        return MappingProxyType(absent)

    @cached_property
    def motions(self) -> Mapping[str, Motion]:
        """How every column moves without news."""
        return MappingProxyType({name: column.motion for name, column in self.columns.items()})

    def closure(self, names: Iterable[str]) -> frozenset[str]:
        """The named columns and all that they are computed from, but for those that every moment has."""
        found: set[str] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name not in found and name not in MOMENT_COLUMNS:
                found.add(name)
                waiting.extend(self.columns[name].needs)
        return frozenset(found)

    def signature(self) -> str:
        """A hash that changes whenever a definition changes what a review would find."""
        return self._signature

    @cached_property
    def _signature(self) -> str:
        parts = [repr(self.ladder), repr(self.account_ladder), repr(self.preference.ask_again_days)]
        for rule in self.scores:
            motions = f"{_motion_text(rule.motion)} / {_motion_text(rule.confidence_motion)}"
            labels = " ".join(rule.labels)
            parts.append(f"{rule.name}: {_computation(rule)} / {text_of(rule.confidence)} / {motions} / {labels}")
        parts.extend(
            f"{feature.name}: {_computation(feature)} / {feature.absent} / {_motion_text(feature.motion)}"
            for feature in _features([*self.measures, *self.cases])
        )
        # A function may read a parameter or a table, and its text does not say which.
        parts.extend(f"{name}: {value!r}" for name, value in sorted(self.parameters.items()))
        parts.extend(f"{name}: {table.write_json()}" for name, table in sorted(self.tables.items()))
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def make_catalog(settings: Settings, plugins: Plugins) -> Catalog:
    """Bring the declarations of the plugins and the configuration together.

    Raises:
        ConfigurationError: two columns share a name, an attribute that a feature reads is no text, the ladder is
            unknown, or scores need each other in a circle.
    """
    ladder = plugins.ladder(settings.ladder.use)
    _refuse_unknown_stages(settings, ladder)
    scores = _in_order(plugins.scores)
    columns: dict[str, Column] = {}
    for column in _all_columns(settings, plugins, ladder, scores):
        if column.name in columns:
            message = (
                f"the {column.origin} {column.name!r} and the {columns[column.name].origin} of that name clash; "
                "rename one of them, since conditions know both by name alone"
            )
            raise ConfigurationError(message)
        columns[column.name] = column
    catalog = Catalog(
        columns=columns,
        measures=_kept(plugins.measures),
        cases=tuple(measure for measure in plugins.measures if isinstance(measure, CaseMeasure)),
        scores=scores,
        ladder=ladder,
        account_ladder=_account_ladder(settings, plugins, ladder),
        preference=settings.preference,
        parameters=plugins.values,
        tables=plugins.tables,
    )
    _refuse_unknown_needs(catalog)
    return catalog


def _account_ladder(settings: Settings, plugins: Plugins, ladder: Ladder) -> Ladder | None:
    """The ladder of accounts, if it is another one.

    Raises:
        ConfigurationError: there is none of that name, or its stages are others.
    """
    name = settings.ladder.accounts
    if name in {"", ladder.name}:
        return None
    theirs = plugins.find(plugins.ladders, name, "[ladder] accounts")
    if theirs.names != ladder.names:
        message = (
            f"[ladder] accounts: the ladder {theirs.name!r} has the stages {', '.join(theirs.names)}, and "
            f"{ladder.name!r} has {', '.join(ladder.names)}; both need the same ones, in the same order"
        )
        raise ConfigurationError(message)
    return theirs


def _kept(measures: Iterable[Measure | KeyedMeasure | CaseMeasure]) -> tuple[Measure | KeyedMeasure, ...]:
    """The measures as a store keeps them."""
    kept: list[Measure | KeyedMeasure] = []
    for measure in measures:
        kept.extend(measure.keyed if isinstance(measure, CaseMeasure) else [measure])
    return tuple(kept)


def _all_columns(
    settings: Settings, plugins: Plugins, ladder: Ladder, scores: tuple[ScoringRule, ...]
) -> Iterator[Column]:
    yield from _base_columns(ladder)
    for name, kind in settings.attributes.items():
        yield Column(name=name, dtype=_ATTRIBUTE_TYPES[kind], origin="attribute", motion=Still())
    for measure in plugins.measures:
        yield from _measure_columns(measure, settings.attributes)
    for rule in scores:
        yield from _score_columns(rule)


def _base_columns(ladder: Ladder) -> Iterator[Column]:
    """What every project has, whatever is declared."""
    text, number, truth = pl.String(), pl.Float64(), pl.Boolean()
    stages = pl.Enum(list(ladder.names))
    rows: tuple[tuple[str, pl.DataType, Origin, Motion, str], ...] = (
        ("now", INSTANT, "run", Linear(), "The run's instant."),
        ("customer", text, "customer", Still(), "The customer's id."),
        ("locale", text, "customer", Still(), "Language tag."),
        ("zone", text, "customer", Still(), "IANA time zone."),
        ("country", text, "customer", Still(), "ISO country code."),
        ("account", truth, "account", Still(), "Whether it is an account: a firm with contacts."),
        ("contacts", number, "account", Still(), "How many contacts an account has; null for people."),
        ("stage", stages, "state", Still(), "Stage on the ladder."),
        ("stage_days", number, "state", Linear(), "Days since the last move; null before the first."),
        ("lapsed", truth, "state", Still(), "Whether the lapsed mark is set."),
        ("preference", text, "permission", Still(), "The relationship they want: unasked, or a wish."),
        ("preference_ask_at", INSTANT, "permission", Still(), "When they may be asked for it; null for now."),
    )
    for name, dtype, origin, motion, summary in rows:
        yield Column(name=name, dtype=dtype, origin=origin, motion=motion, summary=summary)


def _measure_columns(measure: Measure | KeyedMeasure | CaseMeasure, attributes: Mapping[str, str]) -> Iterator[Column]:
    if not isinstance(measure, Measure):
        yield from _keyed_columns(measure.features)
        return
    yield Column(
        name=measure.name,
        dtype=_TYPES[measure.type],
        origin="measure",
        motion=measure.motion,
        unit=measure.unit,
        summary=measure.summary,
    )
    for feature in measure.features:
        _refuse_other_types(feature, attributes)
        if not attributes.keys() >= set(feature.attributes):
            continue
        needs = frozenset({measure.name, "now", *_names(feature.value)})
        yield _feature_column(feature, "feature", feature.motion, needs)


def _refuse_other_types(feature: Feature, attributes: Mapping[str, str]) -> None:
    for name in feature.attributes:
        kind = attributes.get(name, "text")
        if kind != "text":
            message = f"the attribute {name!r}, which the feature {feature.name!r} reads, is configured as {kind}; "
            raise ConfigurationError(message + as_text(name))


def as_text(attribute: str) -> str:
    """What to do about an attribute that a feature reads."""
    return f'set [attributes] {attribute} = "text"'


def _keyed_columns(features: Iterable[Feature]) -> Iterator[Column]:
    """Computed while the keys are read, so they need no column; when one may jump is a column beside it."""
    for feature in features:
        yield _feature_column(feature, "keyed feature", motion_of_feature(feature))
        if next_change_of(feature.motion) is not None:
            yield Column(name=next_change_column(feature.name), dtype=INSTANT, origin="keyed feature", motion=Still())


def _feature_column(feature: Feature, origin: Origin, motion: Motion, needs: frozenset[str] = frozenset()) -> Column:
    return Column(
        name=feature.name,
        dtype=_TYPES[feature.type],
        origin=origin,
        motion=motion,
        needs=needs,
        unit=feature.unit,
        summary=feature.summary,
    )


def _score_columns(rule: ScoringRule) -> Iterator[Column]:
    value_needs = frozenset(_names(rule.value)) | frozenset(rule.needs)
    yield Column(
        name=rule.name,
        dtype=pl.Enum(list(rule.labels)) if rule.labels else pl.Float64(),
        origin="score",
        motion=rule.motion,
        needs=value_needs,
        summary=rule.summary,
    )
    yield Column(
        name=rule.name + CONFIDENCE,
        dtype=pl.Float64(),
        origin="score",
        motion=rule.confidence_motion,
        needs=frozenset(_names(rule.confidence)),
        summary=f"Confidence of {rule.name}, 0 to 1.",
    )


def _names(value: object) -> list[str]:
    return value.meta.root_names() if isinstance(value, pl.Expr) else []


def motion_names(motion: Motion) -> frozenset[str]:
    """The columns that a motion's own expression reads."""
    return frozenset(name for pace in _paces(motion) for name in _names(pace))


def _computation(rule: ScoringRule | Feature) -> str:
    """What tells how a rule or a feature computes; a function's own text holds its address."""
    return text_of(rule.value) if isinstance(rule.value, pl.Expr) else getattr(rule.value, "__qualname__", "")


def _motion_text(motion: Motion) -> str:
    """What tells one motion from another; an expression's own repr holds its address."""
    return " ".join([type(motion).__name__, *map(text_of, _paces(motion))])


def _paces(motion: Motion) -> tuple[float | pl.Expr | None, ...]:
    """The numbers and expressions that say how a motion goes."""
    match motion:
        case Linear(per_day=pace):
            return (pace,)
        case Halving(days=pace) | Bounded(per_day=pace):
            return (pace, next_change_of(motion))
        case _:
            return (next_change_of(motion),)


def _features(measures: Iterable[Measure | KeyedMeasure | CaseMeasure]) -> Iterator[Feature]:
    for measure in measures:
        yield from measure.features


def _in_order(rules: Iterable[ScoringRule]) -> tuple[ScoringRule, ...]:
    """The rules, each after those whose columns it reads."""
    waiting = {rule.name: rule for rule in rules}
    ordered: list[ScoringRule] = []
    while waiting:
        ready = [rule for rule in waiting.values() if not _unmet(rule, waiting)]
        if not ready:
            message = f"the scores {', '.join(sorted(waiting))} need each other in a circle; break it in one of them"
            raise ConfigurationError(message)
        ordered.extend(waiting.pop(rule.name) for rule in ready)
    return tuple(ordered)


def _unmet(rule: ScoringRule, waiting: Mapping[str, ScoringRule]) -> bool:
    needs = {*_names(rule.value), *_names(rule.confidence), *rule.needs}
    others = set(waiting) - {rule.name}
    return bool(needs & (others | {name + CONFIDENCE for name in others}))


def _refuse_unknown_needs(catalog: Catalog) -> None:
    known = {*catalog.columns, *MOMENT_COLUMNS}
    for column in catalog.columns.values():
        missing = sorted(column.needs - known)
        if missing:
            message = f"the {column.origin} {column.name!r} reads {missing[0]!r}, which nothing declares"
            raise ConfigurationError(message)


def _refuse_unknown_stages(settings: Settings, ladder: Ladder) -> None:
    for stage in sorted(settings.minimum_interval_days.keys() - {"default", *ladder.names}):
        message = (
            f"[minimum_interval_days]: the ladder {ladder.name!r} has no stage {stage!r}"
            f"{nearest(stage, ladder.names)}; it has {', '.join(ladder.names)}"
        )
        raise ConfigurationError(message)
