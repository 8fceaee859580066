"""What a plugin declares about customers: measures, scoring rules, policies, and how they move in time.

The hooks hand over these records; the core folds, computes and decides with them.
Expressions are polars expressions over named columns.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from attrs import field, frozen, validators

from relationship_core.model.campaign import Purpose
from relationship_core.model.interaction import Nature
from relationship_core.model.texts import identifier

if TYPE_CHECKING:
    import polars as pl

Combine: TypeAlias = Literal["sum", "count", "min", "max"]
"""How two numbers of one measure become one; every one of them is associative and commutative."""

Unit: TypeAlias = Literal["", "money"]
"""What a number counts, where people are shown more than the number."""

KeyColumn: TypeAlias = Literal["day", "category", "product", "reference"]

SHORTEST_HALF_LIFE_DAYS = 30.0
"""Shorter half-lives would overflow a forward-decayed sum within a century."""


@frozen(kw_only=True)
class Still:
    """Changes only with news."""


@frozen(kw_only=True)
class Linear:
    """Moves evenly while there is no news.

    Attributes:
        per_day: the change per day; a number, or an expression over columns that are still.
    """

    per_day: float | pl.Expr = 1.0


@frozen(kw_only=True)
class Halving:
    """Decays towards zero while there is no news.

    Attributes:
        days: the half-life.
    """

    days: float = field(validator=validators.gt(0))


@frozen(kw_only=True)
class Steps:
    """Constant, but for jumps at known instants.

    Attributes:
        next_change: the first instant after ``now`` at which it may jump; null for never. For a
            feature of a keyed measure it is an aggregation over the keys, like the feature itself.
    """

    next_change: pl.Expr


@frozen(kw_only=True)
class Bounded:
    """Moves in a way of its own, but never faster than a bound.

    Attributes:
        per_day: the largest change, up or down, within a day; a number, or an expression over columns that are still.
    """

    per_day: float | pl.Expr


@frozen(kw_only=True)
class Daily:
    """Nothing is known; look again the next project-local day."""


Motion: TypeAlias = Still | Linear | Halving | Steps | Bounded | Daily
"""How a column moves while nothing is recorded.

It decides when a customer is due again: early is allowed, late never.
"""


@frozen(kw_only=True)
class Feature:
    """One column computed from a measure as of ``now``.

    Attributes:
        name: unique; a column in conditions and scoring rules.
        value: of a plain measure: an expression over the measure's own column and ``now`` (instant). Of a keyed
            measure: an aggregation over the customer's rows with the columns ``key``, ``value`` (its combined
            number), ``now``, ``next_day`` (the next project-local midnight) and ``today`` (project-local date);
            for the key ``day`` also ``on`` (date).
        motion: how it moves without news.
        type: ``number``, ``instant`` or ``date``.
        absent: a number's value for a customer without any key; None for null.
        unit: ``money`` for minor units of the project's currency, which people are shown as money; else empty.
        summary: one line for people.
    """

    name: str = field(validator=identifier)
    value: pl.Expr
    motion: Motion = field(factory=Still)
    type: Literal["number", "instant", "date"] = field(
        default="number", validator=validators.in_(("number", "instant", "date"))
    )
    absent: float | None = None
    unit: Unit = field(default="", validator=validators.in_(get_args(Unit)))
    summary: str = ""


@frozen(kw_only=True)
class Measure:
    """A number or an instant about one customer, kept up to date interaction by interaction.

    Expressions see the columns ``customer, source, id, kind, at, day`` (project-local date as text),
    ``amount`` (minor units), ``reference`` and ``data`` (JSON text) of one interaction.

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
    kinds: tuple[str, ...] = field(default=(), converter=tuple[str, ...])
    combine: Combine = field(validator=validators.in_(get_args(Combine)))
    value: pl.Expr | None = None
    type: Literal["number", "instant"] = field(default="number", validator=validators.in_(("number", "instant")))
    half_life_days: float | None = field(
        default=None, validator=validators.optional(validators.ge(SHORTEST_HALF_LIFE_DAYS))
    )
    features: tuple[Feature, ...] = field(default=(), converter=tuple[Feature, ...])
    unit: Unit = field(default="", validator=validators.in_(get_args(Unit)))
    summary: str = ""

    def __attrs_post_init__(self) -> None:
        """Refuse a decay of what does not add up."""
        if self.half_life_days is not None and self.combine not in {"sum", "count"}:
            message = f"the measure {self.name!r} has a half-life, which only sums and counts can have"
            raise ValueError(message)

    @property
    def motion(self) -> Motion:
        """Halving where it decays, else still."""
        return Still() if self.half_life_days is None else Halving(days=self.half_life_days)


@frozen(kw_only=True)
class KeyedMeasure:
    """A number for each key of one customer: a day, a category, a product, a reference.

    Attributes:
        name: unique among measures.
        kinds: the interaction kinds it counts; empty for all.
        key: the column that gives the key; ``category`` and ``product`` count each order line.
        combine: how contributions to one key add up.
        value: as in Measure, and for order lines also ``quantity`` and ``minor``. None means 1.
        features: the columns computed from it in review.
        summary: one line for people.
    """

    name: str = field(validator=identifier)
    kinds: tuple[str, ...] = field(default=(), converter=tuple[str, ...])
    key: KeyColumn = field(validator=validators.in_(get_args(KeyColumn)))
    combine: Combine = field(default="count", validator=validators.in_(get_args(Combine)))
    value: pl.Expr | None = None
    features: tuple[Feature, ...] = field(converter=tuple[Feature, ...], validator=validators.min_len(1))
    summary: str = ""


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
        summary: one line for people: the formula and its source.
    """

    name: str = field(validator=identifier)
    value: pl.Expr | Callable[[pl.DataFrame], pl.Series]
    confidence: pl.Expr
    evidence: tuple[str, ...] = field(default=(), converter=tuple[str, ...])
    needs: tuple[str, ...] = field(default=(), converter=tuple[str, ...])
    motion: Motion = field(factory=Daily)
    confidence_motion: Motion = field(factory=Daily)
    low: float = 0.0
    high: float = 1.0
    summary: str = ""


@frozen(kw_only=True)
class Policy:
    """A reason not to engage now. It can only narrow.

    Attributes:
        name: the stable reason code shown to people, such as ``minimum_interval``.
        refuses: true for candidates that must not go ahead; an expression over the candidate columns
            (see ``flow.plan.candidates``) and every column of conditions.
        until: for a refusal that time alone lifts: the next instant at which it may. None: only news lifts it.
        detail: what to tell people beside the reason; an expression giving text.
        purposes: the purposes it holds for.
        natures: the natures it holds for.
        summary: one line for people.
    """

    name: str = field(validator=identifier)
    refuses: pl.Expr
    until: pl.Expr | None = None
    detail: pl.Expr | None = None
    purposes: tuple[Purpose, ...] = field(default=get_args(Purpose), converter=tuple[Purpose, ...])
    natures: tuple[Nature, ...] = field(default=get_args(Nature), converter=tuple[Nature, ...])
    summary: str = ""
