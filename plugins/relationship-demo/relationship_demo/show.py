"""The demo for people: progress while it runs, and afterwards the numbers as tables."""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from relationship_demo.story import story

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from relationship_demo.business import Truth
    from relationship_demo.replay import Listener
    from relationship_demo.summary import Summary

BAR = 40
"""So many columns are all customers together."""
SHORT_BAR = 12
"""So many where more rungs are reached than leave room for that on a terminal of 80 columns."""

SHADES = (("·", "dim"), ("░", "yellow"), ("█", "green"), ("▓", "cyan"), ("▒", "blue"), ("#", "magenta"))
"""How each rung is drawn, the lowest first; to be told apart without colours too, where people stand."""

REASONS = {
    "already_done": "they have had as many of the campaign as its limit allows",
    "budget": "the campaign's money is spent",
    "contact_balance": "we have asked more of the {one} than we have given",
    "expired": "the occasion had grown too old",
    "frequency_cap": "they have had as many messages as anybody should",
    "held_out": "left alone by lot, to see what the message does",
    "minimum_interval": "our last message was too short a time ago",
    "no_consent": "the {one} has not allowed it, or no longer",
    "no_contact_point": "no address on any channel that the campaign uses",
    "nothing_due": "in the audience, and no occasion: silence is a decision too",
    "open_ask": "our last question is not answered yet",
    "open_complaint": "a complaint is not put right yet",
    "outranked": "another message to the same {one} came first",
    "preference": "the {one} wants no such relationship",
    "recent_refund": "something came back a short time ago",
    "stopped": "permission ended between plan and sending",
    "suppressed": "the address is not to be used",
    "uneconomic": "it would cost more than it is worth",
}


