"""What the documentation shows is run here, and shows what comes of it.

Of README, tutorial and how-to guides each page is worked through from top to bottom in a folder of its own:

- lines ``$ relate ...`` and ``$ cd ...`` of a console block are typed, and what they print is compared with what
  the block shows; ``...`` stands for whatever was left out. Where a page makes a plugin, so are ``pip``, ``pytest``,
  ``ruff`` and ``mypy``, in an environment of its own, where pip takes nothing from any index;
- a python block is run, and a text block right behind it shows what it prints.

A comment before a block says what else is done with it: ``<!-- file: NAME -->`` writes it into a file,
``<!-- edit: NAME -->`` changes a file as the diff says, ``<!-- exit status: N -->`` expects a command to end so,
and ``<!-- not run: REASON -->`` leaves it alone.
"""

import io
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from doctest import ELLIPSIS, Example, OutputChecker
from html import unescape
from pathlib import Path
from typing import Any, NamedTuple

import pytest

CHECKOUT = Path(__file__).parent.parent
PAGES = ["README.md", *(f"docs/{part}" for part in ("tutorial/*.md", "how-to/*.md"))]
PICTURE = CHECKOUT / "docs" / "pictures" / "demo.svg"
TOOLS = frozenset({"pip", "pytest", "ruff", "mypy"})
"""What is typed beside ``relate`` where a page has an environment of its own."""
OFFLINE = ("--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check")
WIDTH = "100"
"""Columns of the terminal whose output the pages show."""

