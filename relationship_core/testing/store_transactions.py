"""What a store promises of its transactions."""

from __future__ import annotations

import pytest

from relationship_core.columns import CUSTOMERS, MESSAGES, TABLES
from relationship_core.ports import Store
from relationship_core.testing.rows import NOON, customers, interaction, interactions, know, message, messages, page


class TransactionContract:
    """All of a transaction is kept, or nothing."""

    def test_a_transaction_sees_what_it_wrote(self, store: Store) -> None:
        with store.transaction(durable=True):
            store.put(CUSTOMERS, customers("ada"))
            assert store.read(CUSTOMERS, page=page("ada")).height == 1

    def test_an_exception_undoes_all_of_it_and_passes_on(self, store: Store) -> None:
        know(store, "ada")
        before = {table.name: store.read(table) for table in TABLES}
        with pytest.raises(ZeroDivisionError), store.transaction():
            store.put(CUSTOMERS, customers("ada", "eve"))
            store.update(CUSTOMERS, customers("ada").select("customer", name=None))
            store.append(interactions(interaction("ada", "1")))
            store.put(MESSAGES, messages(message("m1")))
            store.claim(worker="w", channel="letters", as_of=NOON, until=NOON, limit=1)
            store.delete(CUSTOMERS, customers("eve"))
            store.mark("review", customers("ada")["customer"])
            store.mark("plan", None)
            raise ZeroDivisionError
        assert all(store.read(table).equals(before[table.name]) for table in TABLES)
        assert (store.marked("review"), store.marked("plan")) == (0, 0)

    def test_after_an_exception_the_next_transaction_is_kept(self, store: Store) -> None:
        with pytest.raises(ZeroDivisionError), store.transaction(durable=True):
            store.put(CUSTOMERS, customers("eve"))
            raise ZeroDivisionError
        know(store, "ada")
        assert list(store.read(CUSTOMERS)["customer"]) == ["ada"]

    def test_a_page_read_in_an_undone_transaction_reads_the_same_afterwards(self, store: Store) -> None:
        know(store, "a", "b", "c")
        first, second = page("a"), page("c")
        assert list(store.read(CUSTOMERS, page=first)["customer"]) == ["a"]
        with pytest.raises(ZeroDivisionError), store.transaction():
            assert list(store.read(CUSTOMERS, page=second)["customer"]) == ["c"]
            raise ZeroDivisionError
        assert list(store.read(CUSTOMERS, page=second)["customer"]) == ["c"]
        assert list(store.read(CUSTOMERS, page=first)["customer"]) == ["a"]

    @pytest.mark.parametrize("shared", [False, True])
    def test_transactions_do_not_nest(self, store: Store, shared: bool) -> None:
        with store.transaction(), pytest.raises(RuntimeError, match="nest"), store.transaction(shared=shared):
            pytest.fail("a transaction was opened inside another")
        with (
            store.transaction(shared=True),
            pytest.raises(RuntimeError, match="nest"),
            store.transaction(shared=shared),
        ):
            pytest.fail("a transaction was opened inside another")

    @pytest.mark.parametrize("durable", [False, True])
    def test_a_shared_transaction_is_kept_or_undone_as_any_other(self, store: Store, durable: bool) -> None:
        know(store, "ada")
        with store.transaction(durable=durable, shared=True):
            store.put(MESSAGES, messages(message("m1"), message("m2", occasion="o")))
            assert store.read(MESSAGES, columns=["id"])["id"].to_list() == ["m1", "m2"]
        with pytest.raises(ZeroDivisionError), store.transaction(durable=durable, shared=True):
            store.claim(worker="w", channel="letters", as_of=NOON, until=NOON, limit=1)
            store.revise(MESSAGES, [{"id": "m2", "state": "accepted"}])
            store.delete(MESSAGES, messages(message("m1")))
            raise ZeroDivisionError
        assert store.read(MESSAGES).equals(messages(message("m1"), message("m2", occasion="o")))

    def test_nothing_is_written_outside_a_transaction(self, store: Store) -> None:
        writes = (
            lambda: store.put(CUSTOMERS, customers("ada")),
            lambda: store.update(CUSTOMERS, customers("ada")),
            lambda: store.append(interactions(interaction("ada", "1"))),
            lambda: store.mark("review", customers("ada")["customer"]),
            lambda: store.mark("review", None),
            lambda: store.unmark("review", page("ada")),
            lambda: store.unmark("review", None),
            store.clear_measures,
            lambda: store.delete(CUSTOMERS, customers("ada")),
            lambda: store.claim(worker="w", channel="c", as_of=NOON, until=NOON, limit=1),
        )
        for write in writes:
            with pytest.raises(RuntimeError, match="transaction"):
                write()
        assert store.read(CUSTOMERS).is_empty()
