"""The renderer ``liquid``: templates that operators write, with limits, and without reaching outside.

A missing variable is an error, the wall clock is out of reach, and no template reads a file. What one may cost is
bounded: the length of its source, its output, its loops, and what goes into and comes out of a filter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from attrs import frozen

from relationship_core import ConfigurationError, Provider, RejectedError, hookimpl

if TYPE_CHECKING:
    from liquid import BoundTemplate

    from relationship_core import Renderer

LONGEST_TEMPLATE = 200_000
"""Characters."""
CACHED_TEMPLATES = 256


@frozen(kw_only=True)
class LiquidSettings:
    """Settings of ``[renderer] use = "liquid"``; there are none."""


class LiquidRenderer:
    """Liquid templates; values are escaped in HTML and stay as they are in text."""

    def __init__(self, _settings: LiquidSettings) -> None:
        from relationship_core.builtin.liquid_environment import make_environment

        self._environments = {html: make_environment(autoescape=html) for html in (False, True)}
        self._parsed = lru_cache(maxsize=CACHED_TEMPLATES)(self._parse)
        self._named = lru_cache(maxsize=CACHED_TEMPLATES)(self._names)

    def check(self, template: str) -> None:
        """Parse a template, and look for filters that do not exist.

        Raises:
            ConfigurationError: it does not parse; the message says in which line.
        """
        filters = self._environments[False].filters
        for name, places in self._parsed(template, html=False).analyze().filters.items():
            if name not in filters:
                line = 1 + template.count("\n", 0, places[0].index)
                message = f"the template does not parse in line {line}: there is no filter {name!r}"
                raise ConfigurationError(message)

    def variables(self, template: str) -> frozenset[str]:
        """What a template takes from its context, as dotted paths; its own assignments and loops are not among them.

        Raises:
            ConfigurationError: it does not parse.
        """
        return self._named(template)

    def render(self, template: str, context: Mapping[str, object], *, html: bool) -> str:
        """The template filled in; with ``html``, values are escaped.

        Raises:
            ConfigurationError: it does not parse.
            RejectedError: it names a variable that the context lacks, exceeds a limit, or fails on a value.
        """
        from liquid.exceptions import LiquidError

        parsed = self._parsed(template, html=html)
        try:
            return parsed.render(context)
        except LiquidError as error:
            message = f"the template fails in {_line(error)}: {_cause(error)}"
            raise RejectedError(message) from error
        except (ArithmeticError, RecursionError, TypeError, ValueError) as error:
            message = f"the template fails: {type(error).__name__}"
            raise RejectedError(message) from error

    def _names(self, template: str) -> frozenset[str]:
        taken = self._parsed(template, html=False).analyze().globals.values()
        return frozenset(_path(variable.segments) for places in taken for variable in places) - {""}

    def _parse(self, template: str, *, html: bool) -> BoundTemplate:
        from liquid.exceptions import LiquidError

        from relationship_core.builtin.liquid_environment import bound_ranges

        if len(template) > LONGEST_TEMPLATE:
            message = f"the template is longer than {LONGEST_TEMPLATE} characters; shorten it"
            raise ConfigurationError(message)
        try:
            parsed = self._environments[html].from_string(template)
        except LiquidError as error:
            message = f"the template does not parse in {_line(error)}: {error.message}"
            raise ConfigurationError(message) from error
        bound_ranges(parsed)
        return parsed


def _path(segments: Iterable[object]) -> str:
    """The names up to the first part that is computed, or is a place in a list."""
    names: list[str] = []
    for segment in segments:
        if not isinstance(segment, str):
            break
        names.append(segment)
    return ".".join(names)


def _line(error: Exception) -> str:
    from liquid.exceptions import LiquidError

    try:
        place = error.context() if isinstance(error, LiquidError) else None
    except ValueError:  # behind the last line
        place = None
    return f"line {place[0]}" if place else "one of its lines"


def _cause(error: Exception) -> str:
    """What went wrong, in words that come from the template and never from a value."""
    from liquid.exceptions import LiquidError, ResourceLimitError, UndefinedError

    if isinstance(error, (UndefinedError, ResourceLimitError)):
        return str(error.message)
    token = error.token if isinstance(error, LiquidError) else None
    return f"{type(error).__name__} at {token.value!r}" if token else type(error).__name__


@hookimpl
def relationship_renderers() -> tuple[Provider[Renderer], ...]:
    """The renderer ``liquid``."""
    return (
        Provider(
            name="liquid",
            factory=LiquidRenderer,
            settings=LiquidSettings,
            summary="Liquid templates, as marketers know them from other tools.",
        ),
    )
