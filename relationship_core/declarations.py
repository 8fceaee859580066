"""What a plugin declares about customers: measures, scoring rules and policies.

The hooks hand over these records; the core folds, computes and decides with them.
Expressions are polars expressions over named columns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast, get_args

from attrs import field, frozen, validators

from relationship_core.errors import WrongArgumentError, nearest
from relationship_core.model.interaction import Nature
from relationship_core.model.texts import identifier
from relationship_core.model.validation import declared, listed, texts
from relationship_core.model.words import Purpose
from relationship_core.motions import Daily, Halving, Motion, Still, expression, is_expression, jumping_at

if TYPE_CHECKING:
    import polars as pl
    from attrs import Attribute

Combine: TypeAlias = Literal["sum", "count", "min", "max"]
"""How two numbers of one measure become one; every one of them is associative and commutative."""

Unit: TypeAlias = Literal["", "money"]
"""What a number counts, where people are shown more than the number."""

KeyColumn: TypeAlias = Literal["day", "category", "product", "category_day", "reference", "cause", "topic", "contact"]

CaseKey: TypeAlias = Literal["day", "reference", "cause", "topic"]
"""What may tell one case from another."""

_TAKEN = ("customer", "key", "on", "now", "today", "next_day", "next_month", "next_year")

SHORTEST_HALF_LIFE_DAYS = 30.0
"""Shorter half-lives would overflow a forward-decayed sum within a century."""


def _rule(owner: object, attribute: Attribute[Any], value: Any) -> None:
    if not is_expression(value) and not callable(value):
        raise declared.wrong(owner, attribute, "a polars expression or a function", value, fits=False)


def _motion(owner: object, attribute: Attribute[Any], value: Any) -> None:
    if not isinstance(value, get_args(Motion)):
        names = ", ".join(each.__name__ for each in get_args(Motion))
        raise declared.wrong(owner, attribute, f"one of {names}", value, fits=False)


@frozen(kw_only=True)
class Feature:
    """One column computed from a measure as of ``now``.

    Attributes:
        name: unique; a column in conditions and scoring rules.
        value: of a plain measure: an expression over the measure's own column, other plain measures, features of
            keyed and case measures, and ``now`` (instant). Of a keyed measure: an aggregation over the customer's rows
            with the columns ``key``, ``value`` (its combined number), ``now``, ``next_day`` (the next project-local
            midnight) and ``today`` (project-local date); for the key ``day`` also ``on`` (date). For the key
            ``category_day`` there is a row for each category, ``key``, with the ``value`` of all its days together,
            ``days`` (how many), ``first_on`` and ``last_on`` (dates), and ``last_value``, that of the last day. Of a
            case measure: an aggregation over the customer's cases with a column for each part in place of ``value``;
            null where a case has nothing of that part. What compares the customer's keys with a fitted table is, for
            a keyed measure, a function: from these rows of many customers, with the column ``customer``, to a frame
            with the columns ``customer``, each at most once, and ``value``; whoever is not there has null.
        motion: how it moves without news.
        type: ``number``, ``instant``, ``date`` or ``text``.
        absent: a number's value for a customer without any key; None for null.
        unit: ``money`` for minor units of the project's currency, which people are shown as money; else empty.
        attributes: attributes of customers, of type text, that the value of a plain measure reads beside that; a
            project that does not configure them has no such column.
        summary: one line for people.
    """

    name: str = field(validator=identifier)
    value: pl.Expr | Callable[[pl.DataFrame], pl.DataFrame] = field(validator=_rule)
    motion: Motion = field(factory=Still, validator=_motion)
    type: Literal["number", "instant", "date", "text"] = field(
        default="number", validator=declared.one_of(("number", "instant", "date", "text"))
    )
    absent: float | None = field(default=None, validator=validators.optional(declared.number()))
    unit: Unit = field(default="", validator=declared.one_of(get_args(Unit)))
    attributes: tuple[str, ...] = field(default=(), converter=texts, validator=declared.each(str))
    summary: str = field(default="", validator=declared.text)


def _features(values: Iterable[Feature]) -> tuple[Feature, ...]:
    return cast("tuple[Feature, ...]", listed(values))


def _refuse_functions(measure: str, features: Iterable[Feature]) -> None:
    """Only the rows of keyed measures are handed to functions."""
    for feature in features:
        if not is_expression(feature.value):
            message = (
                f"the feature {feature.name!r} of the measure {measure!r} is a function, which only keyed measures "
                "can have; give it a polars expression"
            )
            raise WrongArgumentError(message)


def _purposes(values: Iterable[Purpose]) -> tuple[Purpose, ...]:
    return cast("tuple[Purpose, ...]", listed(values))


def _natures(values: Iterable[Nature]) -> tuple[Nature, ...]:
    return cast("tuple[Nature, ...]", listed(values))


@frozen(kw_only=True)
class Measure:
    """A number or an instant about one customer, kept up to date interaction by interaction.

    Expressions see the columns ``customer, source, id, kind, at, day`` (project-local date as text),
    ``amount`` (minor units), ``reference`` and ``data`` (JSON text) of one interaction. They may also name ``due``,
    ``until`` and ``by``: the instant that the data hold under that name, or the end of the project-local day where
    they hold a date.

    Attributes:
        name: unique; a column in conditions and scoring rules.
        kinds: the interaction kinds it counts; empty for all.
        combine: how contributions add up.
        value: what one interaction contributes; null contributes nothing. None means 1 for ``count``
            and ``sum``, the instant ``at`` for ``min`` and ``max``.
        type: ``number``, or ``instant`` for a measure that holds an instant.
        half_life_days: for ``sum`` and ``count``: contributions lose half their weight in this many days
            (at least 30); scoring rules see the value as of ``now``. None: no decay.
        features: the columns computed from it in review.
        unit: ``money`` for minor units of the project's currency, which people are shown as money; else empty.
        summary: one line for people.
    """

    name: str = field(validator=identifier)
    kinds: tuple[str, ...] = field(default=(), converter=texts, validator=declared.each(str))
    combine: Combine = field(validator=declared.one_of(get_args(Combine)))
    value: pl.Expr | None = field(default=None, validator=validators.optional(expression))
    type: Literal["number", "instant"] = field(default="number", validator=declared.one_of(("number", "instant")))
    half_life_days: float | None = field(
        default=None, validator=validators.optional(declared.number(SHORTEST_HALF_LIFE_DAYS))
    )
    features: tuple[Feature, ...] = field(default=(), converter=_features, validator=declared.each(Feature))
    unit: Unit = field(default="", validator=declared.one_of(get_args(Unit)))
    summary: str = field(default="", validator=declared.text)

    def __attrs_post_init__(self) -> None:
        """Refuse a decay of what does not add up."""
        if self.half_life_days is not None and self.combine not in {"sum", "count"}:
            message = f"the measure {self.name!r} has a half-life, which only sums and counts can have"
            raise WrongArgumentError(message)
        _refuse_functions(self.name, self.features)

    @property
    def motion(self) -> Motion:
        """Halving where it decays, else still."""
        return Still() if self.half_life_days is None else Halving(days=self.half_life_days)


@frozen(kw_only=True)
class KeyedMeasure:
    """A number for each key of one customer: a day, a category, a product, a reference, a contact.

    Attributes:
        name: unique among measures.
        kinds: the interaction kinds it counts; empty for all.
        key: the column that gives the key; ``category`` and ``product`` count each order line, ``category_day`` does
            so on each project-local day, ``cause`` and ``topic`` are those of the data, ``contact`` what an account's
            present contacts did, each under their id.
        combine: how contributions to one key add up.
        value: as in Measure, and for order lines also ``quantity`` and ``minor``. None means 1.
        features: the columns computed from it in review.
        part_of: the case measure that it is a part of, and which then has the features; empty for one by itself.
        summary: one line for people.
    """

    name: str = field(validator=identifier)
    kinds: tuple[str, ...] = field(default=(), converter=texts, validator=declared.each(str))
    key: KeyColumn = field(validator=declared.one_of(get_args(KeyColumn)))
    combine: Combine = field(default="count", validator=declared.one_of(get_args(Combine)))
    value: pl.Expr | None = field(default=None, validator=validators.optional(expression))
    features: tuple[Feature, ...] = field(default=(), converter=_features, validator=declared.each(Feature))
    part_of: str = field(default="", validator=declared.text)
    summary: str = field(default="", validator=declared.text)

    def __attrs_post_init__(self) -> None:
        """Refuse what nobody could see."""
        if not self.features and not self.part_of:
            message = "KeyedMeasure.features must hold at least one Feature"
            raise WrongArgumentError(message)


@frozen(kw_only=True)
class Part:
    """One of the numbers or instants that a case is made of.

    Attributes:
        name: unique within its case measure; a column for the features.
        kinds: the interaction kinds it is taken from.
        combine: how contributions to one case add up.
        value: as in KeyedMeasure. None means the instant ``at`` of an instant, and 1 of a number.
        type: ``instant`` or ``number``. An instant is combined by ``min`` or ``max``.
    """

    name: str = field(validator=identifier)
    kinds: tuple[str, ...] = field(converter=texts, validator=declared.each(str, least=1))
    combine: Combine = field(default="min", validator=declared.one_of(get_args(Combine)))
    value: pl.Expr | None = field(default=None, validator=validators.optional(expression))
    type: Literal["number", "instant"] = field(default="instant", validator=declared.one_of(("number", "instant")))

    def __attrs_post_init__(self) -> None:
        """Refuse a sum of instants."""
        if self.type == "instant" and self.combine not in {"min", "max"}:
            message = f"the part {self.name!r} holds instants, which are combined by min or max, not by {self.combine}"
            raise WrongArgumentError(message)

    def contribution(self) -> pl.Expr | None:
        """What one interaction contributes, as a number: an instant as microseconds since 1970."""
        import polars as pl

        if self.type == "number":
            return self.value
        at = pl.col("at") if self.value is None else self.value
        return at.cast(pl.Datetime("us", "UTC")).cast(pl.Int64)


def _parts(values: Iterable[Part]) -> tuple[Part, ...]:
    return cast("tuple[Part, ...]", listed(values))


@frozen(kw_only=True)
class CaseMeasure:
    """Numbers and instants of several kinds of interaction about one thing: a complaint, a promise, an item.

    What belongs together has one key, mostly the ``reference``, and pairs in any order of arrival. It is kept as one
    keyed measure for each part, ``<name>__<part>``.

    Attributes:
        name: unique among measures.
        key: the column that gives the key; as in KeyedMeasure, but for those of order lines.
        parts: what a case is made of; their names are columns for the features, and so is ``key``.
        features: the columns computed from it in review, each an aggregation over the customer's cases.
        opened: the part, an instant, that begins a case. With it the cases are listed on the customer's page.
        due: the part, an instant, by which a case is to be settled; empty where nothing says so.
        settled: the part, an instant, that ends a case; empty where nothing does.
        summary: one line for people.
    """

    name: str = field(validator=identifier)
    key: CaseKey = field(default="reference", validator=declared.one_of(get_args(CaseKey)))
    parts: tuple[Part, ...] = field(converter=_parts, validator=declared.each(Part, least=1))
    features: tuple[Feature, ...] = field(converter=_features, validator=declared.each(Feature, least=1))
    opened: str = field(default="", validator=declared.text)
    due: str = field(default="", validator=declared.text)
    settled: str = field(default="", validator=declared.text)
    summary: str = field(default="", validator=declared.text)

    def __attrs_post_init__(self) -> None:
        """Refuse repeated parts, names that the features have for something else, and parts that are not there."""
        _refuse_functions(self.name, self.features)
        names = [part.name for part in self.parts]
        wrong = sorted({name for name in names if names.count(name) > 1 or name in _TAKEN})
        if wrong:
            message = f"the case measure {self.name!r} cannot name a part {wrong[0]!r}, which is taken; rename it"
            raise WrongArgumentError(message)
        instants = [part.name for part in self.parts if part.type == "instant"]
        for role in ("opened", "due", "settled"):
            told = getattr(self, role)
            if told and told not in instants:
                hint = nearest(told, instants) or f"; its instants are {', '.join(instants) or 'none'}"
                message = f"the case measure {self.name!r} has no instant {told!r} to be {role}{hint}"
                raise WrongArgumentError(message)
        if (self.due or self.settled) and not self.opened:
            message = f"the case measure {self.name!r} does not say which part opens a case; set opened as well"
            raise WrongArgumentError(message)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The interaction kinds of its parts, each once."""
        return tuple(dict.fromkeys(kind for part in self.parts for kind in part.kinds))

    @cached_property
    def keyed(self) -> tuple[KeyedMeasure, ...]:
        """The keyed measures that it is kept as, in order of the parts."""
        return tuple(
            KeyedMeasure(
                name=f"{self.name}__{part.name}",
                kinds=part.kinds,
                key=self.key,
                combine=part.combine,
                value=part.contribution(),
                part_of=self.name,
                summary=f"{self.summary} ({part.name})",
            )
            for part in self.parts
        )


