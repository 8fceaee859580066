"""Loading the plugins that are there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from relationship_core.errors import WrongArgumentError
from relationship_core.model.validation import kind_of
from relationship_core.plugins import Plugins
from relationship_core.plugins.sources import builtin_sources, handed_in_sources, installed_sources


def load_plugins(
    *,
    extra: Sequence[object] = (),
    disabled: Collection[str] = (),
    required: Collection[str] = (),
    builtin: bool = True,
) -> Plugins:
    """Load the built-in plugins, then every installed one by name of distribution, then those handed in.

    Args:
        extra: modules or objects with hook implementations, handed in by the program.
        disabled: names of plugins or of distributions to leave alone; they need not be installed.
        required: names of plugins or of distributions that must be there and work.
        builtin: False leaves out those that are built in, for somebody who asks what others add, such as commands.

    Raises:
        ConfigurationError: a needed plugin is missing or broken. That two plugins declare the same name is
            found when declarations are first asked for.
    """
    for name, given in (("extra", extra), ("disabled", disabled), ("required", required)):
        _refuse_no_list(name, given)
    sources = (*(builtin_sources() if builtin else ()), *installed_sources(), *handed_in_sources(extra))
    chosen = [source for source in sources if not {source.name, source.distribution} & set(disabled)]
    return Plugins(chosen, required=required)


def _refuse_no_list(name: str, given: object) -> None:
    if isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
        message = f"{name} must be a list, not {kind_of(given)}; put what is single into a list"
        raise WrongArgumentError(message)
