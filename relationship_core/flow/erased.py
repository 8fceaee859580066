"""Who was erased: a keyed hash of each id stays, so that nothing recorded later brings them back.

The hash is an HMAC-SHA256 (RFC 2104) with the project's salt: it answers whether an id was erased, and cannot be
turned back into one.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence

import polars as pl

from relationship_core.columns import CUSTOMERS, ERASED, Page
from relationship_core.flow.facts import read_fact
from relationship_core.flow.salt import SALT_FACT
from relationship_core.ports import Store

ERASED_REASON = "erased: who had this id wanted to be forgotten, so nothing is recorded under it any more"
"""Why a row that names them is refused."""


def tombstone(salt: str, customer: str) -> str:
    """What is kept of an erased customer's id."""
    return hmac.digest(salt.encode(), f"erased customer\x1f{customer}".encode(), "sha256").hex()


def tombstones(store: Store, customers: Sequence[str]) -> pl.DataFrame:
    """The rows of ERASED of those of these ids that were erased, with one more column, ``customer``."""
    salt = read_fact(store, SALT_FACT)
    named = pl.DataFrame(
        {"customer": list(customers), "hash": [tombstone(salt or "", each) for each in customers]},
        schema={"customer": pl.String, "hash": pl.String},
    )
    return store.read(ERASED).join(named, on="hash") if salt else ERASED.empty().join(named, on="hash")


def erasures(store: Store) -> int:
    """How many ids were erased so far."""
    return int(store.count(ERASED, []).item())


def still_there(store: Store, page: Page, before: int) -> Page:
    """A page without those who were erased since it was selected, when there had been so many erasures."""
    if erasures(store) == before:
        return page
    known = store.read(CUSTOMERS, page=page, columns=["customer"])["customer"]
    left = page.customers.filter(page.customers.is_in(known.implode()))
    return Page(left, contiguous=page.contiguous)


def erased_among(store: Store, customers: pl.Series) -> pl.Series:
    """Those of these ids that were erased. Only ids that nobody has now are looked at; a known customer was not."""
    if not erasures(store):
        return customers.clear()
    ids = customers.drop_nulls().unique().sort()
    known = store.read(CUSTOMERS, page=Page(ids), columns=["customer"])["customer"]
    strangers = ids.filter(~ids.is_in(known.implode()))
    return tombstones(store, strangers.to_list())["customer"]


def without_erased(
    store: Store, rows: pl.DataFrame, columns: Sequence[str] = ("customer",)
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows that name nobody who was erased; and the others with one more column, ``reason``.

    Args:
        store: where the tombstones are.
        rows: what is to be recorded.
        columns: those of its columns that name customers.
    """
    erased = erased_among(store, pl.concat([rows[name].alias("customer") for name in columns]))
    refused = pl.any_horizontal(pl.col(columns).is_in(erased.implode()).fill_null(value=False))
    told = pl.lit(ERASED_REASON).alias("reason")
    if erased.is_empty():
        return rows, rows.clear().with_columns(told)
    return rows.filter(~refused), rows.filter(refused).with_columns(told)
