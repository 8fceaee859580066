"""Statements and transactions over one connection, which is opened again where it was cut.

A store is used from one thread, so that one connection does, without a pool.

Every statement has its own snapshot (READ COMMITTED), and that is enough. Whoever writes holds the project's advisory
lock until the commit: alone, or shared with others who change other rows. Under the lock that is held alone nothing
changes between one statement and the next, so that what was read is still so when it is written: as serializable as
SQLite's one writer, without transactions that fail and must be tried again. Under the shared lock each worker changes
rows that are its own, and a claim decides by the rows' own locks. Outside a transaction each read is of its own moment,
as in SQLite.

A connection may be cut anywhere. Outside a transaction, and at its beginning, nothing was changed, so that the
statement is tried once more over a new one. Inside a transaction all of it is lost, whoever catches the error. Where
the commit itself is cut nobody knows, and the error says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import psycopg
from psycopg.pq import TransactionStatus

from relationship_core import (
    ConfigurationError,
    RetriableError,
    without_collection,
)
from relationship_postgres.connecting import connect, lock_key
from relationship_postgres.errors import LOST, UNDONE, UNKNOWN_FATE, answered, in_our_words, is_lost
from relationship_postgres.frames import Row
from relationship_postgres.settings import PostgresSettings

T = TypeVar("T")


class Database:
    """The connection of one store.

    Raises, from any method: RetriableError where the server is away, busy or full; ConfigurationError where it is a
    wrong one; RejectedError for rows that break a constraint.

    Args:
        settings: where the server is.
        check: looks at every new connection before it is used.
    """

    def __init__(self, settings: PostgresSettings, check: Callable[[psycopg.Connection[Any]], None]) -> None:
        self._settings, self._check = settings, check
        self._key = lock_key(settings.schema)
        self._is_closed = False
        self.is_writing = False
        self.transactions = 0
        self._connection = self._connected()

    def close(self) -> None:
        """Close the connection; may be called twice."""
        self._is_closed = True
        self._connection.close()

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Run a query and return all its rows."""

        def fetch(connection: psycopg.Connection[Any]) -> list[Row]:
            cursor = connection.execute(sql, parameters, binary=True)
            with without_collection():
                return cursor.fetchall()

        return self._do(fetch)

    def chunks(self, sql: str, parameters: Sequence[Any] = (), *, size: int) -> Iterator[list[Row]]:
        """Run a query and return its rows, at most ``size`` at a time as objects of Python."""
        cursor = self._do(lambda connection: connection.execute(sql, parameters, binary=True))
        with cursor:
            while rows := cursor.fetchmany(size):
                yield rows

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Run one statement; return how many rows it changed."""
        return self._do(lambda connection: connection.execute(sql, parameters).rowcount)

    def copy(self, into: str, text: bytes) -> None:
        """Copy rows, written as CSV, into a table."""

        def copy(connection: psycopg.Connection[Any]) -> None:
            with connection.cursor() as cursor, cursor.copy(f"COPY {into} FROM STDIN (FORMAT csv)") as stream:
                stream.write(text)

        self._do(copy)

    @contextmanager
    def transaction(self, *, durable: bool = False, shared: bool = False) -> Iterator[None]:
        """Hold the project's lock, alone or shared; commit at the end, roll back on any exception."""
        self.require_no_transaction()
        lock = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
        flush = "" if durable or self._settings.synchronous_commit else "SET LOCAL synchronous_commit = off; "
        begin = f"BEGIN; {flush}SELECT {lock}({self._key})"
        try:
            self._do(lambda connection: connection.execute(begin, prepare=False))
            self.is_writing = True
            self.transactions += 1
            yield
            self._commit()
        except BaseException:  # Ctrl-C undoes a transaction as well
            self._roll_back()
            raise
        finally:
            self.is_writing = False

    def alone(self, work: Callable[[psycopg.Connection[Any]], T]) -> T:
        """Do something over a second connection, outside transactions and without a limit of time.

        Nobody else writes meanwhile.
        """
        self.require_no_transaction()
        other = self._connected()

        def locked() -> T:
            other.execute("SELECT set_config('statement_timeout', '0', false)")
            other.execute("SELECT pg_advisory_lock(%s)", (self._key,))
            return work(other)

        try:
            return answered(locked)
        finally:
            other.close()

    def forget_session(self) -> None:
        """Close the connection with what is staged in it; the next use opens another."""
        self._connection.close()

    def require_transaction(self) -> None:
        """Refuse to write outside a transaction.

        Raises:
            RuntimeError: none is open.
        """
        if not self.is_writing:
            message = "a store is written to inside its transaction(); open one first"
            raise RuntimeError(message)

    def require_no_transaction(self) -> None:
        """Refuse what cannot be done inside a transaction.

        Raises:
            RuntimeError: one is open.
        """
        if self.is_writing:
            message = "a transaction is open already, and transactions do not nest; finish it first"
            raise RuntimeError(message)

    def _connected(self) -> psycopg.Connection[Any]:
        connection = connect(self._settings)
        try:
            answered(lambda: self._check(connection))
        except BaseException:  # Ctrl-C leaves no open connection behind either
            connection.close()
            raise
        return connection

    def _do(self, act: Callable[[psycopg.Connection[Any]], T]) -> T:
        """Do something over the connection; once more over a new one where nothing can have been changed."""
        may_try_again = not self.is_writing
        while True:
            self._reopen()
            failed: psycopg.Error
            try:
                return act(self._connection)
            except psycopg.Error as error:
                failed = error
            if is_lost(failed):
                self._connection.close()
            if not (may_try_again and is_lost(failed)):
                break
            may_try_again = False
        raise in_our_words(failed)

    def _reopen(self) -> None:
        if self._is_closed:
            message = "the store is closed, so that it cannot be used; open it again"
            raise ConfigurationError(message)
        if self._connection.closed:
            if self.is_writing:  # whoever caught the first error must not go on outside the transaction
                raise RetriableError(LOST)
            self._connection = self._connected()

    def _commit(self) -> None:
        if self._connection.closed:
            raise RetriableError(LOST)
        if self._connection.info.transaction_status != TransactionStatus.INTRANS:
            raise RetriableError(UNDONE)  # PostgreSQL would answer a COMMIT with a quiet ROLLBACK
        failed: psycopg.Error | None = None
        try:
            self._connection.execute("COMMIT", prepare=False)
        except psycopg.Error as error:
            failed = error
        if failed is not None:
            raise RetriableError(UNKNOWN_FATE) if is_lost(failed) else in_our_words(failed)

    def _roll_back(self) -> None:
        with suppress(psycopg.Error):
            if not self._connection.closed:
                self._connection.execute("ROLLBACK", prepare=False)
                return
        self._connection.close()
