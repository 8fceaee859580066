"""Folding: what interactions contribute to the measures of their customers.

A contribution combines with another one, or with the kept number, by the measure's own ``combine``,
which is associative and commutative. So neither order of arrival nor the split into batches matters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeAlias, TypeVar

import polars as pl
from polars.exceptions import PolarsError

from relationship_core.columns import KEYED_MEASURES
from relationship_core.declarations import KeyedMeasure, Measure
from relationship_core.errors import ConfigurationError
from relationship_core.table import INSTANT

LANDMARK = datetime(2020, 1, 1, tzinfo=UTC)
"""The instant to which every decayed sum refers: weight 1 there, 2 one half-life later.

Source: forward decay, Cormode, Shkapenyuk, Srivastava and Xu, "Forward Decay: A Practical Time Decay Model for
Streaming Systems", ICDE 2009. It never changes: kept numbers rest on it.
"""

MICROSECONDS_A_DAY = 86_400_000_000
_LANDMARK_MICROSECONDS = int(LANDMARK.timestamp()) * 1_000_000
_LINE_COLUMNS = frozenset({"product", "category", "quantity", "minor"})
_LINE_KEYS = frozenset({"product", "category", "category_day"})
_DATA_KEYS = frozenset({"cause", "topic"})
_DATA_INSTANTS = ("by", "due", "until")
_FIRST_NAMED, _LAST_NAMED = datetime(1, 1, 3, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)
"""Data may say 9999-12-31 for "never": what lies beyond these is taken for them, which every zone can tell."""

M = TypeVar("M", Measure, KeyedMeasure)
Expressions: TypeAlias = Mapping[str, pl.Expr]


def fold(
    interactions: pl.DataFrame, measures: Sequence[Measure | KeyedMeasure], zone: str
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What these interactions contribute to the measures of their customers.

    Args:
        interactions: rows of INTERACTIONS, under those whom they count for; ``contact`` as ``ties.counting`` adds it.
        measures: what is declared.
        zone: the project's time zone, IANA name; it decides what a day is.

    Returns:
        The contributions to plain measures: ``customer``, one row for each customer, and a column for each
        measure that counts the kind of at least one row; null where nothing is contributed. And those to
        keyed measures: rows of KEYED_MEASURES. Both in ascending order of customer.

    Raises:
        ConfigurationError: the expression of a measure cannot be computed.
    """
    plain = [measure for measure in measures if isinstance(measure, Measure)]
    keyed = [measure for measure in measures if isinstance(measure, KeyedMeasure)]
    rows = _with_day(interactions, measures, zone)
    return _fold_plain(rows, plain, zone), _fold_keyed(rows, keyed, zone)


def weight(at: pl.Expr, half_life_days: float) -> pl.Expr:
    """The forward-decay weight of an instant: 2 to the number of half-lives since the landmark."""
    since = at.cast(pl.Int64) - _LANDMARK_MICROSECONDS
    return pl.lit(2.0).pow(since / (half_life_days * MICROSECONDS_A_DAY))


def decayed_value(column: str | pl.Expr, half_life_days: float, now: datetime | pl.Expr) -> pl.Expr:
    """What a kept decayed sum is worth at an instant, each contribution halved every ``half_life_days``.

    Args:
        column: the kept number, as contributions of ``fold`` add up to it.
        half_life_days: the measure's half-life.
        now: the instant.
    """
    kept = pl.col(column) if isinstance(column, str) else column
    instant = pl.lit(now).cast(INSTANT) if isinstance(now, datetime) else now
    return kept / weight(instant, half_life_days)


def local_date(zone: str) -> pl.Expr:
    """The project-local date of the column ``at``."""
    return pl.col("at").dt.convert_time_zone(zone).dt.date()


