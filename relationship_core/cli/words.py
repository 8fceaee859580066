"""Codes in words: the reasons of decisions, the states of messages, the kinds of interactions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from relationship_core import Relationships

_REASONS = {
    "due": "It was due, and nothing spoke against it.",
    "nothing_due": "In the audience, and without an occasion: silence is a decision too.",
    "waiting": "The step before has gone, and the time of this one has not come, or its condition does not hold yet.",
    "outranked": "Another campaign had the better claim to the customer's attention.",
    "budget": "The campaign's budget does not pay for one more.",
    "held_out": "It was due, and is left out, so that one can see what the campaign causes.",
    "not_active": "The campaign is not active, so nobody gets anything of it; see `relate campaign`.",
    "policy_failed": "A policy failed, which stops the campaign until it is mended; see `relate doctor`.",
}
"""The reasons that are no policy's."""

STATES = {
    "queued": "waiting in the outbox",
    "claimed": "about to be sent",
    "attempting": "being sent, or cut short while it was",
    "accepted": "the channel took it",
    "rejected": "the channel will never take it",
    "unknown": "the channel may have sent it; it is not sent again by itself",
    "expired": "no longer worth sending when its turn came",
    "failed": "could not be filled in",
    "stopped": "permission was taken back, its goal reached, its campaign archived or its task cancelled, meanwhile",
    "held_out": "never sent, so that one can see what it would have caused",
}


def reasons_in_words(relationships: Relationships) -> Mapping[str, str]:
    """What each reason of a decision means."""
    return _REASONS | {policy.name: policy.summary for policy in relationships.plugins.policies}