BLOCK = re.compile(
    r"^(?:<!-- (?P<mark>file|edit|exit status|not run): (?P<value>[^\n]+) -->\n)?```(?P<kind>\w+)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


class Block(NamedTuple):
    """A block of a page: its language, its text, and the comment before it, as (mark, value)."""

    kind: str
    text: str
    mark: str = ""
    value: str = ""


def blocks_of(page: str) -> list[Block]:
    return [
        Block(found["kind"], found["text"], found["mark"] or "", found["value"] or "") for found in BLOCK.finditer(page)
    ]


def compare(shown: str, printed: str) -> None:
    """Fail unless what was printed is what the page shows, trailing spaces aside."""
    checker = OutputChecker()
    want, got = ("".join(f"{line.rstrip()}\n" for line in text.strip().splitlines()) for text in (shown, printed))
    assert checker.check_output(want, got, ELLIPSIS), checker.output_difference(Example("", want), got, ELLIPSIS)


def typed(command: str, folder: Path, status: int, python: Path | str = sys.executable) -> str:
    """What a command of ``relate``, or of one of the TOOLS, prints to somebody in a folder."""
    program, *words = shlex.split(command, comments=True)
    if program == "pip":
        words[1:1] = OFFLINE
    module = "relationship_core" if program == "relate" else program
    done = subprocess.run(
        [python, "-m", module, *words],
        cwd=folder,
        env={**os.environ, "COLUMNS": WIDTH, "PYTHONIOENCODING": "utf-8"},
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    assert done.returncode == status, f"{command} ended with {done.returncode}:\n{done.stdout}"
    return done.stdout


class Reader:
    """Somebody who works through a page in a folder."""

    def __init__(self, folder: Path, enter: Callable[[Path], None], environment: Path | None = None) -> None:
        self.folder = folder
        self._enter = enter
        self._python = environment or sys.executable
        self._programs = {"relate", "cd", *(TOOLS if environment else ())}
        self._names: dict[str, Any] = {"__name__": "__main__"}
        self._printed: str | None = None

    def work_through(self, page: str) -> None:
        """Do what the blocks of a page say."""
        for block in blocks_of(page):
            printed, self._printed = self._printed, None
            if block.mark == "not run":
                continue
            if block.mark == "file":
                self._write(block)
            elif block.mark == "edit":
                self._edit(block)
            elif block.kind == "python":
                self._run(block)
            elif block.kind == "console" and block.text.startswith("$ ") and block.text.split()[1] in self._programs:
                self._type(block)
            elif block.kind == "text" and printed is not None:
                compare(block.text, printed)

    def _write(self, block: Block) -> None:
        file = self.folder / block.value
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(block.text, encoding="utf-8")

    def _edit(self, block: Block) -> None:
        file = self.folder / block.value
        text = file.read_text(encoding="utf-8")
        lines = block.text.splitlines()
        old, new = ("".join(f"{line[1:]}\n" for line in lines if line[:1] in {sign, " ", ""}) for sign in "-+")
        assert text.count(old) == 1, f"{block.value} does not hold {old!r} once"
        file.write_text(text.replace(old, new), encoding="utf-8")

    def _type(self, block: Block) -> None:
        for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
            command, _, shown = part.partition("\n")
            if command.startswith("cd "):
                self.folder = self.folder / command.removeprefix("cd ")
                self._enter(self.folder)
                continue
            assert command.split()[0] in self._programs, f"{command!r} is not typed here"
            compare(shown, typed(command, self.folder, int(block.value or 0), self._python))

    def _run(self, block: Block) -> None:
        printed = io.StringIO()
        with redirect_stdout(printed):
            exec(compile(block.text, "page", "exec"), self._names)  # noqa: S102  it is our own documentation
        self._printed = printed.getvalue()


@pytest.mark.parametrize(
    "path", [path.relative_to(CHECKOUT).as_posix() for pattern in PAGES for path in sorted(CHECKOUT.glob(pattern))]
)
def test_a_page_does_what_it_says(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    page = (CHECKOUT / path).read_text(encoding="utf-8")
    if "$ relate demo\n" in page:
        demo, _ = request.getfixturevalue("replayed_year")
        # Nobody writes into it any more; what SQLite keeps beside the file comes and goes with its readers.
        shutil.copytree(demo, tmp_path / "relate-demo", ignore=shutil.ignore_patterns("*.db-*"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    environment = request.getfixturevalue("make_environment")() if "$ relate plugin new " in page else None
    Reader(tmp_path, monkeypatch.chdir, environment).work_through(page)


@pytest.mark.parametrize("path", sorted(path for pattern in PAGES for path in CHECKOUT.glob(pattern)), ids=str)
def test_no_comment_before_a_block_is_overlooked(path: Path) -> None:
    page = path.read_text(encoding="utf-8")
    comments = re.findall(r"^<!-- .*-->\n```", page, flags=re.MULTILINE)
    assert len(comments) == sum(bool(block.mark) for block in blocks_of(page))


@pytest.mark.parametrize(
    ("shown", "is_right"),
    [("one\ntwo\n", True), ("one  \ntwo", True), ("one\n...\n", True), ("one\n", False), ("one\nthree\n", False)],
)
def test_what_is_not_printed_is_found(tmp_path: Path, shown: str, is_right: bool) -> None:
    page = f"```python\nprint('one')\nprint('two')\n```\n\n```text\n{shown}```\n"
    reader = Reader(tmp_path, lambda _: None)
    if is_right:
        reader.work_through(page)
    else:
        with pytest.raises(AssertionError, match="Expected"):
            reader.work_through(page)


def test_a_command_that_fails_is_found(tmp_path: Path) -> None:
    page = "```console\n$ relate report\n...\n```\n"
    with pytest.raises(AssertionError, match="ended with 1"):
        Reader(tmp_path, lambda _: None).work_through(page)


def without_spaces(line: str) -> str:
    return "".join(line.split())


def lines_of_the_picture() -> list[str]:
    """The lines of text in the picture, from top to bottom; spaces are places in it, and left out here."""
    lines: dict[float, str] = {}
    for y, text in re.findall(r'<text [^>]*\by="([\d.]+)"[^>]*>([^<]*)</text>', PICTURE.read_text(encoding="utf-8")):
        lines[float(y)] = lines.get(float(y), "") + without_spaces(unescape(text))
    return [line for _, line in sorted(lines.items()) if line]


def test_the_picture_shows_what_the_demo_prints(replayed_year: tuple[Path, dict[str, Any]]) -> None:
    folder, _ = replayed_year
    printed = typed(f"relate demo --project {shlex.quote(str(folder))}", folder.parent, 0)
    command, *shown = lines_of_the_picture()
    assert command == "$relatedemo"
    assert len(shown) > 20
    assert [line for line in shown if line not in map(without_spaces, printed.splitlines())] == []
