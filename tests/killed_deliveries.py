"""A program, not a test: delivers one outbox by workers that kill themselves again and again, until it is empty.

    python killed_deliveries.py FOLDER RECORD SEED KILLS WORKERS

FOLDER is a project whose channels use ``recorder``: it appends the id of each message that it accepts to the file
RECORD, which is what a provider would know. So many WORKERS deliver at once. Each is told by SEED at which point to die
of SIGKILL: before or after a commit, before or after a message is accepted; one in ten counts commits alone, which are
rare among these points. Whoever died, or found nothing to do, is
replaced until so many were KILLS; then one last worker delivers what is left. One JSON line tells how many were
killed, and how often before or after what.

It forks instead of starting Python anew, which is sound while no thread holds a lock: polars starts its threads at its
first query, and only the children make queries.
"""

import json
import os
import random
import signal
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import liquid  # noqa: F401  imported before the forks, so that each child starts quickly
import sqlglot  # noqa: F401  likewise

from relationship_core import Channel, Message, Plugins, Provider, Receipt, Relationships, hookimpl, load_plugins
from relationship_core.builtin import liquid_environment  # noqa: F401  likewise
from relationship_core.builtin.channels import NullSettings
from relationship_core.builtin.sqlite import database, store as sqlite_store  # noqa: F401  likewise
from relationship_core.flow.deliver import delivering, portions, suppressing  # noqa: F401  likewise

AS_OF = datetime(2024, 5, 1, 9, tzinfo=UTC)
LONGEST_LIFE = 400
"""A worker dies after so many points at the latest."""
MOST_COMMITS = 10
"""Or after so many points at commits, about as many as there are in such a life."""
LONGEST_SECONDS = 60
CLAIM_SIZE = 100
"""About as many messages as a worker lives to send: what more it claimed would cost time and tell nothing."""
POINTS = ("before a commit", "after a commit", "before it is accepted", "after it was accepted")


class Recorder:
    """A plugin with the channel ``recorder``; ``pass_by`` is told of each point that is reached."""

    medium = "email"

    def __init__(self, record: Path) -> None:
        self._record = record
        self.pass_by: Callable[[str], None] = lambda _: None

    def send(self, messages: Sequence[Message]) -> Sequence[Receipt]:
        with self._record.open("ab", buffering=0) as file:
            for message in messages:
                self.pass_by(POINTS[2])
                file.write(f"{message.id}\n".encode())
                self.pass_by(POINTS[3])
        return [Receipt(message=message.id, state="accepted") for message in messages]

    def close(self) -> None:
        pass

    @hookimpl
    def relationship_channels(self) -> tuple[Provider[Channel], ...]:
        return (Provider(name="recorder", factory=lambda _: self, settings=NullSettings, summary="Records."),)


class Fate:
    """Dies at a point, by its number among those of some kinds; the last point is told in a pipe."""

    def __init__(self, last: int, pipe: int, kinds: Sequence[str] = POINTS) -> None:
        self._left, self._pipe, self._kinds = last, pipe, kinds

    def __call__(self, point: str) -> None:
        self._left -= point in self._kinds
        if self._left == 0 and point in self._kinds:
            os.write(self._pipe, f"{POINTS.index(point)}".encode())
            os.kill(os.getpid(), signal.SIGKILL)


def work(folder: Path, recorder: Recorder, plugins: Plugins) -> None:
    commit = database.Database._commit

    def committing(self: Any, *arguments: Any) -> Any:
        recorder.pass_by(POINTS[0])
        result = commit(self, *arguments)
        recorder.pass_by(POINTS[1])
        return result

    database.Database._commit = committing  # type: ignore[method-assign]  # only this child dies of it
    portions.LARGEST = CLAIM_SIZE
    with Relationships.open(folder, clock=lambda: AS_OF, plugins=plugins) as project:
        project.deliver()


def begin(folder: Path, recorder: Recorder, plugins: Plugins, fate: Fate) -> int:
    """A child that works until it dies; its process number."""
    child = os.fork()
    if child:
        return child
    code = 1
    signal.alarm(LONGEST_SECONDS)
    try:
        recorder.pass_by = fate
        work(folder, recorder, plugins)
        code = 0
    except BaseException:  # noqa: BLE001  a child never goes on with the parent's work
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(code)


def fate(chance: random.Random, pipe: int) -> Fate:
    if chance.random() < 0.1:
        return Fate(chance.randint(1, MOST_COMMITS), pipe, POINTS[:2])
    return Fate(chance.randint(1, LONGEST_LIFE), pipe)


def main(folder: Path, record: Path, seed: str, kills: int, workers: int) -> None:
    chance = random.Random(seed)
    recorder = Recorder(record)
    plugins = load_plugins(extra=[recorder])
    _ = plugins.ladders  # asks the plugins what they declare, once for all children
    reading, writing = os.pipe()
    alive: set[int] = set()
    killed = 0
    while killed < kills or alive:
        while killed + len(alive) < kills and len(alive) < workers:
            alive.add(begin(folder, recorder, plugins, fate(chance, writing)))
        child, status = os.wait()
        alive.discard(child)
        code = os.waitstatus_to_exitcode(status)
        if code not in {0, -signal.SIGKILL}:
            sys.exit(f"a worker ended with {code}")
        killed += code != 0
    _, status = os.waitpid(begin(folder, recorder, plugins, Fate(0, writing)), 0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        points = Counter(POINTS[int(each)] for each in pipe.read())
    last = os.waitstatus_to_exitcode(status)
    sys.stdout.write(json.dumps({"killed": killed, "last": last, "points": points}) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
