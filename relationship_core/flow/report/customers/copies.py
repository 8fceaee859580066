"""What the scores of one customer were, or would be: the same scoring code over copies of the customer.

History is split into parts, each part is folded once, and every copy is put together from the parts that it has:
those until an instant, perhaps without one interaction. Copies stand in one frame, below the customer as they are, so
that the price of a hundred of them is little more than that of one. Nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import polars as pl
from attrs import frozen

from relationship_core.columns import CONTACTS, KEYED_MEASURES, STATES, Page
from relationship_core.declarations import KeyedMeasure, Measure
from relationship_core.flow.catalog import CONFIDENCE, Catalog
from relationship_core.flow.record.fold import combined, fold
from relationship_core.flow.standing import Moment, Moments, standing
from relationship_core.ports import Store
from relationship_core.table import INSTANT, Table

_DIGITS = 6
"""Copies are numbered with so many digits, so that their texts sort as their numbers do."""

_PARTS = pl.List(pl.UInt32)
_STAGES: dict[str, type[pl.DataType]] = {"customer": pl.String, "stage": pl.String}

_MOMENT: dict[str, pl.DataType | type[pl.DataType]] = {
    **dict.fromkeys(("now", "next_day", "next_month", "next_year"), INSTANT),
    "today": pl.Date,
}
"""The columns of a moment."""


@frozen(kw_only=True)
class Subject:
    """The customer whom copies are made of.

    Attributes:
        store: where the project lives.
        page: the customer.
        customer: the row of CUSTOMERS.
        history: the rows of INTERACTIONS that count for the customer, with ``contact`` where they have contacts.
        contacts: of an account, the rows of CONTACTS.
        wishes: the rows of PREFERENCES that count, with ``member``.
        catalog: the columns there are.
        zone: the project's IANA zone.
    """

    store: Store
    page: Page
    customer: pl.DataFrame
    history: pl.DataFrame
    contacts: pl.DataFrame
    wishes: pl.DataFrame
    catalog: Catalog
    zone: str


@frozen(kw_only=True)
class Copy:
    """One version of the customer: with the history until its moment.

    Attributes:
        moment: as of when it is scored.
        stage: the stage it stands on, for scores that read it.
        without: the place of the one row of the history that it lacks; None where it lacks nothing.
    """

    moment: Moment
    stage: str
    without: int | None = None


def standings(
    subject: Subject, moment: Moment, copies: Sequence[Copy], *, names: Iterable[str], scores: Iterable[str]
) -> tuple[dict[str, Any], pl.DataFrame]:
    """Where the customer stands, and the scores of every copy.

    Args:
        subject: the customer.
        moment: as of when the customer is looked at.
        copies: what each copy has.
        names: the columns that are wanted of the customer as they are.
        scores: the names of the scoring rules that are wanted of the copies.

    Returns:
        The customer's own columns; and the scores of the copies with their confidences, a row for each, in the order
        of the copies.
    """
    wanted, scored = list(names), [column for name in scores for column in (name, name + CONFIDENCE)]
    kept = _Kept(subject, copies, measures_behind(subject.catalog, scored))
    # Together they cost hardly more than alone: most of the time is spent on what is done once for all rows.
    frame = standing(
        kept,
        subject.catalog,
        kept.page,
        [*wanted, *scored],
        _moments([moment, *(each.moment for each in copies)]),
        wishes=kept.page.customers.to_frame().join(subject.wishes.drop("customer"), how="cross", maintain_order="left"),
    )
    return frame.select(wanted).row(0, named=True), frame.select(scored)[1:]


def _parts(at: pl.Series, copies: Sequence[Copy]) -> tuple[list[int], list[list[int]]]:
    """The part of each row of a history, and the parts that each copy has.

    What some copy lacks is a part of its own; of the others those between two moments are one.
    """
    moments = sorted({copy.moment.now for copy in copies})
    # The first moment that has seen a row; what is after the last of them is in no copy.
    seen: list[int] = pl.Series(moments, dtype=at.dtype).search_sorted(at, side="left").to_list()
    part = list(seen)
    lacked = sorted({copy.without for copy in copies if copy.without is not None})
    for number, row in enumerate(lacked, len(moments) + 1):
        part[row] = number
    seen_by = dict(zip(part, seen, strict=True))
    places = {moment: place for place, moment in enumerate(moments)}
    return part, [
        [
            number
            for number, first in seen_by.items()
            if first <= places[copy.moment.now] and (copy.without is None or number != part[copy.without])
        ]
        for copy in copies
    ]


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
    """Reads what is kept of the customer and would be kept of the copies, as a store does; the customer comes first."""

    def __init__(
        self,
        subject: Subject,
        copies: Sequence[Copy],
        measures: Sequence[Measure | KeyedMeasure],
    ) -> None:
        ids = _text(pl.int_range(len(copies) + 1))
        self.page = Page(pl.select(customer=ids).to_series())
        self._subject, self._stages = subject, [copy.stage for copy in copies]
        self._own, self._copies = pl.lit(self.page.first).alias("customer"), self.page.customers[1:]
        self._combines = {measure.name: measure.combine for measure in measures}
        part, parts = _parts(subject.history["at"], copies)
        has = pl.DataFrame({"customer": self._copies, "part": parts}, schema_overrides={"part": _PARTS})
        self._has = has.explode("part", empty_as_null=False).with_columns(_text(pl.col("part")))
        named = subject.history.with_columns(_text(pl.lit(pl.Series("customer", part, dtype=pl.UInt32))))
        plain, keyed = fold(named, measures, subject.zone)
        self._plain = plain.rename({"customer": "part"})
        self._keyed = keyed.rename({"customer": "part"})

    def read(self, table: Table, *, page: Page | None = None, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """The customer's profile, contacts or state; of the copies the stage of each."""
        everybody = (self.page if page is None else page).customers.to_frame()
        if table == CONTACTS:
            accounts = everybody.rename({"customer": "account"})
            rows = accounts.join(self._subject.contacts.drop("account"), how="cross", maintain_order="left")
        elif table == STATES:
            own = self._subject.store.read(STATES, page=self._subject.page).with_columns(self._own)
            stages = pl.DataFrame({"customer": self._copies, "stage": self._stages}, schema_overrides=_STAGES)
            rows = pl.concat([own, stages], how="diagonal")
        else:
            rows = everybody.join(self._subject.customer.drop("customer"), how="cross", maintain_order="left")
        return table.conform(rows, columns)

    def read_measures(self, page: Page, names: Sequence[str]) -> pl.DataFrame:  # noqa: ARG002  there is one page
        """The plain measures of each; null where nothing was counted."""
        own = self._subject.store.read_measures(self._subject.page, names).with_columns(self._own)
        folded = [name for name in names if name in self._plain.columns]
        values = self._has.join(self._plain.select("part", *folded), on="part")
        sums = values.group_by("customer").agg(combined(name, self._combines[name]) for name in folded)
        copies = self._copies.to_frame().join(sums, on="customer", how="left", maintain_order="left")
        return pl.concat([own, copies], how="diagonal").select("customer", *names)

    def read_keyed(self, page: Page, names: Sequence[str]) -> pl.DataFrame:  # noqa: ARG002  there is one page
        """The keyed measures of each."""
        columns = list(KEYED_MEASURES.schema)
        own = self._subject.store.read_keyed(self._subject.page, names).with_columns(self._own)
        theirs = self._keyed.filter(pl.col("measure").is_in(list(names)))
        rows = self._has.join(theirs, on="part").select(columns)
        # Mostly no two parts of a history have a number for one key, and there is nothing to combine.
        repeated = theirs.filter(pl.struct("measure", "key").is_duplicated())["measure"].unique().to_list()
        if not repeated:
            return pl.concat([own.select(columns), rows])
        combines = [
            rows.filter(pl.col("measure") == name)
            .group_by("customer", "measure", "key")
            .agg(combined("value", self._combines[name]))
            for name in repeated
        ]
        once = rows.filter(~pl.col("measure").is_in(repeated))
        return pl.concat([own.select(columns), once, *(each.select(columns) for each in combines)])


def _text(copy: pl.Expr) -> pl.Expr:
    return copy.cast(pl.String).str.zfill(_DIGITS)
