"""Scores over time as drawings: SVG, which prints as it looks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from xml.etree.ElementTree import Element

from relationship_core import Course
from relationship_core.cli.markup import tag
from relationship_core.cli.plot import Values, cut, share_of
from relationship_core.cli.telling import day, named

WIDTH, HEIGHT = 720, 170
"""Of the large drawing, in its own units."""
LEFT, RIGHT, TOP, BOTTOM = 34, 62, 10, 34
"""Its margins."""
SMALL_WIDTH, SMALL_HEIGHT, SMALL_MARGIN = 90, 20, 2
BAR_WIDTH, BAR_HEIGHT = 44, 8

LETTER = 6.3
"""About how wide a letter of a stage's name is."""

Span = tuple[float, float]
Place = tuple[float, float]


def bar(value: float, span: Span) -> Element:
    """A value as a bar in its span."""
    return tag(
        "svg",
        tag("rect", class_="trough", width=f"{BAR_WIDTH}", height=f"{BAR_HEIGHT}", rx="2"),
        tag("rect", class_="fill", width=f"{BAR_WIDTH * share_of(value, span):.1f}", height=f"{BAR_HEIGHT}", rx="2"),
        class_="bar",
        viewBox=f"0 0 {BAR_WIDTH} {BAR_HEIGHT}",
        width=f"{BAR_WIDTH}",
        height=f"{BAR_HEIGHT}",
        aria_hidden="true",
    )


def small(values: Values, span: Span) -> Element:
    """Values as a line without words."""
    wide, high = SMALL_WIDTH - 2 * SMALL_MARGIN, SMALL_HEIGHT - 2 * SMALL_MARGIN
    places = [
        None if value is None else (SMALL_MARGIN + x * wide, SMALL_MARGIN + (1 - share_of(value, span)) * high)
        for x, value in zip(_along(len(values)), values, strict=True)
    ]
    drawn = list(_lines(places, "line"))
    if places and places[-1] is not None:
        drawn.append(_dot(places[-1], 2))
    return tag(
        "svg",
        drawn,
        class_="small",
        viewBox=f"0 0 {SMALL_WIDTH} {SMALL_HEIGHT}",
        width=f"{SMALL_WIDTH}",
        height=f"{SMALL_HEIGHT}",
        aria_hidden="true",
    )


def large(course: Course, span: Span, zone: str) -> Element:
    """The headline of a course, with the stages below, and days."""
    values = course.scores[course.headline]
    places = [
        None if value is None else (_x(x), _y(share_of(value, span)))
        for x, value in zip(_along(len(values)), values, strict=True)
    ]
    label = f"{named(course.headline)} from {day(course.instants[0], zone)} to {day(course.instants[-1], zone)}"
    return tag(
        "svg",
        _grid(span),
        _stages(course.stages),
        _days(course, zone),
        _lines(places, "line"),
        _end(places, values),
        class_="large",
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        aria_label=label,
    )


def _along(points: int) -> list[float]:
    """Places of so many points, evenly from 0 to 1; one alone stands at the end."""
    return [place / (points - 1) for place in range(points)] if points > 1 else [1.0] * points


def _x(share: float) -> float:
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def _y(share: float) -> float:
    return TOP + (1 - share) * (HEIGHT - TOP - BOTTOM)


def _grid(span: Span) -> Iterable[Element]:
    low, high = span
    for share in (0.0, 0.5, 1.0):
        y = _y(share)
        yield tag("line", class_="grid", x1=f"{LEFT}", x2=f"{WIDTH - RIGHT}", y1=f"{y:.1f}", y2=f"{y:.1f}")
        number = f"{low + share * (high - low):.1f}"
        yield tag("text", number, class_="axis", x=f"{LEFT - 6}", y=f"{y + 4:.1f}", text_anchor="end")


def _stages(stages: Sequence[str]) -> Iterable[Element]:
    """Where the stage changes a line, and beside it as much of the stage's name as there is room for."""
    along = _along(len(stages))
    begins = [next(run) for _, run in groupby(range(len(stages)), key=stages.__getitem__)]
    places = [_x(along[place]) for place in begins]
    for place, x, end in zip(begins, places, [*places[1:], float(WIDTH)], strict=True):
        if place:
            yield tag("line", class_="move", x1=f"{x:.1f}", x2=f"{x:.1f}", y1=f"{TOP}", y2=f"{HEIGHT - 16}")
        words = cut(named(stages[place]), int((end - x - 4) / LETTER))
        if words:
            yield tag("text", words, class_="stage", x=f"{x + 4:.1f}", y=f"{HEIGHT - 20}")


def _days(course: Course, zone: str) -> Iterable[Element]:
    places = {0: "start", len(course.instants) // 2: "middle", len(course.instants) - 1: "end"}
    for place, anchor in places.items():
        x = _x(_along(len(course.instants))[place])
        yield tag(
            "text", day(course.instants[place], zone), class_="axis", x=f"{x:.1f}", y=f"{HEIGHT - 4}",
            text_anchor=anchor,
        )  # fmt: skip


def _lines(places: Sequence[Place | None], name: str) -> Iterable[Element]:
    """A line through neighbours that are known; one that stands alone is a dot."""
    for known, run in groupby(places, key=lambda place: place is not None):
        together = [place for place in run if place is not None]
        if known and len(together) == 1:
            yield _dot(together[0], 1.5)
        elif known:
            yield tag("polyline", class_=name, points=" ".join(f"{x:.1f},{y:.1f}" for x, y in together))


def _dot(place: Place, radius: float) -> Element:
    return tag("circle", class_="dot", cx=f"{place[0]:.1f}", cy=f"{place[1]:.1f}", r=f"{radius}")


def _end(places: Sequence[Place | None], values: Values) -> Iterable[Element]:
    if places[-1] is not None and values[-1] is not None:
        x, y = places[-1]
        yield _dot(places[-1], 4)
        yield tag("text", f"{values[-1]:.2f}", class_="now", x=f"{x + 8:.1f}", y=f"{y + 4:.1f}")
