"""Implementations of hooks: which are acceptable, how one is called, and how its failure is worded."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from relationship_core import hookspecs
from relationship_core.errors import ConfigurationError, nearest
from relationship_core.plugins.sources import InstalledPlugin, Source

if TYPE_CHECKING:
    import pluggy

HOOKS = tuple(sorted(name for name in vars(hookspecs) if name.startswith("relationship_")))
"""Every hook by name."""


def refuse_unmarked(plugin: object, implemented: Mapping[str, pluggy.HookCaller]) -> None:
    """A plugin implements at least one hook, and marks each that it implements.

    Raises:
        ConfigurationError: it does not.
    """
    forgotten = sorted(set(HOOKS) & set(dir(plugin)) - set(implemented))
    if forgotten:
        message = f"its {forgotten[0]} is not marked with @hookimpl"
        raise ConfigurationError(message)
    if not implemented:
        message = "it implements no hook; mark its implementations with @hookimpl"
        raise ConfigurationError(message)


def refuse_unfit(hook: str, implementation: pluggy.HookImpl) -> None:
    """Refuse what pluggy lets through and no hook here heeds.

    Raises:
        ConfigurationError: it does not fit its hook.
    """
    problem = _unfit(hook, implementation) or _unfit_arguments(implementation)
    if problem:
        message = f"its {hook} {problem}"
        raise ConfigurationError(message)


def _unfit(hook: str, implementation: pluggy.HookImpl) -> str:
    if hook not in HOOKS and not implementation.optionalhook:
        return f"is no hook{nearest(hook, HOOKS)}"
    if implementation.wrapper or implementation.hookwrapper:
        return "is a wrapper; nothing is wrapped here, each plugin is called on its own"
    if implementation.tryfirst or implementation.trylast:
        return "asks to be called first or last; plugins are called in the order of their distributions' names"
    if inspect.iscoroutinefunction(implementation.function):
        return "is a coroutine; make it a plain function"
    return ""


def _unfit_arguments(implementation: pluggy.HookImpl) -> str:
    for parameter in inspect.signature(implementation.function).parameters.values():
        if parameter.default is not parameter.empty:
            return f"gives the argument {parameter.name!r} a default; leave the default out"
        if parameter.kind not in {parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD}:
            return f"takes {parameter.name!r} by keyword only or as a rest; write it as a plain argument"
    return ""


_WARNED: dict[Any, Any] = {}
"""What was warned of in this process, in the form that ``warnings`` keeps it."""


def deprecated(hooks: Iterable[str]) -> Mapping[str, str]:
    """Those of the hooks that will go, each with what to use instead."""
    return {hook: hookspecs.DEPRECATED[hook] for hook in hooks if hook in hookspecs.DEPRECATED}


def installed_plugin(
    source: Source, *, hooks: Iterable[str], provides: Mapping[str, tuple[str, ...]]
) -> InstalledPlugin:
    """A plugin that works, with the hooks that it implements and what it declares."""
    implemented = tuple(sorted(hooks))
    return InstalledPlugin(
        name=source.name,
        distribution=source.distribution,
        version=source.version,
        hooks=implemented,
        provides=provides,
        deprecated=deprecated(implemented),
    )


def warn_of(hook: str, implementation: pluggy.HookImpl, source: Source) -> None:
    """Warn, once, of an implementation of a hook that will go; it works as before until then."""
    for instead in deprecated([hook]).values():
        code = inspect.unwrap(implementation.function).__code__
        last = f"which goes with version {hookspecs.HOOK_VERSION + 1} of the hooks"
        message = f"the plugin {source.name} ({source.owner}) implements {hook}, {last}; {instead}"
        warnings.warn_explicit(message, DeprecationWarning, code.co_filename, code.co_firstlineno, registry=_WARNED)


def call(implementation: pluggy.HookImpl, values: Mapping[str, object]) -> object:
    """Call one plugin's implementation with the arguments that it takes."""
    return implementation.function(*(values[name] for name in implementation.argnames))


def failed(hook: str, error: BaseException) -> ConfigurationError:
    """What to raise for a hook that raised."""
    return ConfigurationError(f"its {hook} failed: {in_words(error)}")


def in_words(error: BaseException) -> str:
    """An error as part of one sentence."""
    words = " ".join(str(error).split())
    if isinstance(error, ConfigurationError):
        return words
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


def refuse_taken(before: Mapping[str, object], after: Mapping[str, object], reserved: Collection[str]) -> None:
    """Refuse commands under names that are taken.

    Raises:
        ConfigurationError: one is.
    """
    for name, command in after.items():
        if before.get(name) is not command and (name in before or name in reserved):
            message = f"it adds the command {name!r}, which exists already"
            raise ConfigurationError(message)
