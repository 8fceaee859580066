"""One customer on a terminal: past, present and future on one screen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from relationship_core import CustomerView, ScoringRule, TimelineEntry, Transition
from relationship_core.cli import telling
from relationship_core.cli.costs import CUSTOMER_COLUMNS, rows_by_campaign
from relationship_core.cli.plot import dated, plot, span_of, spark, under_plot
from relationship_core.cli.show import clean, counted, heading, money, shown, table, text_or_number, when

if TYPE_CHECKING:
    from relationship_core import Relationships

NARROW, WIDE = 90, 110
"""Below so many columns a table has no room for a line of blocks; from so many on it has room for a long one."""
SHORT, LONG = 8, 24
"""Cells of such a line."""
LABEL = 11
"""Columns of a label, with what stands between."""


def parts(view: CustomerView, relationships: Relationships, width: int, *, measures: bool) -> Iterator[RenderableType]:
    """The parts of the screen, from above.

    Args:
        view: the customer.
        relationships: the project.
        width: columns of the terminal.
        measures: whether every measure is shown.
    """
    project = relationships.settings.project
    rules = {rule.name: rule for rule in relationships.catalog.scores}
    zone, currency = project.zone, project.currency
    yield Group(*_who(view, zone))
    yield _course(view, rules, zone, width)
    yield _ahead(view)
    yield _cases(view, zone)
    yield _scores(view, relationships, rules, zone, width)
    yield _wishes(view, currency, zone)
    if view.costs:
        yield table(
            f"What it costs, in {currency}", ("of what", *CUSTOMER_COLUMNS), rows_by_campaign(view.costs, currency)
        )
    for title, ties in telling.ties_of(view, zone):
        yield table(title, ("name", "id", "role", "how they stand"), ties)
    title = f"What happened last, of {counted(view.interactions, 'interaction')}"
    entries = (_entry(entry, zone, currency) for entry in view.timeline)
    yield _table_or_nothing(title, ("when", "what", ">amount", "source", "of what"), entries)
    if view.transitions:
        moves = (_move(move, zone) for move in view.transitions)
        yield table("Moves on the ladder", ("when", "move", "because of"), moves)
    if measures:
        yield table("Measures", ("measure", ">value", "which is"), _measures(view, relationships))


def _table_or_nothing(title: str, columns: tuple[str, ...], rows: Iterable[tuple[str | Text, ...]]) -> RenderableType:
    filled = list(rows)
    return table(title, columns, filled) if filled else heading(title, more=telling.NO_EVIDENCE)


def _who(view: CustomerView, zone: str) -> Iterator[Text]:
    who = view.customer
    yield heading(who.name or who.id, more=who.id if who.name else "")
    since = f"since {when(view.since, zone)}" if view.since else "from the beginning"
    yield heading(telling.stage_of(view), more=since)
    yield line("history", telling.history_of(view, zone))
    yield line("as of", f"{when(view.as_of, zone)} ({zone})")
    for point in who.contact_points:
        yield line(point.medium, clean(point.address) + (" (made up)" if point.synthetic else ""))
    if view.merged:
        yield line("merged", clean(telling.merged_of(view)))
    if not who.contact_points:
        yield line("contact", "none known")
    yield line("profile", clean(telling.profile_of(view)) or "nothing known")


def line(label: str, text: str) -> Text:
    """A label and what it says."""
    return Text.assemble((f"{label:<{LABEL}}", "dim"), text)


def _course(view: CustomerView, rules: dict[str, ScoringRule], zone: str, width: int) -> RenderableType:
    score, course = telling.headline_of(view), view.course
    if score is None or not telling.has_course(course):
        return heading("Over time", more=telling.NO_EVIDENCE)
    values, rule = course.scores[score.name], rules[score.name]
    return Group(
        heading(f"{telling.named(score.name).capitalize()} over time", more=f"now {telling.value_of(score)}"),
        *plot(values, span_of(values, rule.low, rule.high), width),
        under_plot([telling.named(stage) for stage in course.stages], width),
        dated(telling.day(course.instants[0], zone), telling.day(course.instants[-1], zone), len(values), width),
    )


def _scores(
    view: CustomerView, relationships: Relationships, rules: dict[str, ScoringRule], zone: str, width: int
) -> RenderableType:
    cells = 0 if width < NARROW else LONG if width >= WIDE else SHORT
    others = [max(map(len, ("value", *map(str, view.scores)))), len("confidence"), *([cells] if cells else [])]
    room = width - max((len(score.name) for score in view.scores), default=0) - sum(others) - 3 * (len(others) + 1)
    rows: list[tuple[str | Text, ...]] = []
    first, rest = telling.ranked(view, relationships)
    for score in (*first, *rest):
        rule, values = rules[score.name], view.course.scores.get(score.name, ())
        value = Text(str(score), style="dim" if score.confidence == 0 else "bold")
        over_time = [spark(values, span_of(values, rule.low, rule.high), cells)] if cells else []
        rests = _filled(telling.rests_of(view, score, zone), room)
        # On one screen only what the headline is made of has room for more than a line.
        told = rests if score in first or not score.confidence else rests[:1]
        rows.append((score.name, value, telling.confidence_of(score), *over_time, Text("\n".join(told))))
    columns = ("score", ">value", ">confidence", *(["over time"] if cells else []), "weighs most")
    return _table_or_nothing("Where it stands", columns, rows)


def _filled(told: Iterable[str], room: int) -> list[str]:
    """Lines with as many on each as there is room for, so that none of them is broken."""
    lines: list[str] = []
    for each in told:
        if lines and len(lines[-1]) + len(each) + 2 <= room:
            lines[-1] += f", {each}"
        else:
            lines.append(each)
    return lines


def _ahead(view: CustomerView) -> RenderableType:
    ahead, more = telling.shown_ahead(view)
    rows = [
        (
            Text(telling.on_of(each), style="bold red" if each.overdue else ""),
            telling.COMING[each.what],
            clean(each.detail),
        )
        for each in ahead
    ]
    shown_rows = _table_or_nothing("What comes next", ("when", "what", "which"), rows)
    return Group(shown_rows, f"and {more:,} more") if more else shown_rows


def _cases(view: CustomerView, zone: str) -> RenderableType:
    cases, more = telling.shown_cases(view)
    rows = [
        (case.kind, case.reference or "", Text(telling.state_of(case, zone), style=_STYLES.get(case.state, "")),
         telling.due_of(case, zone), telling.about_of(case))
        for case in cases
    ]  # fmt: skip
    shown_rows = _table_or_nothing("Promises and cases", ("case", "reference", "how it stands", "due", "about"), rows)
    return Group(shown_rows, f"and {more:,} more") if more else shown_rows


_STYLES = {"overdue": "bold red", "broken": "red", "late": "red", "unpaired": "yellow", "open": "bold"}


def _wishes(view: CustomerView, currency: str, zone: str) -> RenderableType:
    told = Table.grid(padding=(0, 1, 0, 0))
    told.add_column(style="dim", width=LABEL - 1)
    told.add_column(overflow="fold")
    for label, said in telling.wishes_of(view, currency, zone):
        told.add_row(label, clean("; ".join(their + our for their, our in said)) or telling.NO_EVIDENCE)
    return Group(heading("What they have, want and like"), told)


def _measures(view: CustomerView, relationships: Relationships) -> Iterator[tuple[str, str, str]]:
    project = relationships.settings.project
    for name, value in view.measures.items():
        column = relationships.catalog.columns[name]
        if column.unit == "money" and isinstance(value, int | float):
            yield name, money(value, project.currency), column.summary
        else:
            yield name, shown(value, project.zone), column.summary


def _move(move: Transition, zone: str) -> tuple[str, str, str]:
    because = ", ".join(f"{name} = {text_or_number(value)}" for name, value in move.evidence.items())
    return when(move.at, zone), f"{move.origin} \N{RIGHTWARDS ARROW} {move.target}", because


def _entry(entry: TimelineEntry, zone: str, currency: str) -> tuple[str, str, str, str, str]:
    amount = "" if entry.minor is None else money(entry.minor, currency)
    return when(entry.at, zone), entry.kind, amount, entry.source, entry.detail
