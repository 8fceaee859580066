"""How things look on a terminal, in a pipe and on a page: tables, numbers, instants, money, bars."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from html import escape
from io import StringIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from relationship_core import ConfigurationError, minor_digits
from relationship_core.cli.documents import is_plain

BAR = 16
"""Columns of a full bar."""
BETWEEN = 3
"""Columns between two columns of a table."""
PAGE_WIDTH = 110
"""Columns of a page."""

_JOINS = frozenset(
    "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}\N{LEFT-TO-RIGHT MARK}\N{RIGHT-TO-LEFT MARK}\N{ARABIC LETTER MARK}"
)
"""Letters of no width that words and emoji of many scripts are written with; none of them outlasts its line."""
_PHRASE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d|\S+")
"""What stays on one line as long as there is room: an instant or a word;"""
_WORD = re.compile(r"\S+")
"""then a word;"""
_LETTER = re.compile(r"\S")
"""then at least a letter."""

_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>TITLE</title></head>
<body style="margin:2em">
<pre style="font-family:ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;line-height:1.35">{code}</pre>
</body>
</html>
"""


def console(**options: Any) -> Console:
    """A console that takes texts as they are: names of customers are no markup."""
    return Console(markup=False, highlight=False, emoji=False, **options)


def print_parts(parts: Iterable[RenderableType]) -> None:
    """Print one after the other, with an empty line between."""
    out = console()
    for place, part in enumerate(parts):
        if place:
            out.print()
        out.print(part)


def write_page(path: Path, parts: Iterable[RenderableType], *, title: str) -> None:
    """Write the parts as one HTML page that needs no other file.

    Raises:
        ConfigurationError: the file cannot be written.
    """
    recorder = console(record=True, file=StringIO(), width=PAGE_WIDTH)
    for part in parts:
        recorder.print(part)
        recorder.print()
    # Braces are rich's own placeholders.
    page = _PAGE.replace("TITLE", escape(title).replace("{", "&#123;").replace("}", "&#125;"))
    write_file(path, recorder.export_html(code_format=page, inline_styles=True))


def write_file(path: Path, text: str) -> None:
    """Write a file that somebody asked for.

    Raises:
        ConfigurationError: the file cannot be written.
    """
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        message = f"cannot write {path}: {error.strerror}; name another file"
        raise ConfigurationError(message) from error


def clean(text: str) -> str:
    """Text from outside without what a terminal would obey; a line feed becomes a comma."""
    lines = ", ".join(line.strip() for line in text.splitlines() if line.strip())
    return "".join(each if each.isprintable() or each in _JOINS else "\N{REPLACEMENT CHARACTER}" for each in lines)


def heading(text: str, *, more: str = "") -> Text:
    """A bold line, and something plain after it."""
    return Text.assemble((clean(text), "bold"), f"  {clean(more)}" if more else "")


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str | Text]]) -> RenderableType:
    """A table with a title above; a column whose name begins with ``>`` is one of numbers.

    Where there is not room for all of it, the widest columns give way first, and numbers and words last.
    """
    cells = [[Text(clean(cell)) if isinstance(cell, str) else cell for cell in row] for row in rows]
    return Group(heading(title), _Fitting(columns, cells))


class _Fitting:
    """A table that is laid out once the width of its place is known."""

    def __init__(self, columns: Sequence[str], rows: Sequence[Sequence[Text]]) -> None:
        self._names = [Text(column.removeprefix(">")) for column in columns]
        self._are_numbers = [column.startswith(">") for column in columns]
        self._rows = rows

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        made = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="dim")
        for name, is_number, width in zip(self._names, self._are_numbers, self._widths(options.max_width), strict=True):
            made.add_column(name, justify="right" if is_number else "left", width=width, overflow="fold")
        for row in self._rows:
            made.add_row(*row)
        yield made

    def _widths(self, room: int) -> list[int]:
        columns = [[name, *cells] for name, *cells in zip(self._names, *self._rows, strict=True)]
        whole = [max(cell.cell_len for cell in cells) for cells in columns]
        widths = whole
        for unbroken in (_PHRASE, _WORD, _LETTER):
            least = [
                width if is_number and unbroken is not _LETTER else max(_longest(unbroken, cell) for cell in cells)
                for cells, is_number, width in zip(columns, self._are_numbers, whole, strict=True)
            ]
            widths = _narrowed(widths, least, room - BETWEEN * (len(widths) - 1))
        return widths


def _longest(unbroken: re.Pattern[str], text: Text) -> int:
    return max((cell_len(part) for part in unbroken.findall(text.plain)), default=1)


def _narrowed(widths: Sequence[int], least: Sequence[int], room: int) -> list[int]:
    """Take from the widest, cell by cell, until they fit or none has more than its least."""
    narrowed = list(widths)
    for _ in range(sum(widths) - room):
        places = [place for place, width in enumerate(narrowed) if width > least[place]]
        if not places:
            break
        narrowed[max(places, key=narrowed.__getitem__)] -= 1
    return narrowed


def indented(part: RenderableType, columns: int = 2) -> Padding:
    """The part, further to the right."""
    return Padding(part, (0, 0, 0, columns), expand=False)


def bar(share: float) -> Text:
    """A bar as long as the share of the whole, 0 to 1."""
    eighths = round(min(max(share, 0.0), 1.0) * BAR * 8)
    if share > 0:
        eighths = max(eighths, 1)
    full, rest = divmod(eighths, 8)
    if is_plain():
        return Text("#" * max(full, 1 if eighths else 0), style="cyan")
    return Text("█" * full + ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")[rest], style="cyan")


def number(value: float) -> str:
    """A number as people read it: thousands apart, at most two decimals, three digits of what is small."""
    if not math.isfinite(value):
        return "unknown"
    if value == int(value):
        return f"{int(value):,}"
    if abs(value) < 1:
        return f"{value:.3g}"
    return f"{value:,.2f}"


def text_or_number(text: str) -> str:
    """A number in text as people read it; other text as it is."""
    try:
        return number(float(text))
    except ValueError:
        return clean(text)


def money(minor: float, currency: str) -> str:
    """An amount with the decimals of its currency: 12.50 EUR, 1,250 JPY."""
    digits = minor_digits(currency)
    return f"{minor / 10**digits:,.{digits}f} {currency}"


def when(instant: datetime | None, zone: str) -> str:
    """An instant by the clocks of the project's zone, to the minute."""
    return f"{instant.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}" if instant else "never"


def shown(value: object, zone: str) -> str:
    """Any value of a customer's standing."""
    match value:
        case None:
            return "unknown"
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return number(value)
        case datetime():
            return when(value, zone)
        case date():
            return value.isoformat()
    return clean(str(value))


def counted(number_of: int, one: str, many: str = "") -> str:
    """``1 message``, ``2,000 messages``."""
    return f"{number_of:,} {one if number_of == 1 else many or one + 's'}"
