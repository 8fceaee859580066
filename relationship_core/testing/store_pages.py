"""What a store promises of pages, marks and the queue of messages."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

import polars as pl
import pytest
from hypothesis import given, strategies as st

from relationship_core.columns import ALIASES, CONTACTS, CUSTOMERS, DECISIONS, MERGES, MESSAGES, STATES, Page
from relationship_core.ports import Step, Store
from relationship_core.testing.rows import (
    AWKWARD_IDS,
    DAY,
    NOON,
    PROPERTY,
    TINY,
    decision,
    decisions,
    frame,
    know,
    message,
    messages,
    page,
    states,
)


def ids(pages: Iterable[Page]) -> list[str]:
    """Every customer of these pages."""
    return [customer for each in pages for customer in each.customers]


def mark(store: Store, step: Step, *marked: str) -> None:
    """Mark customers in a transaction of its own; without customers, everybody."""
    with store.transaction():
        store.mark(step, pl.Series(marked, dtype=pl.String) if marked else None)


class PageContract:
    """Pages hold whom they should, in order, and a step's marks say who still needs it."""

    def test_everybody_in_order_and_in_pages_of_the_size_asked_for(self, store: Store) -> None:
        know(store, *AWKWARD_IDS[::-1])
        pages = list(store.pages(None, as_of=NOON, size=4))
        assert tuple(ids(pages)) == AWKWARD_IDS
        assert [len(each.customers) for each in pages] == [4, 4, 4, len(AWKWARD_IDS) - 12]
        assert all(each.customers.dtype == pl.String for each in pages)
        assert (pages[0].first, pages[0].last) == AWKWARD_IDS[0:4:3]

    def test_tables_of_no_customer_come_in_the_order_of_their_key(self, store: Store) -> None:
        with store.transaction():
            for entry in (11, 2, 1):
                store.put(MERGES, frame(MERGES, {"entry": entry, "act": "merge", "customer": "a", "survivor": "b"}))
            rows = ({"account": account, "customer": who} for account, who in (("b", "x"), ("a", "z"), ("a", "y")))
            store.put(CONTACTS, frame(CONTACTS, *rows))
        alias = frame(ALIASES, {"customer": "eve", "survivor": "ada", "at": NOON, "actor": "", "reason": None})
        with store.transaction():
            store.put(ALIASES, alias)
        assert store.read(ALIASES).equals(alias)
        assert store.read(MERGES)["entry"].to_list() == [1, 2, 11]
        assert store.read(CONTACTS, columns=["account", "customer"]).rows() == [("a", "y"), ("a", "z"), ("b", "x")]
        assert store.read(CONTACTS, page=page("x", "y"), columns=["account"])["account"].to_list() == ["a", "b"]

    def test_nobody_known_no_pages(self, store: Store) -> None:
        assert list(store.pages(None, as_of=NOON)) == []
        assert list(store.pages("review", as_of=NOON)) == []
        mark(store, "plan")
        assert list(store.pages("plan", as_of=NOON)) == []

    def test_pages_begin_after_a_customer(self, store: Store) -> None:
        know(store, *"abcd")
        mark(store, "review", *"abd")
        assert ids(store.pages(None, as_of=NOON, after="b")) == ["c", "d"]
        assert ids(store.pages("review", as_of=NOON, after="a")) == ["b", "d"]
        assert ids(store.pages("review", as_of=NOON, after="d")) == []

    @PROPERTY
    @given(
        marked=st.sets(st.sampled_from("abcdefgh"), min_size=1),
        size=st.integers(1, 9),
        known=st.sets(st.sampled_from("abcdefgh"), min_size=1),
    )
    def test_a_contiguous_page_has_nobody_else_between(
        self, store: Store, marked: set[str], size: int, known: set[str]
    ) -> None:
        know(store, *known)
        everybody = ids(store.pages(None, as_of=NOON))
        with store.transaction():
            store.unmark("review", page(*everybody))
        mark(store, "review", *(marked & set(everybody) or everybody[:1]))
        for each in [
            *store.pages(None, as_of=NOON, size=size),
            *store.pages("review", as_of=NOON, size=size),
        ]:
            between = [customer for customer in everybody if each.first <= customer <= each.last]
            assert not each.contiguous or list(each.customers) == between

    def test_review_takes_the_marked_and_those_whose_time_has_come(self, store: Store) -> None:
        know(store, *"abcdef")
        with store.transaction():
            store.put(STATES, states(a=NOON - DAY, b=NOON, c=NOON + TINY, d=None, e=NOON + DAY))
        mark(store, "review", "e", "a")
        mark(store, "plan", "f")
        assert ids(store.pages("review", as_of=NOON)) == ["a", "b", "e"]
        assert ids(store.pages("review", as_of=NOON + TINY, size=1)) == ["a", "b", "c", "e"]

    def test_a_new_due_time_holds_from_then_on(self, store: Store) -> None:
        know(store, "a", "b")
        with store.transaction():
            store.put(STATES, states(a=NOON, b=NOON))
        assert ids(store.pages("review", as_of=NOON)) == ["a", "b"]
        with store.transaction():
            store.put(STATES, states(a=NOON + DAY))
            store.update(STATES, states(b=None).select("customer", "due_at"))
        assert ids(store.pages("review", as_of=NOON)) == []

    def test_plan_takes_the_marked_and_those_with_a_decision_to_take_again(self, store: Store) -> None:
        know(store, *"abcde")
        rows = (
            decision("a", "1", NOON - DAY),
            decision("a", "2", NOON - DAY),
            decision("b", "1", NOON),
            decision("c", "1", NOON + TINY),
            decision("d", "1"),
        )
        with store.transaction():
            store.put(DECISIONS, decisions(*rows))
        mark(store, "plan", "e")
        mark(store, "review", "d")
        assert ids(store.pages("plan", as_of=NOON)) == ["a", "b", "e"]

    def test_everybody_marked_is_everybody_known(self, store: Store) -> None:
        know(store, "a", "b")
        mark(store, "review")
        assert store.marked("review") is None
        assert ids(store.pages("review", as_of=NOON)) == ["a", "b"]
        know(store, "c")
        assert ids(store.pages("review", as_of=NOON)) == ["a", "b", "c"]
        assert ids(store.pages("plan", as_of=NOON)) == []

    def test_a_customer_is_marked_once(self, store: Store) -> None:
        know(store, "a", "b")
        mark(store, "review", "a", "a")
        mark(store, "review", "a", "b")
        assert (store.marked("review"), store.marked("plan")) == (2, 0)

    @pytest.mark.parametrize("contiguous", [False, True])
    def test_the_marks_of_a_page_come_off_and_no_others(self, store: Store, contiguous: bool) -> None:
        know(store, *"abcd")
        mark(store, "review", *"abcd")
        mark(store, "plan", *"abcd")
        with store.transaction():
            store.unmark("review", page("a", "c", contiguous=contiguous))
        assert ids(store.pages("review", as_of=NOON)) == ["b", "d"]
        assert store.marked("plan") == 4

    def test_everybody_stays_marked_while_pages_come_off(self, store: Store) -> None:
        know(store, "a", "b")
        mark(store, "review")
        mark(store, "review", "a")
        with store.transaction():
            store.unmark("review", page("a"))
        assert store.marked("review") is None
        with store.transaction():
            store.unmark("review", None)
            store.unmark("review", page())
        assert store.marked("review") == 0

    def test_a_customer_marked_meanwhile_stays_marked(self, store: Store) -> None:
        know(store, "a", "b")
        mark(store, "review")
        mark(store, "plan")
        for each in store.pages("review", as_of=NOON, size=1):
            with store.transaction():
                store.unmark("review", each)
            if each.first == "b":
                mark(store, "review", "a")
        with store.transaction():
            store.unmark("review", None)
        assert ids(store.pages("review", as_of=NOON)) == ["a"]
        assert store.marked("plan") is None

    @pytest.mark.parametrize("everybody", [False, True])
    def test_the_selection_stands_while_its_pages_are_written(self, store: Store, everybody: bool) -> None:
        know(store, *"abcdef")
        with store.transaction():
            store.put(STATES, states(b=NOON, d=NOON))
        mark(store, "review", *(() if everybody else "ace"))
        found = []
        for each in store.pages("review", as_of=NOON, size=2):
            found.append(ids([each]))
            with store.transaction():
                store.unmark("review", each)
                store.put(STATES, states(**dict.fromkeys(each.customers, NOON + DAY)))
                store.mark("review", pl.Series(["a", "f"]))
                store.mark("plan", each.customers)
        assert found == [["a", "b"], ["c", "d"], ["e", "f"] if everybody else ["e"]]

    def test_a_page_reads_the_same_after_somebody_new_came_between(self, store: Store) -> None:
        know(store, "a", "c")
        (each,) = store.pages(None, as_of=NOON)
        know(store, "b")
        mark(store, "review", *"abc")
        assert list(store.read(CUSTOMERS, page=each)["customer"]) == ["a", "c"]
        with store.transaction():
            store.unmark("review", each)
        assert ids(store.pages("review", as_of=NOON)) == ["b"]


