"""Merging: two ids of one customer become one, and two again where that was a mistake.

The survivor keeps its id, its stage and its moves; the merged id stands for it from then on. History, messages and
contact points keep the ids under which they came, so that an un-merge gives each back exactly what is theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import polars as pl
from attrs import frozen

from relationship_core.columns import ALIASES, CUSTOMERS, DECISIONS, MERGES, STATES, Page
from relationship_core.errors import RejectedError
from relationship_core.flow.customers import is_known, refuse_unknown
from relationship_core.flow.erased import ERASED_REASON, tombstones
from relationship_core.flow.identities.engagements import take_back_crowded, withdraw_repeated
from relationship_core.flow.record.checks import identity_rules, sift
from relationship_core.flow.record.recorder import Recorder
from relationship_core.flow.record.refold import refold
from relationship_core.flow.ties import Ties, note_change, read_ties
from relationship_core.flow.united import plain
from relationship_core.model.instants import utc
from relationship_core.ports import Store
from relationship_core.table import Table


@frozen(kw_only=True)
class Merge:
    """One entry in the log of merges.

    Attributes:
        act: ``merge`` or ``unmerge``.
        customer: the id that was merged, or became a customer of its own again.
        survivor: the id that it was merged into.
        at: when.
        actor: who did it; empty where nobody said.
        reason: why; empty where nobody said.
    """

    act: str
    customer: str
    survivor: str
    at: datetime
    actor: str = ""
    reason: str = ""


@frozen(kw_only=True)
class Identity:
    """Who somebody is.

    Attributes:
        customer: the id that they have now.
        aliases: the ids that were merged into it, in ascending order.
        merges: the entries of the log that speak of any of these, oldest first.
    """

    customer: str
    aliases: tuple[str, ...]
    merges: tuple[Merge, ...]


def merge(recorder: Recorder, customer: str, into: str, *, actor: str = "", reason: str = "") -> Merge:
    """Make an id stand for another one: both are one customer from now on.

    Their measures add up, the survivor is marked for review, and no engagement reaches them twice. What waits for
    them is planned anew, so that intervals and caps hold for both together. What the survivor does not say of itself,
    such as a missing country, is taken from the merged id.

    Args:
        recorder: what to work with.
        customer: the id that is merged.
        into: the id that stays, or one that was merged into it.
        actor: who decides it.
        reason: why.

    Raises:
        RejectedError: there is no such id; both are one customer already; or one is a person and one an account.
        RetriableError: the same message is being sent to both of them right now.
        ConfigurationError: a measure is new or has changed since history was folded.
    """
    store = plain(recorder.store)
    with store.transaction():
        before = read_ties(store)
        survivor = before.survivor(into)
        for each in (customer, into):
            refuse_unknown(store, each)
        _refuse_to_merge(before, customer, into)
        return _merged(recorder, before, customer, survivor, actor=actor, reason=reason)


def link(recorder: Recorder, id: str, to: str, *, actor: str = "", reason: str = "") -> Merge:
    """Make an id that nobody has yet stand for a customer, so that whatever comes under it is theirs.

    Args:
        recorder: what to work with.
        id: the new id, such as the one that another system has for them.
        to: the customer.
        actor: who decides it.
        reason: why.

    Raises:
        RejectedError: the id is a customer's already, or there is no such customer.
        ConfigurationError: a measure is new or has changed since history was folded.
    """
    store = plain(recorder.store)
    _refuse_to_be_an_id(id)
    with store.transaction():
        refuse_unknown(store, to)
        if is_known(store, id):
            message = f"the id {id!r} is a customer's already; merge them if both are one"
            raise RejectedError(message)
        if tombstones(store, [id]).height:
            message = f"the id {id!r} cannot be linked to anybody; {ERASED_REASON}"
            raise RejectedError(message)
        row = {name: id if name == "customer" else None for name in CUSTOMERS.schema}
        store.put(CUSTOMERS, _row(CUSTOMERS, row))
        before = read_ties(store)
        return _merged(recorder, before, id, before.survivor(to), actor=actor, reason=reason, linked=True)


def unmerge(recorder: Recorder, customer: str, *, actor: str = "", reason: str = "") -> Merge:
    """Make a merged id a customer of its own again, with all that was merged into it before.

    The measures of both are folded anew from what came under their own ids, and both are marked for review.

    Args:
        recorder: what to work with.
        customer: the merged id.
        actor: who decides it.
        reason: why.

    Raises:
        RejectedError: there is no such id, or it was never merged.
        ConfigurationError: a measure is new or has changed since history was folded.
    """
    store = plain(recorder.store)
    with store.transaction():
        refuse_unknown(store, customer)
        row = store.read(ALIASES, page=Page.of([customer]))
        if row.is_empty():
            message = f"the customer {customer!r} is not merged into anybody, so there is nothing to take apart"
            raise RejectedError(message)
        before, survivor = read_ties(store), str(row["survivor"][0])
        store.delete(ALIASES, row)
        done = _log(recorder, "unmerge", customer, survivor, actor=actor, reason=reason)
        _settle(recorder, before, note_change(store), customer, survivor)
        return done


def identity(store: Store, customer: str) -> Identity:
    """Who has an id.

    Raises:
        RejectedError: nobody has it.
    """
    store = plain(store)
    refuse_unknown(store, customer)
    ties = read_ties(store)
    survivor, *aliases = ties.group(customer)
    entries = store.read(MERGES)
    ids = {survivor, *aliases, customer}
    own = entries.filter(pl.col("customer").is_in(list(ids)) | pl.col("survivor").is_in(list(ids)))
    merges = tuple(Merge(**row) for row in own.drop("entry").iter_rows(named=True))
    return Identity(customer=survivor, aliases=tuple(aliases), merges=merges)


def _refuse_to_be_an_id(id: str) -> None:
    _, bad = sift(pl.DataFrame({"customer": [id]}), identity_rules("customer"))
    if bad.height:
        message = f"{id[:40]!r} cannot be a customer's id: {bad['reason'][0]}"
        raise RejectedError(message)


def _refuse_to_merge(ties: Ties, customer: str, into: str) -> None:
    survivor = ties.survivor(into)
    if customer == into:
        message = f"the customer {customer!r} cannot be merged with itself; name two ids"
        raise RejectedError(message)
    if ties.survivor(customer) == survivor:
        message = f"{customer!r} and {into!r} are one customer already, {survivor!r}; nothing was done"
        raise RejectedError(message)
    if customer in ties.survivors:
        message = (
            f"the customer {customer!r} was merged into {ties.survivor(customer)!r} before; "
            f"un-merge it first, or merge {ties.survivor(customer)!r}"
        )
        raise RejectedError(message)
    if (customer in ties.accounts) != (survivor in ties.accounts):
        account, person = (customer, into) if customer in ties.accounts else (into, customer)
        message = (
            f"{account!r} is an account and {person!r} is none, and a person is not merged with a firm; "
            "if it is the same firm, link a contact to it first"
        )
        raise RejectedError(message)
    if any(a in ties.accounts and b in ties.people for a, b in ((customer, survivor), (survivor, customer))):
        message = f"{customer!r} and {into!r} are an account and a contact, and cannot be one; unlink the contact first"
        raise RejectedError(message)


def _merged(
    recorder: Recorder, before: Ties, customer: str, survivor: str, *, actor: str, reason: str, linked: bool = False
) -> Merge:
    store = plain(recorder.store)
    group, others = before.group(survivor), before.group(customer)
    withdraw_repeated(store, [*group, *others])
    take_back_crowded(store, group, others)
    alias = {
        "customer": customer,
        "survivor": survivor,
        "at": utc(recorder.clock()),
        "actor": actor,
        "reason": reason,
        "linked": linked,
    }
    store.put(ALIASES, _row(ALIASES, alias))
    done = _log(recorder, "merge", customer, survivor, actor=actor, reason=reason)
    _rest(store, Page.of([customer]))
    _settle(recorder, before, note_change(store), customer, survivor)
    store.mark("plan", pl.Series("customer", [survivor]))
    return done


def _rest(store: Store, page: Page) -> None:
    """Nobody looks at a merged id by itself: it is neither marked nor due, and waits for nothing."""
    for step in ("review", "plan"):
        store.unmark(step, page)
    state = store.read(STATES, page=page, columns=["customer"])
    if state.height:
        store.update(STATES, state.with_columns(pl.lit(None, STATES.schema["due_at"]).alias("due_at")))
    decisions = store.read(DECISIONS, page=page, columns=list(DECISIONS.key))
    idle = decisions.filter(pl.col("occasion") == "")
    if idle.height:
        store.delete(DECISIONS, idle)
    left = decisions.filter(pl.col("occasion") != "")
    if left.height:
        store.update(DECISIONS, left.with_columns(pl.lit(None, DECISIONS.schema["until"]).alias("until")))


def _settle(recorder: Recorder, before: Ties, after: Ties, customer: str, survivor: str) -> None:
    """Fold anew whoever's numbers rest on one of the two, by what held before or by what holds now."""
    members = {*before.group(customer), *before.group(survivor), *after.group(customer), *after.group(survivor)}
    refold(recorder, after, before.touched_by(members) | after.touched_by(members))


def _log(recorder: Recorder, act: str, customer: str, survivor: str, *, actor: str, reason: str) -> Merge:
    store = plain(recorder.store)
    done = Merge(act=act, customer=customer, survivor=survivor, at=utc(recorder.clock()), actor=actor, reason=reason)
    # Not their number: entries about somebody who was erased are gone, and none takes the place of another.
    entry = max(store.read(MERGES, columns=["entry"])["entry"], default=0) + 1
    row = {name: entry if name == "entry" else getattr(done, name) for name in MERGES.schema}
    store.put(MERGES, _row(MERGES, row))
    return done


def _row(table: Table, values: Mapping[str, object]) -> pl.DataFrame:
    return pl.DataFrame([dict(values)], schema=table.types())
