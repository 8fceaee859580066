"""``relate plugins``: what is there, and whether a plugin keeps its contract."""

import json
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest
from click.testing import Result

from relationship_core import CAPABILITIES, load_plugins

Relate = Callable[..., Result]
Install = Callable[..., Path]

REFERENCE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "commands.md"
PLUGIN = """
from relationship_core import InteractionKind, hookimpl

@hookimpl
def relationship_interaction_kinds():
    return [InteractionKind(name="toy_played", direction="inbound", summary="A test.")]
"""
PASSES = "def test_it():\n    assert True\n\ndef test_that():\n    assert True\n"
FAILS = "def test_it():\n    assert False\n"


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Installs ``relationship-toy``: a package, with tests in it or beside its source as is given."""

    def install(*, inside: str = "", beside: str = "", source: str = PLUGIN) -> Path:
        site, checkout = tmp_path / "site", tmp_path / "check out"
        info = site / "relationship_toy-1.2.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: relationship-toy\nVersion: 1.2\n")
        (info / "entry_points.txt").write_text("[relationship_core]\ntoy = relationship_toy\n")
        (site / "relationship_toy").mkdir()
        (site / "relationship_toy" / "__init__.py").write_text(source)
        for folder, text in ((site / "relationship_toy" / "tests", inside), (checkout / "tests", beside)):
            if text:
                folder.mkdir(parents=True)
                (folder / "test_toy.py").write_text(text)
        if beside:
            (info / "direct_url.json").write_text(json.dumps({"url": checkout.as_uri(), "dir_info": {}}))
        monkeypatch.syspath_prepend(site)
        monkeypatch.delitem(sys.modules, "relationship_toy", raising=False)
        return tmp_path

    return install


def test_everything_that_a_project_can_use_is_listed(relate: Relate) -> None:
    shown = json.loads(relate("plugins", "--json").stdout)["providers"]
    found = load_plugins()
    kinds = (found.stores, found.channels, found.receivers, found.renderers, found.executors)
    assert len(shown) == sum(map(len, kinds))
    (folder,) = (each for each in shown if each["name"] == "folder")
    assert folder == {
        "name": "folder",
        "kind": "channel",
        "plugin": "builtin.channels",
        "capabilities": ["batch", "html", "local", "lookup"],
        "summary": found.channels["folder"].summary,
    }
    assert {name for each in shown for name in each["capabilities"]} <= set(CAPABILITIES)


def test_the_table_tells_capabilities(relate: Relate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    assert "batch, html, local, lookup" in relate("plugins").stdout


def test_an_option_before_a_command_is_refused(relate: Relate) -> None:
    told = relate("plugins", "--json", "check", "smtp")
    assert told.exit_code == 2
    assert "--json before 'check'" in told.stderr


@pytest.mark.parametrize(
    ("tests", "place"), [({"inside": PASSES}, "site/relationship_toy/tests"), ({"beside": PASSES}, "check out/tests")]
)
@pytest.mark.parametrize("name", ["toy", "relationship-toy", "relationship_toy"])
def test_a_contract_that_is_kept(
    install: Install, relate: Relate, tests: dict[str, str], place: str, name: str
) -> None:
    top = install(**tests)
    told = relate("plugins", "check", name, "--json")
    assert told.exit_code == 0
    keys = ", ".join(f"`{key}`" for key in json.loads(told.stdout))
    assert f"\nKeys with `--json`: {keys}.\n" in REFERENCE.read_text(encoding="utf-8")
    assert json.loads(told.stdout) == {
        "plugin": "toy",
        "distribution": "relationship-toy",
        "version": "1.2",
        "tests": str(top / place),
        "ok": True,
        "passed": 2,
        "failed": 0,
        "skipped": 0,
    }


def test_the_tests_beside_the_source_go_before_a_copy(install: Install, relate: Relate) -> None:
    install(inside=FAILS, beside=PASSES)
    told = relate("plugins", "check", "toy")
    assert told.exit_code == 0
    assert told.stdout.endswith("relationship-toy 1.2 keeps its contract.\n")


@pytest.mark.parametrize("tests", [FAILS, "1 / 0", "# no test"])
def test_a_contract_that_is_not_kept(install: Install, relate: Relate, tests: str) -> None:
    install(inside=tests)
    told = relate("plugins", "check", "toy", "--json")
    assert told.exit_code == 1
    assert json.loads(told.stdout)["ok"] is False
    assert json.loads(told.stdout)["passed"] == 0


def test_a_plugin_without_tests_is_told(install: Install, relate: Relate) -> None:
    install()
    told = relate("plugins", "check", "toy")
    assert told.exit_code == 1
    assert "relationship-toy 1.2 brings no tests; where its source has some, run pip install -e" in told.stderr


@pytest.mark.parametrize("name", ["toy", "relationship_toy"])
def test_a_broken_plugin_is_told_with_its_reason(install: Install, relate: Relate, name: str) -> None:
    install(source="1 / 0", inside=PASSES)
    told = relate("plugins", "check", name)
    assert told.exit_code == 1
    assert "the plugin toy (relationship-toy 1.2) is broken: ZeroDivisionError" in told.stderr


def test_a_name_that_is_not_there_is_told_with_the_nearest(install: Install, relate: Relate) -> None:
    install(inside=PASSES)
    told = relate("plugins", "check", "relationship-toi")
    assert told.exit_code == 1
    assert "there is no 'relationship-toi'; did you mean 'relationship-toy'?" in told.stderr


def test_without_pytest_the_command_that_installs_it_is_told(
    install: Install, relate: Relate, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(inside=PASSES)
    monkeypatch.setattr(
        "relationship_core.cli.contracts.find_spec", lambda name: None if name == "pytest" else find_spec(name)
    )
    told = relate("plugins", "check", "toy")
    assert told.exit_code == 1
    assert (
        "the contract needs pytest, which is not installed; run pip install 'relationship-core[testing]'" in told.stderr
    )
