"""Texts that name something."""

from __future__ import annotations

from relationship_core.model.validation import declared

identifier = declared.matching(r"[a-z][a-z0-9_]*", "lower-case letters, digits and underscores, such as first_order")
"""An attrs validator: a name that conditions can use, such as ``complaint_opened``."""

slug = declared.matching(
    r"[a-z][a-z0-9_-]*", "lower-case letters, digits, underscores and hyphens, such as we-miss-you"
)
"""An attrs validator: a name that is never part of a condition, such as ``we-miss-you``."""
