"""Decayed counts of what speaks for and against each element of a relationship, event by event.

What several events say together, such as a complaint and its redress, is counted by the cases.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import polars as pl

from relationship_core import Measure
from relationship_core.builtin.measures.features import from_data

PROMOTER, DETRACTOR, HIGHEST_NPS = 9, 6, 10
"""An answer from PROMOTER on recommends, one up to DETRACTOR warns (Reichheld 2003)."""

GIFTS = ("gift_given", "help_given")
"""What we gave unasked; an answer or redress, which `contact` counts as a give too, was owed."""
RECEIVED = (
    *("referral_made", "referral_converted", "review", "survey_answer", "feedback_given"),
    *("preference_declared", "goal_declared", "cocreation"),
)
ASKED = ("favour_asked", "campaign_received")
FORWARD = ("coupon_redeemed", "contract_signed", "upgrade", "cocreation", "joint_plan")
SUPPORT = ("referral_converted", "review")

_NPS = from_data("nps").cast(pl.Float64, strict=False)
NPS = pl.when(_NPS.is_between(0, HIGHEST_NPS)).then(_NPS)
"""The data's `nps`, where it is a number from 0 to 10."""
UNNAMED = pl.when(pl.col("reference").is_null()).then(1.0)
"""One for what names no case."""


def evidence(parameters: Mapping[str, float]) -> Iterator[Measure]:
    """A decayed count for each kind of evidence."""
    half_lives = {name: days for name, days in parameters.items() if name.endswith("_half_life_days")}
    for element, name, kinds, value, what in _ROWS:
        days = half_lives[f"{element}_half_life_days"]
        yield Measure(
            name=name,
            kinds=kinds,
            combine="count",
            value=value,
            half_life_days=days,
            summary=f"{what}, each halved every {days:g} days.",
        )


_ROWS: tuple[tuple[str, str, tuple[str, ...], pl.Expr | None, str], ...] = (
    ("benefit", "praise_received", ("praise",), None, "Praise"),
    ("benefit", "returns", ("return",), None, "Returns"),
    ("benefit", "complaints_unnamed", ("complaint_opened",), UNNAMED, "Complaints without a reference"),
    ("benefit", "nps_answers", ("survey_answer",), pl.when(NPS.is_not_null()).then(1.0), "Survey answers with `nps`"),
    ("benefit", "promoters", ("survey_answer",), pl.when(NPS >= PROMOTER).then(1.0), "Survey answers of 9 or 10"),
    ("benefit", "detractors", ("survey_answer",), pl.when(NPS <= DETRACTOR).then(1.0), "Survey answers of 0 to 6"),
    ("trust", "promises_broken_unnamed", ("promise_broken",), UNNAMED, "Promises broken, without a reference"),
    ("trust", "billing_errors", ("billing_error",), None, "Billing errors"),
    ("commitment", "forward_acts", FORWARD, None, "Acts that look ahead"),
    ("reciprocity", "given", GIFTS, None, "What we gave"),
    ("reciprocity", "received", RECEIVED, None, "What the customer gave beside money"),
    ("reciprocity", "asked", ASKED, None, "What we asked for"),
    ("shared_values", "community_acts", ("community_act",), None, "Acts for what we both care for"),
    ("advocacy", "public_support", SUPPORT, None, "Converted referrals and public reviews"),
)
"""Element, name, kinds, value and words of each."""
