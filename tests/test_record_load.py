"""The initial load: the history of customer after customer, and the same in the end as any other import."""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, strategies as st

from relationship_core import IMPORTS, INTERACTIONS, STATES, KeyedMeasure, Measure, Store, packaged_migrations
from relationship_core.builtin.memory import MemoryStore
from relationship_core.builtin.sqlite.store import KEYS, SQLiteStore
from relationship_core.flow.record.loading import CHUNKS, survey
from relationship_core.flow.record.presets import How, import_from
from relationship_core.flow.record.recorder import Recorded, Recorder

Measures = tuple[Measure | KeyedMeasure, ...]
MakeRecorder = Callable[..., Recorder]
KeptNumbers = Callable[[Recorder], dict[tuple[str, ...], float]]
MakeMortal = Callable[..., Store]

ROWS, BATCH, CHUNK = 36, 5, 3
LONGEST = CHUNKS * CHUNK
BAD = 4


def row(number: int) -> dict[str, Any]:
    return {
        "source": "shop",
        "id": str(number),
        "customer": f"c{number * 7 % 9}",
        "kind": "ordr" if number % 10 == 3 else "order",
        "at": f"2017-03-01T09:{number:02}:00Z",
        "amount": f"{number}.50",
    }


def orders(folder: Path, name: str = "orders.parquet", rows: Sequence[dict[str, Any]] | None = None) -> Path:
    path = folder / name
    frame = pl.DataFrame([row(number) for number in range(ROWS)] if rows is None else rows)
    frame.write_parquet(path) if path.suffix == ".parquet" else frame.write_csv(path)
    return path


def everything(recorder: Recorder) -> dict[str, Any]:
    tables = {table.name: recorder.store.read(table).rows() for table in (INTERACTIONS, STATES)}
    return {**tables, "marked": recorder.store.marked("review")}


def refused(recorded: Recorded) -> list[tuple[str, ...]]:
    assert recorded.rejects is not None
    return sorted(pl.read_csv(recorded.rejects, infer_schema=False).drop("row").rows())


def how_kept(store: Store) -> list[str]:
    """The customers in the order in which their interactions were kept: by SQLite's row number."""
    assert isinstance(store, SQLiteStore)
    rows = store._database.rows("SELECT customer FROM interactions ORDER BY number")
    return [customer for (customer,) in rows]


def has_index(store: Store) -> bool:
    assert isinstance(store, SQLiteStore)
    sql = "SELECT 1 FROM sqlite_master WHERE name = ?"
    return bool(store._database.rows(sql, (KEYS,)))


@pytest.fixture
def sqlite(new_store: Callable[[str], AbstractContextManager[Store]]) -> Any:
    with new_store("sqlite") as store:
        yield store


def test_a_load_equals_an_import_row_by_row(
    store: Store, tmp_path: Path, make_recorder: MakeRecorder, every_measure: Measures, kept_numbers: KeptNumbers
) -> None:
    loading = make_recorder(store, every_measure, batch=BATCH, chunk=CHUNK)
    loaded = import_from(loading, orders(tmp_path), How(what="interactions"))
    recording = make_recorder(MemoryStore(), every_measure)
    recorded = import_from(recording, orders(tmp_path, "orders.csv"), How(what="interactions"))
    assert (loaded.new, loaded.repeated, loaded.rejected) == (ROWS - BAD, 0, BAD)
    assert (loaded.new, loaded.unknown_customers) == (recorded.new, recorded.unknown_customers)
    assert everything(loading) == everything(recording)
    # Decayed sums depend on the order of adding in their last digit.
    assert kept_numbers(loading) == pytest.approx(kept_numbers(recording), rel=1e-12)
    assert refused(loaded) == refused(recorded)
    assert import_from(loading, orders(tmp_path), How(what="interactions")).already


