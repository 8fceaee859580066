"""One customer on a page of paper: HTML that needs no other file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.resources import files
from itertools import chain
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from relationship_core import CustomerView, ScoringRule
from relationship_core.cli import telling
from relationship_core.cli.costs import CUSTOMER_COLUMNS, rows_by_campaign
from relationship_core.cli.drawing import bar, large, small
from relationship_core.cli.markup import Content, said, tag, whole_page
from relationship_core.cli.plot import span_of
from relationship_core.cli.show import counted, money, shown, text_or_number, when

if TYPE_CHECKING:
    from relationship_core import Relationships, Score

NOTHING_ELSE = "default-src 'none'; style-src 'unsafe-inline'"
"""The page fetches nothing and runs nothing."""
_STATES = {"overdue": "warn", "broken": "warn", "late": "warn", "unpaired": "mild", "open": "mild"}

Cell = tuple[str, Content]
"""The class of a table's cell, and what is in it."""


def customer_page(view: CustomerView, relationships: Relationships, *, measures: bool) -> str:
    """The page of one customer.

    Args:
        view: the customer.
        relationships: the project.
        measures: whether every measure is shown.
    """
    project = relationships.settings.project
    rules = {rule.name: rule for rule in relationships.catalog.scores}
    zone, currency = project.zone, project.currency
    name = view.customer.name or view.customer.id
    style = files(__package__).joinpath("page.css").read_text(encoding="utf-8")
    head = [
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", http_equiv="Content-Security-Policy", content=NOTHING_ELSE),
        tag("title", f"{name} \N{EN DASH} {project.name}"),
        tag("style", style),
    ]
    sections = [
        _header(view, zone),
        _course(view, rules, zone),
        _ahead(view),
        _cases(view, zone),
        _scores(view, relationships, rules, zone),
        _wishes(view, currency, zone),
        _costs(view, currency),
        *(_ties(title, ties) for title, ties in telling.ties_of(view, zone)),
        _timeline(view, currency, zone),
        _moves(view, zone),
        *([_measures(view, relationships)] if measures else []),
        tag("footer", said(project.name)),
    ]
    return whole_page(head, sections)


def _header(view: CustomerView, zone: str) -> Element:
    who = view.customer
    since = f" since {when(view.since, zone)}" if view.since else " from the beginning"
    points = [
        (point.medium, said(point.address + (" (made up)" if point.synthetic else ""))) for point in who.contact_points
    ]
    told = [
        ("history", said(telling.history_of(view, zone))),
        ("as of", said(f"{when(view.as_of, zone)} ({zone})")),
        *(points or [("contact", said("none known"))]),
        *([("merged", said(telling.merged_of(view)))] if view.merged else []),
        ("profile", said(telling.profile_of(view) or "nothing known")),
    ]
    title: list[str | Element] = [said(who.name or who.id)]
    if who.name:
        title += [" ", tag("span", said(who.id), class_="id")]
    return tag(
        "header",
        tag("h1", title, dir="auto"),
        tag("p", tag("strong", telling.stage_of(view)), since, class_="stage"),
        _list(told),
    )


def _list(told: Iterable[tuple[str, Element]]) -> Element:
    """Labels, each with what is told under it."""
    return tag("dl", (part for label, text in told for part in (tag("dt", said(label)), tag("dd", text, dir="auto"))))


def _section(title: str, content: Iterable[Element] | None, *, more: str = "", name: str = "") -> Element:
    """A part of the page; without content it says so."""
    head = tag("h2", title, " ", tag("small", more)) if more else tag("h2", title)
    nothing = [tag("p", telling.NO_EVIDENCE, class_="none")]
    return tag("section", head, nothing if content is None else content, class_=name)


def _table(columns: Sequence[Cell], rows: Iterable[Sequence[Cell]]) -> list[Element] | None:
    """A table, or nothing where there are no rows."""
    lines = [tag("tr", (tag("td", content, class_=name) for name, content in row)) for row in rows]
    head = tag("tr", (tag("th", content, class_=name) for name, content in columns))
    return [tag("table", tag("thead", head), tag("tbody", lines))] if lines else None


def _course(view: CustomerView, rules: Mapping[str, ScoringRule], zone: str) -> Element:
    score, course = telling.headline_of(view), view.course
    if score is None or not telling.has_course(course):
        return _section("Over time", None)
    rule = rules[score.name]
    drawn = large(course, span_of(course.scores[score.name], rule.low, rule.high), zone)
    title = f"{telling.named(score.name).capitalize()} over time"
    return _section(title, [drawn], more=f"now {telling.value_of(score)}", name="whole")


def _scores(view: CustomerView, relationships: Relationships, rules: Mapping[str, ScoringRule], zone: str) -> Element:
    columns = (
        ("", "score"), ("number", "value"), ("wide", ""), ("number", "confidence"), ("", "over time"),
        ("", "weighs most"),
    )  # fmt: skip
    return _section(
        "Where it stands",
        _table(columns, ([*_score(score, view, rules, zone)] for score in chain(*telling.ranked(view, relationships)))),
    )


