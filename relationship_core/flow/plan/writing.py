"""Writing: what of a plan's decisions is new or other than before, and nothing else."""

from __future__ import annotations

from datetime import datetime

import polars as pl
from attrs import frozen

from relationship_core.columns import DECISIONS, MESSAGES
from relationship_core.flow.candidate_columns import KEYS
from relationship_core.ports import Store


@frozen(kw_only=True)
class Changes:
    """Rows of DECISIONS to write, to close and to drop."""

    changed: pl.DataFrame
    closed: pl.DataFrame
    dropped: pl.DataFrame


def changes(decided: pl.DataFrame, kept: pl.DataFrame, undecided: pl.DataFrame | None, now: datetime) -> Changes:
    """Compare decisions with those that are kept of the same customers.

    Args:
        decided: rows of DECISIONS.
        kept: those that the store has.
        undecided: candidates about which there is no decision yet, whose kept one stands; None for no such.
        now: the plan's instant.
    """
    changed = decided.join(
        kept,
        on=[*KEYS, "verdict", "reason", "detail", "until"],
        how="anti",
        nulls_equal=True,
        maintain_order="left",
    )
    gone = kept.join(decided, on=KEYS, how="anti")
    if undecided is not None:
        gone = gone.join(undecided, on=KEYS, how="anti")
    return Changes(
        changed=changed.sort(DECISIONS.key),
        closed=gone.filter((pl.col("occasion") != "") & (pl.col("until") <= now)),
        dropped=gone.filter(pl.col("occasion") == ""),
    )


def write(store: Store, changes: Changes, messages: pl.DataFrame) -> None:
    """Keep them, with the messages that go with them; inside a transaction."""
    if changes.changed.height:
        store.put(DECISIONS, changes.changed)
    if changes.closed.height:
        # The occasion is over: time alone will not bring it back.
        never = pl.lit(None, dtype=DECISIONS.schema["until"]).alias("until")
        store.update(DECISIONS, changes.closed.select(*DECISIONS.key, never))
    if changes.dropped.height:
        store.delete(DECISIONS, changes.dropped)
    if messages.height:
        store.put(MESSAGES, messages)
