"""When a condition can change without any news: what makes due times early or exact, never late.

Every column moves as its declared motion says; columns without one are still, ``now`` advances. From the
motions of its columns follows the *course* of each side of a comparison, t days from now:

    v(t) = base + slope * t + sum of amplitude_h * 2^(-t / h) + error(t),  |error(t)| <= bound * t

valid until a *horizon*, at which something may happen that is not known now: the next jump of a column that
jumps (whatever it does between its jumps), or the next project-local day where nothing better is known. The sign
of left minus right, and with it the truth of the comparison, holds until that difference may reach zero:

- only a slope: (distance to zero) / slope, where it moves towards zero;
- only one half-life: h * log2(amplitude / -base), where it decays towards zero;
- anything mixed, and bounded columns: (distance to zero) / (largest speed).

What halves is never zero, but its float is, some 1,075 half-lives after it was 1: 88 years of the shortest. So
``warmth >= 0`` stays as it is, and ``warmth > 0`` until then, which is never where that is after LAST_INSTANT.
A null stays null without news, unless its column steps. Rounding is met by taking every distance shorter,
relative to the size of what was added up. Where the distance is nil the answer is the smallest possible time,
not zero, so that whoever waits for it makes progress; a customer exactly at a threshold is reviewed again in
the next run, and that is all.

An AND that has a false part waits for the longest-lasting of its false parts, not for the first change of any
part: customers far outside an audience are not looked at again for nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, TypeAlias

import polars as pl
from attrs import frozen

from relationship_core.columns import INSTANT
from relationship_core.conditions import Condition, Node
from relationship_core.conditions.nodes import DAY, MICROSECONDS_PER_DAY, MOMENT, NUMBER, defined
from relationship_core.conditions.scope import NOW
from relationship_core.declarations import Feature
from relationship_core.model.instants import LATEST
from relationship_core.motions import Bounded, Halving, Linear, Motion, Still, jumping_at, next_change_of

NEXT_DAY = "next_day"
"""The column that holds the first instant of the next project-local day."""

SMALLEST_DAYS = 1.5 / MICROSECONDS_PER_DAY
"""What is returned where something may change at once: more than the microsecond that instants can tell."""

LONGEST_DAYS = 365_250.0
"""A thousand years: the longest answer, so that instants can hold it."""

LAST_INSTANT = LATEST
"""Everything recorded is before it; a float that would become zero after it is said never to."""

_SAFETY = 1e-11
"""Relative; rounding in a few additions and one decay stays below 1e-13."""

_CAREFUL_DEPTH = 2
"""Levels of AND and OR at which it matters which part decides; every level doubles the expression."""

_TINY = 1e-300
_STEP = 2.0**-1074  # the smallest positive float, and the distance of the smallest ones
_SAME_AS_ZERO = {"<": 1.0, ">=": 1.0, ">": -1.0, "<=": -1.0, "=": 0.0, "<>": 0.0, "in": 0.0}
_NEVER = pl.lit(math.inf)


def next_change_column(name: str) -> str:
    """The column that holds the next change of a feature that jumps."""
    return f"{name}__next_change"


def motion_of_feature(feature: Feature) -> Motion:
    """A feature's motion in a frame of customers, where its next change is a column of its own."""
    return jumping_at(feature.motion, pl.col(next_change_column(feature.name)))


def days_until_change(condition: Condition, motions: Mapping[str, Motion]) -> pl.Expr:
    """How many days from ``now`` the condition is sure to stay as it is.

    Args:
        condition: what is waited for.
        motions: how columns move. Those that are not named are still; ``now`` advances by itself.

    Returns:
        An expression as long as the frame: Float64, more than a microsecond; null for never without news.
        Within that time the condition's truth (unknown counts as not true) does not change. It may
        read, beside the condition's columns, ``now``, ``next_day`` (the first instant of the next
        project-local day) and what the motions read; ``meta.root_names()`` tells.
    """
    days = _until(condition.node, {**motions, NOW: Linear()}, truth=True)
    if days is None:
        return pl.repeat(None, pl.len(), dtype=pl.Float64)
    known = defined(days).replace(math.inf, None)
    early = (known * (1 - _SAFETY) - SMALLEST_DAYS).clip(SMALLEST_DAYS, LONGEST_DAYS)
    return pl.max_horizontal(early, pl.repeat(None, pl.len(), dtype=pl.Float64))


_Number: TypeAlias = "float | pl.Expr"


def _add(left: _Number, right: _Number) -> _Number:
    # What is known now stays out of the query, which is planned anew for every page of customers.
    left, right = (right, left) if isinstance(left, float) else (left, right)
    return left if isinstance(right, float) and right == 0 else left + right


