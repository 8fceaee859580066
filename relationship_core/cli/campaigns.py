"""``relate campaign``: the life of campaigns, from a draft to the archive, and test messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from relationship_core.cli import ready
from relationship_core.cli.documents import attributes, print_document
from relationship_core.cli.project import actor, json_option, project_options

if TYPE_CHECKING:
    from relationship_core import CampaignMove, CampaignTest, CampaignView, LifeAct

F = TypeVar("F", bound=Callable[..., Any])

_FROM_THEN_ON = {
    "approve": "approved",
    "activate": "active: plan looks at it, and what waits of it goes",
    "pause": "paused: plan leaves it alone, and what waits of it stays in the outbox",
    "archive": "archived",
    "draft": "a draft",
}


def _act(command: F) -> F:
    """A command that does something with one campaign, in somebody's name."""
    reason = click.option("--reason", default="", metavar="TEXT", help="Why; kept with it.")
    for option in (project_options, json_option, reason, actor("does"), click.argument("name")):
        command = option(command)
    return command


@click.group()
def campaign() -> None:
    """Bring campaigns to life, send tests of them, and copy ready ones.

    Plan looks at active campaigns alone, and deliver leaves in the outbox what waits of the others. Without
    [campaigns] approval a campaign is active from the beginning; with it, each is a draft until somebody approves and
    activates it, and again once its content has changed. Who did what, and when, is kept.
    """


@campaign.command(name="list")
@json_option
@project_options
def list_(folder: Path, *, as_json: bool) -> None:
    """List the campaigns, and where each is in its life.

    A campaign whose file is gone is among them while something of it waits in the outbox, or something was done
    with it.
    """
    from relationship_core import Relationships

    with Relationships.open(folder) as relationships:
        views = relationships.campaign_life.list()
        zone = relationships.settings.project.zone
    if as_json:
        print_document({"campaigns": [_document(each) for each in views]})
    else:
        _show_list(views, zone)


@campaign.command()
@click.argument("name")
@json_option
@project_options
def show(folder: Path, name: str, *, as_json: bool) -> None:
    """Show the life of one campaign, what may be done with it, and every content that it had."""
    from relationship_core import Relationships

    with Relationships.open(folder) as relationships:
        view = relationships.campaign_life.show(name)
        zone = relationships.settings.project.zone
    if as_json:
        print_document(_document(view) | {"acts": view.acts, "versions": view.versions})
    else:
        _show(view, zone)


@campaign.command()
@click.option("--version", default="", metavar="VERSION", help="Only if this is still the version of its content.")
@_act
def approve(folder: Path, name: str, actor: str, reason: str, version: str, *, as_json: bool) -> None:
    """Approve a campaign's content as it is now.

    A draft is approved then, and may be activated. An active campaign whose content has changed goes on with the
    new one.
    """
    _move("approve", folder, name, as_json=as_json, actor=actor, reason=reason, version=version)


@campaign.command()
@_act
def activate(folder: Path, name: str, actor: str, reason: str, *, as_json: bool) -> None:
    """Let a campaign be planned, and let go what waits of it."""
    _move("activate", folder, name, as_json=as_json, actor=actor, reason=reason)


@campaign.command()
@_act
def pause(folder: Path, name: str, actor: str, reason: str, *, as_json: bool) -> None:
    """Plan a campaign no more, and leave in the outbox what waits of it.

    It acts at once, also on a delivery that is under way: a message that is just being sent is the last.
    """
    _move("pause", folder, name, as_json=as_json, actor=actor, reason=reason)


@campaign.command()
@_act
def archive(folder: Path, name: str, actor: str, reason: str, *, as_json: bool) -> None:
    """End a campaign, also one whose file is gone.

    What waits of it in the outbox is stopped for good: it is not planned again for the same occasion.
    """
    _move("archive", folder, name, as_json=as_json, actor=actor, reason=reason)


@campaign.command()
@_act
def draft(folder: Path, name: str, actor: str, reason: str, *, as_json: bool) -> None:
    """Take a campaign out of the archive, to begin anew."""
    _move("draft", folder, name, as_json=as_json, actor=actor, reason=reason)


