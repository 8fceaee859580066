"""Assigning: the message of a task, to the task that is kept when its channel takes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from relationship_core.errors import RejectedError
from relationship_core.flow.deliver.render import (
    Row,
    Studio,
    columns_in,
    columns_named,
    known_of,
    message_context,
    rendered,
    variant_of,
)
from relationship_core.flow.tasks.keeping import assignment_of
from relationship_core.model.campaign import Campaign
from relationship_core.model.message import Message
from relationship_core.model.task import Task
from relationship_core.model.words import TASK_MEDIUM
from relationship_core.ports import Store


def is_task(row: Row) -> bool:
    """Whether a message is work for somebody."""
    return row["medium"] == TASK_MEDIUM


def columns_of_assignees(campaigns: Iterable[tuple[Campaign, Row]], studio: Studio) -> frozenset[str]:
    """The columns that say who does the tasks among these messages."""
    templates = {assignment_of(campaign, str(row["action"])).assignee for campaign, row in campaigns if is_task(row)}
    return frozenset[str]().union(*(columns_in([each], studio.renderer) for each in templates))


def assignee_of(row: Row, campaign: Campaign, known: Row, studio: Studio) -> str:
    """Who does a task: as its action says, or the campaign's owner where that names nobody for this customer."""
    template = assignment_of(campaign, str(row["action"])).assignee
    context = message_context(row, campaign, known, studio.project)
    try:
        assignee = studio.renderer.render(template, context, html=False)
    except RejectedError:  # such as the account manager of a customer who has none; wrong names are refused before
        return campaign.owner
    return " ".join(assignee.split()) or campaign.owner


def task_of(
    row: Row, message: Message, campaign: Campaign, known: Row, *, studio: Studio, now: datetime
) -> Task | None:
    """The task that a message is; None where it is for the customer."""
    if not is_task(row):
        return None
    return Task(
        id=message.id,
        customer=message.engagement.customer,
        campaign=campaign.name,
        action=message.engagement.action,
        occasion=message.engagement.occasion,
        assignee=assignee_of(row, campaign, known, studio),
        title=message.subject.strip() or _unnamed(row),
        text=message.text,
        created_at=now,
        due_at=now + timedelta(days=assignment_of(campaign, message.engagement.action).due_days),
    )


def taken_tasks(
    rows: Sequence[Row],
    campaigns: Mapping[tuple[str, str], Campaign],
    store: Store,
    studio: Studio,
    now: datetime,
) -> list[Task]:
    """The tasks that their channel has, of messages whose worker died before they were kept: filled in once more."""
    tasks = []
    for row in filter(is_task, rows):
        campaign = campaigns[str(row["campaign"]), str(row["version"])]
        variant = variant_of(campaign, row)
        names = columns_named(variant, studio.renderer) | columns_of_assignees([(campaign, row)], studio)
        known = known_of(store, studio, [str(row["customer"])], names)[str(row["customer"])]
        try:
            message = rendered(row, variant, campaign, known, studio)
            task = task_of(row, message, campaign, known, studio=studio, now=now)
        except Exception:  # noqa: BLE001  somebody has the work already, so that it is listed with what is known of it
            task = _bare(row, campaign, now)
        tasks += [task] if task is not None else []
    return tasks


def _bare(row: Row, campaign: Campaign, now: datetime) -> Task:
    due_days = assignment_of(campaign, str(row["action"])).due_days
    return Task(
        id=str(row["id"]),
        customer=str(row["customer"]),
        campaign=campaign.name,
        action=str(row["action"]),
        occasion=str(row["occasion"]),
        assignee=campaign.owner,
        title=_unnamed(row),
        created_at=now,
        due_at=now + timedelta(days=due_days),
    )


def _unnamed(row: Row) -> str:
    return f"{row['campaign']} / {row['action']}"
