"""The contract of a store. A plugin inherits it in a few lines and gets every test of it.

    class TestMyStore(DurableStoreContract):
        @pytest.fixture
        def reopen(self, tmp_path):
            return lambda: MyStore(tmp_path / "my.db")

A store that keeps nothing after it is closed inherits ``StoreContract`` and gives the fixture ``store``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from relationship_core.columns import CUSTOMERS, INTERACTIONS, MESSAGES, STATES, TRANSITIONS
from relationship_core.declarations import Measure
from relationship_core.errors import ConfigurationError
from relationship_core.ports import Store
from relationship_core.testing.rows import (
    NOON,
    frame,
    interaction,
    interactions,
    know,
    message,
    messages,
    page,
    states,
)
from relationship_core.testing.store_history import HistoryContract
from relationship_core.testing.store_measures import KEYED, PLAIN, MeasureContract, contributions, keys, merge
from relationship_core.testing.store_pages import PageContract, QueueContract
from relationship_core.testing.store_tables import TableContract
from relationship_core.testing.store_transactions import TransactionContract


class StoreContract(TableContract, TransactionContract, HistoryContract, MeasureContract, PageContract, QueueContract):
    """Everything that ``ports.Store`` promises of one open store."""

    @pytest.fixture
    def store(self) -> Iterator[Store]:
        """A store that is open, empty and not prepared; close it afterwards. To be overridden."""
        message = "give the fixture 'store': an open, empty store"
        raise NotImplementedError(message)  # a fixture that only the test's own class can give


class DurableStoreContract(StoreContract):
    """Everything that ``ports.Store`` promises, also of a store that is closed and opened again."""

    @pytest.fixture
    def reopen(self) -> Callable[[], Store]:
        """A function that opens the test's own store, empty the first time. To be overridden."""
        message = "give the fixture 'reopen': a function that opens the store of this test"
        raise NotImplementedError(message)  # a fixture that only the test's own class can give

    @pytest.fixture
    def store(self, reopen: Callable[[], Store]) -> Iterator[Store]:
        """The store, opened for the first time."""
        opened = reopen()
        yield opened
        opened.close()

    def test_what_was_committed_is_there_again(self, store: Store, reopen: Callable[[], Store]) -> None:
        know(store, "ada", "bob")
        transition = frame(TRANSITIONS, {"customer": "ada", "at": NOON, "origin": "a", "target": "b"})
        history = interactions(interaction("ada", "1", lines=[]), interaction("bob", "2"))
        with store.transaction(durable=True):
            store.put(MESSAGES, messages(message("m1")))
            store.put(STATES, states(ada=NOON))
            store.put(TRANSITIONS, transition)
            store.append(history)
            store.mark("plan", None)
        store.close()
        again = reopen()
        try:
            assert list(again.read(CUSTOMERS)["customer"]) == ["ada", "bob"]
            assert again.read(MESSAGES).equals(messages(message("m1")))
            assert again.read(TRANSITIONS).equals(transition)
            assert again.read(INTERACTIONS).equals(history)
            assert (again.marked("review"), again.marked("plan")) == (0, None)
            assert [list(each.customers) for each in again.pages("review", as_of=NOON)] == [["ada"]]
            with again.transaction():
                assert again.append(history).is_empty()
        finally:
            again.close()

    def test_workers_that_share_claim_each_message_once(self, store: Store, reopen: Callable[[], Store]) -> None:
        know(store, "ada")
        with store.transaction():
            store.put(MESSAGES, messages(*(message(f"m{each}") for each in range(60))))

        def work(worker: str) -> list[str]:
            mine: list[str] = []
            with closing(reopen()) as own:
                while True:
                    with own.transaction(durable=True, shared=True):
                        claimed = own.claim(worker=worker, channel="letters", as_of=NOON, until=NOON, limit=7)
                    if claimed.is_empty():
                        return mine
                    assert claimed["worker"].unique().to_list() == [worker]
                    with own.transaction(shared=True):
                        own.revise(MESSAGES, [{"id": each, "state": "accepted"} for each in claimed["id"]])
                    mine += claimed["id"].to_list()

        with ThreadPoolExecutor(3) as threads:
            claimed = [each for mine in threads.map(work, ("w1", "w2", "w3")) for each in mine]
        assert sorted(claimed) == sorted(f"m{each}" for each in range(60))
        assert store.count(MESSAGES, ["state"]).rows() == [("accepted", 60)]

    def test_measures_go_on_where_they_were(self, store: Store, reopen: Callable[[], Store]) -> None:
        store.prepare([*PLAIN[:2], *KEYED])
        row = {"customer": "ada", "total": 1.0}
        merge(store, contributions(row, names=("total",)), keys(("ada", "days_sum", "x", 1.0)))
        store.close()
        again = reopen()
        try:
            again.prepare([*PLAIN, *KEYED])
            merge(again, contributions(row, names=("total",)), keys(("ada", "days_sum", "x", 1.0)))
            assert again.read_measures(page("ada"), ["total", "highest"]).rows() == [("ada", 2.0, None)]
            assert again.read_keyed(page("ada"), ["days_sum"])["value"].to_list() == [2.0]
        finally:
            again.close()

    def test_a_measure_cannot_become_another_type_between_openings(
        self, store: Store, reopen: Callable[[], Store]
    ) -> None:
        store.prepare([Measure(name="last", combine="max")])
        store.close()
        again = reopen()
        try:
            with pytest.raises(ConfigurationError, match="'last'"):
                again.prepare([Measure(name="last", combine="max", type="instant")])
        finally:
            again.close()
