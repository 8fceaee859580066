"""Export and forget: the raw database is searched for what was planted there about one customer."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import Result

from relationship_core import (
    CONTACT_POINTS,
    CUSTOMERS,
    DECISIONS,
    ERASED,
    FACTS,
    INTERACTIONS,
    MESSAGES,
    STATES,
    SUPPRESSIONS,
    TABLES,
    TRANSITIONS,
    Campaign,
    ContactPoint,
    Customer,
    Interaction,
    Permissions,
    RejectedError,
    Relationships,
    RetriableError,
    Table,
)
from relationship_core.builtin.sqlite.store import SQLiteStore
from relationship_core.flow.permission.keys import address_key
from relationship_core.flow.permission.terms import Terms
from relationship_core.flow.privacy.personal import IMPERSONAL, naming

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
ADA, LOVELACE, BOB, ACME = "ada-7f3a", "lovelace-91c2", "bob-55d1", "acme-0b0b"
SALTED = Terms(salt="of the test")
HASHED = {"medium", "address_hash"}
"""What stays of somebody who was erased: addresses as keyed hashes, with their medium."""
JSON = {("customers", "attributes"), ("interactions", "data"), ("transitions", "evidence")}
TECHNICAL = {"measures", "marks", "everybody"}
"""Tables of the database that hold ids and numbers, and no other text about a customer."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "relationship.toml").write_text('[project]\nname = "Shop"\n\n[channels.letters]\nuse = "null"\n')
    return tmp_path


@pytest.fixture
def shop(folder: Path) -> Iterator[Relationships]:
    """Ada, who was merged with Lovelace and is a contact of Acme, and Bob; and something in every column."""
    with Relationships.open(folder, clock=lambda: NOW) as project:
        project.record_customers(Customer(id=each) for each in (ADA, LOVELACE, BOB, ACME))
        with project.store.transaction():
            project.store.put(FACTS, pl.DataFrame({"name": ["salt"], "value": [SALTED.salt]}))
        project.identities.merge(LOVELACE, into=ADA)
        project.accounts.link(ACME, ADA)
        for who in (ADA, LOVELACE, BOB):
            plant(project, who)
        yield project


def planted(table: Table, column: str, who: str) -> str:
    return f"planted {table.name} {column} of {who}"


def address_of(who: str) -> str:
    return f"{planted(CONTACT_POINTS, 'address', who)}@example.com".replace(" ", ".")


def texts_of(table: Table) -> list[str]:
    """Columns of a table in which anything can stand about a customer: texts that name nobody."""
    return [name for name, type_ in table.schema.items() if type_ == pl.String and name not in naming(table)]


def row_of(table: Table, who: str) -> dict[str, Any]:
    """A row about somebody: each text is another one, and the columns that hold ids name them."""
    row: dict[str, Any] = {name: planted(table, name, who) for name in texts_of(table)}
    row |= {name: json.dumps({"said": row[name]}) for name in row if (table.name, name) in JSON}
    row |= dict.fromkeys(naming(table), who)
    if "medium" in row:
        row["medium"] = "email"
    if "address" in row:
        row["address"] = address_of(who)
    if "address_hash" in row:
        row["address_hash"] = address_key("email", address_of(who), SALTED)
    if table == INTERACTIONS:
        line = {"product": planted(table, "product", who), "category": planted(table, "category", who)}
        row["lines"] = [{**line, "quantity": 1.0, "minor": 5}]
    if table.name == "merges":
        row |= {"entry": 100 + len(who), "survivor": f"somebody beside {who}"}
    return {name: row.get(name, NOW if type_ == pl.Datetime("us", "UTC") else None)
            for name, type_ in table.schema.items()}  # fmt: skip


def personal() -> list[Table]:
    return [table for table in TABLES if table.name not in IMPERSONAL]


def plant(project: Relationships, who: str) -> None:
    store = project.store
    with store.transaction():
        for table in personal():
            if table.name in {"aliases", "contacts"}:
                continue  # they tie ids together; their texts are planted below
            frame = pl.DataFrame([row_of(table, who)], schema=table.types())
            if table == INTERACTIONS:
                store.append(frame)
            else:
                store.put(table, frame)
        for name in ("aliases", "contacts"):
            table = next(each for each in TABLES if each.name == name)
            rows = store.read(table).filter(pl.col("customer") == who)
            told = [pl.lit(planted(table, column, who)).alias(column) for column in texts_of(table)]
            if rows.height:
                store.put(table, rows.with_columns(told))
        store.mark("review", pl.Series("customer", [who]))


