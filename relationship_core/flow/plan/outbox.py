"""The outbox: planned engagements as queued messages."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping

import polars as pl

from relationship_core.columns import INSTANT, MESSAGES
from relationship_core.flow.facts import read_fact, write_fact
from relationship_core.flow.plan.verdicts import DUE
from relationship_core.ports import Store

_ID_BYTES = 16
SALT_FACT = "salt"


def queue(
    judged: pl.DataFrame, versions: Mapping[str, str], message_id: Callable[[str, str, str, str], str]
) -> pl.DataFrame:
    """Rows of MESSAGES for the planned ones of judged candidates, pinned to the campaign's version."""
    planned = judged.filter(pl.col("reason") == DUE)
    keys = planned.select("campaign", "action", "customer", "occasion")
    ids = pl.Series("id", [message_id(*key) for key in keys.iter_rows()], dtype=pl.String)
    nothing = pl.lit(None, dtype=pl.String)
    return planned.with_columns(
        ids,
        pl.col("campaign").replace_strict(dict(versions), return_dtype=pl.String).alias("version"),
        pl.lit("queued").alias("state"),
        pl.col("now").alias("queued_at"),
        pl.col("now").alias("not_before"),
        nothing.alias("worker"),
        pl.lit(None, dtype=INSTANT).alias("claimed_until"),
        pl.lit(0, dtype=pl.Int64).alias("attempts"),
        nothing.alias("reference"),
        pl.lit("").alias("detail"),
        pl.lit(None, dtype=INSTANT).alias("settled_at"),
    ).select(list(MESSAGES.schema))


def project_salt(store: Store, *, keep: bool) -> str:
    """The project's own random text; made once, and kept if asked to."""
    salt = read_fact(store, SALT_FACT)
    if salt is None:
        salt = secrets.token_hex(16)
        if keep:
            with store.transaction():
                write_fact(store, SALT_FACT, salt)
    return salt


def salted_message_id(salt: str) -> Callable[[str, str, str, str], str]:
    """A function that gives an engagement's message its id: opaque, stable, and of no use to guess customers by."""
    key = salt.encode()

    def message_id(campaign: str, action: str, customer: str, occasion: str) -> str:
        engagement = f"{campaign}\x1f{action}\x1f{customer}\x1f{occasion}".encode()
        return hashlib.blake2b(engagement, digest_size=_ID_BYTES, key=key).hexdigest()

    return message_id
