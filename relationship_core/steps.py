"""The steps and questions of a project: each is imported when it is taken, so that one does not wait for the others.

A customer's page would take twice as long if it waited for what records, plans and delivers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from relationship_core.flow.deliver.delivering import Delivered
    from relationship_core.flow.plan.planned import Planned
    from relationship_core.flow.privacy import Export, Forgotten
    from relationship_core.flow.progress import Listener
    from relationship_core.flow.record.presets import How
    from relationship_core.flow.record.recorder import Recorded
    from relationship_core.flow.report.customers import CustomerView
    from relationship_core.flow.report.explained import Explanation
    from relationship_core.flow.report.preview import Preview
    from relationship_core.flow.report.summary import LadderView, Report
    from relationship_core.flow.review import Reviewed
    from relationship_core.flow.runs import Ran, Steps
    from relationship_core.model.campaign import Campaign
    from relationship_core.project import Project


def import_from(project: Project, path: Path, how: How, progress: Listener) -> Recorded:
    """Record a file."""
    from relationship_core.flow.record.presets import import_from

    return import_from(project.recording(), path, how, progress)


def review(
    project: Project, as_of: datetime | None, *, everybody: bool, page_size: int, progress: Listener
) -> Reviewed:
    """Judge customers, and announce who moved."""
    from relationship_core.flow.announce import transitions_to
    from relationship_core.flow.review import review

    return review(
        project.store,
        project.rules,
        project.moment(as_of, step="review"),
        everybody=everybody,
        page_size=page_size,
        workers=project.workers,
        announce=transitions_to(project.plugins),
        progress=progress,
    )


def plan(project: Project, as_of: datetime | None, *, dry_run: bool, page_size: int, progress: Listener) -> Planned:
    """Decide about reviewed customers."""
    from relationship_core.flow.plan.planning import plan

    project.check_sender()
    return plan(
        project.store,
        project.rules,
        project.moment(as_of, step="" if dry_run else "plan"),
        project.premises(keep=not dry_run),
        dry_run=dry_run,
        page_size=page_size,
        workers=project.workers,
        progress=progress,
    )


def deliver(
    project: Project, as_of: datetime | None, *, wait: Callable[[float], None], progress: Listener
) -> Delivered:
    """Hand messages to their channels, and announce the receipts."""
    from relationship_core.flow.announce import receipts_to
    from relationship_core.flow.deliver.delivering import deliver
    from relationship_core.flow.deliver.suppressing import keep_refused

    studio = project.studio(as_of, step="deliver")
    return deliver(
        project.store,
        project.outlets,
        studio,
        project.gate,
        project.clock,
        witness=project.witness(studio.salt),
        suppress=partial(keep_refused, project.recorder),
        wait=wait,
        announce=receipts_to(project.plugins),
        progress=progress,
    )


def run(project: Project, whole: Steps, as_of: datetime | None, *, progress: Listener) -> Ran:
    """Review, plan and deliver, with the steps of whoever takes them."""
    from relationship_core.flow.runs import run

    now = project.moment(as_of, step="run").now
    return run(project.store, project.rules, whole, as_of=now, clock=project.clock, progress=progress)


def customer(project: Project, customer: str, as_of: datetime | None, *, entries: int) -> CustomerView:
    """Everything about one customer."""
    from relationship_core.flow.report.customers import view_customer

    return view_customer(
        project.store,
        project.catalog,
        customer,
        project.moment(as_of),
        costs=project.cost_terms,
        entries=entries,
        parameters=project.plugins.values,
    )


def explain(project: Project, customer: str, campaign: str | None, as_of: datetime | None) -> Explanation:
    """Why a customer did, or did not, get messages."""
    from relationship_core.flow.report.explain import explain

    moment = project.moment(as_of)
    return explain(
        project.store, project.rules_alone, customer, campaign, moment, premises=project.premises(keep=False)
    )


def preview(project: Project, campaign: Campaign, customer: str | None, as_of: datetime | None) -> Sequence[Preview]:
    """What a campaign would say to one customer."""
    from relationship_core.flow.report.preview import preview

    media = project.chosen.media(project.campaigns)
    return preview(project.store, campaign, customer, project.studio(as_of), media, price=project.chosen.price)


def ladder(project: Project, as_of: datetime | None) -> LadderView:
    """Where customers stand on the ladder, or stood at an instant."""
    from relationship_core.flow.report.summary import view_ladder

    return view_ladder(project.store, project.catalog.ladder, project.settings.project.zone, as_of=as_of)


def report(project: Project, as_of: datetime | None) -> Report:
    """The project in numbers, as they are or were at an instant."""
    from relationship_core.flow.report.summary import report
    from relationship_core.model.instants import utc

    now = utc(project.clock())
    zone = project.settings.project.zone
    return report(project.store, project.catalog.ladder, now, zone, project.cost_terms, as_of=as_of)


def export(project: Project, customer: str) -> Export:
    """Everything that is kept about one customer."""
    from relationship_core.flow.privacy import export

    return export(project.recorder, project.terms(keep=False), customer)


def forget(project: Project, customer: str, *, actor: str, reason: str) -> Forgotten:
    """Erase everything about one customer."""
    from relationship_core.flow.privacy import forget

    return forget(project.recording(), project.terms(keep=True), customer, actor=actor, reason=reason)
