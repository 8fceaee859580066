"""Suppressions: addresses that are not used any more, kept as keyed hashes, and taken off again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import polars as pl

from relationship_core.columns import SUPPRESSIONS
from relationship_core.errors import RejectedError
from relationship_core.flow.permission.holders import holders, same
from relationship_core.flow.permission.keys import held_back_keys
from relationship_core.flow.permission.standing import suppressions_of
from relationship_core.flow.permission.terms import Terms
from relationship_core.flow.record.addresses import named_address, one_address_rule
from relationship_core.flow.record.checks import sift
from relationship_core.flow.record.recorder import Recorder
from relationship_core.flow.united import ties_of
from relationship_core.model.instants import utc
from relationship_core.ports import Store
from relationship_core.table import INSTANT

_ORDER = "__order"


def commit_suppressions(recorder: Recorder, rows: pl.DataFrame, note: Callable[[int, pl.DataFrame], None]) -> int:
    """Keep a batch of suppressions, and mark whoever has one of these addresses for review.

    A telephone number is kept under several keys, so that it stays suppressed whatever is learned of its country. What
    is suppressed already stays as it is, unless its owner was erased now, or complained after unsubscribing: the reason
    is the same whichever was heard of first.

    Args:
        recorder: what to work with.
        rows: checked rows of suppressions, with any further columns.
        note: called inside the transaction with the number of new ones, and an empty frame of refused rows.

    Returns:
        How many were new.
    """
    with recorder.store.transaction():
        new = keep_suppressions(recorder, rows)
        note(new, rows.clear().with_columns(reason=pl.lit("", pl.String)))
    return new


def keep_suppressions(recorder: Recorder, rows: pl.DataFrame) -> int:
    """As ``commit_suppressions``, inside a transaction."""
    store = recorder.store
    held = holders(store, rows, recorder.terms)
    keyed = _keyed(rows.with_row_index(_ORDER), held, recorder.terms)
    in_force = _in_force(store, keyed)
    scope = pl.when(pl.col("scope") == "").then(pl.lit("all")).otherwise("scope").alias("scope")
    named = keyed.with_columns(scope).unique(SUPPRESSIONS.key, keep="first", maintain_order=True)
    before = in_force.filter(pl.col("reason") == "erased")
    outweighed = named.filter(pl.col("reason") == "complaint").with_columns(reason=pl.lit("unsubscribe"))
    kept = in_force.join(outweighed, on=[*SUPPRESSIONS.key, "reason"], how="anti")
    stays = pl.concat([kept.join(named.filter(pl.col("reason") == "erased"), on=SUPPRESSIONS.key, how="anti"),
                       before]).unique(SUPPRESSIONS.key)  # fmt: skip
    fresh = named.join(stays, on=SUPPRESSIONS.key, how="anti", maintain_order="left")
    if fresh.height:
        lifted = {"lifted_at": pl.lit(None, INSTANT), "lifted_by": pl.lit("")}
        store.put(SUPPRESSIONS, SUPPRESSIONS.conform(fresh.with_columns(**lifted)).sort(SUPPRESSIONS.key))
        _mark(store, held)
    return fresh[_ORDER].n_unique()


def lift(
    recorder: Recorder,
    medium: str,
    address: str,
    *,
    scope: str | None,
    actor: str,
    reason: str | None = None,
    until: datetime | None = None,
) -> int:
    """Take suppressions of an address off again; how many.

    Customers who have this very address have it again however they wrote it; a telephone number counts as the same
    where their country says so.

    Args:
        recorder: what to work with.
        medium: the kind of contact point.
        address: the address.
        scope: only the one with this scope; None for all.
        actor: who does it.
        reason: only those for this reason; None for all.
        until: only those that were there at this instant; None for all.

    Raises:
        RejectedError: it is not suppressed, nobody says who decides it, or its owner was erased.
    """
    if not actor.strip():
        message = "an address is used again only by somebody's decision; name whoever decides it as actor"
        raise RejectedError(message)
    store, named = recorder.store, pl.DataFrame({"medium": [medium], "address": [address]})
    named = named.with_columns(named_address(pl.col("medium"), pl.col("address")).alias("address"))
    _, unreadable = sift(named, [one_address_rule(pl.col("medium"), pl.col("address"))])
    if unreadable.height:
        raise RejectedError(unreadable["reason"][0])
    with store.transaction():
        held = holders(store, named, recorder.terms)
        surely = same(held, recorder.terms)
        written = pl.concat([named, surely.select("medium", "address")]).unique()
        keyed = _keyed(written, pl.concat([surely, _by_themselves(surely)]), recorder.terms)
        found = _in_force(store, keyed)
        if scope is not None:
            found = found.filter(pl.col("scope") == scope)
        if reason is not None:
            found = found.filter(pl.col("reason") == reason)
        if until is not None:
            found = found.filter(pl.col("at") <= until)
        if found.is_empty():
            message = f"nothing suppresses this {medium} address{'' if scope is None else f' for {scope}'}"
            raise RejectedError(message)
        if (found["reason"] == "erased").any():
            message = f"this {medium} address stays suppressed: its owner was erased and wanted never to be written to"
            raise RejectedError(message)
        lifted = {"lifted_at": pl.lit(utc(recorder.clock()), INSTANT), "lifted_by": pl.lit(actor)}
        store.put(SUPPRESSIONS, SUPPRESSIONS.conform(found.with_columns(**lifted)).sort(SUPPRESSIONS.key))
        _mark(store, held)
    return found["scope"].n_unique()


def _in_force(store: Store, keyed: pl.DataFrame) -> pl.DataFrame:
    """The suppressions of these addresses that are not lifted, as rows of SUPPRESSIONS."""
    kept = suppressions_of(keyed.select("medium", pl.col("address_hash").alias("key")), store)
    return kept.filter(pl.col("lifted_at").is_null()).rename({"key": "address_hash"})


def _keyed(rows: pl.DataFrame, held: pl.DataFrame, terms: Terms) -> pl.DataFrame:
    """The rows with ``address_hash``, once for each key; numbers are read by the countries of those who have them."""
    everywhere = rows.with_columns(pl.lit(None, pl.String).alias("country"))
    countries = held.select("medium", pl.col("named").alias("address"), "country").drop_nulls().unique()
    theirs = rows.join(countries, on=["medium", "address"]).select(everywhere.columns)
    keyed = held_back_keys(pl.concat([everywhere, theirs]), terms)
    return keyed.rename({"key": "address_hash"})


def _by_themselves(held: pl.DataFrame) -> pl.DataFrame:
    """The holders, as if each had named their own address."""
    return held.with_columns(pl.col("address").alias("named"))


def _mark(store: Store, held: pl.DataFrame) -> None:
    if held.height:
        store.mark("review", ties_of(store).resolved(held["customer"]).unique().sort())
