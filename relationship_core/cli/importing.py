"""``relate import``: files of customers, of interactions and of accounts' contacts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias, cast

import click

from relationship_core.cli.documents import attributes, print_document
from relationship_core.cli.project import following, instant_option, json_option, project_options

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


What: TypeAlias = Literal["customers", "interactions", "contacts"]


class Target(NamedTuple):
    """What is imported: what the rows are, where that is said, and the file."""

    what: What | None
    file: Path


_WHAT = click.Choice(["customers", "interactions", "contacts"])
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def _target(context: click.Context, parameter: click.Parameter, words: tuple[str, ...]) -> Target:
    """With a preset the first of the two words may be missing, which no other argument of click knows."""
    if len(words) > 2:  # noqa: PLR2004  what, and the file
        message = f"Got unexpected extra argument ({words[2]})"
        raise click.UsageError(message, context)
    if len(words) == 1 and words[0] in _WHAT.choices:
        message = "Missing argument 'FILE'."
        raise click.UsageError(message, context)
    what = cast("What | None", _WHAT.convert(words[0], parameter, context) if len(words) > 1 else None)
    return Target(what, _FILE.convert(words[-1], parameter, context))


@click.command(name="import")
@click.argument("target", nargs=-1, required=True, callback=_target, metavar="[customers|interactions|contacts] FILE")
@click.option("--preset", metavar="NAME", help="Which system exported the file, such as shopify-orders.")
@columns_option
@click.option("--source", help="The source of interactions, where no column says it.")
@click.option("--kind", help="The kind of interactions, where no column says it.")
@click.option("--zone", help="The IANA time zone of times that have none.")
@click.option("--encoding", metavar="NAME", help="How the text is written, such as cp1252. [default: UTF-8]")
@click.option("--decimal", metavar="MARK", help="The mark of decimals in amounts: a comma, or a point.")
@instant_option("--consent-at", help="When those had agreed, at the latest, of whom an export says no date.")
@rejects_option
@click.option("--dry-run", is_flag=True, help="Show what would be recorded, were all of it new; and record nothing.")
@json_option
@project_options
def import_(
    folder: Path,
    *,
    target: Target,
    preset: str | None,
    rejects: Path | None,
    dry_run: bool,
    as_json: bool,
    **said: Any,
) -> None:
    """Record a file of customers, interactions or contacts.

    FILE is CSV, Parquet or JSON lines. The columns of customers are customer (their id), and where known name,
    locale, zone, country, contact.email (contact.sms, contact.post, ...) and attribute.NAME; those of interactions
    are source, id, customer, kind and at, and where known amount, currency, reference, lines and data; those of
    contacts are account and customer (the ids of both), and where known role and since.

    With --preset the file is the export of another system: shopify-orders, shopify-customers, woocommerce-orders,
    stripe-payments, hubspot-contacts, one of a plugin, or generic, which guesses. What its rows are need not be said.

    What was recorded before is not recorded again, so a file may be imported twice, and an import that was cut
    short goes on. Rows that are refused go to a file, each with its reason; the others are kept. The exit status
    is 1 where rows were refused.
    """
    from relationship_core import Relationships
    from relationship_core.cli.previewed import show_preview

    with Relationships.open(folder) as relationships, following() as progress:
        if dry_run:
            parts = relationships.imports.preview(target.what, target.file, preset=preset, **said)
            show_preview(parts, target.file, relationships.settings.project.currency, as_json=as_json)
            return
        recorded = relationships.import_file(
            target.what, target.file, preset=preset, rejects=rejects, progress=progress, **said
        )
    show_recorded(recorded, target.what or preset or "", target.file, as_json=as_json)


def show_recorded(recorded: Recorded, what: str, file: Path, *, as_json: bool) -> None:
    """Say what came of an import; the exit status is 1 where rows were refused."""
    if as_json:
        print_document({"what": what, "file": file, **attributes(recorded)})
    else:
        for line in _lines(recorded, what, file):
            click.echo(line)
        for each in recorded.parts.values() or [recorded]:
            if each.rejects is not None:
                _hint(each.rejects)
    if recorded.rejected:
        raise click.exceptions.Exit(1)


def _lines(recorded: Recorded, what: str, file: Path) -> list[str]:
    lines = [f"{file.name}: {_told(each, name)}." for name, each in (recorded.parts or {what: recorded}).items()]
    if recorded.already:
        lines.insert(0, f"{file.name} was imported before, and nothing was done; this is what came of it then.")
    if recorded.unknown_customers:
        lines.append(f"Customers whom nobody knew, added without a name: {recorded.unknown_customers:,}.")
    lines += [f"Left out, {reason}: {number:,}." for reason, number in recorded.left_out.items()]
    if recorded.ignored:
        lines.append(f"Columns that were not read: {', '.join(recorded.ignored)}.")
    rejects = [each.rejects for each in recorded.parts.values() or [recorded] if each.rejects is not None]
    if rejects:
        lines += [f"The rejected rows, each with its reason: {each}" for each in rejects]
        lines.append("Correct them there and import that file; or correct the original and import it again.")
    return lines


def _told(recorded: Recorded, what: str) -> str:
    told = [f"{recorded.new:,} new", f"{recorded.repeated:,} {_repeated(what)}", f"{recorded.rejected:,} rejected"]
    return f"{what}: {', '.join(told)}"


_HINTS = {
    "time has no zone": "Times without a zone are read by the clocks that --zone names, such as --zone Europe/Berlin.",
    "name the mark": "Where amounts are written as 1.234,50 say --decimal , and where as 1,234.50 say --decimal .",
}


def _hint(rejects: Path) -> None:
    """Tell of an option that would have helped."""
    try:
        with rejects.open(encoding="utf-8", errors="replace") as lines:
            told = {hint for line in lines for reason, hint in _HINTS.items() if reason in line}
    except OSError:  # moved away since that import
        return
    for hint in sorted(told):
        click.echo(hint)


def _repeated(what: str) -> str:
    return "brought up to date" if what in {"customers", "contacts"} else "recorded before"


COMMANDS = {"import": import_}
