"""The standing of customers at an instant: measures, features, scores and stage, as columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from functools import cached_property, lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo

import polars as pl
from attrs import frozen

from relationship_core.columns import CONTACTS, CUSTOMERS, STATES, Page
from relationship_core.declarations import Measure, ScoringRule
from relationship_core.errors import ConfigurationError, RejectedError
from relationship_core.flow.catalog import CONFIDENCE, Catalog, Column
from relationship_core.flow.facts import LAST_RECORDED_FACT, read_fact
from relationship_core.flow.keyed import absent, keyed_features
from relationship_core.flow.permission.preferences import wishes_in, wishes_of
from relationship_core.flow.record.checks import AHEAD
from relationship_core.flow.record.fold import decayed_value
from relationship_core.model.instants import parse_instant
from relationship_core.ports import Store
from relationship_core.table import INSTANT, Table, defined


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

    @cached_property
    def columns(self) -> tuple[pl.Expr, ...]:
        """``now`` and the next local ``day``, ``month`` and ``year`` as instants, ``today`` as date."""
        return (
            _literal(self.now).alias("now"),
            _literal(self.next_day).alias("next_day"),
            _literal(self.next_month).alias("next_month"),
            _literal(self.next_year).alias("next_year"),
            pl.lit(self.local_date).alias("today"),
        )

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), tzinfo=ZoneInfo(self.zone)).astimezone(self.now.tzinfo)


@lru_cache(maxsize=64)
def _literal(instant: datetime) -> pl.Expr:
    """An instant as polars writes it, which takes it two queries; many moments share their next month and year."""
    return pl.lit(instant, dtype=INSTANT)


class Moments(Protocol):
    """When customers are looked at: one moment for all of them, or a moment for each."""

    @property
    def columns(self) -> tuple[pl.Expr, ...]:
        """The columns of ``Moment.columns``."""
        ...


class Kept(Protocol):
    """What a standing is read from: a store, or the part of one that somebody makes up to ask "what if"."""

    def read(self, table: Table, *, page: Page | None = None, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """As ``Store.read``; asked for CUSTOMERS, STATES, CONTACTS and PREFERENCES."""
        ...

    def read_measures(self, page: Page, names: Sequence[str]) -> pl.DataFrame:
        """As ``Store.read_measures``."""
        ...

    def read_keyed(self, page: Page, names: Sequence[str]) -> pl.DataFrame:
        """As ``Store.read_keyed``."""
        ...


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


def refuse_the_future(clock: datetime, now: datetime, step: str) -> None:
    """A step as of an instant that is far ahead would stand in the way of every one before it.

    Raises:
        RejectedError: the instant lies more than a day after what the clock tells.
    """
    if now > clock + AHEAD:
        message = (
            f"cannot {step} as of {now.isoformat()}: the time lies more than a day in the future; "
            f"{step} as of {clock.isoformat()} or earlier"
        )
        raise RejectedError(message)


def standing(
    store: Kept,
    catalog: Catalog,
    page: Page,
    names: Iterable[str],
    moment: Moments,
    *,
    wishes: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """The named columns for the customers of a page, in the page's order, with all they are computed from.

    There is a row for each customer, and always the columns ``customer``, ``now``, ``next_day`` and ``today``.

    Args:
        store: where numbers are kept.
        catalog: the columns there are.
        page: the customers.
        names: the columns that are wanted.
        moment: when the customers are looked at.
        wishes: what they said they wish, as ``permission.said`` tells it; read from the store when None.

    Raises:
        ConfigurationError: a scoring rule fails or gives something that is not one number per customer.
    """
    needed = [catalog.columns[name] for name in catalog.closure(names)]
    by_origin: dict[str, list[Column]] = {}
    for column in needed:
        by_origin.setdefault(column.origin, []).append(column)
    frame = _measures(store, page, by_origin).with_columns(*moment.columns)
    keyed = frozenset(column.name for column in by_origin.get("keyed feature", []))
    for features in keyed_features(store, catalog, page, keyed, moment.columns):
        frame = _beside(frame, features)
    frame = frame.with_columns(absent(catalog, keyed))
    frame = _beside(frame, _profiles(store, page, by_origin))
    if "account" in by_origin:
        frame = _accounts(frame, store)
    if "permission" in by_origin:
        if wishes is None:
            found = wishes_of(store, page, catalog.preference, frame["now"])
        else:
            found = wishes_in(wishes, page, catalog.preference, frame["now"])
        frame = _beside(frame, found)
    if "state" in by_origin:
        frame = _stages(_beside(frame, store.read(STATES, page=page)), catalog)
    frame = _features(frame, catalog, {column.name for column in by_origin.get("feature", [])})
    return _scores(frame, catalog, {column.name for column in by_origin.get("score", [])})


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


def _measures(store: Kept, page: Page, by_origin: dict[str, list[Column]]) -> pl.DataFrame:
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
        if feature.name in wanted and isinstance(feature.value, pl.Expr)
    ]
    # A feature of a decayed measure sees what it is worth now.
    return frame.with_columns(decayed).with_columns(computed)


def _accounts(frame: pl.DataFrame, store: Kept) -> pl.DataFrame:
    """Who is an account, and of how many contacts; a link that has ended makes an account still, but no contact."""
    links = store.read(CONTACTS, columns=["account", "customer", "until"])
    present = pl.when(pl.col("until").is_null()).then("customer").drop_nulls().n_unique()
    accounts = links.group_by(pl.col("account").alias("customer")).agg(
        pl.lit(value=True).first().alias("account"), present.cast(pl.Float64).alias("contacts")
    )
    if accounts.is_empty():
        return frame.with_columns(account=pl.lit(value=False), contacts=pl.lit(None, pl.Float64))
    return frame.join(accounts, on="customer", how="left", maintain_order="left").with_columns(
        pl.col("account").fill_null(value=False)
    )


def _profiles(store: Kept, page: Page, by_origin: dict[str, list[Column]]) -> pl.DataFrame | None:
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


def _scores(frame: pl.DataFrame, catalog: Catalog, wanted: set[str]) -> pl.DataFrame:
    rules = [rule for rule in catalog.scores if wanted & {rule.name, rule.name + CONFIDENCE}]
    for together in _levels(rules, catalog):
        try:
            frame = _scored(frame, together, wanted)
        except Exception:  # noqa: BLE001  one by one they tell which of them failed
            for rule in together:
                frame = _score(frame, rule, wanted)
    return frame


def _levels(rules: Iterable[ScoringRule], catalog: Catalog) -> Iterator[list[ScoringRule]]:
    """The rules in their order, those together that read nothing of each other: one query is quicker than one each."""
    level: list[ScoringRule] = []
    made: set[str] = set()
    for rule in rules:
        names = {rule.name, rule.name + CONFIDENCE}
        needs: set[str] = set().union(*(catalog.columns[name].needs for name in names))
        # A function is handed the whole frame.
        if level and (needs & made or not isinstance(rule.value, pl.Expr)):
            yield level
            level, made = [], set()
        level.append(rule)
        made |= names
    if level:
        yield level


def _score(frame: pl.DataFrame, rule: ScoringRule, wanted: set[str]) -> pl.DataFrame:
    try:
        return _scored(frame, [rule], wanted)
    except ConfigurationError:
        raise
    except Exception as error:  # the core owns every try around plugin code
        message = f"the score {rule.name!r} failed with {type(error).__name__}; mend its plugin or disable it"
        raise ConfigurationError(message) from error


def _scored(frame: pl.DataFrame, rules: Sequence[ScoringRule], wanted: set[str]) -> pl.DataFrame:
    """The rules' columns; NaN becomes null here, so that it never sorts above every number."""
    columns: list[pl.Expr] = []
    for rule in rules:
        if rule.name in wanted:
            value = rule.value if isinstance(rule.value, pl.Expr) else _checked(rule, rule.value(frame), frame.height)
            columns.append(_number(value, rule.name))
        if rule.name + CONFIDENCE in wanted:
            columns.append(_number(rule.confidence, rule.name + CONFIDENCE))
    scored = frame.with_columns(columns)
    _refuse_what_is_no_score(scored, rules, wanted)
    labels = [_labelled(rule) for rule in rules if rule.labels and rule.name in wanted]
    return scored.with_columns(labels) if labels else scored


