"""Announcements: rows as the objects that listening plugins are told about."""

from __future__ import annotations

import json

import polars as pl

from relationship_core.model.interaction import Interaction, OrderLine
from relationship_core.model.money import Money
from relationship_core.model.relationship import Transition


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