def _multiply(left: _Number, right: _Number) -> _Number:
    left, right = (right, left) if isinstance(left, float) else (left, right)
    return left if isinstance(right, float) and right == 1 else left * right


def _absolute(number: _Number) -> _Number:
    return number.abs() if isinstance(number, pl.Expr) else abs(number)


@frozen(kw_only=True, eq=False)
class _Sum:
    """A number that was added up, and the size of its parts, which bounds its rounding."""

    value: _Number
    size: _Number

    @classmethod
    def of(cls, value: _Number) -> _Sum:
        return cls(value=value, size=_absolute(value))

    def __add__(self, other: _Sum) -> _Sum:
        return _Sum(value=_add(self.value, other.value), size=_add(self.size, other.size))

    def __mul__(self, other: _Sum) -> _Sum:
        return _Sum(value=_multiply(self.value, other.value), size=_multiply(self.size, other.size))

    @property
    def slack(self) -> _Number:
        return self.size * _SAFETY


_Part: TypeAlias = "float | Literal['base', 'slope', 'bound', 'grain', 'faintest']"
"""What a course is made of: a half-life stands for its amplitude."""


@frozen(kw_only=True, eq=False)
class _Course:
    """How a number moves; see the module. A part that is absent is zero; ``base`` is always there.

    With half-lives come two sizes in steps: ``grain``, by which small floats may be wrong, and ``faintest``, beyond
    which a number whose parts have one sign is not computed as zero.
    """

    parts: Mapping[_Part, _Sum]
    horizons: tuple[pl.Expr, ...] = ()

    @property
    def half_lives(self) -> list[float]:
        return [part for part in self.parts if isinstance(part, float)]

    @property
    def moving(self) -> list[_Part]:
        return [part for part in self.parts if part not in {"base", "grain", "faintest"}]

    @property
    def start(self) -> _Sum:
        return sum((self.parts[days] for days in self.half_lives), start=self.parts["base"])


def _plus(left: _Course, right: _Course) -> _Course:
    sums = {part: left.parts[part] + right.parts[part] for part in left.parts.keys() & right.parts.keys()}
    return _Course(parts={**left.parts, **right.parts, **sums}, horizons=left.horizons + right.horizons)