class QueueContract:
    """A queued message is claimed by one worker, oldest first."""

    def claim(
        self,
        store: Store,
        limit: int = 9,
        as_of: datetime = NOON,
        worker: str = "w1",
        held: Collection[tuple[str, str]] = (),
    ) -> list[str]:
        """Claim in a transaction of its own and return the ids."""
        until = as_of + DAY
        with store.transaction():
            found = store.claim(worker=worker, channel="letters", as_of=as_of, until=until, limit=limit, held=held)
        return list(found["id"])

    def fill(self, store: Store, *rows: dict[str, object]) -> None:
        """Put messages in a transaction of its own."""
        know(store, "ada", "bob")
        with store.transaction():
            store.put(MESSAGES, messages(*rows))

    def test_the_oldest_come_first_up_to_the_limit(self, store: Store) -> None:
        self.fill(
            store,
            message("c", queued_at=NOON - DAY),
            message("b", "bob"),
            message("a"),
            message("d", queued_at=NOON - 2 * DAY),
        )
        assert self.claim(store, limit=3) == ["d", "c", "a"]
        assert self.claim(store, limit=3) == ["b"]
        assert self.claim(store, limit=3) == []

    def test_a_claimed_message_says_who_has_it_and_until_when(self, store: Store) -> None:
        self.fill(store, message("a", variant=1, address="ada@example.com"), message("b"))
        with store.transaction():
            claimed = store.claim(worker="w7", channel="letters", as_of=NOON, until=NOON + DAY, limit=1)
        expected = message(
            "a", variant=1, address="ada@example.com", state="claimed", worker="w7", claimed_until=NOON + DAY
        )
        assert claimed.equals(messages(expected))
        assert store.read(MESSAGES).equals(messages(expected, message("b")))

    def test_only_queued_messages_of_the_channel_whose_time_has_come(self, store: Store) -> None:
        self.fill(
            store,
            message("a", channel="news"),
            message("b", state="accepted"),
            message("c", state="claimed"),
            message("d", not_before=NOON + TINY),
            message("e", not_before=NOON),
        )
        assert self.claim(store) == ["e"]
        assert self.claim(store, as_of=NOON + TINY) == ["d"]

    def test_messages_of_held_content_stay_queued_wherever_they_stand(self, store: Store) -> None:
        self.fill(
            store,
            message("a", campaign="Paused", queued_at=NOON - DAY),
            message("b", campaign="paused"),
            message("c", campaign='it\'s, "x"'),
            message("d", "bob", queued_at=NOON + TINY),
            message("e", campaign="Paused", version="2", queued_at=NOON + TINY),
        )
        held = [("Paused", "1"), ('it\'s, "x"', "1")]
        assert self.claim(store, limit=1, held=(*held, ("unheard of", "1"))) == ["b"]
        assert self.claim(store, limit=3, held=held) == ["d", "e"]
        assert self.claim(store, held=[held[1]]) == ["a"]
        assert store.read(MESSAGES, where={"state": "queued"})["id"].to_list() == ["c"]
        assert self.claim(store, held=frozenset()) == ["c"]

    def test_a_message_put_back_can_be_claimed_again(self, store: Store) -> None:
        self.fill(store, message("a"))
        assert self.claim(store) == ["a"]
        with store.transaction():
            store.update(MESSAGES, messages(message("a")).select("id", "state", "worker"))
        assert self.claim(store, worker="w2") == ["a"]
        assert store.read(MESSAGES, where={"worker": "w2"}).height == 1

    def test_an_undone_claim_leaves_the_message_queued(self, store: Store) -> None:
        self.fill(store, message("a"))
        with pytest.raises(ZeroDivisionError), store.transaction():
            store.claim(worker="w", channel="letters", as_of=NOON, until=NOON, limit=1)
            raise ZeroDivisionError
        assert self.claim(store) == ["a"]

    def test_an_empty_queue_gives_an_empty_frame(self, store: Store) -> None:
        with store.transaction():
            found = store.claim(worker="w", channel="letters", as_of=NOON, until=NOON, limit=5)
        assert found.equals(MESSAGES.empty())
