"""What administrators set for sessions of a server, a database or a role, and what of it a store heeds."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from relationship_core import CUSTOMERS
from relationship_core.testing.rows import customers, know
from relationship_postgres.settings import PostgresSettings
from relationship_postgres.store import PostgresStore

Open = Callable[..., PostgresStore]
Make = Callable[..., PostgresSettings]


@pytest.fixture
def url_with(postgres_url: str) -> Callable[..., str]:
    """The url of sessions that begin with other settings."""

    def with_(**settings: object) -> str:
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        return psycopg.conninfo.make_conninfo(postgres_url, options=options)

    return with_


@pytest.mark.parametrize("level", ["repeatable\\ read", "serializable"])
def test_a_database_of_another_isolation_is_used_like_any(
    make_settings: Make, url_with: Callable[..., str], level: str
) -> None:
    """Where everything is of the moment at which a transaction began, whoever waited for a lock sees too little."""
    settings = make_settings(url=url_with(default_transaction_isolation=level))

    def open_and_know(number: int) -> None:
        store = PostgresStore(settings)
        for turn in range(5):
            know(store, f"c{number}", f"shared {turn}")
        store.close()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(open_and_know, range(4)))
    store = PostgresStore(settings)
    assert store.count(CUSTOMERS, []).item() == 9
    store.close()


def test_who_thinks_for_long_in_a_transaction_keeps_it(
    open_store: Open, url_with: Callable[..., str], raw: Any
) -> None:
    """Pages are judged while the store's transaction is open, and that may take longer than others are idle."""
    limits = {"idle_in_transaction_session_timeout": 50}
    store = open_store(url=url_with(**limits))
    if store._database._connection.info.server_version >= 170_000:
        store.close()
        store = open_store(url=url_with(**limits, transaction_timeout=100))
    with store.transaction():
        store.put(CUSTOMERS, customers("ada"))
        raw.execute("SELECT pg_sleep(0.3)")  # meanwhile nothing is asked of the store's own session
        store.put(CUSTOMERS, customers("bob"))
    assert store.read(CUSTOMERS)["customer"].to_list() == ["ada", "bob"]


@pytest.mark.parametrize("setting", ["standard_conforming_strings=off", "DateStyle=German", "TimeZone=Asia/Kathmandu"])
def test_how_a_server_writes_text_and_time_does_not_matter(
    open_store: Open, url_with: Callable[..., str], setting: str
) -> None:
    name, value = setting.split("=")
    store = open_store(url=url_with(**{name: value}))
    people = ["back\\slash", "quo'te", 'dou"ble', "zero\x00", "one\x01", "\\N", "\\.", "", "tab\tnew\nline", "%s"]
    know(store, *people)
    know(store, *(f"c{number}\\" for number in range(600)))
    assert set(people) <= set(store.read(CUSTOMERS)["customer"])
