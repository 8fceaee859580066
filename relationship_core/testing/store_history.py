"""What a store promises of history: the interactions that it keeps."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, strategies as st

from relationship_core.columns import INTERACTIONS
from relationship_core.errors import ConfigurationError
from relationship_core.ports import Store
from relationship_core.testing.rows import AWKWARD_IDS, PROPERTY, interaction, interactions

LINES = [
    {"product": 'p"1', "category": None, "quantity": 0.1, "minor": 2**53 + 1},
    {"product": "ü", "category": "tea", "quantity": 2.0, "minor": None},
]


class HistoryContract:
    """An interaction is kept once, however often and in whatever batches it comes."""

    def test_new_interactions_are_kept_and_returned_in_their_order(self, store: Store) -> None:
        rows = interactions(
            interaction("bob", "2", lines=LINES, amount=-5, reference="r", data='{"k": "v"}'),
            interaction("ada", "1", lines=[]),
            interaction("ada", "3"),
        )
        with store.transaction():
            assert store.append(rows).equals(rows)
        assert store.read(INTERACTIONS).equals(rows.sort("id"))

    def test_a_repeated_interaction_is_not_new_and_changes_nothing(self, store: Store) -> None:
        first = interactions(interaction("ada", "1"))
        with store.transaction():
            store.append(first)
        with store.transaction():
            assert store.append(first).equals(INTERACTIONS.empty())
            mixed = interactions(
                interaction("bob", "1", kind="visit"),
                interaction("bob", "2"),
                interaction("ada", "1", source="web"),
            )
            new = store.append(mixed)
        assert new.equals(mixed[1:])
        assert store.read(INTERACTIONS, where={"id": "1", "source": "shop"}).equals(first)

    def test_a_repetition_inside_a_batch_counts_once(self, store: Store) -> None:
        twice = interactions(interaction("ada", "1"), interaction("bob", "1"), interaction("ada", "2"))
        with store.transaction():
            assert store.append(twice).equals(twice[[0, 2]])
        assert store.count(INTERACTIONS, ["customer"]).rows() == [("ada", 2)]

    def test_what_is_loaded_is_found_like_anything_else(self, store: Store) -> None:
        first, second = (interactions(*(interaction("ada", id_ + digit) for id_ in "cab")) for digit in "12")
        for rows in (first, second):
            with store.transaction():
                assert store.append(rows, fresh=True).equals(rows)
        store.index()
        store.index()
        assert store.kept(second).equals(second.sort("id"))
        with store.transaction():
            assert store.append(pl.concat([second, interactions(interaction("bob", "d"))])).height == 1
        with store.transaction():
            assert store.append(interactions(interaction("bob", "e")), fresh=True).height == 1
        assert store.read(INTERACTIONS)["id"].to_list() == ["a1", "a2", "b1", "b2", "c1", "c2", "d", "e"]

    def test_others_than_those_of_a_load_are_known_again_at_once(self, store: Store) -> None:
        rows = interactions(*(interaction("ada", id_) for id_ in "cab"))
        with store.transaction():
            store.append(rows, fresh=True)
            assert store.kept(rows[:1]).equals(rows[:1])
            assert store.append(rows).is_empty()
        with store.transaction():
            assert store.append(rows).is_empty()

    def test_interactions_are_found_by_their_keys(self, store: Store) -> None:
        rows = interactions(
            *(interaction("ada", id_) for id_ in AWKWARD_IDS),
            interaction("bob", "1", source="web", lines=LINES, amount=-5, reference="r", data='{"k": "v"}'),
        )
        with store.transaction():
            store.append(rows)
            assert store.kept(rows[::-1]).equals(rows)
        some = rows[[-1, 2, 0, 2]]
        unknown = interactions(interaction("bob", "2", source="web"), interaction("ada", "a", source="web"))
        keys = pl.concat([unknown, some]).select("id", "source")
        assert store.kept(keys).equals(rows[[0, 2, -1]])
        assert store.kept(keys, columns=["customer"]).equals(rows[[0, 2, -1]].select("customer"))
        assert store.kept(unknown).equals(INTERACTIONS.empty())
        assert store.kept(INTERACTIONS.empty()).equals(INTERACTIONS.empty())
        with pytest.raises(ConfigurationError):
            store.kept(keys, columns=["custmer"])

    @PROPERTY
    @given(batches=st.lists(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9)), max_size=8), max_size=5))
    def test_any_batches_give_each_interaction_once(self, store: Store, batches: list[list[tuple[str, int]]]) -> None:
        # The store is the same for every example, so each has a source of its own.
        source = f"source {store.count(INTERACTIONS, []).item()}"
        known: dict[str, str] = {}
        for batch in batches:
            rows = [interaction(customer, str(id_), source=source) for customer, id_ in batch]
            with store.transaction():
                new = store.append(interactions(*rows))
            expected = []
            for row in rows:
                if row["id"] not in known:
                    known[row["id"]] = row["customer"]
                    expected.append((row["id"], row["customer"]))
            assert new.select("id", "customer").rows() == expected
        kept = store.read(INTERACTIONS, where={"source": source}, columns=["id", "customer"])
        assert dict(kept.rows()) == known
        assert kept.height == len(known)
