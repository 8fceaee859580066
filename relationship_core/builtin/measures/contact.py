"""Contact between both sides: when one of ours last did something for them, and when they last spoke for us.

Ready actions wait for these: a thank-you, a sign of life before somebody feels forgotten, an apology.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from relationship_core import Feature, Measure, Steps
from relationship_core.builtin.measures.evidence import UNNAMED

GIVES = ("inquiry_answered", "complaint_resolved", "gift_given", "help_given")
"""What we did whose nature is give: GIFTS of the evidence and what was owed, which settles an occasion as well."""
PRESENCE = (*GIVES, "complaint_answered", "service", "account_contact")
"""What one of us did towards them, giving or neutral.

A delivery is mostly the carrier's, a bill or a promise is no visit, and a campaign is no presence.
"""


def contact() -> Iterator[Measure]:
    """The last of each kind, and what became of referrals."""
    yield _last("last_given_at", GIVES, "When we last gave: answered, helped, put right, or made a present.")
    yield _last(
        "last_from_us_at",
        PRESENCE,
        "When one of us last did something towards them: gave, served, called or met. No campaign and no delivery.",
    )
    yield _last("last_referral_at", ("referral_made", "referral_converted"), "The last referral, made or converted.")
    yield _last(
        "last_converted_at", ("referral_converted",), "When somebody whom they had sent last became a customer."
    )
    yield Measure(
        name="referrals_converted",
        kinds=("referral_converted",),
        combine="count",
        summary="Referrals of theirs that became customers.",
    )
    yield _last("last_review_at", ("review",), "The last public review.")
    yield _last("last_feedback_at", ("feedback_given", "survey_answer"), "The last feedback, or answer to a survey.")
    yield _last("last_praise_at", ("praise",), "The last praise.")
    yield _last_promise_broken()


def _last(name: str, kinds: tuple[str, ...], summary: str) -> Measure:
    return Measure(name=name, kinds=kinds, combine="max", type="instant", summary=summary)


def _last_promise_broken() -> Measure:
    """What was reported without a reference, and what the cases of promises say."""
    unnamed = "promise_broken_unnamed_at"
    return Measure(
        name=unnamed,
        kinds=("promise_broken",),
        combine="max",
        value=pl.when(UNNAMED.is_not_null()).then(pl.col("at")),
        type="instant",
        features=(
            Feature(
                name="last_promise_broken_at",
                value=pl.max_horizontal(unnamed, "promise_broken_named_at"),
                type="instant",
                # The cases of promises jump then, and this with them.
                motion=Steps(next_change=pl.col("next_promise_due_at")),
                summary="When a promise of ours was last broken, with a reference or without one.",
            ),
        ),
        summary="The last promise broken, without a reference.",
    )
