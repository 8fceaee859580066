"""A chart with logarithmic scales as SVG: plain, dark as the other pictures of the documentation, nothing fetched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from itertools import cycle, pairwise
from math import ceil, floor, log10

INK, PALE, PAPER = "#c9d1d9", "#30363d", "#0d1117"
COLOURS = ("#58a6ff", "#3fb950", "#d29922", "#bc8cff")
WIDTH, HEIGHT = 760, 400
LEFT, RIGHT, TOP, BOTTOM = 80, 660, 64, 340
_APART = 15.0
"""Names at the ends of lines are so far apart, however near the lines are."""

_HEAD = f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">
<title>{{title}}</title>
<style>
text {{{{
  font: 12px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: {INK};
}}}}
.mark {{{{ stroke: {PALE}; }}}} .right {{{{ text-anchor: end; }}}} .middle {{{{ text-anchor: middle; }}}}
.line {{{{ fill: none; stroke-width: 2; }}}}
</style>
<rect fill="{PAPER}" width="{WIDTH}" height="{HEIGHT}" rx="8"/>"""


def chart(
    title: str, *, x_name: str, y_name: str, places: Mapping[str, float], lines: Mapping[str, Sequence[float]]
) -> str:
    """Draw lines over the same places.

    Args:
        title: what is shown.
        x_name: what the places are, below.
        y_name: what the values are, above, with their unit.
        places: where there are values, above 0 and ascending, each with its label.
        lines: as many values above 0 for each name; those of the first are written out.
    """
    values = [value for line in lines.values() for value in line]
    low, high = floor(log10(min(values))), max(ceil(log10(max(values))), floor(log10(min(values))) + 1)
    first, last = (log10(pick(places.values())) for pick in (min, max))
    span = last - first or 1.0
    xs = [LEFT + 30 + (RIGHT - LEFT - 60) * (log10(place) - first) / span for place in places.values()]

    def height(value: float) -> float:
        return BOTTOM - (BOTTOM - TOP) * (log10(value) - low) / (high - low)

    parts = [_HEAD.format(title=escape(title)), _text(20, 28, title), _text(20, 48, y_name)]
    for power in range(low, high + 1):
        y = height(10.0**power)
        parts += [_mark(LEFT, y, RIGHT, y), _text(LEFT - 10, y + 4, f"{10.0**power:g}", "right")]
    for x, label in zip(xs, places, strict=True):
        parts += [_mark(x, TOP, x, BOTTOM), _text(x, BOTTOM + 20, label, "middle")]
    parts.append(_text((LEFT + RIGHT) / 2, BOTTOM + 44, x_name, "middle"))
    ends = _apart({name: height(line[-1]) for name, line in lines.items()})
    for (name, line), colour in zip(lines.items(), cycle(COLOURS), strict=False):
        points = [(x, height(value)) for x, value in zip(xs, line, strict=True)]
        parts.append(f'<polyline class="line" stroke="{colour}" points="{_joined(points)}"/>')
        parts += [f'<circle fill="{colour}" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>' for x, y in points]
        parts.append(_text(xs[-1] + 12, ends[name] + 4, name, colour=colour))
    shown = zip(xs, next(iter(lines.values())), strict=True)
    parts += [_text(x, height(value) - 10, _short(value), "middle") for x, value in shown]
    return "\n".join([*parts, "</svg>", ""])


def _short(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"


def _text(x: float, y: float, words: str, place: str = "left", colour: str = INK) -> str:
    return f'<text class="{place}" x="{x:.1f}" y="{y:.1f}" style="fill: {colour}">{escape(words)}</text>'


def _mark(x: float, y: float, x2: float, y2: float) -> str:
    return f'<line class="mark" x1="{x:.1f}" y1="{y:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _joined(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _apart(heights: Mapping[str, float]) -> dict[str, float]:
    """The heights, from the highest line to the lowest, none too near to the one above."""
    names = sorted(heights, key=heights.__getitem__)
    apart = dict(heights)
    for upper, lower in pairwise(names):
        apart[lower] = max(apart[lower], apart[upper] + _APART)
    return apart
