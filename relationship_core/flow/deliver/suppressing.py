"""Suppressing: addresses of which a channel says, when it is handed a message, that they will never work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import polars as pl

from relationship_core.flow.record.recorder import Recorder
from relationship_core.flow.record.suppressions import keep_suppressions
from relationship_core.model.permission import SuppressionReason, usual_scope
from relationship_core.table import INSTANT

Row = Mapping[str, object]

_SCHEMA: Mapping[str, pl.DataType | type[pl.DataType]] = {
    **dict.fromkeys(("medium", "address", "scope", "reason", "source", "actor"), pl.String),
    "at": INSTANT,
}


def suppression(message: Row, reason: SuppressionReason, *, source: str, now: datetime) -> Row:
    """What is kept about the address of a message: a row of suppressions, with the address."""
    return {
        "medium": message["medium"],
        "address": message["address"],
        "scope": usual_scope(reason),
        "reason": reason,
        "at": now,
        "source": source,
        "actor": "",
    }


def keep_refused(recorder: Recorder, rows: Sequence[Row]) -> None:
    """Keep what channels say of addresses; inside a transaction."""
    keep_suppressions(recorder, pl.DataFrame(list(rows), schema=dict(_SCHEMA)))
