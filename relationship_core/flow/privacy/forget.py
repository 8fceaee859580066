"""Forget: everything about one customer is erased, and nothing brings them back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import polars as pl
from attrs import field, frozen

from relationship_core.columns import (
    CONTACT_POINTS,
    CUSTOMERS,
    ERASED,
    KEYED_MEASURES,
    MESSAGES,
    SUPPRESSIONS,
    TABLES,
    Page,
)
from relationship_core.errors import RetriableError
from relationship_core.flow.customers import refuse_unknown
from relationship_core.flow.erased import tombstone, tombstones
from relationship_core.flow.facts import read_fact, write_fact
from relationship_core.flow.permission.holders import holders
from relationship_core.flow.permission.terms import Terms
from relationship_core.flow.privacy.personal import ADDRESSES, addresses_of, personal_rows
from relationship_core.flow.record.recorder import Recorder
from relationship_core.flow.record.refold import refold
from relationship_core.flow.record.signature import REBUILD_FACT
from relationship_core.flow.ties import Ties, note_change, read_ties
from relationship_core.flow.united import plain
from relationship_core.model.instants import utc
from relationship_core.ports import Store

ERASED_TERMS = {"scope": "all", "reason": "erased"}
"""What is said of an address of somebody who was erased."""

_GOING = ("claimed", "attempting")


@frozen(kw_only=True)
class Forgotten:
    """What was erased.

    Attributes:
        customer: the id that was named.
        at: when they were erased.
        already: true where that had been done before; nothing else was done now.
        ids: how many ids they had.
        rows: how many rows were erased, by table; without tables that held nothing.
        addresses: how many addresses are never used again.
        sharing: other customers with one of these addresses, who are not written to there any more either.
        accounts: the accounts whose numbers were folded anew without them.
    """

    customer: str
    at: datetime
    already: bool = False
    ids: int = 0
    rows: Mapping[str, int] = field(factory=dict)
    addresses: int = 0
    sharing: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()


def forget(recorder: Recorder, terms: Terms, customer: str, *, actor: str = "", reason: str = "") -> Forgotten:
    """Erase everything about a customer, under whichever of their ids, in one transaction.

    What stays is a keyed hash of each id, so that no later import brings them back, and one of each address, which is
    suppressed for every message. An account's numbers are folded anew without what a contact did there. What others'
    records say about them stays, and so do files that messages were written to.

    Args:
        recorder: what to work with.
        terms: has the project's salt.
        customer: one of their ids.
        actor: who does it; kept.
        reason: why; kept, so it must not tell who they are.

    Raises:
        RejectedError: nobody has that id, and nobody had it who was erased.
        RetriableError: a message is being sent to them right now; or the rows are gone, and traces of them are still
            in a file that another process reads.
        ConfigurationError: a measure is new or has changed since history was folded, and they are a contact.
    """
    store = plain(recorder.store)
    with store.transaction(durable=True):
        gone = tombstones(store, [customer])
        if gone.height:
            forgotten = Forgotten(customer=customer, at=gone["at"][0], already=True)
        else:
            forgotten = _erased(recorder, store, terms, customer, {"actor": actor, "reason": reason})
    # After a kill it is this that may be left to do, so it is done also where they were erased before.
    store.scrub()
    return forgotten


def _erased(recorder: Recorder, store: Store, terms: Terms, customer: str, told: Mapping[str, str]) -> Forgotten:
    refuse_unknown(store, customer)
    before, now = read_ties(store), utc(recorder.clock())
    ids = before.group(customer)
    rows = personal_rows(store, ids, terms)
    _refuse_while_sending(rows[MESSAGES.name])
    addresses, sharing = addresses_of(store, ids, terms), _sharing(store, rows, ids, terms)
    _delete(store, rows, ids)
    _keep_hashes(store, ids, addresses, terms, {**told, "at": now})
    _begin_rebuild_again(store, ids)
    after = note_change(store) if _is_tied(before, ids) else before
    accounts = sorted(before.touched_by(ids) - {*ids})
    if accounts:
        refold(recorder, after, accounts)
    if sharing:
        store.mark("review", after.resolved(pl.Series("customer", sharing)).unique().sort())
    return Forgotten(
        customer=customer,
        at=now,
        ids=len(ids),
        rows={name: frame.height for name, frame in rows.items() if frame.height},
        addresses=addresses["one"].n_unique(),
        sharing=sharing,
        accounts=tuple(accounts),
    )


def _is_tied(ties: Ties, ids: Sequence[str]) -> bool:
    return len(ids) > 1 or not (ties.accounts | ties.people).isdisjoint(ids)


def _refuse_while_sending(messages: pl.DataFrame) -> None:
    if messages["state"].is_in(_GOING).any():
        message = "a message is being sent to them right now; run `relate deliver`, then forget them"
        raise RetriableError(message)


def _sharing(store: Store, rows: Mapping[str, pl.DataFrame], ids: Sequence[str], terms: Terms) -> tuple[str, ...]:
    """Others who have an address of theirs, however it is written: all who are not written to there any more."""
    countries = rows[CUSTOMERS.name].select("customer", "country")
    points = rows[CONTACT_POINTS.name].join(countries, on="customer", how="left")
    return tuple(sorted({*holders(store, points, terms)["customer"]} - {*ids}))


def _delete(store: Store, rows: Mapping[str, pl.DataFrame], ids: Sequence[str]) -> None:
    page = Page.of(ids)
    store.clear_measures(page)
    for step in ("review", "plan"):
        store.unmark(step, page)
    # Customers last, since the others belong to them.
    tables = [table for table in TABLES if table.name in rows and table not in (CUSTOMERS, KEYED_MEASURES)]
    for table in (*tables, CUSTOMERS):
        if rows[table.name].height:
            store.delete(table, rows[table.name])


def _keep_hashes(
    store: Store, ids: Sequence[str], addresses: pl.DataFrame, terms: Terms, told: Mapping[str, Any]
) -> None:
    gone = [{"hash": tombstone(terms.salt, each), **told} for each in ids]
    store.put(ERASED, pl.DataFrame(gone, schema=ERASED.types()))
    if addresses.height:
        said = {**ERASED_TERMS, "at": told["at"]}
        rest = {name: type_ for name, type_ in SUPPRESSIONS.schema.items() if name not in ADDRESSES}
        columns = [pl.lit(said.get(name), type_).alias(name) for name, type_ in rest.items()]
        store.put(SUPPRESSIONS, addresses.select(*ADDRESSES, *columns))


def _begin_rebuild_again(store: Store, ids: Sequence[str]) -> None:
    """A rebuild that was cut short notes whom it came to; where that is them, it begins again."""
    underway = json.loads(read_fact(store, REBUILD_FACT) or "{}")
    if underway.get("after") in ids:
        write_fact(store, REBUILD_FACT, json.dumps({**underway, "after": ""}))
