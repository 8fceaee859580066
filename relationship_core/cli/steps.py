"""The steps of a run, one by one and together: ``review``, ``plan``, ``deliver``, ``run``; and ``rebuild``."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from relationship_core.cli.documents import attributes, print_document
from relationship_core.cli.project import as_of_option, following, json_option, project_options

if TYPE_CHECKING:
    from relationship_core import Delivered, Relationships

_EVERY_CHANNEL = "*"
"""What ``--retry`` says where no channel is named."""


@click.command()
@click.option("--everybody", is_flag=True, help="Review everybody, not just who is due.")
@as_of_option
@json_option
@project_options
def review(folder: Path, as_of: datetime | None, *, everybody: bool, as_json: bool) -> None:
    """Judge every due customer: stage, moves, next due time.

    Due are those of whom something was recorded, those whose time has come, and everybody after a rule changed.
    """
    from relationship_core import Relationships
    from relationship_core.cli.outcomes import show_reviewed

    with Relationships.open(folder) as relationships, following() as progress:
        reviewed = relationships.review(as_of=as_of, everybody=everybody, progress=progress)
    if as_json:
        print_document(reviewed)
    else:
        show_reviewed(reviewed)


@click.command()
@click.option("--dry-run", is_flag=True, help="Say what would be decided, and keep nothing.")
@as_of_option
@json_option
@project_options
def plan(folder: Path, as_of: datetime | None, *, dry_run: bool, as_json: bool) -> None:
    """Decide whom to engage, and put messages into the outbox.

    Everybody is decided about who was reviewed since the last plan, or whose refusal may have lifted. Silence is
    a decision too: `relate explain ID` tells its reason. The exit status is 1 where a policy failed and stopped
    a campaign; the others are planned.
    """
    from relationship_core import Relationships
    from relationship_core.cli.outcomes import plan_document, show_planned
    from relationship_core.cli.words import reasons_in_words

    with Relationships.open(folder) as relationships, following() as progress:
        planned = relationships.plan(as_of=as_of, dry_run=dry_run, progress=progress)
        reasons = reasons_in_words(relationships)
    if as_json:
        print_document(plan_document(planned))
    else:
        show_planned(planned, reasons)
    if planned.failed:
        raise click.exceptions.Exit(1)


@click.command()
@click.option(
    "--retry",
    is_flag=False,
    flag_value=_EVERY_CHANNEL,
    metavar="[CHANNEL]",
    help="First put back into the outbox what was rejected or failed, on one channel or on all.",
)
@click.option("--unknown", is_flag=True, help="With --retry: send what may have gone already once more, too.")
@click.option(
    "--restored",
    is_flag=True,
    help="The store is a restored backup: do not send what may have gone since, and go on.",
)
@as_of_option
@json_option
@project_options
def deliver(
    folder: Path, as_of: datetime | None, retry: str | None, *, unknown: bool, restored: bool, as_json: bool
) -> None:
    """Hand the messages of the outbox to their channels.

    A message of which nobody knows whether it went out is not sent again, unless --unknown or the configuration says
    so. The exit status is 1 where a message failed or has an unknown outcome, a policy failed, or a channel is out of
    order or its credentials are wrong.
    """
    from relationship_core import Relationships
    from relationship_core.cli.outcomes import show_delivered, show_put_back, show_restored

    if unknown and retry is None:
        message = "--unknown goes with --retry: it says that what may have gone already is sent once more"
        raise click.UsageError(message)
    with Relationships.open(folder) as relationships, following() as progress:
        first: dict[str, object] = {}
        if restored:
            first["restored"] = kept = relationships.outbox.restored()
            if not as_json:
                show_restored(kept)
        if retry is not None:
            channel = None if retry == _EVERY_CHANNEL else retry
            first["put_back"] = put_back = relationships.outbox.retry(channel, unknown=unknown)
            if not as_json:
                show_put_back(put_back)
        delivered = relationships.deliver(as_of=as_of, progress=progress)
        deferred_for = _deferred_for(relationships, delivered)
    if as_json:
        print_document({**first, **attributes(delivered)})
    else:
        show_delivered(delivered, deferred_for=deferred_for)
    _exit(delivered)


@click.command()
@as_of_option
@json_option
@project_options
def run(folder: Path, as_of: datetime | None, *, as_json: bool) -> None:
    """Review and plan as of one instant, and deliver.

    A run that was cut short is taken up first, as of its own instant; what it delivers late is judged by the time
    that it is then. The exit status is that of plan and deliver.
    """
    from relationship_core import Relationships
    from relationship_core.cli.outcomes import plan_document, show_ran
    from relationship_core.cli.words import reasons_in_words

    with Relationships.open(folder) as relationships, following() as progress:
        ran = relationships.run(as_of=as_of, progress=progress)
        deferred_for = _deferred_for(relationships, ran.delivered)
        reasons = reasons_in_words(relationships)
    if as_json:
        document = attributes(ran)
        document["planned"] = plan_document(ran.planned) if ran.planned else None
        print_document(document)
    else:
        show_ran(ran, reasons, asked=as_of, deferred_for=deferred_for)
    if ran.planned is not None and ran.planned.failed:
        raise click.exceptions.Exit(1)
    _exit(ran.delivered)


@click.command()
@json_option
@project_options
def rebuild(folder: Path, *, as_json: bool) -> None:
    """Fold the whole history again, after measures have changed.

    History itself is not touched. Everybody is due for review afterwards.
    """
    from relationship_core import Relationships
    from relationship_core.cli.outcomes import show_rebuilt

    with Relationships.open(folder) as relationships, following() as progress:
        rebuilt = relationships.rebuild(progress=progress)
    if as_json:
        print_document(rebuilt)
    else:
        show_rebuilt(rebuilt)


COMMANDS = {"review": review, "plan": plan, "deliver": deliver, "run": run, "rebuild": rebuild}


def _deferred_for(relationships: Relationships, delivered: Delivered) -> str:
    """The causes of what waits in the outbox, a line for each."""
    from relationship_core.cli.checks import causes

    return causes(relationships, "queued") if delivered.deferred else ""


def _exit(delivered: Delivered) -> None:
    troubles = (
        delivered.failed,
        delivered.unknown,
        delivered.policy_failed,
        delivered.waiting,
        delivered.misconfigured,
    )
    if any(troubles):
        raise click.exceptions.Exit(1)
