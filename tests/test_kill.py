"""A run that is killed, wherever that happens, and run again does what an undisturbed run does."""

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

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

DRIVER = Path(__file__).with_name("killed_runs.py")
FIRST = datetime(2024, 5, 1, 9, tzinfo=UTC)
CUSTOMERS = 300
RANDOM_POINTS = 30

PROJECT = """
[project]
name = "Killed"
zone = "America/New_York"
sender = "Killed <hello@example.com>"
postal_address = "1 Main Street"

[minimum_interval_days]
default = 15

[channels.letters]
use = "folder"
path = "letters"

[channels.cards]
use = "folder"
path = "cards"
medium = "post"
"""

CAMPAIGN = """
name = "{name}"
owner = "tests"
purpose = "marketing"
nature = "give"
audience = "{audience}"
priority = {priority}

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
    {"name": "thanks", "audience": "", "when": "silence_days < 2", "key": "last_order_on", "channel": "letters", "priority": 2},
    {"name": "missing", "audience": "lapsed", "when": "", "key": "last_order_on", "channel": "letters", "priority": 1},
    {"name": "card", "audience": "stage >= 'client'", "when": "stage_days < 5", "key": "once", "channel": "cards", "priority": 0},
)


def orders(day: float, *numbers: int) -> Iterable[tuple[str, datetime]]:
    return [(f"c{number:03d}", FIRST + timedelta(days=day)) for number in numbers]


def history() -> Iterable[tuple[str, datetime]]:
    """Nearly everybody ordered in spring; a few lapse, are thanked, or become clients, in each of the two runs."""
    yield from orders(-50, *range(CUSTOMERS - 10))
    yield from orders(-119, *range(CUSTOMERS - 10, CUSTOMERS - 5))
    yield from orders(-1, 3, 120, 250)
    for day in (-9, -8, -7):
        yield from orders(day, 60, 61)
    yield from orders(-130, CUSTOMERS - 5, CUSTOMERS - 4, CUSTOMERS - 3)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory, make_interaction: Callable[..., Interaction]) -> Path:
    """A project with everything recorded, and no run yet."""
    folder = tmp_path_factory.mktemp("base")
    (folder / "relationship.toml").write_text(PROJECT)
    (folder / "campaigns").mkdir()
    for campaign in CAMPAIGNS:
        (folder / "campaigns" / f"{campaign['name']}.toml").write_text(CAMPAIGN.format(**campaign))
    points = [("email", "{}@example.com"), ("post", "{}\n1 Main Street")]
    with Relationships.open(folder, clock=lambda: FIRST) as project:
        project.record_customers(
            Customer(
                id=f"c{number:03d}",
                name=f"Number {number}",
                contact_points=[
                    ContactPoint(medium=medium, address=form.format(f"c{number:03d}"), synthetic=True)
                    for medium, form in points
                ],
            )
            for number in range(CUSTOMERS)
        )
        project.record(make_interaction(customer, "order", at, minor=900) for customer, at in history())
        with project.store.transaction():
            # The same salt everywhere: so the same engagement has the same message id in every copy.
            project.store.put(FACTS, pl.DataFrame({"name": ["salt"], "value": ["of all copies"]}))
    return folder


def start(base: Path, folder: Path, jobs: list[Any]) -> subprocess.Popen[str]:
    environment = {**os.environ, "POLARS_MAX_THREADS": "1"}
    command = [sys.executable, str(DRIVER), str(base), str(folder), json.dumps(jobs)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def finish(driver: subprocess.Popen[str]) -> list[dict[str, Any]]:
    out, errors = driver.communicate()
    assert (driver.returncode, errors) == (0, "")
    return [json.loads(line) for line in out.splitlines()]


def outcome(folder: Path) -> dict[str, Any]:
    """Everything that must be as if nothing had happened."""
    with Relationships.open(folder, clock=lambda: FIRST) as project:
        store = project.store
        return {
            "decisions": store.read(DECISIONS).to_dicts(),
            "transitions": store.read(TRANSITIONS).to_dicts(),
            "states": store.read(STATES).drop("due_at").to_dicts(),
            # How a message was settled may be told differently: by the channel, or by looking for its file.
            "messages": store.read(MESSAGES).drop("detail", "reference").to_dicts(),
            "runs": store.read(RUNS).select("as_of", "step", "state").to_dicts(),
            "files": {path.name: path.read_bytes() for kind in ("letters", "cards") for path in (folder / kind).iterdir()},
        }


@pytest.fixture(scope="module")
def undisturbed(base: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, int]]:
    """What comes of a run that nobody kills, and how many commits and calls it takes."""
    folder = tmp_path_factory.mktemp("undisturbed")
    (told,) = finish(start(base, folder, [["count", 0]]))
    assert told["killed"] == 0
    return outcome(folder / told["folder"]), {"commits": told["commits"], "calls": told["calls"]}


def check(base: Path, folder: Path, jobs: list[list[Any]], expected: dict[str, Any]) -> None:
    """Kill at each of these points, run again, and compare; half of them beside the other half."""
    drivers = [start(base, folder, half) for half in (jobs[::2], jobs[1::2])]
    told = [line for driver in drivers for line in finish(driver)]
    assert len(told) == len(jobs)
    for line in told:
        assert (line["killed"], line["again"]) == (-signal.SIGKILL, 0), line["job"]
        found = outcome(folder / line["folder"])
        for name, value in expected.items():
            assert found[name] == value, (line["job"], name)


def test_the_undisturbed_run_is_worth_killing(undisturbed: tuple[dict[str, Any], dict[str, int]]) -> None:
    expected, counted = undisturbed
    planned = [(row["campaign"], row["at"]) for row in expected["decisions"] if row["verdict"] == "planned"]
    assert {campaign for campaign, _ in planned} == {"thanks", "missing", "card"}
    assert len({at for _, at in planned}) == 2, "both runs have work"
    assert {row["state"] for row in expected["messages"]} == {"accepted"}
    assert len(expected["files"]) == len(expected["messages"]) == len(planned)
    assert counted["commits"] >= 30


def test_killed_at_every_commit(
    base: Path, tmp_path: Path, undisturbed: tuple[dict[str, Any], dict[str, int]]
) -> None:
    expected, counted = undisturbed
    points = [[kind, number + 1] for number in range(counted["commits"]) for kind in ("before", "after")]
    # Nothing is left to do after the last commit.
    check(base, tmp_path, points[:-1], expected)


def test_killed_at_random_calls(
    base: Path, tmp_path: Path, undisturbed: tuple[dict[str, Any], dict[str, int]]
) -> None:
    expected, counted = undisturbed
    chance = random.Random(20240501)
    points = sorted(chance.sample(range(1, counted["calls"]), RANDOM_POINTS))
    check(base, tmp_path, [["call", number] for number in points], expected)