def _scaled(course: _Course, factor: _Sum, horizons: tuple[pl.Expr, ...] = ()) -> _Course:
    parts = {part: number * factor for part, number in course.parts.items()}
    if "bound" in parts:
        parts["bound"] = _Sum(value=_absolute(parts["bound"].value), size=parts["bound"].size)
    if "grain" in parts and factor is not _MINUS:
        # A product is rounded by half a step at most, and so many whole steps become zero in it.
        known = isinstance(factor.size, float) and factor.size > 0
        parts["faintest"] = parts["grain"] + (_Sum.of(factor.size * (0.5 // factor.size)) if known else _HALF_STEP)
        parts["grain"] = parts["grain"] + _HALF_STEP
    return _Course(parts=parts, horizons=course.horizons + horizons)


def _inverse(number: _Sum) -> _Sum:
    divisor = _expr(number.value).replace(0.0, None)
    return _Sum(value=1 / divisor, size=number.size / divisor / divisor)


def _expr(number: _Number) -> pl.Expr:
    return number if isinstance(number, pl.Expr) else pl.lit(number)


_MINUS = _Sum(value=-1.0, size=1.0)
_NONE = _Sum(value=0.0, size=0.0)
_HALF_STEP = _Sum(value=0.5, size=0.5)


def _course(node: Node, motions: Mapping[str, Motion]) -> _Course:
    """The course of a number; instants and dates count in days."""
    if node.op == "column":
        return _course_of_column(_in_days(node), motions.get(str(node.value), Still()))
    if node.op == "literal":
        number = float(node.value) / (MICROSECONDS_PER_DAY if node.kind == MOMENT else 1)
        return _Course(parts={"base": _Sum.of(number)})
    courses = [_course(arg, motions) for arg in node.args]
    if not any(course.moving for course in courses):
        horizons = tuple(horizon for course in courses for horizon in course.horizons)
        return _Course(parts={"base": _Sum.of(_in_days(node))}, horizons=horizons)
    if node.op == "coalesce":
        return _first_of(node.args, courses)
    if node.op == "neg":
        return _scaled(courses[0], _MINUS)
    return _combined(node, *courses)


def _combined(node: Node, left: _Course, right: _Course) -> _Course:
    if node.op == "+":
        return _plus(left, right)
    if node.op == "-":
        return _plus(left, _scaled(right, _MINUS))
    if node.op == "*" and not left.moving:
        return _scaled(right, left.parts["base"], left.horizons)
    if not right.moving:
        factor = right.parts["base"]
        return _scaled(left, factor if node.op == "*" else _inverse(factor), right.horizons)
    horizons = (*left.horizons, *right.horizons, _days_to(pl.col(NEXT_DAY)))
    return _Course(parts={"base": _Sum.of(_in_days(node))}, horizons=horizons)


def _course_of_column(value: pl.Expr, motion: Motion) -> _Course:
    base = _Sum.of(value)
    if isinstance(motion, Still):
        return _Course(parts={"base": base})
    if isinstance(motion, Linear):
        return _moving(base, "slope", motion.per_day)
    jumps = () if isinstance(motion, Halving | Bounded) and motion.next_change is None else (_next_jump(motion),)
    if isinstance(motion, Bounded):
        return _moving(base, "bound", motion.per_day, jumps)
    if not isinstance(motion, Halving):
        return _Course(parts={"base": base}, horizons=jumps)
    own: Mapping[_Part, _Sum] = {float(motion.days): base, "grain": _HALF_STEP, "faintest": _HALF_STEP}
    return _Course(parts={"base": _NONE, **own}, horizons=jumps)


def _moving(
    base: _Sum, part: Literal["slope", "bound"], per_day: float | pl.Expr, jumps: tuple[pl.Expr, ...] = ()
) -> _Course:
    if not isinstance(per_day, pl.Expr):
        return _Course(parts={"base": base, part: _Sum.of(float(per_day))}, horizons=jumps)
    rate = defined(per_day.cast(pl.Float64))
    unknown = rate.is_null() & _expr(base.value).is_not_null()
    horizon = pl.when(unknown).then(_days_to(pl.col(NEXT_DAY))).otherwise(_NEVER)
    return _Course(parts={"base": base, part: _Sum.of(rate.fill_null(0.0))}, horizons=(horizon, *jumps))


def _next_jump(motion: Motion) -> pl.Expr:
    instant = next_change_of(motion)
    return _days_to(pl.col(NEXT_DAY) if instant is None else instant)


def _days_to(instant: pl.Expr) -> pl.Expr:
    microseconds = (instant - pl.col(NOW)).dt.total_microseconds().cast(pl.Float64)
    return (microseconds / MICROSECONDS_PER_DAY).fill_null(_NEVER)


def _in_days(node: Node) -> pl.Expr:
    return node.expr / MICROSECONDS_PER_DAY if node.kind == MOMENT else node.expr


def _first_of(args: Sequence[Node], courses: Sequence[_Course]) -> _Course:
    """The course of a coalesce: which argument it takes stays the same until a horizon."""
    parts: dict[_Part, _Sum] = {}
    for part in dict.fromkeys(part for course in courses for part in course.parts):
        sums = [course.parts.get(part, _NONE) for course in courses]
        parts[part] = _Sum(
            value=_where_present(args, [number.value for number in sums]),
            size=_where_present(args, [number.size for number in sums]),
        )
    return _Course(parts=parts, horizons=tuple(horizon for course in courses for horizon in course.horizons))


def _where_present(args: Sequence[Node], values: Sequence[_Number]) -> pl.Expr:
    pairs = zip(args, values, strict=True)
    return pl.coalesce([pl.when(arg.expr.is_not_null()).then(_expr(value)) for arg, value in pairs])


def _crossing(sign: str, difference: _Course) -> pl.Expr | None:
    """Days until what the sign of a comparison says of the difference may change, or a horizon."""
    moving = difference.moving
    if not moving:
        return _least(difference.horizons)
    if moving == ["slope"]:
        days = _linear_crossing(difference)
    elif moving == difference.half_lives:
        days = _decaying_crossing(sign, difference)
    else:
        days = _bounded_crossing(difference)
    return _least([days, *difference.horizons])


def _linear_crossing(difference: _Course) -> pl.Expr:
    start, slope = difference.start, difference.parts["slope"]
    speed = _absolute(slope.value) + slope.slack
    if isinstance(slope.value, float) and isinstance(slope.slack, float) and abs(slope.value) > slope.slack:
        ahead = _expr(start.value) * -math.copysign(1.0, slope.value)
        return pl.when(ahead >= -_expr(start.slack)).then((ahead - start.slack) / speed).otherwise(_NEVER)
    value, rate = _expr(start.value), _expr(slope.value)
    distance = value.abs() - start.slack
    towards = (distance <= 0) | (rate.abs() <= slope.slack) | (value.sign() != rate.sign())
    moves = (rate != 0) | ((distance <= 0) & (_expr(slope.size) > 0))
    return pl.when(towards & moves).then(distance / speed).otherwise(_NEVER)


def _halving_crossing(difference: _Course) -> pl.Expr:
    (half_life,) = difference.half_lives
    amplitude, base = difference.parts[half_life], difference.parts["base"]
    start, rest = _expr(amplitude.value), _expr(base.value)
    height, floor = start.abs(), rest.abs()
    vague = (floor <= base.slack) | (height <= amplitude.slack)
    towards = vague | (rest.sign() != start.sign())
    ahead = height + amplitude.slack >= floor - base.slack
    highest = pl.max_horizontal(height - amplitude.slack, pl.lit(_TINY))
    lowest = pl.max_horizontal(floor + base.slack, pl.lit(_TINY))
    days = (highest.log(2.0) - lowest.log(2.0)) * half_life
    return pl.when(towards & ahead & (_expr(amplitude.size) > 0)).then(days).otherwise(_NEVER)


def _decaying_crossing(sign: str, difference: _Course) -> pl.Expr:
    """With half-lives of one sign and no base only the end of floats can change anything."""
    days = _halving_crossing(difference) if len(difference.half_lives) == 1 else _bounded_crossing(difference)
    start, none = difference.start, difference.parts["base"].size
    if isinstance(none, float) and none != 0:
        return days
    of_one_sign, signs, ends = _expr(none) == 0, [], []
    grain, faintest = (_expr(difference.parts[part].size) for part in ("grain", "faintest"))
    for half_life in difference.half_lives:
        amplitude, value = difference.parts[half_life], _expr(difference.parts[half_life].value)
        of_one_sign &= value.abs() >= _expr(amplitude.size) * (1 - _SAFETY)
        signs.append(value.sign())
        height = value.abs() - amplitude.slack - (grain + 1) * _STEP  # what is known of now is rounded, too
        ends.append((height.clip(lower_bound=0).log(2.0) - faintest.log(2.0) - math.log2(_STEP)) * half_life)
    of_one_sign &= pl.max_horizontal(signs) * pl.min_horizontal(signs) >= 0
    end = pl.max_horizontal(ends)
    same = _expr(start.value).sign().is_in([0.0, _SAME_AS_ZERO[sign]])  # the comparison says of zero what it says now
    days = pl.when(_expr(start.size) < _TINY).then(0.0).otherwise(days)  # speeds so small are computed as zero
    late = end > _days_to(pl.lit(LAST_INSTANT, dtype=INSTANT))
    return pl.when(of_one_sign).then(pl.when(same | late).then(_NEVER).otherwise(end)).otherwise(days)


def _bounded_crossing(difference: _Course) -> pl.Expr:
    start, speed = difference.start, _NONE.size
    for part in difference.moving:
        speed = _add(speed, difference.parts[part].size * (math.log(2.0) / part if isinstance(part, float) else 1.0))
    distance = _expr(start.value).abs() - start.slack
    moves = (_expr(speed) > 0) & distance.is_not_null()
    return pl.when(moves).then(distance / speed).otherwise(_NEVER)


def _until(node: Node, motions: Mapping[str, Motion], *, truth: bool, depth: int = 0) -> pl.Expr | None:
    """Days for which the node surely keeps being, or not being, of this truth; None for ever."""
    if node.op == "not":
        return _until(node.args[0], motions, truth=not truth, depth=depth)
    if node.op not in {"and", "or"} or depth == _CAREFUL_DEPTH:
        return _until_any(node, motions)
    waits = [_until(arg, motions, truth=truth, depth=depth + 1) for arg in node.args]
    soonest = _least(waits)
    if soonest is None:
        return None
    # One false part keeps an AND from being true, whatever the others do; so with OR and being false.
    needs_all = (node.op == "and") == truth
    met = [(arg.expr if truth else ~arg.expr).fill_null(value=False) for arg in node.args]
    decisive = [~each if needs_all else each for each in met]
    longest = pl.max_horizontal(
        [pl.when(each).then(_NEVER if wait is None else wait) for each, wait in zip(decisive, waits, strict=True)]
    )
    return pl.when(pl.any_horizontal(decisive)).then(longest).otherwise(soonest)


def _until_any(node: Node, motions: Mapping[str, Motion]) -> pl.Expr | None:
    """Days for which the node, be it a truth, a text or a stage, surely stays what it is, null included."""
    if node.op == "literal":
        return None
    if node.op == "column":
        motion = motions.get(str(node.value), Still())
        return None if isinstance(motion, Still) else _next_jump(motion)
    first, *others = node.args
    if first.kind not in {NUMBER, MOMENT, DAY}:
        return _least([_until_any(arg, motions) for arg in node.args])
    course = _course(first, motions)
    if node.op == "is null":
        return _least(course.horizons)
    signs = [">=", "<="] if node.op == "between" else [node.op] * len(others)
    minus = [_scaled(_course(other, motions), _MINUS) for other in others]
    return _least([_crossing(sign, _plus(course, each)) for sign, each in zip(signs, minus, strict=True)])


def _least(waits: Iterable[pl.Expr | None]) -> pl.Expr | None:
    known = [wait for wait in waits if wait is not None]
    return pl.min_horizontal(known) if known else None
