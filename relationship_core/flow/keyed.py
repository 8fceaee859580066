"""What is computed from keyed numbers: the features of keyed measures, and those of cases, part beside part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeAlias

import polars as pl

from relationship_core.columns import INSTANT, Page
from relationship_core.crossing import next_change_column
from relationship_core.declarations import CaseMeasure, Feature, KeyedMeasure
from relationship_core.flow.catalog import Catalog
from relationship_core.motions import next_change_of

MomentColumns: TypeAlias = Sequence[pl.Expr]
"""The columns of ``Moment.columns``."""


class KeptNumbers(Protocol):
    """Where keyed numbers are read from."""

    def read_keyed(self, page: Page, names: Sequence[str]) -> pl.DataFrame:
        """As ``Store.read_keyed``."""
        ...


def keyed_features(
    store: KeptNumbers, catalog: Catalog, page: Page, names: frozenset[str], moment: MomentColumns
) -> list[pl.DataFrame]:
    """The named features of keyed and case measures, a frame for each measure.

    Each frame has the column ``customer`` and a row for each customer who has a key. Only numbers that one of the
    named features is computed from are read.
    """
    keyed = [each for each in catalog.measures if isinstance(each, KeyedMeasure) and _wanted(each, names)]
    cases = {each.name: _used_parts(each, names) for each in catalog.cases if _wanted(each, names)}
    read = [measure.name for measure in keyed] + [part.name for parts in cases.values() for part in parts.values()]
    if not read:
        return []
    rows = store.read_keyed(page, read)
    own = {str(name): group for (name,), group in rows.group_by("measure", maintain_order=True)}
    empty = rows.clear()
    return [
        *(_aggregate(own.get(each.name, empty).with_columns(*moment), each, names, catalog) for each in keyed),
        *(
            _aggregate(_joined(each, cases[each.name], own, empty).with_columns(*moment), each, names, catalog)
            for each in catalog.cases
            if each.name in cases
        ),
    ]


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
    return {*feature.value.meta.root_names(), *(jump.meta.root_names() if jump is not None else ())}


def _joined(
    measure: CaseMeasure, used: dict[str, KeyedMeasure], own: dict[str, pl.DataFrame], empty: pl.DataFrame
) -> pl.DataFrame:
    """A row for each case of a customer, with a column for each part that is used."""
    types = {part.name: INSTANT if part.type == "instant" else pl.Float64() for part in measure.parts}
    found = [own[keyed.name] for keyed in used.values() if keyed.name in own]
    rows = pl.concat(found) if found else empty
    value = pl.col("value")
    joined = rows.group_by("customer", "key").agg(
        pl.when(pl.col("measure") == keyed.name).then(value).max().alias(name) for name, keyed in used.items()
    )
    instants = [pl.col(name).cast(pl.Int64).cast(INSTANT) for name in used if types[name] == INSTANT]
    return joined.with_columns(instants)


def _aggregate(
    rows: pl.DataFrame, measure: KeyedMeasure | CaseMeasure, names: frozenset[str], catalog: Catalog
) -> pl.DataFrame:
    if measure.key == "day":
        rows = rows.with_columns(on=pl.col("key").str.to_date("%Y-%m-%d"))
    columns = []
    for feature in measure.features:
        if feature.name in names:
            columns.append(feature.value.cast(catalog.columns[feature.name].dtype).alias(feature.name))
        next_change, jump = next_change_column(feature.name), next_change_of(feature.motion)
        if next_change in names and jump is not None:
            columns.append(jump.cast(INSTANT).alias(next_change))
    return rows.group_by("customer").agg(columns)
