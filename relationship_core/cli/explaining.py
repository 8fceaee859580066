"""``relate explain``: why a customer did, or did not, get a message."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from relationship_core.cli.documents import attributes, is_plain, print_document
from relationship_core.cli.project import as_of_option, json_option, project_options

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from relationship_core import ActionView, AtomView, Explanation, MessageView, Relationships


@click.command()
@click.argument("id")
@click.argument("campaign", required=False)
@as_of_option
@json_option
@project_options
def explain(folder: Path, id: str, campaign: str | None, as_of: datetime | None, *, as_json: bool) -> None:
    """Show why a customer did, or did not, get a message.

    For each action of each campaign, or of one CAMPAIGN: the parts of its conditions with the values that they
    have for the customer, what was decided and until when, and the messages. ID is the customer's id.
    """
    from relationship_core import Relationships

    with Relationships.open(folder) as relationships:
        explanation = relationships.explain(id, campaign, as_of=as_of)
        if as_json:
            print_document(_document(explanation))
        else:
            _show(explanation, relationships)


COMMANDS = {"explain": explain}


def _document(explanation: Explanation) -> dict[str, Any]:
    document = attributes(explanation)
    for action in document["actions"]:
        for decision in action["decisions"]:
            # The rest of the engagement is said already.
            decision["occasion"] = decision.pop("engagement")["occasion"]
    return document


def _show(explanation: Explanation, relationships: Relationships) -> None:
    from relationship_core.cli.show import console, heading, when
    from relationship_core.cli.words import reasons_in_words

    zone = relationships.settings.project.zone
    reasons = reasons_in_words(relationships)
    out = console()
    out.print(
        heading(explanation.customer, more=f"{explanation.stage}, as of {when(explanation.as_of, zone)} ({zone})")
    )
    if not explanation.actions:
        out.print("The project has no campaigns; write one into campaigns/.")
    for action in explanation.actions:
        out.print()
        _show_action(out, action, reasons, zone)


def _show_action(out: Console, action: ActionView, reasons: Mapping[str, str], zone: str) -> None:
    from relationship_core.cli.show import heading, indented

    out.print(heading(f"{action.campaign} / {action.action}", more=f"of {action.owner}"))
    verdict = "addressed" if action.addressed else "not addressed"
    for title, holds, atoms in (
        (f"audience: {verdict}", action.addressed, action.audience),
        (f"occasion: {'there is one' if action.due else 'there is none'}", action.due, action.occasion),
    ):
        out.print(indented(_mark(holds, title)))
        for line in _atoms(atoms, zone):
            out.print(indented(line, 6))
    for line in (*_decisions(action, reasons, zone), *_messages(action.messages, zone)):
        out.print(indented(line))


def _mark(holds: bool | None, text: str) -> Text:
    from rich.text import Text

    signs = {True: "\N{CHECK MARK}", False: "\N{MULTIPLICATION X}", None: "?"}
    words = {True: "yes", False: "no ", None: "?  "}
    style = {True: "green", False: "red", None: "yellow"}
    return Text.assemble(((words if is_plain() else signs)[holds], style[holds]), " ", text)


def _atoms(atoms: tuple[AtomView, ...], zone: str) -> Iterator[Text]:
    from relationship_core.cli.show import clean, shown

    for atom in atoms:
        values = ", ".join(f"{name} = {shown(value, zone)}" for name, value in atom.values.items())
        line = _mark(atom.holds, clean(atom.text))
        line.append(f"   {values}" if values else "", style="dim")
        yield line


def _decisions(action: ActionView, reasons: Mapping[str, str], zone: str) -> Iterator[Text]:
    from rich.text import Text

    from relationship_core.cli.show import clean, when

    for decision in action.decisions:
        line = Text.assemble((when(decision.at, zone), "dim"), "  ", (decision.verdict, "bold"))
        if decision.engagement.occasion:
            line.append(f" for {clean(decision.engagement.occasion)}")
        line.append(f": {decision.reason}. {reasons.get(decision.reason, '')}")
        if decision.detail:
            line.append(f" ({clean(decision.detail)})")
        if decision.until:
            line.append(f" Until {when(decision.until, zone)}, unless there is news.")
        yield line
    if not action.decisions:
        yield Text(
            "no decision yet; `relate run` decides" if action.addressed else "no decision, since it is for others",
            style="dim",
        )


def _messages(messages: tuple[MessageView, ...], zone: str) -> Iterator[Text]:
    from rich.text import Text

    from relationship_core.cli.show import clean, when
    from relationship_core.cli.words import STATES

    for message in messages:
        line = Text.assemble((when(message.queued_at, zone), "dim"), "  ", ("message", "bold"))
        line.append(f" on {message.channel}: {message.state}, {STATES.get(message.state, '')}.")
        if message.detail:
            line.append(f" {clean(message.detail)}")
        yield line
