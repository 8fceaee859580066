"""What keeps us from writing: the last return, the last answer, and situations in which marketing would hurt."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from relationship_core import CaseMeasure, Measure, Part
from relationship_core.builtin.measures.features import count, instant

ANSWERS = (
    *("reply", "survey_answer", "review", "referral_made", "referral_converted", "feedback_given", "favour_declined"),
    *("order", "coupon_redeemed", "contract_signed", "preference_declared", "unsubscribe"),
)
"""Kinds that answer whatever was asked last: whoever orders, or leaves, is waited for no longer."""


def restraint() -> Iterator[Measure | CaseMeasure]:
    """All of them."""
    yield _last("last_return_at", ("return",), "The last return.")
    yield _last("last_answer_at", ANSWERS, "The last time that the customer answered us, by a word or a deed.")
    yield _sensitive()


def _last(name: str, kinds: tuple[str, ...], summary: str) -> Measure:
    return Measure(name=name, kinds=kinds, combine="max", type="instant", summary=summary)


def _sensitive() -> CaseMeasure:
    """Marks day by day; the word that it is over ends all that were made before it."""
    ends = pl.when(_holds(pl.col("noted"))).then(pl.col("until"))
    return CaseMeasure(
        name="sensitive",
        key="day",
        parts=(
            Part(name="noted", kinds=("sensitive_noted",), combine="max"),
            Part(name="until", kinds=("sensitive_noted",), combine="max", value=pl.col("until")),
            Part(name="endless", kinds=("sensitive_noted",), combine="max", value=_without_end()),
            Part(name="over", kinds=("sensitive_over",), combine="max"),
        ),
        features=(
            instant(
                ends.max(),
                "sensitive_until",
                "Until when marketing would hurt, as was noted last; it may have passed.",
            ),
            count(
                _holds(pl.col("endless")),
                "sensitive_open",
                "Notes that marketing would hurt, which name no end and were not said to be over.",
            ),
        ),
        summary="Situations in which marketing would hurt.",
    )


def _holds(at: pl.Expr) -> pl.Expr:
    over = pl.col("over").max()
    return (over.is_null() | (at > over)) & at.is_not_null()


def _without_end() -> pl.Expr:
    return pl.when(pl.col("until").is_null()).then(pl.col("at"))
