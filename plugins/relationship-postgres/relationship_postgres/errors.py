"""What PostgreSQL says, in our words.

Its own words name hosts, users and values of rows: none of them goes on, nor does its error as a cause. Whoever needs
them finds them in the server's log.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

import psycopg

from relationship_core import ConfigurationError, RejectedError, RetriableError

T = TypeVar("T")

LOST = "the connection to the PostgreSQL server was cut; run it again when the server can be reached"
UNKNOWN_FATE = (
    "the connection to the PostgreSQL server was cut while a change was being kept, so that it may have been kept or "
    "not; look before you do it again by hand, the steps themselves may simply be run again"
)
UNDONE = "PostgreSQL gave a transaction up and kept nothing of it; run it again"

_CONSTRAINTS = {
    "23502": "a row lacks a part of its key",
    "23503": "a row names a customer who is not there, or a customer is removed whom rows name",
    "23505": "there is another row for what must be there once",
}
_RETRIABLE = {
    "25P03": LOST,
    "40001": "another process changed the same rows; run it again",
    "40P01": "another process changed the same rows in another order; run it again",
    "53100": "the disk of the PostgreSQL server is full; make room, then run it again",
    "53200": "the PostgreSQL server is out of memory; run it again when it has some",
    "53300": "the PostgreSQL server has no connection left; raise its max_connections, or run it again later",
    "55P03": "another process is writing to the PostgreSQL database; run it again when that has finished",
    "57014": "a statement took longer than [store] statement_timeout, or was cancelled; raise it, or run it later",
    "57P01": LOST,
    "57P02": LOST,
    "57P03": "the PostgreSQL server is starting or stopping; run it again when it is up",
    "57P05": LOST,
    "58030": "the disk of the PostgreSQL server did not read or write; check it, then run it again",
}
_WRONG_PLACE = {
    "25006": "the PostgreSQL database is read-only, as a standby is; name the primary in [store] url",
    "28000": "the PostgreSQL server does not let this user in from here; check its pg_hba.conf, and [store] sslmode",
    "28P01": "the PostgreSQL server refuses the user or the password of [store] url; correct the environment variable",
    "3D000": "the PostgreSQL server has no database of the name in [store] url; create it, or correct the name",
    "42501": "this PostgreSQL user may not do what a store does; grant it the rights that the how-to guide lists",
    "42P01": "the PostgreSQL schema lacks a table, so that it is damaged; restore it from a backup",
    "42703": "the PostgreSQL schema lacks a column, so that it is damaged; restore it from a backup",
    "3F000": "the PostgreSQL schema is not there any more; restore it from a backup",
    "XX001": "the PostgreSQL database is damaged; restore it from a backup",
    "XX002": "an index of the PostgreSQL database is damaged; reindex it, or restore it from a backup",
}
_UNFIT = {
    "22003": "a number is too large for PostgreSQL; correct the data",
    "54000": "a key of a row has more than the 2,700 bytes that a PostgreSQL index holds; shorten it",
}
_CLASSES_LOST = ("08",)
_SIGNS = {
    "57P03": (
        "starting up",
        "shutting down",
        "not yet accepting",
        "not accepting connections",
        "currently accepting",
        "in recovery mode",
    ),
    "53300": ("too many clients", "connection slots", "too many connections"),
    "42501": ("permission denied for database",),
    "28000": ("pg_hba.conf", "not permitted to log in", "client certificate"),
    "28P01": ("authentication failed", "no password supplied", 'role "'),
    "3D000": ('database "',),
}
"""What libpq's words say of a refusal, in the order in which they are asked: it hands out no SQLSTATE of one."""
_UNTRUSTED = (
    "the PostgreSQL server could not be trusted or speaks no TLS; check [store] sslmode and sslrootcert, the name in "
    "the url, and the server's certificate"
)
UNREACHABLE = (
    "the PostgreSQL server of [store] url cannot be reached; check that it runs, its address, and the %-escapes of "
    "characters such as @ in the password, then run it again"
)
_NOT_LET_IN = (
    "the PostgreSQL server answers, and lets nobody in; check the user, the password and the database of [store] url; "
    "its log says why, in its own language"
)
_SEVERITY = re.compile(r"failed: [^\s:]+:  ")
"""Stands before what the server itself says, in whatever language; of its own errors libpq says no severity."""


def is_lost(error: psycopg.Error) -> bool:
    """Whether the connection is gone with it."""
    state = error.sqlstate
    if state is None:
        return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return state.startswith(_CLASSES_LOST) or _RETRIABLE.get(state) == LOST


def by_state(state: str) -> Exception | None:
    """What a caller is told of a SQLSTATE; None of one that a store does not expect."""
    if state in _RETRIABLE:
        return RetriableError(_RETRIABLE[state])
    if state in _WRONG_PLACE:
        return ConfigurationError(_WRONG_PLACE[state])
    return RejectedError(_UNFIT[state]) if state in _UNFIT else None


def unconnected(text: str) -> Exception:
    """What a caller is told of a connection that did not come about: libpq gives words alone."""
    said = text.lower()
    for state, signs in _SIGNS.items():
        if any(sign in said for sign in signs):
            return by_state(state) or RetriableError(UNREACHABLE)
    if any(sign in said for sign in ("ssl", "certificate", "sslrootcert")):
        return ConfigurationError(_UNTRUSTED)
    # It may be a wrong password or a server that is starting: who tries again later is right in both cases.
    return RetriableError(_NOT_LET_IN if _SEVERITY.search(text) else UNREACHABLE)


def in_our_words(error: psycopg.Error) -> Exception:
    """What a caller is told of an error."""
    state = error.sqlstate or ""
    if is_lost(error):
        return RetriableError(LOST)
    known = by_state(state)
    if known is not None:
        return known
    if state.startswith("23"):
        where = f" of the table {error.diag.table_name!r}" if error.diag.table_name else ""
        return RejectedError(f"PostgreSQL refuses a row{where}: {_CONSTRAINTS.get(state, 'it breaks a rule')}")
    return RuntimeError(f"PostgreSQL answered {state or 'nothing'} ({type(error).__name__}); its log says more")


def answered(act: Callable[[], T]) -> T:
    """What something gives; an error of PostgreSQL in our words, without it as a cause or a context."""
    failed: psycopg.Error
    try:
        return act()
    except psycopg.Error as error:
        failed = error
    raise in_our_words(failed)
