"""Rows come back as they went, a few or many, whatever their texts hold."""

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from relationship_core import CUSTOMERS, INTERACTIONS, MESSAGES, Page, Store
from relationship_core.testing.rows import NOON, frame, interactions, know, message, messages
from relationship_postgres import given as giving
from relationship_postgres.frames import kept_text, kept_texts
from relationship_postgres.store import PostgresStore

NASTY = [
    "",
    "\\.",
    "\\N",
    "NULL",
    '"',
    '""',
    ",",
    "\n",
    "\r\n",
    "\\.\n",
    "\n\\.\n",
    "\x00",
    "\x01",
    "\x01\x02",
    "\x7f",
    "1",
    "-1.5",
    " ",
]
texts = st.one_of(
    st.sampled_from(NASTY), st.text(max_size=8), st.lists(st.sampled_from(NASTY), max_size=4).map("".join)
)
lines = st.none() | st.lists(
    st.fixed_dictionaries(
        {
            "product": st.none() | texts,
            "category": st.none() | texts,
            "quantity": st.none() | st.floats(-1e15, 1e15),
            "minor": st.none() | st.integers(-(2**62), 2**62),
        }
    ),
    max_size=3,
)
rows = st.lists(
    st.fixed_dictionaries(
        {
            "source": texts,
            "id": texts,
            "customer": texts,
            "kind": st.none() | texts,
            "at": st.none() | st.just(NOON),
            "amount": st.none() | st.integers(-(2**63), 2**63 - 1),
            "lines": lines,
            "data": st.none() | texts,
        }
    ),
    max_size=12,
    unique_by=lambda row: (row["source"], row["id"]),
)
# The store is the same for every example, which begins by forgetting what the last one left.
EACH = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("few", [0, 500])
@EACH
@given(given_rows=rows)
def test_texts_numbers_and_lists_come_back_as_they_went(
    open_store: Callable[..., PostgresStore], few: int, given_rows: list[dict[str, Any]]
) -> None:
    before, giving.FEW = giving.FEW, few
    store = open_store()
    try:
        history = interactions(*given_rows)
        with store.transaction():
            store.delete(INTERACTIONS, store.read(INTERACTIONS))
            assert store.append(history).equals(history)
        assert store.read(INTERACTIONS).equals(history.sort("source", "id"))
        assert store.kept(history).equals(history.sort("source", "id"))
        page = Page.of(history["customer"])
        assert store.read(INTERACTIONS, page=page).equals(history.sort("source", "id"))
    finally:
        store.close()
        giving.FEW = before


@settings(deadline=None)
@given(st.lists(texts, max_size=20))
def test_the_texts_that_are_kept_have_the_order_of_bytes_and_no_zero(given_texts: list[str]) -> None:
    kept = [kept_text(each) for each in given_texts]
    assert kept == kept_texts(pl.Series(given_texts, dtype=pl.String)).to_list()
    assert not any("\x00" in each for each in kept)
    order = sorted(given_texts, key=lambda text: text.encode())
    assert [kept_text(each) for each in order] == sorted(kept, key=lambda text: text.encode())
    assert len(set(kept)) == len(set(given_texts))


def test_many_rows_go_as_a_few_do(open_store: Callable[..., PostgresStore]) -> None:
    store: Store = open_store()
    ids = [f"c{number:05}" for number in range(3_000)]
    know(store, *ids)
    many = [message(f"m{each}", each, weight=0.1, cost=None, not_before=NOON) for each in ids]
    with store.transaction():
        store.put(MESSAGES, messages(*many))
        change = messages(*many).select("id", state=pl.lit("accepted"), weight=pl.lit(None, pl.Float64))
        store.update(MESSAGES, change[1:])
        store.delete(MESSAGES, messages(*many)[2:])
        store.mark("plan", pl.Series(ids))
        store.unmark("plan", Page(pl.Series(ids[1:])))
    assert store.read(MESSAGES, columns=["id", "state", "weight"]).rows() == [
        ("mc00000", "queued", 0.1),
        ("mc00001", "accepted", None),
    ]
    assert [list(each.customers) for each in store.pages("plan", as_of=NOON)] == [["c00000"]]
    with store.transaction():
        again = pl.concat([frame(CUSTOMERS, *({"customer": each, "name": each} for each in ids))] * 2)
        store.put(CUSTOMERS, again)
    assert store.read(CUSTOMERS)["name"].to_list() == ids
