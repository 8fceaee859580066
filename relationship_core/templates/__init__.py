"""Templates of plugins: for each kind a whole distribution, named ``relationship-acorn``, to begin one's own with.

Each folder here is a real plugin with its tests. A new plugin is a copy with another name in the place of ``acorn``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from importlib import metadata
from importlib.resources import as_file, files
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from relationship_core.config import Settings
from relationship_core.errors import ConfigurationError, nearest

if TYPE_CHECKING:
    from relationship_core.plugins import Plugins

PLUGIN_KINDS = ("channel", "store", "score", "policy", "receiver")
"""The kinds of plugin that there is a template of."""

_SHARED = (".gitignore", ".github/workflows/test.yml", ".github/workflows/publish.yml")
_OWN = (
    "pyproject.toml",
    "README.md",
    "relationship_acorn/__init__.py",
    "relationship_acorn/py.typed",
    "tests/test_acorn.py",
)
_NAME = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")
_LONGEST = 30
"""Longer names would not fit into the lines of the templates."""


def new_plugin(name: str, kind: str, folder: Path | str, *, plugins: Plugins) -> tuple[str, ...]:
    """Write a new plugin: a distribution of few files, to be changed. On failure nothing is written.

    Args:
        name: the plugin's name, such as ``pigeon`` or ``carrier-pigeon``; the distribution is ``relationship-<name>``.
        kind: one of ``PLUGIN_KINDS``.
        folder: where to; it must not exist, or be empty.
        plugins: what is installed, whose names are taken.

    Returns:
        The files that were written, relative to the folder.

    Raises:
        ConfigurationError: the name is none or taken, the kind is unknown, or the folder cannot be used.
    """
    if kind not in PLUGIN_KINDS:
        hint = nearest(kind, PLUGIN_KINDS)
        message = f"there is no template of the kind {kind!r}{hint}; the kinds are {', '.join(PLUGIN_KINDS)}"
        raise ConfigurationError(message)
    module = _module(name)
    _refuse_taken(module, kind, plugins)
    target = Path(folder).resolve()
    try:
        _refuse_used(target)
        return _write(target, kind, _names(module))
    except OSError as error:
        cause = (error.strerror or type(error).__name__).lower()
        message = f"the plugin cannot be written to {folder}: {cause}; name another folder"
        raise ConfigurationError(message) from error


def distribution_of(name: str) -> str:
    """The distribution that a plugin of this name is.

    Raises:
        ConfigurationError: that is no name for a plugin.
    """
    return f"relationship-{_module(name).replace('_', '-')}"


def _module(name: str) -> str:
    """The name as it stands in Python, without what every plugin's name begins with."""
    own = re.sub(r"^relationship[-_]", "", name)
    if not _NAME.fullmatch(own) or len(own) > _LONGEST:
        message = (
            f"{name!r} cannot name a plugin; use lower-case letters, digits and single hyphens, a letter first and "
            f"{_LONGEST} characters at most, such as carrier-pigeon"
        )
        raise ConfigurationError(message)
    return own.replace("-", "_")


def _refuse_taken(module: str, kind: str, plugins: Plugins) -> None:
    distribution = distribution_of(module)
    taken = _distribution(distribution) or find_spec(f"relationship_{module}") is not None
    if taken:
        message = f"{distribution} is installed already; choose another name, or work on that plugin"
        raise ConfigurationError(message)
    owners = {each.name: each.distribution for each in plugins.installed}
    owners |= {each.name: each.distribution for each in plugins.broken}
    if module in owners:
        message = f"{owners[module]} has a plugin of the name {module!r} already; choose another name"
        raise ConfigurationError(message)
    clashes = sorted(set(_declared(module, kind)) & set(_taken(kind, plugins)))
    if clashes:
        what = "column" if kind == "score" else kind
        message = f"there is a {what} {clashes[0]!r} already; choose another name"
        raise ConfigurationError(message)


def _declared(module: str, kind: str) -> tuple[str, ...]:
    """What the template declares under a name."""
    return (module, *(f"{module}_{word}" for word in ("confidence", "orders", "returns") if kind == "score"))


def _taken(kind: str, plugins: Plugins) -> Collection[str]:
    """The names of that kind that are taken."""
    if kind == "policy":
        return {policy.name for policy in plugins.policies}
    if kind == "score":
        from relationship_core.flow.candidate_columns import CANDIDATE_COLUMNS
        from relationship_core.flow.catalog import make_catalog

        return make_catalog(Settings(), plugins).columns.keys() | CANDIDATE_COLUMNS
    return {"channel": plugins.channels, "store": plugins.stores, "receiver": plugins.receivers}[kind]


def _distribution(name: str) -> metadata.Distribution | None:
    try:
        return metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return None


def _refuse_used(folder: Path) -> None:
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        message = f"{folder} exists and is no empty folder; name another folder, or empty it"
        raise ConfigurationError(message)


def _names(module: str) -> Mapping[str, str]:
    """What stands in the templates, each with what takes its place."""
    return {
        "relationship-acorn": distribution_of(module),
        "acorn": module,
        "Acorn": "".join(part.title() for part in module.split("_")),
        "ACORN": module.upper(),
    }


def _write(target: Path, kind: str, names: Mapping[str, str]) -> tuple[str, ...]:
    """Write everything apart, then put it in its place, so that it is there whole or not at all."""
    there = target.exists()
    with TemporaryDirectory(prefix=".", dir=target if there else target.parent) as folder:
        part = Path(folder, target.name)
        part.mkdir()
        written = tuple(sorted(_copied(part, kind, names)))
        if there:
            for path in part.iterdir():
                path.rename(target / path.name)
        else:
            part.rename(target)
    return written


def _copied(target: Path, kind: str, names: Mapping[str, str]) -> Iterator[str]:
    with as_file(files(__package__)) as templates:
        for folder, paths in (("shared", _SHARED), (kind, _OWN)):
            for path in paths:
                text = (templates / folder / path).read_text(encoding="utf-8")
                renamed = _renamed(path, names)
                (target / renamed).parent.mkdir(parents=True, exist_ok=True)
                (target / renamed).write_text(_renamed(text, names), encoding="utf-8", newline="\n")
                yield renamed


def _renamed(text: str, names: Mapping[str, str]) -> str:
    return re.sub("|".join(names), lambda found: names[found[0]], text)
