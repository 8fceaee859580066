"""What the plugin adds: the command ``relate demo``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from relationship_core import hookimpl

if TYPE_CHECKING:
    from relationship_demo.business import Business

GROCERIES, GARAGE = "groceries", "garage"
MONTHS = {GROCERIES: 12, GARAGE: 24}
"""The businesses there are, and how many months each of them has."""


@hookimpl
def relationship_commands(cli: click.Group) -> None:
    """Add ``relate demo``."""
    cli.add_command(demo)


@click.command()
@click.option(
    "--business",
    "name",
    type=click.Choice(list(MONTHS)),
    default=GROCERIES,
    show_default=True,
    help="Whose history is replayed: real groceries, or a synthetic garage of which the truth is known.",
)
@click.option(
    "--project",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="The folder of the demo project; it is made. [default: relate-demo, of the garage relate-demo-garage]",
)
@click.option(
    "--months",
    type=click.IntRange(min=1),
    metavar="N",
    help="How many months to replay. [default: all, 12 of the groceries and 24 of the garage]",
)
@click.option(
    "--smtp",
    "mail_server",
    metavar="HOST:PORT",
    help="Deliver the e-mail of this run to that mail server, without encryption, instead of the outbox folder.",
)
@click.option(
    "--post",
    "is_printed",
    is_flag=True,
    help="Write the cards or letters of this run as PDF to print, a file for each batch, into outbox/print.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead.")
@click.pass_context
def demo(
    context: click.Context,
    *,
    name: str,
    folder: Path | None,
    months: int | None,
    mail_server: str | None,
    is_printed: bool,
    as_json: bool,
) -> None:
    """Replay a year of real purchases of 2,469 households, or two years of a synthetic garage.

    Makes a project folder, records month by month, reviews, plans a few campaigns and delivers them into
    an outbox folder; nothing leaves this machine unless --smtp names a server elsewhere. A second run finds the
    project and shows what is there; an interrupted one goes on where it stopped.
    """
    from relationship_demo.channels import post_channel, smtp_channel
    from relationship_demo.replay import replay
    from relationship_demo.show import following, show
    from relationship_demo.summary import summarize

    count = _count_of_months(months, MONTHS[name])
    channels = {} if mail_server is None else smtp_channel(mail_server)
    if is_printed:
        channels |= post_channel(name)
    business = _business(name)
    chosen = folder or _project_of_the_group(context) or business.folder
    with following() as listen:
        replay(chosen, months=count, listen=listen, business=business, channels=channels)
    summary = summarize(chosen, business)
    if as_json:
        click.echo(json.dumps(summary.document(), ensure_ascii=False, indent=2))
    else:
        show(summary)


def _count_of_months(given: int | None, there: int) -> int:
    if given is not None and given > there:
        message = f"{given} is not in the range 1<=x<={there}."
        raise click.BadParameter(message, param_hint="'--months'")
    return given or there


def _business(name: str) -> Business:
    """The business of that name; its data are heavy, so that they are loaded when they are asked for."""
    if name == GARAGE:
        from relationship_demo.garage.business import GARAGE as chosen  # noqa: N811  one of two
    else:
        from relationship_demo.groceries import GROCERIES as chosen  # noqa: N811  one of two
    return chosen


def _project_of_the_group(context: click.Context) -> Path | None:
    """The folder of ``relate --project DIR demo``, where somebody wrote it; its default is not meant."""
    root = context.find_root()
    given = root.get_parameter_source("project") is click.core.ParameterSource.COMMANDLINE
    return Path(root.params["project"]) if given else None
