"""What is computed from keyed numbers: the features of keyed measures, and those of cases, part beside part."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

import polars as pl

from relationship_core.columns import Page
from relationship_core.declarations import CaseMeasure, Feature, KeyedMeasure, next_change_column
from relationship_core.errors import ConfigurationError
from relationship_core.flow.catalog import Catalog
from relationship_core.flow.record.fold import combined
from relationship_core.motions import next_change_of
from relationship_core.table import INSTANT

MomentColumns: TypeAlias = Sequence[pl.Expr]
"""The columns of ``Moment.columns``."""

_DATE = len("2020-01-01")


class KeptNumbers(Protocol):
    """Where keyed numbers are read from."""

    def read_keyed(self, page: Page, names: Sequence[str]) -> pl.DataFrame:
        """As ``Store.read_keyed``."""
        ...


def keyed_features(
    store: KeptNumbers, catalog: Catalog, page: Page, names: frozenset[str], moment: MomentColumns
) -> list[pl.DataFrame]:
    """The named features of keyed and case measures, a frame for each measure.

    Each frame has the column ``customer`` and a row for each customer who has a key; measures that nobody has a key
    of share one without rows. Only numbers that one of the named features is computed from are read.
    """
    keyed = [each for each in catalog.measures if isinstance(each, KeyedMeasure) and _wanted(each, names)]
    cases = {each.name: _used_parts(each, names) for each in catalog.cases if _wanted(each, names)}
    read = [measure.name for measure in keyed] + [part.name for parts in cases.values() for part in parts.values()]
    if not read:
        return []
    rows = store.read_keyed(page, read)
    own = {str(name): group for (name,), group in rows.group_by("measure", maintain_order=True)}
    frames: list[pl.DataFrame] = []
    nobody: list[KeyedMeasure | CaseMeasure] = []
    for measure in keyed:
        if measure.name in own:
            seen = _of_keys(measure, own[measure.name]).with_columns(*moment)
            frames.append(_aggregate(seen, measure, names, catalog))
        else:
            nobody.append(measure)
    for case in (each for each in catalog.cases if each.name in cases):
        if any(part.name in own for part in cases[case.name].values()):
            joined = _joined(case, cases[case.name], own).with_columns(*moment)
            frames.append(_aggregate(joined, case, names, catalog))
        else:
            nobody.append(case)
    return [*frames, _empty(nobody, names, catalog)]


def _empty(measures: Sequence[KeyedMeasure | CaseMeasure], names: frozenset[str], catalog: Catalog) -> pl.DataFrame:
    """The named features of these measures, of nobody."""
    columns: dict[str, pl.DataType] = {"customer": pl.String()}
    for feature in (each for measure in measures for each in measure.features):
        for name in (feature.name, next_change_column(feature.name)):
            if name in names:
                columns[name] = catalog.columns[name].dtype
    return pl.DataFrame(schema=columns)


def absent(catalog: Catalog, names: frozenset[str]) -> list[pl.Expr]:
    """Customers without a key have the feature's own value for that, not null."""
    return [
        pl.col(feature.name).fill_null(feature.absent)
        for measure in (*catalog.measures, *catalog.cases)
        if isinstance(measure, KeyedMeasure | CaseMeasure)
        for feature in measure.features
        if feature.name in names and feature.absent is not None
    ]


def _wanted(measure: KeyedMeasure | CaseMeasure, names: frozenset[str]) -> list[Feature]:
    return [each for each in measure.features if each.name in names or next_change_column(each.name) in names]


def _used_parts(measure: CaseMeasure, names: frozenset[str]) -> dict[str, KeyedMeasure]:
    """The keyed measure behind each part that the named features read; what counts cases reads every part."""
    parts = {part.name: keyed for part, keyed in zip(measure.parts, measure.keyed, strict=True)}
    read = [_read_by(feature) & parts.keys() for feature in _wanted(measure, names)]
    return {name: keyed for name, keyed in parts.items() if any(name in each or not each for each in read)}


def _read_by(feature: Feature) -> set[str]:
    jump = next_change_of(feature.motion)
    return {name for each in (feature.value, jump) if isinstance(each, pl.Expr) for name in each.meta.root_names()}


def _of_keys(measure: KeyedMeasure, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows that the features of a keyed measure see: one for each key, or for each category."""
    if measure.key == "day":
        return _dated(rows)
    if measure.key != "category_day":
        return rows
    on, key = pl.col("key").str.head(_DATE).str.to_date("%Y-%m-%d"), pl.col("key").str.slice(_DATE + 1)
    by_category = rows.with_columns(on=on, key=key).group_by("customer", "key")
    return by_category.agg(
        combined("value", measure.combine),
        pl.len().alias("days"),
        pl.col("on").min().alias("first_on"),
        pl.col("on").max().alias("last_on"),
        pl.col("value").sort_by("on").last().alias("last_value"),
    )


def _dated(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(on=pl.col("key").str.to_date("%Y-%m-%d"))


def _joined(measure: CaseMeasure, used: dict[str, KeyedMeasure], own: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """A row for each case of a customer, with a column for each part that is used."""
    types = {part.name: INSTANT if part.type == "instant" else pl.Float64() for part in measure.parts}
    rows = pl.concat([own[keyed.name] for keyed in used.values() if keyed.name in own])
    value = pl.col("value")
    joined = rows.group_by("customer", "key").agg(
        pl.when(pl.col("measure") == keyed.name).then(value).max().alias(name) for name, keyed in used.items()
    )
    instants = [pl.col(name).cast(pl.Int64).cast(INSTANT) for name in used if types[name] == INSTANT]
    cases = joined.with_columns(instants)
    return _dated(cases) if measure.key == "day" else cases


def _aggregate(
    rows: pl.DataFrame, measure: KeyedMeasure | CaseMeasure, names: frozenset[str], catalog: Catalog
) -> pl.DataFrame:
    columns = []
    for feature in measure.features:
        if feature.name in names and isinstance(feature.value, pl.Expr):
            columns.append(feature.value.cast(catalog.columns[feature.name].dtype).alias(feature.name))
        next_change, jump = next_change_column(feature.name), next_change_of(feature.motion)
        if next_change in names and jump is not None:
            columns.append(jump.cast(INSTANT).alias(next_change))
    frame = rows.group_by("customer").agg(columns)
    for feature in measure.features:
        if feature.name in names and not isinstance(feature.value, pl.Expr):
            found = _found(feature, feature.value, rows, catalog.columns[feature.name].dtype)
            frame = frame.join(found, on="customer", how="left", maintain_order="left")
    return frame


def _found(
    feature: Feature, compute: Callable[[pl.DataFrame], pl.DataFrame], rows: pl.DataFrame, dtype: pl.DataType
) -> pl.DataFrame:
    """What a function says of the customers.

    Raises:
        ConfigurationError: it fails, or gives something else than one value each.
    """
    try:
        found = compute(rows).select("customer", pl.col("value").cast(dtype).alias(feature.name))
        repeated = found["customer"].is_duplicated().any()
    except Exception as error:  # the core owns every try around plugin code
        message = f"the feature {feature.name!r} failed with {type(error).__name__}; mend its plugin or disable it"
        raise ConfigurationError(message) from error
    if repeated:
        message = f"the feature {feature.name!r} gives several values for one customer; mend its plugin or disable it"
        raise ConfigurationError(message)
    return found
