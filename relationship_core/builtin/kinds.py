"""The standard kinds of interaction: who moved, whether it gave or asked, and what it is evidence of.

The elements of a relationship are ``benefit``, ``trust``, ``commitment``, ``reciprocity``, ``shared_values``
and ``advocacy``. An order is evidence of commitment by its rhythm, never of benefit.
"""

from __future__ import annotations

from typing import TypeAlias

from relationship_core import Direction, InteractionKind, Nature, hookimpl

_Row: TypeAlias = tuple[str, Nature, str, str]
"""Name, nature, evidence, summary."""

_CUSTOMER: tuple[_Row, ...] = (
    ("inquiry", "ask", "", "Asked a question."),
    ("visit", "neutral", "commitment", "Came to a shop, a site or an office."),
    (
        "order",
        "neutral",
        "commitment",
        "Ordered; the amount is what was paid, after refunds at the till; `coupon` is the code of a coupon used.",
    ),
    ("order_cancelled", "neutral", "", "Cancelled an order before it was delivered."),
    ("return", "neutral", "benefit", "Sent goods back, or wanted the money back."),
    ("contract_signed", "neutral", "commitment", "Signed or renewed a contract or a subscription, valid `until`."),
    ("upgrade", "neutral", "commitment", "Moved to a larger or better version of what they have."),
    (
        "coupon_redeemed",
        "neutral",
        "commitment",
        "Used a coupon that we had given; its code is `coupon`, or else the reference.",
    ),
    ("complaint_opened", "ask", "benefit", "Complained; the reference names the case, `severity` how bad it is."),
    ("praise", "give", "benefit", "Praised us, to us."),
    ("review", "give", "advocacy reciprocity", "Recommended us in public."),
    ("survey_answer", "give", "benefit reciprocity", "Answered a survey; `nps` from 0 to 10 is their recommendation."),
    ("feedback_given", "give", "reciprocity", "Told us what to do better, without a complaint."),
    ("referral_made", "give", "reciprocity", "Recommended us to somebody."),
    ("referral_converted", "give", "advocacy reciprocity", "Somebody whom they had sent became a customer."),
    ("cocreation", "give", "commitment reciprocity", "Made or tested something together with us."),
    ("community_act", "give", "shared_values", "Took part in what we both care for."),
    ("goal_declared", "give", "shared_values reciprocity", "Told us what they want to achieve, and by when."),
    ("goal_reached", "neutral", "", "Reached a goal that they had declared; the reference names it."),
    (
        "preference_declared",
        "give",
        "shared_values reciprocity",
        "Told us what they like (`topic`) or what they care for (`cause`).",
    ),
    ("favour_declined", "neutral", "", "Did not do what we had asked for; the reference names the favour."),
    ("item_acquired", "neutral", "", "Has a thing from us, or brings it to us; the reference names the item."),
    ("item_retired", "neutral", "", "No longer has the item that the reference names."),
    ("joint_plan", "give", "commitment", "Agreed with us on a plan for both."),
    ("reply", "neutral", "", "Answered a message of ours."),
    ("unsubscribe", "neutral", "", "Wanted no more messages of a kind."),
    (
        "sensitive_noted",
        "neutral",
        "",
        "Is in a situation in which marketing would hurt, such as a bereavement; `until` says how long.",
    ),
    ("sensitive_over", "neutral", "", "Is in no such situation any more."),
)
"""What the customer did."""

_WE: tuple[_Row, ...] = (
    ("inquiry_answered", "give", "trust", "Answered a question; the reference ties it to the inquiry."),
    ("delivery", "neutral", "", "Delivered what was ordered."),
    ("service", "neutral", "", "Installed, maintained or repaired something; the reference names the item."),
    ("complaint_answered", "neutral", "trust", "Answered a complaint, without having put it right yet."),
    ("complaint_resolved", "give", "benefit trust", "Put a complaint right; the reference names the case."),
    ("promise_made", "neutral", "", "Promised something by the time `due`; the reference names the promise."),
    ("promise_kept", "neutral", "trust", "Kept a promise; the reference names it."),
    ("promise_broken", "neutral", "trust", "Broke a promise, or was late; the reference names it."),
    ("billing_error", "neutral", "trust", "Billed wrongly, to the customer's harm."),
    ("favour_asked", "ask", "", "Asked for a review, a referral, an answer; the reference names the favour."),
    ("gift_given", "give", "reciprocity", "Gave something with a value, asking nothing."),
    ("help_given", "give", "reciprocity", "Helped or advised beyond what was owed."),
    ("account_contact", "neutral", "", "Called or met in person, outside of an order or a case."),
    ("campaign_received", "ask", "", "Sent a campaign through another system than this one."),
)
"""What we did."""


@hookimpl
def relationship_interaction_kinds() -> tuple[InteractionKind, ...]:
    """The standard registry."""
    return (*_kinds("inbound", _CUSTOMER), *_kinds("outbound", _WE))


def _kinds(direction: Direction, rows: tuple[_Row, ...]) -> list[InteractionKind]:
    return [
        InteractionKind(
            name=name, direction=direction, nature=nature, evidence=tuple(evidence.split()), summary=summary
        )
        for name, nature, evidence, summary in rows
    ]
