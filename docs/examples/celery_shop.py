"""Celery tasks that record, run and deliver: ``celery -A celery_shop worker``."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery

from per_use import open_project
from relationship_core import Interaction, Money, RetriableError, parse_instant

app = Celery("celery_shop", broker=os.environ.get("CELERY_BROKER_URL", "redis://127.0.0.1"))
# A task that died with its worker is done again: each of these may be done twice. A locked database is tried again.
app.conf.update(task_acks_late=True, task_reject_on_worker_lost=True)
again = {"autoretry_for": (RetriableError,), "retry_backoff": True, "max_retries": 8}


@app.task(**again)
def record(interactions: list[dict[str, Any]]) -> int:
    """Record orders and visits as JSON has them, amounts in cents. How many were new; or none, if one is refused."""
    with open_project() as project:
        return project.record([_interaction(**each) for each in interactions]).new


def _interaction(*, at: str, minor: int | None = None, **more: Any) -> Interaction:
    amount = None if minor is None else Money(minor=minor, currency="EUR")
    return Interaction(at=parse_instant(at), amount=amount, **more)


@app.task(**again)
def run() -> int:
    """Review and plan, once a day by Celery beat; delivering is a task of its own. How many messages were planned."""
    with open_project() as project:
        project.review()
        planned = project.plan().planned
    deliver.delay()
    return planned


@app.task(**again)
def deliver() -> int:
    """Hand on what waits, from as many workers as you like. How many messages were accepted."""
    with open_project() as project:
        return project.deliver().accepted
