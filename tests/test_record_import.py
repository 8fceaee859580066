"""An import that dies goes on where it stopped; one that is finished is not done again."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from attrs import evolve
from click.testing import Result

from relationship_core import (
    CUSTOMERS,
    IMPORTS,
    INTERACTIONS,
    TABLES,
    KeyedMeasure,
    Measure,
    Store,
)
from relationship_core.builtin.memory import MemoryStore
from relationship_core.builtin.sqlite.store import SQLiteStore
from relationship_core.flow.progress import Progress
from relationship_core.flow.record.presets import How, import_from
from relationship_core.flow.record.recorder import Recorded, Recorder

Measures = tuple[Measure | KeyedMeasure, ...]
MakeRecorder = Callable[..., Recorder]
KeptNumbers = Callable[[Recorder], dict[tuple[str, ...], float]]
MakeMortal = Callable[..., Store]

ROWS, BATCH, CHUNK = 40, 7, 16
BATCHES = 8  # chunks of 16, 16 and 8 rows, in batches of at most 7
BAD = 13  # 12 of an unknown kind, and number 37, which contradicts number 2


def row(number: int) -> dict[str, Any]:
    number = 0 if number == 35 else number
    bad = number % 10 in {3, 6, 9}
    return {
        "source": "shop",
        "id": str(number % 35),
        "customer": f"c{number * 7 % 5}",
        "kind": "ordr" if bad else "order",
        "at": f"2017-03-01T09:{number:02}:00Z",
        "amount": f"{number}.50",
    }


@pytest.fixture(params=["csv", "jsonl", "parquet"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return orders(tmp_path, request.param)


def orders(folder: Path, extension: str) -> Path:
    rows = pl.DataFrame([row(number) for number in range(ROWS)])
    file = folder / f"orders.{extension}"
    write = {"csv": rows.write_csv, "jsonl": rows.write_ndjson, "parquet": rows.write_parquet}[extension]
    write(file)  # type: ignore[operator]  # one of several writers
    return file


def everything(recorder: Recorder, rejects: Path) -> dict[str, Any]:
    tables = {table.name: recorder.store.read(table).rows() for table in TABLES}
    return {**tables, "rejects": rejects.read_bytes()}


def test_an_import_reports_and_counts(
    store: Store, path: Path, make_recorder: MakeRecorder, every_measure: Measures
) -> None:
    recorder = make_recorder(store, every_measure, batch=BATCH, chunk=CHUNK)
    heard: list[Progress] = []
    recorded = import_from(recorder, path, How(what="interactions"), heard.append)
    # Ids 0 to 4 come twice: both rows are good of 0, the same once more, and of 2, which is another then.
    assert (recorded.new, recorded.repeated, recorded.rejected) == (26, 1, BAD)
    assert recorded.rejects is not None
    rejects = pl.read_csv(recorded.rejects)
    line = 39 if path.suffix == ".csv" else 38
    assert rejects.filter(pl.col("reason").str.contains("before")).select("row", "id", "reason").rows() == [
        (line, 2, "the id '2' of 'shop' was recorded before with another time and another amount")
    ]
    assert [one.done for one in heard] == [7, 14, 16, 23, 30, 32, 39, 40]
    assert {one.total for one in heard} == {ROWS if path.suffix == ".parquet" else None}


def test_a_finished_import_is_not_done_again_and_says_so(
    store: Store, path: Path, make_recorder: MakeRecorder, every_measure: Measures
) -> None:
    recorder = make_recorder(store, every_measure)
    first = import_from(recorder, path, How(what="interactions"))
    assert first.rejects is not None
    before = everything(recorder, first.rejects)
    moved = path.rename(path.with_name(f"moved{path.suffix}"))
    again = import_from(recorder, moved, How(what="interactions", rejects=first.rejects))
    assert first.unknown_customers == 5
    assert again == evolve(first, already=True)
    assert everything(recorder, first.rejects) == before


def test_the_terminal_tells_of_customers_whom_nobody_knew(relate: Callable[..., Result], tmp_path: Path) -> None:
    assert relate("init").exit_code == 0
    known = tmp_path / "customers.csv"
    known.write_text("customer\nann\n", encoding="utf-8")
    assert "nobody knew" not in relate("import", "customers", known).stdout
    file = till(tmp_path, FIRST)
    assert "nobody knew" not in relate("import", "interactions", file).stdout
    file = till(tmp_path, FIRST, *(f"till,{customer},{customer},visit,2017-03-01T09:00:00Z,,," for customer in "xyz"))
    for _ in range(2):
        told = relate("import", "interactions", file).stdout
        assert "Customers whom nobody knew, added without a name: 3." in told
    document = json.loads(relate("import", "interactions", file, "--json").stdout)
    assert (document["new"], document["unknown_customers"], document["already"]) == (3, 3, True)


def test_a_file_that_grew_adds_its_new_rows(
    make_recorder: MakeRecorder, every_measure: Measures, tmp_path: Path
) -> None:
    recorder = make_recorder(MemoryStore(), every_measure)
    path = tmp_path / "orders.csv"
    rows = pl.DataFrame([row(number) for number in (0, 1, 2, 4)])
    rows[:2].write_csv(path)
    import_from(recorder, path, How(what="interactions"))
    rows.write_csv(path)
    assert import_from(recorder, path, How(what="interactions")) == Recorded(new=2, repeated=2, unknown_customers=2)


def till(folder: Path, *rows: str) -> Path:
    path = folder / "till.csv"
    path.write_text("\n".join(["source,id,customer,kind,at,amount,reference,data", *rows, ""]))
    return path


FIRST = "till,1,ann,order,2017-03-01T09:00:00Z,7.40,r1,"
CONTRADICTING = [
    ("till,1,bob,order,2017-03-01T09:00:00Z,7.40,r1,", "another customer"),
    ("till,1,ann,visit,2017-03-01T09:00:00Z,7.40,r1,", "another kind"),
    ("till,1,ann,order,2017-03-01T09:00:01Z,7.40,r1,", "another time"),
    ("till,1,ann,order,2017-03-01T09:00:00Z,9.40,r1,", "another amount"),
    ("till,1,ann,order,2017-03-01T09:00:00Z,,r1,", "another amount"),
    ("till,1,ann,order,2017-03-01T09:00:00Z,7.40,,", "another reference"),
    ("till,1,bob,order,2017-03-01T09:00:00Z,7.4,r2,", "another customer and another reference"),
]


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize(("other", "told"), CONTRADICTING)
def test_a_row_that_contradicts_what_is_kept_is_refused(
    other: str,
    told: str,
    apart: bool,
    tmp_path: Path,
    *,
    store: Store,
    make_recorder: MakeRecorder,
    every_measure: Measures,
    kept_numbers: KeptNumbers,
) -> None:
    recorder = make_recorder(store, every_measure)
    if apart:
        import_from(recorder, till(tmp_path, FIRST), How(what="interactions"))
    recorded = import_from(recorder, till(tmp_path, FIRST, other), How(what="interactions"))
    assert (recorded.new, recorded.repeated, recorded.rejected) == ((0, 1, 1) if apart else (1, 0, 1))
    assert recorded.rejects is not None
    (refused,) = pl.read_csv(recorded.rejects).rows(named=True)
    assert (refused["row"], refused["customer"]) == (3, other.split(",")[2])
    assert refused["reason"] == f"the id '1' of 'till' was recorded before with {told}"
    assert store.read(INTERACTIONS, columns=["customer", "amount"]).rows() == [("ann", 740)]
    assert store.read(CUSTOMERS)["customer"].to_list() == ["ann"]
    assert kept_numbers(recorder)["ann", "spent"] == 740


def test_a_row_that_says_the_same_in_other_words_is_repeated(
    store: Store, make_recorder: MakeRecorder, every_measure: Measures, tmp_path: Path
) -> None:
    recorder = make_recorder(store, every_measure)
    same = 'till,1,ann,order,2017-03-01T10:00:00+01:00,7.4,r1,"{""till"": 3}"'
    assert import_from(recorder, till(tmp_path, FIRST, same), How(what="interactions")) == Recorded(
        new=1, repeated=1, unknown_customers=1
    )
    tables = [table for table in TABLES if table != IMPORTS]
    before = [store.read(table).rows() for table in tables]
    assert import_from(recorder, till(tmp_path, same, same), How(what="interactions")) == Recorded(repeated=2)
    assert [store.read(table).rows() for table in tables] == before
    assert not (tmp_path / "till.csv.rejects.csv").exists()


def test_a_file_imported_again_has_each_contradiction_once(
    store: Store, make_recorder: MakeRecorder, every_measure: Measures, tmp_path: Path
) -> None:
    recorder = make_recorder(store, every_measure, batch=1)
    path = till(tmp_path, FIRST, CONTRADICTING[3][0])
    first = import_from(recorder, path, How(what="interactions"))
    again = import_from(recorder, path, How(what="interactions"))
    assert (again.already, again.rejected) == (True, 1)
    other = import_from(recorder, path, How(what="interactions", zone="Europe/Berlin"))
    assert (other.new, other.repeated, other.rejected) == (0, 1, 1)
    assert first.rejects is not None
    assert pl.read_csv(first.rejects).height == 1


@pytest.mark.parametrize("moment", ["before the commit", "after the commit"])
@pytest.mark.parametrize("at", range(1, BATCHES + 2))
@pytest.mark.parametrize(
    ("store", "extension"), [("memory", "csv"), ("memory", "parquet"), ("sqlite", "jsonl")], indirect=["store"]
)
def test_an_import_that_dies_and_goes_on_equals_an_undisturbed_one(
    store: Store,
    extension: str,
    at: int,
    moment: str,
    tmp_path: Path,
    *,
    make_mortal: MakeMortal,
    make_recorder: MakeRecorder,
    every_measure: Measures,
    kept_numbers: KeptNumbers,
) -> None:
    path = orders(tmp_path, extension)
    undisturbed = make_recorder(MemoryStore(), every_measure, batch=BATCH, chunk=CHUNK)
    expected = import_from(undisturbed, path, How(what="interactions", rejects=tmp_path / "undisturbed.csv"))
    rejects = tmp_path / "rejects.csv"
    committed = moment == "after the commit"
    dying = make_recorder(make_mortal(store, at, committed=committed), every_measure, batch=BATCH, chunk=CHUNK)
    with pytest.raises(KeyboardInterrupt):
        import_from(dying, path, How(what="interactions", rejects=rejects))
    recorder = make_recorder(store, every_measure, batch=BATCH, chunk=CHUNK)
    recorded = import_from(recorder, path, How(what="interactions", rejects=rejects))
    assert recorded.already == (committed and at == BATCHES + 1)
    assert (recorded.new, recorded.repeated, recorded.rejected) == (expected.new, expected.repeated, BAD)
    assert everything(recorder, rejects) == everything(undisturbed, tmp_path / "undisturbed.csv")
    assert kept_numbers(recorder) == kept_numbers(undisturbed)


def test_an_import_goes_on_in_batches_of_another_size(
    path: Path, make_mortal: MakeMortal, make_recorder: MakeRecorder, every_measure: Measures
) -> None:
    store = MemoryStore()
    dying = make_recorder(make_mortal(store, 4, committed=False), every_measure, batch=BATCH, chunk=CHUNK)
    with pytest.raises(KeyboardInterrupt):
        import_from(dying, path, How(what="interactions"))
    recorder = make_recorder(store, every_measure, batch=5, chunk=CHUNK)
    recorded = import_from(recorder, path, How(what="interactions"))
    assert (recorded.new, recorded.repeated, recorded.rejected) == (26, 1, BAD)


def test_a_row_that_time_has_made_good_stays_where_it_was(
    make_mortal: MakeMortal, make_recorder: MakeRecorder, every_measure: Measures, tmp_path: Path
) -> None:
    path, store = tmp_path / "orders.csv", MemoryStore()
    now = datetime(2017, 3, 1, 9, 20, tzinfo=UTC) - timedelta(days=1)
    pl.DataFrame([row(number) for number in range(ROWS)]).write_csv(path)
    dying = make_recorder(
        make_mortal(store, 4, committed=False), every_measure, batch=BATCH, chunk=CHUNK, clock=lambda: now
    )
    with pytest.raises(KeyboardInterrupt):
        import_from(dying, path, How(what="interactions"))
    recorder = make_recorder(store, every_measure, batch=BATCH, chunk=CHUNK)
    recorded = import_from(recorder, path, How(what="interactions"))
    assert recorded.rejects is not None
    refused = pl.read_csv(recorded.rejects)
    assert recorded.new + recorded.repeated + refused.height == ROWS
    assert refused["row"].is_unique().all()
    kept = set(store.read(INTERACTIONS)["id"])
    assert all(row(number)["id"] in kept or number + 2 in refused["row"] for number in range(ROWS))


def test_other_settings_make_another_import(path: Path, make_recorder: MakeRecorder, every_measure: Measures) -> None:
    store = MemoryStore()
    recorder = make_recorder(store, every_measure)
    import_from(recorder, path, How(what="interactions"))
    assert not import_from(recorder, path, How(what="interactions", zone="Europe/Berlin")).already
    wider = make_recorder(store, every_measure, kinds=("order", "ordr"))
    now_good = import_from(wider, path, How(what="interactions"))
    # 3 was refused before, and 38 is kept under its id; 36, 37 and 39 contradict 1, 2 and 4.
    assert (now_good.new, now_good.rejected) == (9, 4)
    assert store.read(IMPORTS).height == 3


KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from relationship_core import Measure
from relationship_core.builtin.sqlite.store import SQLiteStore
from relationship_core.flow.record.presets import How, import_from
from relationship_core.flow.record.recorder import Recorder

folder, after = Path(sys.argv[1]), int(sys.argv[2])
measures = (Measure(name="orders", combine="count"),)
store = SQLiteStore(folder / "killed.db")
store.prepare(measures)
recorder = Recorder(store=store, measures=measures, kinds=("order",), currency="EUR", zone="UTC",
    clock=lambda: datetime(2030, 1, 1, tzinfo=UTC), batch=7, chunk=16)
left = after
def progress(_):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
import_from(recorder, folder / "orders.csv", How(what="interactions"), progress)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_killed_process_goes_on(make_recorder: MakeRecorder, kept_numbers: KeptNumbers, tmp_path: Path) -> None:
    path, measures = tmp_path / "orders.csv", (Measure(name="orders", combine="count"),)
    pl.DataFrame([row(number) for number in range(ROWS)]).write_csv(path)
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    for after in ("1", "3"):
        assert subprocess.run([*command, after], check=False).returncode == -signal.SIGKILL
    assert subprocess.run([*command, "99"], check=False).returncode == 0
    killed = make_recorder(SQLiteStore(tmp_path / "killed.db"), measures, kinds=("order",), zone="UTC")
    undisturbed = make_recorder(MemoryStore(), measures, kinds=("order",), zone="UTC", batch=BATCH, chunk=CHUNK)
    rejects = tmp_path / "undisturbed.csv"
    import_from(undisturbed, path, How(what="interactions", rejects=rejects))
    assert everything(killed, tmp_path / "orders.csv.rejects.csv") == everything(undisturbed, rejects)
    assert kept_numbers(killed) == kept_numbers(undisturbed)
    killed.store.close()
