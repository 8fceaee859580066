"""Which policies rest on permission: those that are asked again when a message is claimed."""

from __future__ import annotations

from relationship_core.declarations import Policy

PERMISSION_COLUMNS = frozenset({"consent", "suppressed", "wish"})
"""The columns of candidates that tell of permission."""
_OF_MESSAGES = frozenset({"campaign", "action", "occasion", "purpose", "nature", "topic", "channel", "medium"})
"""What a policy may read beside: the message's own columns."""


def rests_on(policy: Policy, asked: frozenset[str] = PERMISSION_COLUMNS) -> bool:
    """Whether a policy refuses by some of these columns, and by nothing else that a message does not have."""
    if policy.refuses is None:
        return False
    named = {*policy.refuses.meta.root_names()}
    if policy.detail is not None:
        named |= {*policy.detail.meta.root_names()}
    return bool(named & asked) and named <= asked | _OF_MESSAGES
