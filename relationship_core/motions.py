"""How a column moves while nothing is recorded, which decides when a customer is due again."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import evolve, field, frozen, validators

from relationship_core.model.validation import declared

if TYPE_CHECKING:
    import polars as pl
    from attrs import Attribute


def is_expression(value: object) -> bool:
    """Whether it is a polars expression; where polars is not imported nobody can have made one."""
    polars = sys.modules.get("polars")
    return polars is not None and isinstance(value, polars.Expr)


def expression(owner: object, attribute: Attribute[Any], value: Any) -> None:
    """For attrs: a polars expression.

    Raises:
        WrongArgumentError: it is none.
    """
    if not is_expression(value):
        raise declared.wrong(owner, attribute, "a polars expression", value, fits=False)


def _speed(owner: object, attribute: Attribute[Any], value: Any) -> None:
    if not is_expression(value) and (isinstance(value, bool) or not isinstance(value, (int, float))):
        raise declared.wrong(owner, attribute, "a number or a polars expression", value, fits=False)


@frozen(kw_only=True)
class Still:
    """Changes only with news."""


@frozen(kw_only=True)
class Linear:
    """Moves evenly while there is no news.

    Attributes:
        per_day: the change per day; a number, or an expression over columns that are still.
    """

    per_day: float | pl.Expr = field(default=1.0, validator=_speed)


@frozen(kw_only=True)
class Halving:
    """Decays towards zero while there is no news, but for jumps at known instants.

    Attributes:
        days: the half-life.
        next_change: as in Steps, for what may also jump; None for what never does.
    """

    days: float = field(validator=declared.number(above=0))
    next_change: pl.Expr | None = field(default=None, validator=validators.optional(expression))


@frozen(kw_only=True)
class Steps:
    """Constant, but for jumps at known instants.

    Attributes:
        next_change: the first instant after ``now`` at which it may jump; null for never. For a
            feature of a keyed measure it is an aggregation over the keys, like the feature itself.
    """

    next_change: pl.Expr = field(validator=expression)


@frozen(kw_only=True)
class Bounded:
    """Moves in a way of its own, but never faster than a bound, but for jumps at known instants.

    Attributes:
        per_day: the largest change, up or down, within a day; a number, or an expression over columns that are still.
        next_change: as in Steps, for what may also jump; None for what never does.
    """

    per_day: float | pl.Expr = field(validator=_speed)
    next_change: pl.Expr | None = field(default=None, validator=validators.optional(expression))


@frozen(kw_only=True)
class Daily:
    """Nothing is known; look again the next project-local day."""


Motion: TypeAlias = Still | Linear | Halving | Steps | Bounded | Daily
"""How a column moves while nothing is recorded.

It decides when a customer is due again: early is allowed, late never.
"""


def next_change_of(motion: Motion) -> pl.Expr | None:
    """When a motion may jump; None for one that never does by itself."""
    return motion.next_change if isinstance(motion, Steps | Halving | Bounded) else None


def jumping_at(motion: Motion, next_change: pl.Expr) -> Motion:
    """The same motion, with the next jump read from elsewhere; one that never jumps by itself stays as it is."""
    if next_change_of(motion) is None or not isinstance(motion, Steps | Halving | Bounded):
        return motion
    return evolve(motion, next_change=next_change)
