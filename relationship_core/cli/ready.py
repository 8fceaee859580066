"""``relate campaign ready`` and ``add``: the campaigns that come with the package, to copy and to change."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

import click

from relationship_core import (
    SETTINGS_FILE,
    ConfigurationError,
    ReadyCampaign,
    copy_ready_campaign,
    read_campaigns,
    read_settings,
    ready_campaigns,
)
from relationship_core.cli.documents import print_document
from relationship_core.cli.project import json_option, project_options

EVERY = "all"


@click.command()
@json_option
@project_options
def ready(folder: Path, *, as_json: bool) -> None:
    """List the campaigns that come with the package, and what each of them needs.

    Those that the project has are marked. `relate campaign add` copies the others.
    """
    there = _there(folder) if (folder / SETTINGS_FILE).exists() else frozenset()
    found = ready_campaigns()
    if as_json:
        print_document({"campaigns": [_document(each, there) for each in found]})
    else:
        _show(found, there)


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@json_option
@project_options
def add(folder: Path, names: tuple[str, ...], *, as_json: bool) -> None:
    """Copy campaigns that come with the package into the project, to be changed there.

    NAME is one of those that `relate campaign ready` lists, or all. A campaign that is there stays as it is, and so
    does every file.
    """
    wanted = chosen(names)
    channels = read_settings(folder).channels
    there = _there(folder)
    new = [each for each in wanted if each.name not in there]
    _refuse_without_channels(new, channels)
    written = copied(new, folder)
    present = [each.name for each in wanted if each.name in there]
    if as_json:
        print_document({"project": folder.resolve(), "written": written, "present": present})
        return
    for path in told(written):
        click.echo(f"added {path}")
    for name in present:
        click.echo(f"{name} is there already, and stays as it is")
    if written:
        click.echo("Read and change them; `relate doctor` checks them, `relate preview NAME` shows what they say.")


COMMANDS = {"ready": ready, "add": add}


def chosen(names: Iterable[str]) -> tuple[ReadyCampaign, ...]:
    """The ready campaigns of these names, which may be ``all``.

    Raises:
        ConfigurationError: there is none of a name.
    """
    wanted = list(names)
    return ready_campaigns(None if EVERY in wanted else wanted)


def copied(wanted: Iterable[ReadyCampaign], folder: Path) -> list[str]:
    """Copy campaigns into a project; gives the files that are new.

    Raises:
        ConfigurationError: the folder cannot be written to.
    """
    try:
        return [path for each in wanted for path in copy_ready_campaign(each.name, folder)]
    except OSError as error:
        message = f"cannot write into {folder} ({error.strerror}); make it writable, or name another with --project"
        raise ConfigurationError(message) from error


def told(written: Iterable[str]) -> list[str]:
    """Files as people are told of them: a folder that is new once, for all that it holds."""
    parts = [path.split("/") for path in written]
    return list(dict.fromkeys("/".join(part[:2]) + "/" * (len(part) > 2) for part in parts))  # noqa: PLR2004  campaigns/NAME/FILE


def _there(folder: Path) -> frozenset[str]:
    return frozenset(each.name for each in read_campaigns(folder))


def _refuse_without_channels(wanted: Iterable[ReadyCampaign], channels: Collection[str]) -> None:
    """A campaign whose channel is not configured would stop all of them."""
    for each in wanted:
        missing = [name for name in each.channels if name not in channels]
        if missing:
            message = (
                f"the campaign {each.name!r} needs the channel {missing[0]!r}, and {SETTINGS_FILE} has none of that "
                f"name; add a table [channels.{missing[0]}]"
            )
            raise ConfigurationError(message)


def _document(each: ReadyCampaign, there: Collection[str]) -> dict[str, Any]:
    campaign = each.campaign
    return {
        "name": each.name,
        "summary": campaign.summary,
        "present": each.name in there,
        "purpose": campaign.purpose,
        "nature": campaign.nature,
        "columns": each.columns,
        "kinds": each.kinds,
        "channels": each.channels,
    }


def _show(found: Sequence[ReadyCampaign], there: Collection[str]) -> None:
    from rich.text import Text

    from relationship_core.cli.show import print_parts, table

    rows = [
        (
            each.name,
            "yes" if each.name in there else "",
            Text.assemble(each.campaign.summary, (f"\n{_needs(each)}", "dim")),
        )
        for each in found
    ]
    print_parts([table("Ready campaigns", ("campaign", "present", "what it does, and what it needs"), rows)])


def _needs(each: ReadyCampaign) -> str:
    needs = (("kinds", each.kinds), ("channels", each.channels), ("columns", each.columns))
    return "; ".join(f"{what}: {', '.join(names)}" for what, names in needs if names)
