"""One connection to one PostgreSQL server, as the settings say."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from math import ceil
from typing import Any

import psycopg

from relationship_core import ConfigurationError
from relationship_postgres.errors import answered, unconnected
from relationship_postgres.frames import quoted
from relationship_postgres.settings import PostgresSettings

OLDEST_SERVER = 14
"""The first that estimates an array of ids by its length."""
LIMITS_TRANSACTIONS = 17
"""The first that may have a limit for whole transactions."""

TEMPORARY_MEMORY = "32MB"
"""What staged rows may take in the memory of a session before they go to its disk."""

_KEEPALIVE = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
"""Seconds, seconds and times: a peer that lost its power is known to be gone after a minute, on either side."""


def connect(settings: PostgresSettings) -> psycopg.Connection[Any]:
    """Open a connection whose session is as a store needs it.

    Raises:
        ConfigurationError: the url, the user, the password or the server is a wrong one.
        RetriableError: the server cannot be reached now.
    """
    problem: Exception | None = None
    connection: psycopg.Connection[Any] | None = None
    try:
        connection = psycopg.connect(**_parameters(settings))
    except psycopg.ProgrammingError:
        problem = ConfigurationError(
            "[store] url cannot be read; write it as postgresql://user:password@host:5432/database, with %-escapes for "
            "characters such as @ and /"
        )
    except psycopg.Error as error:
        problem = unconnected(str(error))
    except (UnicodeError, OSError):
        problem = ConfigurationError("[store] url cannot be read; check its host, and the files that it names")
    if connection is None:
        raise problem or RuntimeError("no connection")
    try:
        _prepare(connection, settings)
    except BaseException:  # Ctrl-C leaves no open connection behind either
        connection.close()
        raise
    return connection


def lock_key(schema: str) -> int:
    """The number of the advisory lock of a project's schema; advisory locks belong to one database."""
    return int.from_bytes(sha256(f"relationship_core:{schema}".encode()).digest()[:8], signed=True)


def _parameters(settings: PostgresSettings) -> dict[str, Any]:
    more = {"sslmode": settings.sslmode, "sslrootcert": settings.sslrootcert and str(settings.sslrootcert)}
    return {
        "conninfo": settings.url.reveal(),
        "autocommit": True,
        "connect_timeout": ceil(settings.connect_timeout),
        "client_encoding": "utf8",
        "fallback_application_name": "relationship_core",
        **_KEEPALIVE,
        "tcp_user_timeout": 60_000,
        **{name: value for name, value in more.items() if value},
    }


def _prepare(connection: psycopg.Connection[Any], settings: PostgresSettings) -> None:
    """Refuse a server that is too old or keeps other letters, and set what holds for the whole session."""
    version = connection.info.server_version // 10_000
    if version < OLDEST_SERVER:
        message = f"the PostgreSQL server is version {version}, which is too old; use {OLDEST_SERVER} or newer"
        raise ConfigurationError(message)
    if connection.info.parameter_status("server_encoding") != "UTF8":
        message = "the PostgreSQL database does not keep UTF-8; create it with ENCODING 'UTF8'"
        raise ConfigurationError(message)
    wanted = {
        # What was staged is found last, so that it never stands for a table.
        "search_path": f"{quoted(settings.schema)}, pg_temp",
        "lock_timeout": f"{ceil(settings.busy_timeout * 1000)}ms",
        "statement_timeout": f"{ceil(settings.statement_timeout * 1000)}ms",
        "default_transaction_isolation": "read committed",  # who waited for a lock must see what came before it
        "idle_in_transaction_session_timeout": "0",  # pages are judged while a transaction is open
        "temp_buffers": TEMPORARY_MEMORY,
        "client_min_messages": "warning",
        "extra_float_digits": "1",
        "tcp_keepalives_idle": "30",
        "tcp_keepalives_interval": "10",
        "tcp_keepalives_count": "3",
    }
    if version >= LIMITS_TRANSACTIONS:
        wanted["transaction_timeout"] = "0"
    answered(lambda: _set(connection, wanted))


def _set(connection: psycopg.Connection[Any], wanted: Mapping[str, str]) -> None:
    settings = dict(wanted)
    if connection.execute("SHOW synchronous_commit").fetchall() == [("off",)]:
        settings["synchronous_commit"] = "on"  # a store says itself which commits need not wait
    settled = ", ".join(["set_config(%s, %s, false)"] * len(settings))
    connection.execute(f"SELECT {settled}", [each for pair in settings.items() for each in pair])
