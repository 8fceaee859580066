"""A connection that is cut, at any question that is asked of the server."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import polars as pl
import pytest

from relationship_core import CUSTOMERS, INTERACTIONS, KEYED_MEASURES, MESSAGES, Measure, RetriableError
from relationship_core.testing.rows import (
    NOON,
    customers,
    frame,
    interaction,
    interactions,
    know,
    message,
    messages,
    page,
)
from relationship_postgres import given
from relationship_postgres.store import PostgresStore

if TYPE_CHECKING:
    import psycopg

Open = Callable[..., PostgresStore]

MANY = 5
"""More rows than go as parameters, where a test says so."""


def work(store: PostgresStore) -> None:
    """A bit of everything that a step does; done again it changes nothing."""
    with store.transaction():
        store.put(CUSTOMERS, customers("ada", *(f"c{number}" for number in range(MANY))))
        new = store.append(interactions(*(interaction("ada", str(number)) for number in range(MANY))))
        store.merge(new.group_by("customer").agg(orders=pl.len().cast(pl.Float64)), KEYED_MEASURES.empty())
        store.mark("review", pl.Series(["ada"]))
    for each in store.pages("review", as_of=NOON):
        store.read_measures(each, ["orders"])
    with store.transaction(durable=True):
        if store.read(MESSAGES).is_empty():
            store.put(MESSAGES, messages(message("m1"), message("m2")))
    with store.transaction(durable=True, shared=True):
        claimed = store.claim(worker="w", channel="letters", as_of=NOON, until=NOON, limit=1)
        store.revise(MESSAGES, [{"id": each, "state": "accepted"} for each in claimed["id"]])


def prepared(open_store: Open, **more: Any) -> PostgresStore:
    store = open_store(**more)
    store.prepare([Measure(name="orders", combine="count")])
    return store


@pytest.mark.parametrize("answered", [False, True])
def test_cut_at_any_question_a_transaction_is_kept_whole_or_not_at_all(
    open_store: Open, proxy: Any, answered: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(given, "FEW", MANY - 1)
    direct = prepared(open_store)
    store = prepared(open_store, url=proxy.url)
    work(store)
    first = proxy.asked
    work(store)
    questions = proxy.asked - first
    assert questions > 20
    for number in range(1, questions + 1):
        with direct.transaction():
            direct.clear_measures()
            for table in (INTERACTIONS, MESSAGES, CUSTOMERS):
                direct.delete(table, direct.read(table))
            direct.unmark("review", page("ada"))
        proxy.cut_at, proxy.answered = proxy.asked + number, answered
        error = None
        try:
            work(store)
        except RetriableError as caught:
            error = caught
        kept = [direct.count(table, []).item() for table in (CUSTOMERS, INTERACTIONS, MESSAGES)]
        assert kept[:2] in ([0, 0], [MANY + 1, MANY])
        assert kept[2] in (0, 2)
        assert direct.read_measures(page("ada"), ["orders"])["orders"].to_list() in ([None], [float(MANY)])
        assert kept == [MANY + 1, MANY, 2] or error is not None
        assert error is None or (error.__cause__, error.__context__) == (None, None)
        work(store)  # the next use reconnects
        assert direct.count(CUSTOMERS, []).item() == MANY + 1
        assert direct.read_measures(page("ada"), ["orders"])["orders"].to_list() == [float(MANY)]
        assert set(direct.read(MESSAGES)["state"]) <= {"accepted", "queued"}


@pytest.mark.parametrize("answered", [False, True])
def test_a_commit_that_is_cut_may_have_been_kept_and_says_so(open_store: Open, proxy: Any, answered: bool) -> None:
    store, direct = open_store(url=proxy.url), open_store()
    with pytest.raises(RetriableError, match="may have been kept or not"), store.transaction():  # noqa: PT012  the block
        store.put(CUSTOMERS, customers("ada"))
        proxy.cut_at, proxy.answered = proxy.asked + 1, answered
    assert direct.read(CUSTOMERS).height == answered
    know(store, "bob")
    assert direct.read(CUSTOMERS)["customer"].to_list() == [*(["ada"] if answered else []), "bob"]


def test_who_catches_a_cut_inside_a_transaction_cannot_go_on_outside_it(open_store: Open, proxy: Any) -> None:
    store = open_store(url=proxy.url)
    with pytest.raises(RetriableError, match="was cut"), store.transaction():  # noqa: PT012  the block is the subject
        store.put(CUSTOMERS, customers("ada"))
        proxy.cut_at = proxy.asked + 1
        for _ in range(2):
            with pytest.raises(RetriableError, match="was cut"):
                store.put(CUSTOMERS, customers("eve"))
        with pytest.raises(RetriableError, match="was cut"):
            store.read(CUSTOMERS)
    assert store.read(CUSTOMERS).is_empty()


@pytest.mark.parametrize("use", ["read", "write"])
def test_a_connection_that_was_cut_while_nobody_used_it_is_not_noticed(
    open_store: Open, raw: "psycopg.Connection[Any]", use: Literal["read", "write"]
) -> None:
    store = open_store()
    know(store, "ada")
    pid = store._database.rows("SELECT pg_backend_pid()")[0][0]
    raw.execute("SELECT pg_terminate_backend(%s, 10000)", (pid,))
    if use == "write":
        know(store, "bob")
    assert store.read(CUSTOMERS).height == 1 + (use == "write")


def test_a_server_that_does_not_come_back_is_said_to_be_away(open_store: Open, proxy: Any) -> None:
    store = open_store(url=proxy.url)
    proxy.close()
    proxy.cut_at = proxy.asked + 1
    for _ in range(2):
        with pytest.raises(RetriableError, match="cannot be reached"):
            store.read(CUSTOMERS)


def test_a_transaction_that_swallows_an_error_is_not_taken_for_kept(open_store: Open) -> None:
    store = open_store()
    with pytest.raises(RetriableError, match="kept nothing"), store.transaction():  # noqa: PT012  the block
        store.put(CUSTOMERS, customers("ada"))
        with pytest.raises(Exception, match="key"):
            store.put(CUSTOMERS, frame(CUSTOMERS, {"name": "nobody"}))
    assert store.read(CUSTOMERS).is_empty()
