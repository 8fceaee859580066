"""``relate export`` and ``relate forget``: everything that is kept about one customer, to hand out or to erase."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from relationship_core import ConfigurationError
from relationship_core.cli.documents import attributes, print_document, written
from relationship_core.cli.project import actor_option, json_option, project_options

if TYPE_CHECKING:
    from relationship_core import Forgotten

_OWNER_ALONE = 0o600


@click.command()
@click.argument("id")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write it there instead, for the eyes of this user alone.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document also about a file that was written.")
@project_options
def export(folder: Path, id: str, output: Path | None, *, as_json: bool) -> None:
    """Print everything that is kept about one customer.

    One JSON document: every row of every table that names them, under whichever of their ids, and the addresses of
    theirs that are not used. What others' records say about them, such as a name in somebody's text, is not found.
    """
    from relationship_core import Relationships

    with Relationships.open(folder) as relationships:
        found = relationships.export(id)
    if output is None:
        print_document(attributes(found))
        return
    _write(output, f"{written(attributes(found))}\n")
    rows = sum(map(len, found.tables.values()))
    if as_json:
        said = {"customer": found.customer, "ids": found.ids, "exported_at": found.exported_at}
        print_document({**said, "output": output, "rows": rows})
    else:
        click.echo(f"Wrote {rows:,} rows to {output}. They are personal data: mind where they go.")


@click.command()
@click.argument("id")
@click.option("--yes", is_flag=True, help="Do it without asking.")
@actor_option
@click.option("--reason", default="", metavar="TEXT", help="Why; kept, so it must not tell who they are.")
@json_option
@project_options
def forget(folder: Path, id: str, actor: str, reason: str, *, yes: bool, as_json: bool) -> None:
    """Erase everything about one customer, for ever.

    All rows that name them go, under whichever of their ids. A keyed hash of each id stays, so that no import brings
    them back, and one of each address, to which nothing is sent any more. Files stay: those that messages were written
    to, rejected rows of imports, exports, backups.
    """
    from relationship_core import Relationships

    with Relationships.open(folder) as relationships:
        if not yes:
            _ask(id)
        done = relationships.forget(id, actor=actor, reason=reason)
    if as_json:
        print_document(attributes(done))
        return
    for line in _told(done):
        click.echo(line)


COMMANDS = {"export": export, "forget": forget}


def _write(path: Path, text: str) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNER_ALONE)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            path.chmod(_OWNER_ALONE)  # also where the file was there before
            file.write(text)
    except OSError as error:
        message = f"cannot write {path}: {error.strerror}; name another file"
        raise ConfigurationError(message) from error


def _ask(id: str) -> None:
    from relationship_core.cli.show import clean

    if not sys.stdin.isatty():
        message = f"erasing {clean(id)} cannot be undone, and there is no terminal to ask on; add --yes to do it"
        raise ConfigurationError(message)
    click.confirm(f"Erase everything about {clean(id)}? It cannot be undone", abort=True)


def _told(done: Forgotten) -> Iterator[str]:
    from relationship_core.cli.show import clean, counted

    who = clean(done.customer)
    if done.already:
        yield f"{who} was erased before, on {done.at:%Y-%m-%d}; nothing was left to do."
        return
    rows = counted(sum(done.rows.values()), "row")
    yield f"Erased {who}: {rows} of {counted(len(done.rows), 'table')}, under {counted(done.ids, 'id')}."
    addresses = counted(done.addresses, "address", "addresses")
    yield f"Nothing is sent any more to {addresses}, and no import brings them back."
    if done.sharing:
        others = ", ".join(map(clean, done.sharing))
        yield f"One of these is the address of others, too, who are not written to there either: {others}."
    if done.accounts:
        yield f"The numbers of these accounts were folded anew without them: {', '.join(map(clean, done.accounts))}."
    yield "Files are yours to look after: those that messages were written to, rejected rows, exports, backups."
