"""Deliveries that are killed again and again lose no message and send none twice."""

import json
import os
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from relationship_core import MESSAGES, ContactPoint, Customer, Relationships
from relationship_core.builtin.sqlite.store import SQLiteStore

DRIVER = Path(__file__).with_name("killed_deliveries.py")
AS_OF = datetime(2024, 5, 1, 9, tzinfo=UTC)
MESSAGES_QUEUED = 20_000
KILLS = 200
ATTEMPTING = 10

PROJECT = f"""
[project]
name = "Killed"
postal_address = "1 Main Street"

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


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The database of a project in which so many messages are queued."""
    folder = tmp_path_factory.mktemp("planned")
    (folder / "relationship.toml").write_text(PROJECT.replace('"recorder"', '"null"'))
    (folder / "campaigns").mkdir()
    (folder / "campaigns" / "hello.toml").write_text(CAMPAIGN)
    with Relationships.open(folder, clock=lambda: AS_OF) as project:
        project.record_customers(
            Customer(id=f"c{each}", contact_points=[ContactPoint(medium="email", address=f"c{each}@example.com")])
            for each in range(MESSAGES_QUEUED)
        )
        project.review()
        assert project.plan().planned == MESSAGES_QUEUED
    return (folder / "relationships.db").read_bytes()


@pytest.mark.parametrize("workers", [1, 3])
def test_killed_again_and_again_each_goes_once_or_is_told(planned: bytes, tmp_path: Path, workers: int) -> None:
    (tmp_path / "relationship.toml").write_text(PROJECT)
    (tmp_path / "campaigns").mkdir()
    (tmp_path / "campaigns" / "hello.toml").write_text(CAMPAIGN)
    (tmp_path / "relationships.db").write_bytes(planned)
    record = tmp_path / "accepted"
    command = [sys.executable, str(DRIVER), str(tmp_path), str(record), f"{workers} workers", str(KILLS), str(workers)]
    environment = {**os.environ, "POLARS_MAX_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert (told["killed"], told["last"]) == (KILLS, 0)
    assert min(told["points"].values()) >= 5, "it dies at every kind of point"
    assert len(told["points"]) == 4

    accepted = Counter(record.read_text().splitlines())
    assert max(accepted.values()) == 1, "none twice"
    store = SQLiteStore(tmp_path / "relationships.db")
    rows = dict(store.read(MESSAGES).select("id", "state").iter_rows())
    store.close()
    assert len(rows) == MESSAGES_QUEUED
    assert set(rows.values()) == {"accepted", "unknown"}
    assert {id for id, state in rows.items() if state == "accepted"} <= accepted.keys(), "what is told to have gone has"
    assert {id for id in rows if id not in accepted} <= {id for id, state in rows.items() if state == "unknown"}
    assert accepted.keys() <= rows.keys()
    assert 0 < list(rows.values()).count("unknown") <= KILLS * ATTEMPTING