@frozen(kw_only=True)
class ScoringRule:
    """How a score is computed from measures, features and earlier scores, for many customers at once.

    It becomes two columns: ``<name>`` and ``<name>_confidence``.

    Attributes:
        name: unique; a column in conditions and later rules.
        value: an expression, or a function from the frame to a series of the same length.
        confidence: 0 to 1; 0 without evidence, and then the value is the prior.
        evidence: the measures and features that it rests on.
        needs: for a function: the columns it reads. An expression says so itself.
        motion: how the value moves without news.
        confidence_motion: how the confidence moves without news.
        low: the smallest value it can have.
        high: the largest value it can have.
        labels: for a score that names one of some kinds: their names, lowest first. The value is a place in them,
            counted from 0, and the column holds the name: conditions say ``loyalty = 'true'``.
        summary: one line for people: the formula and its source.
    """

    name: str = field(validator=identifier)
    value: pl.Expr | Callable[[pl.DataFrame], pl.Series] = field(validator=_rule)
    confidence: pl.Expr = field(validator=expression)
    evidence: tuple[str, ...] = field(default=(), converter=texts, validator=declared.each(str))
    needs: tuple[str, ...] = field(default=(), converter=texts, validator=declared.each(str))
    motion: Motion = field(factory=Daily, validator=_motion)
    confidence_motion: Motion = field(factory=Daily, validator=_motion)
    low: float = field(default=0.0, validator=declared.number(finite=False))
    high: float = field(default=1.0, validator=declared.number(finite=False))
    labels: tuple[str, ...] = field(default=(), converter=texts, validator=declared.each(str))
    summary: str = field(default="", validator=declared.text)

    def __attrs_post_init__(self) -> None:
        """Refuse a range without a value."""
        if self.low > self.high:
            message = f"the score {self.name!r} has a low of {self.low:g} above its high of {self.high:g}"
            raise WrongArgumentError(message)


