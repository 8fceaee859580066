"""Write the page of the public names: each with the first sentence of what the code says of it.

python docs/names.py    in an environment where relationship_core is installed
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from itertools import pairwise
from pathlib import Path

import relationship_core

PAGE = Path(__file__).parent / "reference" / "names.md"

SECTIONS: Mapping[str, str] = {
    "relationships": "Work with a project",
    "campaign_files|campaign_life|copying|offers|outbox|people|ready|receivers|tasks|templates": "Work with a project",
    r"plugins\.loading": "Work with a project",
    r"model\..*": "The nouns",
    r"flow\..*": "What the steps answer",
    "errors": "Errors",
    r"config(\..*)?": "Settings",
    "declarations|motions|parameters|presets": "What plugins declare",
    r"hookspecs|plugins.*|ports|providers|refusals|retry|mail": "What plugins implement",
    "columns|storing|table": "What stores keep",
}
"""The headings, by the modules where names live: the first pattern that fits."""

_HEAD = """# Public names

Everything that `from relationship_core import ...` offers, with the first sentence of what the code says of it. What a
name takes, gives and raises is in its docstring: `help(relationship_core.Relationships)`. Anything else is not public,
and may change with any release; [What may change, and when](../explanation/what-may-change.md) says how these may.

`python docs/names.py` writes this page.
"""


def page() -> str:
    """The page as it should be."""
    sections: dict[str, list[str]] = {title: [] for title in SECTIONS.values()}
    for name in relationship_core.__all__:
        home = relationship_core._HOME_OF[name]  # noqa: SLF001  where a name lives is no public fact
        sections[_section(home)].append(f"| `{name}` | {sentence(name, home)} |")
    tables = ["\n".join([f"## {title}", "", "| name | |", "|---|---|", *rows]) for title, rows in sections.items()]
    return "\n".join([_HEAD, "\n\n".join(tables), ""])


def sentence(name: str, home: str) -> str:
    """The first sentence of a name's docstring, or of the one below the constant."""
    value, module = getattr(relationship_core, name), import_module(f"relationship_core.{home}")
    written = value.__doc__ if inspect.isclass(value) or inspect.isroutine(value) else None
    text = inspect.cleandoc(written or dict(_constants(module.__file__ or "")).get(name, ""))
    first = re.split(r"(?<=\.)\s", " ".join(text.split("\n\n")[0].split()))[0] if text else ""
    if not first:
        message = f"{name} says nothing of itself; write a docstring below it"
        raise SystemExit(message)
    return first.rstrip(":.").replace("``", "`").replace("|", r"\|") + "."


def _constants(path: str) -> Iterator[tuple[str, str]]:
    """The names that a module assigns, each with the text below."""
    body = ast.parse(Path(path).read_text(encoding="utf-8")).body
    for statement, below in pairwise(body):
        match statement, below:
            case (
                ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                yield name, text
            case _:
                continue


def _section(home: str) -> str:
    return next(title for pattern, title in SECTIONS.items() if re.fullmatch(pattern, home))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
