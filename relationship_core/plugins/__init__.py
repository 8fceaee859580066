"""Loads plugins, checks and isolates them, and looks up what they declare.

One broken plugin never takes down the rest: every entry point is loaded, every hook called and every
announcement made for each plugin on its own, so that a failure has a name. Only this module touches
pluggy's manager.
"""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterable, Mapping, Sequence
from copy import copy
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import pluggy

from relationship_core import hookspecs
from relationship_core.errors import ConfigurationError, nearest
from relationship_core.hookspecs import PROJECT
from relationship_core.plugins.announcing import announce
from relationship_core.plugins.declared import FIRST, LATER, Declared, checked, provided, refuse_clashes, source_of
from relationship_core.plugins.implementations import (
    call,
    failed,
    in_words,
    installed_plugin,
    refuse_taken,
    refuse_unfit,
    refuse_unmarked,
    warn_of,
)
from relationship_core.plugins.making import make
from relationship_core.plugins.published import what_brings
from relationship_core.plugins.sources import BrokenPlugin, InstalledPlugin, Source

if TYPE_CHECKING:
    import polars as pl

    from relationship_core.declarations import CaseMeasure, KeyedMeasure, Measure, Policy, ScoringRule
    from relationship_core.model.interaction import Interaction, InteractionKind
    from relationship_core.model.message import Receipt
    from relationship_core.model.relationship import Ladder, Transition
    from relationship_core.parameters import Calibration, Parameter, TableCalibration
    from relationship_core.ports import Channel, Executor, Receiver, Renderer, Store
    from relationship_core.presets import Preset
    from relationship_core.providers import Provider

T = TypeVar("T")
P = TypeVar("P")


