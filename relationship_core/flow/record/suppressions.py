"""Suppressions: addresses that are not used any more, kept as keyed hashes, and taken off again."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from relationship_core.columns import CONTACT_POINTS, CUSTOMERS, INSTANT, SUPPRESSIONS, Page
from relationship_core.errors import RejectedError
from relationship_core.flow.permission.keys import address_keys
from relationship_core.flow.record.recorder import Recorder
from relationship_core.flow.united import plain, ties_of
from relationship_core.model.instants import utc
from relationship_core.ports import Store

_FEW = 20
"""So many addresses are looked for one by one."""

_ORDER = "__order"


def commit_suppressions(recorder: Recorder, rows: pl.DataFrame, note: Callable[[int, pl.DataFrame], None]) -> int:
    """Keep a batch of suppressions, and mark whoever has one of these addresses for review.

    What is suppressed already stays as it is, unless it is because its owner was erased now.

    Args:
        recorder: what to work with.
        rows: checked rows of suppressions, with any further columns.
        note: called inside the transaction with the number of new ones, and an empty frame of refused rows.

    Returns:
        How many were new.
    """
    store = recorder.store
    nothing = rows.clear().with_columns(reason=pl.lit("", pl.String))
    with store.transaction():
        keyed = _keyed(recorder, rows.with_row_index(_ORDER))
        in_force = store.read(SUPPRESSIONS).filter(pl.col("lifted_at").is_null())
        scope = pl.when(pl.col("scope") == "").then(pl.lit("all")).otherwise("scope").alias("scope")
        named = keyed.with_columns(scope).unique(SUPPRESSIONS.key, keep="first", maintain_order=True)
        before = in_force.filter(pl.col("reason") == "erased")
        stays = pl.concat([in_force.join(named.filter(pl.col("reason") == "erased"), on=SUPPRESSIONS.key, how="anti"),
                           before]).unique(SUPPRESSIONS.key)  # fmt: skip
        fresh = named.join(stays, on=SUPPRESSIONS.key, how="anti", maintain_order="left")
        if fresh.height:
            lifted = {"lifted_at": pl.lit(None, INSTANT), "lifted_by": pl.lit("")}
            store.put(SUPPRESSIONS, SUPPRESSIONS.conform(fresh.with_columns(**lifted)).sort(SUPPRESSIONS.key))
            _mark(store, holders(store, rows))
        new = fresh[_ORDER].n_unique()
        note(new, nothing)
    return new


def lift(recorder: Recorder, medium: str, address: str, *, scope: str | None, actor: str) -> int:
    """Take suppressions of an address off again; how many.

    Args:
        recorder: what to work with.
        medium: the kind of contact point.
        address: the address.
        scope: only the one with this scope; None for all.
        actor: who does it.

    Raises:
        RejectedError: it is not suppressed, nobody says who decides it, or its owner was erased.
    """
    if not actor.strip():
        message = "an address is used again only by somebody's decision; name whoever decides it as actor"
        raise RejectedError(message)
    store, named = recorder.store, pl.DataFrame({"medium": [medium], "address": [address]})
    with store.transaction():
        keyed = _keyed(recorder, named)
        rows = store.read(SUPPRESSIONS).filter(pl.col("lifted_at").is_null())
        found = rows.join(keyed, on=["medium", "address_hash"], how="semi")
        if scope is not None:
            found = found.filter(pl.col("scope") == scope)
        if found.is_empty():
            message = f"nothing suppresses this {medium} address{'' if scope is None else f' for {scope}'}"
            raise RejectedError(message)
        if (found["reason"] == "erased").any():
            message = f"this {medium} address stays suppressed: its owner was erased and wanted never to be written to"
            raise RejectedError(message)
        lifted = {"lifted_at": pl.lit(utc(recorder.clock()), INSTANT), "lifted_by": pl.lit(actor)}
        store.put(SUPPRESSIONS, SUPPRESSIONS.conform(found.with_columns(**lifted)).sort(SUPPRESSIONS.key))
        _mark(store, holders(store, named))
    return found.height


def _keyed(recorder: Recorder, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with ``address_hash``; a number without a country code once for each country that it may be of."""
    everywhere = rows.with_columns(pl.lit(None, pl.String).alias("country"))
    held = holders(recorder.store, rows.filter(pl.col("medium") == "sms"))
    if held.height:
        page = Page(held["customer"].unique().sort())
        countries = held.join(plain(recorder.store).read(CUSTOMERS, page=page), on="customer").select(
            "medium", "address", "country"
        )
        theirs = rows.join(countries.drop_nulls().unique(), on=["medium", "address"])
        everywhere = pl.concat([everywhere, theirs.select(everywhere.columns)])
    return everywhere.with_columns(address_keys(everywhere, recorder.terms).alias("address_hash"))


def holders(store: Store, rows: pl.DataFrame) -> pl.DataFrame:
    """``customer``, ``medium`` and ``address`` of whoever has one of these addresses, written in the same way."""
    pairs, columns = rows.select("medium", "address").unique(), ["customer", "medium", "address"]
    if pairs.height <= _FEW:
        parts = [
            plain(store).read(CONTACT_POINTS, where={"medium": medium, "address": address}, columns=columns)
            for medium, address in pairs.iter_rows()
        ]
        return pl.concat([CONTACT_POINTS.empty().select(columns), *parts])
    points = plain(store).read(CONTACT_POINTS, columns=columns)
    return points.join(pairs, on=["medium", "address"], how="semi")


def _mark(store: Store, held: pl.DataFrame) -> None:
    if held.height:
        store.mark("review", ties_of(store).resolved(held["customer"]).unique().sort())
