"""Work for people, as a program has it: ``Relationships.tasks``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from relationship_core import arguments
from relationship_core.model.instants import utc

if TYPE_CHECKING:
    from relationship_core.flow.tasks.closing import ClosedTask
    from relationship_core.model.task import Task
    from relationship_core.project import Project


class Tasks:
    """The tasks of a project: ``Relationships.tasks``.

    Wherever a task is named, its id may be shortened to a beginning of six characters or more that no other task's
    id has.
    """

    def __init__(self, project: Project) -> None:
        """Take the project."""
        self._project = project

    def list(
        self,
        *,
        assignee: str | None = None,
        customer: str | None = None,
        closed: bool = False,
        overdue: bool = False,
    ) -> tuple[Task, ...]:
        """Tasks that are open, what is due first before the rest.

        Args:
            assignee: only what this person does.
            customer: only what is about this customer, under whichever of their ids.
            closed: whether those follow that are done or cancelled.
            overdue: only what is open and should have been done by now.

        Raises:
            RejectedError: nobody has that id.
        """
        from relationship_core.flow.tasks.finding import listed_tasks

        is_overdue = arguments.yes_or_no(overdue, "overdue")
        return listed_tasks(
            self._project.store,
            assignee=arguments.optional_text(assignee, "assignee", "the name of whoever does it, as text"),
            customer=arguments.optional_customer_id(customer),
            closed=arguments.yes_or_no(closed, "closed"),
            overdue_at=utc(self._project.clock()) if is_overdue else None,
        )

    def show(self, task: str) -> Task:
        """One task.

        Raises:
            RejectedError: there is none with that id, or there are several whose ids begin so.
        """
        from relationship_core.flow.tasks.finding import task as task_of

        return task_of(self._project.store, _id(task))

    def outcomes(self, task: str) -> Mapping[str, str]:
        """What may come of a task, each with the kind of interaction that is recorded for it; empty for nothing.

        Raises:
            RejectedError: there is none with that id, or there are several whose ids begin so.
        """
        from relationship_core.flow.tasks.closing import outcomes

        return outcomes(self._project.store, _id(task))

    def done(self, task: str, *, outcome: str | None = None, note: str = "", actor: str) -> ClosedTask:
        """Say what came of a task, and record it: both at once, as of the clock's present. Repeated, it does nothing.

        Args:
            task: its id.
            outcome: one of the outcomes that its action names; the only one, or else ``done``, when None.
            note: what there is to say about it.
            actor: who says so.

        Raises:
            RejectedError: there is no such task or outcome, it was closed otherwise, or nobody says who closes it.
            ConfigurationError: the outcome's kind of interaction is not declared any more, or measures have changed
                since history was folded.
        """
        from relationship_core.flow.tasks.closing import done

        return done(
            self._project.recording(),
            _id(task),
            outcome=arguments.optional_text(outcome, "outcome", "an outcome of the task, as text"),
            note=arguments.text(note, "note"),
            actor=arguments.text(actor, "actor"),
        )

    def cancel(self, task: str, *, note: str = "", actor: str) -> ClosedTask:
        """Say that a task is not to be done any more. Its customer was not contacted, and may be planned for again.

        Args:
            task: its id.
            note: why.
            actor: who decides it.

        Raises:
            RejectedError: there is no such task, it is done, or nobody says who decides it.
        """
        from relationship_core.flow.tasks.closing import cancel

        return cancel(
            self._project.recorder,
            _id(task),
            note=arguments.text(note, "note"),
            actor=arguments.text(actor, "actor"),
        )


def _id(task: object) -> str:
    return arguments.text(task, "task", "a task's id, as text")
