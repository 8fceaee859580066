"""``relate plugins``: what is installed, and what is broken."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from relationship_core import load_plugins, read_settings
from relationship_core.cli.documents import print_document
from relationship_core.cli.project import json_option, project_options
from relationship_core.cli.starting import SETTINGS

if TYPE_CHECKING:
    from relationship_core import InstalledPlugin, Plugins


@click.command()
@json_option
@project_options
def plugins(folder: Path, *, as_json: bool) -> None:
    """Show the installed plugins, and the broken ones.

    Where there is a project, those that it disables are left out. The exit status is 1 where one is broken.
    """
    # Plugins are there without a project too.
    disabled = read_settings(folder).plugins.disabled if (folder / SETTINGS).exists() else ()
    found = load_plugins(disabled=disabled)
    if as_json:
        print_document({"installed": found.installed, "broken": found.broken, "disabled": disabled})
    else:
        _show(found)
    if found.broken:
        raise click.exceptions.Exit(1)


_OTHERS = {
    "relationship_commands": "commands",
    "relationship_recorded": "hears what was recorded",
    "relationship_stage_changed": "hears who moved",
    "relationship_delivered": "hears what was delivered",
}
"""What a plugin does that declares nothing."""
FEW = 6
"""So many names are listed, or else counted."""

COMMANDS = {"plugins": plugins}


def _show(found: Plugins) -> None:
    from relationship_core.cli.show import print_parts, table

    columns = ("plugin", "distribution", "version", "provides")
    installed = [(plugin.name, plugin.distribution, plugin.version, _provided(plugin)) for plugin in found.installed]
    parts = [table("Installed plugins", columns, installed)]
    if found.broken:
        broken = [(plugin.name, plugin.distribution, plugin.version, plugin.reason) for plugin in found.broken]
        parts.append(table("Broken plugins, left out", ("plugin", "distribution", "version", "reason"), broken))
    print_parts(parts)


def _provided(plugin: InstalledPlugin) -> str:
    """What it declares, and the other hooks that it implements."""
    declared = [_listed(word, names) for word, names in plugin.provides.items()]
    others = [_OTHERS[hook] for hook in plugin.hooks if hook in _OTHERS]
    return "; ".join([*declared, *others])


def _listed(word: str, names: tuple[str, ...]) -> str:
    if len(names) > FEW:
        return f"{len(names)} {word}s: {', '.join(names[: FEW - 1])}, ..."
    return f"{word} {', '.join(names)}"
