"""``relate customer``: everything about one customer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from relationship_core.cli.documents import attributes, print_document
from relationship_core.cli.project import as_of_option, json_option, project_options

if TYPE_CHECKING:
    from rich.text import Text

    from relationship_core import CustomerView, Relationships, Score, TimelineEntry, Transition


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
@as_of_option
@json_option
@project_options
def customer(folder: Path, id: str, entries: int, as_of: datetime | None, *, as_json: bool) -> None:
    """Show everything about one customer.

    Who it is, where the relationship stands and since when, the scores with their confidence and what they rest
    on, the measures, the moves on the ladder, and what happened last. ID is the customer's id in this project.
    """
    from relationship_core import Relationships

    with Relationships.open(folder) as relationships:
        view = relationships.customer(id, as_of=as_of, entries=entries)
        if as_json:
            print_document(_document(view, relationships.settings.project.currency))
        else:
            _show(view, relationships)


COMMANDS = {"customer": customer}


def _document(view: CustomerView, currency: str) -> dict[str, Any]:
    document = attributes(view)
    document["currency"] = currency
    # A prior is no finding: without evidence there is no value to read by mistake.
    document["scores"] = [_score_document(score) for score in view.scores]
    return document


def _score_document(score: Score) -> dict[str, Any]:
    return attributes(score) | ({"value": None} if score.confidence == 0 else {})


def _show(view: CustomerView, relationships: Relationships) -> None:
    from relationship_core.cli.show import console, counted, table

    project = relationships.settings.project
    zone = project.zone
    out = console()
    for line in _who(view, zone):
        out.print(line)
    out.print()
    columns = ("score", ">value", ">confidence", "rests on")
    out.print(table("Scores", columns, (_score(score) for score in view.scores)))
    out.print()
    out.print(table("Measures", ("measure", ">value", "which is"), _measures(view, relationships)))
    out.print()
    if view.transitions:
        moves = (_move(move, zone) for move in view.transitions)
        out.print(table("Moves on the ladder", ("when", "move", "because of"), moves))
        out.print()
    title = f"What happened last, of {counted(view.interactions, 'interaction')}"
    entries = (_entry(entry, zone, project.currency) for entry in view.timeline)
    out.print(table(title, ("when", "what", ">amount", "source", "of what"), entries))


def _who(view: CustomerView, zone: str) -> Iterator[Text]:
    from relationship_core.cli.show import clean, heading, when

    who = view.customer
    yield heading(who.name or who.id, more=who.id if who.name else "")
    standing = f"{view.stage}, lapsed" if view.lapsed else view.stage
    since = f"since {when(view.since, zone)}" if view.since else "from the beginning"
    yield heading(standing, more=since)
    yield _line("as of", f"{when(view.as_of, zone)} ({zone})")
    yield _line("next look", f"{when(view.due_at, zone)}, or with news")
    for point in who.contact_points:
        made_up = "   made up" if point.synthetic else ""
        yield _line(point.medium, f"{clean(point.address)}{made_up}")
    if not who.contact_points:
        yield _line("contact", "none known")
    profile = {"locale": who.locale, "zone": who.zone, "country": who.country, **who.attributes}
    told = [f"{name} {clean(str(value))}" for name, value in profile.items() if value is not None]
    yield _line("profile", ", ".join(told) or "nothing known")


def _line(label: str, text: str) -> Text:
    from rich.text import Text

    return Text.assemble((f"{label:<10}", "dim"), text)


def _score(score: Score) -> tuple[str, Text, str, str]:
    from rich.text import Text

    value = Text(str(score), style="dim" if score.confidence == 0 else "bold")
    return score.name, value, f"{score.confidence:.2f}", ", ".join(score.evidence)


def _measures(view: CustomerView, relationships: Relationships) -> Iterator[tuple[str, str, str]]:
    from relationship_core.cli.show import money, shown

    project = relationships.settings.project
    for name, value in view.measures.items():
        column = relationships.catalog.columns[name]
        if column.unit == "money" and isinstance(value, int | float):
            yield name, money(value, project.currency), column.summary
        else:
            yield name, shown(value, project.zone), column.summary


def _move(move: Transition, zone: str) -> tuple[str, str, str]:
    from relationship_core.cli.show import text_or_number, when

    because = ", ".join(f"{name} = {text_or_number(value)}" for name, value in move.evidence.items())
    return when(move.at, zone), f"{move.origin} \N{RIGHTWARDS ARROW} {move.target}", because


def _entry(entry: TimelineEntry, zone: str, currency: str) -> tuple[str, str, str, str, str]:
    from relationship_core.cli.show import money, when

    amount = "" if entry.minor is None else money(entry.minor, currency)
    return when(entry.at, zone), entry.kind, amount, entry.source, entry.detail
