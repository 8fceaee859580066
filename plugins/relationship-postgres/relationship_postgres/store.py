"""The Store port over one schema of a PostgreSQL database."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime

import polars as pl

from relationship_core import (
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
from relationship_postgres.claiming import CLAIM
from relationship_postgres.database import Database
from relationship_postgres.frames import frame_of, kept_text, kept_texts, listed, quoted
from relationship_postgres.given import Given, Giving
from relationship_postgres.measures import Measures
from relationship_postgres.schema import Schema
from relationship_postgres.scrubbing import scrub
from relationship_postgres.selection import Selection, conditions
from relationship_postgres.settings import PostgresSettings

CUSTOMER_CHUNK = 100_000
"""How many ids are Python objects at once while a selection is made."""


class PostgresStore:
    """A store in one schema of a PostgreSQL database, used from the thread that opened it.

    Args:
        settings: where the database is.
        migrations: the numbered steps of the schema; None for those of this package.

    Raises:
        ConfigurationError: the server, the user or the schema is a wrong one, or newer than this code.
        RetriableError: the server cannot be reached, or another process holds the schema for longer than the time-out.
    """

    def __init__(self, settings: PostgresSettings, *, migrations: Sequence[Migration] | None = None) -> None:
        self._patience = settings.busy_timeout
        self._database = Database(settings, Schema(settings, migrations).check)
        self._giving = Giving(self._database)
        self._selection = Selection(self._database)
        self._measures = Measures(self._database, self._giving, self._selection)

    def close(self) -> None:
        """Close the connection; may be called twice."""
        self._database.close()

    def prepare(self, measures: Sequence[Measure | KeyedMeasure]) -> None:
        """Add a column for each plain measure that has none."""
        self._measures.prepare(measures)

    def transaction(self, *, durable: bool = False, shared: bool = False) -> AbstractContextManager[None]:
        """Hold the project's lock, alone or shared with others; a durable commit waits for the disk."""
        return self._database.transaction(durable=durable, shared=shared)

    def put(self, table: Table, frame: pl.DataFrame) -> None:
        """Insert or replace rows by key."""
        self._require_transaction()
        rows = _last(table.conform(frame), table.key)
        if rows.is_empty():
            return
        given = self._giving.frame(rows)
        others = [name for name in table.schema if name not in table.key]
        changes = ", ".join(f"{quoted(name)} = excluded.{quoted(name)}" for name in others)
        known = (
            f"UPDATE SET {changes} WHERE ({listed(others, 'kept')}) IS DISTINCT FROM ({listed(others, 'excluded')})"
            if others
            else "NOTHING"
        )
        self._database.run(
            f"INSERT INTO {quoted(table.name)} AS kept ({listed(table.schema)}) SELECT {listed(table.schema)} "
            f"FROM {given.source} ON CONFLICT ({listed(table.key)}) DO {known}",
            given.parameters,
        )

    def update(self, table: Table, frame: pl.DataFrame) -> None:
        """Change columns of rows that exist, by key."""
        self._require_transaction()
        changed = [name for name in frame.columns if name not in table.key]
        rows = _last(table.conform(frame, [*table.key, *changed]), table.key)
        if changed and rows.height:
            self._update(table, changed, self._giving.frame(rows))

    def revise(self, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
        """Change columns of a few rows that exist, by key."""
        self._require_transaction()
        if not rows:
            return
        types = table.types([*table.key, *(name for name in rows[0] if name not in table.key)])
        by_key = {tuple(row[name] for name in table.key): row for row in rows}  # of one key the last holds
        changed = [name for name in types if name not in table.key]
        if changed:
            self._update(table, changed, self._giving.rows(list(by_key.values()), types))

    def _update(self, table: Table, changed: Sequence[str], given: Given) -> None:
        changes = ", ".join(f"{quoted(name)} = given.{quoted(name)}" for name in changed)
        same = " AND ".join(f"kept.{quoted(name)} = given.{quoted(name)}" for name in table.key)
        self._database.run(
            f"UPDATE {quoted(table.name)} AS kept SET {changes} FROM {given.source} WHERE {same} "
            f"AND ({listed(changed, 'kept')}) IS DISTINCT FROM ({listed(changed, 'given')})",
            given.parameters,
        )

    def delete(self, table: Table, keys: pl.DataFrame) -> None:
        """Remove rows by key."""
        self._require_transaction()
        rows = table.conform(keys, table.key)
        if rows.height:
            given = self._giving.frame(rows)
            same = " AND ".join(f"kept.{quoted(name)} = given.{quoted(name)}" for name in table.key)
            self._database.run(
                f"DELETE FROM {quoted(table.name)} AS kept USING {given.source} WHERE {same}", given.parameters
            )

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
        only, parameters = conditions(table, where)
        order = listed(table.key)
        if page is not None:
            return self._selection.read(table.name, types, page, only, parameters, order=order)
        rows = self._database.rows(
            f"SELECT {listed(types)} FROM {quoted(table.name)} WHERE {only} ORDER BY {order}", parameters
        )
        return frame_of(rows, types)

    def count(
        self, table: Table, by: Sequence[str], *, where: Mapping[str, str | Collection[str]] | None = None
    ) -> pl.DataFrame:
        """Numbers of rows by the values of some columns."""
        types = table.types(by)
        only, parameters = conditions(table, where)
        order = ", ".join(f"{quoted(name)} NULLS FIRST" for name in types)
        grouping = f"GROUP BY {listed(types)} ORDER BY {order}" if by else ""
        names = f"{listed(types)}, " if by else ""
        rows = self._database.rows(
            f"SELECT {names}count(*) FROM {quoted(table.name)} WHERE {only} {grouping}", parameters
        )
        return frame_of(rows, {**types, "rows": pl.Int64})

    def fact(self, name: str) -> str | None:
        """The value of one fact."""
        found = self._database.rows("SELECT value FROM facts WHERE name = %b", (kept_text(name),))
        return frame_of(found, {"value": pl.String()})["value"][0] if found else None

    def append(
        self,
        interactions: pl.DataFrame,
        *,
        fresh: bool = False,  # noqa: ARG002  the index of a table that others use is never put off
    ) -> pl.DataFrame:
        """Keep what is new and return it."""
        self._require_transaction()
        frame = INTERACTIONS.conform(interactions)
        if frame.is_empty():
            return frame
        given = self._giving.frame(frame)
        # Which ones were new is only told where some were not.
        rows = self._database.rows(
            f"WITH new AS (INSERT INTO interactions ({listed(frame.columns)}) SELECT {listed(frame.columns)} "
            f"FROM {given.source} ON CONFLICT (source, id) DO NOTHING RETURNING source, id) "
            "SELECT NULL, NULL, count(*) FROM new UNION ALL "
            "SELECT source, id, NULL FROM new WHERE (SELECT count(*) FROM new) <> %b",
            (*given.parameters, frame.height),
        )
        added = rows[0][2]
        if added in {0, frame.height}:
            return frame if added else frame.clear()
        key = INTERACTIONS.types(INTERACTIONS.key)
        keys = frame_of([(source, id_) for source, id_, _ in rows[1:]], key)
        first = frame.unique(list(key), keep="first", maintain_order=True)
        return first.join(keys, on=list(key), how="semi", maintain_order="left")

    def index(self) -> None:
        """Do nothing: nothing is put off."""

    def kept(self, keys: pl.DataFrame, *, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """The interactions with these keys."""
        types = INTERACTIONS.types(columns)
        wanted = INTERACTIONS.conform(keys, INTERACTIONS.key).unique()
        rows = self._database.rows(
            f"SELECT {listed(types, 'kept')} FROM unnest(%b::text[], %b::text[]) AS given (source, id) "
            "JOIN interactions AS kept USING (source, id) ORDER BY kept.source, kept.id",
            tuple(kept_texts(column).to_list() for column in wanted),
        )
        return frame_of(rows, types)

    def merge(self, measures: pl.DataFrame, keyed: pl.DataFrame) -> None:
        """Combine contributions into what is kept."""
        self._require_transaction()
        self._measures.merge(measures)
        self._measures.merge_keyed(KEYED_MEASURES.conform(keyed))

    def read_measures(self, page: Page, names: Sequence[str]) -> pl.DataFrame:
        """The named measures of a page, a row for each customer."""
        return self._measures.read(page, names)

    def read_keyed(self, page: Page, names: Sequence[str]) -> pl.DataFrame:
        """Keyed measures of a page."""
        return self._measures.read_keyed(page, names)

    def clear_measures(self, page: Page | None = None) -> None:
        """Delete every measure of a page's customers, or of everybody."""
        self._require_transaction()
        for table in ("measures", "keyed_measures"):
            if page is None:
                self._database.run(f"DELETE FROM {table}")
            else:
                self._selection.delete(table, page)

    def scrub(self) -> None:
        """Write every table anew, without the free space in which deleted rows stay."""
        scrub(self._database, self._patience)

    def pages(self, step: Step | None, *, as_of: datetime, after: str = "", size: int = 50_000) -> Iterator[Page]:
        """Pages of customers: everybody, or those a step needs."""
        if step is None or self.marked(step) is None:
            yield from self._everybody(after, size)
        else:
            yield from self._needed(step, as_of, after, size)

    def _everybody(self, after: str, size: int) -> Iterator[Page]:
        sql = "SELECT customer FROM customers WHERE customer > %b ORDER BY customer LIMIT %b"
        while rows := self._database.rows(sql, (kept_text(after), size)):
            page = Page(frame_of(rows, {"customer": pl.String()})["customer"], contiguous=True)
            yield page
            after = page.last

    def _needed(self, step: Step, as_of: datetime, after: str, size: int) -> Iterator[Page]:
        timed = {"review": "states WHERE due_at", "plan": "decisions WHERE until"}[step]
        sql = (
            "SELECT customer FROM marks WHERE step = %b AND customer > %b UNION "
            f"SELECT customer FROM {timed} <= %b AND customer > %b ORDER BY customer"
        )
        begin = kept_text(after)
        parameters = (step, begin, microseconds(as_of), begin)
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
        self._require_transaction()
        if customers is None:
            self._database.run("INSERT INTO everybody (step) VALUES (%b) ON CONFLICT DO NOTHING", (step,))
            self._database.run("DELETE FROM marks WHERE step = %b", (step,))
        elif len(customers):
            given = self._giving.frame(pl.DataFrame({"customer": customers.cast(pl.String)}))
            # In order, so that two workers who mark the same customers in shared transactions wait, and do not lock up.
            self._database.run(
                f"INSERT INTO marks (step, customer) SELECT %b, customer FROM {given.source} ORDER BY customer "
                "ON CONFLICT DO NOTHING",
                (step, *given.parameters),
            )

    def unmark(self, step: Step, page: Page | None) -> None:
        """Take marks off again."""
        self._require_transaction()
        if page is None:
            self._database.run("DELETE FROM everybody WHERE step = %b", (step,))
        else:
            self._selection.delete("marks", page, "step = %b", (step,))

    def marked(self, step: Step) -> int | None:
        """How many are marked; None for everybody."""
        rows = self._database.rows(
            "SELECT EXISTS (SELECT FROM everybody WHERE step = %b), (SELECT count(*) FROM marks WHERE step = %b)",
            (step, step),
        )
        return None if rows[0][0] else int(rows[0][1])

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
        """Take queued messages of a channel, oldest first, and none that another is taking."""
        self._require_transaction()
        campaigns = [kept_text(campaign) for campaign, _ in held]
        versions = [kept_text(version) for _, version in held]
        now, then = microseconds(as_of), microseconds(until)
        rows = self._database.rows(
            CLAIM, (kept_text(worker), then, kept_text(channel), now, campaigns, versions, limit)
        )
        return frame_of(rows, MESSAGES.types()).sort("queued_at", "id")

    def _require_transaction(self) -> None:
        self._database.require_transaction()


def _last(frame: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    """The frame with the last row of each key: a statement changes no row twice."""
    if frame.height < 2 or not frame.select(pl.struct(key).is_duplicated().any()).item():  # noqa: PLR2004  one row
        return frame
    return frame.unique(list(key), keep="last", maintain_order=True)
