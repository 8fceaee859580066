"""``relate plugins``: what is installed, what is broken, and whether a plugin keeps its contract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from relationship_core import SETTINGS_FILE, load_plugins, read_settings
from relationship_core.cli import contracts
from relationship_core.cli.documents import print_document
from relationship_core.cli.project import json_option, project_options

if TYPE_CHECKING:
    from relationship_core import InstalledPlugin, ParameterView, Plugins, Provider, Settings


@click.group(invoke_without_command=True, subcommand_metavar="[COMMAND] [ARGS]...")
@json_option
@project_options
@click.pass_context
def plugins(context: click.Context, folder: Path, *, as_json: bool) -> None:
    """Show the installed plugins, and the broken ones.

    Without a command all of them are shown, and what a configuration can choose of theirs. Where there is a project,
    those that it disables are left out, and the parameters are shown that it has set by hand or fitted. The exit
    status is 1 where a plugin is broken.
    """
    if context.invoked_subcommand is not None:
        if as_json:
            message = f"--json before {context.invoked_subcommand!r} means nothing to it; write it behind"
            raise click.UsageError(message, context)
        return
    # Plugins are there without a project too.
    settings = read_settings(folder) if (folder / SETTINGS_FILE).exists() else None
    disabled = settings.plugins.disabled if settings else ()
    found = load_plugins(disabled=disabled)
    found, parameters = _in_force(folder, settings, found) if settings else (found, ())
    if as_json:
        document = {"installed": found.installed, "broken": found.broken, "disabled": disabled}
        providers = [_document(*each) for each in _providers(found)]
        print_document({**document, "providers": providers, "parameters": parameters})
    else:
        _show(found, parameters)
    if found.broken:
        raise click.exceptions.Exit(1)


@plugins.command()
@click.argument("name")
@json_option
@project_options
def check(folder: Path, name: str, *, as_json: bool) -> None:  # noqa: ARG001  a plugin is checked for every project
    """Run the contract of an installed plugin: the tests that it brings.

    NAME is the plugin's or its distribution's. The tests are those beside its source, where it was installed from a
    folder, or else those in its package. They need pytest and hypothesis. The exit status is 1 where one fails.
    """
    plugin = contracts.find(name)
    tests = contracts.tests_of(plugin)
    outcome = contracts.run(tests, shown=not as_json)
    if as_json:
        known = {"plugin": plugin.name, "distribution": plugin.distribution, "version": plugin.version}
        print_document({**known, "tests": tests, "ok": outcome.ok, **outcome.counts})
    elif outcome.ok:
        click.echo(f"{plugin.distribution} {plugin.version} keeps its contract.")
    if not outcome.ok:
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
    if choices := [_row(*each) for each in _providers(found)]:
        parts.append(table("What a project can use", ("use", "kind", "plugin", "capabilities", "what it is"), choices))
    if late := [(each.name, hook, use) for each in found.installed for hook, use in each.deprecated.items()]:
        parts.append(table("Hooks that will go", ("plugin", "hook", "instead"), late))
    chosen = [each for each in parameters if each.origin != "default"]
    if chosen:
        rows = [(each.name, number(each.value), each.origin, each.summary) for each in chosen]
        parts.append(table("Parameters of this project", ("parameter", ">value", "from", "which means"), rows))
    print_parts(parts)


def _providers(found: Plugins) -> Iterator[tuple[str, InstalledPlugin, Provider[object]]]:
    """What a configuration chooses with ``use``: the kind, whose it is, and what it says of itself."""
    kinds: dict[str, Mapping[str, Provider[object]]] = {
        "store": found.stores,
        "channel": found.channels,
        "receiver": found.receivers,
        "renderer": found.renderers,
        "executor": found.executors,
    }
    for kind, providers in kinds.items():
        for plugin in found.installed:
            for name in plugin.provides.get(kind, ()):
                yield kind, plugin, providers[name]


def _row(kind: str, plugin: InstalledPlugin, provider: Provider[object]) -> tuple[str, ...]:
    return provider.name, kind, plugin.name, ", ".join(sorted(provider.capabilities)), provider.summary


def _document(kind: str, plugin: InstalledPlugin, provider: Provider[object]) -> dict[str, object]:
    return {
        "name": provider.name,
        "kind": kind,
        "plugin": plugin.name,
        "capabilities": sorted(provider.capabilities),
        "summary": provider.summary,
    }


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
