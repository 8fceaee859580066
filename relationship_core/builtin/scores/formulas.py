"""What the formulas of scores are made of, with how fast each part can move.

D is a decayed sum: each event weighs 2^(-age / half-life). Without news it falls by ln 2 / h of itself a day.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import polars as pl

from relationship_core import Bounded, Motion

LN2 = math.log(2)


def seen(name: str) -> pl.Expr:
    """A count of events: null means that none was ever seen."""
    return pl.col(name).fill_null(0.0)


def weighed(weights: Mapping[str, float]) -> pl.Expr:
    """The sum of decayed counts, each times its weight."""
    total = pl.lit(0.0)
    for name, weight in weights.items():
        total = total + (seen(name) if weight == 1 else seen(name) * weight)
    return total


def confidence(events: pl.Expr, weight: float) -> pl.Expr:
    """Confidence n / (n + m): 0 without events, one half at the weight of the prior."""
    return events / (events + weight)


def half_of(value: pl.Expr, half: float) -> pl.Expr:
    """1 - 2^(-value / half): 0 at nothing, one half at ``half``, towards 1 beyond."""
    return 1.0 - pl.lit(2.0).pow(-value / half)


def fastest_half_of(half_life_days: float) -> float:
    """The largest daily change of 1 - 2^(-x) while x decays: ln 2 / (e h), reached at x = 1 / ln 2."""
    return LN2 / (math.e * half_life_days)


def ratio(good: pl.Expr, bad: pl.Expr, prior: float, weight: float) -> pl.Expr:
    """The shrunk ratio B(good, bad) = (good + m prior) / (good + bad + m)."""
    return (good + weight * prior) / (good + bad + weight)


def fastest_ratio(half_life_days: float, prior: float) -> float:
    """The largest daily change of a shrunk ratio of sums that decay alike.

    With S = good + bad it is at most ln 2 / h * m S / (S + m)^2 * max(prior, 1 - prior), and m S / (S + m)^2 is
    at most 1/4.
    """
    return LN2 / half_life_days / 4 * max(prior, 1 - prior)


def fastest_confidence(half_life_days: float) -> float:
    """The largest daily change of n / (n + m) while n decays."""
    return LN2 / half_life_days / 4


def moving(evidence: pl.Expr, per_day: float | pl.Expr, next_change: pl.Expr | None = None) -> Motion:
    """Within a bound where there is evidence; without any, nothing moves but at the next change."""
    return Bounded(per_day=pl.when(evidence > 0).then(per_day).otherwise(0.0), next_change=next_change)