@contextmanager
def following() -> Iterator[Listener]:
    """Progress on standard error: a bar on a terminal, nothing elsewhere."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description:<32}"),
        BarColumn(),
        TextColumn("{task.fields[told]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("opening", total=None, told="")

        def listen(doing: str, done: int, total: int) -> None:
            told = f"{done} of {total} months"
            progress.update(task, description=doing, completed=done, total=total, told=told)

        yield listen


def show(summary: Summary) -> None:
    """Print a summary on standard output."""
    console = Console(highlight=False)
    _show_opening(console, summary)
    _show_stages(console, summary)
    _show_moves(console, summary)
    _show_messages(console, summary)
    _show_silence(console, summary)
    _show_story(console, summary)
    _show_scores(console, summary)
    if summary.truth is not None:
        _show_truth(console, summary.truth)
    _show_next(console, summary)


def _show_opening(console: Console, summary: Summary) -> None:
    console.print(f"\n[bold]{summary.months[0]} to {summary.months[-1]}[/], replayed into {summary.folder}")
    console.print(f"{summary.business.wording.opening(summary.report)}\n")


def _show_stages(console: Console, summary: Summary) -> None:
    ladder, wording = summary.report.ladder, summary.business.wording
    reached = [rung for rung in ladder.stages if any(each.get(rung) for each in summary.stages.values())]
    legend = Text("  ").join(Text.assemble(shade, f" {rung}") for shade, rung in zip(SHADES, reached, strict=False))
    table = _table(
        f"{wording.people.capitalize()} by stage at the end of each month", "month", *(f">{rung}" for rung in reached)
    )
    is_roomy = len(legend) <= BAR
    table.add_column(legend if is_roomy else "", no_wrap=True)
    for month, standing in summary.stages.items():
        numbers = [standing[rung] for rung in reached]
        table.add_row(month, *(f"{number:,}" for number in numbers), _bar(numbers, BAR if is_roomy else SHORT_BAR))
    console.print(table)
    if not is_roomy:
        console.print(legend)
    beyond = [rung for rung in ladder.stages if rung not in reached]
    if beyond:
        console.print(f"Nobody is {_listed(beyond, 'or')}: {wording.buying}.")
    console.print(f"{ladder.lapsed:,} are marked as lapsed: silent for much longer than is their own way.\n")


def _bar(numbers: Sequence[int], width: int) -> Text:
    """A bar whose parts are as long as their numbers, without a gap or an overlap."""
    whole = sum(numbers) or 1
    bar = Text()
    below = 0
    for number, (sign, style) in zip(numbers, SHADES, strict=False):
        start, end = round(width * below / whole), round(width * (below + number) / whole)
        bar.append(sign * (end - start), style=style)
        below += number
    return bar


def _show_moves(console: Console, summary: Summary) -> None:
    table = _table("Moves on the ladder", "from", "to", f">{summary.business.wording.people}")
    for (origin, target), number in summary.moves.items():
        table.add_row(origin, target, f"{number:,}")
    console.print(table, "")


def _show_messages(console: Console, summary: Summary) -> None:
    channels = sorted(summary.channels)
    table = _table("What was sent", "campaign", *(f">{channel}" for channel in channels), ">in all")
    sent: Counter[tuple[str, str]] = Counter()
    states: Counter[str] = Counter()
    for each in summary.sent:
        sent[each.campaign, each.channel] += each.messages
        states[each.state] += each.messages
    for campaign in sorted({campaign for campaign, _ in sent}):
        numbers = [sent[campaign, channel] for channel in channels]
        table.add_row(campaign, *(f"{number:,}" if number else "" for number in numbers), f"{sum(numbers):,}")
    console.print(table)
    answers = [f"{number:,} {state}" for state, number in states.most_common()]
    console.print(f"What the channels answered: {_listed(answers)}.\n")


def _show_silence(console: Console, summary: Summary) -> None:
    table = _table("Why the others were left alone", "reason", ">engagements", "which means")
    for reason, number in summary.left_alone.items():
        table.add_row(reason, f"{number:,}", REASONS.get(reason, "").format(one=summary.business.wording.person))
    console.print(table, "")


def _show_story(console: Console, summary: Summary) -> None:
    customer = summary.customer.customer
    table = _table(
        f"One story: {customer.id}, whom we call {customer.name}", "from", "to", "what", "on the strength of"
    )
    for line in story(summary.customer, summary.business):
        table.add_row(line.since, line.until if line.until != line.since else "", line.what, line.why)
    console.print(table, "")


def _show_scores(console: Console, summary: Summary) -> None:
    view, lacking = summary.customer, summary.business.wording.lacking
    table = _table(f"What is known of {view.customer.id}, and what is not", "score", ">value", ">confidence", "from")
    for score in view.scores:
        source = _listed(score.evidence)
        unknown = score.confidence == 0
        table.add_row(
            score.name,
            str(score),
            "" if unknown else f"{score.confidence:.2f}",
            f"needs {source}, {lacking}" if unknown else source,
        )
    console.print(table, "")


def _show_truth(console: Console, truth: Truth) -> None:
    meanings = _table("The lives that were planted; nothing that was recorded tells them", "life", "which means")
    for life, meaning in truth.meanings.items():
        meanings.add_row(life, meaning)
    console.print(meanings, "")
    table = _table(
        "Truth against finding: how many of each life reached which stage at most",
        *("life", ">planted", *(f">{stage}" for stage in truth.stages), ">lapsed"),
    )
    for row in truth.lives:
        numbers = (row[column] for column in ("planted", *truth.stages, "lapsed"))
        table.add_row(row["life"], *(f"{number:,}" if number else "" for number in numbers))
    console.print(table, "")
    claims = _table("What the truth demands", "claim", ">of", ">found", ">share", ">needed", "")
    for told, planted, found, needed in truth.claims:
        share = found / planted if planted else 1.0
        verdict = "holds" if share >= needed else "FAILS"
        claims.add_row(told, f"{planted:,}", f"{found:,}", f"{share:.0%}", f"{needed:.0%}", verdict)
    console.print(claims, "")


def _show_next(console: Console, summary: Summary) -> None:
    relate = f"{_called()} --project {quote(str(summary.folder))}"
    who, zone = summary.customer.customer.id, ZoneInfo(summary.business.zone)
    at = f"--as-of {summary.report.as_of.astimezone(zone).isoformat()}"
    commands = ("ladder", "report", f"customer {who} {at}", f"explain {who} {at}")
    files = (summary.folder / "campaigns", *summary.examples)
    console.print("[bold]What to look at next[/]")
    console.print(*(f"  {relate} {command}" for command in commands), sep="\n", soft_wrap=True)
    console.print(f"Without --as-of a question is answered as of today, {summary.business.wording.later}.")
    console.print(*(f"  {file}" for file in files), sep="\n", soft_wrap=True)
    console.print("Edit a campaign, and the next plan goes by it.\n")


def _called() -> str:
    """What to type for ``relate``: as it was called, unless the shell finds the same by its name."""
    called = sys.argv[0]
    if Path(called).stem != "relate":  # python -m relationship_core, or a program that embeds it
        return "relate"
    found = shutil.which("relate")
    is_found = found is not None and Path(found).resolve() == Path(called).resolve()
    return "relate" if is_found else quote(called)


def _table(title: str, *columns: str) -> Table:
    """A table; the numbers of a column whose name begins with > stand to the right."""
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column.removeprefix(">"), justify="right" if column.startswith(">") else "left")
    return table


def _listed(words: Sequence[str], last: str = "and") -> str:
    return f" {last} ".join(part for part in (", ".join(words[:-1]), *words[-1:]) if part)
