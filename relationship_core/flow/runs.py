"""Runs: what was started, as of when, and how far it came, so that whatever dies can be taken up again."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Protocol

import polars as pl
from attrs import evolve, frozen

from relationship_core.columns import RUNS
from relationship_core.flow.deliver.delivering import Delivered
from relationship_core.flow.deliver.present import Present
from relationship_core.flow.last_review import is_by_rules, last_reviewed, refuse_before_the_last
from relationship_core.flow.plan.planned import Planned
from relationship_core.flow.progress import Listener
from relationship_core.flow.review import Reviewed
from relationship_core.flow.rules import Rules
from relationship_core.flow.standing import last_recorded, refuse_the_past
from relationship_core.model.instants import utc
from relationship_core.ports import Clock, Store


@frozen(kw_only=True)
class Run:
    """One pass of review, plan and deliver.

    Attributes:
        id: the run's id; runs of one project sort by it in the order they were started.
        as_of: the instant that review and plan are as of, also after a resumption.
        step: the step it has come to: ``review``, ``plan`` or ``deliver``.
        started_at: when it was started.
        resumed: whether it had been started before.
    """

    id: str
    as_of: datetime
    step: str
    started_at: datetime
    resumed: bool = False


@frozen(kw_only=True)
class Ran:
    """What one run did.

    Attributes:
        as_of: the instant of review and plan; delivery began when as much time had passed as the clock says.
        resumed: whether it took up a run that had been cut short.
        reviewed: what the review did in this process; None where it was done before.
        planned: what the plan did; None where it was done before.
        delivered: what the delivery did.
    """

    as_of: datetime
    resumed: bool
    reviewed: Reviewed | None
    planned: Planned | None
    delivered: Delivered


class Steps(Protocol):
    """What a run does, one after the other."""

    def review(self, *, as_of: datetime, progress: Listener) -> Reviewed:
        """Judge every due customer."""
        ...

    def plan(self, *, as_of: datetime, progress: Listener) -> Planned:
        """Decide about every reviewed customer."""
        ...

    def deliver(self, *, as_of: datetime, progress: Listener) -> Delivered:
        """Hand the queued messages to their channels."""
        ...


def run(store: Store, rules: Rules, steps: Steps, *, as_of: datetime, clock: Clock, progress: Listener) -> Ran:
    """Take up the run that was cut short, or begin one as of an instant, and bring it to its end.

    Review and plan are as of the run's instant. Messages leave when it is later, most of all where the run was cut
    short for days: so delivery begins as of that instant and the time that has passed since the run was started.

    Raises:
        RejectedError: something was recorded or reviewed that happened after the instant.
    """
    now = utc(clock())
    current = cut_short(store, rules, now=now)
    if current is None:
        refuse_the_past(store, as_of, "run")
        current = start(store, as_of=as_of, now=now)
    reviewed = planned = None
    if current.step == "review":
        reviewed = steps.review(as_of=current.as_of, progress=progress)
        current = reach(store, current, "plan")
    if current.step == "plan":
        planned = steps.plan(as_of=current.as_of, progress=progress)
        current = reach(store, current, "deliver")
    present = Present(as_of=current.as_of, since=current.started_at, clock=clock)
    delivered = steps.deliver(as_of=present.now, progress=progress)
    finish(store, current, now=utc(clock()), delivered=delivered)
    return Ran(as_of=current.as_of, resumed=current.resumed, reviewed=reviewed, planned=planned, delivered=delivered)


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
    states = ("accepted", "rejected", "deferred", "unknown", "expired", "failed", "stopped", "unjudged")
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
