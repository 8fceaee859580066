"""What is particular to the SQLite store: its file, its schema, other processes, and what goes wrong."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import polars as pl
import pytest

from relationship_core import (
    CUSTOMERS,
    FACTS,
    INTERACTIONS,
    STATES,
    SUPPRESSIONS,
    TABLES,
    TRANSITIONS,
    ConfigurationError,
    Measure,
    Migration,
    RetriableError,
    packaged_migrations,
)
from relationship_core.builtin.sqlite.database import PACKAGE
from relationship_core.builtin.sqlite.store import SQLiteStore
from relationship_core.flow.permission.holders import holders
from relationship_core.flow.permission.terms import Terms
from relationship_core.testing.rows import NOON, customers, frame, interaction, interactions, know, page, states

Open = Callable[..., SQLiteStore]

RELEASED = ["aaa8cab240aa", "33c7a97d43c5", "06354b3fcff5", "642f54697b7c", "c7663e53d024", "88ade5d756ae"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "relationships.db"


@pytest.fixture
def open_store(path: Path) -> Iterator[Open]:
    opened = []

    def open_(**options: object) -> SQLiteStore:
        store = SQLiteStore(path, **{"busy_timeout": 0.05, **options})  # type: ignore[arg-type]  # options of any kind
        opened.append(store)
        return store

    yield open_
    for store in opened:
        store.close()


@pytest.fixture
def raw(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path, isolation_level=None)
    yield connection
    connection.close()


class TestSchema:
    def test_every_table_has_its_columns_and_its_key(self, open_store: Open, raw: sqlite3.Connection) -> None:
        open_store()
        for table in TABLES:
            columns = raw.execute("SELECT name FROM pragma_table_info(?)", (table.name,)).fetchall()
            assert {name for (name,) in columns} - {"number"} == set(table.schema)

    def test_migrations_are_numbered_without_gaps(self) -> None:
        versions = [migration.version for migration in packaged_migrations(PACKAGE)]
        assert versions == list(range(1, len(versions) + 1))

    def test_the_file_says_whose_it_is_and_is_written_ahead(self, open_store: Open, raw: sqlite3.Connection) -> None:
        open_store()
        assert raw.execute("PRAGMA application_id").fetchone() == (int.from_bytes(b"RelC"),)
        assert raw.execute("PRAGMA journal_mode").fetchone() == ("wal",)

    def test_an_older_database_is_brought_forward_with_what_it_holds(self, open_store: Open) -> None:
        first = packaged_migrations(PACKAGE)
        store = open_store(migrations=first)
        know(store, "ada")
        store.close()
        later = Migration(
            version=len(first) + 1,
            script="-- two; statements\nCREATE TABLE extra (n INTEGER);\nINSERT INTO extra VALUES (1);\n",
        )
        again = open_store(migrations=[*first, later])
        assert list(again.read(CUSTOMERS)["customer"]) == ["ada"]
        again.close()
        with pytest.raises(ConfigurationError, match=rf"version {later.version}.*knows {len(first)}"):
            open_store(migrations=first)

    @pytest.mark.parametrize("version", range(1, len(packaged_migrations(PACKAGE))))
    def test_every_older_schema_is_brought_to_the_newest_with_the_transitions_it_holds(
        self, open_store: Open, raw: sqlite3.Connection, version: int
    ) -> None:
        open_store(migrations=packaged_migrations(PACKAGE)[:version]).close()
        raw.execute("INSERT INTO customers (customer) VALUES ('ada')")
        raw.execute("INSERT INTO transitions VALUES ('ada', 0, 'prospect', 'customer', '{}')")
        assert open_store().read(TRANSITIONS).rows() == [
            ("ada", datetime(1970, 1, 1, tzinfo=UTC), "prospect", "customer", "{}")
        ]

    def test_migrations_stay_as_they_were_released(self) -> None:
        """A database that has one already never sees what is added to it."""
        scripts = [migration.script.encode() for migration in packaged_migrations(PACKAGE)]
        assert [sha256(script).hexdigest()[:12] for script in scripts[:6]] == RELEASED

    def test_addresses_from_before_they_were_found_by_their_form_are_found(
        self, open_store: Open, raw: sqlite3.Connection
    ) -> None:
        open_store(migrations=packaged_migrations(PACKAGE)[:6]).close()
        raw.execute("INSERT INTO customers (customer) VALUES ('ada')")
        raw.execute("INSERT INTO contact_points (customer, medium, address) VALUES ('ada', 'email', 'Ada@example.com')")
        raw.execute("INSERT INTO contact_points (customer, medium, address) VALUES ('ada', 'sms', '030 123456')")
        named = pl.DataFrame({"medium": ["email", "sms"], "address": ["Ada@EXAMPLE.com", "030/123456"]})
        found = holders(open_store(), named, Terms(salt="salt", country="DE"))
        assert found.select("customer", "medium").rows() == [("ada", "email"), ("ada", "sms")]

    def test_a_migration_that_fails_leaves_the_version_before(self, open_store: Open, raw: sqlite3.Connection) -> None:
        first = packaged_migrations(PACKAGE)
        open_store(migrations=first).close()
        broken = Migration(version=len(first) + 1, script="CREATE TABLE extra (n);\nINSERT INTO nowhere VALUES (1);")
        with pytest.raises(sqlite3.OperationalError):
            open_store(migrations=[*first, broken])
        assert raw.execute("PRAGMA user_version").fetchone() == (len(first),)
        assert raw.execute("SELECT count(*) FROM sqlite_master WHERE name = 'extra'").fetchone() == (0,)
        open_store(migrations=first)


class TestFiles:
    def test_a_newer_database_is_refused_with_both_versions(self, open_store: Open, raw: sqlite3.Connection) -> None:
        open_store().close()
        raw.execute("PRAGMA user_version = 4711")
        newest = len(packaged_migrations(PACKAGE))
        with pytest.raises(ConfigurationError, match=rf"version 4711.*knows {newest};"):
            open_store()

    def test_what_is_no_database_is_refused_and_left_alone(self, open_store: Open, path: Path) -> None:
        text = "customer,name\n" * 100
        path.write_text(text)
        with pytest.raises(ConfigurationError, match="not a SQLite database"):
            open_store()
        assert path.read_text() == text

    def test_the_database_of_another_program_is_refused_and_left_alone(
        self, open_store: Open, path: Path, raw: sqlite3.Connection
    ) -> None:
        raw.execute("CREATE TABLE notes (n)")
        raw.close()
        before = path.read_bytes()
        with pytest.raises(ConfigurationError, match="another program"):
            open_store()
        assert path.read_bytes() == before

    def test_a_folder_that_does_not_exist_is_named_as_the_cause(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match="folder"):
            SQLiteStore(tmp_path / "nowhere" / "x.db")

    def test_a_damaged_file_is_said_to_be_damaged(self, open_store: Open, path: Path) -> None:
        store = open_store()
        know(store, *(f"customer {number}" for number in range(5000)))
        store.close()
        content = bytearray(path.read_bytes())
        for start in range(4096 * 20, len(content), 4096):  # past the schema, the head of every page
            content[start : start + 64] = b"\xff" * 64
        path.write_bytes(content)
        with pytest.raises(ConfigurationError, match="damaged"):
            open_store().read(CUSTOMERS)

    def test_a_table_that_was_dropped_is_damage_too(self, open_store: Open, raw: sqlite3.Connection) -> None:
        store = open_store()
        raw.execute("DROP TABLE suppressions")
        with pytest.raises(ConfigurationError, match=r"^relationships\.db is damaged, .*; restore it from a backup$"):
            store.read(SUPPRESSIONS)

    def test_a_read_only_database_is_said_to_be_read_only(self, open_store: Open) -> None:
        # Permissions do not bind the superuser whom tests may run as, so SQLite itself is told to refuse.
        store = open_store()
        store._database.run("PRAGMA query_only = ON")
        with pytest.raises(ConfigurationError, match="read-only"):
            know(store, "ada")
        assert store.read(CUSTOMERS).is_empty()

    def test_a_full_disk_keeps_nothing_of_the_transaction_and_may_be_tried_again(self, open_store: Open) -> None:
        store = open_store()
        know(store, "ada")
        limit = store._database.rows("PRAGMA page_count")[0][0]
        store._database.rows(f"PRAGMA max_page_count = {limit + 2}")
        with pytest.raises(RetriableError, match="full"):
            know(store, *(f"customer {number}" for number in range(5000)))
        assert list(store.read(CUSTOMERS)["customer"]) == ["ada"]
        store._database.rows("PRAGMA max_page_count = 1000000")
        know(store, "bob")
        assert list(store.read(CUSTOMERS)["customer"]) == ["ada", "bob"]

    def test_a_transaction_that_swallows_a_full_disk_is_not_taken_for_kept(self, open_store: Open) -> None:
        store = open_store()
        limit = store._database.rows("PRAGMA page_count")[0][0]
        store._database.rows(f"PRAGMA max_page_count = {limit + 2}")
        with pytest.raises(RetriableError), store.transaction():  # noqa: PT012  the block is the subject
            with pytest.raises(RetriableError, match="full"):
                store.put(CUSTOMERS, customers(*(f"customer {number}" for number in range(5000))))
            store._database.rows("PRAGMA max_page_count = 1000000")
            store._database._roll_back()  # as SQLite does of its own accord on some errors
        assert store.read(CUSTOMERS).is_empty()

    def test_errors_name_the_file_and_nothing_personal(self, open_store: Open) -> None:
        store = open_store()
        row = frame(CUSTOMERS, {"name": "Ada Lovelace"})
        with pytest.raises(Exception, match=r"relationships\.db") as caught, store.transaction():
            store.put(CUSTOMERS, row)
        assert "Ada" not in str(caught.value)
        assert "/" not in str(caught.value)


class TestOtherProcesses:
    def test_a_locked_database_may_be_tried_again(self, open_store: Open, raw: sqlite3.Connection) -> None:
        store = open_store()
        raw.execute("BEGIN IMMEDIATE")
        with pytest.raises(RetriableError, match=r"another process.*relationships\.db"):
            know(store, "ada")
        assert store.read(CUSTOMERS).is_empty()
        raw.execute("ROLLBACK")
        know(store, "ada")

    def test_a_reader_sees_no_half_transaction(self, open_store: Open) -> None:
        writer, reader = open_store(), open_store()
        with writer.transaction():
            writer.put(CUSTOMERS, customers("ada"))
            assert reader.read(CUSTOMERS).is_empty()
        assert reader.read(CUSTOMERS).height == 1

    def test_a_measure_that_another_process_added_is_found(self, open_store: Open) -> None:
        total = Measure(name="total", combine="sum")
        first, second = open_store(), open_store()
        first.prepare([total])
        second.prepare([total])
        assert second.read_measures(page("ada"), ["total"]).rows() == [("ada", None)]

    def test_a_killed_process_leaves_what_it_committed_and_nothing_else(self, open_store: Open, path: Path) -> None:
        with start(WRITES_THEN_WAITS, path) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "written\n"
            process.send_signal(signal.SIGKILL)
            process.wait()
        store = open_store()
        assert list(store.read(CUSTOMERS)["customer"]) == ["committed"]
        assert store.marked("review") == 0
        know(store, "next")

    def test_two_processes_open_and_write_at_once(self, open_store: Open, path: Path) -> None:
        with start(WRITES_MANY, path, "a") as one, start(WRITES_MANY, path, "b") as two:
            assert [one.wait(), two.wait()] == [0, 0]
        store = open_store()
        found = store.count(INTERACTIONS, ["source"]).rows()
        assert found == [("a", 100), ("b", 100)]
        store.prepare([Measure(name="orders", combine="count")])
        assert store.read_measures(page("ada"), ["orders"]).rows() == [("ada", 200.0)]


PRELUDE = """
import sys
from pathlib import Path
import polars as pl
from relationship_core import CUSTOMERS, INTERACTIONS, KEYED_MEASURES, Measure
from relationship_core.builtin.sqlite.store import SQLiteStore