def _with_day(interactions: pl.DataFrame, measures: Iterable[Measure | KeyedMeasure], zone: str) -> pl.DataFrame:
    """The rows with their ``day`` as text, where an expression asks for it: writing dates is slow."""
    if any("day" in _names(measure) for measure in measures):
        return interactions.with_columns(day=local_date(zone).dt.to_string("iso"))
    return interactions


def _names(measure: Measure | KeyedMeasure) -> set[str]:
    return set() if measure.value is None else set(measure.value.meta.root_names())


def _by_kinds(rows: pl.DataFrame, measures: Sequence[M]) -> Iterator[tuple[pl.DataFrame, list[M]]]:
    """The measures that count the same of these rows, together, with the rows that they count."""
    present = frozenset(rows["kind"].unique().to_list())
    groups: dict[frozenset[str], list[M]] = {}
    for measure in measures:
        counted = present & frozenset(measure.kinds) if measure.kinds else present
        if counted:
            groups.setdefault(counted, []).append(measure)
    for counted, group in groups.items():
        yield rows if counted == present else rows.filter(pl.col("kind").is_in(sorted(counted))), group


def _fold_plain(rows: pl.DataFrame, measures: Sequence[Measure], zone: str) -> pl.DataFrame:
    folded = rows.select(pl.col("customer").unique().sort())
    for counted, group in _by_kinds(rows, measures):
        rows_of = _with_instants(counted, group, zone)
        values = _select(rows_of, {measure.name: _contribution(measure) for measure in group}, ["customer"])
        sums = values.group_by("customer").agg(combined(measure.name, measure.combine) for measure in group)
        folded = folded.join(sums, on="customer", how="left", maintain_order="left")
    return folded.select("customer", *(m.name for m in measures if m.name in folded.columns))


def _contribution(measure: Measure) -> pl.Expr:
    """What each interaction contributes: a number or an instant, null for nothing."""
    if measure.type == "instant":
        value = pl.col("at") if measure.value is None else measure.value
        return value.cast(INSTANT)
    number = pl.lit(1.0) if measure.value is None else _number(measure.value)
    if measure.combine == "count":
        number = pl.when(number.is_not_null()).then(1.0)
    if measure.half_life_days is not None:
        number = number * weight(pl.col("at"), measure.half_life_days)
    return number


def _number(value: pl.Expr) -> pl.Expr:
    number = value.cast(pl.Float64)
    return pl.when(number.is_finite()).then(number)


def combined(column: str, combine: str) -> pl.Expr:
    """The contributions of a column as one number, by the measure's ``combine``; null where there are none."""
    if combine == "min":
        return pl.col(column).min()
    if combine == "max":
        return pl.col(column).max()
    # The sum of nothing is nothing: polars says 0.
    return pl.when(pl.col(column).count() > 0).then(pl.col(column).sum())


def _fold_keyed(rows: pl.DataFrame, measures: Sequence[KeyedMeasure], zone: str) -> pl.DataFrame:
    of_lines = [measure for measure in measures if measure.key in _LINE_KEYS]
    of_rows = [measure for measure in measures if measure.key not in {*_LINE_KEYS, *_absent(rows)}]
    parts = [
        *_keyed_parts(rows, of_rows, zone),
        *(_keyed_parts(_lines(rows, of_lines), of_lines, zone) if of_lines else ()),
    ]
    if not parts:
        return KEYED_MEASURES.empty()
    folded: pl.DataFrame = pl.concat(parts)
    return folded.sort("customer", maintain_order=True)


def _absent(rows: pl.DataFrame) -> Iterable[str]:
    """Without accounts nobody acts for one."""
    return () if "contact" in rows.columns else ("contact",)


def _lines(rows: pl.DataFrame, measures: Iterable[KeyedMeasure]) -> pl.DataFrame:
    """One row for each order line, with the columns that the measures read."""
    wanted = {"customer", "kind", "at", "lines"}.union(*map(_names, measures)) - _LINE_COLUMNS
    ordered = rows.filter(pl.col("lines").list.len() > 0)
    return ordered.select(name for name in rows.columns if name in wanted).explode("lines").unnest("lines")


