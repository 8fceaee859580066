"""The store as it looks once merged customers are one: what the steps read it through.

A page's rows are those of its customers and of every id that was merged into them, under the customers' own ids.
Nothing else differs: rows are written as they are given. The ties are read again where they have changed, at the
beginning of each transaction, so that nobody judges by ties of yesterday.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, cast

import polars as pl

from relationship_core.columns import (
    CONTACT_POINTS,
    CONTACTS,
    CUSTOMERS,
    DECISIONS,
    DELIVERY_EVENTS,
    INTERACTIONS,
    MESSAGES,
    TASKS,
    Page,
)
from relationship_core.flow.attributes import as_one
from relationship_core.flow.ties import Ties, history, read_ties
from relationship_core.ports import Step, Store
from relationship_core.table import Table

_TOGETHER = frozenset(table.name for table in (CONTACT_POINTS, DECISIONS, DELIVERY_EVENTS, MESSAGES, TASKS))
"""The tables whose rows are read under the survivor's id, beside INTERACTIONS.

States and transitions are not among them: the survivor keeps its own, and the moves of two ids make no path of one.
"""


class UnitedStore:
    """A store that reads merged customers as one; whatever it does not say itself, the store does."""

    def __init__(self, store: Store) -> None:
        """Look at a store."""
        self.plain = store
        self._ties: Ties | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.plain, name)

    @property
    def ties(self) -> Ties:
        """The ties by which it reads."""
        if self._ties is None:
            self.refresh()
        return cast("Ties", self._ties)

    def refresh(self) -> None:
        """Read the ties again where they have changed."""
        self._ties = read_ties(self.plain, self._ties)

    @contextmanager
    def transaction(self, *, durable: bool = False, shared: bool = False) -> Iterator[None]:
        """As the store's own, by the ties of now."""
        with self.plain.transaction(durable=durable, shared=shared):
            self.refresh()
            yield

    def pages(self, step: Step | None, *, as_of: datetime, after: str = "", size: int = 50_000) -> Iterator[Page]:
        """As the store's own, without ids that were merged into others."""
        self.refresh()
        for page in self.plain.pages(step, as_of=as_of, after=after, size=size):
            survivors = self.ties.survivors
            if not survivors:
                yield page
                continue
            left = [customer for customer in page.customers if customer not in survivors]
            if len(left) == len(page.customers):
                yield page
            elif left:
                # Still told as contiguous: a page reads its own customers only, and a range is read quicker.
                yield Page(pl.Series("customer", left, dtype=pl.String), contiguous=page.contiguous)

    def read(
        self,
        table: Table,
        *,
        page: Page | None = None,
        where: Mapping[str, str | Collection[str]] | None = None,
        columns: Sequence[str] | None = None,
    ) -> pl.DataFrame:
        """As the store's own; rows of a page as said above, and CONTACTS under the ids of now."""
        if not self.ties.version:
            return self.plain.read(table, page=page, where=where, columns=columns)
        if page is None:
            if table == CONTACTS and not where:
                return self.ties.contacts.select(list(table.types(columns)))
            return self.plain.read(table, where=where, columns=columns)
        if table == INTERACTIONS and not where:
            return history(self.plain, self.ties, page).select(list(table.types(columns)))
        if table == CUSTOMERS or table.name in _TOGETHER:
            return self._together(table, page, where, columns)
        return self.plain.read(table, page=page, where=where, columns=columns)

    def _together(
        self,
        table: Table,
        page: Page,
        where: Mapping[str, str | Collection[str]] | None,
        columns: Sequence[str] | None,
    ) -> pl.DataFrame:
        theirs = self.ties.merged.filter(pl.col("survivor").is_in(page.customers.implode()))
        if theirs.is_empty():
            return self.plain.read(table, page=page, where=where, columns=columns)
        names = list(table.types(columns))
        wanted = [*names, *(name for name in {"customer", *table.key} if name not in names)]
        own = self.plain.read(table, page=page, where=where, columns=wanted)
        aliases = Page(theirs["customer"].sort())
        others = (
            self.plain.read(table, page=aliases, where=where, columns=wanted)
            .join(theirs, on="customer", maintain_order="left")
            .with_columns(pl.col("survivor").alias("customer"))
            .select(wanted)
        )
        if table == CUSTOMERS:
            return _completed(own, others).select(names)
        # Where both ids have a row of one key, such as the decision about one engagement, the survivor's own counts.
        both = pl.concat([own, others]).unique(list(table.key), keep="first", maintain_order=True)
        return both.sort(table.key).select(names)


def _completed(own: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    """What a survivor's profile leaves open, as the merged ids have it; attribute by attribute."""
    profile = [name for name in own.columns if name not in {"customer", "attributes"}]
    texts = [pl.col("attributes").drop_nulls()] if "attributes" in own.columns else []
    known = others.group_by("customer", maintain_order=True).agg(
        *(pl.col(name).drop_nulls().first() for name in profile), *texts
    )
    both = own.join(known, on="customer", how="left", suffix="_known", maintain_order="left")
    united = [pl.coalesce(name, f"{name}_known").alias(name) for name in profile]
    if texts:
        pairs = both.select("attributes", "attributes_known").iter_rows()
        attributes = pl.Series("attributes", [_united(*pair) for pair in pairs], dtype=pl.String)
        both = both.with_columns(attributes)
    return both.with_columns(united).select(own.columns)


def _united(own: str | None, others: Sequence[str] | None) -> str | None:
    """The survivor's own attributes go before those of merged ids, and of these the first ones."""
    return as_one((*reversed(others), *([own] if own else ()))) if others else own


def united(store: Store) -> Store:
    """The store with merged customers as one."""
    return store if isinstance(store, UnitedStore) else cast("Store", UnitedStore(store))


def plain(store: Store) -> Store:
    """The store itself."""
    return store.plain if isinstance(store, UnitedStore) else store


def ties_of(store: Store) -> Ties:
    """The ties in a store: those by which a united one reads, otherwise those of now."""
    known = getattr(store, "ties", None)
    return known if isinstance(known, Ties) else read_ties(store)


def refreshed(store: Store) -> Ties:
    """The ties of now."""
    if isinstance(store, UnitedStore):
        store.refresh()
    return ties_of(store)
