"""Runs: what was started, as of when, and how far it came, so that whatever dies can be taken up again."""

from __future__ import annotations

import json
from datetime import datetime

import polars as pl
from attrs import evolve, frozen

from relationship_core.columns import RUNS
from relationship_core.flow.deliver import Delivered
from relationship_core.flow.last_review import is_by_rules, last_reviewed, refuse_before_the_last
from relationship_core.flow.rules import Rules
from relationship_core.flow.standing import last_recorded
from relationship_core.ports import Store


@frozen(kw_only=True)
class Run:
    """One pass of review, plan and deliver.

    Attributes:
        id: the run's id; runs of one project sort by it in the order they were started.
        as_of: the instant that every step of it is as of, also after a resumption.
        step: the step it has come to: ``review``, ``plan`` or ``deliver``.
        started_at: when it was started.
        resumed: whether it had been started before.
    """

    id: str
    as_of: datetime
    step: str
    started_at: datetime
    resumed: bool = False


def cut_short(store: Store, rules: Rules, *, now: datetime) -> Run | None:
    """The run to take up, if there is one.

    A run that has not come to deliver, while newer things were recorded or reviewed, is given up: the next one
    does its work. One that was to plan reviews again where the rules have changed meanwhile.
    """
    run = _unfinished(store)
    if run is None or run.step == "deliver":
        return run
    if any(last is not None and last > run.as_of for last in (last_recorded(store), last_reviewed(store))):
        _keep(store, run, state="overtaken", finished_at=now)
        return None
    return run if is_by_rules(store, rules) else evolve(run, step="review")


def _unfinished(store: Store) -> Run | None:
    rows = store.read(RUNS, where={"state": "running"})
    if rows.is_empty():
        return None
    row = rows.row(0, named=True)
    return Run(id=row["run"], as_of=row["as_of"], step=row["step"], started_at=row["started_at"], resumed=True)


def start(store: Store, *, as_of: datetime, now: datetime) -> Run:
    """Note that a run begins.

    Raises:
        RejectedError: there was a review as of a later instant.
    """
    refuse_before_the_last(store, as_of, "run")
    number = store.count(RUNS, []).item() + 1
    run = Run(id=f"{number:08d}", as_of=as_of, step="review", started_at=now)
    _keep(store, run, state="running", finished_at=None)
    return run


def reach(store: Store, run: Run, step: str) -> Run:
    """Note that a run has come to a step."""
    reached = evolve(run, step=step)
    _keep(store, reached, state="running", finished_at=None)
    return reached


def finish(store: Store, run: Run, *, now: datetime, delivered: Delivered) -> None:
    """Note that a run is over, with what became of its messages as JSON text."""
    states = ("accepted", "rejected", "deferred", "unknown", "expired", "failed")
    outcome = json.dumps({state: getattr(delivered, state) for state in states})
    _keep(store, run, state="finished", finished_at=now, outcome=outcome)


def _keep(store: Store, run: Run, *, state: str, finished_at: datetime | None, outcome: str = "") -> None:
    row = {
        "run": run.id,
        "as_of": run.as_of,
        "step": run.step,
        "state": state,
        "started_at": run.started_at,
        "finished_at": finished_at,
        "outcome": outcome,
    }
    with store.transaction():
        store.put(RUNS, pl.DataFrame([row], schema=dict(RUNS.schema)))