def frame(table, rows):
    return pl.DataFrame([[row.get(name) for name in table.schema] for row in rows], table.types(), orient="row")

store = SQLiteStore(Path(sys.argv[1]), busy_timeout=60)
"""

WRITES_THEN_WAITS = """
with store.transaction():
    store.put(CUSTOMERS, frame(CUSTOMERS, [{"customer": "committed"}]))
with store.transaction():
    store.put(CUSTOMERS, frame(CUSTOMERS, [{"customer": f"lost {n}"} for n in range(100_000)]))
    store.mark("review", pl.Series(["committed"]))
    print("written", flush=True)
    sys.stdin.read()
"""

WRITES_MANY = """
store.prepare([Measure(name="orders", combine="count")])
source = sys.argv[2]
for number in range(100):
    with store.transaction():
        new = store.append(frame(INTERACTIONS, [{"source": source, "id": str(number), "customer": "ada"}]))
        store.merge(new.select("customer", orders=pl.lit(1.0)), KEYED_MEASURES.empty())
"""


def start(script: str, path: Path, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", PRELUDE + script, str(path), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ,
    )


class TestReading:
    def test_a_big_store_comes_back_page_by_page(self, open_store: Open) -> None:
        store = open_store()
        ids = [f"{number:05}" for number in range(3000)]
        know(store, *ids)
        with store.transaction():
            store.put(STATES, states(**{ids[0]: NOON, ids[-1]: NOON}))
            store.append(interactions(*(interaction(id_, id_) for id_ in ids)))
        pages = list(store.pages(None, as_of=NOON, size=700))
        assert all(each.contiguous for each in pages)
        assert pl.concat([store.read(INTERACTIONS, page=each) for each in pages])["id"].to_list() == ids
        (due,) = store.pages("review", as_of=NOON)
        assert not due.contiguous
        assert store.read(INTERACTIONS, page=due)["id"].to_list() == [ids[0], ids[-1]]

    def test_facts_with_awkward_names_are_kept(self, open_store: Open) -> None:
        store = open_store()
        rows = frame(FACTS, {"name": "'; DROP TABLE facts; --", "value": "\x00"})
        with store.transaction():
            store.put(FACTS, rows)
        assert store.read(FACTS, where={"name": "'; DROP TABLE facts; --"}).equals(rows)


def test_another_thread_is_told_whose_the_file_is(open_store: Open) -> None:
    store = open_store()
    with ThreadPoolExecutor() as another:
        for use in (lambda: store.read(CUSTOMERS), store.close):
            with pytest.raises(ConfigurationError, match=r"relationships\.db is used from another thread"):
                another.submit(use).result()
    assert store.read(CUSTOMERS).is_empty()
