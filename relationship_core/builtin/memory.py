"""The memory store: rows in dictionaries. It is the plainest reading of what a store promises."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from operator import add, itemgetter
from typing import Any, TypeAlias

import polars as pl

from relationship_core import (
    CUSTOMERS,
    DECISIONS,
    FACTS,
    INTERACTIONS,
    KEYED_MEASURES,
    MESSAGES,
    STATES,
    TABLES,
    ConfigurationError,
    KeyedMeasure,
    Measure,
    Page,
    RejectedError,
    Step,
    Table,
    another_measure_type,
    measure_types,
    prepared_measure,
)

Key: TypeAlias = tuple[Any, ...]
Row: TypeAlias = dict[str, Any]
Rows: TypeAlias = dict[Key, Row]

COMBINED: Mapping[str, Callable[[Any, Any], Any]] = {"sum": add, "count": add, "min": min, "max": max}
ENGAGEMENT = ("campaign", "action", "customer", "occasion")
REFERRING = (
    "contact_points",
    "transitions",
    "decisions",
    "messages",
    "consents",
    "preferences",
    "tasks",
    "delivery_events",
)
"""Tables whose rows name a customer that must be known."""


class _ClosedTables(dict[str, Rows]):
    """What a closed store has: no table, and an error that says so."""

    def __missing__(self, name: str) -> Rows:
        message = f"the store is closed, so its table {name!r} cannot be used; open it again"
        raise ConfigurationError(message)


class MemoryStore:
    """A store that lives as long as its process; one thread, a hundred thousand customers or so."""

    def __init__(self) -> None:
        self._tables: dict[str, Rows] = {table.name: {} for table in TABLES}
        self._tables["measures"] = {}
        self._tables["marks"] = {}
        self._tables["engagements"] = {}
        self._plain: dict[str, Measure] = {}
        self._keyed: dict[str, KeyedMeasure] = {}
        self._undo: list[tuple[Rows, Key, Row | None]] | None = None

    def close(self) -> None:
        """Forget everything; may be called twice."""
        self._tables = _ClosedTables()

    def prepare(self, measures: Sequence[Measure | KeyedMeasure]) -> None:
        """Remember how each measure combines."""
        plain = {measure.name: measure for measure in measures if isinstance(measure, Measure)}
        for name, measure in plain.items():
            if name in self._plain and self._plain[name].type != measure.type:
                raise another_measure_type(measure)
        self._plain.update(plain)
        self._keyed.update({m.name: m for m in measures if isinstance(m, KeyedMeasure)})

    @contextmanager
    def transaction(self, *, durable: bool = False, shared: bool = False) -> Iterator[None]:  # noqa: ARG002  no difference
        """One atomic change: undone step by step when an exception leaves it."""
        self._require_no_transaction()
        self._undo = []
        try:
            yield
        except BaseException:  # Ctrl-C undoes a transaction as well
            for rows, key, before in reversed(self._undo):
                if before is None:
                    del rows[key]
                else:
                    rows[key] = before
            raise
        finally:
            self._undo = None

    def put(self, table: Table, frame: pl.DataFrame) -> None:
        """Insert or replace rows by key."""
        self._require_transaction()
        rows = table.conform(frame).rows(named=True)
        for row in rows:
            self._check(table, row)
            if table == MESSAGES:
                self._change(self._tables["engagements"], _key(ENGAGEMENT, row), {"id": row["id"]})
            self._change(self._tables[table.name], _key(table.key, row), row)

    def _check(self, table: Table, row: Row) -> None:
        if any(row[name] is None for name in table.key):
            message = f"a row for the table {table.name!r} lacks a part of its key ({', '.join(table.key)})"
            raise RejectedError(message)
        if table.name in REFERRING and (row["customer"],) not in self._tables["customers"]:
            message = f"a row for the table {table.name!r} names an unknown customer; record the customer first"
            raise RejectedError(message)
        if table == MESSAGES:
            holder = self._tables["engagements"].get(_key(ENGAGEMENT, row), {"id": row["id"]})
            if holder["id"] != row["id"]:
                message = "a message for this campaign, action, customer and occasion exists under another id"
                raise RejectedError(message)

    def update(self, table: Table, frame: pl.DataFrame) -> None:
        """Change columns of rows that exist, by key."""
        self._require_transaction()
        rows = self._tables[table.name]
        changed = [name for name in frame.columns if name not in table.key]
        for change in table.conform(frame, [*table.key, *changed]).rows(named=True):
            key = _key(table.key, change)
            if key in rows:
                self._change(rows, key, {**rows[key], **change})

    def revise(self, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
        """Change columns of a few rows that exist, by key."""
        self._require_transaction()
        kept = self._tables[table.name]
        for change in rows:
            table.types(change)  # refuses unknown columns
            key = tuple(change[name] for name in table.key)
            if key in kept:
                self._change(kept, key, {**kept[key], **change})

    def delete(self, table: Table, keys: pl.DataFrame) -> None:
        """Remove rows by key."""
        self._require_transaction()
        referring = REFERRING if table == CUSTOMERS else ()
        named = {row["customer"] for name in referring for row in self._tables[name].values()}
        for key in table.conform(keys, table.key).rows():
            if key[0] in named:
                message = "a customer whom other rows name cannot be removed; remove those rows first"
                raise RejectedError(message)
            row = self._tables[table.name].get(key)
            if row is not None and table == MESSAGES:
                self._change(self._tables["engagements"], _key(ENGAGEMENT, row), None)
            self._change(self._tables[table.name], key, None)

    def read(
        self,
        table: Table,
        *,
        page: Page | None = None,
        where: Mapping[str, str | Collection[str]] | None = None,
        columns: Sequence[str] | None = None,
    ) -> pl.DataFrame:
        """Rows of a table, ordered by its key."""
        types = table.types(columns)
        rows = self._tables[table.name]
        customers = None if page is None else set(page.customers)
        named = where or {}
        table.types(named)  # refuses unknown columns, also where there are no rows
        among = {name: {value} if isinstance(value, str) else {*value} for name, value in named.items()}
        found = [key for key, row in rows.items() if customers is None or row["customer"] in customers]
        for name, values in among.items():
            found = [key for key in found if rows[key][name] in values]
        return _frame(_values((rows[key] for key in sorted(found)), types), types)

    def count(
        self, table: Table, by: Sequence[str], *, where: Mapping[str, str | Collection[str]] | None = None
    ) -> pl.DataFrame:
        """Numbers of rows by the values of some columns."""
        frame = self.read(table, where=where)
        number = pl.len().cast(pl.Int64).alias("rows")
        if not by:
            return frame.select(number)
        return frame.group_by(list(table.types(by))).agg(number).sort(list(by))

    def fact(self, name: str) -> str | None:
        """The value of one fact."""
        row = self._tables[FACTS.name].get((name,))
        return None if row is None else row["value"]

    def append(
        self,
        interactions: pl.DataFrame,
        *,
        fresh: bool = False,  # noqa: ARG002  whether a key is kept costs nothing to see
    ) -> pl.DataFrame:
        """Keep what is new and return it."""
        self._require_transaction()
        frame = INTERACTIONS.conform(interactions)
        kept = self._tables["interactions"]
        new = []
        for number, row in enumerate(frame.rows(named=True)):
            key = _key(INTERACTIONS.key, row)
            self._check(INTERACTIONS, row)
            if key not in kept:
                self._change(kept, key, row)
                new.append(number)
        return frame[new]

    def index(self) -> None:
        """Do nothing: nothing is put off."""

    def kept(self, keys: pl.DataFrame, *, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """The interactions with these keys."""
        types = INTERACTIONS.types(columns)
        rows = self._tables["interactions"]
        found = sorted(key for key in set(INTERACTIONS.conform(keys, INTERACTIONS.key).rows()) if key in rows)
        return _frame(_values((rows[key] for key in found), types), types)

    def merge(self, measures: pl.DataFrame, keyed: pl.DataFrame) -> None:
        """Combine contributions into what is kept."""
        self._require_transaction()
        names = [name for name in measures.columns if name != "customer"]
        types = {"customer": pl.String(), **measure_types(names, self._plain)}
        contributed = measures.select(pl.col(name).cast(type_) for name, type_ in types.items())
        for row in contributed.fill_nan(None).rows(named=True):
            kept = self._tables["measures"].get((row["customer"],), {"customer": row["customer"]})
            combined = {
                name: _combine(self._plain[name].combine, kept.get(name), row[name])
                for name in row
                if name != "customer"
            }
            self._change(self._tables["measures"], (row["customer"],), {**kept, **combined})
        for row in KEYED_MEASURES.conform(keyed).fill_nan(None).rows(named=True):
            combine = prepared_measure(row["measure"], self._keyed).combine
            key = _key(KEYED_MEASURES.key, row)
            before = self._tables["keyed_measures"].get(key, {"value": None})["value"]
            value = _combine(combine, before, row["value"])
            self._change(self._tables["keyed_measures"], key, {**row, "value": value})

    def read_measures(self, page: Page, names: Sequence[str]) -> pl.DataFrame:
        """The named measures of a page, a row for each customer."""
        types = {"customer": pl.String(), **measure_types(names, self._plain)}
        kept = self._tables["measures"]
        rows = [{**kept.get((customer,), {}), "customer": customer} for customer in page.customers]
        return _frame([[row.get(name) for name in types] for row in rows], types)

    def read_keyed(self, page: Page, names: Sequence[str]) -> pl.DataFrame:
        """Keyed measures of a page."""
        return self.read(KEYED_MEASURES, page=page).filter(pl.col("measure").is_in(list(names)))

    def clear_measures(self, page: Page | None = None) -> None:
        """Delete every measure of a page's customers, or of everybody."""
        self._require_transaction()
        customers = None if page is None else set(page.customers)
        for rows in (self._tables["measures"], self._tables["keyed_measures"]):
            for key in [key for key in rows if customers is None or key[0] in customers]:
                self._change(rows, key, None)

    def scrub(self) -> None:
        """Nothing: what is deleted is gone."""
        self._require_no_transaction()

    def pages(self, step: Step | None, *, as_of: datetime, after: str = "", size: int = 50_000) -> Iterator[Page]:
        """Pages of customers: everybody, or those a step needs."""
        everybody = sorted(customer for (customer,) in self._tables["customers"])
        if step is None or self.marked(step) is None:
            chosen = set(everybody)
        else:
            table, column = {"review": (STATES, "due_at"), "plan": (DECISIONS, "until")}[step]
            chosen = {customer for marked, customer in self._tables["marks"] if marked == step}
            chosen |= {
                row["customer"]
                for row in self._tables[table.name].values()
                if row[column] is not None and row[column] <= as_of
            }
        customers = sorted(customer for customer in chosen if customer > after)
        for start in range(0, len(customers), size):
            page = customers[start : start + size]
            between = everybody[bisect_left(everybody, page[0]) : bisect_right(everybody, page[-1])]
            yield Page(pl.Series("customer", page, dtype=pl.String), contiguous=page == between)

    def mark(self, step: Step, customers: pl.Series | None) -> None:
        """Note who needs a step."""
        self._require_transaction()
        if customers is None:
            for key in [key for key in self._tables["marks"] if key[0] == step]:
                self._change(self._tables["marks"], key, None)
        for customer in [None] if customers is None else customers:
            self._change(self._tables["marks"], (step, customer), {})

    def unmark(self, step: Step, page: Page | None) -> None:
        """Take marks off again."""
        self._require_transaction()
        for customer in [None] if page is None else page.customers:
            self._change(self._tables["marks"], (step, customer), None)

    def marked(self, step: Step) -> int | None:
        """How many are marked; None for everybody."""
        customers = [customer for marked, customer in self._tables["marks"] if marked == step]
        return None if None in customers else len(customers)

    def claim(
        self,
        *,
        worker: str,
        channel: str,
        as_of: datetime,
        until: datetime,
        limit: int,
        held: Collection[tuple[str, str]] = (),
    ) -> pl.DataFrame:
        """Take queued messages of a channel, oldest first."""
        self._require_transaction()
        waiting = [
            row
            for row in self._tables["messages"].values()
            if row["channel"] == channel
            and row["state"] == "queued"
            and (row["not_before"] is None or row["not_before"] <= as_of)
            and (row["campaign"], row["version"]) not in held
        ]
        oldest = sorted(waiting, key=lambda row: (row["queued_at"], row["id"]))[:limit]
        claimed = [{**row, "state": "claimed", "worker": worker, "claimed_until": until} for row in oldest]
        for row in claimed:
            self._change(self._tables["messages"], (row["id"],), row)
        return _frame([[row[name] for name in MESSAGES.schema] for row in claimed], MESSAGES.types())

    def _change(self, rows: Rows, key: Key, row: Row | None) -> None:
        before = rows.get(key)
        if row is None:
            if rows.pop(key, None) is None:
                return
        else:
            rows[key] = row
        if self._undo is not None:
            self._undo.append((rows, key, before))

    def _require_no_transaction(self) -> None:
        if self._undo is not None:
            message = "a transaction is open already, and transactions do not nest; finish it first"
            raise RuntimeError(message)

    def _require_transaction(self) -> None:
        if self._undo is None:
            message = "a store is written to inside its transaction(); open one first"
            raise RuntimeError(message)


def _key(names: Sequence[str], row: Row) -> Key:
    return tuple(row[name] for name in names)


def _values(rows: Iterable[Row], names: Collection[str]) -> list[Sequence[Any]]:
    """What the rows hold under these names, a sequence for each row."""
    if len(names) == 1:
        (name,) = names
        return [(row[name],) for row in rows]
    return list(map(itemgetter(*names), rows)) if names else [() for _ in rows]


def _frame(rows: Sequence[Sequence[Any]], types: Mapping[str, Any]) -> pl.DataFrame:
    if not rows:
        return _without_rows(tuple(types.items())).clone()
    return pl.DataFrame(rows, schema=dict(types), orient="row")


@lru_cache(maxsize=256)
def _without_rows(types: tuple[tuple[str, Any], ...]) -> pl.DataFrame:
    """Most of what is asked for is not there, and to make a frame of nothing takes as long as one of a hundred rows."""
    return pl.DataFrame(schema=dict(types))


def _combine(combine: str, kept: Any, contributed: Any) -> Any:
    if kept is None or contributed is None:
        return contributed if kept is None else kept
    return COMBINED[combine](kept, contributed)