class Plugins:
    """What is installed, by name; made by ``load_plugins`` of ``loading``.

    Declarations are asked for when one of them is first needed, so that ``relate --help`` stays quick. Stores and
    parameters are asked for by themselves: the others may depend on values that were fitted and lie in the store.
    """

    def __init__(self, sources: Sequence[Source], *, required: Collection[str] = ()) -> None:
        """Load the sources in order; ``required`` holds names of plugins or of distributions."""
        self._registry = pluggy.PluginManager(PROJECT)
        self._registry.add_hookspecs(hookspecs)
        self._required = frozenset(required)
        self._plugins: dict[Source, object] = {}
        self._broken: list[BrokenPlugin] = []
        self._lookups: dict[str, Mapping[str, Any]] = {}
        self._values: Mapping[str, float] = {}
        self._tables: Mapping[str, pl.DataFrame] = {}
        self._asked: dict[tuple[object, ...], tuple[Declared, ...]] = {}  # the last answer, shared by copies
        known = {name for source in sources for name in (source.name, source.distribution)}
        for name in sorted(self._required - known):
            message = f"the plugin {name!r} of [plugins] required is not installed{what_brings(name, known)}"
            raise ConfigurationError(message)
        for source in sources:
            self._add(source)
        self._registry.check_pending()

    # What is declared

    @property
    def stores(self) -> Mapping[str, Provider[Store]]:
        """Storage backends by name."""
        return self._by_name("relationship_stores")

    @property
    def channels(self) -> Mapping[str, Provider[Channel]]:
        """Kinds of channel by name."""
        return self._by_name("relationship_channels")

    @property
    def receivers(self) -> Mapping[str, Provider[Receiver]]:
        """Kinds of receiver by name."""
        return self._by_name("relationship_receivers")

    @property
    def renderers(self) -> Mapping[str, Provider[Renderer]]:
        """Template languages by name."""
        return self._by_name("relationship_renderers")

    @property
    def executors(self) -> Mapping[str, Provider[Executor]]:
        """Kinds of executor by name."""
        return self._by_name("relationship_executors")

    @property
    def kinds(self) -> Mapping[str, InteractionKind]:
        """Interaction kinds by name."""
        return self._by_name("relationship_interaction_kinds")

    @property
    def presets(self) -> Mapping[str, Preset]:
        """How exports of other systems are read, by name."""
        return self._by_name("relationship_import_presets")

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """Parameters by name."""
        return self._by_name("relationship_parameters")

    @property
    def values(self) -> Mapping[str, float]:
        """The value of every parameter that measures, scores, ladders and calibrations are declared with."""
        own = {parameter.name: parameter.value for parameter in self.parameters.values()}
        return MappingProxyType({**own, **self._values})

    @property
    def tables(self) -> Mapping[str, pl.DataFrame]:
        """Every fitted table that measures are declared with, by the name of its calibration."""
        return MappingProxyType(self._tables)

    @property
    def calibrations(self) -> Mapping[str, Calibration | TableCalibration]:
        """Calibrations by name."""
        return self._by_name("relationship_calibrations")

    @property
    def ladders(self) -> Mapping[str, Ladder]:
        """Ladders by name."""
        return self._by_name("relationship_ladders")

    @property
    def measures(self) -> tuple[Measure | KeyedMeasure | CaseMeasure, ...]:
        """Measures: the built-in ones first, then by name of distribution."""
        return tuple(self._by_name("relationship_measures").values())

    @property
    def scores(self) -> tuple[ScoringRule, ...]:
        """Scoring rules, in the same stable order."""
        return tuple(self._by_name("relationship_scores").values())

    @property
    def policies(self) -> tuple[Policy, ...]:
        """Policies, in the same stable order."""
        return tuple(self._by_name("relationship_policies").values())

    @cached_property
    def columns(self) -> Mapping[str, str]:
        """The columns that measures, features and scores make, each with which of the three it is."""
        taken = [names for declared in self._declared for names in declared.names]
        return MappingProxyType({name: word for space, name, word in taken if space == "column"})

    @property
    def installed(self) -> tuple[InstalledPlugin, ...]:
        """Every plugin that works, in the order of loading."""
        declared = self._declared
        return tuple(
            installed_plugin(
                source,
                hooks=(caller.name for caller in self._registry.get_hookcallers(plugin) or ()),
                provides=provided(each for each in declared if each.source is source),
            )
            for source, plugin in self._plugins.items()
        )

    def handed_in(self, hooks: Collection[str]) -> tuple[object, ...]:
        """The modules and objects that the program itself handed in and that implement one of these hooks."""
        found = [each for hook in hooks for each in self._implementations(hook)]
        own = {id(each.plugin) for source, each in found if not source.distribution}
        return tuple(plugin for plugin in self._plugins.values() if id(plugin) in own)

    @property
    def broken(self) -> tuple[BrokenPlugin, ...]:
        """Every plugin that was left out, with the reason."""
        _ = self._declared  # some break only when they are asked
        return tuple(self._broken)

    def with_parameters(self, values: Mapping[str, float], tables: Mapping[str, pl.DataFrame] | None = None) -> Self:
        """The same plugins, which declare with these values and tables; a parameter without one here has its own."""
        _ = self._first
        other = copy(self)
        for derived in ("_declared", "columns"):
            vars(other).pop(derived, None)
        vars(other).update(
            _plugins=dict(self._working),
            _broken=list(self._broken_first),
            _lookups={},
            _values=MappingProxyType(dict(values)),
            _tables=dict(tables or {}),
        )
        return other

    # Looking up

    def find(self, among: Mapping[str, T], name: str, where: str) -> T:
        """Look up a name that the configuration or the caller gives.

        Args:
            among: what there is by name, such as ``plugins.channels``.
            name: the name to look up.
            where: where the name is written, for the message.

        Raises:
            ConfigurationError: there is nothing of that name.
        """
        if name in among:
            return among[name]
        message = f"{where}: there is no {name!r}{(nearest if self.broken else what_brings)(name, among)}"
        message += f"; the known ones are {', '.join(sorted(among)) or 'none'}"
        if any(among is declared for declared in self._lookups.values()) and self.broken:
            causes = "; ".join(f"{plugin.name} ({plugin.reason})" for plugin in self.broken)
            message += f"; it may belong to a broken plugin: {causes}"
        raise ConfigurationError(message)

    def ladder(self, name: str) -> Ladder:
        """The ladder that ``[ladder] use`` names.

        Raises:
            ConfigurationError: nothing of that name is installed.
        """
        return self.find(self.ladders, name, "[ladder] use")

    def make(self, provider: Provider[P], settings: object, where: str) -> P:
        """Call a provider's factory. What it raises on purpose (a RelationshipError) passes unchanged.

        Args:
            provider: one of ``stores``, ``channels`` or ``renderers``.
            settings: an instance of the provider's settings class.
            where: what is being made, for the message: ``[channels.news]``.

        Raises:
            ConfigurationError: the factory failed. The message names the plugin and the type of the cause;
                the cause's words are told, and the cause is chained, only where they show no secret.
        """
        source = source_of(provider, self._first) or source_of(provider, self._declared)
        plugin = f"the plugin {source.name} ({source.owner})" if source else "its plugin"
        return make(provider, settings, f"{where}: {plugin} could not make {provider.name!r}")

    # Announcing

    def listens(self, hook: str) -> bool:
        """Whether any plugin implements a hook, so that nothing is built that nobody hears."""
        return bool(self._implementations(hook))

    def recorded(self, interactions: Sequence[Interaction]) -> None:
        """Announce interactions that were new, after their commit."""
        self._announce("relationship_recorded", interactions=tuple(interactions))

    def stage_changed(self, transitions: Sequence[Transition]) -> None:
        """Announce moves on the ladder, after their commit."""
        self._announce("relationship_stage_changed", transitions=tuple(transitions))

    def delivered(self, receipts: Sequence[Receipt]) -> None:
        """Announce what channels answered, after its commit."""
        self._announce("relationship_delivered", receipts=tuple(receipts))

    def commands(self, cli: Any, *, reserved: Collection[str] = ()) -> None:
        """Let each plugin add its commands to ``relate``.

        A plugin that fails, or adds a name that is taken, becomes a broken one and adds nothing.

        Args:
            cli: the click group to add to.
            reserved: names that are taken although the group does not hold them.
        """
        hook = "relationship_commands"
        for source, implementation in self._implementations(hook):
            before = dict(cli.commands)
            try:
                call(implementation, {"cli": cli})
                refuse_taken(before, cli.commands, reserved)
            except Exception as error:  # noqa: BLE001  a plugin may raise anything
                cli.commands.clear()
                cli.commands.update(before)
                self._leave_out(source, failed(hook, error))

    def _announce(self, hook: str, **values: object) -> None:
        for source, implementation in self._implementations(hook):
            announce(source, hook, implementation, values)

    # Loading and asking

    def _add(self, source: Source) -> None:
        try:
            self._register(source, source.load())
        except (Exception, SystemExit) as error:  # noqa: BLE001  a plugin may raise anything on import
            self._leave_out(source, error)

    def _register(self, source: Source, plugin: object) -> None:
        if inspect.isclass(plugin):
            message = f"it is the class {plugin.__name__}; its entry point must name a module or an instance"
            raise ConfigurationError(message)
        if any(plugin is other for other in self._plugins.values()):
            message = "it is registered already; remove one of its entry points"
            raise ConfigurationError(message)
        try:
            self._registry.register(plugin, name=f"{len(self._plugins)}:{source.name}")
            self._check(source, plugin)
        except Exception:  # pluggy 1.6 keeps what it had registered before it failed
            self._unregister(plugin)
            raise
        self._plugins[source] = plugin

    def _check(self, source: Source, plugin: object) -> None:
        """Refuse what pluggy lets through."""
        implemented = {caller.name: caller for caller in self._registry.get_hookcallers(plugin) or ()}
        refuse_unmarked(plugin, implemented)
        for name, caller in implemented.items():
            for implementation in caller.get_hookimpls():
                if implementation.plugin is plugin:
                    refuse_unfit(name, implementation)
                    warn_of(name, implementation, source)

    def _unregister(self, plugin: object) -> None:
        if self._registry.get_name(plugin) is not None:
            self._registry.unregister(plugin)

    def _leave_out(self, source: Source, error: BaseException) -> None:
        reason = in_words(error)
        # What is registered stays so for others that share it; only what is in here is ever called.
        self._plugins.pop(source, None)
        self._lookups.clear()
        self._broken.append(
            BrokenPlugin(name=source.name, distribution=source.distribution, version=source.version, reason=reason)
        )
        if source.needed or self._required & {source.name, source.distribution}:
            message = f"the plugin {source.name} ({source.owner}) is needed and broken: {reason}"
            raise ConfigurationError(message) from error

    @cached_property
    def _first(self) -> tuple[Declared, ...]:
        """What must be known before a store is open."""
        found = self._ask_everybody(FIRST, {})
        refuse_clashes(found)
        self._working, self._broken_first = dict(self._plugins), tuple(self._broken)
        return found

    @cached_property
    def _declared(self) -> tuple[Declared, ...]:
        """What every plugin declares, asked once for the same values; a plugin counts whole or not at all."""
        asked = (tuple(self.values.items()), tuple(self._plugins))
        known = self._asked.get(asked)
        if known is not None and not self._tables:
            return known
        found = (*self._first, *self._ask_everybody(LATER, {"parameters": self.values, "tables": self.tables}))
        refuse_clashes(found)
        if asked[1] == tuple(self._plugins) and not self._tables:  # and nobody was left out
            self._asked.clear()
            self._asked[asked] = found
        return found

    def _ask_everybody(self, hooks: Iterable[str], values: Mapping[str, object]) -> tuple[Declared, ...]:
        found: list[Declared] = []
        for source, plugin in list(self._plugins.items()):
            try:
                found += self._ask(source, plugin, hooks, values)
            except ConfigurationError as error:
                self._leave_out(source, error)
        return tuple(found)

    def _ask(
        self, source: Source, plugin: object, hooks: Iterable[str], values: Mapping[str, object]
    ) -> list[Declared]:
        found: list[Declared] = []
        for hook in hooks:
            for _, implementation in self._implementations(hook):
                if implementation.plugin is not plugin:
                    continue
                try:
                    returned = call(implementation, values)
                except (Exception, SystemExit) as error:  # a plugin may raise anything
                    raise failed(hook, error) from error
                records = checked(returned, hook)
                found += [Declared(source=source, hook=hook, record=record) for record in records]
        refuse_clashes(found)
        return found

    def _implementations(self, hook: str) -> list[tuple[Source, pluggy.HookImpl]]:
        caller: pluggy.HookCaller = getattr(self._registry.hook, hook)
        sources = {id(plugin): source for source, plugin in self._plugins.items()}
        return [(sources[id(each.plugin)], each) for each in caller.get_hookimpls() if id(each.plugin) in sources]

    def _by_name(self, hook: str) -> Mapping[str, Any]:
        declared = self._declared if hook in LATER else self._first
        if hook not in self._lookups:
            records = [each.record for each in declared if each.hook == hook and each.source in self._plugins]
            self._lookups[hook] = MappingProxyType({record.name: record for record in records})
        return self._lookups[hook]
