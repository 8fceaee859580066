"""Closing: a task is done with an outcome, which is recorded as an interaction, or it is cancelled.

Its state, and what follows from it, change in one transaction: an interaction without its task done, or the other way
round, is never seen, whatever dies when.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import polars as pl
from attrs import evolve, frozen

from relationship_core.columns import MESSAGES, TASKS
from relationship_core.errors import ConfigurationError, RejectedError, nearest
from relationship_core.flow.message_states import GONE_STATES, STOPPED
from relationship_core.flow.record.checks import interaction_rules, sift
from relationship_core.flow.record.commit import announce, keep
from relationship_core.flow.record.frames import interactions_frame
from relationship_core.flow.record.recorder import Recorder
from relationship_core.flow.record.refusal import NUMBER, refuse
from relationship_core.flow.tasks.finding import found
from relationship_core.flow.tasks.keeping import as_task, assignment_of
from relationship_core.flow.united import ties_of
from relationship_core.flow.versions import kept_campaigns
from relationship_core.model.instants import utc
from relationship_core.model.interaction import Interaction
from relationship_core.model.task import Task
from relationship_core.model.words import TASK_SOURCE

if TYPE_CHECKING:
    from relationship_core.ports import Store

CANCELLED = "task_cancelled"
"""The reason for which the message of a task that was cancelled is stopped."""
_LEDGER = {"give": "given", "ask": "asked"}
"""The measures by which the ledger counts what was recorded as given and asked."""
_USUAL = "done"
"""The outcome that is meant where nobody says one."""
_SHOWN = 40


@frozen(kw_only=True)
class ClosedTask:
    """What closing a task did.

    Attributes:
        task: the task, as it is from now on.
        recorded: the kind of the interaction that its outcome was recorded as; empty where nothing was.
        already: true where it had been closed like this before; nothing was done now.
    """

    task: Task
    recorded: str = ""
    already: bool = False


def done(recorder: Recorder, id: str, *, outcome: str | None, note: str, actor: str) -> ClosedTask:
    """Say what came of a task, and record it.

    The interaction stands under the id that the task is about, as of the clock's present. Where it gives or asks as
    the task's message does, it counts in the ledger in that message's place.

    Args:
        recorder: what to work with.
        id: the task's id, or a beginning of it that no other has.
        outcome: one of the outcomes that its action names; None for the only one, or else for ``done``.
        note: what the assignee has to say.
        actor: who says so.

    Raises:
        RejectedError: there is no such task or outcome; it was cancelled, or had another outcome or note; nobody says
            who closes it.
        ConfigurationError: the outcome's kind is not declared any more, or measures have changed.
    """
    _refuse_unfit(actor, note)
    store, new = recorder.store, None
    with store.transaction():
        task, message = _found(store, id)
        known = _outcomes(store, task, message)
        chosen = _chosen(task, outcome, known)
        kind = known[chosen]
        if _is_closed(task, "done", chosen):
            _refuse_another_note(task, note)
            return ClosedTask(task=_present(store, task), recorded=kind, already=True)
        closed = evolve(
            task, state="done", outcome=chosen, note=note, actor=actor.strip(), settled_at=utc(recorder.clock())
        )
        if kind:
            new = _record(recorder, closed, kind)
            if _counts_itself(recorder, kind, str(message["nature"])):
                store.update(MESSAGES, pl.DataFrame({"id": [task.id], "weight": [0.0]}))
        _keep(store, closed)
    if new is not None:
        announce(recorder, new)
    return ClosedTask(task=_present(store, closed), recorded=kind)


def cancel(recorder: Recorder, id: str, *, note: str, actor: str) -> ClosedTask:
    """Say that a task is not to be done any more. So its message was no contact: it is stopped, and frees its slot.

    Raises:
        RejectedError: there is no such task, it is done, was cancelled with another note, or nobody says who cancels
            it.
    """
    _refuse_unfit(actor, note)
    store, now = recorder.store, utc(recorder.clock())
    with store.transaction():
        task, message = _found(store, id)
        if _is_closed(task, "cancelled", ""):
            _refuse_another_note(task, note)
            return ClosedTask(task=_present(store, task), already=True)
        closed = evolve(task, state="cancelled", note=note, actor=actor.strip(), settled_at=now)
        _keep(store, closed)
        if message["state"] in GONE_STATES:
            _stop(store, task, now)
    return ClosedTask(task=_present(store, closed))


def outcomes(store: Store, id: str) -> Mapping[str, str]:
    """What may come of a task, each with the kind of interaction that is recorded for it.

    Raises:
        RejectedError: there is no such task.
    """
    return _outcomes(store, *_found(store, id))


def _refuse_unfit(actor: str, note: str) -> None:
    if not actor.strip():
        message = "a task is closed by somebody; name whoever closes it as actor"
        raise RejectedError(message)
    if "\0" in actor + note:
        message = "the note or the actor of a task holds a NUL character, which no store keeps; leave it out"
        raise RejectedError(message)


def _found(store: Store, id: str) -> tuple[Task, Mapping[str, object]]:
    """The task and its message."""
    task = as_task(found(store, id).row(0, named=True))
    columns = ["state", "version", "nature"]
    return task, store.read(MESSAGES, where={"id": task.id}, columns=columns).row(0, named=True)


def _present(store: Store, task: Task) -> Task:
    """The task, about its customer under the id of now."""
    return evolve(task, customer=ties_of(store).survivor(task.customer))


def _outcomes(store: Store, task: Task, message: Mapping[str, object]) -> Mapping[str, str]:
    campaign = kept_campaigns(store)[task.campaign, str(message["version"])]
    return assignment_of(campaign, task.action).outcomes


def _chosen(task: Task, outcome: str | None, known: Mapping[str, str]) -> str:
    listed = ", ".join(sorted(known))
    if outcome is None:
        usual = next(iter(known)) if len(known) == 1 else _USUAL
        if usual not in known:
            message = f"the task {task.id} may come to several outcomes; name one of {listed}"
            raise RejectedError(message)
        return usual
    if outcome not in known:
        shown = outcome[:_SHOWN]
        message = f"the task {task.id} has no outcome {shown!r}{nearest(shown, known)}; it has {listed}"
        raise RejectedError(message)
    return outcome


def _is_closed(task: Task, state: str, outcome: str) -> bool:
    """Whether it was closed like this before.

    Raises:
        RejectedError: it was closed otherwise.
    """
    if task.state == "open":
        return False
    if (task.state, task.outcome) == (state, outcome):
        return True
    on = "" if task.settled_at is None else f" on {task.settled_at:%Y-%m-%d}"
    came_to = f" with the outcome {task.outcome!r}" if task.state == "done" else ""
    message = f"the task {task.id} was {task.state}{on}{came_to}, which stays; record what else happened by itself"
    raise RejectedError(message)


def _refuse_another_note(task: Task, note: str) -> None:
    if note not in {"", task.note}:
        message = f"the task {task.id} was {task.state} with another note, which is kept as it was; leave the note out"
        raise RejectedError(message)


def _counts_itself(recorder: Recorder, kind: str, nature: str) -> bool:
    """Whether an interaction counts in the ledger as what its task's message was."""
    measured = [each for each in recorder.measures if each.name == _LEDGER.get(nature)]
    return any(not each.kinds or kind in each.kinds for each in measured)