@frozen(kw_only=True)
class Policy:
    """A reason not to engage now, or not before some time. It can only narrow.

    Attributes:
        name: the stable reason code shown to people, such as ``minimum_interval``.
        refuses: true for candidates that must not go ahead; an expression over the candidate columns
            (see ``flow.plan.candidates``) and every column of conditions. None: it only defers.
        until: for a refusal that time alone lifts: the next instant at which it may. None: only news lifts it.
        defers: for what may go ahead, but not now: the instant until which its message waits in the outbox, null
            where it need not. The latest of all policies counts. None: it only refuses.
        detail: what to tell people beside the reason; an expression giving text.
        purposes: the purposes it holds for.
        natures: the natures it holds for.
        summary: one line for people.
    """

    name: str = field(validator=identifier)
    refuses: pl.Expr | None = field(default=None, validator=validators.optional(expression))
    until: pl.Expr | None = field(default=None, validator=validators.optional(expression))
    defers: pl.Expr | None = field(default=None, validator=validators.optional(expression))
    detail: pl.Expr | None = field(default=None, validator=validators.optional(expression))
    purposes: tuple[Purpose, ...] = field(
        default=get_args(Purpose), converter=_purposes, validator=declared.each_one_of(get_args(Purpose))
    )
    natures: tuple[Nature, ...] = field(
        default=get_args(Nature), converter=_natures, validator=declared.each_one_of(get_args(Nature))
    )
    summary: str = field(default="", validator=declared.text)

    def __attrs_post_init__(self) -> None:
        """Refuse what says nothing, and a refusal's end without a refusal."""
        if self.refuses is None and self.defers is None:
            message = f"the policy {self.name!r} neither refuses nor defers; give it one of both"
            raise WrongArgumentError(message)
        if self.refuses is None and self.until is not None:
            message = f"the policy {self.name!r} says until when it refuses, and never refuses; give it 'refuses'"
            raise WrongArgumentError(message)

    @property
    def expressions(self) -> tuple[pl.Expr, ...]:
        """Everything that it computes."""
        return tuple(each for each in (self.refuses, self.until, self.defers, self.detail) if each is not None)


def next_change_column(name: str) -> str:
    """The column that holds the next change of a feature that jumps."""
    return f"{name}__next_change"


def motion_of_feature(feature: Feature) -> Motion:
    """A feature's motion in a frame of customers, where its next change is a column of its own."""
    import polars as pl

    return jumping_at(feature.motion, pl.col(next_change_column(feature.name)))
