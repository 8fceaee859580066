"""Recording objects and frames: once each, whole batches, any order."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings, strategies as st

from relationship_core import (
    CONTACT_POINTS,
    CUSTOMERS,
    FACTS,
    INTERACTIONS,
    TABLES,
    ConfigurationError,
    ContactPoint,
    Customer,
    Interaction,
    KeyedMeasure,
    Measure,
    Money,
    OrderLine,
    RejectedError,
    RelationshipError,
    Store,
)
from relationship_core.builtin.memory import MemoryStore
from relationship_core.flow.record.recorder import Recorded, Recorder
from relationship_core.flow.record.recording import record, record_customers
from relationship_core.flow.record.signature import check_measures, measure_signature

Measures = tuple[Measure | KeyedMeasure, ...]
NewStore = Callable[[str], AbstractContextManager[Store]]
MakeRecorder = Callable[..., Recorder]
KeptNumbers = Callable[[Recorder], dict[tuple[str, ...], float]]

NOON = datetime(2017, 3, 1, 12, tzinfo=UTC)
NOW = datetime(2030, 1, 1, tzinfo=UTC)

histories = st.lists(
    st.builds(
        Interaction,
        source=st.sampled_from(["shop", "till"]),
        id=st.uuids().map(str),
        customer=st.sampled_from(["a", "b", "c", "ä", "😀"]),
        kind=st.sampled_from(["order", "visit", "complaint_opened"]),
        at=st.datetimes(datetime(1971, 1, 1), datetime(2029, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001  the zone follows
        amount=st.none() | st.builds(Money, minor=st.integers(0, 10**9), currency=st.just("EUR")),
        reference=st.sampled_from([None, "r1", "r2"]),
        lines=st.lists(
            st.builds(OrderLine, product=st.sampled_from(["tea", "cup"]), category=st.sampled_from(["x", None])),
            max_size=2,
        ),
    ),
    max_size=15,
    unique_by=lambda one: one.id,
)


def everything(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    return {table.name: store.read(table).rows() for table in TABLES}


def order(number: int, customer: str = "ann", at: datetime = NOON, **more: Any) -> Interaction:
    return Interaction(source="shop", id=str(number), customer=customer, kind="order", at=at, **more)


def marked(store: Store) -> list[str]:
    return [customer for page in store.pages("review", as_of=NOW) for customer in page.customers]


def unmark(store: Store) -> None:
    for page in list(store.pages("review", as_of=NOW)):
        with store.transaction():
            store.unmark("review", page)


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@settings(max_examples=25)
@given(data=st.data(), history=histories)
def test_any_order_and_any_split_into_batches_give_the_same_measures(
    kind: str,
    data: st.DataObject,
    history: list[Interaction],
    *,
    new_store: NewStore,
    make_recorder: MakeRecorder,
    every_measure: Measures,
    kept_numbers: KeptNumbers,
) -> None:
    at_once = make_recorder(MemoryStore(), every_measure)
    record(at_once, history)
    shuffled = data.draw(st.permutations(history))
    again = data.draw(st.lists(st.sampled_from(history), max_size=4)) if history else []
    batch = data.draw(st.integers(1, 6))
    with new_store(kind) as store:
        piecemeal = make_recorder(store, every_measure, batch=batch)
        assert record(piecemeal, shuffled).new == len(history)
        assert record(piecemeal, again) == Recorded(repeated=len(again))
        assert kept_numbers(piecemeal) == pytest.approx(kept_numbers(at_once), rel=1e-9)
        assert store.read(INTERACTIONS).sort("id").rows() == at_once.store.read(INTERACTIONS).sort("id").rows()


def test_what_is_recorded_twice_is_kept_once(
    store: Store, make_recorder: MakeRecorder, every_measure: Measures, kept_numbers: KeptNumbers
) -> None:
    recorder = make_recorder(store, every_measure)
    batch = [order(number, amount=Money(minor=500, currency="EUR")) for number in range(3)]
    assert record(recorder, [*batch, batch[0]]) == Recorded(new=3, repeated=1, unknown_customers=1)
    unmark(store)
    before, numbers = everything(store), kept_numbers(recorder)
    assert record(recorder, batch) == Recorded(repeated=3)
    assert everything(store) == before
    assert kept_numbers(recorder) == numbers
    assert marked(store) == []
    assert numbers["ann", "spent"] == 1500


def test_the_same_id_from_another_source_is_another_interaction(
    store: Store, make_recorder: MakeRecorder, every_measure: Measures
) -> None:
    recorder = make_recorder(store, every_measure)
    till = Interaction(source="till", id="1", customer="ann", kind="order", at=NOON)
    assert record(recorder, [order(1), till]) == Recorded(new=2, unknown_customers=1)


def test_what_contradicts_the_first_version_is_refused_and_its_batch_with_it(
    store: Store, make_recorder: MakeRecorder, every_measure: Measures, kept_numbers: KeptNumbers
) -> None:
    recorder = make_recorder(store, every_measure)
    first = order(1, amount=Money(minor=500, currency="EUR"))
    record(recorder, [first])
    before, numbers = everything(store), kept_numbers(recorder)
    others = [order(2, "bob"), first, order(1, amount=Money(minor=900, currency="EUR")), order(1, "cid")]
    rows = frame(id=["2", "1", "1", "1"], source=["shop"] * 4, customer=["bob", "ann", "ann", "cid"])
    rows = rows.with_columns(amount=pl.Series([None, 500, 900, None], dtype=pl.Int64))
    told = r"number 3 cannot .*: the id '1' of 'shop' was recorded before with another amount \(and 1 more\); correct"
    for batch in (others, rows):
        with pytest.raises(RejectedError, match=told):
            record(recorder, batch)
        assert everything(store) == before
        assert kept_numbers(recorder) == numbers


def test_two_versions_in_one_batch_are_refused(
    store: Store, make_recorder: MakeRecorder, every_measure: Measures
) -> None:
    recorder = make_recorder(store, every_measure)
    with pytest.raises(
        RejectedError, match=r"number 2 cannot .*: the id '1' of 'shop' was recorded before with another"
    ):
        record(recorder, [order(1), order(1, at=NOON + timedelta(seconds=1))])
    assert store.read(INTERACTIONS).is_empty()


def test_what_is_kept_is_only_read_for_ids_that_come_again(
    store: Store, make_recorder: MakeRecorder, every_measure: Measures
) -> None:
    recorder = make_recorder(Failing(store, "kept"), every_measure)
    assert record(recorder, [order(1), order(2)]).new == 2
    with pytest.raises(KeyboardInterrupt):
        record(recorder, [order(2)])


def test_only_customers_with_news_are_marked(
    store: Store, make_recorder: MakeRecorder, every_measure: Measures
) -> None:
    recorder = make_recorder(store, every_measure)
    record(recorder, [order(1, "ann"), order(2, "bob")])
    unmark(store)
    record(recorder, [order(2, "bob"), order(3, "cid"), order(4, "dot", NOON - timedelta(days=900))])
    assert marked(store) == ["cid", "dot"]


def test_customers_whom_nobody_knew_are_counted(
    store: Store, make_recorder: MakeRecorder, every_measure: Measures
) -> None:
    recorder = make_recorder(store, every_measure, batch=2)
    record_customers(recorder, [Customer(id="ann")])
    history = [order(1, "ann"), order(2, "bob"), order(3, "bob"), order(4, "cid")]
    assert record(recorder, history) == Recorded(new=4, unknown_customers=2)
    assert record(recorder, [*history, order(5, "bob")]) == Recorded(new=1, repeated=4)
    assert record_customers(recorder, [Customer(id="dot")]) == Recorded(new=1)


def test_an_unknown_customer_gets_a_row_and_a_known_one_keeps_his(
    store: Store, make_recorder: MakeRecorder, every_measure: Measures
) -> None:
    recorder = make_recorder(store, every_measure)
    record_customers(recorder, [Customer(id="ann", name="Ann", locale="en")])
    record(recorder, [order(1, "ann"), order(2, "bob")])
    assert store.read(CUSTOMERS, columns=["customer", "name", "locale"]).rows() == [
        ("ann", "Ann", "en"),
        ("bob", None, None),
    ]


def test_the_last_recorded_instant_only_moves_on(
    store: Store, make_recorder: MakeRecorder, every_measure: Measures
) -> None:
    recorder = make_recorder(store, every_measure)
    for day in (3, 5, 1):
        record(recorder, [order(day, at=NOON + timedelta(days=day))])
    last = store.read(FACTS, where={"name": "last_recorded_at"})["value"].to_list()
    assert last == [(NOON + timedelta(days=5)).isoformat()]


def test_new_interactions_are_announced_once_and_after_the_commit(
    store: Store, make_recorder: MakeRecorder, every_measure: Measures
) -> None:
    heard: list[list[str]] = []

    def announce(new: pl.DataFrame) -> None:
        with store.transaction():  # would not nest
            heard.append(new["id"].to_list())

    recorder = make_recorder(store, every_measure, announce=announce, batch=2)
    record(recorder, [order(1), order(2), order(3)])
    record(recorder, [order(3), order(4)])
    record(recorder, [order(4)])
    assert heard == [["1", "2"], ["3"], ["4"]]


class Failing:
    """A store in which one method fails."""

    def __init__(self, store: Store, method: str) -> None:
        self._store = store
        self._method = method

    def __getattr__(self, name: str) -> Any:
        if name == self._method:
            raise KeyboardInterrupt
        return getattr(self._store, name)


@pytest.mark.parametrize("method", ["append", "merge", "mark"])
def test_a_batch_is_kept_whole_or_not_at_all(
    store: Store, method: str, make_recorder: MakeRecorder, every_measure: Measures, kept_numbers: KeptNumbers
) -> None:
    healthy = make_recorder(store, every_measure)
    record(healthy, [order(1, "ann")])
    before, numbers, marks = everything(store), kept_numbers(healthy), marked(store)
    failing = make_recorder(Failing(store, method), every_measure)
    with pytest.raises(KeyboardInterrupt):
        record(failing, [order(2, "ann"), order(3, "bob")])
    assert (everything(store), kept_numbers(healthy), marked(store)) == (before, numbers, marks)


def frame(**columns: Any) -> pl.DataFrame:
    height = len(columns["id"])
    known = {"source": ["s"] * height, "customer": ["c"] * height, "kind": ["order"] * height, "at": [NOON] * height}
    return pl.DataFrame({**known, **columns})


def test_a_frame_is_recorded_as_objects_are(
    store: Store, make_recorder: MakeRecorder, every_measure: Measures, kept_numbers: KeptNumbers
) -> None:
    lines = [[{"product": "tea", "minor": 250, "quantity": 2}], []]
    rows = frame(id=[1, 2], amount=[500, None], currency=["EUR", None], lines=lines, data=[None, '{"n": 1}'])
    assert record(make_recorder(store, every_measure, batch=1), rows) == Recorded(new=2, unknown_customers=1)
    objects = [
        order(1, "c", amount=Money(minor=500, currency="EUR"), lines=[OrderLine(product="tea", quantity=2, minor=250)]),
        order(2, "c", data={"n": "1"}),
    ]
    other = make_recorder(MemoryStore(), every_measure)
    record(other, objects)
    assert kept_numbers(make_recorder(store, every_measure)) == kept_numbers(other)
    assert store.read(INTERACTIONS)["data"].to_list() == [None, '{"n": "1"}']


BAD_FRAMES = [
    (frame(id=["1"]).drop("customer"), "the frame has no column 'customer'"),
    (frame(id=["1"], ammount=[1]), "unknown column 'ammount'; did you mean 'amount'"),
    (frame(id=["1"], at=[NOON.replace(tzinfo=None)]), "without a zone"),
    (frame(id=["1"], at=["2017-03-01T12:00:00"]), "number 1 cannot be recorded: the time has no zone"),
    (frame(id=["1"], at=[5]), "the column 'at' holds Int64"),
    (frame(id=["1"], amount=[1.5]), "the column 'amount' holds Float64"),
    (frame(id=["1"], amount=[1], amount_minor=[1]), "given twice"),
    (frame(id=[1.5]), "the column 'id' holds Float64"),
    (frame(id=["1", None]), "number 2 cannot be recorded: there is no id"),
    (frame(id=["1", ""]), "number 2 cannot be recorded: there is no id"),
    (frame(id=["1", " 2"]), "number 2 cannot be recorded: the id has white space around it"),
    (frame(id=["1", "2\0"]), "the id holds a NUL character"),
    (frame(id=["1", "2\n3"]), "number 2 cannot be recorded: the id holds a line break or another control character"),
    (frame(id=["1"], customer=["a\u2028b"]), "the customer holds a line break or another control character"),
    (frame(id=["1"], source=["a\tb"]), "the source holds a line break or another control character"),
    (frame(id=["1", "2"], amount=[0, -1]), "number 2 cannot be recorded: the amount of an order is negative"),
    (frame(id=["1", "2"], kind=["order", "ordr"]), "the kind 'ordr' is unknown; did you mean 'order'?"),
    (frame(id=["1"], at=[NOW + timedelta(days=1, seconds=1)]), "more than a day in the future"),
    (frame(id=["1"], at=[datetime(1969, 12, 31, tzinfo=UTC)]), "not in the years 1970 to 2099"),
    (frame(id=["1"], currency=["USD"]), "another currency than the project's, EUR"),
    (frame(id=["1"], amount=[2**53 + 1]), "the amount is too large"),
    (frame(id=["1"], lines=[[{"product": None}]]), "an order line has no product"),
    (frame(id=["1"], lines=[[{"product": "a", "quantity": -1.0}]]), "quantity"),
    (frame(id=["1"], lines=[[{"product": "a", "quantity": float("nan")}]]), "quantity"),
    (frame(id=["1"], lines=[[{"product": "a", "minor": 1.5}]]), "minor of whole numbers"),
    (frame(id=["1"], lines=[[{"prodct": "a"}]]), "unknown field 'prodct'; did you mean 'product'"),
    (frame(id=["1"], lines=["[5]"]), "the lines are not a JSON list"),
    (frame(id=["1"], data=["[5]"]), "the data are not a JSON object"),
]


@pytest.mark.parametrize(("rows", "told"), BAD_FRAMES)
def test_a_frame_that_cannot_be_recorded_is_refused_whole(
    rows: pl.DataFrame, told: str, make_recorder: MakeRecorder, every_measure: Measures
) -> None:
    recorder = make_recorder(MemoryStore(), every_measure, batch=1)
    with pytest.raises(RelationshipError) as refused:
        record(recorder, rows)
    assert told in str(refused.value)
    assert recorder.store.read(INTERACTIONS).is_empty()


BAD_OBJECTS: list[tuple[Sequence[Any], str]] = [
    ([order(1), order(2, amount=Money(minor=1, currency="USD"))], "number 2 cannot be recorded: the amount is in"),
    ([order(1, amount=Money(minor=2**70, currency="EUR"))], "too large a number"),
    ([order(1), {"id": "2"}], "only Interaction objects can be recorded here, not dict"),
    ([order(1, lines=[OrderLine(product="")])], "an order line has no product"),
    ([order(1, customer="c\0")], "the customer holds a NUL character"),
    ([order(1, customer="c\ud800")], "half a surrogate pair"),
    ([order(1, data={"page": "c\ud800"})], "half a surrogate pair"),
    ([order(1, customer="c\nd")], "the customer holds a line break or another control character"),
    ([order(1, amount=Money(minor=-1, currency="EUR"))], "such as a 'return'"),
]


@pytest.mark.parametrize(("objects", "told"), BAD_OBJECTS)
def test_objects_that_cannot_be_recorded_are_refused_by_the_batch(
    objects: Sequence[Any], told: str, make_recorder: MakeRecorder, every_measure: Measures
) -> None:
    recorder = make_recorder(MemoryStore(), every_measure)
    with pytest.raises(RejectedError) as refused:
        record(recorder, objects)
    assert told in str(refused.value)
    assert recorder.store.read(INTERACTIONS).is_empty()


def test_money_may_flow_back_in_other_kinds(make_recorder: MakeRecorder, every_measure: Measures) -> None:
    recorder = make_recorder(MemoryStore(), every_measure, kinds=("order", "return"))
    back = Interaction(source="s", id="1", customer="c", kind="return", at=NOON, amount=Money(minor=-5, currency="EUR"))
    assert record(recorder, [back, order(2, amount=Money(minor=0, currency="EUR"))]).new == 2


def test_what_lies_a_day_ahead_is_recorded(make_recorder: MakeRecorder, every_measure: Measures) -> None:
    recorder = make_recorder(MemoryStore(), every_measure)
    assert record(recorder, [order(1, at=NOW + timedelta(days=1))]).new == 1


def test_a_changed_measure_is_noticed(store: Store, make_recorder: MakeRecorder, every_measure: Measures) -> None:
    check_measures(store, every_measure)
    record(make_recorder(store, every_measure), [order(1)])
    check_measures(store, every_measure)
    check_measures(store, every_measure[1:])
    new = Measure(name="new", combine="count")
    changed = Measure(name="spent", kinds=("order",), combine="sum", value=pl.col("amount") / 100)
    others = tuple(measure for measure in every_measure if measure.name != "spent")
    for measures, told in (((*every_measure, new), "'new' is new"), ((*others, changed), "'spent' has changed")):
        with pytest.raises(ConfigurationError, match=told):
            check_measures(store, measures)
        with pytest.raises(ConfigurationError, match="run `relate rebuild`"):
            record(make_recorder(store, measures), [order(2)])


def test_a_measure_that_was_away_while_something_was_recorded_is_new(
    store: Store, make_recorder: MakeRecorder, every_measure: Measures
) -> None:
    record(make_recorder(store, every_measure), [order(1)])
    record(make_recorder(store, every_measure[1:]), [order(2)])
    with pytest.raises(ConfigurationError, match="'everything' is new"):
        check_measures(store, every_measure)


def test_the_signature_sees_what_is_folded_and_nothing_else() -> None:
    def spent(**more: Any) -> str:
        return measure_signature([Measure(**{"name": "spent", "combine": "sum", **more})])

    long = [f"r{number}" for number in range(50)]
    values = [pl.col("amount"), pl.col("amount") / 100, *(pl.col("reference").is_in([*long, x]) for x in "ab")]
    texts = [spent(), spent(combine="count"), spent(kinds=("order",)), spent(half_life_days=30.0)]
    texts += [spent(value=value) for value in values]
    assert len(set(texts)) == len(texts)
    assert spent(summary="money") == spent()
    assert spent(value=pl.col("amount") / 100) == spent(value=pl.col("amount") / 100)


def test_a_known_customer_is_brought_up_to_date(
    store: Store, make_recorder: MakeRecorder, every_measure: Measures
) -> None:
    recorder = make_recorder(store, every_measure)
    mail = ContactPoint(medium="email", address="ann@example.com")
    first = Customer(id="ann", name="Ann", attributes={"size": 2, "pet": "cat"}, contact_points=[mail])
    assert record_customers(recorder, [first, Customer(id="bob")]) == Recorded(new=2)
    unmark(store)
    assert record_customers(recorder, [first, Customer(id="bob")]) == Recorded(repeated=2)
    assert marked(store) == []
    later = [
        Customer(id="ann", locale="en", attributes={"pet": "dog"}),
        Customer(id="ann", country="US"),
        Customer(id="bob", contact_points=[ContactPoint(medium="post", address="1 Road", synthetic=True)]),
    ]
    assert record_customers(recorder, later) == Recorded(repeated=3)
    assert marked(store) == ["ann", "bob"]
    assert store.read(CUSTOMERS).rows() == [
        ("ann", "Ann", "en", None, "US", '{"pet": "dog", "size": 2}'),
        ("bob", None, None, None, None, None),
    ]
    assert store.read(CONTACT_POINTS).rows() == [
        ("ann", "email", "ann@example.com", False, "ann@example.com"),
        ("bob", "post", "1 Road", True, "1 road"),
    ]


@pytest.mark.parametrize(
    ("customer", "told"),
    [
        (Customer(id="zoe", zone="Europe/Berln"), "the zone is no IANA time zone"),
        (Customer(id="zoe", attributes={"sise": 1}), "the attribute 'sise' is not declared; did you mean 'size'?"),
        (Customer(id="zoe", attributes={"size": "1"}), "the attribute 'size' is not a number"),
        (Customer(id="zoe", attributes={"size": True}), "the attribute 'size' is not a number"),
        (Customer(id="zoe", attributes={"vip": 1}), "the attribute 'vip' is not a boolean"),
    ],
)
def test_a_customer_that_cannot_be_recorded_is_refused(
    customer: Customer, told: str, make_recorder: MakeRecorder, every_measure: Measures
) -> None:
    recorder = make_recorder(MemoryStore(), every_measure, attributes={"size": "number", "vip": "boolean"})
    with pytest.raises(RejectedError) as refused:
        record_customers(recorder, [Customer(id="bob"), customer])
    assert told in str(refused.value)
    assert "zoe" not in str(refused.value)
    assert recorder.store.read(CUSTOMERS).is_empty()


def test_a_frame_of_customers(store: Store, make_recorder: MakeRecorder, every_measure: Measures) -> None:
    recorder = make_recorder(store, every_measure, attributes={"size": "number", "pet": "text"}, batch=1)
    columns = {"customer": [1, 2], "attribute.size": [3, None], "attributes": [None, '{"pet": "cat"}']}
    rows = pl.DataFrame({**columns, "contact.email": ["a@example.com", None]})
    assert record_customers(recorder, rows) == Recorded(new=2)
    assert store.read(CUSTOMERS)["attributes"].to_list() == ['{"size": 3}', '{"pet": "cat"}']
    assert store.read(CONTACT_POINTS)["address"].to_list() == ["a@example.com"]
    with pytest.raises(RejectedError, match="unknown column 'contacts'"):
        record_customers(recorder, pl.DataFrame({"customer": ["1"], "contacts": [""]}))
    with pytest.raises(ConfigurationError, match="'sise' is not declared; did you mean 'size'"):
        record_customers(recorder, pl.DataFrame({"customer": ["1"], "attribute.sise": [1]}))