def _record(recorder: Recorder, task: Task, kind: str) -> pl.DataFrame:
    """Keep the interaction of an outcome, inside the transaction, and give what was new."""
    if kind not in recorder.kinds:
        message = (
            f"the outcome {task.outcome!r} of campaign {task.campaign!r} is to be recorded as {kind!r}, which is no "
            f"kind of interaction any more{nearest(kind, recorder.kinds)}; install the plugin that declares it"
        )
        raise ConfigurationError(message)
    said = {"outcome": task.outcome, **({"note": task.note} if task.note else {})}
    at = task.settled_at or utc(recorder.clock())
    happened = Interaction(source=TASK_SOURCE, id=task.id, customer=task.customer, kind=kind, at=at, data=said)
    rows = interactions_frame([happened]).with_row_index(NUMBER, offset=1)
    good, bad = sift(rows, interaction_rules(recorder.kinds, recorder.currency, recorder.clock(), rows))
    refuse(bad, "interaction")
    new, refused, _ = keep(recorder, good)
    refuse(refused, "interaction")
    return new


def _keep(store: Store, task: Task) -> None:
    columns = ("id", "state", "outcome", "note", "actor", "settled_at")
    row = {name: getattr(task, name) for name in columns}
    store.update(TASKS, pl.DataFrame([row], schema=TASKS.types(columns)))


def _stop(store: Store, task: Task, now: datetime) -> None:
    row = {"id": task.id, "state": STOPPED, "detail": CANCELLED, "settled_at": now}
    store.update(MESSAGES, pl.DataFrame([row], schema=MESSAGES.types(row)))
    store.mark("plan", ties_of(store).resolved(pl.Series("customer", [task.customer])))
