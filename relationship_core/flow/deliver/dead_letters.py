"""Dead letters: messages that came to nothing, put back into the outbox by somebody's decision."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime

import polars as pl

from relationship_core.columns import MESSAGES
from relationship_core.flow.deliver.settling import RESENT, settled, write_settled
from relationship_core.flow.message_states import FAILED, QUEUED, REJECTED, UNKNOWN
from relationship_core.ports import Store

_CHUNK = 10_000
"""So many are put back in one transaction."""


def put_back(
    store: Store, channels: Collection[str], channel: str | None, now: datetime, *, unknown: bool
) -> Mapping[str, int]:
    """Put messages that were rejected or failed back into the outbox, under the ids that they have.

    What has expired meanwhile stays as it is.

    Args:
        store: where the outbox is.
        channels: the channels that are configured.
        channel: only the messages of this one; None for all.
        now: the instant.
        unknown: whether also those go again that may have gone before; they are marked as sent again.

    Returns:
        How many, by the state that they had.
    """
    counted: Counter[str] = Counter()
    for state in (REJECTED, FAILED, *([UNKNOWN] if unknown else [])):
        where = {"state": state, **({"channel": channel} if channel is not None else {})}
        found = store.read(MESSAGES, where=where, columns=["id", "expires_at", "channel"])
        alive = found.filter(
            (pl.col("expires_at").is_null() | (pl.col("expires_at") > now)) & pl.col("channel").is_in(list(channels))
        )
        for chunk in alive.iter_slices(_CHUNK):
            counted[state] += _put_back(store, chunk["id"], state, now)
    return {state: number for state, number in counted.items() if number}


def _put_back(store: Store, ids: pl.Series, state: str, now: datetime) -> int:
    with store.transaction():
        # Another process may have put some back, and may be sending them.
        rows = store.read(MESSAGES, where={"state": state, "id": ids.to_list()}).to_dicts()
        mark = f"{RESENT}, " if state == UNKNOWN else ""
        again = [
            {**settled(row, QUEUED, now, detail=f"{mark}{row['detail']}"), "not_before": None, "attempts": 0}
            for row in rows
        ]
        if again:
            write_settled(store, again)
    return len(again)
