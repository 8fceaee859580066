"""The standing of customers at an instant: measures, features, scores and stage, as columns."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import polars as pl
from attrs import frozen

from relationship_core.columns import CUSTOMERS, INSTANT, STATES, Page
from relationship_core.crossing import next_change_column
from relationship_core.declarations import KeyedMeasure, Measure, ScoringRule, Steps
from relationship_core.errors import ConfigurationError, RejectedError
from relationship_core.flow.catalog import CONFIDENCE, Catalog, Column
from relationship_core.flow.facts import read_fact
from relationship_core.flow.record.commit import LAST_RECORDED_FACT
from relationship_core.flow.record.fold import decayed_value
from relationship_core.model.instants import parse_instant
from relationship_core.ports import Store


@frozen(kw_only=True)
class Moment:
    """The instant of a run, and the project-local day around it.

    Attributes:
        now: the instant.
        zone: the project's IANA zone.
    """

    now: datetime
    zone: str

    @property
    def local_date(self) -> date:
        """The project-local date."""
        return self.now.astimezone(ZoneInfo(self.zone)).date()

    @property
    def next_day(self) -> datetime:
        """The next project-local midnight."""
        return self._midnight(self.local_date + timedelta(days=1))

    @property
    def next_month(self) -> datetime:
        """The first instant of the next project-local month."""
        return self._midnight((self.local_date.replace(day=1) + timedelta(days=31)).replace(day=1))

    @property
    def next_year(self) -> datetime:
        """The first instant of the next project-local year."""
        return self._midnight(date(self.local_date.year + 1, 1, 1))

    @property
    def columns(self) -> tuple[pl.Expr, ...]:
        """``now`` and the next local ``day``, ``month`` and ``year`` as instants, ``today`` as date."""
        return (
            pl.lit(self.now, dtype=INSTANT).alias("now"),
            pl.lit(self.next_day, dtype=INSTANT).alias("next_day"),
            pl.lit(self.next_month, dtype=INSTANT).alias("next_month"),
            pl.lit(self.next_year, dtype=INSTANT).alias("next_year"),
            pl.lit(self.local_date).alias("today"),
        )

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), tzinfo=ZoneInfo(self.zone)).astimezone(self.now.tzinfo)


def last_recorded(store: Store) -> datetime | None:
    """When the latest recorded interaction happened; None before the first."""
    last = read_fact(store, LAST_RECORDED_FACT)
    return None if last is None else parse_instant(last)


def refuse_the_past(store: Store, now: datetime, step: str) -> None:
    """Nothing sees the future.

    Raises:
        RejectedError: something was recorded that happened after the instant.
    """
    last = last_recorded(store)
    if last is not None and last > now:
        message = (
            f"cannot {step} as of {now.isoformat()}: something was recorded that happened at {last.isoformat()}; "
            f"{step} as of that instant or later"
        )
        raise RejectedError(message)


def standing(store: Store, catalog: Catalog, page: Page, names: Iterable[str], moment: Moment) -> pl.DataFrame:
    """The named columns for the customers of a page, in the page's order, with all they are computed from.

    There is a row for each customer, and always the columns ``customer``, ``now``, ``next_day`` and ``today``.

    Raises:
        ConfigurationError: a scoring rule fails or gives something that is not one number per customer.
    """
    needed = [catalog.columns[name] for name in catalog.closure(names)]
    by_origin: dict[str, list[Column]] = {}
    for column in needed:
        by_origin.setdefault(column.origin, []).append(column)
    frame = _measures(store, page, by_origin).with_columns(*moment.columns)
    frame = _beside(frame, _keyed_features(store, catalog, page, by_origin.get("keyed feature", []), moment))
    frame = _absent(frame, catalog, by_origin.get("keyed feature", []))
    frame = _beside(frame, _profiles(store, page, by_origin))
    if "state" in by_origin:
        frame = _stages(_beside(frame, store.read(STATES, page=page)), catalog)
    frame = _features(frame, catalog, {column.name for column in by_origin.get("feature", [])})
    return _scores(frame, catalog.scores, {column.name for column in by_origin.get("score", [])})


def _beside(left: pl.DataFrame, right: pl.DataFrame | None) -> pl.DataFrame:
    if right is None:
        return left
    # A join of texts takes ten times as long as what mostly is enough.
    if right.is_empty():
        types = right.drop("customer").schema.items()
        return left.with_columns(pl.lit(None, type_).alias(name) for name, type_ in types)
    if right["customer"].equals(left["customer"]):
        return left.hstack(right.drop("customer"))
    return left.join(right, on="customer", how="left", maintain_order="left")


def _measures(store: Store, page: Page, by_origin: dict[str, list[Column]]) -> pl.DataFrame:
    """The plain measures as they are kept."""
    names = [column.name for column in by_origin.get("measure", [])]
    return store.read_measures(page, names) if names else pl.DataFrame({"customer": page.customers})


def _features(frame: pl.DataFrame, catalog: Catalog, wanted: set[str]) -> pl.DataFrame:
    plain = [measure for measure in catalog.measures if isinstance(measure, Measure)]
    decayed = [
        decayed_value(measure.name, measure.half_life_days, pl.col("now"))
        for measure in plain
        if measure.half_life_days is not None and measure.name in frame.columns
    ]
    computed = [
        feature.value.cast(catalog.columns[feature.name].dtype).alias(feature.name)
        for measure in plain
        for feature in measure.features
        if feature.name in wanted
    ]
    # A feature of a decayed measure sees what it is worth now.
    return frame.with_columns(decayed).with_columns(computed)


def _keyed_features(
    store: Store, catalog: Catalog, page: Page, wanted: list[Column], moment: Moment
) -> pl.DataFrame | None:
    names = {column.name for column in wanted}
    used = [
        measure
        for measure in catalog.measures
        if isinstance(measure, KeyedMeasure) and any(feature.name in names for feature in measure.features)
    ]
    if not used:
        return None
    rows = store.read_keyed(page, [measure.name for measure in used]).with_columns(*moment.columns)
    result = pl.DataFrame({"customer": page.customers})
    for measure in used:
        result = _beside(result, _aggregate(rows, measure, names, catalog))
    return result


def _aggregate(rows: pl.DataFrame, measure: KeyedMeasure, names: set[str], catalog: Catalog) -> pl.DataFrame:
    own = rows.filter(pl.col("measure") == measure.name)
    if measure.key == "day":
        own = own.with_columns(on=pl.col("key").str.to_date("%Y-%m-%d"))
    columns = []
    for feature in measure.features:
        if feature.name in names:
            columns.append(feature.value.cast(catalog.columns[feature.name].dtype).alias(feature.name))
        next_change = next_change_column(feature.name)
        if next_change in names and isinstance(feature.motion, Steps):
            columns.append(feature.motion.next_change.cast(INSTANT).alias(next_change))
    return own.group_by("customer").agg(columns)


def _absent(frame: pl.DataFrame, catalog: Catalog, wanted: list[Column]) -> pl.DataFrame:
    """Customers without a key have the feature's own value for that, not null."""
    names = {column.name for column in wanted}
    fills = [
        pl.col(feature.name).fill_null(feature.absent)
        for measure in catalog.measures
        if isinstance(measure, KeyedMeasure)
        for feature in measure.features
        if feature.name in names and feature.absent is not None
    ]
    return frame.with_columns(fills)