def test_a_load_keeps_customer_after_customer_and_leaves_the_index_behind(
    sqlite: Store, tmp_path: Path, make_recorder: MakeRecorder, every_measure: Measures
) -> None:
    recorder = make_recorder(sqlite, every_measure, batch=BATCH, chunk=CHUNK)
    import_from(recorder, orders(tmp_path), How(what="interactions"))
    assert how_kept(sqlite) == sorted(how_kept(sqlite))
    assert has_index(sqlite)


@pytest.mark.parametrize("moment", ["before the commit", "after the commit"])
@pytest.mark.parametrize("at", [1, 4, 7, 8, 9])
def test_a_load_that_dies_and_goes_on_equals_an_undisturbed_one(
    store: Store,
    at: int,
    moment: str,
    tmp_path: Path,
    *,
    make_mortal: MakeMortal,
    make_recorder: MakeRecorder,
    every_measure: Measures,
    kept_numbers: KeptNumbers,
) -> None:
    path = orders(tmp_path)
    undisturbed = make_recorder(MemoryStore(), every_measure, batch=BATCH, chunk=CHUNK)
    expected = import_from(undisturbed, path, How(what="interactions", rejects=tmp_path / "undisturbed.csv"))
    rejects = tmp_path / "rejects.csv"
    committed = moment == "after the commit"
    dying = make_recorder(make_mortal(store, at, committed=committed), every_measure, batch=BATCH, chunk=CHUNK)
    with pytest.raises(KeyboardInterrupt):
        import_from(dying, path, How(what="interactions", rejects=rejects))
    recorder = make_recorder(store, every_measure, batch=BATCH, chunk=CHUNK)
    recorded = import_from(recorder, path, How(what="interactions", rejects=rejects))
    assert (recorded.new, recorded.repeated, recorded.rejected) == (expected.new, 0, BAD)
    assert everything(recorder) == everything(undisturbed)
    assert kept_numbers(recorder) == kept_numbers(undisturbed)
    assert rejects.read_bytes() == (tmp_path / "undisturbed.csv").read_bytes()
    assert recorder.store.read(IMPORTS)["state"].to_list() == ["finished"]


@pytest.mark.parametrize("batch", [2, ROWS, 2 * ROWS])
def test_a_load_goes_on_in_batches_of_another_size(
    sqlite: Store,
    tmp_path: Path,
    batch: int,
    *,
    make_mortal: MakeMortal,
    make_recorder: MakeRecorder,
    every_measure: Measures,
) -> None:
    path = orders(tmp_path)
    dying = make_recorder(make_mortal(sqlite, 4, committed=False), every_measure, batch=BATCH, chunk=CHUNK)
    with pytest.raises(KeyboardInterrupt):
        import_from(dying, path, How(what="interactions"))
    recorded = import_from(
        make_recorder(sqlite, every_measure, batch=batch, chunk=CHUNK), path, How(what="interactions")
    )
    assert (recorded.new, recorded.repeated, recorded.rejected) == (ROWS - BAD, 0, BAD)
    assert sqlite.read(INTERACTIONS).height == ROWS - BAD


def test_what_others_record_while_a_load_lies_still_counts_once(
    sqlite: Store, tmp_path: Path, make_mortal: MakeMortal, make_recorder: MakeRecorder, every_measure: Measures
) -> None:
    path = orders(tmp_path)
    dying = make_recorder(make_mortal(sqlite, 3, committed=False), every_measure, batch=BATCH, chunk=CHUNK)
    with pytest.raises(KeyboardInterrupt):
        import_from(dying, path, How(what="interactions"))
    assert not has_index(sqlite)
    recorder = make_recorder(sqlite, every_measure, batch=BATCH, chunk=CHUNK)
    # The first is kept already, the second comes later in the load, the third contradicts one of the load.
    others = [row(0), row(5), {**row(1), "amount": "99.00"}]
    assert row(5)["customer"] > row(1)["customer"] > row(0)["customer"]
    meanwhile = import_from(recorder, orders(tmp_path, "others.csv", others), How(what="interactions"))
    assert (meanwhile.new, meanwhile.repeated) == (2, 1)
    assert has_index(sqlite)
    loaded = import_from(recorder, path, How(what="interactions"))
    assert (loaded.new, loaded.repeated, loaded.rejected) == (ROWS - BAD - 2, 1, BAD + 1)
    assert sqlite.read(INTERACTIONS).height == ROWS - BAD