def values_planted(database: Path) -> dict[tuple[str, str], set[str]]:
    """Every text in the raw database, by table and column."""
    with closing(sqlite3.connect(database)) as raw:
        tables = [name for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        columns = [
            (table, name)
            for table in tables
            for name, type_ in raw.execute("SELECT name, type FROM pragma_table_info(?)", (table,))
            if type_ == "TEXT"
        ]
        return {
            (table, name): {
                value
                for (value,) in raw.execute(f'SELECT "{name}" FROM "{table}"')  # noqa: S608  the database's own names
                if value is not None
            }
            for table, name in columns
        }


def bytes_of(database: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(database.parent.glob(f"{database.name}*")))


def test_every_table_that_names_a_customer_is_exported(shop: Relationships, folder: Path) -> None:
    exported = shop.export(ADA).tables
    assert {table.name for table in personal()} | {"measures"} == set(exported)
    assert all(exported[table.name] for table in personal())
    # A table is personal, or it is said why it is not; and none that is not has a column for somebody's id.
    assert not [table.name for table in TABLES if table.name in IMPERSONAL and naming(table)]
    # What the store keeps beside these tables is known here, too.
    kept = {table for table, _ in values_planted(folder / "relationships.db")}
    assert kept == {table.name for table in TABLES} | TECHNICAL


def test_a_column_with_another_name_for_a_customer_would_be_found() -> None:
    known = {"customer", "survivor", "account"}
    ids = {name for table in TABLES for name in table.schema if "customer" in name or "account" in name}
    assert ids - known == {"unknown_customers"}  # a number


def test_the_export_holds_every_text_of_the_database_about_one_customer_and_of_nobody_else(
    shop: Relationships, folder: Path
) -> None:
    exported = json.dumps(shop.export(ADA).tables, default=str)
    searched = 0
    for (table, column), values in values_planted(folder / "relationships.db").items():
        if table in IMPERSONAL or table in TECHNICAL:
            continue
        of_her = {value for value in values if ADA in value or LOVELACE in value}
        # In every text column of every table there is something about her.
        assert of_her or column in HASHED | {"survivor", "account"}, (table, column)
        for value in of_her:
            told = json.loads(value) if (table, column) in JSON or column == "lines" else value
            assert json.dumps(told)[1:-1] in exported, (table, column)
            searched += 1
    assert searched > 60
    assert BOB not in exported
    assert "planted" in exported


def test_an_export_is_of_all_ids_whichever_is_named(shop: Relationships) -> None:
    by_one, by_other = shop.export(ADA), shop.export(LOVELACE)
    assert by_one == by_other
    assert "tables" not in repr(by_one), "what is personal would come into logs and tracebacks"
    assert (by_one.customer, by_one.ids) == (ADA, (ADA, LOVELACE))
    assert {row["customer"] for row in by_one.tables["interactions"]} == {ADA, LOVELACE}


def test_the_export_gives_what_is_structured_as_structure_and_numbers(
    make_project: Callable[..., Relationships], make_interaction: Callable[..., Interaction]
) -> None:
    with make_project(attributes={"size": "text"}) as project:
        project.record_customers([Customer(id="ada", attributes={"size": "S"})])
        project.record([make_interaction("ada", "order", NOW, minor=500, data={"topic": "tea"})])
        tables = project.export("ada").tables
        assert tables["customers"][0]["attributes"] == {"size": "S"}
        assert tables["interactions"][0]["data"] == {"topic": "tea"}
        assert tables["interactions"][0]["at"] == NOW
        (measures,) = tables["measures"]
        assert (measures["customer"], measures["orders"]) == ("ada", 1)


def test_nobody_can_be_exported_whom_nobody_knows(shop: Relationships) -> None:
    with pytest.raises(RejectedError, match="no customer 'eve'"):
        shop.export("eve")
    shop.forget(ADA)
    with pytest.raises(RejectedError, match="was erased on 2024-05-01"):
        shop.export(LOVELACE)


def test_forgetting_leaves_nothing_in_the_database_or_in_the_bytes_of_its_files(
    shop: Relationships, folder: Path
) -> None:
    database = folder / "relationships.db"
    assert ADA.encode() in bytes_of(database)
    others = {place: {value for value in values if BOB in value} for place, values in values_planted(database).items()}
    done = shop.forget(LOVELACE, actor="grace", reason="by letter")
    assert (done.customer, done.ids, done.already, done.at) == (LOVELACE, 2, False, NOW)
    assert done.rows["interactions"] == 2
    for place, values in values_planted(database).items():
        left = {value for value in values if ADA in value or LOVELACE in value}
        assert not left, place
        assert {value for value in values if BOB in value} == others[place], place
    for trace in (ADA, LOVELACE, address_of(ADA)):
        assert trace.encode() not in bytes_of(database)
    assert shop.store.read(ERASED, columns=["at", "actor", "reason"]).rows() == [(NOW, "grace", "by letter")] * 2


def test_no_trace_is_left_where_rows_were_moved_about_before(
    folder: Path, make_interaction: Callable[..., Interaction]
) -> None:
    chance = random.Random("traces")
    people = [f"p{number:04d}" for number in range(600)]
    with Relationships.open(folder, clock=lambda: NOW) as project:
        for round_ in range(6):
            chance.shuffle(people)
            told = people[:400]
            project.record_customers(
                Customer(
                    id=who,
                    name=f"Trace-{who}-{round_}",
                    contact_points=[ContactPoint(medium="email", address=f"trace-{who}-{round_}@example.com")],
                )
                for who in told
            )
            at = NOW - timedelta(days=10 - round_)
            project.record(make_interaction(who, "order", at, minor=5, id=f"trace-{who}-{round_}") for who in told)
        database = folder / "relationships.db"
        gone = people[:3]
        assert all(f"ace-{who}-".encode() in bytes_of(database) for who in gone)
        for who in gone:
            project.forget(who)
            assert f"ace-{who}-".encode() not in bytes_of(database)
        assert f"ace-{people[3]}-".encode() in bytes_of(database)
        project.rebuild()
        project.review()
        project.report()


def test_while_another_process_reads_traces_stay_and_that_is_said(folder: Path) -> None:
    store = SQLiteStore(folder / "relationships.db", busy_timeout=0.1)
    with closing(sqlite3.connect(folder / "relationships.db", isolation_level=None)) as reader:
        with store.transaction():
            store.put(FACTS, pl.DataFrame({"name": ["x"], "value": ["y"]}))
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM facts").fetchall()
        with pytest.raises(RetriableError, match=r"another process reads relationships\.db"):
            store.scrub()
    store.scrub()
    store.close()


def rejected(
    project: Relationships | Permissions, what: Any, text: str, path: Path, **more: Any
) -> Sequence[Mapping[str, Any]]:
    path.write_text(text, encoding="utf-8")
    told = project.import_file(what, path, **more)
    if told.rejects is None:
        return []
    rows = pl.read_csv(told.rejects, infer_schema=False).to_dicts()
    assert len(rows) == told.rejected
    return rows


def test_an_import_of_somebody_erased_is_refused_row_by_row(shop: Relationships, tmp_path: Path) -> None:
    day = "2024-04-01T00:00:00Z"
    shop.forget(ADA)
    people = f"customer,name,contact.email\n{ADA},Ada,ada@example.com\nnew,New,new@example.com\n{LOVELACE},L,\n"
    refused = rejected(shop, "customers", people, tmp_path / "people.csv")
    assert [(row["customer"], row["reason"].split(":")[0]) for row in refused] == [
        (ADA, "erased"),
        (LOVELACE, "erased"),
    ]
    history = f"id,customer,kind,at\n1,{ADA},visit,{day}\n2,new,visit,{day}\n"
    (row,) = rejected(shop, "interactions", history, tmp_path / "history.csv", source="till")
    assert (row["customer"], row["reason"].split(":")[0]) == (ADA, "erased")
    links = f"account,customer\n{ACME},{ADA}\n{ACME},{BOB}\n"
    (row,) = rejected(shop, "contacts", links, tmp_path / "links.csv")
    assert (row["customer"], row["reason"].split(":")[0]) == (ADA, "erased")
    acts = f"customer,act,at,medium,method,source,wording\n{ADA},grant,{day},email,form,web,yes\n"
    (row,) = rejected(shop.permissions, "consents", acts, tmp_path / "acts.csv")
    assert (row["customer"], row["reason"].split(":")[0]) == (ADA, "erased")
    wishes = f"customer,wish,at\n{ADA},close,{day}\n"
    (row,) = rejected(shop.permissions, "preferences", wishes, tmp_path / "wishes.csv")
    assert (row["customer"], row["reason"].split(":")[0]) == (ADA, "erased")
    known = {*shop.store.read(CUSTOMERS)["customer"]}
    assert known == {BOB, ACME, "new"}
    assert {*shop.store.read(INTERACTIONS)["customer"]} == {BOB, "new"}
    assert "ada@example.com" not in shop.store.read(CONTACT_POINTS)["address"]


def test_a_program_is_refused_as_well_and_nothing_of_its_batch_is_kept(
    shop: Relationships, make_interaction: Callable[..., Interaction]
) -> None:
    shop.forget(ADA)
    with pytest.raises(RejectedError, match=r"customer number 2 cannot be recorded: erased"):
        shop.record_customers([Customer(id="new"), Customer(id=ADA)])
    with pytest.raises(RejectedError, match=r"interaction number 1 cannot be recorded: erased"):
        shop.record([make_interaction(ADA, "visit", NOW)])
    with pytest.raises(RejectedError, match=r"cannot be linked to anybody; erased"):
        shop.identities.link(LOVELACE, to=BOB)
    assert "new" not in shop.store.read(CUSTOMERS)["customer"]


def test_the_address_stays_suppressed_under_another_id(
    make_project: Callable[..., Relationships], make_campaign: Callable[..., Campaign]
) -> None:
    campaigns = [make_campaign("news"), make_campaign("notice", purpose="service")]
    with make_project(*campaigns) as project:
        email = ContactPoint(medium="email", address="Ada@Example.com")
        project.record_customers([Customer(id="ada", contact_points=[email])])
        assert project.forget("ada").addresses == 1
        assert project.store.read(SUPPRESSIONS, columns=["medium", "scope", "reason"]).rows() == [
            ("email", "all", "erased")
        ]
        again = ContactPoint(medium="email", address="ada@EXAMPLE.com")
        other = ContactPoint(medium="email", address="bob@example.com")
        project.record_customers(
            [Customer(id="new", contact_points=[again]), Customer(id="bob", contact_points=[other])]
        )
        project.review(as_of=NOW)
        project.plan(as_of=NOW)
        decided = dict(project.store.read(DECISIONS).filter(campaign="notice").select("customer", "reason").iter_rows())
        assert decided == {"new": "suppressed", "bob": "due"}
        assert {*project.store.read(MESSAGES)["customer"]} == {"bob"}


def test_others_with_the_same_address_are_told_of(make_project: Callable[..., Relationships]) -> None:
    home = ContactPoint(medium="email", address="family@example.com")
    with make_project() as project:
        project.record_customers([Customer(id=each, contact_points=[home]) for each in ("ada", "ben", "cyd")])
        project.record_customers([Customer(id="dan", contact_points=[ContactPoint(medium="sms", address="+491511")])])
        project.review()
        assert project.forget("ada").sharing == ("ben", "cyd")
        assert project.store.marked("review") == 2


def test_somebody_unknown_and_somebody_erased(shop: Relationships) -> None:
    with pytest.raises(RejectedError, match="no customer 'eve'"):
        shop.forget("eve")
    assert shop.store.read(ERASED).is_empty()
    first = shop.forget(ADA)
    for each in (ADA, LOVELACE):
        again = shop.forget(each)
        assert (again.customer, again.already, again.at, again.rows) == (each, True, first.at, {})


def test_the_account_of_a_contact_is_folded_without_them(
    make_project: Callable[..., Relationships],
    make_interaction: Callable[..., Interaction],
    kept_numbers: Callable[..., dict[tuple[str, ...], float]],
) -> None:
    days = [NOW - timedelta(days=each) for each in range(6)]
    with make_project() as project, make_project() as without:
        for each, people in ((project, ("ann", "bob")), (without, ("bob",))):
            each.record_customers(Customer(id=id_) for id_ in ("acme", *people))
            for who in people:
                each.record(make_interaction(who, "order", at, minor=700) for at in days[: 3 if who == "ann" else 6])
                each.accounts.link("acme", who)
        assert kept_numbers(project._project.recorder) != kept_numbers(without._project.recorder)
        assert project.forget("ann").accounts == ("acme",)
        assert kept_numbers(project._project.recorder) == pytest.approx(kept_numbers(without._project.recorder))
        assert [contact.customer for contact in project.accounts.show("acme").contacts] == ["bob"]
        project.rebuild()
        assert kept_numbers(project._project.recorder) == pytest.approx(kept_numbers(without._project.recorder))


def test_an_account_is_forgotten_and_its_people_stay(
    make_project: Callable[..., Relationships], make_interaction: Callable[..., Interaction]
) -> None:
    with make_project() as project:
        project.record_customers(Customer(id=each) for each in ("acme", "ann"))
        project.record([make_interaction("ann", "order", NOW, minor=700)])
        project.accounts.link("acme", "ann")
        project.forget("acme")
        assert project.accounts.show("ann").accounts == ()
        assert project.customer("ann").measures["orders"] == 1


def test_the_log_of_merges_goes_on_after_entries_were_erased(make_project: Callable[..., Relationships]) -> None:
    with make_project() as project:
        project.record_customers(Customer(id=each) for each in "abcdef")
        for one, other in ("ab", "cd", "ef"):
            project.identities.merge(one, into=other, reason=f"{one} is {other}")
        project.forget("b")
        project.identities.unmerge("c", reason="a mistake")
        assert [entry.reason for entry in project.identities.show("d").merges] == ["c is d", "a mistake"]
        assert [entry.reason for entry in project.identities.show("f").merges] == ["e is f"]


def test_a_message_that_is_being_sent_is_waited_for(shop: Relationships) -> None:
    for state in ("claimed", "attempting"):
        with shop.store.transaction():
            ids = shop.store.read(MESSAGES).filter(customer=ADA).select("id", state=pl.lit(state))
            shop.store.update(MESSAGES, ids)
        with pytest.raises(RetriableError, match="relate deliver"):
            shop.forget(ADA)
    assert ADA in shop.store.read(CUSTOMERS)["customer"]


@pytest.mark.parametrize("erased", ["b", "d", "e"])
def test_somebody_who_is_forgotten_while_a_review_goes_on_is_not_reviewed(
    make_project: Callable[..., Relationships], make_interaction: Callable[..., Interaction], erased: str
) -> None:
    with make_project() as project:
        project.record_customers(Customer(id=each) for each in "abcde")
        project.record(make_interaction(who, "order", NOW, minor=5) for who in "abcde")
        project._page_size = 2

        def forget(_: object) -> None:
            if erased in project.store.read(CUSTOMERS)["customer"]:
                project.forget(erased)

        project.review(as_of=NOW, progress=forget)
        assert {*project.store.read(STATES)["customer"]} == {*"abcde"} - {erased}
        assert erased not in project.store.read(TRANSITIONS)["customer"]
        assert erased not in [who for page in project.store.pages(None, as_of=NOW) for who in page.customers]


def test_a_rebuild_that_was_cut_short_forgets_whom_it_came_to(
    make_project: Callable[..., Relationships], make_interaction: Callable[..., Interaction]
) -> None:
    with make_project() as project:
        project.record_customers(Customer(id=each) for each in ("ada", "bob"))
        project.record(make_interaction(who, "order", NOW, minor=5) for who in ("ada", "bob"))

        def interrupt(_: object) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            project.rebuild(progress=interrupt)
        project.forget("bob")
        assert "bob" not in "".join(project.store.read(FACTS)["value"])
        project.rebuild()
        assert project.customer("ada").measures["orders"] == 1


KILLED = """
import os, shutil, signal, sys
from relationship_core import Relationships, load_plugins
from relationship_core.builtin.sqlite.database import Database
import relationship_core.flow.privacy, relationship_core.builtin.sqlite.store, relationship_core.builtin.liquid

base, folder, who = sys.argv[1:]
plugins = load_plugins()
plugins.ladders  # asks them what they declare, once for all children

def dying(method, last):
    def counting(*arguments, **named):
        result = method(*arguments, **named)
        last[0] -= 1
        if last[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    return counting

number = 0
while True:
    number += 1
    copy = f"{folder}/{number}"
    shutil.copytree(base, copy)
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        project = Relationships.open(copy, plugins=plugins)
        last = [number]
        for name in ("run", "run_many", "insert", "_commit", "scrub"):
            setattr(Database, name, dying(getattr(Database, name), last))
        project.forget(who)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(copy, code, flush=True)
    if code == 0:
        break
    assert code == -signal.SIGKILL, code
"""


def test_killed_in_the_middle_it_has_done_all_or_nothing(shop: Relationships, folder: Path, tmp_path: Path) -> None:
    shop.close()
    base, copies = tmp_path / "base", tmp_path / "copies"
    base.mkdir()
    copies.mkdir()
    for path in [*folder.glob("relationship*")]:
        (base / path.name).write_bytes(path.read_bytes())
    before = values_planted(base / "relationships.db")
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(base), str(copies), ADA],
        env={**os.environ, "POLARS_MAX_THREADS": "1"},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    told = [line.rsplit(" ", 1) for line in done.stdout.splitlines()]
    assert [int(code) for _, code in told] == [-signal.SIGKILL] * (len(told) - 1) + [0]
    complete = values_planted(Path(told[-1][0]) / "relationships.db")
    outcomes = []
    for copy, _ in told:
        after = values_planted(Path(copy) / "relationships.db")
        after["erased", "hash"] = complete["erased", "hash"] if after["erased", "hash"] else set()
        outcomes.append("nothing" if after == before else "all" if after == complete else "something")
    assert set(outcomes) == {"nothing", "all"}
    assert outcomes == sorted(outcomes, reverse=True)
    # Whoever is killed before the traces are gone forgets once more.
    first = Path(told[outcomes.index("all")][0])
    with Relationships.open(first, clock=lambda: NOW) as project:
        assert project.forget(ADA).already
        assert ADA.encode() not in bytes_of(first / "relationships.db")


