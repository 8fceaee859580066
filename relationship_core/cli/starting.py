"""``relate init``: a project folder to begin with."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sys
from collections.abc import Sequence
from email.utils import quote
from importlib.resources import as_file, files
from pathlib import Path

import click

from relationship_core import SETTINGS_FILE, ConfigurationError, ProjectSettings, ReadyCampaign
from relationship_core.cli.documents import print_document
from relationship_core.cli.project import json_option, project_options
from relationship_core.cli.ready import chosen, copied, told

OUTBOX = "outbox"
CAMPAIGNS = ("campaigns/thank-you.toml", "campaigns/we-miss-you.toml")


@click.command()
@click.option("--name", help="What the project is called. [default: the folder's name]")
@click.option("--currency", default="EUR", show_default=True, help="The ISO 4217 code of all its money.")
@click.option("--zone", default="UTC", show_default=True, help="The IANA time zone that says when a day begins.")
@click.option(
    "--with",
    "campaigns",
    metavar="NAMES",
    help="Campaigns of `relate campaign ready`, with commas between, or all; in place of the examples.",
)
@json_option
@project_options
def init(folder: Path, name: str | None, currency: str, zone: str, campaigns: str | None, *, as_json: bool) -> None:
    """Make a project folder: configuration, campaigns, an outbox.

    Nothing that exists is overwritten. Unless others are named, the campaigns are two examples. All of them write
    files into the folder outbox, or tasks; edit them, or delete them.
    """
    project = ProjectSettings(name=name or folder.resolve().name, currency=currency, zone=zone)
    _refuse_existing(folder)
    wanted = None if campaigns is None else chosen(each.strip() for each in campaigns.split(","))
    written = _write(folder, project, wanted)
    if as_json:
        print_document({"project": folder.resolve(), "written": written})
        return
    click.echo(f"Made a project in {folder.resolve()}:")
    for path in told(written):
        click.echo(f"  {path}")
    click.echo("\nWhat to do next:")
    relate = _as_called() if folder == Path() else f"{_as_called()} --project {shlex.quote(str(folder))}"
    for line in (
        f"edit {SETTINGS_FILE} and campaigns/*{'.toml' if wanted is None else '/campaign.toml'}",
        f"{relate} campaign ready             what else comes with the package, to add",
        f"{relate} import customers FILE      who they are: a CSV, Parquet or JSON lines file",
        f"{relate} import interactions FILE   what happened: orders, visits, complaints",
        f"{relate} run                        review, plan, deliver into outbox/",
        f"{relate} report",
    ):
        click.echo(f"  {line}")


COMMANDS = {"init": init}


def _as_called() -> str:
    """The words that call ``relate`` again from here, as they were typed."""
    program = Path(sys.argv[0])
    if program.name == "__main__.py":
        return f"{shlex.quote(sys.orig_argv[0])} -m relationship_core"
    if program.stem != "relate":  # another program, which has it under a name of its own
        return click.get_current_context().find_root().info_name or "relate"
    found = shutil.which("relate")
    if found is not None and Path(found).resolve() == program.resolve():
        return "relate"
    here = program.absolute()
    return shlex.quote(str(here.relative_to(Path.cwd()) if here.is_relative_to(Path.cwd()) else program))


def _refuse_existing(folder: Path) -> None:
    if (folder / SETTINGS_FILE).exists():
        there = folder / SETTINGS_FILE
        message = f"{there} exists, so there is a project already; edit it, or name another folder with --project"
        raise ConfigurationError(message)


def _write(folder: Path, project: ProjectSettings, wanted: Sequence[ReadyCampaign] | None) -> list[str]:
    """Write what is missing; the settings last, so that a folder with settings is a whole project."""
    written = copied(wanted or (), folder)
    examples = CAMPAIGNS if wanted is None else ()
    try:
        with as_file(files(__package__) / "starter") as starter:
            for path in (*examples, SETTINGS_FILE):
                text = _filled_in((starter / path).read_text(encoding="utf-8"), project)
                if _write_new(folder / path, text):
                    written.append(path)
        (folder / OUTBOX).mkdir(exist_ok=True)
    except OSError as error:
        message = f"cannot write into {folder} ({error.strerror}); name another folder with --project"
        raise ConfigurationError(message) from error
    return written


def _filled_in(text: str, project: ProjectSettings) -> str:
    # In the sender only a name of plain words needs no quotation marks.
    name = project.name if re.fullmatch(r"[\w &'-]+", project.name) else f'"{quote(project.name)}"'
    values = {
        "name": project.name,
        "currency": project.currency,
        "zone": project.zone,
        "sender": f"{name} <hello@example.com>",
    }
    for key, value in values.items():
        text = text.replace(f"@{key}@", json.dumps(value, ensure_ascii=False))  # a JSON string is a TOML string too
    return text


def _write_new(path: Path, text: str) -> bool:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        return False
    return True
