"""What the plugin adds: the command ``relate demo``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from relationship_core import hookimpl

FOLDER = Path("relate-demo")


@hookimpl
def relationship_commands(cli: click.Group) -> None:
    """Add ``relate demo``."""
    cli.add_command(demo)


@click.command()
@click.option(
    "--project",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help=f"The folder of the demo project; it is made. [default: {FOLDER}]",
)
@click.option(
    "--months",
    type=click.IntRange(1, 12),
    default=12,
    show_default=True,
    help="How many months of 2017 to replay.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of tables.")
@click.pass_context
def demo(context: click.Context, folder: Path | None, months: int, *, as_json: bool) -> None:
    """Replay a year of real purchases of 2,469 households.

    Makes a project folder, records 2017 month by month, reviews, plans five campaigns and delivers them into
    an outbox folder; nothing leaves this machine. A second run finds the project and shows what is there; an
    interrupted one goes on where it stopped.
    """
    from relationship_demo.replay import replay
    from relationship_demo.show import following, show
    from relationship_demo.summary import summarize

    chosen = folder or _project_of_the_group(context) or FOLDER
    with following() as listen:
        replay(chosen, months=months, listen=listen)
    summary = summarize(chosen)
    if as_json:
        click.echo(json.dumps(summary.document(), ensure_ascii=False, indent=2))
    else:
        show(summary)


def _project_of_the_group(context: click.Context) -> Path | None:
    """The folder of ``relate --project DIR demo``, where somebody wrote it; its default is not meant."""
    root = context.find_root()
    given = root.get_parameter_source("project") is click.core.ParameterSource.COMMANDLINE
    return Path(root.params["project"]) if given else None
