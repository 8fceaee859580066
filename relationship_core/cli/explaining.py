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
    from rich.console import RenderableType
    from rich.text import Text

    from relationship_core import ActionView, AtomView, Explanation, MessageView, PolicyView, Relationships


@click.command()
@click.argument("id")
@click.argument("campaign", required=False)
@as_of_option
@json_option
@project_options
def explain(folder: Path, id: str, campaign: str | None, as_of: datetime | None, *, as_json: bool) -> None:
    """Show why a customer did, or did not, get a message.

    For each action of each campaign, or of one CAMPAIGN: the parts of its conditions with the values that they
    have for the customer, what each policy says, what a plan would decide and who wins, what was decided and until
    when, and the messages; then what was given and asked, and when something may change. As of an instant before the
    last record it tells what history tells. ID is the customer's id.
    """
    from relationship_core import Relationships

    with Relationships.open(folder) as relationships:
        explanation = relationships.explain(id, campaign, as_of=as_of)
        if as_json:
            print_document(_document(explanation))
        else:
            _show(explanation, relationships)


COMMANDS = {"explain": explain}

_UNDECIDED = "no decision of that time is kept"


def _document(explanation: Explanation) -> dict[str, Any]:
    document = attributes(explanation)
    for action in document["actions"]:
        for decision in action["decisions"]:
            # The rest of the engagement is said already.
            decision["occasion"] = decision.pop("engagement")["occasion"]
    return document


def _show(explanation: Explanation, relationships: Relationships) -> None:
    from rich.console import Group

    from relationship_core.cli.show import console
    from relationship_core.cli.words import reasons_in_words

    out = console()
    # In one go: to print line by line takes much longer.
    zone, reasons = relationships.settings.project.zone, reasons_in_words(relationships)
    out.print(Group(*_lines(explanation, reasons, zone, out.width)))


def _lines(explanation: Explanation, reasons: Mapping[str, str], zone: str, width: int) -> Iterator[RenderableType]:
    from rich.text import Text

    from relationship_core.cli.show import heading, when

    yield heading(explanation.customer, more=f"{explanation.stage}, as of {when(explanation.as_of, zone)} ({zone})")
    if not explanation.actions:
        yield Text("The project has no campaigns; write one into campaigns/.")
    for action in explanation.actions:
        yield Text()
        yield heading(f"{action.campaign} / {action.action}", more=f"of {action.owner}")
        for line, columns in _of_action(action, reasons, zone):
            yield _indented(line, columns, width)
    for told in (*_ledger(explanation, zone), *_moves(explanation, zone), *explanation.untold):
        yield Text()
        yield Text(told)


def _indented(line: Text, columns: int, width: int) -> RenderableType:
    """The line, further to the right; one that there is room for needs no layout."""
    from rich.text import Text

    from relationship_core.cli.show import indented

    if columns + line.cell_len > width:
        return indented(line, columns)
    return Text(" " * columns).append_text(line)


def _ledger(explanation: Explanation, zone: str) -> Iterator[str]:
    from relationship_core.cli.show import clean, counted, when

    if explanation.ledger is not None:
        ledger = explanation.ledger
        gives, asks = counted(ledger.gives, "give"), counted(ledger.asks, "ask")
        told = f"Ledger: a balance of {ledger.balance:.2f}, {gives}, {asks}."
        if ledger.given or ledger.asked:
            told += f" Beside messages, {ledger.given:.2f} was given and {ledger.asked:.2f} asked, as it weighs now."
        if ledger.open_ask_at and ledger.open_ask_until:
            told += f" An ask of {when(ledger.open_ask_at, zone)} is open until {when(ledger.open_ask_until, zone)}."
        yield told
        if explanation.changes_at:
            at = when(explanation.changes_at, zone)
            yield f"Unless there is news, this may change at {at} ({clean(explanation.changes)})."
        else:
            yield "Unless there is news, nothing of this changes."


