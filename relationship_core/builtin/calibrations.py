"""The standard calibrations: parameters that describe the customers of this project rather than customers as such.

Refitting changes what scores say about everybody, so it is a command, and what it found is kept in versions.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, TypeAlias, cast

from relationship_core import Calibration, TableCalibration, hookimpl
from relationship_core.builtin import co_purchase

if TYPE_CHECKING:
    import polars as pl

RFM = {"rfm_recency_days": "silence_days", "rfm_frequency": "order_days_365", "rfm_monetary": "recent_spend"}
"""Of each quantity of RFM, by the name of its bounds: the column that is cut into fifths."""
FIFTHS = (1, 2, 3, 4)
LEAST_BUYERS = 25
"""So many customers with an order are needed for fifths: five in each."""

RHYTHMS = {"order_gap_prior_days": "order", "visit_gap_prior_days": "visit"}
"""The assumed rhythms, each with its kind of interaction."""
LEAST_DAYS = 3
"""So many days give a customer a rhythm: two gaps."""
LEAST_REGULARS = 10
"""So many customers with a rhythm are needed for the mean of rhythms."""

Evidence: TypeAlias = tuple[Mapping[str, float], Mapping[str, float]]
"""Decayed counts for something and against it, each with its weight."""
LEAST_EVIDENCE = 0.5
"""So much evidence a customer needs: one event that is no older than its half-life."""
LEAST_JUDGES = 10
"""So many customers with evidence are needed for the mean of ratios."""
CERTAIN = 0.01
"""No prior comes nearer to 0 or 1: with certainty no evidence could change it."""


@hookimpl
def relationship_calibrations(parameters: Mapping[str, float]) -> tuple[Calibration | TableCalibration, ...]:
    """The bounds of RFM's fifths, what is assumed of whom nothing is known, and what is bought together."""
    from relationship_core.builtin.scores.elements import benefit_evidence, trust_evidence

    ratios: Mapping[str, Evidence] = {
        "benefit_prior": benefit_evidence(parameters),
        "trust_prior": trust_evidence(parameters),
    }
    counts = dict.fromkeys(name for sides in ratios.values() for side in sides for name in side)
    return (
        Calibration(
            name="rfm",
            parameters=tuple(f"{name}_{fifth}" for name in RFM for fifth in FIFTHS),
            needs=tuple(RFM.values()),
            fit=fit_rfm,
            summary="The 20, 40, 60 and 80 % quantiles of silence, order days in a year and decayed spend, over the "
            f"customers who ordered; from {LEAST_BUYERS} of them on.",
        ),
        Calibration(
            name="priors",
            parameters=(*RHYTHMS, *ratios),
            needs=(
                *(column for kind in RHYTHMS.values() for column in _rhythm_columns(kind)),
                *counts,
            ),
            fit=partial(fit_priors, ratios=ratios),
            summary=f"The mean gap of the customers with at least {LEAST_DAYS} days, and the mean of a beta-binomial "
            "distribution of ratios by the method of moments (Kleinman 1973); from "
            f"{LEAST_REGULARS} such customers on.",
        ),
        co_purchase.calibration(parameters),
    )


def fit_rfm(customers: pl.DataFrame) -> Mapping[str, float]:
    """The bounds between the fifths of customers who ordered, for each quantity from low to high."""
    buyers = customers.drop_nulls("silence_days")
    if buyers.height < LEAST_BUYERS:
        return {}
    return {
        f"{name}_{fifth}": max(0.0, _quantile(buyers[column].fill_null(0.0), fifth / 5))
        for name, column in RFM.items()
        for fifth in FIFTHS
    }


def _quantile(values: pl.Series, share: float) -> float:
    value = values.quantile(share, interpolation="linear")
    return 0.0 if value is None else float(value)


def fit_priors(customers: pl.DataFrame, *, ratios: Mapping[str, Evidence]) -> Mapping[str, float]:
    """The rhythms and ratios that are the mean of those customers who show theirs."""
    found = {name: _mean_rhythm(customers, kind) for name, kind in RHYTHMS.items()}
    found |= {name: _mean_ratio(customers, evidence) for name, evidence in ratios.items()}
    return {name: value for name, value in found.items() if value is not None}


def _rhythm_columns(kind: str) -> tuple[str, str, str]:
    return (f"{kind}_days", f"first_{kind}_on", f"last_{kind}_on")


def _mean_rhythm(customers: pl.DataFrame, kind: str) -> float | None:
    """The mean over customers of their mean days from one day to the next; the prior itself plays no part in it."""
    import polars as pl

    days, first, last = (pl.col(name) for name in _rhythm_columns(kind))
    gaps = customers.filter(days >= LEAST_DAYS).select((last - first).dt.total_days() / (days - 1)).to_series()
    return None if len(gaps) < LEAST_REGULARS else _number(gaps.mean())


def _mean_ratio(customers: pl.DataFrame, evidence: Evidence) -> float | None:
    """The mean of the ratios that customers are drawn with, by Kleinman's weighted moments.

    A customer with n events says more than one with a single event, and less than n customers: with rho the
    correlation of two events of one customer, the weight is n / (1 + rho (n - 1)). Rho is taken from the spread of
    the ratios around their mean weighted by n, then the mean is taken again.
    """
    import polars as pl

    pro, contra = (
        pl.sum_horizontal(pl.lit(0.0), *(pl.col(name).fill_null(0.0) * weight for name, weight in side.items()))
        for side in evidence
    )
    judges = customers.select(n=pro + contra, ratio=pro / (pro + contra)).filter(pl.col("n") >= LEAST_EVIDENCE)
    if judges.height < LEAST_JUDGES:
        return None
    n, ratio = judges["n"], judges["ratio"]
    first = _number((n * ratio).sum()) / _number(n.sum())
    rho = _correlation(n, ratio, first)
    weight = n / (1.0 + rho * (n - 1.0))
    mean = _number((weight * ratio).sum()) / _number(weight.sum())
    return min(max(mean, CERTAIN), 1.0 - CERTAIN)


def _correlation(n: pl.Series, ratio: pl.Series, mean: float) -> float:
    """How alike two events of one customer are, 0 to 1, from the spread of ratios weighted by n."""
    spread = _number((n * (ratio - mean) ** 2).sum())
    share = 1.0 - n / _number(n.sum())
    by_chance, whole = _number(share.sum()), _number((n * share).sum())
    variance = mean * (1.0 - mean)
    if variance == 0.0 or whole <= by_chance:
        return 0.0
    return min(max((spread - variance * by_chance) / (variance * (whole - by_chance)), 0.0), 1.0)


def _number(value: object) -> float:
    """What polars gives for a series of numbers that is not empty."""
    return float(cast("float", value))
