"""The measures that the store was prepared for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import TypeVar

import polars as pl

from relationship_core import INSTANT, ConfigurationError, KeyedMeasure, Measure

M = TypeVar("M", Measure, KeyedMeasure)


def prepared(name: str, measures: Mapping[str, M]) -> M:
    """The measure of this name.

    Raises:
        ConfigurationError: the store was not prepared for it.
    """
    if name not in measures:
        near = get_close_matches(name, measures, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "declare it with a plugin"
        message = f"the store was not prepared for a measure {name!r}; {hint}"
        raise ConfigurationError(message)
    return measures[name]


def types_of(names: Sequence[str], measures: Mapping[str, Measure]) -> dict[str, pl.DataType]:
    """The types in which the numbers and instants of these measures are handed out.

    Raises:
        ConfigurationError: the store was not prepared for one of them.
    """
    return {name: INSTANT if prepared(name, measures).type == "instant" else pl.Float64() for name in names}


def another_type(measure: Measure) -> ConfigurationError:
    """The error for a measure whose kept numbers are of another type than it declares now."""
    message = (
        f"the measure {measure.name!r} was kept as another type than {measure.type}; "
        "give it another name, then run relate rebuild"
    )
    return ConfigurationError(message)
