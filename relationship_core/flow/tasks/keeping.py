"""Keeping: tasks as rows, each once, and rows as tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from relationship_core.columns import TASKS
from relationship_core.model.campaign import Campaign
from relationship_core.model.task import Assignment, Task
from relationship_core.ports import Store


def keep_tasks(store: Store, tasks: Sequence[Task]) -> None:
    """Keep new tasks, inside a transaction; one that there is already stays as it is, whatever became of it."""
    missing = [each for each in tasks if store.read(TASKS, where={"id": each.id}, columns=["id"]).is_empty()]
    if missing:
        rows = [{name: getattr(each, name) for name in TASKS.schema} for each in missing]
        store.put(TASKS, pl.DataFrame(rows, schema=TASKS.types()))


def as_task(row: Mapping[str, Any]) -> Task:
    """A row of TASKS as a task."""
    return Task(**{name: row[name] for name in TASKS.schema})


def assignment_of(campaign: Campaign, action: str) -> Assignment:
    """How an action gives work to people: as it says, or as every action does that says nothing."""
    return next(each.task for each in campaign.actions if each.name == action) or Assignment()