def _number(value: pl.Expr | pl.Series, name: str) -> pl.Expr:
    expression = pl.lit(value) if isinstance(value, pl.Series) else value
    return defined(expression.cast(pl.Float64)).alias(name)


def _labelled(rule: ScoringRule) -> pl.Expr:
    """The label in the place that the value names; any other value is an error."""
    places = [float(place) for place in range(len(rule.labels))]
    return pl.col(rule.name).replace_strict(places, list(rule.labels), return_dtype=pl.Enum(list(rule.labels)))


def _refuse_what_is_no_score(frame: pl.DataFrame, rules: Sequence[ScoringRule], wanted: set[str]) -> None:
    values = [rule.name for rule in rules if rule.name in wanted]
    confidences = [rule.name + CONFIDENCE for rule in rules if rule.name + CONFIDENCE in wanted]
    # All of them at once: mostly none is wrong, and then nobody asks which.
    if not (_any_infinite(frame, values) or _any_beyond(frame, confidences)):
        return
    for rule in rules:
        name = rule.name + CONFIDENCE
        if _any_infinite(frame, [rule.name] if rule.name in values else []):
            what = "value is infinite"
        elif _any_infinite(frame, [name] if name in confidences else []):
            what = "confidence is infinite"
        elif _any_beyond(frame, [name] if name in confidences else []):
            what = "confidence is not from 0 to 1"
        else:
            continue
        message = f"the score {rule.name!r}: its {what} for some customers; mend its plugin or disable it"
        raise ConfigurationError(message)


def _any_infinite(frame: pl.DataFrame, names: Sequence[str]) -> bool:
    return bool(names) and bool(pl.concat([frame[name] for name in names], rechunk=False).is_infinite().any())


def _any_beyond(frame: pl.DataFrame, names: Sequence[str]) -> bool:
    """Whether one is below 0 or above 1."""
    return bool(names) and not pl.concat([frame[name] for name in names], rechunk=False).is_between(0, 1).all()


def _checked(rule: ScoringRule, series: object, height: int) -> pl.Series:
    if not isinstance(series, pl.Series) or len(series) != height or not series.dtype.is_numeric():
        message = f"the score {rule.name!r} must give a numeric series of {height} values; mend its plugin"
        raise ConfigurationError(message)
    return series
