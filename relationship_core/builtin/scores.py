"""The standard scores: what the measures say about a relationship.

They are behavioural proxies of constructs that research measures by survey (Morgan and Hunt 1994;
Palmatier et al. 2006). Every score is shown with its confidence; without evidence it is its prior,
with confidence 0, and prints as "no evidence".
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from relationship_core import Bounded, Halving, Linear, ScoringRule, Steps, Still, hookimpl
from relationship_core.builtin.measures import (
    ADVOCACY_HALF_LIFE_DAYS,
    BENEFIT_HALF_LIFE_DAYS,
    COMMITMENT_HALF_LIFE_DAYS,
    RECIPROCITY_HALF_LIFE_DAYS,
    TRUST_HALF_LIFE_DAYS,
)

if TYPE_CHECKING:
    import polars as pl

PRIOR = 0.5
"""What a ratio is taken for before there is evidence."""
PRIOR_WEIGHT = 4.0
"""How many events the prior is worth."""

RECENCY_HALF_LIFE_DAYS = 60.0
FREQUENCY_HALF_DAYS = 12.0
"""So many order days in a year make a frequency of one half."""
MONETARY_HALF_MINOR = 100_000.0
"""So much money in a year, in minor units, makes a monetary score of one half."""
TENURE_HALF_DAYS = 365.0
VARIETY_HALF_CATEGORIES = 3.0


@hookimpl
def relationship_scores() -> tuple[ScoringRule, ...]:
    """RFM, lapse, commitment, benefit, trust, reciprocity, attitude, advocacy."""
    return (*_rfm(), _lapse(), _commitment(), *_ratios(), _attitude(), _advocacy())


def _col(name: str) -> pl.Expr:
    import polars as pl

    return pl.col(name)


def _seen(number: pl.Expr) -> pl.Expr:
    """A count of events as numbers: null means that none was ever seen."""
    return number.fill_null(0.0)


def _confidence(events: pl.Expr) -> pl.Expr:
    """Confidence n / (n + m): 0 without events, one half at the weight of the prior."""
    return events / (events + PRIOR_WEIGHT)


def _half_of(value: pl.Expr, half: float) -> pl.Expr:
    """1 - 2^(-value / half): 0 at nothing, one half at ``half``, towards 1 beyond."""
    import polars as pl

    return 1.0 - pl.lit(2.0).pow(-value / half)


def _fastest_half_of(half_life_days: float) -> float:
    """The largest daily change of 1 - 2^(-x) while x decays: ln 2 / (e h), reached at x = 1 / ln 2."""
    return math.log(2) / (math.e * half_life_days)


def _rfm() -> tuple[ScoringRule, ...]:
    import polars as pl

    known = _confidence(_col("order_days"))
    return (
        ScoringRule(
            name="recency",
            value=pl.lit(2.0).pow(-_col("silence_days") / RECENCY_HALF_LIFE_DAYS).fill_null(0.0),
            confidence=known,
            evidence=("silence_days",),
            motion=Halving(days=RECENCY_HALF_LIFE_DAYS),
            confidence_motion=Still(),
            summary=f"2^(-silence_days / {RECENCY_HALF_LIFE_DAYS:g}): the R of RFM on an absolute scale.",
        ),
        ScoringRule(
            name="frequency",
            value=_half_of(_col("order_days_365"), FREQUENCY_HALF_DAYS),
            confidence=known,
            evidence=("order_days_365",),
            motion=Steps(next_change=_col("order_days_365__next_change")),
            confidence_motion=Still(),
            summary=f"1 - 2^(-order_days_365 / {FREQUENCY_HALF_DAYS:g}): the F of RFM on an absolute scale.",
        ),
        ScoringRule(
            name="monetary",
            value=_half_of(_seen(_col("recent_spend")).clip(lower_bound=0), MONETARY_HALF_MINOR),
            confidence=known,
            evidence=("recent_spend",),
            motion=Bounded(per_day=_fastest_half_of(COMMITMENT_HALF_LIFE_DAYS)),
            confidence_motion=Still(),
            summary=f"1 - 2^(-recent_spend / {MONETARY_HALF_MINOR:,.0f} minor units): "
            "the M of RFM on an absolute scale.",
        ),
    )


def _lapse() -> ScoringRule:
    return ScoringRule(
        name="lapse",
        value=_col("silence_days") / _col("order_gap_days"),
        confidence=_confidence(_col("order_days")),
        evidence=("silence_days", "order_gap_days"),
        motion=Linear(per_day=1.0 / _col("order_gap_days")),
        confidence_motion=Still(),
        high=math.inf,
        summary="silence_days / order_gap_days: silence in units of the customer's own rhythm of orders.",
    )


def _commitment() -> ScoringRule:
    import polars as pl

    silence, gap = _col("silence_days"), _col("order_gap_days")
    regularity = pl.when(silence <= gap).then(1.0).otherwise(gap / silence).fill_null(0.0)
    tenure = _half_of(_seen(_col("tenure_days")), TENURE_HALF_DAYS)
    variety = _half_of(_col("categories"), VARIETY_HALF_CATEGORIES)
    forward = _half_of(_seen(_col("forward_acts")), 1.0)
    # gap / silence falls fastest where it starts to fall, by 1 / gap a day; tenure at its start, by ln 2 / 365.
    fastest = (
        (1.0 / gap).fill_null(0.0) + math.log(2) / TENURE_HALF_DAYS + _fastest_half_of(COMMITMENT_HALF_LIFE_DAYS)
    ) / 4
    return ScoringRule(
        name="commitment",
        value=(regularity + tenure + variety + forward) / 4,
        confidence=_confidence(_col("order_days")),
        evidence=("silence_days", "order_gap_days", "tenure_days", "categories", "forward_acts"),
        motion=Bounded(per_day=fastest),
        confidence_motion=Still(),
        summary=f"Mean of regularity min(1, gap / silence), tenure 1 - 2^(-days / {TENURE_HALF_DAYS:g}), "
        f"variety 1 - 2^(-categories / {VARIETY_HALF_CATEGORIES:g}) and forward acts 1 - 2^(-decayed acts).",
    )


def _ratios() -> tuple[ScoringRule, ...]:
    return (
        _shrunk_ratio(
            "benefit",
            "praise_received",
            "harm_done",
            BENEFIT_HALF_LIFE_DAYS,
            "what the customer got out of it",
        ),
        _shrunk_ratio(
            "trust",
            "promises_kept",
            "promises_broken",
            TRUST_HALF_LIFE_DAYS,
            "promises kept against promises broken",
        ),
        _reciprocity(),
    )


def _shrunk_ratio(name: str, good: str, bad: str, half_life_days: float, what: str) -> ScoringRule:
    """(good + m prior) / (good + bad + m), with both sums decayed alike.

    With S = good + bad its speed is at most ln 2 / h * m S / (S + m)^2 * max(prior, 1 - prior), and
    m S / (S + m)^2 is at most 1/4.
    """
    pro, contra = _seen(_col(good)), _seen(_col(bad))
    speed = math.log(2) / half_life_days / 4
    return ScoringRule(
        name=name,
        value=(pro + PRIOR_WEIGHT * PRIOR) / (pro + contra + PRIOR_WEIGHT),
        confidence=_confidence(pro + contra),
        evidence=(good, bad),
        motion=Bounded(per_day=speed * max(PRIOR, 1 - PRIOR)),
        confidence_motion=Bounded(per_day=speed),
        summary=f"Shrunk ratio ({good} + {PRIOR_WEIGHT:g} * {PRIOR:g}) / ({good} + {bad} + {PRIOR_WEIGHT:g}): {what}.",
    )


def _reciprocity() -> ScoringRule:
    import polars as pl

    gave, got = _seen(_col("given")), _seen(_col("received"))
    speed = math.log(2) / RECIPROCITY_HALF_LIFE_DAYS / 4
    return ScoringRule(
        name="reciprocity",
        value=(2 * pl.min_horizontal(gave, got) + PRIOR_WEIGHT * PRIOR) / (gave + got + PRIOR_WEIGHT),
        confidence=_confidence(gave + got),
        evidence=("given", "received"),
        motion=Bounded(per_day=speed * max(PRIOR, 1 - PRIOR)),
        confidence_motion=Bounded(per_day=speed),
        summary=f"(2 min(given, received) + {PRIOR_WEIGHT:g} * {PRIOR:g}) / (given + received + {PRIOR_WEIGHT:g}): "
        "1 where both sides give alike.",
    )


def _attitude() -> ScoringRule:
    fastest = math.log(2) / 4 * (1 / BENEFIT_HALF_LIFE_DAYS + 1 / TRUST_HALF_LIFE_DAYS) / 2
    return ScoringRule(
        name="attitude",
        value=(_col("benefit") + _col("trust")) / 2,
        confidence=(_col("benefit_confidence") + _col("trust_confidence")) / 2,
        evidence=("praise_received", "harm_done", "promises_kept", "promises_broken"),
        motion=Bounded(per_day=fastest),
        confidence_motion=Bounded(per_day=fastest),
        summary="(benefit + trust) / 2; nothing in it comes from buying.",
    )


def _advocacy() -> ScoringRule:
    support = _seen(_col("public_support"))
    return ScoringRule(
        name="advocacy",
        value=_half_of(support, 1.0),
        confidence=_confidence(support),
        evidence=("public_support",),
        motion=Bounded(per_day=_fastest_half_of(ADVOCACY_HALF_LIFE_DAYS)),
        confidence_motion=Bounded(per_day=math.log(2) / ADVOCACY_HALF_LIFE_DAYS / 4),
        summary="1 - 2^(-public_support): converted referrals and public reviews.",
    )
