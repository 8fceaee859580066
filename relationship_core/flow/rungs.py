"""Rungs: the stages of a ladder with their conditions parsed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from relationship_core.conditions import Condition


@frozen(kw_only=True)
class Rung:
    """One stage of the ladder with its conditions parsed.

    Attributes:
        name: the stage.
        rank: its place; 0 is the first.
        enter: the condition to step up to it; None on the first rung.
        leave: the condition to step down from it; None for never.
        dwell_days: the shortest stay.
    """

    name: str
    rank: int
    enter: Condition | None
    leave: Condition | None
    dwell_days: float
