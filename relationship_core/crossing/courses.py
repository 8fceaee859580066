"""Courses: how a number moves without news, t days from now.

    v(t) = base + slope * t + sum of amplitude_h * 2^(-t / h) + error(t),  |error(t)| <= bound * t

valid until a *horizon*, at which something may happen that is not known now: the next jump of a column that
jumps (whatever it does between its jumps), or the next project-local day where nothing better is known. Rounding is
met by keeping, beside every sum, the size of what was added up.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, TypeAlias

import polars as pl
from attrs import frozen

from relationship_core.conditions import Node
from relationship_core.conditions.nodes import MICROSECONDS_PER_DAY, MOMENT
from relationship_core.conditions.scope import NOW
from relationship_core.motions import Bounded, Halving, Linear, Motion, Still, next_change_of
from relationship_core.table import defined

NEXT_DAY = "next_day"
"""The column that holds the first instant of the next project-local day."""
SAFETY = 1e-11
"""Relative; rounding in a few additions and one decay stays below 1e-13."""
NEVER = pl.lit(math.inf)
"""Days until what never comes."""

Number: TypeAlias = "float | pl.Expr"
"""What is known now, or for each customer."""


def add(left: Number, right: Number) -> Number:
    """The sum. What is known now stays out of the query, which is planned anew for every page of customers."""
    left, right = (right, left) if isinstance(left, float) else (left, right)
    return left if isinstance(right, float) and right == 0 else left + right


def _multiply(left: Number, right: Number) -> Number:
    left, right = (right, left) if isinstance(left, float) else (left, right)
    return left if isinstance(right, float) and right == 1 else left * right


def absolute(number: Number) -> Number:
    """The number without its sign."""
    return number.abs() if isinstance(number, pl.Expr) else abs(number)


@frozen(kw_only=True, eq=False)
class Sum:
    """A number that was added up, and the size of its terms, which bounds its rounding."""

    value: Number
    size: Number

    @classmethod
    def of(cls, value: Number) -> Sum:
        """A number by itself."""
        return cls(value=value, size=absolute(value))

    def __add__(self, other: Sum) -> Sum:
        return Sum(value=add(self.value, other.value), size=add(self.size, other.size))

    def __mul__(self, other: Sum) -> Sum:
        return Sum(value=_multiply(self.value, other.value), size=_multiply(self.size, other.size))

    @property
    def slack(self) -> Number:
        """By how much rounding may have made it wrong."""
        return self.size * SAFETY


Term: TypeAlias = "float | Literal['base', 'slope', 'bound', 'grain', 'faintest']"
"""What a course is made of: a half-life stands for its amplitude."""


@frozen(kw_only=True, eq=False)
class Course:
    """How a number moves; see the module. A term that is absent is zero; ``base`` is always there.

    With half-lives come two sizes in steps: ``grain``, by which small floats may be wrong, and ``faintest``, beyond
    which a number whose terms have one sign is not computed as zero.
    """

    terms: Mapping[Term, Sum]
    horizons: tuple[pl.Expr, ...] = ()

    @property
    def half_lives(self) -> list[float]:
        """The half-lives, in days."""
        return [term for term in self.terms if isinstance(term, float)]

    @property
    def moving(self) -> list[Term]:
        """The terms that make it move."""
        return [term for term in self.terms if term not in {"base", "grain", "faintest"}]

    @property
    def start(self) -> Sum:
        """Where it is now."""
        return sum((self.terms[days] for days in self.half_lives), start=self.terms["base"])


def plus(left: Course, right: Course) -> Course:
    """The course of a sum."""
    sums = {term: left.terms[term] + right.terms[term] for term in left.terms.keys() & right.terms.keys()}
    return Course(terms={**left.terms, **right.terms, **sums}, horizons=left.horizons + right.horizons)


def scaled(course: Course, factor: Sum, horizons: tuple[pl.Expr, ...] = ()) -> Course:
    """The course of a product with what does not move, but may jump at horizons of its own."""
    terms = {term: number * factor for term, number in course.terms.items()}
    if "bound" in terms:
        terms["bound"] = Sum(value=absolute(terms["bound"].value), size=terms["bound"].size)
    if "grain" in terms and factor is not MINUS:
        # A product is rounded by half a step at most, and so many whole steps become zero in it.
        known = isinstance(factor.size, float) and factor.size > 0
        terms["faintest"] = terms["grain"] + (Sum.of(factor.size * (0.5 // factor.size)) if known else _HALF_STEP)
        terms["grain"] = terms["grain"] + _HALF_STEP
    return Course(terms=terms, horizons=course.horizons + horizons)


def _inverse(number: Sum) -> Sum:
    divisor = expr(number.value).replace(0.0, None)
    return Sum(value=1 / divisor, size=number.size / divisor / divisor)


def expr(number: Number) -> pl.Expr:
    """The number as an expression."""
    return number if isinstance(number, pl.Expr) else pl.lit(number)


MINUS = Sum(value=-1.0, size=1.0)
NONE = Sum(value=0.0, size=0.0)
_HALF_STEP = Sum(value=0.5, size=0.5)


def course_of(node: Node, motions: Mapping[str, Motion]) -> Course:
    """The course of a number; instants and dates count in days."""
    if node.op == "column":
        return _course_of_column(_in_days(node), motions.get(str(node.value), Still()))
    if node.op == "literal":
        number = float(node.value) / (MICROSECONDS_PER_DAY if node.kind == MOMENT else 1)
        return Course(terms={"base": Sum.of(number)})
    courses = [course_of(arg, motions) for arg in node.args]
    if not any(course.moving for course in courses):
        horizons = tuple(horizon for course in courses for horizon in course.horizons)
        return Course(terms={"base": Sum.of(_in_days(node))}, horizons=horizons)
    if node.op == "coalesce":
        return _first_of(node.args, courses)
    if node.op == "neg":
        return scaled(courses[0], MINUS)
    return _combined(node, *courses)


def _combined(node: Node, left: Course, right: Course) -> Course:
    if node.op == "+":
        return plus(left, right)
    if node.op == "-":
        return plus(left, scaled(right, MINUS))
    if node.op == "*" and not left.moving:
        return scaled(right, left.terms["base"], left.horizons)
    if not right.moving:
        factor = right.terms["base"]
        return scaled(left, factor if node.op == "*" else _inverse(factor), right.horizons)
    horizons = (*left.horizons, *right.horizons, days_to(pl.col(NEXT_DAY)))
    return Course(terms={"base": Sum.of(_in_days(node))}, horizons=horizons)


def _course_of_column(value: pl.Expr, motion: Motion) -> Course:
    base = Sum.of(value)
    if isinstance(motion, Still):
        return Course(terms={"base": base})
    if isinstance(motion, Linear):
        return _moving(base, "slope", motion.per_day)
    jumps = () if isinstance(motion, Halving | Bounded) and motion.next_change is None else (next_jump(motion),)
    if isinstance(motion, Bounded):
        return _moving(base, "bound", motion.per_day, jumps)
    if not isinstance(motion, Halving):
        return Course(terms={"base": base}, horizons=jumps)
    own: Mapping[Term, Sum] = {float(motion.days): base, "grain": _HALF_STEP, "faintest": _HALF_STEP}
    return Course(terms={"base": NONE, **own}, horizons=jumps)


def _moving(
    base: Sum, term: Literal["slope", "bound"], per_day: float | pl.Expr, jumps: tuple[pl.Expr, ...] = ()
) -> Course:
    if not isinstance(per_day, pl.Expr):
        return Course(terms={"base": base, term: Sum.of(float(per_day))}, horizons=jumps)
    rate = defined(per_day.cast(pl.Float64))
    unknown = rate.is_null() & expr(base.value).is_not_null()
    horizon = pl.when(unknown).then(days_to(pl.col(NEXT_DAY))).otherwise(NEVER)
    return Course(terms={"base": base, term: Sum.of(rate.fill_null(0.0))}, horizons=(horizon, *jumps))


def next_jump(motion: Motion) -> pl.Expr:
    """Days until a motion may jump; until the next project-local day where nothing better is known."""
    instant = next_change_of(motion)
    return days_to(pl.col(NEXT_DAY) if instant is None else instant)


def days_to(instant: pl.Expr) -> pl.Expr:
    """Days from now to an instant; infinite where there is none."""
    microseconds = (instant - pl.col(NOW)).dt.total_microseconds().cast(pl.Float64)
    return (microseconds / MICROSECONDS_PER_DAY).fill_null(NEVER)


def _in_days(node: Node) -> pl.Expr:
    return node.expr / MICROSECONDS_PER_DAY if node.kind == MOMENT else node.expr


def _first_of(args: Sequence[Node], courses: Sequence[Course]) -> Course:
    """The course of a coalesce: which argument it takes stays the same until a horizon."""
    terms: dict[Term, Sum] = {}
    for term in dict.fromkeys(term for course in courses for term in course.terms):
        sums = [course.terms.get(term, NONE) for course in courses]
        terms[term] = Sum(
            value=_where_present(args, [number.value for number in sums]),
            size=_where_present(args, [number.size for number in sums]),
        )
    return Course(terms=terms, horizons=tuple(horizon for course in courses for horizon in course.horizons))


def _where_present(args: Sequence[Node], values: Sequence[Number]) -> pl.Expr:
    pairs = zip(args, values, strict=True)
    return pl.coalesce([pl.when(arg.expr.is_not_null()).then(expr(value)) for arg, value in pairs])


def least(waits: Iterable[pl.Expr | None]) -> pl.Expr | None:
    """The shortest of these waits, of which None is for ever."""
    known = [wait for wait in waits if wait is not None]
    return pl.min_horizontal(known) if known else None
