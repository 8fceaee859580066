"""The schema: whose it is, how it is brought forward, and by whom."""

import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import polars as pl
import psycopg
import pytest

from relationship_core import (
    CUSTOMERS,
    KEYED_MEASURES,
    TABLES,
    ConfigurationError,
    KeyedMeasure,
    Measure,
    Migration,
    packaged_migrations,
)
from relationship_core.testing.rows import know, page
from relationship_postgres.schema import PACKAGE
from relationship_postgres.settings import PostgresSettings
from relationship_postgres.store import PostgresStore

Open = Callable[..., PostgresStore]
Make = Callable[..., PostgresSettings]


def test_every_table_has_its_columns(open_store: Open) -> None:
    store = open_store()
    for table in TABLES:
        columns = store._database.rows(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0", (table.name,)
        )
        assert {name for (name,) in columns} == set(table.schema), table.name


def test_every_text_sorts_by_its_bytes(open_store: Open) -> None:
    columns = open_store()._database.rows(
        "SELECT attrelid::regclass::text, attname FROM pg_attribute JOIN pg_class ON attrelid = pg_class.oid "
        "WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND atttypid = 'text'::regtype "
        "AND attcollation <> '\"C\"'::regcollation"
    )
    assert columns == [("relationship_core", "project")]


def test_migrations_are_numbered_without_gaps() -> None:
    versions = [migration.version for migration in packaged_migrations(PACKAGE)]
    assert versions == list(range(1, len(versions) + 1))


def test_an_older_schema_is_brought_forward_and_a_newer_one_refused(make_settings: Make) -> None:
    first = packaged_migrations(PACKAGE)
    store = PostgresStore(make_settings())
    know(store, "ada")
    store.close()
    later = Migration(version=len(first) + 1, script="-- two; statements\nCREATE TABLE extra (n int);\nSELECT 1;")
    again = PostgresStore(make_settings(), migrations=[*first, later])
    assert again.read(CUSTOMERS)["customer"].to_list() == ["ada"]
    again.close()
    with pytest.raises(ConfigurationError, match=rf"version {later.version}.*knows {len(first)};"):
        PostgresStore(make_settings())


def test_a_migration_that_fails_leaves_the_version_before(make_settings: Make) -> None:
    first = packaged_migrations(PACKAGE)
    PostgresStore(make_settings()).close()
    broken = Migration(version=len(first) + 1, script="CREATE TABLE extra (n int); INSERT INTO nowhere VALUES (1)")
    with pytest.raises(ConfigurationError, match="lacks a table"):
        PostgresStore(make_settings(), migrations=[*first, broken])
    store = PostgresStore(make_settings())
    assert store._database.rows("SELECT to_regclass('extra')") == [(None,)]
    store.close()


def test_many_who_open_at_once_make_one_schema(make_settings: Make) -> None:
    orders = Measure(name="orders", combine="count")

    def open_and_prepare(_: int) -> int:
        store = PostgresStore(make_settings(project="Bakery"))
        try:
            store.prepare([orders])
            return store.read_measures(page("ada"), ["orders"]).height
        finally:
            store.close()

    with ThreadPoolExecutor(6) as threads:
        assert list(threads.map(open_and_prepare, range(6))) == [1] * 6


def test_a_schema_of_another_program_is_refused_and_left_alone(make_settings: Make, raw: Any) -> None:
    schema = make_settings().schema
    raw.execute(f"CREATE SCHEMA {schema}; CREATE TABLE {schema}.notes (n int)")
    with pytest.raises(ConfigurationError, match="another program"):
        PostgresStore(make_settings())
    tables = raw.execute("SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace", (schema,)).fetchall()
    assert tables == [("notes",)]


def test_a_schema_of_another_project_is_refused_with_both_names(make_settings: Make) -> None:
    PostgresStore(make_settings()).close()
    PostgresStore(make_settings(project="Corner Bakery")).close()
    PostgresStore(make_settings()).close()
    with pytest.raises(ConfigurationError, match=r"'Corner Bakery'.*'Book Shop'"):
        PostgresStore(make_settings(project="Book Shop"))
    PostgresStore(make_settings(project="Corner Bakery")).close()


def test_a_marker_without_a_version_is_damage(make_settings: Make, raw: Any) -> None:
    PostgresStore(make_settings()).close()
    raw.execute(f"TRUNCATE {make_settings().schema}.relationship_core")
    with pytest.raises(ConfigurationError, match="damaged"):
        PostgresStore(make_settings())


def test_least_rights_are_enough(make_settings: Make, raw: Any, postgres_url: str) -> None:
    """What the how-to guide grants, and nothing else."""
    schema = make_settings().schema
    password = secrets.token_hex(8)
    raw.execute(f"CREATE ROLE {schema} LOGIN PASSWORD '{password}'")
    try:
        raw.execute(f"CREATE SCHEMA {schema} AUTHORIZATION {schema}")
        url = psycopg.conninfo.make_conninfo(postgres_url, user=schema, password=password)
        store = PostgresStore(make_settings(url=url))
        store.prepare([Measure(name="orders", combine="count")])
        know(store, *(f"c{number}" for number in range(600)))
        store.scrub()
        assert store.count(CUSTOMERS, []).item() == 600
        store.close()
    finally:
        raw.execute(f"DROP SCHEMA {schema} CASCADE; DROP ROLE {schema}")


def test_a_measure_with_a_long_name_has_a_column_of_its_own(open_store: Open) -> None:
    store = open_store()
    names = ["m" * 70 + end for end in ("a", "b")]
    measures: list[Measure | KeyedMeasure] = [Measure(name=name, combine="count") for name in names]
    store.prepare(measures)
    store.prepare(measures)
    with store.transaction():
        store.merge(pl.DataFrame({"customer": ["ada"], names[0]: [1], names[1]: [2]}), KEYED_MEASURES.empty())
    assert store.read_measures(page("ada"), names).rows() == [("ada", 1.0, 2.0)]
