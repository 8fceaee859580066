"""``relate plugin``: a plugin of one's own to begin with."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from relationship_core import PLUGIN_KINDS, distribution_of, load_plugins, new_plugin
from relationship_core.cli.documents import print_document
from relationship_core.cli.project import json_option

_KIND = f"What the plugin provides: {', '.join(PLUGIN_KINDS[:-1])} or {PLUGIN_KINDS[-1]}."


@click.group()
def plugin() -> None:
    """Begin a plugin of your own."""


@plugin.command()
@click.argument("name")
@click.option("--kind", type=click.Choice(PLUGIN_KINDS), required=True, metavar="KIND", help=_KIND)
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where to write it; a folder that is new or empty. [default: relationship-NAME]",
)
@json_option
def new(name: str, kind: str, folder: Path | None, *, as_json: bool) -> None:
    """Write a new plugin: a distribution with a test, a README, and workflows that test and publish it.

    NAME is in lower case, such as pigeon or carrier-pigeon; the distribution is called relationship-NAME. What is
    written works as it stands, and is to be changed. On failure nothing is written.
    """
    distribution = distribution_of(name)
    target = folder or Path(distribution)
    written = new_plugin(name, kind, target, plugins=load_plugins())
    if as_json:
        print_document({"distribution": distribution, "kind": kind, "folder": target.resolve(), "written": written})
        return
    click.echo(f"Wrote {distribution}, a {kind}, into {target}:")
    for path in written:
        click.echo(f"  {path}")
    click.echo("\nWhat to do next:")
    for line in (f"cd {shlex.quote(str(target))}", "pip install -e '.[testing]'", "pytest", "relate plugins"):
        click.echo(f"  {line}")


COMMANDS = {"plugin": plugin}
