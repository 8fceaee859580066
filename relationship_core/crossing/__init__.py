"""When a condition can change without any news: what makes due times early or exact, never late.

Every column moves as its declared motion says; columns without one are still, ``now`` advances. From the motions of
its columns follows the course of each side of a comparison, from the courses when their difference may reach zero,
and until then the truth of the comparison holds: ``courses`` and ``zeros``.

A null stays null without news, unless its column steps. Rounding is met by taking every distance shorter,
relative to the size of what was added up. Where the distance is nil the answer is the smallest possible time,
not zero, so that whoever waits for it makes progress; a customer exactly at a threshold is reviewed again in
the next run, and that is all.

An AND that has a false part waits for the longest-lasting of its false parts, not for the first change of any
part: customers far outside an audience are not looked at again for nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, MutableMapping

import polars as pl

from relationship_core.conditions import Condition, Node
from relationship_core.conditions.nodes import DAY, MICROSECONDS_PER_DAY, MOMENT, NUMBER
from relationship_core.conditions.scope import NOW
from relationship_core.crossing.courses import MINUS, NEVER, NEXT_DAY, SAFETY, course_of, least, next_jump, plus, scaled
from relationship_core.crossing.zeros import LAST_INSTANT, days_to_zero
from relationship_core.motions import Linear, Motion, Still
from relationship_core.table import defined

__all__ = [
    "LAST_INSTANT",
    "NEXT_DAY",
    "SMALLEST_DAYS",
    "days_until_change",
]

SMALLEST_DAYS = 1.5 / MICROSECONDS_PER_DAY
"""What is returned where something may change at once: more than the microsecond that instants can tell."""

_LONGEST_ANSWER = 365_250.0
"""A thousand years: the longest answer, so that instants can hold it."""

_CAREFUL_DEPTH = 2
"""Levels of AND and OR at which it matters which part decides; every level names each of its parts twice."""


def days_until_change(
    condition: Condition, motions: Mapping[str, Motion], parts: MutableMapping[str, pl.Expr] | None = None
) -> pl.Expr:
    """How many days from ``now`` the condition is sure to stay as it is.

    Args:
        condition: what is waited for.
        motions: how columns move. Those that are not named are still; ``now`` advances by itself.
        parts: where to put what the answer is made of, each by the name of a column from which the answer then reads
            it: so a query before can compute it, once for all conditions in which it occurs. None: the answer
            holds it all, some of it several times, and polars computes that as often.

    Returns:
        An expression as long as the frame: Float64, more than a microsecond; null for never without news.
        Within that time the condition's truth (unknown counts as not true) does not change. It may
        read, beside the condition's columns, ``now``, ``next_day`` (the first instant of the next
        project-local day) and what the motions read; ``meta.root_names()`` tells.
    """
    days = _until(condition.node, {**motions, NOW: Linear()}, parts, truth=True)
    if days is None:
        return pl.repeat(None, pl.len(), dtype=pl.Float64)
    known = defined(days).replace(math.inf, None)
    early = (known * (1 - SAFETY) - SMALLEST_DAYS).clip(SMALLEST_DAYS, _LONGEST_ANSWER)
    return pl.max_horizontal(early, pl.repeat(None, pl.len(), dtype=pl.Float64))


def _until(
    node: Node,
    motions: Mapping[str, Motion],
    parts: MutableMapping[str, pl.Expr] | None,
    *,
    truth: bool,
    depth: int = 0,
) -> pl.Expr | None:
    """Days for which the node surely keeps being, or not being, of this truth; None for ever."""
    if node.op == "not":
        return _until(node.args[0], motions, parts, truth=not truth, depth=depth)
    if node.op not in {"and", "or"} or depth == _CAREFUL_DEPTH:
        days = _until_any(node, motions)
        return None if days is None else _part(f"days of {node.text}", days, parts)
    waits = [_until(arg, motions, parts, truth=truth, depth=depth + 1) for arg in node.args]
    soonest = least(waits)
    if soonest is None:
        return None
    # One false part keeps an AND from being true, whatever the others do; so with OR and being false.
    needs_all = (node.op == "and") == truth
    met = [
        _part(f"{truth} of {arg.text}", (arg.expr if truth else ~arg.expr).fill_null(value=False), parts)
        for arg in node.args
    ]
    decisive = [~each if needs_all else each for each in met]
    longest = pl.max_horizontal(
        [pl.when(each).then(NEVER if wait is None else wait) for each, wait in zip(decisive, waits, strict=True)]
    )
    return pl.when(pl.any_horizontal(decisive)).then(longest).otherwise(soonest)


def _part(name: str, expression: pl.Expr, parts: MutableMapping[str, pl.Expr] | None) -> pl.Expr:
    if parts is None:
        return expression
    parts[name] = expression
    return pl.col(name)


def _until_any(node: Node, motions: Mapping[str, Motion]) -> pl.Expr | None:
    """Days for which the node, be it a truth, a text or a stage, surely stays what it is, null included."""
    if node.op == "literal":
        return None
    if node.op == "column":
        motion = motions.get(str(node.value), Still())
        return None if isinstance(motion, Still) else next_jump(motion)
    first, *others = node.args
    if first.kind not in {NUMBER, MOMENT, DAY}:
        return least([_until_any(arg, motions) for arg in node.args])
    course = course_of(first, motions)
    if node.op == "is null":
        return least(course.horizons)
    signs = [">=", "<="] if node.op == "between" else [node.op] * len(others)
    minus = [scaled(course_of(other, motions), MINUS) for other in others]
    return least([days_to_zero(sign, plus(course, each)) for sign, each in zip(signs, minus, strict=True)])
