"""What a store promises of its tables."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import polars as pl
import pytest

from relationship_core.columns import (
    CONSENTS,
    CONTACT_POINTS,
    CONTACTS,
    CUSTOMERS,
    DECISIONS,
    DELIVERY_EVENTS,
    ERASED,
    FACTS,
    INTERACTIONS,
    MERGES,
    MESSAGES,
    PREFERENCES,
    STATES,
    SUPPRESSIONS,
    TABLES,
    TASKS,
    TRANSITIONS,
)
from relationship_core.errors import ConfigurationError, RejectedError
from relationship_core.ports import Store
from relationship_core.table import Table
from relationship_core.testing.rows import (
    AWKWARD_IDS,
    DAY,
    NOON,
    customers,
    decision,
    decisions,
    frame,
    interaction,
    interactions,
    know,
    message,
    messages,
    page,
    states,
)


class TableContract:
    """Rows are kept as they came, by key, in order, and all or nothing."""

    def test_every_table_starts_empty(self, store: Store) -> None:
        for table in TABLES:
            assert store.read(table).equals(table.empty())

    def test_a_row_comes_back_as_it_was_put(self, store: Store) -> None:
        know(store, "ada")
        rows: list[tuple[Table, dict[str, object]]] = [
            (
                CUSTOMERS,
                {"customer": "ada", "name": 'Ada "L"', "zone": "Asia/Kathmandu", "attributes": '{"a": 1}'},
            ),
            (
                CONTACT_POINTS,
                {"customer": "ada", "medium": "post", "address": "1 High St\nYork", "synthetic": True},
            ),
            (STATES, {"customer": "ada", "stage": "client", "since": NOON, "lapsed": False, "due_at": None}),
            (TRANSITIONS, {"customer": "ada", "at": NOON, "origin": "a", "target": "b", "evidence": "{}"}),
            (DECISIONS, decision("ada", "2024", NOON + DAY)),
            (MESSAGES, message("m1", variant=2, not_before=NOON, attempts=3)),
            (SUPPRESSIONS, {"medium": "email", "address_hash": "00ff", "scope": "all", "reason": "stop", "at": NOON}),
            (CONSENTS, {"customer": "ada", "id": "c1", "act": "grant", "at": NOON, "medium": "email", "topic": ""}),
            (PREFERENCES, {"customer": "ada", "at": NOON, "wish": "close", "source": "form"}),
            (TASKS, {"customer": "ada", "id": "m1", "title": "Call", "due_at": NOON, "state": "open", "outcome": ""}),
            (DELIVERY_EVENTS, {"message": "m1", "type": "delivered", "at": NOON, "customer": "ada", "raw": "{}"}),
            (ERASED, {"hash": "00ff", "at": NOON}),
            (MERGES, {"entry": 1, "act": "merge", "customer": "eve", "survivor": "ada", "at": NOON, "actor": "bob"}),
            (CONTACTS, {"account": "firm", "customer": "ada", "role": "buyer", "since": NOON, "until": None}),
            (FACTS, {"name": "currency", "value": "EUR"}),
        ]
        for table, row in rows:
            given_frame = frame(table, row)
            with store.transaction():
                store.put(table, given_frame)
            assert store.read(table).equals(given_frame), table.name

    def test_put_replaces_every_column_of_a_row_with_the_same_key(self, store: Store) -> None:
        with store.transaction():
            store.put(CUSTOMERS, frame(CUSTOMERS, {"customer": "ada", "name": "Ada", "locale": "en"}))
            store.put(CUSTOMERS, frame(CUSTOMERS, {"customer": "ada", "name": "Ada L"}))
        assert store.read(CUSTOMERS).equals(frame(CUSTOMERS, {"customer": "ada", "name": "Ada L"}))

    def test_of_two_rows_with_one_key_in_a_frame_the_last_holds(self, store: Store) -> None:
        with store.transaction():
            store.put(FACTS, frame(FACTS, {"name": "zone", "value": "1"}, {"name": "zone", "value": "2"}))
        assert store.read(FACTS).rows() == [("zone", "2")]

    def test_a_customer_with_contact_points_can_be_put_again(self, store: Store) -> None:
        know(store, "ada")
        point = frame(CONTACT_POINTS, {"customer": "ada", "medium": "email", "address": "ada@example.com"})
        with store.transaction():
            store.put(CONTACT_POINTS, point)
        know(store, "ada")
        assert store.read(CONTACT_POINTS).equals(point)

    def test_a_few_rows_are_revised_as_a_frame_is_updated(self, store: Store) -> None:
        know(store, "ada")
        with store.transaction():
            store.put(MESSAGES, messages(*(message(each, occasion=each) for each in ("m1", "m2", "m3"))))
            change = {"state": "accepted", "settled_at": NOON + DAY, "worker": None, "attempts": 2}
            store.revise(MESSAGES, [{"id": "m2", **change}, {"id": "m1", **change}, {"id": "unknown", **change}])
            store.revise(MESSAGES, [])
        found = store.read(MESSAGES)
        expected = messages(*(message(each, occasion=each) for each in ("m1", "m2", "m3")))
        changed = pl.col("id") != "m3"
        assert found.equals(
            expected.with_columns(
                pl.when(changed).then(pl.lit(value).cast(MESSAGES.schema[name])).otherwise(name).alias(name)
                for name, value in change.items()
            )
        )

    def test_what_is_revised_may_be_any_instant_of_any_zone(self, store: Store) -> None:
        know(store, "ada")
        at = datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=timezone(timedelta(hours=-5)))
        with store.transaction():
            store.put(MESSAGES, messages(message("m1")))
            store.revise(MESSAGES, [{"id": "m1", "settled_at": at}])
        assert store.read(MESSAGES)["settled_at"].to_list() == [at]

    def test_a_wrong_revision_is_refused(self, store: Store) -> None:
        know(store, "ada")
        with pytest.raises(ConfigurationError, match="stat"), store.transaction():
            store.revise(MESSAGES, [{"id": "m1", "stat": "accepted"}])
        with pytest.raises(RuntimeError):
            store.revise(MESSAGES, [{"id": "m1", "state": "accepted"}])

    def test_a_revision_is_undone_with_its_transaction(self, store: Store) -> None:
        know(store, "ada")
        with store.transaction():
            store.put(MESSAGES, messages(message("m1")))
        with pytest.raises(ZeroDivisionError), store.transaction():
            store.revise(MESSAGES, [{"id": "m1", "state": "accepted"}])
            raise ZeroDivisionError
        assert store.read(MESSAGES).equals(messages(message("m1")))

    def test_a_fact_is_told_by_its_name(self, store: Store) -> None:
        assert store.fact("zone") is None
        with store.transaction():
            store.put(FACTS, frame(FACTS, {"name": "zone", "value": "UTC"}))
            assert store.fact("zone") == "UTC"
        assert store.fact("zone") == "UTC"

    def test_a_frame_that_lacks_a_column_is_refused(self, store: Store) -> None:
        with pytest.raises(ConfigurationError, match="locale"), store.transaction():
            store.put(CUSTOMERS, customers("ada").drop("locale"))

    def test_a_row_without_its_key_is_refused(self, store: Store) -> None:
        with pytest.raises(RejectedError), store.transaction():
            store.put(CUSTOMERS, frame(CUSTOMERS, {"name": "nobody"}))
        with pytest.raises(RejectedError), store.transaction():
            store.append(interactions({"source": "shop", "customer": "ada"}))

    @pytest.mark.parametrize(
        ("table", "row"),
        [
            (CONTACT_POINTS, {"customer": "eve", "medium": "email", "address": "eve@example.com"}),
            (DECISIONS, decision("eve")),
            (MESSAGES, message("m1", "eve")),
            (TASKS, {"customer": "eve", "id": "m1", "title": "Call", "state": "open"}),
            (DELIVERY_EVENTS, {"message": "m1", "type": "delivered", "at": NOON, "customer": "eve"}),
        ],
    )
    def test_a_row_of_an_unknown_customer_is_refused(self, store: Store, table: Table, row: dict[str, object]) -> None:
        with pytest.raises(RejectedError), store.transaction():
            store.put(table, frame(table, row))
        assert store.read(table).is_empty()

    def test_a_second_message_for_one_engagement_is_refused(self, store: Store) -> None:
        know(store, "ada")
        with store.transaction():
            store.put(MESSAGES, messages(message("m1", occasion="o")))
            store.put(MESSAGES, messages(message("m1", occasion="o", attempts=1)))
        with pytest.raises(RejectedError), store.transaction():
            store.put(MESSAGES, messages(message("m2", occasion="o")))
        assert store.read(MESSAGES, columns=["id", "attempts"]).rows() == [("m1", 1)]

    def test_update_changes_only_the_columns_it_names(self, store: Store) -> None:
        know(store, "ada", "bob")
        with store.transaction():
            change = frame(CUSTOMERS, {"customer": "ada", "locale": "en"}).select("locale", "customer")
            store.update(CUSTOMERS, change)
        rows = store.read(CUSTOMERS, columns=["customer", "name", "locale"]).rows()
        assert rows == [("ada", "ADA", "en"), ("bob", "BOB", None)]

    def test_update_sets_null_and_makes_no_rows(self, store: Store) -> None:
        know(store, "ada")
        with store.transaction():
            store.update(CUSTOMERS, customers("ada", "eve").select("customer", name=None))
        assert store.read(CUSTOMERS).equals(frame(CUSTOMERS, {"customer": "ada"}))

    def test_delete_removes_the_rows_with_these_keys_and_no_others(self, store: Store) -> None:
        know(store, "ada", "bob")
        with store.transaction():
            store.put(DECISIONS, decisions(decision("ada", "1"), decision("ada", "2"), decision("bob", "1")))
            store.delete(DECISIONS, decisions(decision("ada", "2"), decision("eve", "1")))
            store.delete(CUSTOMERS, customers("eve").select("customer"))
        assert store.read(DECISIONS, columns=["customer", "occasion"]).rows() == [("ada", "1"), ("bob", "1")]

    def test_a_deleted_interaction_is_new_when_it_comes_again(self, store: Store) -> None:
        know(store, "ada", "bob")
        history = interactions(interaction("ada", "1"), interaction("bob", "2"), interaction("ada", "3"))
        with store.transaction():
            store.append(history)
            store.delete(INTERACTIONS, history[::2])
            assert list(store.read(INTERACTIONS)["id"]) == ["2"]
            assert store.append(history).equals(history[::2])

    def test_scrubbing_leaves_what_was_not_deleted(self, store: Store) -> None:
        know(store, "ada", "bob")
        with store.transaction():
            store.append(interactions(interaction("ada", "1"), interaction("bob", "2")))
            store.delete(CUSTOMERS, customers("ada"))
        wanted = page("bob")
        assert list(store.read(INTERACTIONS, page=wanted)["id"]) == ["2"]
        store.scrub()
        assert list(store.read(INTERACTIONS, page=wanted)["id"]) == ["2"]
        assert list(store.read(CUSTOMERS)["customer"]) == ["bob"]
        with store.transaction():
            assert store.append(interactions(interaction("bob", "2"))).is_empty()
        with store.transaction(), pytest.raises(RuntimeError):
            store.scrub()

    def test_an_engagement_is_free_again_after_its_message_is_deleted(self, store: Store) -> None:
        know(store, "ada")
        with store.transaction():
            store.put(MESSAGES, messages(message("m1", occasion="o")))
            store.delete(MESSAGES, messages(message("m1")))
            store.put(MESSAGES, messages(message("m2", occasion="o")))
        assert list(store.read(MESSAGES)["id"]) == ["m2"]

    def test_a_customer_whom_rows_name_cannot_be_deleted(self, store: Store) -> None:
        know(store, "ada")
        with store.transaction():
            store.put(DECISIONS, decisions(decision("ada")))
        with pytest.raises(RejectedError), store.transaction():
            store.delete(CUSTOMERS, customers("ada"))
        assert list(store.read(CUSTOMERS)["customer"]) == ["ada"]

    def test_rows_come_in_the_order_of_their_key(self, store: Store) -> None:
        with store.transaction():
            store.put(CUSTOMERS, customers(*AWKWARD_IDS[::-1]))
            store.append(interactions(*(interaction("x", id_, source=id_) for id_ in AWKWARD_IDS[::-1])))
        assert tuple(store.read(CUSTOMERS)["customer"]) == AWKWARD_IDS
        assert tuple(store.read(INTERACTIONS, columns=["source"])["source"]) == AWKWARD_IDS

    def test_columns_come_in_the_order_asked_for(self, store: Store) -> None:
        know(store, "ada")
        assert store.read(CUSTOMERS, columns=["name", "customer"]).columns == ["name", "customer"]
        assert store.read(CUSTOMERS, columns=["name"], page=page("ada")).rows() == [("ADA",)]

    def test_an_unknown_column_is_refused(self, store: Store) -> None:
        with pytest.raises(ConfigurationError, match="'name'"):
            store.read(CUSTOMERS, columns=["nmae"])
        with pytest.raises(ConfigurationError):
            store.read(CUSTOMERS, where={"nmae": "x"})
        with pytest.raises(ConfigurationError):
            store.count(CUSTOMERS, ["nmae"])

    def test_where_takes_rows_with_these_values(self, store: Store) -> None:
        know(store, "ada", "bob")
        rows = (message("m1"), message("m2", "bob"), message("m3", state="accepted"))
        with store.transaction():
            store.put(MESSAGES, messages(*rows))
        queued = store.read(MESSAGES, where={"state": "queued", "channel": "letters"}, columns=["id"])
        assert list(queued["id"]) == ["m1", "m2"]
        assert list(store.read(MESSAGES, where={"state": "queued"}, page=page("ada"))["id"]) == ["m1"]
        assert store.read(MESSAGES, where={"state": "' OR 1 = 1 --"}).is_empty()

    def test_where_takes_rows_with_any_of_several_values(self, store: Store) -> None:
        places = [(medium, each) for medium in ("email", "sms") for each in AWKWARD_IDS]
        rows = ({"medium": medium, "address_hash": each, "scope": "all"} for medium, each in places)
        with store.transaction():
            store.put(SUPPRESSIONS, frame(SUPPRESSIONS, *rows))
            store.put(CUSTOMERS, customers(*AWKWARD_IDS))
        for wanted in (AWKWARD_IDS[3:9], [*AWKWARD_IDS[:5:-1], AWKWARD_IDS[7], "nobody's"], {"a"}, []):
            sms = store.read(SUPPRESSIONS, where={"address_hash": wanted, "medium": "sms"}, columns=["address_hash"])
            assert sms["address_hash"].to_list() == [each for each in AWKWARD_IDS if each in wanted]
            both = store.read(SUPPRESSIONS, where={"medium": ("sms", "email", "sms"), "address_hash": wanted})
            assert both.select("medium", "address_hash").rows() == [each for each in places if each[1] in wanted]
            assert store.count(SUPPRESSIONS, [], where={"address_hash": wanted})["rows"].to_list() == [both.height]
            for contiguous in (False, True):
                own = page(*AWKWARD_IDS[4:8], contiguous=contiguous)
                named = store.read(CUSTOMERS, page=own, where={"name": [each.upper() for each in wanted]})
                assert named["customer"].to_list() == [
                    each for each in AWKWARD_IDS[4:8] if each.upper() in [other.upper() for other in wanted]
                ]
        with store.transaction():
            store.put(SUPPRESSIONS, frame(SUPPRESSIONS, {"medium": "x", "address_hash": "x", "scope": "all"}))
            assert store.read(SUPPRESSIONS, where={"address_hash": ["x"], "medium": ["x"]}).height == 1
            with pytest.raises(ConfigurationError):
                store.read(SUPPRESSIONS, where={"adress_hash": ["x"]})

    @pytest.mark.parametrize("contiguous", [False, True])
    def test_a_page_reads_its_customers_and_nobody_between_them(self, store: Store, contiguous: bool) -> None:
        know(store, *"abcde")
        with store.transaction():
            store.append(interactions(*(interaction(id_, id_ * 2) for id_ in "edcba")))
            store.put(STATES, states(b=None, c=NOON))
        wanted = page("a", "b", "d", "x", contiguous=contiguous)
        assert list(store.read(CUSTOMERS, page=wanted)["customer"]) == ["a", "b", "d"]
        assert list(store.read(INTERACTIONS, page=wanted)["id"]) == ["aa", "bb", "dd"]
        assert list(store.read(STATES, page=wanted)["customer"]) == ["b"]

    def test_an_empty_page_reads_nothing(self, store: Store) -> None:
        know(store, "ada")
        for table in (CUSTOMERS, INTERACTIONS, MESSAGES):
            assert store.read(table, page=page()).equals(table.empty())

    def test_count_by_columns(self, store: Store) -> None:
        know(store, "ada")
        rows = (message("m1"), message("m2", detail="x"), message("m3", state="accepted"))
        with store.transaction():
            store.put(MESSAGES, messages(*rows))
        assert store.count(MESSAGES, ["state", "detail"]).rows() == [
            ("accepted", None, 1),
            ("queued", None, 1),
            ("queued", "x", 1),
        ]
        assert store.count(MESSAGES, ["channel"], where={"state": "queued"}).to_dicts() == [
            {"channel": "letters", "rows": 2}
        ]
        assert store.count(MESSAGES, []).to_dicts() == [{"rows": 3}]
        assert store.count(STATES, ["stage", "due_at"]).is_empty()

    def test_empty_frames_change_nothing(self, store: Store) -> None:
        with store.transaction():
            for table in (CUSTOMERS, DECISIONS, MESSAGES):
                store.put(table, table.empty())
                store.update(table, table.empty())
                store.delete(table, table.empty())
            assert store.append(INTERACTIONS.empty()).equals(INTERACTIONS.empty())
        assert all(store.read(table).is_empty() for table in TABLES)

    def test_close_may_be_called_twice(self, store: Store) -> None:
        store.close()
        store.close()
