"""A program, not a test: runs a project in child processes that kill themselves, and in others that take it up.

    python killed_runs.py BASE FOLDER JOBS

BASE is a project folder; JOBS a JSON list of points to die at: ``["after", 3]`` and ``["before", 3]`` the third
commit, ``["call", 1000]`` at the thousandth call of a function after opening, or null for none. For each job a
copy of BASE in FOLDER is run and killed, and run again. One JSON line tells how each child ended and what it counted.

It forks instead of starting Python anew, which would take longer than the runs. That is sound while no thread
holds a lock: polars starts the threads that do its work at its first query, and only the children make queries.
A child that hangs is ended by its alarm, and told as such.
"""

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from relationship_core import RUNS, Relationships, read_campaigns, read_settings
from relationship_core.builtin.sqlite import database, store as _store  # noqa: F401  imported before forking
from relationship_core.flow import deliver, plan, review  # noqa: F401

PAGE = 110
LONGEST_SECONDS = 120
RUNS_AS_OF = [datetime(2024, 5, 1, 9, tzinfo=UTC), datetime(2024, 5, 21, 9, tzinfo=UTC)]

counted = {"commits": 0, "calls": 0}


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def count_commits(kind: str | None, number: int) -> None:
    commit = database.Database._commit

    def counting(self: Any) -> None:
        counted["commits"] += 1
        if (kind, number) == ("before", counted["commits"]):
            die()
        commit(self)
        if (kind, number) == ("after", counted["commits"]):
            die()

    database.Database._commit = counting  # type: ignore[method-assign]


def count_calls(kind: str | None, number: int) -> None:
    def counting(_frame: Any, _event: str, _argument: Any) -> None:
        counted["calls"] += 1
        if counted["calls"] == number:
            die()

    if kind in {"call", "count"}:
        sys.setprofile(counting)


def run(folder: Path, kind: str | None, number: int) -> None:
    """Run as of every instant that has no finished run yet."""
    present = RUNS_AS_OF[-1] + timedelta(days=1)
    project = Relationships(
        settings=read_settings(folder),
        campaigns=read_campaigns(folder),
        clock=lambda: present,
        folder=folder,
        page_size=PAGE,
    )
    finished = set(project.store.read(RUNS, where={"state": "finished"})["as_of"])
    count_commits(kind, number)
    count_calls(kind, number if kind == "call" else -1)
    for as_of in RUNS_AS_OF:
        if as_of not in finished:
            project.run(as_of=as_of)
    sys.setprofile(None)
    project.close()


def in_a_child(action: Callable[[], None]) -> tuple[int, dict[str, int]]:
    """How a child process that does this ends: 0, or the negative number of the signal that killed it."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        signal.alarm(LONGEST_SECONDS)
        try:
            action()
            os.write(writing, json.dumps(counted).encode())
            code = 0
        except BaseException:  # noqa: BLE001  a child never goes on with the parent's work
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        told = pipe.read()
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), json.loads(told or "{}")


def main(base: Path, folder: Path, jobs: list[list[Any] | None]) -> None:
    for job in jobs:
        kind, number = job or (None, 0)
        copy = folder / f"{kind}-{number}"
        shutil.copytree(base, copy)
        killed, count = in_a_child(lambda: run(copy, kind, number))  # noqa: B023  called at once
        again = in_a_child(lambda: run(copy, None, 0))[0] if killed else None  # noqa: B023
        sys.stdout.write(json.dumps({"job": job, "folder": copy.name, "killed": killed, "again": again, **count}) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3]))
