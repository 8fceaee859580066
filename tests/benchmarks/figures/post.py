"""Letters as PDF against bare pages of reportlab, and the memory that more of them take."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from shutil import rmtree
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

from reportlab.pdfgen.canvas import Canvas

from letters import letter_channel, letters
from measuring import Figure, at_most, timed
from projects import Prepared
from relationship_core import Message
from relationship_post.addresses import label
from relationship_post.composing import composed, studio_of
from relationship_post.faces import PLAIN, Faces
from relationship_post.settings import PostSettings
from relationship_post.windows import A4

LETTERS = 500
LEAST = 0.6
SOME, MORE = 500, 1500
MEMORY_LIMIT = 1.1
REPEATS = 3
_CHILD = Path(__file__).parent.parent / "letters.py"

Placed: TypeAlias = Sequence[tuple[float, float, float, str, str]]
"""Where a line of text begins, its size, its font, and what it says."""


def measure(_prepared: Prepared, repeats: int) -> list[Figure]:
    """Speed and memory."""
    with TemporaryDirectory(prefix="relationship-letters-") as name:
        return [_speed(Path(name), repeats), _memory(Path(name), repeats)]


def _speed(folder: Path, repeats: int) -> Figure:
    batches = list(letters(LETTERS))
    channel = letter_channel(folder / "warm")
    channel.send(batches[0])  # reads the fonts, as a worker does once
    first = Faces().face(PLAIN).name
    settings = PostSettings(path=folder, country="DE", sender_address="Corner Bakery, Marktplatz 3, 80331 München")
    bare = [[_placed(each, settings) for each in batch] for batch in batches]
    pairs = []
    for _ in range(repeats):
        rmtree(folder / "warm")
        product, states = timed(lambda: {each.state for batch in batches for each in channel.send(batch)})
        if states != {"accepted"}:
            message = f"letters were {', '.join(sorted(states))}"
            raise RuntimeError(message)
        probe, _ = timed(_bare_pages, folder / "bare.pdf", bare, first)
        pairs.append((product, probe))
    return at_most(
        "post",
        f"{LETTERS} letters as PDF, {len(batches[0])} in a file, with their manifests",
        pairs,
        1 / LEAST,
        target=f"at most {1 / LEAST:.2f}: {LEAST:g} of the probe's pages a second",
        notes=("the probe draws the same lines at the same places in the same fonts, broken before",),
    )


def _placed(message: Message, settings: PostSettings) -> Placed:
    """The lines of a letter, broken and with their places."""
    faces = Faces()
    address = label(message, home=settings.country, check=True)
    (page,) = composed(message, address, studio_of(settings, faces))
    return [
        (each.x, A4[1] - each.y, each.size, name, part)
        for each in page.texts
        for style, run in each.line
        for name, part in faces.pieces(run, style)
    ]


def _bare_pages(path: Path, batches: Sequence[Sequence[Placed]], first: str) -> None:
    make: Any = Canvas
    for batch in batches:
        file = BytesIO()
        canvas = make(file, pagesize=A4, invariant=1, pageCompression=0, initialFontName=first)
        for page in batch:
            for x, y, size, font, text in page:
                canvas.setFont(font, size)
                canvas.drawString(x, y, text)
            canvas.showPage()
        canvas.save()
        path.write_bytes(file.getvalue())


def _memory(folder: Path, repeats: int) -> Figure:
    command = [sys.executable, str(_CHILD), str(folder / "memory"), str(SOME), str(MORE)]
    runs: list[tuple[float, float]] = []
    for _ in range(repeats):
        some, more = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        runs.append((some, more))
    ratios = [more / some for some, more in runs]
    return Figure(
        name="post",
        what=f"peak of a worker, after {SOME + MORE:,} letters against {SOME:,}",
        product=[more for _, more in runs],
        probe=[some for some, _ in runs],
        unit="MB",
        ratios=ratios,
        target=f"at most {MEMORY_LIMIT:g}",
        met=median(ratios) <= MEMORY_LIMIT,
    )
