"""Checkpoints: how far the import of a file has come, so that one that was cut short goes on where it stopped."""

from __future__ import annotations

from datetime import datetime

import polars as pl
from attrs import frozen

from relationship_core.columns import IMPORTS
from relationship_core.ports import Store

_RUNNING, _LOADING, _FINISHED = "running", "loading", "finished"


@frozen(kw_only=True)
class Checkpoint:
    """How far an import has come; a row of IMPORTS.

    Attributes:
        key: what tells this import from others.
        done: how many rows of the file are done.
        new: how many of them were new.
        repeated: how many were known.
        rejected: how many were refused.
        unknown: how many customers they named whom nobody knew.
        size: the length in bytes of the file of rejects.
        loading: whether its rows are taken customer after customer, as in an initial load.
        finished: whether the whole file is done.
    """

    key: str
    done: int = 0
    new: int = 0
    repeated: int = 0
    rejected: int = 0
    unknown: int = 0
    size: int = 0
    loading: bool = False
    finished: bool = False


def read_checkpoint(store: Store, key: str) -> Checkpoint:
    """How far an import has come, by its key; one that nobody began is at its beginning."""
    kept = store.read(IMPORTS, where={"import": key})
    if kept.is_empty():
        return Checkpoint(key=key)
    row = kept.row(0, named=True)
    return Checkpoint(
        key=key,
        done=row["rows_done"],
        new=row["new"],
        repeated=row["repeated"],
        rejected=row["rejected"],
        unknown=row["unknown_customers"] or 0,
        size=row["rejects_size"],
        loading=row["state"] == _LOADING,
        finished=row["state"] == _FINISHED,
    )


def write_checkpoint(store: Store, checkpoint: Checkpoint, now: datetime) -> None:
    """Keep how far an import has come; inside a transaction."""
    row = {
        "import": checkpoint.key,
        "rows_done": checkpoint.done,
        "new": checkpoint.new,
        "repeated": checkpoint.repeated,
        "rejected": checkpoint.rejected,
        "unknown_customers": checkpoint.unknown,
        "rejects_size": checkpoint.size,
        "state": _FINISHED if checkpoint.finished else _LOADING if checkpoint.loading else _RUNNING,
        "at": now,
    }
    store.put(IMPORTS, pl.DataFrame([row], schema=dict(IMPORTS.schema)))
