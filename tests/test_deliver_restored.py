"""Deliver after the worst: a power cut, a restored backup, and several workers who find the same leftovers."""

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from attrs import define, field
from click.testing import Result

from relationship_core import (
    MESSAGES,
    Channel,
    Choice,
    ContactPoint,
    Customer,
    Message,
    Provider,
    Receipt,
    RejectedError,
    Relationships,
    hookimpl,
    load_plugins,
)
from relationship_core.builtin.channels import NullSettings
from relationship_core.flow.deliver import worker as worker_module
from relationship_core.flow.deliver.epoch import FileWitness
from relationship_core.flow.deliver.worker import was_cut_off, working

Make = Callable[..., Any]
Queued = Callable[..., Relationships]

START = datetime(2024, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@define(slots=False)
class Line:
    """A plugin with a channel ``line`` that accepts everything, unless told otherwise."""

    capabilities: tuple[str, ...] = ("local",)
    medium: str = "email"
    given: list[str] = field(factory=list)
    before: Callable[[Sequence[Message]], None] = lambda _: None

    def send(self, messages: Sequence[Message]) -> Sequence[Receipt]:
        self.before(messages)
        self.given += [message.id for message in messages]
        return [Receipt(message=each.id, state="accepted") for each in messages]

    def close(self) -> None:
        pass

    @hookimpl
    def relationship_channels(self) -> tuple[Provider[Channel], ...]:
        return (
            Provider(
                name="line",
                factory=lambda _: self,
                settings=NullSettings,
                summary="Told.",
                capabilities=self.capabilities,
            ),
        )


class Looking(Line):
    """One that can tell afterwards."""

    def sent(self, messages: Sequence[str]) -> frozenset[str]:
        return frozenset(messages) & frozenset(self.given)


@pytest.fixture
def queued(make_project: Make, make_campaign: Make, make_customer: Make) -> Queued:
    """A project with a message queued for each of so many customers, c0, c1, ..."""

    def make(line: Line, number: int) -> Relationships:
        project: Relationships = make_project(
            make_campaign("hello"), plugins=[line], channels={"letters": Choice(use="line")}
        )
        project.record_customers(make_customer(f"c{each}") for each in range(number))
        project.review(as_of=START)
        assert project.plan(as_of=START).planned == number
        return project

    return make


def states(project: Relationships) -> list[str]:
    return sorted(project.store.read(MESSAGES)["state"])


def leave(project: Relationships, **columns: Any) -> None:
    """Every message as somebody left it."""
    rows = project.store.read(MESSAGES)
    with project.store.transaction():
        project.store.update(MESSAGES, rows.select("id").with_columns(pl.lit(v).alias(k) for k, v in columns.items()))


# A power cut


@contextmanager
def machine(monkeypatch: pytest.MonkeyPatch, folder: Path, *, identity: str | None, boot: str) -> Iterator[None]:
    """As another machine, or after another boot."""
    for name, content in (("_MACHINE", identity), ("_BOOT", boot)):
        path = folder / name
        path.unlink(missing_ok=True)
        if content is not None:
            path.write_text(f"{content}\n")
        monkeypatch.setattr(worker_module, name, path)
    yield


def name_of(monkeypatch: pytest.MonkeyPatch, folder: Path, *, identity: str | None, boot: str) -> str:
    with machine(monkeypatch, folder, identity=identity, boot=boot), working() as worker:
        return worker


@pytest.mark.parametrize(
    ("theirs", "ours", "cut"),
    [
        (("m1", "b1"), ("m1", "b2"), True),
        (("m1", "b1"), ("m1", "b1"), False),
        (("m1", "b1"), ("m2", "b2"), False),
        ((None, "b1"), (None, "b2"), True),
        ((None, "b1"), ("m1", "b2"), False),
    ],
)
def test_only_another_boot_of_the_same_machine_is_a_power_cut(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    theirs: tuple[str | None, str],
    ours: tuple[str | None, str],
    *,
    cut: bool,
) -> None:
    worker = name_of(monkeypatch, tmp_path, identity=theirs[0], boot=theirs[1])
    with machine(monkeypatch, tmp_path, identity=ours[0], boot=ours[1]):
        assert was_cut_off(worker) == cut
        assert not was_cut_off("another machine:1:2:x")


@pytest.mark.parametrize(
    ("line", "expected", "given"),
    [
        (Line(), "unknown", 0),
        (Looking(), "accepted", 1),
        (Line(capabilities=("idempotent",)), "accepted", 1),
    ],
    ids=["nobody knows", "it can look", "it knows ids again"],
)
@pytest.mark.parametrize("state", ["claimed", "attempting"])
def test_what_was_claimed_before_a_power_cut_is_not_simply_sent(
    queued: Queued,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    *,
    line: Line,
    expected: str,
    given: int,
    state: str,
) -> None:
    line.given.clear()
    project = queued(line, 1)
    worker = name_of(monkeypatch, tmp_path, identity="m1", boot="b1")
    leave(project, state=state, worker=worker, claimed_until=START)
    with machine(monkeypatch, tmp_path, identity="m1", boot="b2"):
        project.deliver(as_of=START)
    assert (states(project), len(line.given)) == ([expected], given)


def test_after_a_power_cut_a_claim_has_its_lease(
    queued: Queued, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Two machines that were copied from one may have one identity: the other may be at it still."""
    line = Line()
    project = queued(line, 1)
    worker = name_of(monkeypatch, tmp_path, identity="m1", boot="b1")
    leave(project, state="claimed", worker=worker, claimed_until=START + HOUR)
    with machine(monkeypatch, tmp_path, identity="m1", boot="b2"):
        assert project.deliver(as_of=START).left == {"worker": 1}
        assert states(project) == ["claimed"]
        project.deliver(as_of=START + HOUR)
    assert (states(project), line.given) == (["unknown"], [])


def test_a_provider_forgets_ids_after_a_day(queued: Queued) -> None:
    line = Line(capabilities=("idempotent",))
    project = queued(line, 1)
    leave(project, state="attempting", worker="elsewhere:1:2:x", claimed_until=START)
    project.deliver(as_of=START + 24 * HOUR)
    assert (states(project), line.given) == (["unknown"], [])


def test_two_workers_who_find_the_same_leftovers_send_each_once(queued: Queued) -> None:
    """While one asks what became of them, the other begins, finds the rest and sends it."""
    project = queued(Line(), 4)

    class Slow(Looking):
        def sent(self, messages: Sequence[str]) -> frozenset[str]:
            if not others:
                others.append(None)
                project.deliver(as_of=START)
            return super().sent(messages)

    others: list[None] = []
    line = Slow()
    project = queued(line, 4)
    leave(project, state="attempting", worker="elsewhere:1:2:x", claimed_until=START)
    project.deliver(as_of=START)
    assert states(project) == ["accepted"] * 4
    assert len(line.given) == len(set(line.given)) == 4


# A restored backup


PROJECT = """
[project]
name = "Shop"
postal_address = "1 Main Street"

[consent]
without = ["email"]

[preference]
unasked = "close"

[channels.letters]
use = "{use}"
{more}

[delivery.letters]
attempting = 1
"""
CAMPAIGN = """
name = "hello"
owner = "tests"
purpose = "marketing"
nature = "give"

[[actions]]
name = "write"

[actions.occasion]
name = "once"
key = "once"

[[actions.variants]]
channel = "letters"
subject = "Hello"
text = "Hello"
"""


def customer(id: str) -> Customer:
    return Customer(id=id, contact_points=[ContactPoint(medium="email", address=f"{id}@example.com", synthetic=True)])


@pytest.fixture
def shop(tmp_path: Path) -> Callable[..., Path]:
    """A project folder with three customers to whom messages are queued."""

    def make(use: str = "null", more: str = "") -> Path:
        folder = tmp_path / "shop"
        (folder / "campaigns").mkdir(parents=True)
        (folder / "relationship.toml").write_text(PROJECT.format(use=use, more=more))
        (folder / "campaigns" / "hello.toml").write_text(CAMPAIGN)
        with Relationships.open(folder, clock=lambda: START) as project:
            project.record_customers(map(customer, "abc"))
            project.review()
            assert project.plan().planned == 3
        return folder

    return make


def opened(folder: Path, **more: Any) -> Relationships:
    return Relationships.open(folder, clock=lambda: START, **more)


def backup(folder: Path) -> bytes:
    return (folder / "relationships.db").read_bytes()


def restore(folder: Path, content: bytes) -> None:
    for left in folder.glob("relationships.db*"):
        left.unlink()
    (folder / "relationships.db").write_bytes(content)


def epoch(folder: Path) -> int:
    return int((folder / ".relationship-epoch").read_text().split()[1])


def test_a_restored_store_is_refused_until_somebody_says_so(shop: Callable[..., Path]) -> None:
    folder = shop()
    kept = backup(folder)
    with opened(folder) as project:
        assert project.deliver().accepted == 3
    restore(folder, kept)
    with opened(folder) as project:
        with pytest.raises(RejectedError, match="the store is older than what was delivered from it"):
            project.deliver()
        assert states(project) == ["queued"] * 3
        restored = project.outbox.restored()
        assert (restored.unknown, restored.accepted, restored.queued) == (3, 0, 0)
        delivered = project.deliver()
        assert (delivered.accepted, states(project)) == (0, ["unknown"] * 3)
    with opened(folder) as project:
        project.deliver()


def test_a_backup_of_the_middle_of_a_delivery_is_noticed(shop: Callable[..., Path], tmp_path: Path) -> None:
    kept: list[bytes] = []

    def copy(_: Sequence[Message]) -> None:
        for each in ("relationships.db", "relationships.db-wal"):
            if (folder / each).exists():
                shutil.copyfile(folder / each, tmp_path / each)
        kept.append(b"")

    line = Line(before=copy)
    folder = _with_line(shop, line)
    with opened(folder, plugins=load_plugins(extra=[line])) as project:
        project.deliver()
    assert len(kept) == 3
    restore(folder, (tmp_path / "relationships.db").read_bytes())
    shutil.copyfile(tmp_path / "relationships.db-wal", folder / "relationships.db-wal")
    with (
        opened(folder, plugins=load_plugins(extra=[line])) as project,
        pytest.raises(RejectedError, match="the store is older"),
    ):
        project.deliver()


def test_a_channel_that_can_look_tells_what_went_after_the_backup(shop: Callable[..., Path]) -> None:
    folder = shop("folder", 'path = "out"')
    kept = backup(folder)
    with opened(folder) as project:
        assert project.deliver().accepted == 3
    restore(folder, kept)
    next((folder / "out").iterdir()).unlink()
    with opened(folder) as project:
        restored = project.outbox.restored()
        assert (restored.unknown, restored.accepted, restored.queued) == (0, 2, 1)
        assert project.deliver().accepted == 1
    assert len(list((folder / "out").iterdir())) == 3


@pytest.mark.parametrize(("later", "expected"), [(HOUR, (0, 3)), (21 * HOUR, (3, 0))])
def test_a_provider_that_knows_ids_again_gets_them_while_it_does(
    shop: Callable[..., Path], later: timedelta, expected: tuple[int, int]
) -> None:
    line = Line(capabilities=("idempotent",))
    folder = _with_line(shop, line)
    with Relationships.open(folder, clock=lambda: START + later, plugins=load_plugins(extra=[line])) as project:
        restored = project.outbox.restored()
        assert (restored.unknown, restored.queued) == expected
        project.deliver()
    assert len(line.given) == expected[1]


def _with_line(shop: Callable[..., Path], line: Line) -> Path:
    folder = shop()
    text = (folder / "relationship.toml").read_text().replace('use = "null"', 'use = "line"')
    (folder / "relationship.toml").write_text(text)
    assert line.given == []
    return folder


def test_a_crash_between_store_and_witness_is_nothing(
    shop: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shop()

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with opened(folder) as project, monkeypatch.context() as patched:
        patched.setattr(FileWitness, "write", die)
        with pytest.raises(KeyboardInterrupt):
            project.deliver()
    with opened(folder) as project:
        assert project.deliver().accepted == 3


def test_the_witness_follows_the_store_and_never_goes_back(shop: Callable[..., Path]) -> None:
    folder = shop()
    with opened(folder) as project:
        project.deliver()
        first = epoch(folder)
        assert first == 2, "one for the claim, one for its end"
        project.deliver()
        assert epoch(folder) == first, "nothing was claimed"
    witness = FileWitness(folder, "salt of another store")
    assert witness.read() == 0
    witness.write(7)
    witness.write(5)
    assert witness.read() == 7
    assert sorted(path.name for path in folder.glob(".relationship*")) == [".relationship-epoch"]


@pytest.mark.parametrize("content", ["", "x", "\xff 1", "5", "abc five"])
def test_a_witness_that_says_nothing_is_none(shop: Callable[..., Path], content: str) -> None:
    folder = shop()
    (folder / ".relationship-epoch").write_bytes(content.encode("latin-1"))
    with opened(folder) as project:
        assert project.deliver().accepted == 3
    assert epoch(folder) == 2


def test_a_new_store_in_an_old_folder_is_no_restored_one(shop: Callable[..., Path]) -> None:
    folder = shop()
    with opened(folder) as project:
        project.deliver()
    for left in folder.glob("relationships.db*"):
        left.unlink()
    with opened(folder) as project:
        project.record_customers([customer("z")])
        project.review()
        project.plan()
        assert project.deliver().accepted == 1


def test_a_folder_that_cannot_be_written_to_is_told(
    shop: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    folder = shop()

    def fail(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "fsync", fail)
    with opened(folder) as project:
        assert project.deliver().accepted == 3
    assert ".relationship-epoch could not be written: Permission denied" in caplog.text
    assert list(folder.glob(".relationship*")) == []


def test_two_workers_at_once_are_no_restored_store(shop: Callable[..., Path]) -> None:
    line = Line()
    folder = _with_line(shop, line)
    plugins = load_plugins(extra=[line])

    def another(_: Sequence[Message]) -> None:
        line.before = lambda _: None
        with opened(folder, plugins=plugins) as other:
            other.deliver()

    line.before = another
    with opened(folder, plugins=plugins) as project:
        project.deliver()
        assert states(project) == ["accepted"] * 3
    with opened(folder, plugins=plugins) as project:
        project.deliver()


# The command line


def test_relate_says_what_was_restored_and_goes_on(shop: Callable[..., Path], relate: Callable[..., Result]) -> None:
    folder = shop("folder", 'path = "out"')
    kept = backup(folder)
    at = ("--as-of", START.isoformat())
    assert relate("deliver", *at).exit_code == 0
    restore(folder, kept)
    refused = relate("deliver", *at)
    assert refused.exit_code == 1
    assert "import again what was recorded since, `relate review` and `relate plan`, and then" in refused.stderr
    assert "`relate deliver --restored` goes on" in refused.stderr
    done = relate("deliver", "--restored", *at)
    told = "The store was restored: 0 messages may have gone since the backup and stay unsent; 3 had gone; 0 surely "
    assert (done.exit_code, done.stdout.splitlines()[0]) == (0, f"{told}may go.")


def test_relate_puts_dead_letters_back(shop: Callable[..., Path], relate: Callable[..., Result]) -> None:
    folder = shop()
    at = ("--as-of", START.isoformat())
    with opened(folder) as project:
        leave(project, state="rejected", detail="no such mailbox")
    assert relate("deliver", "--unknown").exit_code == 2
    done = relate("deliver", "--retry", "letters", *at)
    assert done.exit_code == 0, done.stderr
    assert done.stdout.splitlines()[0] == "Put 3 messages back into the outbox: 3 rejected."
    assert "3 accepted" in done.stdout
    assert relate("deliver", *at, "--retry").stdout.splitlines()[0] == "There was nothing to put back."
    assert '"put_back": {}' in relate("deliver", "--retry", "--json", *at).stdout
    assert relate("deliver", "--retry", "cards", *at).exit_code == 1
    with opened(folder) as project:
        leave(project, state="unknown", detail="")
    assert relate("deliver", "--retry", "--unknown", *at).stdout.startswith(
        "Put 3 messages back into the outbox: 3 unk"
    )


def test_relate_says_what_is_left_and_why(shop: Callable[..., Path], relate: Callable[..., Result]) -> None:
    folder = shop("folder", 'path = "missing/further/out"')
    done = relate("deliver", "--as-of", START.isoformat())
    assert done.exit_code == 0
    assert "3 deferred" in done.stdout
    assert "3 messages wait in the outbox: 3 for their time, the first until 2024-03-01T12:00:" in done.stdout
    settings = (folder / "relationship.toml").read_text()
    (folder / "relationship.toml").write_text(settings.replace("attempting = 1", "breaker = 1"))
    done = relate("deliver", "--as-of", (START + HOUR).isoformat())
    assert done.exit_code == 1
    assert "letters: out of order, and left alone until 2024-03-01T13:0" in done.stdout
