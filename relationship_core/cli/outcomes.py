"""What a step did, in words and as a document."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import click

from relationship_core import Delivered, Planned, Ran, Rebuilt, Restored, Reviewed
from relationship_core.cli.documents import attributes
from relationship_core.cli.show import clean, console, counted, table

_MEANINGS = {
    "deferred": "the channel wants them later, and a later `relate deliver` sends them",
    "rejected": "the channel will never take them; look at their addresses",
    "unknown": "the channel may have sent them; look there, since they are not sent again by themselves",
    "expired": "they were no longer worth sending",
    "failed": "they could not be filled in, or are not for their channel; see `relate doctor`",
    "stopped": "permission was taken back, the goal reached, the campaign archived, or the task cancelled",
    "unjudged": "a policy failed on them, and they stay in the outbox",
}
"""Of each state that is not simply good: what it means for the messages."""
_STATES = {"draft": "a draft, which `relate campaign` brings to life"}
"""The states of campaigns that are no words for people."""


def show_reviewed(reviewed: Reviewed) -> None:
    """Say what a review did."""
    moved = counted(reviewed.transitions, "move")
    click.echo(f"Reviewed as of {_at(reviewed.as_of)}: {counted(reviewed.customers, 'customer')}, {moved}.")


def show_planned(planned: Planned, reasons: Mapping[str, str]) -> None:
    """Show what a plan decided anew, by campaign, owner and reason with examples, and how much stands as it was."""
    out = console()
    if planned.decided:
        rows = [
            (
                campaign,
                planned.owners.get(campaign, ""),
                reason,
                f"{number:,}",
                ", ".join(planned.examples[campaign, reason]),
                reasons.get(reason, ""),
            )
            for (campaign, reason), number in sorted(planned.decided.items())
        ]
        titles = ("campaign", "owner", "reason", ">engagements", "such as", "which means")
        out.print(table("Decisions", titles, rows))
        out.print()
    if planned.unchanged:
        click.echo(_standing(planned))
    for campaign, trouble in sorted(planned.failed.items()):
        click.echo(
            f"The campaign {clean(campaign)} was stopped: {clean(trouble)}; mend its plugin or disable it, "
            "then plan again. The other campaigns were planned."
        )
    for campaign, state in sorted(planned.inactive.items()):
        click.echo(f"The campaign {clean(campaign)} was left out: it is {_STATES.get(state, state)}.")
    done = "Would plan" if planned.dry_run else "Planned"
    left_out = f", {counted(planned.held_out, 'engagement')} held out" if planned.held_out else ""
    click.echo(
        f"{done} as of {_at(planned.as_of)}: {counted(planned.customers, 'customer')}, "
        f"{counted(planned.planned, 'message')} for the outbox{left_out}."
    )
    if planned.dry_run:
        click.echo("Nothing was kept.")


def _standing(planned: Planned) -> str:
    stand = "stands as it was" if planned.unchanged == 1 else "stand as they were"
    if planned.decided:
        return f"{counted(planned.unchanged, 'other decision')} {stand}."
    return f"Nothing new was decided; {counted(planned.unchanged, 'decision')} {stand}."


def plan_document(planned: Planned) -> Mapping[str, Any]:
    """The plan with its decisions as rows, since pairs are no keys in JSON."""
    document = attributes(planned)
    del document["decided"], document["examples"], document["owners"]
    document["decisions"] = [
        {
            "campaign": campaign,
            "owner": planned.owners.get(campaign, ""),
            "reason": reason,
            "engagements": number,
            "examples": list(planned.examples[campaign, reason]),
        }
        for (campaign, reason), number in sorted(planned.decided.items())
    ]
    return document


def show_delivered(delivered: Delivered, *, deferred_for: str) -> None:
    """Say what became of the messages, why some are deferred, and what to do about those that did not arrive."""
    numbers = {state: int(getattr(delivered, state)) for state in ("accepted", *_MEANINGS)}
    told = [f"{number:,} {state}" for state, number in numbers.items() if number]
    click.echo(f"Delivered as of {_at(delivered.as_of)}: {', '.join(told) or 'nothing was waiting'}.")
    for state, meaning in _MEANINGS.items():
        if numbers[state]:
            click.echo(f"  {state}: {meaning}")
            if state == "deferred":
                for line in deferred_for.splitlines():
                    click.echo(f"    {clean(line)}")
    for campaign, trouble in sorted(delivered.policy_failed.items()):
        click.echo(
            f"The messages of the campaign {clean(campaign)} wait: {clean(trouble)}; mend its plugin or disable it, "
            "then `relate deliver`."
        )
    for campaigns, why in (
        (delivered.inactive, "that is not active; `relate campaign`"),
        (delivered.unapproved, "nobody approved the content that was planned; `relate campaign show`"),
    ):
        for campaign, number in sorted(campaigns.items()):
            wait = "waits" if number == 1 else "wait"
            click.echo(f"  {counted(number, 'message')} of {clean(campaign)} {wait}, since {why}")
    for channel, until in sorted(delivered.waiting.items()):
        click.echo(f"  {channel}: out of order, and left alone until {_at(until)}; look at it, then `relate deliver`")
    for channel, trouble in sorted(delivered.misconfigured.items()):
        click.echo(f"  {channel}: {clean(trouble)}; its messages wait")
    _show_left(delivered)


_WAITS = {
    "campaign": "for their campaigns",
    "time": "for their time",
    "breaker": "for a channel that is out of order",
    "settings": "for a channel whose settings are wrong",
    "policy": "for a policy that failed",
    "channel": "for a channel that is not configured",
    "worker": "for another delivery, which is at them or has left them",
    "turn": "for the next delivery",
}
"""Of each reason why messages are left in the outbox: what they wait for."""


def _show_left(delivered: Delivered) -> None:
    """Say how many messages are in no final state yet, and why."""
    if not delivered.left.keys() - {"campaign"}:  # those are told already
        return
    parts = []
    for reason, words in _WAITS.items():
        if number := delivered.left.get(reason):
            since = f", the first until {_at(delivered.next_at)}" if reason == "time" and delivered.next_at else ""
            parts.append(f"{number:,} {words}{since}")
    total = sum(delivered.left.values())
    click.echo(f"{counted(total, 'message')} {'waits' if total == 1 else 'wait'} in the outbox: {'; '.join(parts)}.")


def show_restored(restored: Restored) -> None:
    """Say what became of the outbox of a restored store."""
    click.echo(
        f"The store was restored: {counted(restored.unknown, 'message')} may have gone since the backup and "
        f"stay unsent; {restored.accepted:,} had gone; {restored.queued:,} surely may go."
    )


def show_put_back(put_back: Mapping[str, int]) -> None:
    """Say how many messages were put back into the outbox."""
    told = [f"{number:,} {state}" for state, number in put_back.items()]
    total = counted(sum(put_back.values()), "message")
    click.echo(f"Put {total} back into the outbox: {', '.join(told)}." if told else "There was nothing to put back.")


def show_ran(ran: Ran, reasons: Mapping[str, str], *, asked: datetime | None, deferred_for: str) -> None:
    """Say what each step of a run did."""
    if ran.resumed:
        click.echo(f"Took up the run as of {_at(ran.as_of)}, which had been cut short.")
    if ran.reviewed:
        show_reviewed(ran.reviewed)
    if ran.planned:
        show_planned(ran.planned, reasons)
    show_delivered(ran.delivered, deferred_for=deferred_for)
    if ran.resumed:
        again = f" --as-of {asked.isoformat()}" if asked else ""
        click.echo(f"What has happened since has its turn with the next run: `relate run{again}`.")


def show_rebuilt(rebuilt: Rebuilt) -> None:
    """Say what a rebuild did."""
    if rebuilt.resumed:
        click.echo("Took up the rebuild that had been cut short.")
    history = counted(rebuilt.interactions, "interaction")
    click.echo(f"Folded {history} of {counted(rebuilt.customers, 'customer')}; `relate run` judges everybody anew.")


def _at(instant: datetime) -> str:
    return instant.isoformat(timespec="seconds")