def _keyed_parts(rows: pl.DataFrame, measures: Sequence[KeyedMeasure], zone: str) -> Iterator[pl.DataFrame]:
    for counted, group in _by_kinds(rows, measures):
        for measure in group:
            key = _key(measure, zone)
            rows_of = _with_instants(counted, [measure], zone)
            values = _select(rows_of, {measure.name: _key_contribution(measure)}, ["customer", key.alias("key")])
            kept = values.filter(pl.col("key").is_not_null() & pl.col(measure.name).is_not_null())
            sums = kept.group_by("customer", "key").agg(combined(measure.name, measure.combine).alias("value"))
            text = pl.col("key").dt.to_string("iso") if measure.key == "day" else pl.col("key")
            yield sums.select("customer", pl.lit(measure.name).alias("measure"), text, "value")


def _key(measure: KeyedMeasure, zone: str) -> pl.Expr:
    if measure.key == "day":
        # Grouping by a date is quicker than by its text, and there are fewer texts to write afterwards.
        return local_date(zone)
    if measure.key == "category_day":
        return pl.concat_str(local_date(zone).dt.to_string("iso"), pl.col("category"), separator=" ")
    return _from_data(measure.key) if measure.key in _DATA_KEYS else pl.col(measure.key)


def _with_instants(rows: pl.DataFrame, measures: Iterable[Measure | KeyedMeasure], zone: str) -> pl.DataFrame:
    """The rows with the instants of their data that the measures ask for."""
    asked: set[str] = set().union(*map(_names, measures))
    found = [data_instant(name, zone).alias(name) for name in _DATA_INSTANTS if name in asked]
    return rows.with_columns(found) if found else rows


def data_instant(name: str, zone: str) -> pl.Expr:
    """The instant that the data hold under a name; null where it is none.

    It is ISO 8601 with an offset, or a date, which lasts until its day in the zone ends.
    """
    text = _from_data(name).str.strip_chars()
    end = (text.str.to_date("%Y-%m-%d", strict=False) + pl.duration(days=1)).cast(pl.Datetime("us"))
    # Where the clocks are put forward at midnight, that hour does not exist: the day ends where the next hour begins.
    ends = [
        each.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
        for each in (end, end + pl.duration(hours=1))
    ]
    instant = text.str.to_datetime("%+", strict=False, time_unit="us", time_zone="UTC")
    found = pl.coalesce([instant, *(each.dt.convert_time_zone("UTC") for each in ends)])
    return found.clip(_FIRST_NAMED, _LAST_NAMED)


def _from_data(name: str) -> pl.Expr:
    return pl.col("data").str.json_path_match(f"$.{name}")


def _key_contribution(measure: KeyedMeasure) -> pl.Expr:
    number = pl.lit(1.0) if measure.value is None else _number(measure.value)
    return pl.when(number.is_not_null()).then(1.0) if measure.combine == "count" else number


def _select(rows: pl.DataFrame, values: Expressions, keys: Sequence[str | pl.Expr]) -> pl.DataFrame:
    """The keys and the values of every row; the values are plugin code, which may fail."""
    columns: list[str | pl.Expr] = [*keys, *(value.alias(name) for name, value in values.items())]
    try:
        return rows.select(columns)
    except PolarsError as error:
        raise _culprit(rows, values, error) from error


def _culprit(rows: pl.DataFrame, values: Expressions, error: PolarsError) -> ConfigurationError:
    name = next((name for name, value in values.items() if _fails(rows, value)), "")
    message = (
        f"the measure {name!r} cannot be computed ({type(error).__name__}); "
        "correct the expression of its value in the plugin that declares it"
    )
    return ConfigurationError(message)


def _fails(rows: pl.DataFrame, value: pl.Expr) -> bool:
    try:
        rows.select("customer", value.alias("value"))
    except PolarsError:
        return True
    return False
