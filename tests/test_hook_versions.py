"""Versions of the hooks: what is for another one is left out and told, and what will go is told of before."""

import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result

from relationship_core import HOOK_VERSION, PROJECT, BrokenPlugin, ConfigurationError, hookimpl, hookspecs, load_plugins
from relationship_core.plugins import implementations, sources

Install = Callable[..., None]
Relate = Callable[..., Result]

KIND = """
from relationship_core import InteractionKind, hookimpl

@hookimpl
def relationship_interaction_kinds():
    return [InteractionKind(name="{name}", direction="inbound", summary="A test.")]
"""
NEXT = f"{PROJECT}.v{HOOK_VERSION + 1}"


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Installs the distribution ``relationship-toy`` with a module for each entry point group."""
    known = set(sys.modules)

    def install(**modules: str) -> None:
        info = tmp_path / "relationship_toy-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: relationship-toy\nVersion: 1.2\n")
        groups = "".join(f"[{group}]\ntoy = toy_{place}\n" for place, group in enumerate(modules))
        (info / "entry_points.txt").write_text(groups)
        for place, source in enumerate(modules.values()):
            (tmp_path / f"toy_{place}.py").write_text(source)
        monkeypatch.syspath_prepend(tmp_path)

    yield install
    for module in set(sys.modules) - known:
        if module.startswith("toy_"):
            del sys.modules[module]


def broken() -> list[BrokenPlugin]:
    return [plugin for plugin in load_plugins().broken if plugin.name == "toy"]


def test_a_plugin_for_a_later_version_is_left_out_unread(install: Install) -> None:
    install(**{NEXT: "raise RuntimeError('it was imported')"})
    (told,) = broken()
    assert told.distribution == "relationship-toy"
    assert told.reason.startswith(f"it is for version {HOOK_VERSION + 1} of the hooks, and relationship-core")
    assert told.reason.endswith(f"has version {HOOK_VERSION}; upgrade relationship-core")


def test_a_plugin_for_an_earlier_version_is_the_one_to_upgrade(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(**{PROJECT: KIND.format(name="toy_played")})
    monkeypatch.setattr(sources, "HOOK_VERSION", HOOK_VERSION + 1)
    (told,) = broken()
    assert told.reason.startswith(f"it is for version {HOOK_VERSION} of the hooks")
    assert told.reason.endswith("upgrade relationship-toy")


def test_of_a_plugin_for_two_versions_the_right_one_is_taken(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    install(**{PROJECT: KIND.format(name="toy_played"), NEXT: KIND.format(name="toy_lent")})
    assert {"toy_played", "toy_lent"} & set(load_plugins().kinds) == {"toy_played"}
    monkeypatch.setattr(sources, "HOOK_VERSION", HOOK_VERSION + 1)
    assert {"toy_played", "toy_lent"} & set(load_plugins().kinds) == {"toy_lent"}


@pytest.mark.parametrize(
    "group", [f"{PROJECT}.v0", f"{PROJECT}.v1x", f"{PROJECT}.vx", f"{PROJECT}_more", "console_scripts"]
)
def test_other_groups_are_no_plugins(install: Install, group: str) -> None:
    install(**{group: "raise RuntimeError('it was imported')"})
    assert "toy" not in {plugin.name for plugin in load_plugins().installed}
    assert broken() == []


def test_a_required_plugin_for_another_version_is_fatal(install: Install) -> None:
    install(**{NEXT: ""})
    with pytest.raises(
        ConfigurationError, match=r"toy \(relationship-toy 1\.2\) is needed and broken: it is for version"
    ):
        load_plugins(required=["toy"])


def test_a_plugin_for_another_version_is_listed_with_the_reason(install: Install, relate: Relate) -> None:
    install(**{NEXT: ""})
    told = relate("plugins")
    assert told.exit_code == 1
    assert "upgrade relationship-core" in " ".join(told.stdout.split())


# Hooks that will go


@pytest.fixture
def deprecated(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if a hook were to go with the next version."""
    monkeypatch.setattr(
        hookspecs, "DEPRECATED", {"relationship_interaction_kinds": "declare kinds in relationship_kinds"}
    )
    monkeypatch.setattr(implementations, "_WARNED", {})


@pytest.mark.usefixtures("deprecated")
def test_a_hook_that_will_go_works_and_is_told_of_once(install: Install) -> None:
    install(**{PROJECT: KIND.format(name="toy_played")})
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(3):
            plugins = load_plugins(disabled=["builtin.kinds"])
            assert "toy_played" in plugins.kinds
    (told,) = (each for each in caught if "toy" in str(each.message))
    assert told.category is DeprecationWarning
    assert str(told.message) == (
        "the plugin toy (relationship-toy 1.2) implements relationship_interaction_kinds, which goes with version "
        f"{HOOK_VERSION + 1} of the hooks; declare kinds in relationship_kinds"
    )
    assert Path(told.filename).name == "toy_0.py"


@pytest.mark.usefixtures("deprecated")
def test_a_hook_that_will_go_is_listed(install: Install, relate: Relate) -> None:
    install(**{PROJECT: KIND.format(name="toy_played")})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        (toy,) = (plugin for plugin in load_plugins().installed if plugin.name == "toy")
        told = relate("plugins").stdout
    assert toy.deprecated == {"relationship_interaction_kinds": "declare kinds in relationship_kinds"}
    assert "Hooks that will go" in told


def test_no_hook_is_to_go_that_is_not_there() -> None:
    assert set(hookspecs.DEPRECATED) <= set(implementations.HOOKS)


def test_nothing_is_said_of_hooks_that_stay() -> None:
    @hookimpl
    def relationship_policies(_self: object) -> tuple[()]:
        return ()

    toy = type("Toy", (), {"relationship_policies": relationship_policies})()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_plugins(extra=[toy])
