"""``relate receive``: what providers, mailboxes and customers report of messages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from relationship_core.cli.documents import print_document
from relationship_core.cli.project import json_option, project_options

if TYPE_CHECKING:
    from relationship_core import Received, Relationships

_COUNTS = {
    "events": "new events",
    "repeated": "known already",
    "replies": "replies recorded",
    "unmatched": "replies of nobody",
    "suppressed": "addresses suppressed",
    "ignored": "about no message of ours",
}
_MAIL = (".mbox",)


@click.command()
@click.argument("receiver")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@json_option
@project_options
def receive(folder: Path, receiver: str, files: tuple[Path, ...], *, as_json: bool) -> None:
    """Take what was heard of messages, from saved requests or a mailbox.

    RECEIVER is the name of a receiver in relationship.toml, or `links` for clicks on the links of messages. A file is a
    request as it came over the wire: request line, headers, an empty line, the body. A Maildir, or a file that ends in
    .mbox, is a mailbox, for a receiver that reads one.

    The same may be received again, in any order: it is kept once. A request that is refused, and a file that is none,
    hold back no other; the exit status is then 1.
    """
    from relationship_core import RejectedError, Relationships

    answers: list[tuple[Path, Received]] = []
    wrong: dict[Path, str] = {}
    with Relationships.open(folder) as relationships:
        for file in files:
            try:
                answers.extend((file, each) for each in _answers(relationships, receiver, file))
            except RejectedError as error:
                wrong[file] = str(error)
            except OSError as error:
                wrong[file] = f"it cannot be read: {(error.strerror or type(error).__name__).lower()}"
    refused = [(file, each) for file, each in answers if each.refused]
    totals = {name: sum(getattr(each, name) for _, each in answers) for name in _COUNTS}
    if as_json:
        told = [{"file": file, "status": each.status, "reason": each.refused} for file, each in refused]
        told += [{"file": file, "status": None, "reason": reason} for file, reason in wrong.items()]
        print_document({"requests": len(answers), **totals, "refused": told})
    else:
        _show(len(answers), totals, refused)
    for file, reason in wrong.items():
        click.echo(f"Error: {file.name}: {reason}", err=True)
    if refused or wrong:
        raise click.exceptions.Exit(1)


COMMANDS = {"receive": receive}


def _answers(relationships: Relationships, receiver: str, file: Path) -> Iterator[Received]:
    from relationship_core import RawRequest

    if file.is_dir() or file.suffix.lower() in _MAIL:
        yield from relationships.receivers.read_mailbox(receiver, file)
        return
    request = RawRequest.parse(file.read_bytes(), received_at=relationships.receivers.now)
    yield relationships.receivers.receive(receiver, request)


def _show(requests: int, totals: dict[str, int], refused: Iterable[tuple[Path, Received]]) -> None:
    told = ", ".join(f"{number:,} {_COUNTS[name]}" for name, number in totals.items() if number)
    click.echo(f"Received {requests:,} {'request' if requests == 1 else 'requests'}: {told or 'nothing new'}.")
    for (name, reason), number in Counter((file.name, each.refused) for file, each in refused).items():
        click.echo(f"  {name}: refused, {reason}{f' ({number:,} times)' if number > 1 else ''}")
