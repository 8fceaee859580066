"""``relate preview``: what a campaign would say."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from relationship_core.cli.documents import attributes, print_document
from relationship_core.cli.project import as_of_option, json_option, project_options

if TYPE_CHECKING:
    from relationship_core import Preview


@click.command()
@click.argument("campaign")
@click.argument("id", required=False)
@as_of_option
@json_option
@project_options
def preview(folder: Path, campaign: str, id: str | None, as_of: datetime | None, *, as_json: bool) -> None:
    """Show what a campaign would say, without sending it.

    Every variant of every action is filled in for the customer with the given ID, or else for the first one. What
    a template names and the customer lacks is an error here.
    """
    from relationship_core import Relationships

    with Relationships.open(folder) as relationships:
        previews = relationships.preview(campaign, id, as_of=as_of)
        currency = relationships.settings.project.currency
    if as_json:
        print_document({"campaign": campaign, "messages": [_document(each) for each in previews]})
    else:
        _show(previews, currency)


COMMANDS = {"preview": preview}


def _document(preview: Preview) -> dict[str, Any]:
    message = attributes(preview.message)
    wanted = ("channel", "locale", "address", "recipient", "subject", "text", "html")
    who = {"action": preview.action, "customer": preview.customer, "assignee": preview.assignee}
    price = {"price": attributes(preview.price) if preview.price is not None else None}
    return who | {name: message[name] for name in wanted} | price


def _price(preview: Preview, currency: str) -> str:
    from relationship_core import minor_digits

    price = preview.price
    if price is None:
        return ""
    parts = f"{price.parts} {price.part}{'' if price.parts == 1 else 's'}"
    if price.minor is None:
        return parts
    digits = minor_digits(currency)
    # A part may cost less than the smallest coin.
    shown = digits if price.minor.is_integer() else digits + 2
    return f"{parts}, {price.minor / 10**digits:,.{shown}f} {currency}"


def _show(previews: Sequence[Preview], currency: str) -> None:
    from rich.text import Text

    from relationship_core.cli.show import clean, console, heading, indented

    out = console()
    for place, each in enumerate(previews):
        message = each.message
        if place:
            out.print()
        to = f"on {message.channel}{f', in {message.locale}' if message.locale else ''}, to {each.customer}"
        out.print(heading(f"{each.campaign} / {each.action}", more=to))
        goes = ("assignee", each.assignee) if each.assignee else ("address", message.address or "none on this channel")
        for label, text in (goes, ("subject", message.subject), ("price", _price(each, currency))):
            if text:
                out.print(indented(Text.assemble((f"{label:<10}", "dim"), clean(text))))
        out.print()
        out.print(indented(Text("\n".join(clean(line) for line in message.text.splitlines()))))
        if message.html:
            out.print(indented(Text(f"and {len(message.html):,} characters of HTML; --json has them", style="dim")))
