"""``relate ladder`` and ``relate report``: the project in numbers."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from relationship_core.cli.documents import print_document
from relationship_core.cli.project import html_option, json_option, past_option, project_options


@click.command()
@past_option
@json_option
@project_options
def ladder(folder: Path, as_of: datetime | None, *, as_json: bool) -> None:
    """Show where customers stand, and how they moved.

    Stages are those of the last review; months are those of the project's time zone. As of an earlier instant,
    stages are counted from the moves until then, and it is said what is not kept.
    """
    from relationship_core import Relationships

    with Relationships.open(folder) as relationships:
        view = relationships.ladder(as_of=as_of)
        zone = relationships.settings.project.zone
    if as_json:
        print_document(view)
        return
    from relationship_core.cli.show import print_parts
    from relationship_core.cli.tables import ladder_parts

    print_parts(ladder_parts(view, zone))


@click.command()
@html_option(help="Write it as a page that needs no other file.")
@past_option
@json_option
@project_options
def report(folder: Path, page: Path | None, as_of: datetime | None, *, as_json: bool) -> None:
    """Show the project in numbers.

    Customers, interactions by kind, the ladder and the moves on it, decisions by reason, messages by state, and what
    they and their offers cost, by owner and campaign. As of an earlier instant, all is counted again as it was
    then, and it is said what is not kept.
    """
    from relationship_core import Relationships

    with Relationships.open(folder) as relationships:
        numbers = relationships.report(as_of=as_of)
        project = relationships.settings.project
    if page is not None:
        from relationship_core.cli.show import write_page
        from relationship_core.cli.tables import report_parts

        write_page(page, report_parts(numbers, project), title=project.name)
        click.echo(f"Wrote {page}.", err=True)
    if as_json:
        print_document(numbers)
    elif page is None:
        from relationship_core.cli.show import print_parts
        from relationship_core.cli.tables import report_parts

        print_parts(report_parts(numbers, project))


COMMANDS = {"ladder": ladder, "report": report}
