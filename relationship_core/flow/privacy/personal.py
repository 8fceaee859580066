"""What is personal: which tables name a customer, and which of their rows do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from relationship_core.columns import (
    CALIBRATIONS,
    CAMPAIGN_ACTS,
    CAMPAIGNS,
    CONSENTS,
    CONTACT_POINTS,
    CUSTOMERS,
    ERASED,
    FACTS,
    IMPORTS,
    MESSAGES,
    RUNS,
    SUPPRESSIONS,
    TABLES,
    Page,
)
from relationship_core.flow.permission.keys import address_keys, held_back_keys
from relationship_core.flow.permission.standing import suppressions_of
from relationship_core.flow.permission.terms import Terms
from relationship_core.model.words import TASK_MEDIUM
from relationship_core.ports import Store
from relationship_core.table import Table

NAMING = ("customer", "survivor", "account")
"""Columns that hold a customer's id, in whichever table they stand."""

IMPERSONAL: Mapping[str, str] = {
    ERASED.name: "keyed hashes of ids that nobody has any more",
    CAMPAIGNS.name: "what campaigns say before a customer's name is filled in",
    CAMPAIGN_ACTS.name: "who of us did what with a campaign",
    RUNS.name: "instants and numbers of messages",
    IMPORTS.name: "hashes of files and numbers of rows",
    CALIBRATIONS.name: "parameters fitted to all customers together",
    FACTS.name: "what the project knows about itself",
}
"""The tables that hold nothing about a single customer, and what they hold. Suppressions are found by address."""

ADDRESSES = ("medium", "address_hash")
"""What tells an address in SUPPRESSIONS."""


def naming(table: Table) -> tuple[str, ...]:
    """The columns of a table that hold a customer's id."""
    return tuple(name for name in NAMING if name in table.schema)


def personal_rows(store: Store, ids: Sequence[str], terms: Terms) -> dict[str, pl.DataFrame]:
    """Every row that names one of these ids, or keeps one of their addresses back; by the table's name.

    Args:
        store: the store itself, in which every row is under the id that it was recorded for.
        ids: all ids of one customer.
        terms: what addresses are hashed by.
    """
    rows = {table.name: _naming_rows(store, table, ids) for table in TABLES if naming(table)}
    rows[SUPPRESSIONS.name] = _suppressions(store, _addresses(rows, terms))
    return rows


def _naming_rows(store: Store, table: Table, ids: Sequence[str]) -> pl.DataFrame:
    first, *others = naming(table)
    found = [store.read(table, page=Page.of(ids))] if first == "customer" else []
    columns = others if found else [first, *others]
    found += [store.read(table, where={name: each}) for name in columns for each in ids]
    return pl.concat(found).unique(list(table.key), maintain_order=True).sort(table.key)


def _suppressions(store: Store, addresses: pl.DataFrame) -> pl.DataFrame:
    kept = suppressions_of(addresses.select("medium", pl.col("address_hash").alias("key")), store)
    return SUPPRESSIONS.conform(kept.rename({"key": "address_hash"}))


def addresses_of(store: Store, ids: Sequence[str], terms: Terms) -> pl.DataFrame:
    """The addresses of one customer, as SUPPRESSIONS names them; ``one`` is the same for all keys of an address."""
    tables = (CUSTOMERS, CONTACT_POINTS, MESSAGES, CONSENTS)
    return _addresses({table.name: store.read(table, page=Page.of(ids)) for table in tables}, terms)


def _addresses(rows: Mapping[str, pl.DataFrame], terms: Terms) -> pl.DataFrame:
    """``medium`` and ``address_hash`` of every address: of now, that messages went to, and that a consent is for."""
    points = pl.concat([rows[table.name].select("medium", "address") for table in (CONTACT_POINTS, MESSAGES)])
    # The address of tasks is everybody's, and so nobody's.
    known = points.drop_nulls().filter(pl.col("medium") != TASK_MEDIUM).unique().sort("medium", "address")
    # A telephone number may be read by the country of any of their ids, or by the project's.
    countries = pl.DataFrame({"country": [None, *rows[CUSTOMERS.name]["country"].drop_nulls().unique()]})
    placed = known.with_columns(pl.lit(countries["country"].drop_nulls().first(), pl.String).alias("country"))
    read = known.with_columns(address_keys(placed, terms).alias("one")).join(countries.cast(pl.String), how="cross")
    hashed = held_back_keys(read, terms).select("medium", pl.col("key").alias("address_hash"), "one")
    consented = rows[CONSENTS.name].select(ADDRESSES).drop_nulls().filter(pl.col("address_hash") != "")
    alone = consented.join(hashed, on=ADDRESSES, how="anti").with_columns(pl.col("address_hash").alias("one"))
    return pl.concat([hashed, alone]).unique(ADDRESSES, keep="first", maintain_order=True).sort(ADDRESSES)