@pytest.mark.parametrize(
    "more",
    [
        [row(0)],
        [{**row(0), "amount": "99.00"}],
        [{**row(ROWS), "customer": None}],
        [{**row(number), "customer": "c1", "at": "2017-03-01T09:00:00Z"} for number in range(ROWS, ROWS + 1 + LONGEST)],
    ],
    ids=["repeated", "contradicting", "nobody", "too many of one customer"],
)
def test_a_file_that_cannot_be_loaded_is_recorded_as_any_other(
    more: list[dict[str, Any]], sqlite: Store, tmp_path: Path, make_recorder: MakeRecorder, every_measure: Measures
) -> None:
    rows = [row(number) for number in range(ROWS)] + more
    recorder = make_recorder(sqlite, every_measure, batch=BATCH, chunk=CHUNK)
    recorded = import_from(recorder, orders(tmp_path, rows=rows), How(what="interactions"))
    other = make_recorder(MemoryStore(), every_measure)
    expected = import_from(other, orders(tmp_path, "orders.csv", rows), How(what="interactions"))
    assert (recorded.new, recorded.repeated, recorded.rejected) == (expected.new, expected.repeated, expected.rejected)
    assert everything(recorder) == everything(other)
    assert how_kept(sqlite) != sorted(how_kept(sqlite))


def test_only_a_project_without_interactions_is_loaded(
    sqlite: Store, tmp_path: Path, make_recorder: MakeRecorder, every_measure: Measures
) -> None:
    recorder = make_recorder(sqlite, every_measure, batch=BATCH, chunk=CHUNK)
    import_from(recorder, orders(tmp_path, "first.csv", [row(5)]), How(what="interactions"))
    recorded = import_from(recorder, orders(tmp_path), How(what="interactions"))
    assert (recorded.new, recorded.repeated) == (ROWS - BAD - 1, 1)
    assert how_kept(sqlite) != sorted(how_kept(sqlite))


def test_an_older_database_keeps_its_interactions_in_their_order(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    migrations = packaged_migrations("relationship_core.builtin.sqlite")
    SQLiteStore(path, migrations=[each for each in migrations if each.version < 9]).close()
    rows = [(number, f"s{number % 2}", str(number), f"c{number % 3}") for number in (7, 3, 5)]
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany("INSERT INTO interactions (number, source, id, customer) VALUES (?, ?, ?, ?)", rows)
    with closing(SQLiteStore(path)) as store:
        assert how_kept(store) == ["c0", "c2", "c1"]
        with store.transaction():
            assert store.append(store.read(INTERACTIONS)).is_empty()


@given(
    rows=st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 40)), min_size=1, max_size=60),
    longest=st.integers(1, 20),
    pieces=st.integers(1, 9),
)
def test_ranges_hold_each_row_once_and_never_part_a_customer(
    rows: list[tuple[str, int]], longest: int, pieces: int
) -> None:
    frame = pl.DataFrame([{"source": "shop", "id": str(id_), "customer": customer} for customer, id_ in rows])
    ranges = survey((frame[start : start + pieces] for start in range(0, frame.height, pieces)), longest)
    longest_history = int(frame["customer"].value_counts()["count"].max())  # type: ignore[arg-type]  # a number here
    if frame["id"].is_duplicated().any() or longest_history > longest:
        assert ranges is None
        return
    assert ranges is not None
    left = frame.sort("customer")
    for each in ranges:
        end = "z" if each.end is None else each.end
        here = left.filter((pl.col("customer") >= each.first) & (pl.col("customer") < end))
        assert (each.start, each.rows) == (frame.height - left.height, here.height)
        assert each.rows <= longest
        left = left[here.height :]
    assert left.is_empty()
