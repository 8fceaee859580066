"""What every store says and does alike: its measures, its migrations, its instants, and rows by the million."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import resources
from typing import TypeVar

import polars as pl
from attrs import frozen

from relationship_core.declarations import KeyedMeasure, Measure
from relationship_core.errors import ConfigurationError, nearest
from relationship_core.table import INSTANT

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

M = TypeVar("M", Measure, KeyedMeasure)


def prepared_measure(name: str, measures: Mapping[str, M]) -> M:
    """The measure of this name, of those that a store was prepared for.

    Raises:
        ConfigurationError: the store was not prepared for it.
    """
    if name not in measures:
        hint = nearest(name, measures) or "; declare it with a plugin"
        message = f"the store was not prepared for a measure {name!r}{hint}"
        raise ConfigurationError(message)
    return measures[name]


def measure_types(names: Sequence[str], measures: Mapping[str, Measure]) -> dict[str, pl.DataType]:
    """The types in which the numbers and instants of these measures are handed out.

    Raises:
        ConfigurationError: the store was not prepared for one of them.
    """
    return {name: INSTANT if prepared_measure(name, measures).type == "instant" else pl.Float64() for name in names}


def another_measure_type(measure: Measure) -> ConfigurationError:
    """The error for a measure whose kept numbers are of another type than it declares now."""
    message = (
        f"the measure {measure.name!r} was kept as another type than {measure.type}; "
        "give it another name, then run relate rebuild"
    )
    return ConfigurationError(message)


@frozen(kw_only=True)
class Migration:
    """One step from a version of a store's schema to the next.

    Attributes:
        version: the schema's version afterwards.
        script: SQL statements.
    """

    version: int
    script: str


def packaged_migrations(package: str) -> tuple[Migration, ...]:
    """The migrations of a package, in order: the files of its folder ``migrations``, such as ``0001_first.sql``."""
    folder = resources.files(package) / "migrations"
    scripts = sorted((file.name, file) for file in folder.iterdir() if file.name.endswith(".sql"))
    return tuple(
        Migration(version=int(name.partition("_")[0]), script=file.read_text(encoding="utf-8"))
        for name, file in scripts
    )


def microseconds(instant: datetime) -> int:
    """An instant in microseconds since 1970."""
    since = instant - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


@contextmanager
def without_collection() -> Iterator[None]:
    """No garbage is collected meanwhile: for a store that makes very many rows at once, none of which is garbage."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
