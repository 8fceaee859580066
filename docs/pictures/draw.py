"""Draw demo.svg from what `relate demo` prints: python docs/pictures/draw.py FOLDER, in an environment that has it.

FOLDER is the demo's project; a finished one is shown as it is, so that drawing again takes seconds.
"""

import os
import subprocess
import sys
from itertools import takewhile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

PICTURE = Path(__file__).with_name("demo.svg")
WIDTH = 100
PARTS = ("Households by stage", "What was sent", "Why the others were left alone")
"""The parts that are shown, by how their titles begin; a part ends with an empty line."""

INK, PAPER = (201, 209, 217), (13, 17, 23)
DARK = ((72, 79, 88), (255, 123, 114), (63, 185, 80), (210, 153, 34), (88, 166, 255), (188, 140, 255))
LIGHT = ((110, 118, 129), (255, 161, 152), (86, 211, 100), (227, 179, 65), (121, 192, 255), (210, 168, 255))
THEME = TerminalTheme(PAPER, INK, [*DARK, (57, 197, 207), INK], [*LIGHT, (86, 212, 221), (240, 246, 252)])

# rich's own format without its window and without fonts from elsewhere: a picture must not fetch anything.
FORMAT = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">
<style>
.{unique_id}-matrix {{
  font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: {char_height}px; line-height: {line_height}px;
}}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/></clipPath>{lines}</defs>
<rect fill="#0d1117" x="0" y="0" width="{width}" height="{height}" rx="8"/>
<g transform="translate({terminal_x}, 20)" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g></g></svg>
"""


def printed(folder: Path) -> list[Text]:
    """The demo's output, line by line, with its colours."""
    done = subprocess.run(  # noqa: S603  it runs this package's own command
        [sys.executable, "-m", "relationship_core", "demo", "--project", str(folder)],
        env={**os.environ, "COLUMNS": str(WIDTH), "FORCE_COLOR": "1", "TERM": "xterm-256color"},
        check=True,
        capture_output=True,
        encoding="utf-8",
    )
    return [Text.from_ansi(line) for line in done.stdout.splitlines()]


def draw(folder: Path) -> None:
    """Write the picture."""
    lines = printed(folder)
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=WIDTH, file=nowhere, force_terminal=True, color_system="truecolor")
        console.print("$ relate demo")
        for part in PARTS:
            start = next(place for place, line in enumerate(lines) if line.plain.startswith(part))
            console.print()
            for line in takewhile(lambda line: line.plain.strip(), lines[start:]):
                console.print(line, no_wrap=True, overflow="crop", highlight=False)
        console.print()  # room for the lowest strokes of the last line
        svg = console.export_svg(code_format=FORMAT, theme=THEME, unique_id="demo")
    PICTURE.write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    draw(Path(sys.argv[1]))