def _score(score: Score, view: CustomerView, rules: Mapping[str, ScoringRule], zone: str) -> Iterator[Cell]:
    rule, values = rules[score.name], view.course.scores.get(score.name, ())
    span = span_of(values, rule.low, rule.high)
    yield "name", telling.named(score.name)
    if score.confidence == 0 or score.value is None:
        yield "number none", telling.NO_EVIDENCE
        yield "wide", ""
    else:
        yield "number", tag("strong", str(score))
        is_share = (rule.low, rule.high) == (0.0, 1.0) and not rule.labels
        yield "wide", bar(score.value, span) if is_share else ""
    yield "number", telling.confidence_of(score)
    yield "", small(values, span) if any(value is not None for value in values) else ""
    if score.name in view.influences:
        yield "", tag("ul", (tag("li", each) for each in telling.rests_of(view, score, zone)), class_="weights")
    else:
        yield "none", ", ".join(telling.rests_of(view, score, zone))


def _ahead(view: CustomerView) -> Element:
    ahead, more = telling.shown_ahead(view)
    rows = (
        (
            ("day warn" if each.overdue else "day", telling.on_of(each)),
            ("name", telling.COMING[each.what]),
            ("", said(each.detail)),
        )
        for each in ahead
    )
    return _section("What comes next", _with_more(_table((("", "when"), ("", "what"), ("", "which")), rows), more))


def _with_more(content: list[Element] | None, more: int) -> list[Element] | None:
    """A table, and how much of it is not shown."""
    return [*content, tag("p", f"and {more:,} more", class_="more")] if content and more else content


def _cases(view: CustomerView, zone: str) -> Element:
    cases, more = telling.shown_cases(view)
    rows = (
        (
            ("name", case.kind),
            ("", said(case.reference or "")),
            (_STATES.get(case.state, ""), telling.state_of(case, zone)),
            ("day", telling.due_of(case, zone)),
            ("", said(telling.about_of(case))),
        )
        for case in cases
    )
    columns = (("", "case"), ("", "reference"), ("", "how it stands"), ("", "due"), ("", "about"))
    return _section("Promises and cases", _with_more(_table(columns, rows), more))


def _wishes(view: CustomerView, currency: str, zone: str) -> Element:
    told = []
    for label, wishes in telling.wishes_of(view, currency, zone):
        parts: list[str | Element] = []
        for their, our in wishes:
            parts += [*(["; "] if parts else []), said(their), " " if our.startswith(" ") else "", said(our)]
        told.append((label, tag("span", parts) if parts else tag("span", telling.NO_EVIDENCE, class_="none")))
    return _section("What they have, want and like", [_list(told)], name="whole")


def _costs(view: CustomerView, currency: str) -> Element:
    columns: list[Cell] = [("", "of what"), *(("number", name.removeprefix(">")) for name in CUSTOMER_COLUMNS)]
    rows: list[list[Cell]] = [
        [("name", said(what)), *(("number", each) for each in numbers)]
        for what, *numbers in rows_by_campaign(view.costs, currency)
    ]
    return _section(f"What it costs, in {currency}", _table(columns, rows))


def _ties(title: str, ties: Iterable[tuple[str, str, str, str]]) -> Element:
    rows = (
        (("name", said(name)), ("", said(who)), ("", said(role)), ("day", stands)) for name, who, role, stands in ties
    )
    return _section(title, _table((("", "name"), ("", "id"), ("", "role"), ("", "how they stand")), rows))


def _timeline(view: CustomerView, currency: str, zone: str) -> Element:
    rows = (
        (
            ("day", when(entry.at, zone)),
            ("name", telling.named(entry.kind)),
            ("number", "" if entry.minor is None else money(entry.minor, currency)),
            ("", said(entry.source)),
            ("", said(entry.detail)),
        )
        for entry in view.timeline
    )
    columns = (("", "when"), ("", "what"), ("number", "amount"), ("", "source"), ("", "of what"))
    more = f"of {counted(view.interactions, 'interaction')}" if view.interactions else ""
    return _section("What happened last", _table(columns, rows), more=more)


def _moves(view: CustomerView, zone: str) -> Element:
    rows = (
        (
            ("day", when(move.at, zone)),
            ("name", f"{telling.named(move.origin)} \N{RIGHTWARDS ARROW} {telling.named(move.target)}"),
            ("", ", ".join(f"{telling.named(name)} {text_or_number(value)}" for name, value in move.evidence.items())),
        )
        for move in reversed(view.transitions)
    )
    return _section("Moves on the ladder", _table((("", "when"), ("", "move"), ("", "because of")), rows))


def _measures(view: CustomerView, relationships: Relationships) -> Element:
    project, columns = relationships.settings.project, relationships.catalog.columns
    rows = (
        (
            ("name", name),
            ("number", money(value, project.currency)
             if columns[name].unit == "money" and isinstance(value, int | float) else shown(value, project.zone)),
            ("", columns[name].summary),
        )
        for name, value in view.measures.items()
    )  # fmt: skip
    return _section("Measures", _table((("", "measure"), ("number", "value"), ("", "which is")), rows))
