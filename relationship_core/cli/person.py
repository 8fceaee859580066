"""``relate customer``: past, present and future of one relationship."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from relationship_core.cli.documents import attributes, print_document
from relationship_core.cli.project import as_of_option, html_option, json_option, project_options

if TYPE_CHECKING:
    from relationship_core import CustomerView, Score


@click.command()
@click.argument("id")
@click.option(
    "--entries",
    type=click.IntRange(min=0),
    default=20,
    show_default=True,
    metavar="N",
    help="How many lines of the timeline.",
)
@click.option("--measures", is_flag=True, help="Show every measure as well.")
@html_option(help="Write it as a page to print, that needs no other file.")
@as_of_option
@json_option
@project_options
def customer(
    folder: Path, id: str, entries: int, page: Path | None, as_of: datetime | None, *, measures: bool, as_json: bool
) -> None:
    """Show past, present and future of one relationship.

    Who it is and where the relationship stands; its course over time; the scores with their confidence and the
    interactions that weigh most in them; what comes next; promises and cases; what they have, want and like;
    what the relationship costs; what happened last; and the moves on the ladder. ID is the customer's id in this
    project.
    """
    from relationship_core import Relationships

    with Relationships.open(folder) as relationships:
        view = relationships.customer(id, as_of=as_of, entries=entries)
        if page is not None:
            from relationship_core.cli.page import customer_page
            from relationship_core.cli.show import write_file

            write_file(page, customer_page(view, relationships, measures=measures))
            click.echo(f"Wrote {page}.", err=True)
        if as_json:
            print_document(_document(view, relationships.settings.project.currency))
        elif page is None:
            from relationship_core.cli.screen import parts
            from relationship_core.cli.show import console, print_parts

            print_parts(parts(view, relationships, console().width, measures=measures))


COMMANDS = {"customer": customer}


def _document(view: CustomerView, currency: str) -> dict[str, Any]:
    document = attributes(view)
    document["currency"] = currency
    # A prior is no finding: without evidence there is no value to read by mistake.
    document["scores"] = [_score_document(score) for score in view.scores]
    return document


def _score_document(score: Score) -> dict[str, Any]:
    return attributes(score) | ({"value": None} if score.confidence == 0 else {})
