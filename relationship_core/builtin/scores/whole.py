"""What the elements come to: attitude, strength, the type of loyalty, and the answer to "would you recommend us"."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import polars as pl

from relationship_core import ScoringRule, Steps
from relationship_core.builtin.scores.elements import NEXT_BREACH, ROUNDING, fastest_attitude, fastest_strength
from relationship_core.builtin.scores.formulas import confidence, fastest_confidence, moving, seen
from relationship_core.builtin.scores.patronage import EARLY

LOYALTY = ("none", "spurious", "latent", "true")
"""Low attitude with low and with high patronage, then high attitude with low and with high."""


def whole(parameters: Mapping[str, float]) -> Iterator[ScoringRule]:
    """Attitude, strength, loyalty and nps."""
    yield _attitude(parameters)
    yield _strength(parameters)
    yield _loyalty(parameters)
    yield _nps(parameters)


def _attitude(parameters: Mapping[str, float]) -> ScoringRule:
    """(benefit + trust) / 2; nothing in it comes from buying."""
    known = pl.col("benefit_confidence") + pl.col("trust_confidence")
    days = [parameters["benefit_half_life_days"], parameters["trust_half_life_days"]]
    return ScoringRule(
        name="attitude",
        value=(pl.col("benefit") + pl.col("trust")) / 2,
        confidence=known / 2,
        evidence=_OF_BENEFIT + _OF_TRUST,
        motion=moving(known, fastest_attitude(parameters), NEXT_BREACH),
        confidence_motion=moving(known, sum(map(fastest_confidence, days)) / 2, NEXT_BREACH),
        summary="(benefit + trust) / 2; nothing in it comes from buying.",
    )


_OF_BENEFIT = ("praise_received", "promoters", "complaints_redressed", "returns", "complaints_against", "detractors")
_OF_TRUST = ("promises_kept", "inquiries_answered_in_time", "promises_broken", "billing_errors")


def _strength(parameters: Mapping[str, float]) -> ScoringRule:
    """The geometric mean of trust, commitment and benefit; its confidence is the smallest of theirs.

    A geometric mean, so that no element makes up for one that is missing.
    """
    parts = ("trust", "commitment", "benefit")
    product = pl.col("trust") * pl.col("commitment") * pl.col("benefit")
    known = pl.sum_horizontal(f"{part}_confidence" for part in parts)
    sure = [fastest_confidence(parameters[f"{part}_half_life_days"]) for part in parts]
    return ScoringRule(
        name="strength",
        value=product.pow(1 / 3),
        confidence=pl.min_horizontal(f"{part}_confidence" for part in parts),
        evidence=(*_OF_TRUST, "silence_days", "order_gap_days", "forward_acts", *_OF_BENEFIT),
        motion=moving(known, fastest_strength(parameters), NEXT_BREACH),
        confidence_motion=moving(known, max(sure), NEXT_BREACH),
        summary="(trust * commitment * benefit)^(1/3), as sure as the least sure of them: the relationship as a whole.",
    )


def _loyalty(parameters: Mapping[str, float]) -> ScoringRule:
    """Attitude against patronage, each high or low (Dick and Basu 1994); null where nothing is known of one of them.

    Patronage is regularity: it turns low where the silence passes gap / bound. Attitude cannot reach its bound before
    its distance to it over its speed.
    """
    attitude, regularity = pl.col("attitude"), pl.col("regularity")
    liking, coming = parameters["loyalty_attitude"], parameters["loyalty_regularity"]
    likes, comes = attitude >= liking, regularity >= coming
    known = (pl.col("attitude_confidence") > 0) & (pl.col("regularity_confidence") > 0)
    turns = (attitude - liking).abs() / fastest_attitude(parameters) * EARLY
    stops = pl.col("order_gap_days") / coming * EARLY
    jumps = (
        pl.when(pl.col("attitude_confidence") > 0).then(pl.col("now") + pl.duration(days=turns)),
        pl.when(comes).then(pl.col("last_order_at") + pl.duration(days=stops)),
        NEXT_BREACH,
    )
    return ScoringRule(
        name="loyalty",
        value=pl.when(known).then(2.0 * likes.cast(pl.Float64) + comes.cast(pl.Float64)),
        confidence=pl.min_horizontal("attitude_confidence", "regularity_confidence"),
        evidence=(*_OF_BENEFIT, *_OF_TRUST, "silence_days", "order_gap_days"),
        labels=LOYALTY,
        high=3,
        motion=Steps(next_change=pl.min_horizontal(jumps)),
        confidence_motion=moving(
            pl.col("attitude_confidence"),
            max(fastest_confidence(parameters[f"{each}_half_life_days"]) for each in ("benefit", "trust")),
            NEXT_BREACH,
        ),
        summary=f"Attitude from {liking:g} against regularity from {coming:g}: true (both), latent (attitude alone), "
        "spurious (regularity alone) or none.",
    )


def _nps(parameters: Mapping[str, float]) -> ScoringRule:
    """100 (promoters - detractors) / answers, each answer halved like the evidence of benefit (Reichheld 2003).

    The answers of one customer; the net promoter score of a business is that of all who answered.
    """
    answers = seen("nps_answers")
    return ScoringRule(
        name="nps",
        value=pl.when(answers > 0).then(100 * (seen("promoters") - seen("detractors")) / answers).otherwise(0.0),
        confidence=confidence(answers, parameters["prior_weight"]),
        evidence=("nps_answers", "promoters", "detractors"),
        low=-100,
        high=100,
        motion=moving(answers, 100 * ROUNDING),
        confidence_motion=moving(answers, fastest_confidence(parameters["benefit_half_life_days"])),
        summary="100 (promoters - detractors) / nps_answers: what the customer's own survey answers say.",
    )
