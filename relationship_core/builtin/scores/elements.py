"""The elements of a relationship: benefit, trust, commitment, reciprocity, shared values, advocacy.

Sources: Morgan and Hunt (1994) for trust, commitment and shared values; Palmatier, Dant, Grewal and Evans (2006) and
Palmatier, Jarvis, Bechkoff and Kardes (2009) for reciprocity and the others. They measure by survey; these are proxies
made from what people did.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TypeAlias

import polars as pl

from relationship_core import ScoringRule, Still
from relationship_core.builtin.scores.formulas import (
    LN2,
    confidence,
    fastest_confidence,
    fastest_half_of,
    fastest_ratio,
    half_of,
    moving,
    ratio,
    seen,
    weighed,
)

Parameters: TypeAlias = Mapping[str, float]

NEXT_BREACH = pl.col("promises_broken__next_change")
"""When the next promise will be broken unless it is kept: trust, and all that rests on it, may jump then."""


def elements(parameters: Parameters) -> Iterator[ScoringRule]:
    """A score for each element, and the balance of gives and asks."""
    yield _benefit(parameters)
    yield _trust(parameters)
    yield _regularity(parameters)
    yield _commitment(parameters)
    yield from _reciprocity(parameters)
    yield _shared_values(parameters)
    yield _advocacy(parameters)


def benefit_evidence(parameters: Parameters) -> tuple[dict[str, float], dict[str, float]]:
    """The decayed counts for benefit and those against it, each with its weight."""
    good = {
        "praise_received": parameters["praise_weight"],
        "promoters": parameters["promoter_weight"],
        "complaints_redressed": parameters["redress_weight"],
    }
    bad = {
        "returns": parameters["return_weight"],
        "complaints_against": parameters["complaint_weight"],
        "complaints_unnamed": parameters["complaint_weight"],
        "detractors": parameters["detractor_weight"],
    }
    return good, bad


def trust_evidence(parameters: Parameters) -> tuple[dict[str, float], dict[str, float]]:
    """The decayed counts for trust and those against it, each with its weight."""
    good = {
        "promises_kept": parameters["promise_kept_weight"],
        "inquiries_answered_in_time": parameters["answer_weight"],
        "complaints_answered_in_time": parameters["answer_weight"],
    }
    bad = dict.fromkeys(("promises_broken", "promises_broken_unnamed"), parameters["promise_broken_weight"])
    return good, bad


def _benefit(parameters: Parameters) -> ScoringRule:
    """B(praise, promoters, complaints put right in time; returns, other complaints, detractors).

    A complaint put right in time cancels itself and counts for; any other counts against. Orders are no evidence.
    A proxy of satisfaction.
    """
    good, bad = benefit_evidence(parameters)
    m, prior, days = parameters["prior_weight"], parameters["benefit_prior"], parameters["benefit_half_life_days"]
    pro, contra = weighed(good), weighed(bad)
    return ScoringRule(
        name="benefit",
        value=ratio(pro, contra, prior, m),
        confidence=confidence(pro + contra, m),
        evidence=(*good, *bad),
        motion=moving(pro + contra, fastest_ratio(days, prior)),
        confidence_motion=moving(pro + contra, fastest_confidence(days)),
        summary=f"B(praise, promoters, complaints put right in time; returns, other complaints, detractors), where "
        f"B(p, n) = (p + {m:g} * {prior:g}) / (p + n + {m:g}): what the customer got out of it.",
    )


def _trust(parameters: Parameters) -> ScoringRule:
    """B(promises kept, answers in time; promises broken) * 2^(-opportunism).

    Opportunism is the decayed sum of contacts after the opt-out and billing errors; it halves trust for each, and
    trust recovers as it decays: by at most ln 2 / (e h) a day.
    """
    good, bad = trust_evidence(parameters)
    wrong = dict.fromkeys(("contacts_after_opt_out", "billing_errors"), parameters["opportunism_weight"])
    m, prior, days = parameters["prior_weight"], parameters["trust_prior"], parameters["trust_half_life_days"]
    pro, contra, opportunism = weighed(good), weighed(bad), weighed(wrong)
    events = pro + contra + opportunism
    return ScoringRule(
        name="trust",
        value=ratio(pro, contra, prior, m) * pl.lit(2.0).pow(-opportunism),
        confidence=confidence(events, m),
        evidence=(*good, *bad, *wrong),
        motion=moving(events, fastest_ratio(days, prior) + fastest_half_of(days), NEXT_BREACH),
        confidence_motion=moving(events, fastest_confidence(days), NEXT_BREACH),
        summary=f"B(promises kept, answers in time; promises broken) * 2^(-(contacts after the opt-out + billing "
        f"errors)), B as in benefit with the prior {prior:g}: whether we do what we say.",
    )


def _regularity(parameters: Parameters) -> ScoringRule:
    """min(1, gap / silence): 1 while the silence is no longer than the own gap; 0 without orders.

    It falls fastest where it starts to fall, by 1 / gap a day. It stands for patronage.
    """
    silence, gap = pl.col("silence_days"), pl.col("order_gap_days")
    return ScoringRule(
        name="regularity",
        value=pl.when(silence <= gap).then(1.0).otherwise(gap / silence).fill_null(0.0),
        confidence=confidence(pl.col("order_days"), parameters["prior_weight"]),
        evidence=("silence_days", "order_gap_days"),
        motion=moving(pl.col("order_days"), 1.0 / gap),
        confidence_motion=Still(),
        summary="min(1, order_gap_days / silence_days): whether orders still come in the customer's own rhythm.",
    )


def _commitment(parameters: Parameters) -> ScoringRule:
    """The weighed mean of regularity, tenure, variety and forward acts; the prior without any order, visit or act.

    Regularity is min(1, gap / silence); variety 1 - 2^(-categories / 3); forward acts 1 - 2^(-D). Tenure is
    1 - 2^(-days / 365), and its days go from the first interaction to the last order or visit, not to now: the
    relationship is as old as what it rests on. So in a silence tenure and variety stand still, regularity falls
    once the silence is longer than the own gap, forward acts decay, and nothing makes commitment rise.
    """
    m, days = parameters["prior_weight"], parameters["commitment_half_life_days"]
    acts = seen("forward_acts")
    met = pl.max_horizontal("last_order_at", "last_visit_at")
    together = ((met - pl.col("first_interaction_at")) / pl.duration(days=1)).fill_null(0.0)
    parts = {
        "regularity": pl.col("regularity"),
        "tenure": half_of(together, parameters["tenure_half_days"]),
        "variety": half_of(pl.col("categories"), parameters["variety_half_categories"]),
        "forward": half_of(acts, 1.0),
    }
    weights = {name: parameters[f"{name}_weight"] for name in parts}
    whole = max(math.fsum(weights.values()), 1e-9)
    mean = sum((part * weights[name] for name, part in parts.items()), start=pl.lit(0.0)) / whole
    events = pl.col("order_days") + pl.col("visit_days") + acts
    falling = weights["regularity"] * (1.0 / pl.col("order_gap_days")).fill_null(0.0)
    return ScoringRule(
        name="commitment",
        value=pl.when(events > 0).then(mean).otherwise(parameters["commitment_prior"]),
        confidence=confidence(events, m),
        evidence=("silence_days", "order_gap_days", "visit_days", "categories", "forward_acts"),
        motion=moving(events, (falling + weights["forward"] * fastest_half_of(days)) / whole),
        confidence_motion=moving(acts, fastest_confidence(days)),
        summary=f"Mean of regularity, tenure 1 - 2^(-days / {parameters['tenure_half_days']:g}) from the first "
        "interaction to the last order or visit, variety 1 - 2^(-categories / "
        f"{parameters['variety_half_categories']:g}) and forward acts 1 - 2^(-forward_acts).",
    )


def _reciprocity(parameters: Parameters) -> Iterator[ScoringRule]:
    """2 min(G, R) / (G + R) with a prior, the signed balance (R - G) / (R + G), and the share of asks A / (A + G).

    G is what we gave, R what they gave beside money, A what we asked for.
    """
    gave, got, asked = seen("given"), seen("received"), seen("asked")
    m, prior, days = (
        parameters["prior_weight"],
        parameters["reciprocity_prior"],
        parameters["reciprocity_half_life_days"],
    )
    both = gave + got
    yield ScoringRule(
        name="reciprocity",
        value=(2 * pl.min_horizontal(gave, got) + m * prior) / (both + m),
        confidence=confidence(both, m),
        evidence=("given", "received"),
        motion=moving(both, fastest_ratio(days, prior)),
        confidence_motion=moving(both, fastest_confidence(days)),
        summary=f"(2 min(given, received) + {m:g} * {prior:g}) / (given + received + {m:g}): "
        "1 where both sides give alike.",
    )
    yield ScoringRule(
        name="give_balance",
        value=pl.when(both > 0).then((got - gave) / both).otherwise(0.0),
        confidence=confidence(both, m),
        evidence=("given", "received"),
        low=-1,
        motion=moving(both, ROUNDING),
        confidence_motion=moving(both, fastest_confidence(days)),
        summary="(received - given) / (received + given): -1 where only we give, 1 where only they do.",
    )
    asking = parameters["ask_ratio_prior"]
    yield ScoringRule(
        name="ask_ratio",
        value=ratio(asked, gave, asking, m),
        confidence=confidence(asked + gave, m),
        evidence=("asked", "given"),
        motion=moving(asked + gave, fastest_ratio(days, asking)),
        confidence_motion=moving(asked + gave, fastest_confidence(days)),
        summary=f"B(asked, given), B as in benefit with the prior {asking:g}: how much of what we do is asking.",
    )


ROUNDING = 1e-9
"""A ratio of sums that decay alike stays as it is; only its rounding moves."""


def _shared_values(parameters: Parameters) -> ScoringRule:
    """1 - 2^(-D): community acts, causes declared and acted for, preferences declared and met.

    Only what customers declared themselves counts; nothing is inferred about them.
    """
    days = parameters["shared_values_half_life_days"]
    evidence = ("community_acts", "causes_matched", "preferences_matched")
    acts = weighed(dict.fromkeys(evidence, 1.0))
    return ScoringRule(
        name="shared_values",
        value=half_of(acts, 1.0),
        confidence=confidence(acts, parameters["prior_weight"]),
        evidence=evidence,
        motion=moving(acts, fastest_half_of(days)),
        confidence_motion=moving(acts, fastest_confidence(days)),
        summary="1 - 2^(-(community_acts + causes_matched + preferences_matched)): what both sides care for.",
    )


def _advocacy(parameters: Parameters) -> ScoringRule:
    """1 - 2^(-D(converted referrals, public reviews))."""
    support, days = seen("public_support"), parameters["advocacy_half_life_days"]
    return ScoringRule(
        name="advocacy",
        value=half_of(support, 1.0),
        confidence=confidence(support, parameters["prior_weight"]),
        evidence=("public_support",),
        motion=moving(support, fastest_half_of(days)),
        confidence_motion=moving(support, fastest_confidence(days)),
        summary="1 - 2^(-public_support): converted referrals and public reviews.",
    )


def fastest_attitude(parameters: Parameters) -> float:
    """The largest daily change of (benefit + trust) / 2, between jumps."""
    trust = parameters["trust_half_life_days"]
    return (
        fastest_ratio(parameters["benefit_half_life_days"], parameters["benefit_prior"])
        + fastest_ratio(trust, parameters["trust_prior"])
        + fastest_half_of(trust)
    ) / 2


def fastest_strength(parameters: Parameters) -> pl.Expr:
    """The largest daily change of the geometric mean of trust, commitment and benefit, between jumps.

    Each of them changes by at most so much of itself a day: a shrunk ratio by ln 2 / h, regularity by 1 / gap,
    1 - 2^(-D) by ln 2 / h, and so does their mean; a third of each adds up in the geometric mean, which is at most 1.
    For opportunism, D 2^(-D / 3) is at most 3 / (e ln 2), which makes ln 2 / (e h).
    """
    days = [parameters[f"{name}_half_life_days"] for name in ("benefit", "trust", "commitment")]
    steady = math.fsum(LN2 / each for each in days) / 3 + fastest_half_of(parameters["trust_half_life_days"])
    return (1.0 / pl.col("order_gap_days")).fill_null(0.0) / 3 + steady
