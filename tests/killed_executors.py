"""A program, not a test: reviews and plans a project by worker processes, and ends in the middle.

    python killed_executors.py FOLDER COMMITS HOW

After so many commits it ends: by ``kill`` (SIGKILL), or by ``interrupt`` (SIGINT, as by Ctrl-C) while workers judge the
next wave. With 0 commits it goes on to its end.
"""

import os
import signal
import sys
from pathlib import Path

from relationship_core import Choice
from relationship_core.builtin.processes import Processes
from relationship_core.builtin.sqlite.database import Database
from relationship_core.testing.executor_projects import Odd, open_project

STORE = Choice(use="sqlite", settings={"path": "project.db"})

committed = 0


def main(folder: Path, commits: int, how: str) -> None:
    commit, ask = Database._commit, Processes._ask

    def counting(database: Database) -> None:
        global committed  # noqa: PLW0603  one program, one count
        commit(database)
        committed += 1
        if committed == commits and how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)

    def asking(self: Processes, *arguments: object) -> object:
        if commits and committed >= commits and how == "interrupt":
            os.kill(os.getpid(), signal.SIGINT)
        return ask(self, *arguments)  # type: ignore[arg-type]  # handed through as they are

    Database._commit = counting  # type: ignore[assignment, method-assign]  # where this program counts
    Processes._ask = asking  # type: ignore[assignment]  # where this program ends
    workers = Choice(use="processes", settings={"workers": 2})
    with open_project(folder, workers, store=STORE, plugins=[Odd()]) as project:
        project.review()
        project.plan()
    sys.stdout.write(str(committed))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
