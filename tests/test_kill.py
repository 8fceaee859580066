"""A run that is killed, wherever that happens, and run again does what an undisturbed run does."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from attrs import frozen

from relationship_core import (
    DECISIONS,
    FACTS,
    MESSAGES,
    RUNS,
    STATES,
    TRANSITIONS,
    ContactPoint,
    Customer,
    Interaction,
    Relationships,
)
from relationship_core.builtin.sqlite.store import SQLiteStore

DRIVER = Path(__file__).with_name("killed_runs.py")
FIRST = datetime(2024, 5, 1, 9, tzinfo=UTC)
SECOND = FIRST + timedelta(days=31)
CUSTOMERS = 300
RANDOM_POINTS = 15
"""In each of the two runs."""

PROJECT = """
[project]
name = "Killed"
zone = "America/New_York"
sender = "Killed <hello@example.com>"
postal_address = "1 Main Street"

[minimum_interval_days]
default = 15

[consent]
without = ["email", "post"]

[preference]
unasked = "close"

[channels.letters]
use = "folder"
path = "letters"

[channels.cards]
use = "folder"
path = "cards"
medium = "post"

[delivery.letters]
attempting = 1

[delivery.cards]
attempting = 1
"""

CAMPAIGN = """
name = "{name}"
owner = "tests"
purpose = "marketing"
nature = "give"
audience = "{audience}"
priority = {priority}
{more}

[[actions]]
name = "write"

[actions.occasion]
name = "{name}"
when = "{when}"
key = "{key}"

