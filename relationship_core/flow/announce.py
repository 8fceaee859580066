"""Announcing: whoever listens is told what was kept, as objects; where nobody does, none is made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from relationship_core.flow.objects import as_interactions, as_transitions
from relationship_core.plugins import Plugins

if TYPE_CHECKING:
    import polars as pl

    from relationship_core.model.message import Receipt

Announce: TypeAlias = "Callable[[pl.DataFrame], None]"
"""Takes the rows that were kept."""


def interactions_to(plugins: Plugins, currency: str) -> Announce | None:
    """Announces rows of INTERACTIONS; None where nobody listens."""
    if not plugins.listens("relationship_recorded"):
        return None
    return lambda new: plugins.recorded(as_interactions(new, currency))


def transitions_to(plugins: Plugins) -> Announce | None:
    """Announces rows of TRANSITIONS; None where nobody listens."""
    if not plugins.listens("relationship_stage_changed"):
        return None
    return lambda moved: plugins.stage_changed(as_transitions(moved))


def receipts_to(plugins: Plugins) -> Callable[[Sequence[Receipt]], None] | None:
    """Announces receipts; None where nobody listens."""
    return plugins.delivered if plugins.listens("relationship_delivered") else None