def _profiles(store: Store, page: Page, by_origin: dict[str, list[Column]]) -> pl.DataFrame | None:
    base = [column.name for column in by_origin.get("customer", []) if column.name != "customer"]
    attributes = by_origin.get("attribute", [])
    if not base and not attributes:
        return None
    stored = ["customer", *base, *(["attributes"] if attributes else [])]
    frame = store.read(CUSTOMERS, page=page, columns=stored)
    if not attributes:
        return frame
    fields = pl.Struct({column.name: column.dtype for column in attributes})
    return frame.with_columns(pl.col("attributes").fill_null("{}").str.json_decode(fields)).unnest("attributes")


def _stages(frame: pl.DataFrame, catalog: Catalog) -> pl.DataFrame:
    """Stage, mark and stay as kept; whoever has no state, or a stage the ladder lost, stands on the first rung."""
    stages, first = catalog.columns["stage"].dtype, catalog.ladder.names[0]
    return frame.rename({"due_at": "kept_due_at", "stage": "kept_stage"}).with_columns(
        pl.col("kept_stage").cast(stages, strict=False).fill_null(first).alias("stage"),
        pl.col("lapsed").fill_null(value=False),
        ((pl.col("now") - pl.col("since")) / pl.duration(days=1)).alias("stage_days"),
    )


def _scores(frame: pl.DataFrame, rules: tuple[ScoringRule, ...], wanted: set[str]) -> pl.DataFrame:
    for rule in rules:
        if rule.name in wanted or rule.name + CONFIDENCE in wanted:
            frame = _score(frame, rule, wanted)
    return frame


def _score(frame: pl.DataFrame, rule: ScoringRule, wanted: set[str]) -> pl.DataFrame:
    """One rule's columns; NaN becomes null here, so that it never sorts above every number."""
    columns: list[pl.Expr | pl.Series] = []
    try:
        if rule.name in wanted:
            value = rule.value if isinstance(rule.value, pl.Expr) else _checked(rule, rule.value(frame), frame.height)
            columns.append(_number(value, rule.name))
        if rule.name + CONFIDENCE in wanted:
            columns.append(_number(rule.confidence, rule.name + CONFIDENCE))
        return frame.with_columns(columns)
    except ConfigurationError:
        raise
    except Exception as error:  # the core owns every try around plugin code
        message = f"the score {rule.name!r} failed with {type(error).__name__}; mend its plugin or disable it"
        raise ConfigurationError(message) from error


def _number(value: pl.Expr | pl.Series, name: str) -> pl.Expr:
    expression = pl.lit(value) if isinstance(value, pl.Series) else value
    return expression.cast(pl.Float64).fill_nan(None).alias(name)


def _checked(rule: ScoringRule, series: object, height: int) -> pl.Series:
    if not isinstance(series, pl.Series) or len(series) != height or not series.dtype.is_numeric():
        message = f"the score {rule.name!r} must give a numeric series of {height} values; mend its plugin"
        raise ConfigurationError(message)
    return series
