"""The states of messages, and what they have in common."""

from __future__ import annotations

QUEUED = "queued"
"""The state of a message that nobody works on yet."""
GOING_STATES = ("claimed", "attempting")
"""The states of a message that is being sent right now."""
WAITING_STATES = (QUEUED, *GOING_STATES)
"""The states of a message that is still to be sent."""
UNKNOWN = "unknown"
"""The state of a message that may have gone."""
GONE_STATES = ("accepted", UNKNOWN)
"""The states of a message that has gone, or may have."""
HELD_OUT = "held_out"
"""The state of a message that is never sent, so that one can see what it would have caused."""
CONTACT_STATES = (*WAITING_STATES, *GONE_STATES, HELD_OUT)
"""The states in which a message counts as a contact: it is coming, it came, it may have come, or its place is kept."""
FAILED = "failed"
"""The state of a message that never left: it could not be rendered."""
EXPIRED = "expired"
"""The state of a message that was not worth sending any more."""
STOPPED = "stopped"
"""The state of a message that was not allowed any more when it was to be sent."""
REJECTED = "rejected"
"""The state of a message that its channel will never take."""
