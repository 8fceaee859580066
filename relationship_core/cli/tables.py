"""The project's numbers as tables."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from rich.console import Group, RenderableType

from relationship_core import DecisionCount, LadderView, ProjectSettings, Report
from relationship_core.cli.costs import COLUMNS, rows_by_owner
from relationship_core.cli.show import bar, counted, heading, table, when


def ladder_parts(view: LadderView, zone: str) -> Iterator[RenderableType]:
    """Customers by stage, the moves, and where customers stood at the end of each month."""
    everybody = sum(view.stages.values())
    stages = [
        (stage, f"{customers:,}", f"{customers / (everybody or 1):.1%}", bar(customers / (everybody or 1)))
        for stage, customers in view.stages.items()
    ]
    title = f"Ladder {view.ladder}" + (f" as of {when(view.as_of, zone)}" if view.as_of else "")
    yield Group(table(title, ("stage", ">customers", ">share", ""), stages), _lapsed(view))
    if not view.movements:
        yield "Nobody has moved yet; `relate review` moves." if view.lapsed is not None else "Nobody had moved yet."
        return
    yield table("Moves on the ladder", ("month", "from", "to", ">customers"), _moves(view))
    reached = [stage for stage in view.stages if any(each[stage] for each in view.by_month.values())]
    months = [(month, *(f"{each[stage]:,}" for stage in reached)) for month, each in view.by_month.items()]
    title = "Stages at the end of each month" + (", the last one until then" if view.lapsed is None else "")
    yield table(title, ("month", *(f">{stage}" for stage in reached)), months)


def _lapsed(view: LadderView) -> str:
    if view.lapsed is not None:
        return f"{view.lapsed:,} of them lapsed."
    return (
        "Counted are the customers known today; since when they are known is not kept.\n"
        "Who had lapsed then is not kept."
    )


def _moves(view: LadderView) -> Iterator[tuple[str, str, str, str]]:
    for month, moves in groupby(view.movements, key=lambda move: move.month):
        for place, move in enumerate(moves):
            yield "" if place else month, move.origin, move.target, f"{move.customers:,}"


def report_parts(numbers: Report, project: ProjectSettings) -> Iterator[RenderableType]:
    """All there is to tell, from the whole to the messages and what they cost."""
    happened = sum(numbers.interactions.values())
    is_past = numbers.ladder.as_of is not None
    known, until = (" known today", " until then") if is_past else ("", "")
    yield Group(
        heading(project.name, more=f"as of {when(numbers.as_of, project.zone)} ({project.zone})"),
        f"{counted(numbers.customers, 'customer')}{known}, {counted(happened, 'interaction')}{until}",
    )
    if numbers.interactions:
        kinds = [(kind, f"{rows:,}", bar(rows / happened)) for kind, rows in numbers.interactions.items()]
        yield table("Interactions", ("kind", ">number", ""), kinds)
    yield from ladder_parts(numbers.ladder, project.zone)
    if numbers.decisions is None:
        yield "What was decided until then is not kept: a decision is replaced by the next one."
    else:
        yield _decisions(numbers.decisions) if numbers.decisions else "No decisions yet; `relate plan` decides."
    if numbers.messages:
        rows = [(each.campaign, each.channel, each.state, f"{each.messages:,}") for each in numbers.messages]
        yield table("Messages", ("campaign", "channel", "state", ">number"), rows)
    if numbers.heard:
        heard = [(kind, f"{number:,}") for kind, number in numbers.heard.items()]
        yield table("Heard of messages", ("event", ">number"), heard)
    if numbers.costs:
        yield table(
            f"Costs in {project.currency}",
            ("owner", "campaign", *COLUMNS),
            rows_by_owner(numbers.costs, project.currency),
        )


def _decisions(decisions: tuple[DecisionCount, ...]) -> RenderableType:
    most = max(each.engagements for each in decisions)
    ranked = sorted(decisions, key=lambda each: (each.campaign, each.verdict, -each.engagements))
    rows = [
        (each.campaign, each.verdict, each.reason, f"{each.engagements:,}", bar(each.engagements / most))
        for each in ranked
    ]
    return table("Decisions", ("campaign", "verdict", "reason", ">engagements", ""), rows)
