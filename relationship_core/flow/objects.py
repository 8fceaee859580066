"""Rows as the objects that embedders and listening plugins are given."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from relationship_core.model.interaction import Interaction, OrderLine
from relationship_core.model.money import Money
from relationship_core.model.relationship import Transition

if TYPE_CHECKING:
    import polars as pl

    from relationship_core.model.engagement import Decision


def as_interactions(rows: pl.DataFrame, currency: str) -> tuple[Interaction, ...]:
    """Rows of INTERACTIONS as interactions."""
    return tuple(
        Interaction(
            source=row["source"],
            id=row["id"],
            customer=row["customer"],
            kind=row["kind"],
            at=row["at"],
            amount=None if row["amount"] is None else Money(minor=row["amount"], currency=currency),
            reference=row["reference"],
            lines=tuple(OrderLine(**line) for line in row["lines"] or ()),
            data=json.loads(row["data"] or "{}"),
        )
        for row in rows.iter_rows(named=True)
    )


def as_transitions(rows: pl.DataFrame) -> tuple[Transition, ...]:
    """Rows of TRANSITIONS as transitions."""
    return tuple(
        Transition(
            customer=row["customer"],
            at=row["at"],
            origin=row["origin"],
            target=row["target"],
            evidence={name: str(value) for name, value in json.loads(row["evidence"]).items()},
        )
        for row in rows.iter_rows(named=True)
    )


def as_decisions(rows: pl.DataFrame) -> tuple[Decision, ...]:
    """Rows of DECISIONS as decisions."""
    from relationship_core.model.engagement import Decision, Engagement

    return tuple(
        Decision(
            engagement=Engagement(
                campaign=row["campaign"], action=row["action"], customer=row["customer"], occasion=row["occasion"]
            ),
            verdict=row["verdict"],
            reason=row["reason"],
            detail=row["detail"],
            until=row["until"],
            at=row["at"],
        )
        for row in rows.iter_rows(named=True)
    )
