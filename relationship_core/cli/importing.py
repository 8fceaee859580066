"""``relate import``: files of customers, of interactions and of accounts' contacts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from relationship_core.cli.documents import attributes, print_document
from relationship_core.cli.project import following, json_option, project_options

if TYPE_CHECKING:
    from relationship_core import Recorded


def _columns(_: click.Context, __: click.Parameter, pairs: tuple[str, ...]) -> dict[str, str]:
    """The file's column for each of ours, from ``ours=theirs``."""
    columns: dict[str, str] = {}
    for pair in pairs:
        ours, equals, theirs = pair.partition("=")
        if not (ours and equals and theirs):
            message = f"{pair!r} must be OURS=THEIRS, such as at=order_date"
            raise click.BadParameter(message)
        if ours in columns:
            message = f"{ours!r} is named twice; keep one of them"
            raise click.BadParameter(message)
        columns[ours] = theirs
    return columns


columns_option = click.option(
    "--column",
    "columns",
    callback=_columns,
    multiple=True,
    metavar="OURS=THEIRS",
    help="The file's own name of one of our columns, such as at=order_date; may be repeated.",
)

rejects_option = click.option(
    "--rejects",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Where rows that are refused go. [default: beside the file]",
)


@click.command(name="import")
@click.argument("what", type=click.Choice(["customers", "interactions", "contacts"]))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@columns_option
@click.option("--source", help="The source of interactions, where no column says it.")
@click.option("--kind", help="The kind of interactions, where no column says it.")
@click.option("--zone", help="The IANA time zone of times that have none.")
@rejects_option
@json_option
@project_options
def import_(
    folder: Path,
    *,
    what: Literal["customers", "interactions", "contacts"],
    file: Path,
    columns: dict[str, str],
    source: str | None,
    kind: str | None,
    zone: str | None,
    rejects: Path | None,
    as_json: bool,
) -> None:
    """Record a file of customers, interactions or contacts.

    FILE is CSV, Parquet or JSON lines. The columns of customers are customer (their id), and where known name,
    locale, zone, country, contact.email (contact.sms, contact.post, ...) and attribute.NAME; those of interactions
    are source, id, customer, kind and at, and where known amount, currency, reference, lines and data; those of
    contacts are account and customer (the ids of both), and where known role and since.

    What was recorded before is not recorded again, so a file may be imported twice, and an import that was cut
    short goes on. Rows that are refused go to a file, each with its reason; the others are kept. The exit status
    is 1 where rows were refused.
    """
    from relationship_core import Relationships

    with Relationships.open(folder) as relationships, following() as progress:
        recorded = relationships.import_file(
            what,
            file,
            columns=columns,
            source=source,
            kind=kind,
            zone=zone,
            rejects=rejects,
            progress=progress,
        )
    show_recorded(recorded, what, file, as_json=as_json)


def show_recorded(recorded: Recorded, what: str, file: Path, *, as_json: bool) -> None:
    """Say what came of an import; the exit status is 1 where rows were refused."""
    if as_json:
        print_document({"what": what, "file": file, **attributes(recorded)})
    else:
        for line in _lines(recorded, what, file):
            click.echo(line)
        if recorded.rejects is not None and _lacks_zone(recorded.rejects):
            click.echo("Times without a zone are read by the clocks that --zone names, such as --zone Europe/Berlin.")
    if recorded.rejected:
        raise click.exceptions.Exit(1)


def _lines(recorded: Recorded, what: str, file: Path) -> list[str]:
    told = [f"{recorded.new:,} new", f"{recorded.repeated:,} {_repeated(what)}", f"{recorded.rejected:,} rejected"]
    lines = [f"{file.name}: {what}: {', '.join(told)}."]
    if recorded.already:
        lines.insert(0, f"{file.name} was imported before, and nothing was done; this is what came of it then.")
    if recorded.unknown_customers:
        lines.append(f"Customers whom nobody knew, added without a name: {recorded.unknown_customers:,}.")
    if recorded.ignored:
        lines.append(f"Columns that were not read: {', '.join(recorded.ignored)}.")
    if recorded.rejects is not None:
        lines.append(f"The rejected rows, each with its reason: {recorded.rejects}")
        lines.append("Correct them there and import that file; or correct the original and import it again.")
    return lines


def _lacks_zone(rejects: Path) -> bool:
    try:
        with rejects.open(encoding="utf-8", errors="replace") as lines:
            return any("the time has no zone" in line for line in lines)
    except OSError:  # moved away since that import
        return False


def _repeated(what: str) -> str:
    return "brought up to date" if what in {"customers", "contacts"} else "recorded before"


COMMANDS = {"import": import_}
