"""The Store port over one SQLite file."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from operator import itemgetter
from pathlib import Path

import polars as pl

from relationship_core import (
    INSTANT,
    INTERACTIONS,
    KEYED_MEASURES,
    MESSAGES,
    KeyedMeasure,
    Measure,
    Migration,
    Page,
    Step,
    Table,
    microseconds,
)
from relationship_core.builtin.sqlite.database import Database
from relationship_core.builtin.sqlite.frames import equal, frame_of, frame_of_documents, listed, quoted, rows_of
from relationship_core.builtin.sqlite.measures import Measures
from relationship_core.builtin.sqlite.selection import Selection

KEYS = "interactions_by_key"
"""The index that an initial load puts off."""

INDEX_KEYS = f"CREATE UNIQUE INDEX IF NOT EXISTS {KEYS} ON interactions (source, id)"

CUSTOMER_CHUNK = 100_000
"""How many ids are Python objects at once while a selection is made."""


class SQLiteStore:
    """A store in one SQLite file, used from the thread that opened it.

    Args:
        path: the database file; it is made if it does not exist.
        busy_timeout: how long to wait for another process that is writing, in seconds.
        migrations: the numbered steps of the schema; None for those of this package.

    Raises:
        ConfigurationError: the file cannot be opened, is no database of ours, or is newer than this code.
        RetriableError: another process holds the file for longer than the time-out.
    """

    def __init__(
        self, path: Path, *, busy_timeout: float = 10.0, migrations: Sequence[Migration] | None = None
    ) -> None:
        self._database = Database(path, busy_timeout=busy_timeout, migrations=migrations)
        self._measures = Measures(self._database)
        self._selection = Selection(self._database)

    def close(self) -> None:
        """Close the file; may be called twice."""
        self._database.close()

    def prepare(self, measures: Sequence[Measure | KeyedMeasure]) -> None:
        """Add a column for each plain measure that has none."""
        self._measures.prepare(measures)

    def transaction(
        self,
        *,
        durable: bool = False,
        shared: bool = False,  # noqa: ARG002  a file has one writer at a time
    ) -> AbstractContextManager[None]:
        """Hold the file's one write lock; a durable commit waits for the disk."""
        return self._database.transaction(durable=durable)

    def put(self, table: Table, frame: pl.DataFrame) -> None:
        """Insert or replace rows by key."""
        others = [name for name in table.schema if name not in table.key]
        changes = ", ".join(f"{quoted(name)} = excluded.{quoted(name)}" for name in others)
        self._insert(table, table.conform(frame), f"({listed(table.key)}) DO UPDATE SET {changes}")

    def update(self, table: Table, frame: pl.DataFrame) -> None:
        """Change columns of rows that exist, by key."""
        changed = [name for name in frame.columns if name not in table.key]
        if not changed:
            return
        changes = ", ".join(f"{quoted(name)} = ?" for name in changed)
        self._write(
            f"UPDATE {quoted(table.name)} SET {changes} WHERE {equal(table.key)}",
            table.conform(frame, [*changed, *table.key]),
        )

    def revise(self, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
        """Change columns of a few rows that exist, by key."""
        self._require_transaction()
        if not rows:
            return
        types = table.types(rows[0])
        changed = [name for name in types if name not in table.key]
        if changed:
            changes = ", ".join(f"{quoted(name)} = ?" for name in changed)
            in_order = itemgetter(*changed, *table.key)
            values = [list(in_order(row)) for row in rows]
            for place in (place for place, name in enumerate(changed) if types[name] == INSTANT):
                for value in values:
                    value[place] = None if value[place] is None else microseconds(value[place])
            self._database.run_many(f"UPDATE {quoted(table.name)} SET {changes} WHERE {equal(table.key)}", values)

    def delete(self, table: Table, keys: pl.DataFrame) -> None:
        """Remove rows by key."""
        self._write(f"DELETE FROM {quoted(table.name)} WHERE {equal(table.key)}", table.conform(keys, table.key))

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
        conditions, parameters = self._selection.conditions(table, where)
        if page is None:
            rows = self._database.rows(
                f"SELECT {listed(types)} FROM {quoted(table.name)} WHERE {conditions} ORDER BY {listed(table.key)}",
                parameters,
            )
            return frame_of(rows, types)
        found = self._selection.read(table.name, {**types, **table.types(table.key)}, page, conditions, parameters)
        # Within a page the key begins with the customer in all but two tables.
        ordered = found if table.key[0] == "customer" and page.contiguous else found.sort(table.key)
        return ordered.select(list(types))

    def count(
        self, table: Table, by: Sequence[str], *, where: Mapping[str, str | Collection[str]] | None = None
    ) -> pl.DataFrame:
        """Numbers of rows by the values of some columns."""
        types = table.types(by)
        conditions, parameters = self._selection.conditions(table, where)
        grouping = f"GROUP BY {listed(types)} ORDER BY {listed(types)}" if by else ""
        names = f"{listed(types)}, " if by else ""
        rows = self._database.rows(
            f"SELECT {names}count(*) FROM {quoted(table.name)} WHERE {conditions} {grouping}", parameters
        )
        return frame_of(rows, {**types, "rows": pl.Int64})

    def fact(self, name: str) -> str | None:
        """The value of one fact."""
        rows = self._database.rows("SELECT value FROM facts WHERE name = ?", (name,))
        return rows[0][0] if rows else None

    def append(self, interactions: pl.DataFrame, *, fresh: bool = False) -> pl.DataFrame:
        """Keep what is new and return it."""
        self._require_transaction()
        frame = INTERACTIONS.conform(interactions)
        if fresh and self._puts_keys_off():
            self._insert(INTERACTIONS, frame)
            return frame
        self._database.run(INDEX_KEYS)
        last = self._database.rows("SELECT coalesce(max(number), 0) FROM interactions")[0][0]
        # Neighbours in the tree of keys are written together. Those of one customer, whom a batch of an import keeps
        # together, stay near each other.
        by_key = frame.sort("source", "id", maintain_order=True)
        added = self._insert(INTERACTIONS, by_key, "(source, id) DO NOTHING")
        if added == frame.height:
            return frame
        if not added:
            return frame.clear()
        # Numbers grow while the write lock is held, so those above the last one are this batch's.
        key = INTERACTIONS.types(INTERACTIONS.key)
        added_keys = self._database.rows("SELECT source, id FROM interactions WHERE number > ?", (last,))
        first = frame.unique(list(key), keep="first", maintain_order=True)
        return first.join(frame_of(added_keys, key), on=list(key), how="semi", maintain_order="left")

    def index(self) -> None:
        """Index the keys of the interactions, if an initial load has put that off."""
        if not self._has_keys():
            self._database.build(INDEX_KEYS)

    def _puts_keys_off(self) -> bool:
        """Whether keys are not indexed for now: from the first rows on, until somebody has to find one."""
        if not self._database.rows("SELECT 1 FROM interactions LIMIT 1"):
            self._database.run(f"DROP INDEX IF EXISTS {KEYS}")
        return not self._has_keys()

    def _has_keys(self) -> bool:
        return bool(self._database.rows("SELECT 1 FROM sqlite_master WHERE name = ?", (KEYS,)))

    def kept(self, keys: pl.DataFrame, *, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """The interactions with these keys."""
        return self._selection.read_kept(INTERACTIONS.conform(keys, INTERACTIONS.key), INTERACTIONS.types(columns))

    def merge(self, measures: pl.DataFrame, keyed: pl.DataFrame) -> None:
        """Combine contributions into what is kept."""
        self._require_transaction()
        self._measures.merge(measures)
        self._measures.merge_keyed(KEYED_MEASURES.conform(keyed))

    def read_measures(self, page: Page, names: Sequence[str]) -> pl.DataFrame:
        """The named measures of a page, a row for each customer."""
        types = {"customer": pl.String(), **self._measures.types(names)}
        return self._selection.read_all("measures", types, page)

    def read_keyed(self, page: Page, names: Sequence[str]) -> pl.DataFrame:
        """Keyed measures of a page."""
        return self._measures.read_keyed(self._selection, page, names)

    def clear_measures(self, page: Page | None = None) -> None:
        """Delete every measure of a page's customers, or of everybody."""
        self._require_transaction()
        if page is None:
            self._database.run("DELETE FROM measures")
            self._database.run("DELETE FROM keyed_measures")
        else:
            self._selection.delete("measures", page)
            self._measures.clear_keyed(self._selection, page)

    def scrub(self) -> None:
        """Write the whole file anew, without the free space in which deleted rows stay, and empty its log."""
        self._database.scrub()

    def pages(self, step: Step | None, *, as_of: datetime, after: str = "", size: int = 50_000) -> Iterator[Page]:
        """Pages of customers: everybody, or those a step needs."""
        if step is None or self.marked(step) is None:
            yield from self._everybody(after, size)
        else:
            yield from self._needed(step, as_of, after, size)

    def _everybody(self, after: str, size: int) -> Iterator[Page]:
        sql = (
            "SELECT json_group_array(customer) FROM "
            "(SELECT customer FROM customers WHERE customer > ? ORDER BY customer LIMIT ?)"
        )
        while True:
            (documents,) = self._database.rows(sql, (after, size))
            page = Page(frame_of_documents(documents, {"customer": pl.String()})["customer"], contiguous=True)
            if not len(page.customers):
                return
            yield page
            after = page.last

    def _needed(self, step: Step, as_of: datetime, after: str, size: int) -> Iterator[Page]:
        timed = {"review": "states WHERE due_at", "plan": "decisions WHERE until"}[step]
        sql = (
            "SELECT customer FROM marks WHERE step = ? AND customer > ? UNION "
            f"SELECT customer FROM {timed} <= ? AND customer > ? ORDER BY customer"
        )
        parameters = (step, after, microseconds(as_of), after)
        type_ = {"customer": pl.String()}
        chunks = [frame_of(rows, type_) for rows in self._database.chunks(sql, parameters, size=CUSTOMER_CHUNK)]
        if not chunks:
            return
        customers = pl.concat(chunks)["customer"]
        for start in range(0, len(customers), size):
            page = customers.slice(start, size)
            yield Page(page, contiguous=self._selection.is_contiguous(page))

    def mark(self, step: Step, customers: pl.Series | None) -> None:
        """Note who needs a step."""
        if customers is None:
            self._require_transaction()
            self._database.run("INSERT INTO everybody (step) VALUES (?) ON CONFLICT DO NOTHING", (step,))
            self._database.run("DELETE FROM marks WHERE step = ?", (step,))
            return
        self._require_transaction()
        marks = pl.DataFrame({"customer": customers.cast(pl.String)}).select(pl.lit(step).alias("step"), "customer")
        self._database.insert("marks (step, customer)", marks, "DO NOTHING")

    def unmark(self, step: Step, page: Page | None) -> None:
        """Take marks off again."""
        self._require_transaction()
        if page is None:
            self._database.run("DELETE FROM everybody WHERE step = ?", (step,))
        else:
            self._selection.delete("marks", page, "step = ?", (step,))

    def marked(self, step: Step) -> int | None:
        """How many are marked; None for everybody."""
        if self._database.rows("SELECT 1 FROM everybody WHERE step = ?", (step,)):
            return None
        return int(self._database.rows("SELECT count(*) FROM marks WHERE step = ?", (step,))[0][0])

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
        rows = self._database.rows(
            "UPDATE messages SET state = 'claimed', worker = ?, claimed_until = ? WHERE id IN ("
            "SELECT id FROM messages WHERE channel = ? AND state = 'queued' "
            "AND (not_before IS NULL OR not_before <= ?) AND (campaign, version) NOT IN "
            "(SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?)) "
            f"ORDER BY queued_at, id LIMIT ?) RETURNING {listed(MESSAGES.schema)}",
            (worker, microseconds(until), channel, microseconds(as_of), json.dumps(list(held)), limit),
        )
        return frame_of(rows, MESSAGES.types()).sort("queued_at", "id")

    def _insert(self, table: Table, frame: pl.DataFrame, on_conflict: str = "") -> int:
        self._require_transaction()
        return self._database.insert(f"{quoted(table.name)} ({listed(table.schema)})", frame, on_conflict)

    def _write(self, sql: str, frame: pl.DataFrame) -> int:
        self._require_transaction()
        return self._database.run_many(sql, rows_of(frame)) if frame.height else 0

    def _require_transaction(self) -> None:
        self._database.require_transaction()
