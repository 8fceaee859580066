"""``relate plugin new``: every template is a plugin that works, under whatever name."""

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import pytest
from click.testing import Result

import relationship_core
from relationship_core import PLUGIN_KINDS, ConfigurationError, Plugins, new_plugin
from relationship_core.testing.pages import PagesContract

Relate = Callable[..., Result]

TEMPLATES = Path(relationship_core.__file__).parent / "templates"
LONGEST_CHANNEL = 40
"""So many lines of code a channel may have."""
OFFLINE = ("--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check", "-q")
NAMES = ("a1", "p" * 30, "pi-ge-on-pi-ge-on-pi-ge-on-pi7", "quick_brown_fox_in_the_morning")
"""Short and long ones, of one word and of many."""


def done(python: Path | str, *words: object, folder: Path, status: int = 0) -> str:
    """What a module of a Python prints, run in a folder."""
    told = subprocess.run(
        [python, "-m", *map(str, words)], cwd=folder, check=False, capture_output=True, encoding="utf-8"
    )
    assert told.returncode == status, f"{words} ended with {told.returncode}:\n{told.stdout}{told.stderr}"
    return told.stdout


@pytest.fixture(scope="session")
def mypy_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What mypy knows of the core: read once for all kinds."""
    return tmp_path_factory.mktemp("mypy")


@pytest.mark.parametrize("kind", PLUGIN_KINDS)
def test_each_kind_works_as_it_is_written(
    kind: str, make_environment: Callable[[], Path], mypy_cache: Path, relate: Relate, tmp_path: Path
) -> None:
    """Written, linted, type-checked, built, installed where nothing of it was, listed, and its tests pass there."""
    folder = tmp_path / "work" / "relationship-carrier-pigeon"
    folder.parent.mkdir()
    assert relate("plugin", "new", "carrier-pigeon", "--kind", kind, "--folder", folder).exit_code == 0
    done(sys.executable, "ruff", "check", "--no-cache", folder=folder)
    done(sys.executable, "ruff", "format", "--check", "--no-cache", folder=folder)
    done(sys.executable, "mypy", "--cache-dir", mypy_cache, ".", folder=folder)
    python = make_environment()
    done(python, "pip", "wheel", *OFFLINE, "--wheel-dir", "dist", ".", folder=folder)
    (wheel,) = (folder / "dist").iterdir()
    assert wheel.name == "relationship_carrier_pigeon-0.1.0-py3-none-any.whl"
    done(python, "pip", "install", *OFFLINE, wheel, folder=folder)
    shown = json.loads(done(python, "relationship_core", "plugins", "--json", folder=tmp_path))
    (installed,) = (each for each in shown["installed"] if each["name"] == "carrier_pigeon")
    assert (installed["distribution"], installed["version"]) == ("relationship-carrier-pigeon", "0.1.0")
    assert "carrier_pigeon" in installed["provides"][kind]
    checked = json.loads(
        done(python, "relationship_core", "plugins", "check", "carrier_pigeon", "--json", folder=tmp_path)
    )
    assert (checked["ok"], checked["failed"], checked["skipped"]) == (True, 0, 0)
    assert checked["passed"] >= 10
    assert Path(checked["tests"]).is_relative_to(tmp_path / ".venv")


def lines_of_code(source: str) -> int:
    """How many lines are neither blank, nor a comment, nor of a docstring."""
    tree = ast.parse(source)
    documented = (node for node in ast.walk(tree) if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef))
    docstrings = [node.body[0] for node in documented if ast.get_docstring(node, clean=False) is not None]
    told = {line for each in docstrings for line in range(each.lineno, (each.end_lineno or 0) + 1)}
    lines = enumerate(source.splitlines(), 1)
    return sum(bool(text.strip()) and not text.strip().startswith("#") and line not in told for line, text in lines)


def test_a_channel_is_small() -> None:
    source = (TEMPLATES / "channel" / "relationship_acorn" / "__init__.py").read_text(encoding="utf-8")
    assert 20 < lines_of_code(source) <= LONGEST_CHANNEL


def test_lines_of_code_are_counted() -> None:
    source = '"""Of two\n\nlines.\n"""\n\nimport os  # used\n\n\n# no\ndef f():\n    """Where."""\n    return os\n'
    assert lines_of_code(source) == 3


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", PLUGIN_KINDS)
def test_any_name_gives_clean_code(kind: str, name: str, tmp_path: Path, standard_plugins: Plugins) -> None:
    new_plugin(name, kind, tmp_path / "new", plugins=standard_plugins)
    done(sys.executable, "ruff", "check", "--no-cache", folder=tmp_path / "new")
    done(sys.executable, "ruff", "format", "--check", "--no-cache", folder=tmp_path / "new")


@pytest.mark.parametrize("kind", PLUGIN_KINDS)
def test_nothing_of_the_template_is_left(kind: str, standard_plugins: Plugins, tmp_path: Path) -> None:
    written = new_plugin("carrier-pigeon", kind, tmp_path / "new", plugins=standard_plugins)
    found = {path.relative_to(tmp_path / "new").as_posix() for path in (tmp_path / "new").rglob("*") if path.is_file()}
    assert set(written) == found
    assert ".github/workflows/test.yml" in found
    assert "relationship_carrier_pigeon/py.typed" in found
    for path in found:
        assert "acorn" not in f"{path} {(tmp_path / 'new' / path).read_text(encoding='utf-8')}".lower(), path


def test_the_workflow_that_publishes_has_no_secret(standard_plugins: Plugins, tmp_path: Path) -> None:
    new_plugin("pigeon", "channel", tmp_path / "new", plugins=standard_plugins)
    workflow = (tmp_path / "new" / ".github" / "workflows" / "publish.yml").read_text(encoding="utf-8")
    assert "id-token: write" in workflow
    assert not re.search(r"secrets\.|password:|user:", workflow)


WRONG = [
    (("Pigeon", "--kind", "channel"), "'Pigeon' cannot name a plugin; use lower-case letters"),
    (("carrier pigeon", "--kind", "channel"), "cannot name a plugin"),
    (("pigeon-", "--kind", "channel"), "cannot name a plugin"),
    (("7pigeons", "--kind", "channel"), "cannot name a plugin"),
    (("../pigeon", "--kind", "channel"), "cannot name a plugin"),
    (("taube-ü", "--kind", "channel"), "cannot name a plugin"),
    (("p" * 31, "--kind", "channel"), "30 characters at most"),
    (("", "--kind", "channel"), "'' cannot name a plugin"),
    (("core", "--kind", "channel"), "relationship-core is installed already"),
    (("smtp", "--kind", "store"), "relationship-smtp is installed already"),
    (("relationship-smtp", "--kind", "store"), "relationship-smtp is installed already"),
    (("folder", "--kind", "channel"), "there is a channel 'folder' already; choose another name"),
    (("trust", "--kind", "score"), "there is a column 'trust' already"),
    (("now", "--kind", "score"), "there is a column 'now' already"),
    (("address", "--kind", "score"), "there is a column 'address' already"),
    (("quiet-hours", "--kind", "policy"), "there is a policy 'quiet_hours' already"),
    (("dask", "--kind", "channel"), "relationship-dask is installed already"),
]


@pytest.mark.parametrize(("arguments", "told"), WRONG)
def test_a_wrong_name_is_told_and_nothing_is_written(
    arguments: tuple[str, ...], told: str, relate: Relate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = relate("plugin", "new", *arguments)
    assert result.exit_code == 1
    assert told in result.stderr
    assert result.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["relationship_pigeon", "relationship-pigeon", "pigeon"])
def test_what_a_distribution_is_called_is_a_name_as_well(
    name: str, relate: Relate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told = relate("plugin", "new", name, "--kind", "policy")
    assert told.stdout.startswith("Wrote relationship-pigeon, a policy, into relationship-pigeon:")
    assert [path.name for path in tmp_path.iterdir()] == ["relationship-pigeon"]


def test_an_unknown_kind_is_told(relate: Relate, tmp_path: Path, standard_plugins: Plugins) -> None:
    told = relate("plugin", "new", "pigeon", "--kind", "chanel", "--folder", tmp_path / "new")
    assert told.exit_code == 2
    assert "'chanel' is not one of 'channel', 'store', 'score', 'policy', 'receiver'" in told.stderr
    with pytest.raises(ConfigurationError, match="no template of the kind 'chanel'; did you mean 'channel'"):
        new_plugin("pigeon", "chanel", tmp_path / "new", plugins=standard_plugins)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_holds_something_is_left_alone(relate: Relate, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    for folder in (tmp_path / "mine", tmp_path / "mine" / "notes.txt"):
        told = relate("plugin", "new", "pigeon", "--kind", "channel", "--folder", folder)
        assert told.exit_code == 1
        assert "exists and is no empty folder" in told.stderr
    assert [path.name for path in tmp_path.rglob("*")] == ["mine", "notes.txt"]


def test_a_folder_that_is_empty_is_filled(relate: Relate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path / "mine")
    assert relate("plugin", "new", "pigeon", "--kind", "channel", "--folder", ".").exit_code == 0
    assert Path("pyproject.toml").exists()
    assert {each.name for each in Path().iterdir()} == {
        *(".github", ".gitignore", "README.md", "pyproject.toml", "relationship_pigeon", "tests")
    }
    assert [each.name for each in tmp_path.iterdir()] == ["mine"]


def test_a_folder_that_cannot_be_made_is_told(relate: Relate, tmp_path: Path) -> None:
    told = relate("plugin", "new", "pigeon", "--kind", "channel", "--folder", tmp_path / "nowhere" / "mine")
    assert told.exit_code == 1
    assert "cannot be written to" in told.stderr
    assert "no such file or directory; name another folder" in told.stderr


def test_what_fails_in_the_middle_leaves_nothing(
    standard_plugins: Plugins, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: object, **_options: Any) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(ConfigurationError, match="no space left on device"):
        new_plugin("pigeon", "channel", tmp_path / "new", plugins=standard_plugins)
    assert list(tmp_path.iterdir()) == []


def template(kind: str) -> ModuleType:
    """The module of a template, which is not installed here."""
    spec = spec_from_file_location("relationship_acorn", TEMPLATES / kind / "relationship_acorn" / "__init__.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class TestPagesOfTheChannel(PagesContract):
    pages = (TEMPLATES / "channel" / "README.md",)
    channels = template("channel").relationship_channels()


class TestPagesOfTheReceiver(PagesContract):
    pages = (TEMPLATES / "receiver" / "README.md",)
    receivers = template("receiver").relationship_receivers()
    environment: ClassVar[Mapping[str, str]] = {"ACORN_SECRET": "a secret"}


def test_it_is_told_as_a_document_too(relate: Relate, tmp_path: Path) -> None:
    told = relate("plugin", "new", "carrier_pigeon", "--kind", "score", "--folder", tmp_path / "new", "--json")
    document = json.loads(told.stdout)
    assert document["distribution"] == "relationship-carrier-pigeon"
    assert "pyproject.toml" in document["written"]