# the commands


@pytest.fixture
def customers(tmp_path: Path, relate: Callable[..., Result]) -> Callable[..., Result]:
    """``relate`` in a project with Ada and Ben."""
    assert relate("init", "--name", "Shop").exit_code == 0
    people = tmp_path / "people.csv"
    people.write_text("customer,name,contact.email\nada,Ada L.,ada@example.com\nben,Ben,ben@example.com\n")
    assert relate("import", "customers", people).exit_code == 0
    return relate


def test_relate_export_prints_one_document_or_writes_it(customers: Callable[..., Result], tmp_path: Path) -> None:
    document = json.loads(customers("export", "ada").stdout)
    assert (document["customer"], document["ids"]) == ("ada", ["ada"])
    assert document["tables"]["contact_points"][0]["address"] == "ada@example.com"
    assert "ben" not in json.dumps(document)
    file = tmp_path / "ada.json"
    told = customers("export", "ada", "--output", file)
    assert "Wrote 3 rows" in told.stdout
    written = json.loads(file.read_text(encoding="utf-8"))
    assert written["tables"] == document["tables"]
    assert file.stat().st_mode & 0o777 == 0o600
    wrong = customers("export", "ada", "--output", tmp_path / "nowhere" / "ada.json")
    assert (wrong.exit_code, wrong.stdout) == (1, "")
    assert "name another file" in wrong.stderr


