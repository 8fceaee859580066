"""Orders and visits: how many, when, how much, in which rhythm, and what they cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import polars as pl

from relationship_core import Feature, KeyedMeasure, Linear, Measure
from relationship_core.builtin.measures.days import anniversaries, birthdays, within_a_year
from relationship_core.builtin.measures.features import from_data
from relationship_core.builtin.measures.next_category import next_category

SILENCES = {"order": "silence_days", "visit": "visit_silence_days"}
"""The column of the days since the last one, by kind."""

PAID = pl.when(pl.col("amount") > 0).then(1.0)
"""One for an order that moved money; a free basket is no order in this sense."""


def buying(parameters: Mapping[str, float], tables: Mapping[str, pl.DataFrame]) -> Iterator[Measure | KeyedMeasure]:
    """What orders and visits come to, and what they rest on."""
    yield from _orders(parameters["commitment_half_life_days"])
    yield from _rhythm("order", PAID, parameters)
    yield from _rhythm("visit", None, parameters)
    yield from _history()
    yield KeyedMeasure(
        name="category",
        kinds=("order",),
        key="category",
        combine="count",
        features=(
            Feature(name="categories", value=pl.len(), absent=0, summary="Distinct categories ever bought from."),
            next_category(tables),
        ),
        summary="Order lines in each category.",
    )
    yield from _costs()


def _orders(half_life_days: float) -> Iterator[Measure]:
    yield Measure(name="orders", kinds=("order",), combine="count", value=PAID, summary="Paid orders, over all time.")
    yield Measure(
        name="spent",
        kinds=("order",),
        combine="sum",
        value=pl.col("amount"),
        unit="money",
        summary="Money from orders over all time; a condition counts its minor units.",
    )
    yield Measure(
        name="recent_spend",
        kinds=("order",),
        combine="sum",
        value=pl.col("amount"),
        half_life_days=half_life_days,
        unit="money",
        summary=f"Money from orders, halved every {half_life_days:g} days; a condition counts its minor units.",
    )


def _rhythm(kind: str, counts: pl.Expr | None, parameters: Mapping[str, float]) -> Iterator[Measure | KeyedMeasure]:
    """First and last time, days, silence and own rhythm of one kind of interaction."""
    first, last = f"first_{kind}_at", f"last_{kind}_at"
    at = pl.col("at") if counts is None else pl.when(counts.is_not_null()).then(pl.col("at"))
    yield Measure(name=first, kinds=(kind,), combine="min", value=at, type="instant", summary=f"The first {kind}.")
    yield Measure(
        name=last,
        kinds=(kind,),
        combine="max",
        value=at,
        type="instant",
        features=(
            Feature(
                name=SILENCES[kind],
                value=(pl.col("now") - pl.col(last)) / pl.duration(days=1),
                motion=Linear(),
                summary=f"Days since the last {kind}.",
            ),
        ),
        summary=f"The last {kind}.",
    )
    yield KeyedMeasure(
        name=f"{kind}_day",
        kinds=(kind,),
        key="day",
        combine="count",
        value=counts,
        features=tuple(_rhythm_features(kind, parameters)),
        summary=f"How many of kind {kind} on each project-local day.",
    )


def _rhythm_features(kind: str, parameters: Mapping[str, float]) -> Iterator[Feature]:
    on, prior, weight = pl.col("on"), parameters[f"{kind}_gap_prior_days"], parameters["gap_prior_weight"]
    span = (on.max() - on.min()).dt.total_days()
    yield Feature(name=f"{kind}_days", value=pl.len(), absent=0, summary=f"Distinct days with one of kind {kind}.")
    yield within_a_year(f"{kind}_days_365", f"Distinct days with one of kind {kind} in the last 365 days.")
    yield Feature(
        name=f"{kind}_gap_days",
        value=(span + prior * weight) / (pl.len() - 1 + weight),
        summary=f"The customer's own rhythm: mean days between days of kind {kind}, "
        f"shrunk to {prior:g} days as if {_times(weight)} had been seen.",
    )
    yield Feature(
        name=f"first_{kind}_on", value=on.min(), type="date", summary=f"Project-local date of the first {kind}."
    )
    yield Feature(
        name=f"last_{kind}_on", value=on.max(), type="date", summary=f"Project-local date of the last {kind}."
    )
    if kind == "order":
        yield from anniversaries(on.min(), "the first order")


def _times(weight: float) -> str:
    return "one such gap" if weight == 1 else f"{weight:g} such gaps"


def _history() -> Iterator[Measure]:
    yield Measure(name="interactions", combine="count", summary="Interactions of every kind.")
    yield Measure(
        name="first_interaction_at",
        combine="min",
        type="instant",
        features=(
            Feature(
                name="tenure_days",
                value=(pl.col("now") - pl.col("first_interaction_at")) / pl.duration(days=1),
                motion=Linear(),
                summary="Days since the first interaction of any kind.",
            ),
            *birthdays(),
        ),
        summary="The first interaction of any kind.",
    )
    yield Measure(
        name="campaigns_received", kinds=("campaign_received",), combine="count", summary="Campaigns received."
    )
    yield Measure(name="redemptions", kinds=("coupon_redeemed",), combine="count", summary="Coupons redeemed.")
    yield Measure(
        name="contract_until_at",
        kinds=("contract_signed",),
        combine="max",
        value=pl.col("until"),
        type="instant",
        summary="When the last contract ends: the data's `until`, an instant or a date.",
    )


def _costs() -> Iterator[Measure]:
    """What the relationship costs both sides: the data of any kind of interaction may hold it."""
    yield _summed("cost", "cost_minor", "What interactions have cost us; a condition counts its minor units.", "money")
    yield _summed("our_minutes", "our_minutes", "Minutes of ours that interactions have taken.")
    yield _summed("their_minutes", "their_minutes", "Minutes of the customer's that interactions have taken.")


def _summed(name: str, key: str, summary: str, unit: str = "") -> Measure:
    value = from_data(key).cast(pl.Float64, strict=False)
    return Measure(name=name, combine="sum", value=value, unit="money" if unit == "money" else "", summary=summary)
