"""``relate copy``: a project moves to another store."""

from __future__ import annotations

from pathlib import Path

import click

from relationship_core.cli.documents import print_document
from relationship_core.cli.project import following, json_option, project_options
from relationship_core.cli.troubles import Interrupted


@click.command()
@click.option(
    "--to",
    "target",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="The folder of the project that gets everything; its relationship.toml names the other store.",
)
@json_option
@project_options
def copy(folder: Path, target: Path, *, as_json: bool) -> None:
    """Copy everything that this project keeps into another store.

    Copy the project's folder, without the database, and name the other store in the relationship.toml of the copy;
    then run this. The other store must be empty. Every row is read back and compared, and all of the copy counts or
    nothing: whatever cuts it short, run it again. Nobody can write to this project meanwhile.

    Both have the same outbox afterwards: deliver from the new one alone.
    """
    from relationship_core import Relationships, copy_project

    if target.resolve() == folder.resolve():
        message = (
            f"{target} is this very project; name the folder of another one, whose relationship.toml names the other "
            "store"
        )
        raise click.BadParameter(message, param_hint="'--to'")
    _refuse_memory(target)
    try:
        with Relationships.open(folder) as source, Relationships.open(target) as other, following() as progress:
            copied = copy_project(source, other, progress=progress)
    except KeyboardInterrupt as error:
        message = "interrupted; a copy counts as a whole or not at all, so run `relate copy` again"
        raise Interrupted(message) from error
    if as_json:
        print_document(copied)
        return
    told = ", ".join(f"{copied.rows[name]:,} {name}" for name in ("customers", "interactions", "messages"))
    click.echo(f"Copied to {target} and compared: {told}, {sum(copied.rows.values()):,} rows in all.")
    click.echo("Both have the same outbox now: deliver from the new one alone.")


def _refuse_memory(target: Path) -> None:
    from relationship_core import ConfigurationError, read_settings

    if read_settings(target).store.use == "memory":
        message = (
            f'the store "memory" of {target} lives in one process, so that the copy would be gone with this command; '
            "name another one in its relationship.toml"
        )
        raise ConfigurationError(message)


COMMANDS = {"copy": copy}