def test_relate_forget_asks_or_wants_a_yes(customers: Callable[..., Result]) -> None:
    refused = customers("forget", "ada")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "--yes" in refused.stderr
    assert customers("customer", "ada").exit_code == 0
    done = customers("forget", "ada", "--yes", "--actor", "grace")
    assert "Erased ada" in done.stdout
    assert "Files are yours" in done.stdout
    assert customers("customer", "ada").exit_code == 1
    again = customers("forget", "ada", "--yes", "--json")
    assert json.loads(again.stdout)["already"] is True
    assert "was erased before" in customers("forget", "ada", "--yes").stdout
    unknown = customers("forget", "eve", "--yes")
    assert (unknown.exit_code, unknown.stdout) == (1, "")
    assert "no customer 'eve'" in unknown.stderr


@pytest.mark.parametrize(("answer", "status", "left"), [(b"n\n", 1, {"ada", "ben"}), (b"y\n", 0, {"ben"})])
def test_on_a_terminal_relate_forget_asks(
    customers: Callable[..., Result], tmp_path: Path, answer: bytes, status: int, left: set[str]
) -> None:
    keyboard, terminal = os.openpty()
    os.write(keyboard, answer)
    command = [sys.executable, "-m", "relationship_core", "--project", str(tmp_path / "shop"), "forget", "ada"]
    done = subprocess.run(command, stdin=terminal, capture_output=True, text=True, check=False)
    os.close(terminal)
    os.close(keyboard)
    assert done.returncode == status, done.stderr
    assert "cannot be undone" in done.stdout + done.stderr
    assert {who for who in ("ada", "ben") if customers("customer", who).exit_code == 0} == left
