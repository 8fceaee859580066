"""``relate calibrate``: parameters fitted to the customers there are."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from relationship_core.cli.documents import attributes, print_document
from relationship_core.cli.project import as_of_option, following, json_option, project_options

if TYPE_CHECKING:
    from relationship_core import Calibrated, FittedParameter, FittedTable, Relationships


@click.command()
@click.argument("name", required=False)
@click.option("--dry-run", is_flag=True, help="Say what would be fitted, and keep nothing.")
@as_of_option
@json_option
@project_options
def calibrate(folder: Path, name: str | None, as_of: datetime | None, *, dry_run: bool, as_json: bool) -> None:
    """Fit parameters and tables to the customers there are.

    NAME is one calibration; without it, all are fitted. What is found is kept as a new version, and where a value
    in force or a table changes, everybody is due for review. A value that relationship.toml sets by hand goes before
    what was fitted; a parameter or a table of which there is too little data stays as it is.
    """
    from relationship_core import Relationships

    with Relationships.open(folder) as relationships, following() as progress:
        calibrated = relationships.calibrate(name, as_of=as_of, dry_run=dry_run, progress=progress)
        complaint = _complaint(relationships)
    if as_json:
        print_document({**attributes(calibrated), "dry_run": dry_run})
    else:
        _show(calibrated, complaint, dry_run=dry_run)


COMMANDS = {"calibrate": calibrate}


def _complaint(relationships: Relationships) -> str:
    """What has to be done before the next review, as one sentence; mostly empty."""
    from relationship_core import ConfigurationError, check_measures

    try:
        check_measures(relationships.store, relationships.catalog.measures)
    except ConfigurationError as error:
        return str(error)
    return ""


def _show(calibrated: Calibrated, complaint: str, *, dry_run: bool) -> None:
    from relationship_core.cli.show import console, counted, number, table

    rows = [
        (
            each.name,
            number(each.before),
            "" if each.fitted is None else number(each.fitted),
            number(each.value),
            _meaning(each),
        )
        for each in calibrated.parameters
    ]
    if rows:
        out = console()
        out.print(table("Parameters", ("parameter", ">was", ">fitted", ">in force", "which means"), rows))
        out.print()
    if calibrated.tables:
        tables = [
            (each.name, _rows(each.before), _rows(each.rows), _meaning_of_table(each)) for each in calibrated.tables
        ]
        out = console()
        out.print(table("Tables", ("table", ">rows were", ">fitted", "which means"), tables))
        out.print()
    at = calibrated.as_of.isoformat(timespec="seconds")
    done = "Would fit" if dry_run else "Fitted"
    what = " and ".join(
        counted(len(each), word) for each, word in ((rows, "parameter"), (calibrated.tables, "table")) if each
    )
    click.echo(f"{done} {what} to {counted(calibrated.customers, 'customer')} as of {at}.")
    for calibration, version in calibrated.versions.items():
        click.echo(f"  {calibration}: kept as version {version}")
    if dry_run:
        click.echo("Nothing was kept.")
    elif not calibrated.everybody_due:
        click.echo("No value in force has changed, so nobody is due for it.")
    elif complaint:
        click.echo(f"Everybody is due for review, but first: {complaint}.")
    else:
        click.echo("Everybody is due for review; `relate run` judges them anew.")


def _rows(count: int | None) -> str:
    from relationship_core.cli.show import number

    return "" if count is None else number(count)


def _meaning_of_table(table: FittedTable) -> str:
    if table.rows is None:
        return "too little data"
    return "changed" if table.changed else "as it was"


def _meaning(parameter: FittedParameter) -> str:
    if parameter.fitted is None:
        return "too little data"
    if parameter.origin == "by hand":
        return "relationship.toml sets it by hand, which goes first"
    return "as it was" if parameter.value == parameter.before else "changed"
