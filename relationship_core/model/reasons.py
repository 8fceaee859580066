"""Reasons that more than one place gives."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Why an engagement does not go ahead, in the words that decisions and messages keep.

    These are told by the standard policies, and by other parts of the core as well; the names of further policies are
    reasons too.
    """

    EXPIRED = "expired"
    """The occasion began too long ago."""
    GOAL_REACHED = "goal_reached"
    """The customer has done what the campaign is for."""
    ALREADY_DONE = "already_done"
    """The customer has had as many engagements of the campaign as its limit allows."""
    FREQUENCY_CAP = "frequency_cap"
    """The customer has had as many messages as a cap allows in its window."""
    PREFERENCE = "preference"
    """The customer wants no such relationship."""
    NO_CONTACT_POINT = "no_contact_point"
    """There is no address at which the customer could be reached."""
    SUPPRESSED = "suppressed"
    """The address must not be used for such messages."""
    NO_CONSENT = "no_consent"
    """The customer has not allowed marketing on this medium and topic."""