def _moves(explanation: Explanation, zone: str) -> Iterator[str]:
    from relationship_core.cli.show import when

    if explanation.moves:
        moves = (f"{when(each.at, zone)} from {each.origin} to {each.target}" for each in explanation.moves)
        yield f"Moves on the ladder until then: {'; '.join(moves)}."


def _of_action(action: ActionView, reasons: Mapping[str, str], zone: str) -> Iterator[tuple[Text, int]]:
    """The lines about one action, with the columns before each."""
    if action.addressed is not None:
        verdict = "addressed" if action.addressed else "not addressed"
        for title, holds, atoms in (
            (f"audience: {verdict}", action.addressed, action.audience),
            (_moment(action, zone), action.due, action.occasion),
            *_goal(action),
        ):
            yield _mark(holds, title), 2
            for line in _atoms(atoms, zone):
                yield line, 6
    for line in (
        *_policies(action.policies, zone),
        *_outlook(action, reasons, zone),
        *_decisions(action, reasons, zone),
        *_messages(action.messages, zone),
    ):
        yield line, 2


def _moment(action: ActionView, zone: str) -> str:
    """What makes it due: an occasion, or the step before."""
    from relationship_core.cli.show import clean, when

    step = action.step
    if step is None:
        return f"occasion: {'there is one' if action.due else 'there is none'}"
    if step.went_at is None or step.comes_at is None:
        return f"follow-up: waits for {step.after}, which has not gone to them"
    told = f"follow-up: {step.after} went at {when(step.went_at, zone)} for {clean(step.occasion)}"
    return f"{told}; {'due' if action.due else 'not due'}, and not before {when(step.comes_at, zone)}"


def _goal(action: ActionView) -> Iterator[tuple[str, bool | None, tuple[AtomView, ...]]]:
    if action.goal is not None:
        reached = action.goal.reached
        told = "reached, so that the campaign is over for them" if reached else "not reached"
        yield f"goal: {told}", True if reached else None, action.goal.atoms


def _policies(policies: tuple[PolicyView, ...], zone: str) -> Iterator[Text]:
    """Those that say something by themselves, then the others by name."""
    from rich.text import Text

    from relationship_core.cli.show import clean, when

    words = {"holds_back": "holds back", "lets_wait": "lets it wait", "failed": "failed"}
    for policy in policies:
        if policy.answer in words:
            told = f"policy {policy.name}: {words[policy.answer]}"
            told += f" ({clean(policy.detail)})" if policy.detail else ""
            told += f", until {when(policy.until, zone)}" if policy.until else ""
            yield _mark(None if policy.answer == "lets_wait" else False, told)
    for answer, word in (("passes", "pass"), ("does_not_apply", "do not apply")):
        if names := [policy.name for policy in policies if policy.answer == answer]:
            yield Text(f"policies that {word}: {', '.join(names)}", style="dim")


def _outlook(action: ActionView, reasons: Mapping[str, str], zone: str) -> Iterator[Text]:
    from rich.text import Text

    from relationship_core.cli.show import clean, when

    outlook = action.outlook
    if outlook is None or any(
        (each.reason, each.detail) == (outlook.reason, outlook.detail) for each in action.decisions
    ):
        return  # what was decided tells it
    line = Text.assemble(("a plan would say", "dim"), " ", (outlook.reason, "bold"))
    line.append(f" ({clean(outlook.detail)})" if outlook.detail else "")
    line.append(f", until {when(outlook.until, zone)}" if outlook.until else "")
    line.append(f", and send it at {when(outlook.not_before, zone)} at the earliest" if outlook.not_before else "")
    line.append(f". {reasons.get(outlook.reason, '')}")
    yield line


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
    if not action.decisions and (action.step is None or action.step.went_at is not None):
        words = {True: "no decision yet; `relate run` decides", False: "no decision, since it is for others"}
        yield Text(words.get(bool(action.addressed), "") if action.addressed is not None else _UNDECIDED, style="dim")


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