@campaign.command()
@click.option("--customer", "customers", multiple=True, metavar="ID", help="For whom; may be repeated.")
@click.option("--action", metavar="ACTION", help="One action alone. [default: all]")
@_act
def test(
    folder: Path,
    *,
    name: str,
    actor: str,
    reason: str,
    customers: tuple[str, ...],
    action: str | None,
    as_json: bool,
) -> None:
    """Send what a campaign would say to addresses of your own.

    It is filled in for the customers named, or for the first three of its audience, and each variant goes to the
    addresses that [campaigns] seeds has for its medium, with [Test] before the subject. No customer gets any of it,
    and it counts as no contact. The exit status is 1 where a channel did not accept a message.
    """
    from relationship_core import Relationships

    with Relationships.open(folder) as relationships:
        done = relationships.campaign_life.test(name, customers=customers, action=action, actor=actor, reason=reason)
    if as_json:
        print_document(done)
    else:
        _tell_test(done)
    if set(done.messages) - {"accepted"}:
        raise click.exceptions.Exit(1)


for _command in ready.COMMANDS.values():
    campaign.add_command(_command)

COMMANDS = {"campaign": campaign}


def _move(act: LifeAct, folder: Path, name: str, *, as_json: bool, **said: str) -> None:
    """Do it, and tell what came of it."""
    from relationship_core import Relationships

    with Relationships.open(folder) as relationships:
        done = getattr(relationships.campaign_life, act)(name, **said)
    _tell(done, as_json=as_json)


def _document(view: CampaignView) -> dict[str, Any]:
    document = attributes(view)
    del document["acts"], document["versions"]
    return document


def _show_list(views: Sequence[CampaignView], zone: str) -> None:
    from relationship_core.cli.show import console, table, when

    if not views:
        click.echo("The project has no campaigns; write one into campaigns/.")
        return
    titles = ("campaign", "state", "version", "owner", "since", "by", ">waiting", ">accepted")
    rows = [
        (
            each.campaign,
            each.state,
            "its file is gone" if each.is_gone else each.version,
            each.owner,
            when(each.since, zone).partition(" ")[0] if each.since else "",
            each.actor,
            f"{each.waiting:,}",
            f"{each.accepted:,}",
        )
        for each in views
    ]
    console().print(table("Campaigns", titles, rows))


def _show(view: CampaignView, zone: str) -> None:
    from relationship_core.cli.show import clean, console, heading, table, when

    out = console()
    of = f", of {view.owner}" if view.owner else ""
    out.print(heading(view.campaign, more=f"{view.state}{of}, version {view.version}"))
    if view.is_gone:
        click.echo("Its file is gone.")
    elif view.approved not in {"", view.version}:
        click.echo(f"Its content has changed since version {view.approved} was approved.")
    if not view.since:
        click.echo("Nothing was done with it; it is as [campaigns] approval says.")
    may = ", ".join(f"`relate campaign {act} {view.campaign}`" for act in view.may)
    click.echo(clean(f"What may be done: {may or 'nothing'}."))
    out.print()
    rows = [
        (each.version, when(each.at, zone), "yes" if each.approved else "no", f"{each.waiting:,}")
        for each in view.versions
    ]
    if rows:
        out.print(table("Content", ("version", "known since", "approved", ">waiting"), rows))
    else:
        out.print("No plan has seen it yet, and nobody has done anything with it.")
    if view.acts:
        acts = [
            (when(each.at, zone), each.act, each.state, each.version, each.actor, each.reason, each.detail)
            for each in view.acts
        ]
        out.print()
        out.print(table("Life", ("when", "what", "from then on", "version", "by", "because", "detail"), acts))


def _tell(done: CampaignMove, *, as_json: bool) -> None:
    if as_json:
        print_document(done)
        return
    from relationship_core.cli.show import clean, counted

    act = done.act
    # What is approved while it is active, or paused, stays so.
    now = f"approved, and it is {act.state}" if act.act == "approve" and act.state != "approved" else ""
    click.echo(clean(f"{act.campaign} is {now or _FROM_THEN_ON[act.act]} (version {act.version})."))
    if done.stopped:
        click.echo(f"{counted(done.stopped, 'message')} that waited will never go.")
    elif done.waiting:
        click.echo(f"{counted(done.waiting, 'message')} of it in the outbox.")


def _tell_test(done: CampaignTest) -> None:
    from relationship_core.cli.show import clean, counted

    told = ", ".join(f"{number:,} {state}" for state, number in sorted(done.messages.items()))
    people = counted(len(done.customers), "customer")
    click.echo(clean(f"Sent tests of {done.campaign} (version {done.version}), filled in for {people}: {told}."))
    for detail in done.details:
        click.echo(f"  {clean(detail)}")
    for medium in done.without_seeds:
        click.echo(clean(f"None by {medium}: [campaigns] seeds has no address for it."))
