"""A program, not a test: runs a project in child processes that kill themselves, and in others that take it up.

    python killed_runs.py BASE FOLDER AS_OF JOBS

BASE is a project folder; JOBS a JSON list of points to die at: ``["commit", 3]`` after the third commit, ``["sent",
3]`` after the third message was written and before that is committed, ``["call", 1000]`` at the thousandth call of a
function after opening, ``["count", 0]`` nowhere. For each job a copy of BASE in FOLDER is run as of AS_OF and killed,
and run again. One JSON line tells how each child ended and what it counted.

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
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import liquid  # noqa: F401  what every child would import otherwise
import sqlglot  # noqa: F401  imported before the forks, so that each child starts quickly

from relationship_core import Plugins, Relationships, load_plugins, parse_instant, read_campaigns, read_settings
from relationship_core.builtin import folder as folder_channel, liquid_environment  # noqa: F401  likewise
from relationship_core.builtin.sqlite import database, store as sqlite_store  # noqa: F401  likewise

PAGE = 110
LONGEST_SECONDS = 120

counted = {"commit": 0, "sent": 0, "call": 0}


def die_after(owner: Any, name: str, what: str, last: int) -> None:
    """Count the calls of a method, and die when the last of them is over."""
    method = getattr(owner, name)

    def counting(*arguments: Any) -> Any:
        result = method(*arguments)
        count(what, last)
        return result

    setattr(owner, name, counting)


def count(what: str, last: int) -> None:
    counted[what] += 1
    if counted[what] == last:
        os.kill(os.getpid(), signal.SIGKILL)


def run(folder: Path, as_of: datetime, kind: str, number: int, plugins: Plugins) -> None:
    project = Relationships(
        settings=read_settings(folder),
        campaigns=read_campaigns(folder),
        clock=lambda: as_of + timedelta(minutes=1),
        plugins=plugins,
        folder=folder,
        page_size=PAGE,
    )
    last = {what: number if what == kind else -1 for what in counted}
    die_after(database.Database, "_commit", "commit", last["commit"])
    die_after(folder_channel.FolderChannel, "send", "sent", last["sent"])
    if kind in {"call", "count"}:
        sys.setprofile(call_counter(last["call"]))
    project.run(as_of=as_of)
    sys.setprofile(None)
    project.close()


def call_counter(last: int) -> Callable[..., None]:
    """Counts calls as ``count`` does, in one call of its own: there are a million of them."""
    called = 0

    def counter(*_: object) -> None:
        nonlocal called
        called += 1
        counted["call"] = called
        if called == last:
            os.kill(os.getpid(), signal.SIGKILL)

    return counter


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


def main(base: Path, folder: Path, as_of: datetime, jobs: list[tuple[str, int]]) -> None:
    plugins = load_plugins()
    _ = plugins.ladders  # asks the plugins what they declare, once for all children
    for kind, number in jobs:
        copy = folder / f"{kind}-{number}"
        shutil.copytree(base, copy)
        killed, counts = in_a_child(lambda: run(copy, as_of, kind, number, plugins))  # noqa: B023  called at once
        again = in_a_child(lambda: run(copy, as_of, "none", 0, plugins))[0] if killed else None  # noqa: B023  called at once
        told = {"job": [kind, number], "folder": str(copy), "killed": killed, "again": again, "counted": counts}
        sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), parse_instant(sys.argv[3]), json.loads(sys.argv[4]))
