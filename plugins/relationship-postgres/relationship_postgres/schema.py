"""The project's schema: whose it is, which version it has, and how it is brought to the newest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from relationship_core import (
    ConfigurationError,
    Migration,
    packaged_migrations,
)
from relationship_postgres.connecting import lock_key
from relationship_postgres.frames import kept_text, quoted
from relationship_postgres.settings import PostgresSettings

if TYPE_CHECKING:
    import psycopg

PACKAGE = "relationship_postgres"
"""Where the migrations lie."""

MARKER = "relationship_core"
"""The table that says whose the schema is; its one row has the schema's version and the project's name."""


class Schema:
    """What is asked of every new connection; the first one makes the schema, or brings it to the newest version."""

    def __init__(self, settings: PostgresSettings, migrations: Sequence[Migration] | None) -> None:
        self._settings = settings
        self._migrations = packaged_migrations(PACKAGE) if migrations is None else migrations
        self._newest = self._migrations[-1].version
        self._was_checked = False

    def check(self, connection: psycopg.Connection[Any]) -> None:
        """Refuse a schema that is not this project's, or newer than this code.

        Raises:
            ConfigurationError: it is one.
            psycopg.Error: the server says no.
        """
        version, project = self._read(connection)
        if version != self._newest or self._is_to_be_named(project):
            if self._was_checked:
                message = f"the schema {self._settings.schema!r} was changed meanwhile; run it again"
                raise ConfigurationError(message)
            self._migrate(connection)
        self._was_checked = True

    def _is_to_be_named(self, project: str) -> bool:
        return not project and bool(self._settings.project)

    def _read(self, connection: psycopg.Connection[Any]) -> tuple[int, str]:
        """The version, 0 where nothing is there yet, and the project's name."""
        name = self._settings.schema
        tables = connection.execute(
            "SELECT relname FROM pg_catalog.pg_class "
            "WHERE relnamespace = to_regnamespace(%s) AND relkind IN ('r', 'p')",
            (quoted(name),),
        ).fetchall()
        if (MARKER,) not in tables:
            if tables:
                message = f"the schema {name!r} belongs to another program; name another one as [store] schema"
                raise ConfigurationError(message)
            return 0, ""
        rows = connection.execute(f"SELECT version, project FROM {quoted(name)}.{quoted(MARKER)}").fetchall()
        version, project = rows[0] if len(rows) == 1 else (0, "")
        if not version:
            message = f"the schema {name!r} is damaged, for it does not say its version; restore it from a backup"
            raise ConfigurationError(message)
        self._refuse(version, project)
        return version, project

    def _refuse(self, version: int, project: str) -> None:
        name, own = self._settings.schema, kept_text(self._settings.project)
        if version > self._newest:
            message = (
                f"the schema {name!r} has version {version}, and this installation knows {self._newest}; "
                "install a newer relationship-postgres"
            )
            raise ConfigurationError(message)
        if project and own and project != own:
            message = (
                f"the schema {name!r} holds the project {project!r}, and this one is {own!r}; name another one as "
                f"[store] schema, or where the project has got another name, set [store] project = {project!r}"
            )
            raise ConfigurationError(message)

    def _migrate(self, connection: psycopg.Connection[Any]) -> None:
        name = quoted(self._settings.schema)
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (lock_key(self._settings.schema),))
            connection.execute("SELECT set_config('statement_timeout', '0', true)")
            version, project = self._read(connection)  # again, now that nobody else can migrate
            if not version:
                if not connection.execute("SELECT to_regnamespace(%s)", (name,)).fetchall()[0][0]:
                    connection.execute(f"CREATE SCHEMA {name}")
                connection.execute(
                    f"CREATE TABLE {name}.{quoted(MARKER)} (version integer NOT NULL, project text NOT NULL)"
                )
                connection.execute(f"INSERT INTO {name}.{quoted(MARKER)} VALUES (0, '')")
            for migration in self._migrations:
                if migration.version > version:
                    connection.execute(migration.script, prepare=False)
            connection.execute(
                f"UPDATE {name}.{quoted(MARKER)} SET version = %s, project = %s",
                (self._newest, project or kept_text(self._settings.project)),
            )
