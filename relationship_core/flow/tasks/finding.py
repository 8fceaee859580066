"""Finding: tasks by whom they are for and whom they are about, and one task by its id."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from relationship_core.columns import TASKS
from relationship_core.errors import RejectedError
from relationship_core.flow.customers import find_customer
from relationship_core.flow.tasks.keeping import as_task
from relationship_core.flow.united import refreshed
from relationship_core.model.task import Task
from relationship_core.ports import Store

SHORTEST = 6
"""An id may be shortened to so many characters, where no other task's id begins with them."""
_NAMED = 3
_SHOWN = 40


def listed_tasks(
    store: Store, *, assignee: str | None, customer: str | None, closed: bool, overdue_at: datetime | None
) -> tuple[Task, ...]:
    """Tasks, those that are open first, by the time that they are due; about merged customers under the id of now.

    Args:
        store: where they are.
        assignee: only what this person does; None for everybody.
        customer: only what is about this customer, under whichever of their ids; None for all.
        closed: whether those are among them that are done or cancelled.
        overdue_at: only those that are open and were due before this instant; None for all.

    Raises:
        RejectedError: nobody has that id.
    """
    where = {} if closed and overdue_at is None else {"state": "open"}
    where |= {} if assignee is None else {"assignee": assignee}
    rows = store.read(TASKS, page=None if customer is None else find_customer(store, customer), where=where)
    if overdue_at is not None:
        rows = rows.filter(pl.col("due_at") < overdue_at)
    rows = rows.with_columns(refreshed(store).resolved(rows["customer"]).alias("customer"))
    return tuple(map(as_task, rows.sort(pl.col("state") != "open", "due_at", "id").iter_rows(named=True)))


def task(store: Store, id: str) -> Task:
    """One task, about its customer under the id of now.

    Args:
        store: where it is.
        id: its id, or a beginning of it that no other has.

    Raises:
        RejectedError: there is none, or there are several.
    """
    row = found(store, id)
    present = refreshed(store).resolved(row["customer"]).alias("customer")
    return as_task(row.with_columns(present).row(0, named=True))


def found(store: Store, id: str) -> pl.DataFrame:
    """The row of TASKS with an id, or with the only one that begins so.

    Raises:
        RejectedError: there is none, or there are several.
    """
    row = store.read(TASKS, where={"id": id})
    if row.height:
        return row
    # Ids are lower-case hexadecimal digits.
    shown, id = id[:_SHOWN], id.lower()
    ids = store.read(TASKS, columns=["id"])["id"] if len(id) >= SHORTEST else pl.Series("id", [], pl.String)
    same = ids.filter(ids.str.starts_with(id)).to_list()
    if not same:
        hint = "" if len(id) >= SHORTEST else f" An id may be shortened to {SHORTEST} characters, not further."
        message = f"there is no task {shown!r}; `relate tasks --all` lists all there are.{hint}".removesuffix(".")
        raise RejectedError(message)
    if len(same) > 1:
        named = ", ".join(same[:_NAMED]) + (" and others" if len(same) > _NAMED else "")
        message = f"{len(same)} tasks have an id that begins with {shown!r}: {named}; give more of it"
        raise RejectedError(message)
    return store.read(TASKS, where={"id": same[0]})
