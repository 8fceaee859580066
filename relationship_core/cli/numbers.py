"""``relate ladder`` and ``relate report``: the project in numbers."""

from __future__ import annotations

from pathlib import Path

import click

from relationship_core.cli.documents import print_document
from relationship_core.cli.project import json_option, project_options


@click.command()
@json_option
@project_options
def ladder(folder: Path, *, as_json: bool) -> None:
    """Show where customers stand, and how they moved.

    Stages are those of the last review; months are those of the project's time zone.
    """
    from relationship_core import Relationships

    with Relationships.open(folder) as relationships:
        view = relationships.ladder()
    if as_json:
        print_document(view)
        return
    from relationship_core.cli.show import print_parts
    from relationship_core.cli.tables import ladder_parts

    print_parts(ladder_parts(view))


@click.command()
@click.option(
    "--html",
    "page",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write it as a page that needs no other file.",
)
@json_option
@project_options
def report(folder: Path, page: Path | None, *, as_json: bool) -> None:
    """Show the project in numbers.

    Customers, interactions by kind, the ladder and the moves on it, decisions by reason, messages by state.
    """
    from relationship_core import Relationships

    with Relationships.open(folder) as relationships:
        numbers = relationships.report()
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
