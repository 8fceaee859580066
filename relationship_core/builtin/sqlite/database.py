"""One connection to one SQLite file: opening, migrating, transactions, and errors in our words.

Only the standard library's ``sqlite3`` touches the file: two SQLite libraries in one process, each with
its own idea of the locks that POSIX gives to the process, corrupt a database or die.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import lru_cache
from pathlib import Path
from threading import get_ident
from typing import TYPE_CHECKING, Any, NoReturn

from relationship_core import (
    ConfigurationError,
    Migration,
    RejectedError,
    RetriableError,
    packaged_migrations,
    without_collection,
)
from relationship_core.builtin.sqlite.frames import Row, shared_values, values_of

if TYPE_CHECKING:
    import polars as pl

PACKAGE = "relationship_core.builtin.sqlite"
"""Where the migrations lie."""

APPLICATION_ID = 0x52656C43
"""Written into the file's header, so that another program's database is known as such."""

OLDEST_SQLITE = (3, 38, 0)
"""The first that has JSON built in."""

CACHE_KIB = 64 * 1024

VALUES_AT_ONCE = 4_000
"""How many values one inserting statement takes; SQLite allows some 30,000."""


class Database:
    """A connection that belongs to the thread which opened it.

    Raises, from any method: RetriableError for a locked database or a full disk; ConfigurationError for a
    file that is read-only, damaged or no database, and in another thread; RejectedError for rows that break a
    constraint.
    """

    def __init__(self, path: Path, *, busy_timeout: float, migrations: Sequence[Migration] | None = None) -> None:
        self._path, self._busy_timeout = path, busy_timeout
        self._thread = get_ident()
        self._is_open = False
        self.rollbacks = 0
        if sqlite3.sqlite_version_info < OLDEST_SQLITE:
            oldest = ".".join(map(str, OLDEST_SQLITE[:2]))
            message = f"SQLite {sqlite3.sqlite_version} is too old; install a Python that has {oldest} or newer"
            raise ConfigurationError(message)
        try:
            self._connection = sqlite3.connect(path, timeout=busy_timeout, isolation_level=None)
        except sqlite3.Error as error:
            self._fail(error)
        try:
            self._open(packaged_migrations(PACKAGE) if migrations is None else migrations)
        except BaseException:  # Ctrl-C leaves no open file behind either
            self._connection.close()
            raise

    def close(self) -> None:
        """Close the connection; may be called twice."""
        try:
            self._connection.close()
        except sqlite3.Error as error:
            self._fail(error)

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Run a query and return all its rows."""
        try:
            cursor = self._connection.execute(sql, parameters)
            with without_collection():
                return cursor.fetchall()
        except sqlite3.Error as error:
            self._fail(error)

    def chunks(self, sql: str, parameters: Sequence[Any] = (), *, size: int) -> Iterator[list[Row]]:
        """Run a query and return its rows, at most ``size`` at a time."""
        try:
            cursor = self._connection.execute(sql, parameters)
            while rows := cursor.fetchmany(size):
                yield rows
        except sqlite3.Error as error:
            self._fail(error)

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """Run one statement."""
        try:
            self._connection.execute(sql, parameters)
        except sqlite3.Error as error:
            self._fail(error)

    def run_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> int:
        """Run one statement for each row; return how many rows of the database changed."""
        before = self._connection.total_changes
        try:
            self._connection.executemany(sql, rows)
        except sqlite3.Error as error:
            self._fail(error)
        return self._connection.total_changes - before

    def insert(self, into: str, frame: pl.DataFrame, on_conflict: str = "") -> int:
        """Insert the rows of a frame, and return how many rows of the database changed.

        Args:
            into: the table with its columns, as ``INSERT INTO`` takes them.
            frame: a column for each of these.
            on_conflict: what becomes of rows that are there, as ``ON CONFLICT`` takes it; by itself an error.
        """
        # Binding and starting a statement cost as much as keeping a row: one statement takes many rows, and what is
        # the same in all of them is bound once.
        shared = shared_values(frame)
        values, width = values_of(frame.drop(shared)), frame.width - len(shared)
        many = max(1, VALUES_AT_ONCE // width) * width
        whole = len(values) - len(values) % many
        once = list(shared.values())
        otherwise = f"ON CONFLICT {on_conflict}" if on_conflict else ""
        inserted = 0
        for start, stop, step in ((0, whole, many), (whole, len(values), width)):
            rows = _rows(tuple(frame.columns), tuple(shared), step)
            inserted += self.run_many(
                f"INSERT INTO {into} VALUES {rows} {otherwise}", _slices(once, values[start:stop], step)
            )
        return inserted

    def scrub(self) -> None:
        """Write the file anew from the rows that it has, and empty the log beside it.

        ``PRAGMA secure_delete`` is not enough: where a page of a tree is split, copies of its rows stay behind in both.
        """
        self._require_no_transaction()
        try:
            with self._beside() as other:
                other.execute("VACUUM")
                busy, _, _ = other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.Error as error:
            self._fail(error)
        if busy:
            message = (
                f"what was deleted is gone, but another process reads {self._path.name}, whose log keeps traces of it "
                "until then; run it again when that has finished"
            )
            raise RetriableError(message)

    def build(self, statement: str) -> None:
        """Run a statement that sorts more than may be in memory, in a transaction of its own."""
        self._require_no_transaction()
        try:
            with self._beside() as other:
                other.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
                other.execute("PRAGMA threads = 2")
                other.execute("PRAGMA synchronous = NORMAL")
                other.execute(statement)
        except sqlite3.Error as error:
            self._fail(error)

    def _beside(self) -> closing[sqlite3.Connection]:
        """Another connection, since this one keeps temporary tables, and its temporary files in memory."""
        return closing(sqlite3.connect(self._path, timeout=self._busy_timeout, isolation_level=None))

    @property
    def is_writing(self) -> bool:
        """True inside a transaction."""
        return self._connection.in_transaction

    def require_transaction(self) -> None:
        """Refuse to write outside a transaction.

        Raises:
            RuntimeError: none is open.
        """
        if not self.is_writing:
            message = "a store is written to inside its transaction(); open one first"
            raise RuntimeError(message)

    def _require_no_transaction(self) -> None:
        if self.is_writing:
            message = "a transaction is open already, and transactions do not nest; finish it first"
            raise RuntimeError(message)

    @contextmanager
    def transaction(self, *, durable: bool = False) -> Iterator[None]:
        """Take the one write lock; commit at the end, roll back on any exception."""
        self._require_no_transaction()
        if durable:
            self.run("PRAGMA synchronous = FULL")
        try:
            self.run("BEGIN IMMEDIATE")  # a plain BEGIN fails later, at its first write, without waiting
            try:
                yield
                self._commit()
            except BaseException:  # Ctrl-C undoes a transaction as well
                self._roll_back()
                raise
        finally:
            if durable:
                self.run("PRAGMA synchronous = NORMAL")

    @contextmanager
    def together(self) -> Iterator[None]:
        """Statements on temporary tables as one, inside a transaction or outside, without the write lock."""
        self.run("SAVEPOINT together")
        try:
            yield
        finally:
            if self.is_writing:
                self.run("RELEASE together")

    def _commit(self) -> None:
        if not self.is_writing:
            message = f"{self._path.name} gave a transaction up and kept nothing of it; run it again"
            raise RetriableError(message)
        self.run("COMMIT")

    def _roll_back(self) -> None:
        self.rollbacks += 1
        if self.is_writing:  # SQLite itself rolls back when the disk is full
            self._connection.rollback()

    def _open(self, migrations: Sequence[Migration]) -> None:
        self._check(migrations[-1].version)
        self.run("PRAGMA foreign_keys = ON")
        self.run("PRAGMA temp_store = MEMORY")
        self.run(f"PRAGMA cache_size = -{CACHE_KIB}")
        if self.rows("PRAGMA journal_mode") != [("wal",)]:
            self.run("PRAGMA journal_mode = WAL")
        self.run("PRAGMA synchronous = NORMAL")
        if self._version() < migrations[-1].version:
            with self.transaction():
                self._migrate(migrations)
        self._is_open = True  # from here on a table that is not there has been there

    def _version(self) -> int:
        return int(self.rows("PRAGMA user_version")[0][0])

    def _check(self, newest: int) -> None:
        application = self.rows("PRAGMA application_id")[0][0]
        if application != APPLICATION_ID and self.rows("SELECT 1 FROM sqlite_master LIMIT 1"):
            message = f"{self._path.name} belongs to another program; name another file as the store's path"
            raise ConfigurationError(message)
        version = self._version()
        if version > newest:
            message = (
                f"{self._path.name} has schema version {version}, and this installation knows {newest}; "
                "install a newer relationship-core"
            )
            raise ConfigurationError(message)

    def _migrate(self, migrations: Sequence[Migration]) -> None:
        version = self._version()  # again, now that nobody else can migrate
        for migration in migrations:
            if migration.version > version:
                for statement in _statements(migration.script):
                    self.run(statement)
                self.run(f"PRAGMA user_version = {migration.version:d}")

    def _refuse_another_thread(self, error: sqlite3.Error) -> None:
        if isinstance(error, sqlite3.ProgrammingError) and get_ident() != self._thread:
            message = (
                f"{self._path.name} is used from another thread than the one that opened it; open the project in each "
                "thread, or leave it to one thread that the others ask"
            )
            raise ConfigurationError(message) from error

    def _fail(self, error: sqlite3.Error) -> NoReturn:
        name = self._path.name
        self._refuse_another_thread(error)
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        match code:
            case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
                message = f"another process is writing to {name}; run it again when that has finished"
                raise RetriableError(message) from error
            case sqlite3.SQLITE_FULL:
                message = f"the disk is full, so {name} cannot grow; make room, then run it again"
                raise RetriableError(message) from error
            case sqlite3.SQLITE_IOERR | sqlite3.SQLITE_PROTOCOL:
                message = f"the disk did not read or write {name}; check it, then run it again"
                raise RetriableError(message) from error
            case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
                message = f"{name} is read-only; give this user the right to write to it and its folder"
                raise ConfigurationError(message) from error
            case sqlite3.SQLITE_CANTOPEN:
                message = f"{name} cannot be opened; check that its folder exists and may be written to"
                raise ConfigurationError(message) from error
            case sqlite3.SQLITE_NOTADB:
                message = f"{name} is not a SQLite database; name another file as the store's path"
                raise ConfigurationError(message) from error
            case sqlite3.SQLITE_CORRUPT:
                message = f"{name} is damaged; restore it from a backup"
                raise ConfigurationError(message) from error
            case sqlite3.SQLITE_ERROR if self._is_open and str(error).startswith("no such table"):
                message = f"{name} is damaged, for it lacks a table; restore it from a backup"
                raise ConfigurationError(message) from error
            case sqlite3.SQLITE_CONSTRAINT:
                message = f"{name} refuses a row: {error}"
                raise RejectedError(message) from error
        raise error


@lru_cache(maxsize=64)
def _rows(columns: tuple[str, ...], shared: tuple[str, ...], parameters: int) -> str:
    """Rows of numbered parameters: first the shared ones, which every row names, then so many others."""
    places = {name: f"?{place}" for place, name in enumerate(shared, 1)}
    others = map("?{}".format, range(len(shared) + 1, len(shared) + 1 + parameters))
    rows = parameters // (len(columns) - len(shared))
    return ", ".join(f"({', '.join(places.get(name) or next(others) for name in columns)})" for _ in range(rows))


def _slices(once: list[Any], values: list[Any], step: int) -> Iterator[list[Any]]:
    return (once + values[place : place + step] for place in range(0, len(values), step))


def _statements(script: str) -> Iterator[str]:
    # executescript() would commit the transaction that the migration belongs to.
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
