"""Who stands beside a customer: the contacts of an account, and the accounts of a contact."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import polars as pl
from attrs import frozen

from relationship_core.columns import CUSTOMERS, Page
from relationship_core.flow.catalog import Catalog
from relationship_core.flow.ties import Ties
from relationship_core.ports import Store
from relationship_core.table import INSTANT

TOUCH = "contact_touch"
"""The keyed measure that tells when each contact was last in touch, in microseconds since 1970."""


@frozen(kw_only=True)
class Tie:
    """A contact of an account, or an account of a contact.

    Attributes:
        customer: the id of the other one.
        name: their name; may be empty.
        role: what the contact is at the account, such as ``buyer``; may be empty.
        since: from when on the contact's history counts for the account; None for all of it.
        until: before when; None as long as it does.
        in_touch_at: of a present contact, when they were last in touch; None where that is not recorded.
    """

    customer: str
    name: str
    role: str
    since: datetime | None
    until: datetime | None
    in_touch_at: datetime | None = None


def contacts(store: Store, ties: Ties, catalog: Catalog, page: Page) -> tuple[Tie, ...]:
    """The contacts of an account: those in touch first, those who left last."""
    links = ties.contacts.filter(pl.col("account") == page.first)
    touched = _touched(store, catalog, page) if links.height else {}
    every = _ties(store, links, "customer", touched)
    return tuple(sorted(every, key=lambda tie: (tie.until is not None, -_seconds(tie.in_touch_at), tie.customer)))


def accounts(store: Store, ties: Ties, page: Page) -> tuple[Tie, ...]:
    """The accounts of a contact, those of the past last."""
    links = ties.contacts.filter(pl.col("customer") == page.first)
    return tuple(sorted(_ties(store, links, "account", {}), key=lambda tie: (tie.until is not None, tie.customer)))


def _ties(store: Store, links: pl.DataFrame, other: str, touched: Mapping[str, datetime]) -> list[Tie]:
    if links.is_empty():
        return []
    ids = Page(links[other].unique().sort().alias("customer"))
    names = dict(store.read(CUSTOMERS, page=ids, columns=["customer", "name"]).iter_rows())
    return [
        Tie(
            customer=row[other],
            name=names.get(row[other]) or "",
            role=row["role"] or "",
            since=row["since"],
            until=row["until"],
            in_touch_at=touched.get(row[other]) if row["until"] is None else None,
        )
        for row in links.iter_rows(named=True)
    ]


def _touched(store: Store, catalog: Catalog, page: Page) -> Mapping[str, datetime]:
    if TOUCH not in {measure.name for measure in catalog.measures}:
        return {}
    rows = store.read_keyed(page, [TOUCH])
    return dict(rows.select("key", pl.col("value").cast(pl.Int64).cast(INSTANT)).iter_rows())


def _seconds(instant: datetime | None) -> float:
    return 0.0 if instant is None else instant.timestamp()
