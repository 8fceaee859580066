"""Unsubscribes: an interaction of that kind takes the customer's consent back, whoever recorded it."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from relationship_core.columns import CONSENTS
from relationship_core.flow.record.consents import put_consents
from relationship_core.flow.record.spread import SURVIVOR, kept_of_all
from relationship_core.flow.ties import Ties
from relationship_core.ports import Store

UNSUBSCRIBE = "unsubscribe"
METHOD = "interaction"
_TOPIC = r"^[a-z][a-z0-9_-]*$"


def withdraw_unsubscribed(store: Store, interactions: pl.DataFrame, ties: Ties, now: datetime) -> None:
    """Write a withdrawal for every interaction that says so, inside the transaction that keeps it.

    The data's ``topic`` says of which topic; without one, or with one that no campaign can have, it is all of them.

    Args:
        store: where they are kept.
        interactions: rows of INTERACTIONS whose customers there are.
        ties: who is who.
        now: the instant of recording.
    """
    left = interactions.filter(pl.col("kind") == UNSUBSCRIBE)
    if left.is_empty():
        return
    topic = pl.col("data").str.json_path_match("$.topic")
    reference = pl.concat_str("source", pl.lit(":"), "id")
    told = {
        "id": pl.concat_str(pl.lit("interaction "), reference),
        "act": pl.lit("withdraw"),
        "topic": pl.when(topic.str.contains(_TOPIC) & (topic != "all")).then(topic).otherwise(pl.lit("")),
        "method": pl.lit(METHOD),
        "evidence": reference,
        "recorded_at": pl.lit(now, CONSENTS.schema["recorded_at"]),
        **{name: pl.lit("") for name in ("medium", "basis", "jurisdiction", "wording", "version", "actor")},
        "address_hash": pl.lit(""),
        "expires_at": pl.lit(None, CONSENTS.schema["expires_at"]),
    }
    rows = left.select("customer", "at", "source", **told).with_columns(ties.resolved(left["customer"]).alias(SURVIVOR))
    known = kept_of_all(store, ties, CONSENTS, rows[SURVIVOR])
    fresh = rows.join(known, on=[SURVIVOR, "id", "act"], how="anti", maintain_order="left")
    if fresh.height:
        put_consents(store, fresh, ties, known)
