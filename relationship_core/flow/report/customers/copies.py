"""What the scores of one customer were, or would be: the same scoring code over copies of the customer.

History is split into parts, each part is folded once, and every copy is put together from the parts that it has:
those until an instant, or all but one interaction. Copies stand in one frame, so that the price of a hundred of them
is little more than that of one. Nothing is read from the store and nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import polars as pl
from attrs import frozen

from relationship_core.columns import CONTACTS, INSTANT, KEYED_MEASURES, PREFERENCES, STATES, Page, Table
from relationship_core.declarations import KeyedMeasure, Measure
from relationship_core.flow.catalog import CONFIDENCE, Catalog
from relationship_core.flow.record.fold import combined, fold
from relationship_core.flow.standing import Moment, Moments, standing
from relationship_core.flow.ties import NO_TIES

_DIGITS = 6
"""Copies are numbered with so many digits, so that their texts sort as their numbers do."""

_MOMENT: dict[str, pl.DataType | type[pl.DataType]] = {
    **dict.fromkeys(("now", "next_day", "next_month", "next_year"), INSTANT),
    "today": pl.Date,
}
"""The columns of a moment."""


@frozen(kw_only=True)
class Subject:
    """The customer whom copies are made of.

    Attributes:
        customer: the row of CUSTOMERS.
        history: the rows of INTERACTIONS that count for the customer, with ``contact`` where they have contacts.
        contacts: of an account, the rows of CONTACTS.
        wishes: the rows of PREFERENCES.
        catalog: the columns there are.
        zone: the project's IANA zone.
    """

    customer: pl.DataFrame
    history: pl.DataFrame
    contacts: pl.DataFrame
    wishes: pl.DataFrame
    catalog: Catalog
    zone: str


@frozen(kw_only=True)
class Copy:
    """One version of the customer.

    Attributes:
        moment: as of when it is scored.
        parts: the parts of history that it has.
        stage: the stage it stands on, for scores that read it.
    """

    moment: Moment
    parts: Sequence[int]
    stage: str


def scores_of(subject: Subject, copies: Sequence[Copy], part: pl.Series, scores: Iterable[str]) -> pl.DataFrame:
    """The scores of every copy, with their confidences: a row for each, in the order of the copies.

    Args:
        subject: the customer.
        copies: what each copy has.
        part: of each row of the history, the number of its part.
        scores: the names of scoring rules.
    """
    names = [column for name in scores for column in (name, name + CONFIDENCE)]
    kept = _Kept(subject, copies, part, measures_behind(subject.catalog, names))
    return standing(kept, subject.catalog, kept.page, names, _moments([each.moment for each in copies])).select(names)


def measures_behind(catalog: Catalog, names: Iterable[str]) -> tuple[Measure | KeyedMeasure, ...]:
    """The measures that the named columns are computed from; of a case measure all its parts."""
    needed = catalog.closure(names)
    behind = {
        measure.name
        for measure in (*catalog.measures, *catalog.cases)
        if measure.name in needed or any(feature.name in needed for feature in measure.features)
    }
    return tuple(measure for measure in catalog.measures if behind & {measure.name, _whole(measure)})


def _whole(measure: Measure | KeyedMeasure) -> str:
    return measure.part_of if isinstance(measure, KeyedMeasure) else ""


def _moments(moments: Sequence[Moment]) -> Moments:
    return moments[0] if len(set(moments)) == 1 else _Moments(moments)


class _Moments:
    """A moment for each copy, as the columns that one moment has."""

    def __init__(self, moments: Sequence[Moment]) -> None:
        # Plain values take a twentieth of the time of the expressions that a single moment has.
        values = [(each.now, each.next_day, each.next_month, each.next_year, each.local_date) for each in moments]
        self._rows = pl.DataFrame(values, schema=_MOMENT, orient="row")

    @property
    def columns(self) -> tuple[pl.Expr, ...]:
        copy = pl.col("customer").cast(pl.UInt32)
        return tuple(pl.lit(column).gather(copy).alias(column.name) for column in self._rows)


class _Kept:
    """Reads what would be kept of the copies, as a store does."""

    def __init__(
        self,
        subject: Subject,
        copies: Sequence[Copy],
        part: pl.Series,
        measures: Sequence[Measure | KeyedMeasure],
    ) -> None:
        ids = _text(pl.int_range(len(copies)))
        self.page = Page(pl.select(customer=ids).to_series())
        self.ties = NO_TIES
        self._subject, self._stages = subject, [copy.stage for copy in copies]
        self._combines = {measure.name: measure.combine for measure in measures}
        self._instants = {m.name for m in measures if isinstance(m, Measure) and m.type == "instant"}
        has = pl.DataFrame({"customer": self.page.customers, "part": [list(copy.parts) for copy in copies]})
        self._has = has.explode("part", empty_as_null=False).with_columns(_text(pl.col("part")))
        named = subject.history.with_columns(part.alias("customer")).with_columns(_text(pl.col("customer")))
        plain, keyed = fold(named, measures, subject.zone)
        self._plain = plain.rename({"customer": "part"})
        self._keyed = keyed.rename({"customer": "part"})

    def read(self, table: Table, *, page: Page | None = None, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """The customer's profile, contacts or wishes, or the stage of each copy."""
        copies = (self.page if page is None else page).customers.to_frame()
        if table == CONTACTS:
            accounts = copies.rename({"customer": "account"})
            rows = accounts.join(self._subject.contacts.drop("account"), how="cross", maintain_order="left")
        elif table == STATES:
            rows = copies.with_columns(stage=pl.Series(self._stages, dtype=pl.String))
            rows = rows.join(STATES.empty().drop("stage"), on="customer", how="left", maintain_order="left")
        elif table == PREFERENCES:
            rows = copies.join(self._subject.wishes.drop("customer"), how="cross", maintain_order="left")
        else:
            rows = copies.join(self._subject.customer.drop("customer"), how="cross", maintain_order="left")
        return table.conform(rows, columns)

    def read_measures(self, page: Page, names: Sequence[str]) -> pl.DataFrame:
        """The plain measures of each copy; null where nothing was counted."""
        folded = [name for name in names if name in self._plain.columns]
        values = self._has.join(self._plain.select("part", *folded), on="part")
        sums = values.group_by("customer").agg(combined(name, self._combines[name]) for name in folded)
        absent = [
            pl.lit(None, dtype=INSTANT if name in self._instants else pl.Float64).alias(name)
            for name in names
            if name not in folded
        ]
        copies = page.customers.to_frame()
        return copies.join(sums.with_columns(absent), on="customer", how="left", maintain_order="left").select(
            "customer", *names
        )

    def read_keyed(self, page: Page, names: Sequence[str]) -> pl.DataFrame:  # noqa: ARG002  there is one page
        """The keyed measures of each copy."""
        columns = list(KEYED_MEASURES.schema)
        own = self._keyed.filter(pl.col("measure").is_in(list(names)))
        rows = self._has.join(own, on="part").select(columns)
        # Mostly no two parts of a history have a number for one key, and there is nothing to combine.
        repeated = own.filter(pl.struct("measure", "key").is_duplicated())["measure"].unique().to_list()
        if not repeated:
            return rows
        combines = [
            rows.filter(pl.col("measure") == name)
            .group_by("customer", "measure", "key")
            .agg(combined("value", self._combines[name]))
            for name in repeated
        ]
        return pl.concat(
            [rows.filter(~pl.col("measure").is_in(repeated)), *(each.select(columns) for each in combines)]
        )


def _text(copy: pl.Expr) -> pl.Expr:
    return copy.cast(pl.String).str.zfill(_DIGITS)
