"""``relate plugins``: what is installed, and what is broken."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from relationship_core import SETTINGS_FILE, load_plugins, read_settings
from relationship_core.cli.documents import print_document
from relationship_core.cli.project import json_option, project_options

if TYPE_CHECKING:
    from relationship_core import InstalledPlugin, ParameterView, Plugins, Settings


@click.command()
@json_option
@project_options
def plugins(folder: Path, *, as_json: bool) -> None:
    """Show the installed plugins, and the broken ones.

    Where there is a project, those that it disables are left out, and the parameters are shown that it has set by
    hand or fitted. The exit status is 1 where a plugin is broken.
    """
    # Plugins are there without a project too.
    settings = read_settings(folder) if (folder / SETTINGS_FILE).exists() else None
    disabled = settings.plugins.disabled if settings else ()
    found = load_plugins(disabled=disabled)
    found, parameters = _in_force(folder, settings, found) if settings else (found, ())
    if as_json:
        document = {"installed": found.installed, "broken": found.broken, "disabled": disabled}
        print_document({**document, "parameters": parameters})
    else:
        _show(found, parameters)
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


def _in_force(folder: Path, settings: Settings, found: Plugins) -> tuple[Plugins, tuple[ParameterView, ...]]:
    """The plugins as they declare with the parameters of the project, and these; `relate doctor` tells of a failure."""
    from relationship_core import RelationshipError, Relationships

    try:
        with Relationships(settings=settings, plugins=found, folder=folder.absolute()) as relationships:
            return relationships.plugins, relationships.parameters
    except RelationshipError:
        return found, ()


def _show(found: Plugins, parameters: Sequence[ParameterView]) -> None:
    from relationship_core.cli.show import number, print_parts, table

    columns = ("plugin", "distribution", "version", "provides")
    installed = [(plugin.name, plugin.distribution, plugin.version, _provided(plugin)) for plugin in found.installed]
    parts = [table("Installed plugins", columns, installed)]
    if found.broken:
        broken = [(plugin.name, plugin.distribution, plugin.version, plugin.reason) for plugin in found.broken]
        parts.append(table("Broken plugins, left out", ("plugin", "distribution", "version", "reason"), broken))
    chosen = [each for each in parameters if each.origin != "default"]
    if chosen:
        rows = [(each.name, number(each.value), each.origin, each.summary) for each in chosen]
        parts.append(table("Parameters of this project", ("parameter", ">value", "from", "which means"), rows))
    print_parts(parts)


def _provided(plugin: InstalledPlugin) -> str:
    """What it declares, and the other hooks that it implements."""
    declared = [_listed(word, names) for word, names in plugin.provides.items()]
    others = [_OTHERS[hook] for hook in plugin.hooks if hook in _OTHERS]
    return "; ".join([*declared, *others])


def _listed(word: str, names: tuple[str, ...]) -> str:
    if len(names) > FEW:
        return f"{len(names)} {_several(word)}: {', '.join(names[: FEW - 1])}, ..."
    return f"{word} {', '.join(names)}"


def _several(word: str) -> str:
    return f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"
