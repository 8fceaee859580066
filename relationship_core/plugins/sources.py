"""Where plugins come from: built in, installed with an entry point, handed in by the program."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from importlib import import_module, metadata
from types import ModuleType

from attrs import field, frozen

from relationship_core.builtin import MODULES
from relationship_core.errors import ConfigurationError
from relationship_core.hookspecs import HOOK_VERSION, PROJECT

_CORE = "relationship-core"
_GROUP = re.compile(rf"{PROJECT}(?:\.v([1-9][0-9]*))?")
"""The entry point groups of plugins: of version 1 of the hooks, and of a later one."""


@frozen(kw_only=True, eq=False)
class Source:
    """Where one plugin comes from, and how to get it.

    Attributes:
        name: the entry point's name; ``builtin.<module>`` for what is built in.
        load: imports it.
        distribution: what brought it; empty for an object handed in by the program.
        needed: true where nothing works without it, or the program asked for it.
    """

    name: str
    load: Callable[[], object]
    distribution: str = ""
    needed: bool = False
    # Reading it costs a file; nobody needs it unless something is shown.
    read_version: Callable[[], str] = field(default=str)

    @property
    def version(self) -> str:
        """The distribution's version; empty where there is none."""
        return self.read_version()

    @property
    def owner(self) -> str:
        """The distribution with its version, as people read it."""
        return f"{self.distribution} {self.version}".strip() or "this program"


def builtin_sources() -> Iterator[Source]:
    """The default plugins, in their order."""
    for module in MODULES:
        yield Source(
            name=f"builtin.{module}",
            load=partial(import_module, f"relationship_core.builtin.{module}"),
            distribution=_CORE,
            needed=True,
            read_version=_core_version,
        )


def _core_version() -> str:
    try:
        return metadata.version(_CORE)
    except metadata.PackageNotFoundError:  # imported from a folder
        return ""


def installed_sources() -> Iterator[Source]:
    """The entry points of every installed distribution, in order of their names; each for the best of its versions."""
    everything = metadata.entry_points()
    found: dict[tuple[str, str], dict[int, metadata.EntryPoint]] = {}
    for group in everything.groups:
        version = _GROUP.fullmatch(group)
        if version is None:
            continue
        for point in everything.select(group=group):
            # An entry point knows its distribution wherever importlib.metadata found it by itself.
            distribution = point.dist.name if point.dist else ""
            found.setdefault((distribution, point.name), {})[int(version[1] or 1)] = point
    for key in sorted(found):
        yield _installed(key[0], found[key])


def _installed(distribution: str, points: Mapping[int, metadata.EntryPoint]) -> Source:
    version = HOOK_VERSION if HOOK_VERSION in points else max(points)
    point = points[version]
    installed = point.dist
    return Source(
        name=point.name,
        load=point.load if version == HOOK_VERSION else partial(_refuse, distribution, version),
        distribution=distribution,
        read_version=(lambda: installed.version) if installed else str,
    )


def _refuse(distribution: str, version: int) -> object:
    """Refuse to load what is for another version of the hooks.

    Raises:
        ConfigurationError: always.
    """
    core = f"{_CORE} {_core_version()}".strip()
    older = distribution if version < HOOK_VERSION else _CORE
    message = f"it is for version {version} of the hooks, and {core} has version {HOOK_VERSION}; upgrade {older}"
    raise ConfigurationError(message)


def handed_in_sources(plugins: Sequence[object]) -> Iterator[Source]:
    """Modules and objects that the program itself hands in."""
    for plugin in plugins:
        name = plugin.__name__ if isinstance(plugin, ModuleType) else type(plugin).__name__
        yield Source(name=name, load=partial(_itself, plugin), needed=True)


def _itself(plugin: object) -> object:
    return plugin


@frozen(kw_only=True)
class InstalledPlugin:
    """A plugin that works.

    Attributes:
        name: the name of its entry point; ``builtin.<module>`` for what is built in.
        distribution: the distribution that brought it; empty for an object handed in by the program.
        version: the distribution's version; empty where there is none.
        hooks: the hooks it implements.
        provides: the names of what it declares, by the word for it: ``channel``, ``measure``, ...
        deprecated: the hooks among them that will go, each with what to use instead.
    """

    name: str
    distribution: str
    version: str
    hooks: tuple[str, ...]
    provides: Mapping[str, tuple[str, ...]]
    deprecated: Mapping[str, str] = field(factory=dict)


@frozen(kw_only=True)
class BrokenPlugin:
    """A plugin that was left out.

    Attributes:
        name: the name of its entry point.
        distribution: the distribution that brought it.
        version: the distribution's version.
        reason: one sentence.
    """

    name: str
    distribution: str
    version: str
    reason: str
