"""Words that settings, campaigns, declarations and permission have in common."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

Purpose: TypeAlias = Literal["service", "marketing"]
"""What a message is to the law: whatever carries a price, an offer or a buying link is marketing."""

Wish: TypeAlias = Literal["close", "occasional", "transactional", "none"]
"""The relationship that a customer wants with us, from the closest: ``transactional`` is service messages alone, and
``none`` not even a thank-you."""

UNASKED = "unasked"
"""What stands in the place of a wish until a customer has said one."""

TASK_MEDIUM: Final = "task"
"""The medium of work for people: every customer is reached on it, since it goes to one of ours."""
TASK_SOURCE: Final = "tasks"
"""The source of the interactions that the outcomes of tasks are recorded as."""

ConsentState: TypeAlias = Literal[
    "not_needed", "granted", "pending", "expired", "none", "withdrawn", "objected"
]  # fmt: skip
"""Where permission for one medium and topic stands, from the most to the least: ``pending`` waits for a double opt-in's
answer; ``none`` was never asked."""

PERMITTED_STATES: tuple[ConsentState, ...] = ("not_needed", "granted")
"""The states of consent in which marketing may go."""

WITHOUT_MARKETING: tuple[Wish, ...] = ("transactional", "none")
"""The wishes of those who want no marketing."""

LINKS = "links"
"""The variable under which templates know the links of messages, and the receiver that takes the clicks on them."""
