"""When the difference of two courses may reach zero, and with it what a comparison says may change.

- only a slope: (distance to zero) / slope, where it moves towards zero;
- only one half-life: h * log2(amplitude / -base), where it decays towards zero;
- anything mixed, and bounded columns: (distance to zero) / (largest speed).

What halves is never zero, but its float is, some 1,075 half-lives after it was 1: 88 years of the shortest. So
``warmth >= 0`` stays as it is, and ``warmth > 0`` until then, which is never where that is after LAST_INSTANT.
"""

from __future__ import annotations

import math

import polars as pl

from relationship_core.crossing.courses import NEVER, NONE, SAFETY, Course, absolute, add, days_to, expr, least
from relationship_core.model.instants import LATEST
from relationship_core.table import INSTANT

LAST_INSTANT = LATEST
"""Everything recorded is before it; a float that would become zero after it is said never to."""

_TINY = 1e-300
_STEP = 2.0**-1074  # the smallest positive float, and the distance of the smallest ones
_SAME_AS_ZERO = {"<": 1.0, ">=": 1.0, ">": -1.0, "<=": -1.0, "=": 0.0, "<>": 0.0, "in": 0.0}


def days_to_zero(sign: str, difference: Course) -> pl.Expr | None:
    """Days until what the sign of a comparison says of the difference may change, or a horizon."""
    moving = difference.moving
    if not moving:
        return least(difference.horizons)
    if moving == ["slope"]:
        days = _linear_crossing(difference)
    elif moving == difference.half_lives:
        days = _decaying_crossing(sign, difference)
    else:
        days = _bounded_crossing(difference)
    return least([days, *difference.horizons])


def _linear_crossing(difference: Course) -> pl.Expr:
    start, slope = difference.start, difference.terms["slope"]
    speed = absolute(slope.value) + slope.slack
    if isinstance(slope.value, float) and isinstance(slope.slack, float) and abs(slope.value) > slope.slack:
        ahead = expr(start.value) * -math.copysign(1.0, slope.value)
        return pl.when(ahead >= -expr(start.slack)).then((ahead - start.slack) / speed).otherwise(NEVER)
    value, rate = expr(start.value), expr(slope.value)
    distance = value.abs() - start.slack
    towards = (distance <= 0) | (rate.abs() <= slope.slack) | (value.sign() != rate.sign())
    moves = (rate != 0) | ((distance <= 0) & (expr(slope.size) > 0))
    return pl.when(towards & moves).then(distance / speed).otherwise(NEVER)


def _halving_crossing(difference: Course) -> pl.Expr:
    (half_life,) = difference.half_lives
    amplitude, base = difference.terms[half_life], difference.terms["base"]
    start, rest = expr(amplitude.value), expr(base.value)
    height, floor = start.abs(), rest.abs()
    vague = (floor <= base.slack) | (height <= amplitude.slack)
    towards = vague | (rest.sign() != start.sign())
    ahead = height + amplitude.slack >= floor - base.slack
    highest = pl.max_horizontal(height - amplitude.slack, pl.lit(_TINY))
    lowest = pl.max_horizontal(floor + base.slack, pl.lit(_TINY))
    days = (highest.log(2.0) - lowest.log(2.0)) * half_life
    return pl.when(towards & ahead & (expr(amplitude.size) > 0)).then(days).otherwise(NEVER)


def _decaying_crossing(sign: str, difference: Course) -> pl.Expr:
    """With half-lives of one sign and no base only the end of floats can change anything."""
    days = _halving_crossing(difference) if len(difference.half_lives) == 1 else _bounded_crossing(difference)
    start, none = difference.start, difference.terms["base"].size
    if isinstance(none, float) and none != 0:
        return days
    of_one_sign, signs, ends = expr(none) == 0, [], []
    grain, faintest = (expr(difference.terms[term].size) for term in ("grain", "faintest"))
    for half_life in difference.half_lives:
        amplitude, value = difference.terms[half_life], expr(difference.terms[half_life].value)
        of_one_sign &= value.abs() >= expr(amplitude.size) * (1 - SAFETY)
        signs.append(value.sign())
        height = value.abs() - amplitude.slack - (grain + 1) * _STEP  # what is known of now is rounded, too
        ends.append((height.clip(lower_bound=0).log(2.0) - faintest.log(2.0) - math.log2(_STEP)) * half_life)
    of_one_sign &= pl.max_horizontal(signs) * pl.min_horizontal(signs) >= 0
    end = pl.max_horizontal(ends)
    same = expr(start.value).sign().is_in([0.0, _SAME_AS_ZERO[sign]])  # the comparison says of zero what it says now
    days = pl.when(expr(start.size) < _TINY).then(0.0).otherwise(days)  # speeds so small are computed as zero
    late = end > days_to(pl.lit(LAST_INSTANT, dtype=INSTANT))
    return pl.when(of_one_sign).then(pl.when(same | late).then(NEVER).otherwise(end)).otherwise(days)


def _bounded_crossing(difference: Course) -> pl.Expr:
    start, speed = difference.start, NONE.size
    for term in difference.moving:
        speed = add(speed, difference.terms[term].size * (math.log(2.0) / term if isinstance(term, float) else 1.0))
    distance = expr(start.value).abs() - start.slack
    moves = (expr(speed) > 0) & distance.is_not_null()
    return pl.when(moves).then(distance / speed).otherwise(NEVER)
