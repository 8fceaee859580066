"""Review and plan by two workers against one: processes of this machine, and a Dask cluster on it.

Each run is a process of its own. It starts its workers when it first needs them, and that is part of what it takes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

from attrs import frozen

from data import NOW
from measuring import Figure, Stopwatch, timed
from projects import PAGE, Prepared, copied, open_project
from relationship_core import Choice, Store

REPEATS = 3
PAGES = 20
"""So many pages at least, so that there is work for several; at size full they are as large as they always are."""
EXECUTORS = ("processes", "dask")

_WRITES = ("put", "update", "revise", "delete", "append", "merge", "clear_measures", "mark", "unmark")
"""What the caller alone does, beside the commits."""


@frozen(kw_only=True)
class _Run:
    """One run.

    Attributes:
        review: seconds.
        plan: seconds.
        writing: seconds of these that the caller spent in the store's writes and commits.
        busy: seconds of processor time of the caller, without its workers.
        outcome: what came of it: customers, transitions, decisions, messages.
    """

    review: float
    plan: float
    writing: float
    busy: float
    outcome: tuple[int, ...]

    @property
    def total(self) -> float:
        return self.review + self.plan


def measure(prepared: Prepared, repeats: int) -> list[Figure]:
    """Without an executor, by one worker and by two, in turn."""
    database, customers = prepared.imported(prepared.size.customers), prepared.size.customers
    alone = [_run(database, customers, "in_process", 1) for _ in range(repeats)]
    return [_figure(use, database, customers, alone) for use in EXECUTORS]


def _figure(use: str, database: Path, customers: int, alone: list[_Run]) -> Figure:
    one, two = [], []
    for _ in alone:
        one.append(_run(database, customers, use, 1))
        two.append(_run(database, customers, use, 2))
    outcomes = {run.outcome for run in (*alone, *one, *two)}
    if len(outcomes) != 1:
        message = f"{use}: not every run came to the same: {sorted(outcomes)}"
        raise RuntimeError(message)
    return Figure(
        name=f"executors {use}",
        what=f"review and plan of {customers:,} customers by two workers ({use}), against one",
        product=[run.total for run in two],
        probe=[run.total for run in one],
        ratios=[double.total / single.total for double, single in zip(two, one, strict=True)],
        target="",
        met=None,
        notes=(
            f"two: {_parts(two)}",
            f"one: {_parts(one)}",
            f"no executor: {_parts(alone)}",
            "the probe's column is one worker",
        ),
    )


def _parts(runs: list[_Run]) -> str:
    review, plan, writing, busy, total = (
        median(getattr(run, part) for run in runs) for part in ("review", "plan", "writing", "busy", "total")
    )
    return (
        f"review {review:.2f} s, plan {plan:.2f} s; the caller writes for {writing:.2f} s, {writing / total:.0%}, "
        f"and takes {busy:.2f} s of processor time"
    )


def _run(database: Path, customers: int, use: str, workers: int) -> _Run:
    page = max(1, min(PAGE, customers // PAGES))
    with copied(database) as folder:
        command = [sys.executable, __file__, str(folder), use, str(workers), str(page)]
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
        answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout
    told = json.loads(answer)
    return _Run(**{**told, "outcome": tuple(told["outcome"])})


def main(folder: Path, use: str, workers: int, page: int) -> Mapping[str, Any]:
    """Review and plan everybody in the project in a folder; what a run is made of."""
    executor = Choice(use=use, settings={} if use == "in_process" else {"workers": workers})
    with open_project(folder, page_size=page, executor=executor) as project:
        writing = _watched(project._project.chosen.store)
        before = process_time()
        reviewing, reviewed = timed(project.review, as_of=NOW)
        planning, planned = timed(project.plan, as_of=NOW)
        busy = process_time() - before
    return {
        "review": reviewing.wall,
        "plan": planning.wall,
        "writing": writing.total.wall,
        "busy": busy,
        "outcome": [reviewed.customers, reviewed.transitions, sum(planned.decided.values()), planned.planned],
    }


def _watched(store: Store) -> Stopwatch:
    """A stopwatch that runs from now on while the store writes."""
    watch = Stopwatch()
    for name in _WRITES:
        setattr(store, name, _while_running(watch, getattr(store, name)))
    transaction = store.transaction

    @contextmanager
    def watched(*, durable: bool = False, shared: bool = False) -> Iterator[None]:
        opened = transaction(durable=durable, shared=shared)
        opened.__enter__()
        try:
            yield
        except BaseException as error:  # Ctrl-C undoes the transaction as well
            opened.__exit__(type(error), error, error.__traceback__)
            raise
        with watch.running():
            opened.__exit__(None, None, None)

    store.transaction = watched  # type: ignore[method-assign]  # for the process that measures
    return watch


def _while_running(watch: Stopwatch, write: Callable[..., None]) -> Callable[..., None]:
    def watched(*args: Any, **kwargs: Any) -> None:
        with watch.running():
            return write(*args, **kwargs)

    return watched


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))))
