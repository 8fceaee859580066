"""What a project knows about itself: single texts by name, kept in the store."""

from __future__ import annotations

import polars as pl

from relationship_core.columns import FACTS
from relationship_core.ports import Store

LAST_RECORDED_FACT = "last_recorded_at"
"""Under this name the store keeps the latest instant of any recorded interaction, as ISO text."""


def read_fact(store: Store, name: str) -> str | None:
    """The text kept under a name; None where there is none."""
    return store.fact(name)


def write_fact(store: Store, name: str, value: str) -> None:
    """Keep a text under a name; inside a transaction."""
    store.put(FACTS, pl.DataFrame({"name": [name], "value": [value]}, schema=dict(FACTS.schema)))
