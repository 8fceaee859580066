"""What ``relate import --dry-run`` shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from relationship_core.cli.documents import plain, print_document

if TYPE_CHECKING:
    from relationship_core import PartPreview


def show_preview(parts: Sequence[PartPreview], file: Path, currency: str, *, as_json: bool) -> None:
    """Show what would be recorded: how columns are read, the first rows, and what would be refused."""
    if as_json:
        print_document({"file": file, "recorded": False, "parts": parts})
        return
    for part in parts:
        click.echo(f"{file.name}: {part.name}: {part.rows:,} rows, {sum(part.refused.values()):,} would be rejected.")
        width = max(map(len, (*part.columns, *part.given)), default=0)
        for our, their in part.columns.items():
            click.echo(f"  {our:<{width}}  <- {their}")
        for our, value in part.given.items():
            click.echo(f"  {our:<{width}}  is {value}{' where it is missing' if our in part.columns else ''}")
        for reason, number in part.left_out.items():
            click.echo(f"  {number:,} left out: {reason}")
        for reason, number in part.refused.items():
            click.echo(f"  {number:,} rejected: {reason}")
        for row in part.first:
            click.echo(f"  {_row(row, currency)}")
        click.echo("")
    ignored = [name for name in parts[0].ignored if all(name in part.ignored for part in parts)] if parts else []
    if ignored:
        click.echo(f"Columns that are not read: {', '.join(ignored)}.")
    click.echo("Nothing was recorded; what was recorded before was not looked up, and is counted among the rows.")


def _row(row: Mapping[str, Any], currency: str) -> str:
    from relationship_core.cli.show import clean, money

    told = {our: value for our, value in row.items() if value is not None and value != ""}
    if "amount" in told:
        told["amount"] = money(told["amount"], currency)
    return clean(", ".join(f"{our} {plain(value)}" for our, value in told.items()))