[[actions.variants]]
channel = "{channel}"
subject = "Dear {{{{ customer.name }}}}"
text = "You are a {{{{ stage }}}}, with {{{{ facts.orders }}}} orders."
"""

CAMPAIGNS = (
    {
        "name": "thanks",
        "audience": "",
        "when": "silence_days < 2",
        "key": "last_order_on",
        "channel": "letters",
        "priority": 2,
    },
    {
        "name": "missing",
        "audience": "lapsed",
        "when": "",
        "key": "last_order_on",
        "channel": "letters",
        "priority": 1,
        # Its money is not enough for all.
        "more": "value = 9\n[cost]\nmoney = 3\n[limits]\nbudget = 18",
    },
    {
        "name": "card",
        "audience": "stage >= 'client'",
        "when": "stage_days < 5",
        "key": "once",
        "channel": "cards",
        "priority": 0,
    },
)


def orders(day: float, *numbers: int) -> Iterable[tuple[str, datetime]]:
    return [(f"c{number:03d}", FIRST + timedelta(days=day)) for number in numbers]


def spring() -> Iterable[tuple[str, datetime]]:
    """Nearly everybody ordered in spring; then a few lapse, and a few are thanked."""
    yield from orders(-50, *range(CUSTOMERS - 10))
    yield from orders(-90, *range(CUSTOMERS - 10, CUSTOMERS - 5))
    yield from orders(-1, 3, 120, 250)
    for day in (-9, -8, -7):
        yield from orders(day, 60, 61)
    yield from orders(-130, CUSTOMERS - 5, CUSTOMERS - 4, CUSTOMERS - 3)


def summer() -> Iterable[tuple[str, datetime]]:
    """After the first run: a few come back, and two of them often enough to be clients."""
    yield from orders(30, 7, 200, CUSTOMERS - 5)
    for day in (5, 12, 19, 27):
        yield from orders(day, 60, 61)


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory, make_interaction: Callable[..., Interaction]) -> Path:
    """A project with everything recorded, and no run yet."""
    folder = tmp_path_factory.mktemp("fresh")
    (folder / "relationship.toml").write_text(PROJECT)
    (folder / "campaigns").mkdir()
    for campaign in CAMPAIGNS:
        (folder / "campaigns" / f"{campaign['name']}.toml").write_text(CAMPAIGN.format(**{"more": "", **campaign}))
    with Relationships.open(folder, clock=lambda: FIRST) as project:
        project.record_customers(
            Customer(
                id=f"c{number:03d}",
                name=f"Number {number}",
                contact_points=[
                    ContactPoint(medium="email", address=f"c{number:03d}@example.com", synthetic=True),
                    ContactPoint(medium="post", address=f"Number {number}\n1 Main Street", synthetic=True),
                ],
            )
            for number in range(CUSTOMERS)
        )
        project.record(make_interaction(customer, "order", at, minor=900) for customer, at in spring())
        with project.store.transaction():
            # The same salt everywhere: so the same engagement has the same message id in every copy.
            project.store.put(FACTS, pl.DataFrame({"name": ["salt"], "value": ["of all copies"]}))
    return folder


def start(base: Path, folder: Path, as_of: datetime, jobs: Sequence[tuple[str, int]]) -> subprocess.Popen[str]:
    environment = {**os.environ, "POLARS_MAX_THREADS": "1"}
    command = [sys.executable, str(DRIVER), str(base), str(folder), as_of.isoformat(), json.dumps(jobs)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def finish(driver: subprocess.Popen[str]) -> list[dict[str, Any]]:
    out, errors = driver.communicate()
    assert (driver.returncode, errors) == (0, "")
    return [json.loads(line) for line in out.splitlines()]


def outcome(folder: Path) -> dict[str, Any]:
    """Everything that must be as if nothing had happened."""
    store = SQLiteStore(folder / "relationships.db")
    found = {
        "decisions": store.read(DECISIONS).to_dicts(),
        "transitions": store.read(TRANSITIONS).to_dicts(),
        # After a move in the middle of a review of everybody, the next look may be planned earlier.
        "states": store.read(STATES).drop("due_at").to_dicts(),
        # How a message was settled is told by the channel, or by looking for its file.
        "messages": store.read(MESSAGES).drop("detail", "reference").to_dicts(),
        "runs": store.read(RUNS).select("run", "as_of", "step", "state").to_dicts(),
        "marks": (store.marked("review"), store.marked("plan")),
        "files": {
            path.name: path.read_bytes() for kind in ("letters", "cards") for path in sorted((folder / kind).glob("*"))
        },
    }
    store.close()
    return found


@frozen(kw_only=True)
class Case:
    """A project to kill, and what comes of it when nobody does.

    Attributes:
        base: its folder.
        as_of: the instant of the run.
        done: the folder in which the run was undisturbed.
        expected: what came of it.
        counted: how many commits, messages sent and calls of functions that took.
    """

    base: Path
    as_of: datetime
    done: Path
    expected: dict[str, Any]
    counted: dict[str, int]


def undisturbed(base: Path, folder: Path, as_of: datetime) -> Case:
    (told,) = finish(start(base, folder, as_of, [("count", 0)]))
    assert told["killed"] == 0
    done = Path(told["folder"])
    return Case(base=base, as_of=as_of, done=done, expected=outcome(done), counted=told["counted"])


@pytest.fixture(scope="module")
def first(fresh: Path, tmp_path_factory: pytest.TempPathFactory) -> Case:
    """The first run of a project, which looks at everybody."""
    return undisturbed(fresh, tmp_path_factory.mktemp("first"), FIRST)


@pytest.fixture(scope="module")
def second(first: Case, tmp_path_factory: pytest.TempPathFactory, make_interaction: Callable[..., Interaction]) -> Case:
    """The second run, which looks at those who are due."""
    base = tmp_path_factory.mktemp("summer") / "project"
    shutil.copytree(first.done, base)
    with Relationships.open(base, clock=lambda: SECOND) as project:
        project.record(make_interaction(customer, "order", at, minor=900) for customer, at in summer())
    return undisturbed(base, tmp_path_factory.mktemp("second"), SECOND)


def kill(case: Case, folder: Path, jobs: Sequence[tuple[str, int]]) -> None:
    """Kill at each of these points, run again, and compare; half of them beside the other half."""
    drivers = [start(case.base, folder, case.as_of, half) for half in (jobs[::2], jobs[1::2])]
    told = [line for driver in drivers for line in finish(driver)]
    assert len(told) == len(jobs)
    for line in told:
        assert (line["killed"], line["again"]) == (-signal.SIGKILL, 0), line["job"]
        found = outcome(Path(line["folder"]))
        for name, value in case.expected.items():
            assert found[name] == value, (line["job"], name)


def test_both_runs_are_worth_killing(first: Case, second: Case) -> None:
    for case in (first, second):
        new = [row for row in case.expected["decisions"] if row["at"] == case.as_of and row["verdict"] == "planned"]
        assert len({row["campaign"] for row in new}) >= 2
        assert case.counted["sent"] == len(new) >= 5
        assert case.counted["commit"] >= 15
        assert {row["state"] for row in case.expected["messages"]} == {"accepted"}
        assert len(case.expected["files"]) == len(case.expected["messages"])
    assert len({row["campaign"] for row in second.expected["messages"]}) == 3


@pytest.mark.parametrize("run", ["first", "second"])
def test_killed_at_every_commit_and_after_every_message(
    run: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    case: Case = request.getfixturevalue(run)
    points = [(kind, number + 1) for kind in ("commit", "sent") for number in range(case.counted[kind])]
    points.remove(("commit", case.counted["commit"]))  # then everything is done
    kill(case, tmp_path, points)


@pytest.mark.parametrize("run", ["first", "second"])
def test_killed_at_random_calls(run: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    case: Case = request.getfixturevalue(run)
    chance = random.Random(f"{run} run")
    kill(case, tmp_path, [("call", each) for each in chance.sample(range(1, case.counted["call"]), RANDOM_POINTS)])
