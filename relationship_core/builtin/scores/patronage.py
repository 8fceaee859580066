"""What customers buy and how they come back: RFM on an absolute scale and in fifths, and lapse.

Source of RFM: Hughes (1994), *Strategic Database Marketing*.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from relationship_core import Halving, Linear, ScoringRule, Steps, Still
from relationship_core.builtin.scores.formulas import confidence, fastest_half_of, half_of, moving, seen

EARLY = 1 - 1e-11
"""A computed time is taken this much shorter, for its rounding."""


def patronage(parameters: Mapping[str, float]) -> Iterator[ScoringRule]:
    """RFM twice, and lapse of orders and of visits."""
    yield from _rfm(parameters)
    yield from _fifths(parameters)
    yield _lapse("lapse", "silence_days", "order", parameters["prior_weight"])
    yield _lapse("visit_lapse", "visit_silence_days", "visit", parameters["prior_weight"])


def _rfm(parameters: Mapping[str, float]) -> Iterator[ScoringRule]:
    """Each from 0 to 1 on a scale of its own, so that it does not depend on the other customers."""
    known = confidence(pl.col("order_days"), parameters["prior_weight"])
    days, half_days = parameters["recency_half_life_days"], parameters["frequency_half_days"]
    half_minor = parameters["monetary_half_minor"]
    spend = seen("recent_spend").clip(lower_bound=0)
    yield ScoringRule(
        name="recency",
        value=pl.lit(2.0).pow(-pl.col("silence_days") / days).fill_null(0.0),
        confidence=known,
        evidence=("silence_days",),
        motion=Halving(days=days),
        confidence_motion=Still(),
        summary=f"2^(-silence_days / {days:g}): the R of RFM on an absolute scale.",
    )
    yield ScoringRule(
        name="frequency",
        value=half_of(pl.col("order_days_365"), half_days),
        confidence=known,
        evidence=("order_days_365",),
        motion=Steps(next_change=pl.col("order_days_365__next_change")),
        confidence_motion=Still(),
        summary=f"1 - 2^(-order_days_365 / {half_days:g}): the F of RFM on an absolute scale.",
    )
    yield ScoringRule(
        name="monetary",
        value=half_of(spend, half_minor),
        confidence=known,
        evidence=("recent_spend",),
        motion=moving(spend, fastest_half_of(parameters["commitment_half_life_days"])),
        confidence_motion=Still(),
        summary=f"1 - 2^(-recent_spend / {half_minor:,.0f} minor units): the M of RFM on an absolute scale.",
    )


def _fifths(parameters: Mapping[str, float]) -> Iterator[ScoringRule]:
    """Each from 1 to 5 between four bounds, and the three as one number; null without an order.

    The bounds are parameters: `relate calibrate rfm` makes them the quintiles of the project's customers. They move
    when a bound is crossed: silence at the bound, the order days when one leaves its year, and recent spend v, with
    half-life h, after h log2(v / bound) days.
    """
    silence, days, spend = pl.col("silence_days"), pl.col("order_days_365"), seen("recent_spend")
    known = silence.is_not_null()
    recency, frequency, monetary = (
        [parameters[f"rfm_{name}_{place}"] for place in range(1, 5)]
        for name in ("recency_days", "frequency", "monetary")
    )
    half_life = parameters["commitment_half_life_days"]
    older = [
        pl.when(silence <= bound).then(pl.col("last_order_at") + pl.duration(days=bound * EARLY)) for bound in recency
    ]
    poorer = [
        pl.when(spend > bound).then(
            pl.col("now") + pl.duration(days=(spend.log(2.0) - math.log2(bound)) * half_life * EARLY)
        )
        for bound in monetary
        if bound > 0
    ]
    # Where no bound is above 0, spend that decays crosses none.
    jumps = {
        "recency": pl.min_horizontal(older),
        "frequency": pl.col("order_days_365__next_change"),
        "monetary": pl.min_horizontal(poorer) if poorer else None,
    }
    fifths = {
        "recency": 5 - _above(silence, recency),
        "frequency": 1 + _above(days, frequency),
        "monetary": 1 + _above(spend, monetary),
    }
    evidence = {"recency": "silence_days", "frequency": "order_days_365", "monetary": "recent_spend"}
    bounds = {"recency": recency, "frequency": frequency, "monetary": monetary}
    sure = confidence(pl.col("order_days"), parameters["prior_weight"])
    for name, fifth in fifths.items():
        jump = jumps[name]
        yield ScoringRule(
            name=f"{name}_fifth",
            value=pl.when(known).then(fifth),
            confidence=sure,
            evidence=(evidence[name],),
            low=1,
            high=5,
            motion=Still() if jump is None else Steps(next_change=jump),
            confidence_motion=Still(),
            summary=f"The {name[0].upper()} of RFM in fifths, 5 the best; {evidence[name]} "
            f"between the bounds {', '.join(f'{bound:g}' for bound in bounds[name])}.",
        )
    cell = 100 * fifths["recency"] + 10 * fifths["frequency"] + fifths["monetary"]
    yield ScoringRule(
        name="rfm",
        value=pl.when(known).then(cell),
        confidence=sure,
        evidence=tuple(evidence.values()),
        low=111,
        high=555,
        motion=Steps(next_change=pl.min_horizontal([jump for jump in jumps.values() if jump is not None])),
        confidence_motion=Still(),
        summary="100 recency_fifth + 10 frequency_fifth + monetary_fifth: the cell of RFM, 555 the best.",
    )


def _above(value: pl.Expr, bounds: Sequence[float]) -> pl.Expr:
    return sum(((value > bound).cast(pl.Float64) for bound in bounds), start=pl.lit(0.0))


def _lapse(name: str, silence: str, kind: str, weight: float) -> ScoringRule:
    """Silence in units of the customer's own, shrunk gap; null without one of that kind."""
    gap = pl.col(f"{kind}_gap_days")
    return ScoringRule(
        name=name,
        value=pl.col(silence) / gap,
        confidence=confidence(pl.col(f"{kind}_days"), weight),
        evidence=(silence, f"{kind}_gap_days"),
        motion=Linear(per_day=1.0 / gap),
        confidence_motion=Still(),
        high=math.inf,
        summary=f"{silence} / {kind}_gap_days: silence in units of the customer's own rhythm of {kind}s.",
    )
