"""Who may import whom: the tables first, then how they are read.

Every import statement counts, also inside a function and under TYPE_CHECKING.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import relationship_core

CHECKOUT = Path(__file__).resolve().parent.parent
PACKAGE = "relationship_core"
TEMPLATES = Path(PACKAGE, "templates")

# A module imports from its own floor and from those before it in this list.
FLOORS = (
    {"errors"},
    {"model"},
    {
        "providers",
        "ports",
        "columns",
        "table",
        "motions",
        "declarations",
        "storing",
        "parameters",
        "presets",
        "clock",
        "mail",
        "refusals",
        "retry",
    },
    {"hookspecs"},
    {"plugins", "config", "campaign_files", "conditions", "crossing", "chosen", "ready"},
    {"flow"},
    {
        "relationships",
        "arguments",
        "project",
        "premises",
        "workers",
        "workplace",
        "people",
        "imports",
        "offers",
        "outbox",
        "tasks",
        "receivers",
        "campaign_life",
        "copying",
        "steps",
        "templates",
    },
)
LAYERED = frozenset().union(*FLOORS)

# What the floors or the libraries would allow, and is refused all the same.
REFUSED = {
    "model": {"polars"},  # the nouns are plain objects
}

# What stands outside the floors, and which parts of the package it may import.
BESIDE = {
    "__init__": LAYERED,  # hands out the public names
    "__main__": frozenset({"cli"}),
    "testing": LAYERED | {"testing", "builtin"},
}

# These are written as a third party would write them: public names, and what is their own.
OUTSIDERS = {"builtin", "cli"}

PARTS = LAYERED | BESIDE.keys() | OUTSIDERS

# plugins.py is the door through which the default plugins come in.
DOORS = {("plugins", "builtin")}

# Libraries that only some parts of the package may import; every other library is free.
LIBRARIES = {
    "click": {"cli", "hookspecs"},  # the hook for commands names the type it hands over
    "rich": {"cli"},
    "pytest": {"testing"},
    "hypothesis": {"testing"},
    "pluggy": {"plugins", "hookspecs"},
}

# Names that only some parts of those which may import the library may take from it.
NAMES = {
    ("hookspecs", "pluggy"): {"HookspecMarker", "HookimplMarker"},
}


class Import(NamedTuple):
    """One imported thing: `from a.b import c` is module a.b and name c."""

    line: int
    module: str
    name: str | None


class Reader(NamedTuple):
    """The file that imports: which part of the package it is, or which plugin it belongs to."""

    part: str | None
    module: str
    is_package: bool
    is_test: bool


def reader_of(file: Path, top: Path) -> Reader:
    path = file.relative_to(top)
    if path.is_relative_to(TEMPLATES) and len(path.relative_to(TEMPLATES).parts) > 1:
        path = "plugins" / path.relative_to(TEMPLATES)  # a template is a plugin, wherever it lies
    inside = path.parts[0] == PACKAGE
    module = path.with_suffix("").parts
    is_package = module[-1] == "__init__"
    names = module[:-1] if is_package else module
    part = None
    if inside:
        part = names[1] if len(names) > 1 else "__init__"
    is_test = not inside and ("tests" in path.parts[:-1] or path.name.startswith("test_"))
    return Reader(part, ".".join(names), is_package, is_test)


def imports_of(tree: ast.Module, reader: Reader) -> Iterator[Import]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (Import(node.lineno, alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = absolute(node, reader)
            yield from (Import(node.lineno, module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) == "pluggy":
            yield Import(node.lineno, "pluggy", node.attr)  # what `import pluggy` was for


def absolute(node: ast.ImportFrom, reader: Reader) -> str:
    if not node.level:
        return node.module or ""
    home = reader.module.split(".")
    above = node.level - 1 if reader.is_package else node.level
    return ".".join([*home[: len(home) - above], *([node.module] if node.module else [])])


def part_of(found: Import) -> str | None:
    """Name the part of the package that an import reaches; None where that is its public face."""
    parts = found.module.split(".")
    if len(parts) > 1:
        return parts[1]
    return found.name if found.name in PARTS else None


def complaint(reader: Reader, found: Import, public: set[str]) -> str | None:
    library = found.module.split(".")[0]
    if library != PACKAGE:
        return library_complaint(reader, library, found)
    if reader.part is None or reader.part in OUTSIDERS:
        return outsider_complaint(reader, found, public)
    target = part_of(found)
    if target is None:
        return "inside the package, import from the module that owns the name"
    for part in (reader.part, target):
        if part not in PARTS:
            return f"{part!r} has no place in the tables of {Path(__file__).name}"
    if target in allowed_parts(reader.part) or (reader.part, target) in DOORS:
        return None
    return f"{reader.part!r} must not import {target!r}"


def allowed_parts(part: str) -> frozenset[str]:
    if part in BESIDE:
        return BESIDE[part]
    height = next(number for number, floor in enumerate(FLOORS) if part in floor)
    return frozenset().union(*FLOORS[: height + 1]) - REFUSED.get(part, set())


def outsider_complaint(reader: Reader, found: Import, public: set[str]) -> str | None:
    target = part_of(found)
    if reader.part is not None and target == reader.part:
        return None
    if reader.is_test and target == "testing":
        return None
    if found.module == PACKAGE and (found.name is None or found.name in public):
        return None
    return f"only the public names of {PACKAGE} may be imported here"


def library_complaint(reader: Reader, library: str, found: Import) -> str | None:
    if reader.is_test:
        return None
    if reader.part is None:
        return "a plugin gets hookimpl from relationship_core" if library == "pluggy" else None
    is_refused = library in REFUSED.get(reader.part, ())
    if is_refused or reader.part not in LIBRARIES.get(library, {reader.part}):
        return f"{reader.part!r} must not import {library}"
    names = NAMES.get((reader.part, library))
    if names is not None and found.name is not None and found.name not in names:
        return f"{reader.part!r} must not use {library}.{found.name}"
    return None


def violations(files: list[Path], top: Path, public: set[str]) -> list[str]:
    found = []
    for file in files:
        reader = reader_of(file, top)
        for thing in imports_of(ast.parse(file.read_text(encoding="utf-8")), reader):
            reason = complaint(reader, thing, public)
            if reason:
                found.append(f"{file.relative_to(top)}:{thing.line}: {reason}")
    return found


def sources(top: Path) -> list[Path]:
    folders = (top / PACKAGE, top / "plugins")
    return sorted(file for folder in folders for file in folder.rglob("*.py"))


def test_every_import_goes_downwards() -> None:
    files = sources(CHECKOUT)
    assert files
    assert violations(files, CHECKOUT, {*relationship_core.__all__, "__version__"}) == []


def test_delivering_knows_nothing_of_planning() -> None:
    """What both ask before a customer is disturbed is in flow/contact, which knows neither."""
    flow = CHECKOUT / PACKAGE / "flow"
    for step, others in (("deliver", ("plan",)), ("plan", ("deliver",)), ("contact", ("plan", "deliver"))):
        files = sorted((flow / step).rglob("*.py"))
        assert files
        for file in files:
            found = {
                each.module
                for each in imports_of(ast.parse(file.read_text(encoding="utf-8")), reader_of(file, CHECKOUT))
            }
            for other in others:
                assert not {each for each in found if each.startswith(f"{PACKAGE}.flow.{other}")}, file.name


PLANTED_BAD = [
    ("relationship_core/model/money.py", "from relationship_core.columns import CUSTOMERS"),
    ("relationship_core/model/money.py", "from ..columns import CUSTOMERS"),
    ("relationship_core/model/money.py", "import polars as pl"),
    ("relationship_core/errors.py", "from relationship_core.columns import CUSTOMERS"),
    ("relationship_core/errors.py", "from relationship_core.model.money import Money"),
    ("relationship_core/errors.py", "from relationship_core import columns"),
    ("relationship_core/ports.py", "from relationship_core.hookspecs import hookimpl"),
    ("relationship_core/ports.py", "from .hookspecs import hookimpl"),
    ("relationship_core/hookspecs.py", "from relationship_core import config"),
    ("relationship_core/hookspecs.py", "from pluggy import PluginManager"),
    ("relationship_core/hookspecs.py", "import pluggy\npluggy.PluginManager"),
    ("relationship_core/config.py", "import relationship_core.flow.plan"),
    ("relationship_core/config.py", "from relationship_core import Relationships"),
    ("relationship_core/config.py", "import pluggy"),
    (
        "relationship_core/flow/plan.py",
        "def late():\n    from relationship_core.cli import main",
    ),
    ("relationship_core/flow/plan.py", "if TYPE_CHECKING:\n    from relationship_core.cli import main"),
    ("relationship_core/flow/plan.py", "from relationship_core.builtin.sqlite import SqliteStore"),
    ("relationship_core/flow/plan.py", "from relationship_core.testing import StoreContract"),
    ("relationship_core/flow/plan.py", "import click"),
    ("relationship_core/flow/plan.py", "from rich.progress import Progress"),
    ("relationship_core/relationships.py", "import pytest"),
    ("relationship_core/__init__.py", "from relationship_core.cli import main"),
    ("relationship_core/helpers.py", "from relationship_core.model.money import Money"),
    ("relationship_core/builtin/sqlite.py", "from relationship_core.model.money import Money"),
    ("relationship_core/builtin/sqlite.py", "from relationship_core import model"),
    ("relationship_core/builtin/sqlite.py", "from relationship_core.testing import StoreContract"),
    ("relationship_core/builtin/sqlite.py", "from relationship_core import *"),
    ("relationship_core/builtin/sqlite.py", "import pluggy"),
    ("relationship_core/cli/review.py", "from relationship_core.flow import review"),
    ("relationship_core/cli/review.py", "from ..flow import review"),
    ("plugins/relationship-x/relationship_x/shop.py", "from relationship_core.flow import review"),
    ("plugins/relationship-x/relationship_x/shop.py", "from relationship_core.builtin import sqlite"),
    ("plugins/relationship-x/relationship_x/shop.py", "from relationship_core import testing"),
    ("plugins/relationship-x/relationship_x/shop.py", "import pluggy"),
    ("plugins/relationship-x/tests/test_shop.py", "from relationship_core.flow import review"),
    ("relationship_core/templates/store/relationship_acorn/shop.py", "from relationship_core.builtin import sqlite"),
    ("relationship_core/templates/__init__.py", "from relationship_core.cli import main"),
]

PLANTED_GOOD = [
    ("relationship_core/__init__.py", "from relationship_core.model.money import Money"),
    ("relationship_core/__main__.py", "from relationship_core.cli import main"),
    (
        "relationship_core/model/money.py",
        "from . import texts\nfrom .texts import filled",
    ),
    ("relationship_core/model/money.py", "from relationship_core.errors import RejectedError"),
    ("relationship_core/ports.py", "import polars\nfrom relationship_core.columns import CUSTOMERS"),
    ("relationship_core/hookspecs.py", "import pluggy\npluggy.HookspecMarker"),
    ("relationship_core/hookspecs.py", "from pluggy import HookspecMarker"),
    (
        "relationship_core/plugins.py",
        "from pluggy import PluginManager\nfrom . import builtin",
    ),
    ("relationship_core/flow/plan.py", "from relationship_core.flow.review import due"),
    ("relationship_core/relationships.py", "from relationship_core.flow import plan"),
    ("relationship_core/builtin/sqlite.py", "from relationship_core import Money\nfrom .rows import row"),
    (
        "relationship_core/cli/review.py",
        "import click\nimport rich\nfrom .tables import table",
    ),
    ("relationship_core/testing/store.py", "import pytest\nfrom relationship_core.ports import Store"),
    (
        "plugins/relationship-x/relationship_x/shop.py",
        "import click\nfrom relationship_core import Money",
    ),
    ("plugins/relationship-x/relationship_x/shop.py", "import relationship_core\nfrom . import rows"),
    (
        "plugins/relationship-x/tests/test_shop.py",
        "import pluggy\nfrom relationship_core.testing import fakes",
    ),
    ("relationship_core/templates/store/relationship_acorn/shop.py", "from relationship_core import Money"),
    ("relationship_core/templates/store/tests/test_acorn.py", "from relationship_core.testing import fakes"),
]


def plant(top: Path, path: str, text: str) -> list[str]:
    file = top / path
    file.parent.mkdir(parents=True)
    file.write_text(text, encoding="utf-8")
    return violations(sources(top), top, {"Money", "Relationships"})


@pytest.mark.parametrize(("path", "text"), PLANTED_BAD)
def test_a_forbidden_import_is_found(tmp_path: Path, path: str, text: str) -> None:
    found = plant(tmp_path, path, text)
    assert found
    assert all(line.startswith(f"{path}:") for line in found)


@pytest.mark.parametrize(("path", "text"), PLANTED_GOOD)
def test_an_allowed_import_passes(tmp_path: Path, path: str, text: str) -> None:
    assert plant(tmp_path, path, text) == []
