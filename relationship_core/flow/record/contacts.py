"""Contacts of accounts: rows of CONTACTS, checked, kept, and the accounts' numbers folded anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

import polars as pl

from relationship_core.columns import CONTACTS, CUSTOMERS, Page
from relationship_core.flow.erased import ERASED_REASON, erased_among
from relationship_core.flow.record import convert
from relationship_core.flow.record.checks import AHEAD, Rule, identity_rules, sift, text_rules
from relationship_core.flow.record.recorder import Recorder
from relationship_core.flow.record.refold import refold
from relationship_core.flow.record.typed import typed_frame
from relationship_core.flow.ties import Ties, note_change, read_ties
from relationship_core.flow.united import plain
from relationship_core.model.instants import EARLIEST
from relationship_core.ports import Store

REQUIRED, OPTIONAL = ("account", "customer"), ("role", "since")


def typed_contacts(frame: pl.DataFrame, zone: str | None) -> pl.DataFrame:
    """The frame with all columns of CONTACTS and ``__problem``; other columns stay.

    Args:
        frame: has the REQUIRED columns and any of the OPTIONAL ones.
        zone: how to read times without an offset; None refuses them.
    """
    converters: Mapping[str, convert.Converter] = {
        **dict.fromkeys(("account", "customer", "role"), convert.text),
        "since": lambda column: convert.instants(column, zone),
    }
    return typed_frame(frame, converters, CONTACTS.schema)


def commit_contacts(recorder: Recorder, links: pl.DataFrame, note: Callable[[int, pl.DataFrame], None]) -> int:
    """Keep a batch of links; a link that is known takes the role and the beginning that are told.

    Args:
        recorder: what to work with.
        links: checked rows of CONTACTS, with any further columns.
        note: called inside the transaction with the number of new links, and with those rows that cannot be, with
            one more column, ``reason``.

    Returns:
        How many were new.
    """
    store = plain(recorder.store)
    with store.transaction():
        before = read_ties(store)
        refused = impossible(store, before, links)
        good = links.join(refused, on=list(CONTACTS.key), how="anti").select(list(CONTACTS.schema))
        new = keep_links(recorder, before, good) if good.height else 0
        note(new, refused)
    return new


def contact_rules(now: datetime) -> list[Rule]:
    """The rules for rows of CONTACTS by themselves."""
    since = pl.col("since")
    return [
        *identity_rules("account"),
        *identity_rules("customer"),
        *text_rules(("role",)),
        ((since < EARLIEST) | (since > now + AHEAD), f"the time is not between the year {EARLIEST.year} and now"),
    ]


def impossible(store: Store, ties: Ties, links: pl.DataFrame) -> pl.DataFrame:
    """The rows of these that cannot be, by what is kept and by one another, with one more column, ``reason``."""
    ids = Page.of([*links["account"], *links["customer"]])
    known = store.read(CUSTOMERS, page=ids, columns=["customer"])["customer"]
    named = links.with_columns(
        ties.resolved(links["account"]).alias("firm"), ties.resolved(links["customer"]).alias("person")
    )
    # Of two rows that contradict each other, and of which neither is known to be right, both are refused.
    firms = ties.accounts | (frozenset(named["firm"]) - ties.people)
    accounts = pl.Series(sorted(firms), dtype=pl.String).implode()
    contacts = pl.Series(sorted(ties.people), dtype=pl.String).implode()
    erased = erased_among(store, ids.customers).implode()
    rules: list[Rule] = [
        (pl.col("account").is_in(erased) | pl.col("customer").is_in(erased), ERASED_REASON),
        (~pl.col("account").is_in(known.implode()), "there is no such account among the customers; record it first"),
        (~pl.col("customer").is_in(known.implode()), "there is no such customer; record them first"),
        (pl.col("firm") == pl.col("person"), "an account is no contact of itself"),
        (pl.col("person").is_in(accounts), "the contact is an account itself, and accounts have people as contacts"),
        (pl.col("firm").is_in(contacts), "the account is a contact of another account, and so a person"),
    ]
    _, bad = sift(named, rules)
    return bad.drop("firm", "person")


def keep_links(recorder: Recorder, before: Ties, links: pl.DataFrame) -> int:
    """Keep rows of CONTACTS and fold their accounts anew, inside a transaction; how many are new."""
    store = plain(recorder.store)
    known = store.read(CONTACTS, columns=list(CONTACTS.key))
    rows = links.with_columns(pl.col("role").fill_null("")).unique(list(CONTACTS.key), keep="last", maintain_order=True)
    store.put(CONTACTS, rows)
    settle_accounts(recorder, before, rows)
    return rows.join(known, on=list(CONTACTS.key), how="anti").height


def settle_accounts(recorder: Recorder, before: Ties, links: pl.DataFrame) -> None:
    """Fold the accounts of these links anew; their people's own numbers do not change."""
    after = note_change(plain(recorder.store))
    refold(recorder, after, {*before.resolved(links["account"]), *after.resolved(links["account"])})
