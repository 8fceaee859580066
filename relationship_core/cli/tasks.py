"""``relate tasks``: work for people, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from relationship_core.cli.documents import attributes, print_document
from relationship_core.cli.project import actor, json_option, project_options

if TYPE_CHECKING:
    from relationship_core import ClosedTask, Relationships, Task

_ID_SHOWN = 8
"""So much of an id is shown in a table; any beginning of 6 characters or more will do that no other task's id has."""

_closes = actor("closes")


@click.group(invoke_without_command=True, subcommand_metavar="[COMMAND] [ARGS]...")
@click.option("--assignee", metavar="NAME", help="Only what this person does.")
@click.option("--customer", metavar="ID", help="Only what is about this customer.")
@click.option("--overdue", is_flag=True, help="Only what should have been done by now.")
@click.option("--all", "closed", is_flag=True, help="Also what is done or cancelled.")
@json_option
@project_options
@click.pass_context
def tasks(
    context: click.Context,
    folder: Path,
    assignee: str | None,
    customer: str | None,
    *,
    overdue: bool,
    closed: bool,
    as_json: bool,
) -> None:
    """List the work for people, and say what came of it.

    Campaigns with a channel of tasks give people work: a call, a visit, a handwritten line. Without a command, what
    is open is listed, what is due first before the rest. A task is named by its id, or by a beginning of it of six
    characters or more that no other task's id has.
    """
    if context.invoked_subcommand is not None:
        if assignee or customer or overdue or closed or as_json:
            message = f"the options of the list mean nothing to {context.invoked_subcommand!r}; name its own behind it"
            raise click.UsageError(message, context)
        context.find_root().params["project"] = folder
        return
    from relationship_core import Relationships

    with Relationships.open(folder) as relationships:
        found = relationships.tasks.list(assignee=assignee, customer=customer, closed=closed, overdue=overdue)
        if as_json:
            print_document({"as_of": relationships.clock(), "tasks": found})
        else:
            _show_list(found, relationships, closed=closed)


@tasks.command()
@click.argument("id")
@json_option
@project_options
def show(folder: Path, id: str, *, as_json: bool) -> None:
    """Show all of one task: whom it is about, what to do, and what may come of it."""
    from relationship_core import Relationships

    with Relationships.open(folder) as relationships:
        task, outcomes = relationships.tasks.show(id), relationships.tasks.outcomes(id)
        if as_json:
            print_document(attributes(task) | {"outcomes": outcomes})
        else:
            _show(task, outcomes, relationships)


@tasks.command()
@click.argument("id")
@click.option("--outcome", metavar="OUTCOME", help="What came of it. [default: the only one, or else done]")
@click.option("--note", default="", metavar="TEXT", help="What there is to say about it.")
@_closes
@json_option
@project_options
def done(folder: Path, id: str, outcome: str | None, note: str, actor: str, *, as_json: bool) -> None:
    """Say what came of a task.

    The outcome is recorded as an interaction with the customer, of the kind that the campaign names for it, as of
    now. Said twice it is recorded once; another outcome is refused.
    """
    from relationship_core import Relationships

    with Relationships.open(folder) as relationships:
        closed = relationships.tasks.done(id, outcome=outcome, note=note, actor=actor)
        recorded = f"recorded {closed.recorded} for {closed.task.customer}" if closed.recorded else "nothing recorded"
        _tell(closed, f"is done with the outcome {closed.task.outcome}; {recorded}.", relationships, as_json=as_json)


@tasks.command()
@click.argument("id")
@click.option("--note", default="", metavar="TEXT", help="Why.")
@_closes
@json_option
@project_options
def cancel(folder: Path, id: str, note: str, actor: str, *, as_json: bool) -> None:
    """Say that a task is not to be done any more.

    Its customer was not contacted, then: the place is free again for what else was due.
    """
    from relationship_core import Relationships

    with Relationships.open(folder) as relationships:
        closed = relationships.tasks.cancel(id, note=note, actor=actor)
        _tell(closed, "is cancelled.", relationships, as_json=as_json)


COMMANDS = {"tasks": tasks}


def _tell(closed: ClosedTask, told: str, relationships: Relationships, *, as_json: bool) -> None:
    if as_json:
        print_document(closed)
        return
    from relationship_core.cli.show import clean, when

    before = ""
    if closed.already:
        before = f" It was before, {when(closed.task.settled_at, relationships.settings.project.zone)}."
    click.echo(clean(f"The task {closed.task.id[:_ID_SHOWN]}, {closed.task.title}, {told}{before}"))


def _show_list(found: tuple[Task, ...], relationships: Relationships, *, closed: bool) -> None:
    from relationship_core.cli.show import console, table, when

    if not found:
        click.echo("There is no such task." if closed else "No such task is open.")
        return
    zone, now = relationships.settings.project.zone, relationships.clock()
    rows = [
        (
            task.id[:_ID_SHOWN],
            _stands(task, when(task.due_at, zone), overdue=task.due_at < now),
            task.assignee,
            task.customer,
            task.title,
        )
        for task in found
    ]
    console().print(table("Tasks", ("task", "due or outcome" if closed else "due", "who", "customer", "what"), rows))
    click.echo("`relate tasks show ID` shows all of one, `relate tasks done ID` closes it.")


def _stands(task: Task, due: str, *, overdue: bool) -> str:
    if task.state != "open":
        return task.outcome or task.state
    return f"{due} overdue" if overdue else due


def _show(task: Task, outcomes: Mapping[str, str], relationships: Relationships) -> None:
    from relationship_core.cli.screen import line
    from relationship_core.cli.show import clean, console, heading, indented, when

    zone, out = relationships.settings.project.zone, console()
    told = [
        ("task", task.id),
        ("customer", task.customer),
        ("who", task.assignee),
        ("since", when(task.created_at, zone)),
        ("due", when(task.due_at, zone)),
        ("from", f"{task.campaign} / {task.action}, occasion {task.occasion}"),
        ("outcomes", ", ".join(f"{each} ({kind or 'nothing'})" for each, kind in sorted(outcomes.items()))),
        ("state", f"{task.state}, {task.outcome}" if task.outcome else task.state),
    ]
    if task.settled_at is not None:
        told += [("closed", f"{when(task.settled_at, zone)} by {task.actor}"), ("note", task.note)]
    out.print(heading(task.title))
    for label, text in told:
        if text:
            out.print(line(label, clean(text)))
    for each in task.text.splitlines():
        out.print(indented(clean(each)))
