"""Accounts: firms whose history is that of their contacts beside their own.

An account is a customer, and so are its contacts. What a contact does counts for the contact and for the account,
from the day the link says. So measures, scores, stage and plan work for accounts as they do for people.
"""

from __future__ import annotations

from datetime import datetime

import polars as pl
from attrs import frozen

from relationship_core.columns import CONTACTS
from relationship_core.errors import RejectedError
from relationship_core.flow.customers import refuse_unknown
from relationship_core.flow.record.checks import sift
from relationship_core.flow.record.contacts import contact_rules, impossible, keep_links, settle_accounts
from relationship_core.flow.record.recorder import Recorder
from relationship_core.flow.ties import read_ties
from relationship_core.flow.united import plain, refreshed
from relationship_core.model.instants import utc
from relationship_core.ports import Store
from relationship_core.table import INSTANT


@frozen(kw_only=True)
class Contact:
    """A customer in a role at an account.

    Attributes:
        account: the account's id.
        customer: the contact's id.
        role: what they are there, such as ``buyer``; empty where nobody said.
        since: from when on their history counts for the account; None for all of it.
        until: before when; None as long as they are a contact.
    """

    account: str
    customer: str
    role: str = ""
    since: datetime | None = None
    until: datetime | None = None


@frozen(kw_only=True)
class Account:
    """Who belongs to whom.

    Attributes:
        customer: the customer who was asked for, by the id they have now.
        contacts: of an account, its contacts, also those of the past.
        accounts: of a person, the accounts they are or were a contact of.
    """

    customer: str
    contacts: tuple[Contact, ...] = ()
    accounts: tuple[Contact, ...] = ()


def link(recorder: Recorder, account: str, customer: str, *, role: str = "", since: datetime | None = None) -> Contact:
    """Make a customer a contact of an account, or say anew in which role and since when.

    Raises:
        RejectedError: there is no such id, both are one, a contact is an account itself, or the time is not in
            history.
        ConfigurationError: a measure is new or has changed since history was folded.
    """
    store = plain(recorder.store)
    row = {"account": account, "customer": customer, "role": role, "since": since, "until": None}
    links = pl.DataFrame([row], schema=CONTACTS.types())
    with store.transaction():
        before = read_ties(store)
        for each in (account, customer):
            refuse_unknown(store, each)
        _, bad = sift(links, contact_rules(utc(recorder.clock())))
        refused = pl.concat([bad.select("reason"), impossible(store, before, links).select("reason")])
        if refused.height:
            message = f"{customer!r} cannot become a contact of {account!r}: {refused['reason'][0]}"
            raise RejectedError(message)
        keep_links(recorder, before, links)
    return Contact(account=account, customer=customer, role=role, since=since)


def unlink(
    recorder: Recorder, account: str, customer: str, *, until: datetime | None = None, mistaken: bool = False
) -> tuple[Contact, ...]:
    """End a link: what the contact does from then on counts for the account no more.

    Args:
        recorder: what to work with.
        account: the account.
        customer: the contact.
        until: when they left; the present when None.
        mistaken: true where they never were a contact, so that nothing of theirs counts for the account.

    Returns:
        The links that were ended, as they are now; several where merged ids were linked, none of them where
        ``mistaken``.

    Raises:
        RejectedError: they are no contact of this account, or were none yet at that time.
        ConfigurationError: a measure is new or has changed since history was folded.
    """
    store, now = plain(recorder.store), utc(recorder.clock())
    end = now if until is None else utc(until)
    with store.transaction():
        before = read_ties(store)
        for each in (account, customer):
            refuse_unknown(store, each)
        kept = store.read(CONTACTS)
        same = pl.Series(before.resolved(kept["account"]) == before.survivor(account)) & (
            before.resolved(kept["customer"]) == before.survivor(customer)
        )
        found = kept.filter(same if mistaken else same & kept["until"].is_null())
        if found.is_empty():
            message = f"{customer!r} is no contact of {account!r}, so there is nothing to unlink"
            raise RejectedError(message)
        if end > now or (found["since"] > end).any():
            message = (
                f"{customer!r} cannot have left {account!r} at {end.isoformat()}: name a time since the link, until now"
            )
            raise RejectedError(message)
        ended = found.with_columns(pl.lit(end, INSTANT).alias("until"))
        if mistaken:
            store.delete(CONTACTS, found)
        else:
            store.put(CONTACTS, ended)
        settle_accounts(recorder, before, found)
    return () if mistaken else tuple(Contact(**row) for row in ended.iter_rows(named=True))


def account(store: Store, customer: str) -> Account:
    """The contacts of an account, or the accounts of a contact.

    Raises:
        RejectedError: nobody has that id.
    """
    refuse_unknown(plain(store), customer)
    ties = refreshed(store)
    who = ties.survivor(customer)
    contacts, accounts = (
        tuple(Contact(**row) for row in ties.contacts.filter(pl.col(name) == who).iter_rows(named=True))
        for name in ("account", "customer")
    )
    return Account(customer=who, contacts=contacts, accounts=accounts)
