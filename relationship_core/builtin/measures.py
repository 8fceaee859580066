"""The standard measures: what is counted about every customer, interaction by interaction.

Half-lives are those of business with consumers; see the reference page of measures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from relationship_core import Feature, KeyedMeasure, Linear, Measure, Steps, hookimpl

if TYPE_CHECKING:
    import polars as pl

YEAR_DAYS = 365
PRIOR_GAP_DAYS = 30.0
"""The rhythm assumed of a customer of whom nothing is known."""
PRIOR_GAP_WEIGHT = 1.0
"""How many gaps of their own the assumption is worth."""

BENEFIT_HALF_LIFE_DAYS = 180.0
TRUST_HALF_LIFE_DAYS = 365.0
COMMITMENT_HALF_LIFE_DAYS = 365.0
RECIPROCITY_HALF_LIFE_DAYS = 90.0
ADVOCACY_HALF_LIFE_DAYS = 365.0


@hookimpl
def relationship_measures() -> tuple[Measure | KeyedMeasure, ...]:
    """Orders, visits, dialogue, promises, gives and public support."""
    return (
        *_orders(),
        *_rhythm("order", _paid()),
        *_rhythm("visit", None),
        *_history(),
        *_elements(),
        _categories(),
        _days("support", ("referral_converted", "review"), "converted referrals or public reviews"),
        _days("cocreation", ("cocreation",), "joint creation"),
    )


def _paid() -> pl.Expr:
    """One for an order that moved money; a free basket is no order in this sense."""
    import polars as pl

    return pl.when(pl.col("amount") > 0).then(1.0)


def _orders() -> tuple[Measure, ...]:
    import polars as pl

    return (
        Measure(
            name="orders",
            kinds=("order",),
            combine="count",
            value=_paid(),
            summary="Paid orders, over all time.",
        ),
        Measure(
            name="spent",
            kinds=("order",),
            combine="sum",
            value=pl.col("amount"),
            unit="money",
            summary="Money from orders over all time; a condition counts its minor units.",
        ),
        Measure(
            name="recent_spend",
            kinds=("order",),
            combine="sum",
            value=pl.col("amount"),
            half_life_days=COMMITMENT_HALF_LIFE_DAYS,
            unit="money",
            summary="Money from orders, halved every 365 days; a condition counts its minor units.",
        ),
    )


def _rhythm(kind: str, counts: pl.Expr | None) -> tuple[Measure | KeyedMeasure, ...]:
    """First and last time, days, silence and own rhythm of one kind of interaction."""
    import polars as pl

    first, last = f"first_{kind}_at", f"last_{kind}_at"
    at = pl.col("at") if counts is None else pl.when(counts.is_not_null()).then(pl.col("at"))
    silence = "silence_days" if kind == "order" else f"{kind}_silence_days"
    return (
        Measure(name=first, kinds=(kind,), combine="min", value=at, type="instant", summary=f"The first {kind}."),
        Measure(
            name=last,
            kinds=(kind,),
            combine="max",
            value=at,
            type="instant",
            features=(
                Feature(
                    name=silence,
                    value=_days_since(last),
                    motion=Linear(),
                    summary=f"Days since the last {kind}.",
                ),
            ),
            summary=f"The last {kind}.",
        ),
        KeyedMeasure(
            name=f"{kind}_day",
            kinds=(kind,),
            key="day",
            combine="count",
            value=counts,
            features=_rhythm_features(kind),
            summary=f"How many of kind {kind} on each project-local day.",
        ),
    )


def _rhythm_features(kind: str) -> tuple[Feature, ...]:
    import polars as pl

    on = pl.col("on")
    span = (on.max() - on.min()).dt.total_days()
    gap = (span + PRIOR_GAP_DAYS * PRIOR_GAP_WEIGHT) / (pl.len() - 1 + PRIOR_GAP_WEIGHT)
    return (
        Feature(name=f"{kind}_days", value=pl.len(), absent=0, summary=f"Distinct days with one of kind {kind}."),
        _within_a_year(f"{kind}_days_365", f"Distinct days with one of kind {kind} in the last 365 days."),
        Feature(
            name=f"{kind}_gap_days",
            value=gap,
            summary=f"The customer's own rhythm: mean days between days of kind {kind}, "
            f"shrunk to {PRIOR_GAP_DAYS:g} days as if one such gap had been seen.",
        ),
        Feature(
            name=f"first_{kind}_on",
            value=on.min(),
            type="date",
            summary=f"Project-local date of the first {kind}.",
        ),
        Feature(
            name=f"last_{kind}_on",
            value=on.max(),
            type="date",
            summary=f"Project-local date of the last {kind}.",
        ),
    )


def _within_a_year(name: str, summary: str) -> Feature:
    """How many keys of the kind day lie within the last 365 days; it falls when the oldest of them gets older."""
    import polars as pl

    on, today = pl.col("on"), pl.col("today")
    year = pl.duration(days=YEAR_DAYS)
    inside = on > today - year
    leaves_in_days = (on + year - today).dt.total_days()
    # It leaves at a local midnight. The days until then may lose hours to a change of clocks:
    # early is allowed, late is not.
    lost_hours = pl.when(leaves_in_days > 1).then(2).otherwise(0)
    leaves_at = pl.col("next_day") + pl.duration(hours=1) * ((leaves_in_days - 1) * 24 - lost_hours)
    next_change = pl.when(inside).then(leaves_at).min()
    return Feature(name=name, value=inside.sum(), motion=Steps(next_change=next_change), absent=0, summary=summary)


def _history() -> tuple[Measure, ...]:
    return (
        Measure(name="interactions", combine="count", summary="Interactions of every kind."),
        Measure(
            name="first_interaction_at",
            combine="min",
            type="instant",
            features=(
                Feature(
                    name="tenure_days",
                    value=_days_since("first_interaction_at"),
                    motion=Linear(),
                    summary="Days since the first interaction of any kind.",
                ),
            ),
            summary="The first interaction of any kind.",
        ),
        Measure(
            name="campaigns_received",
            kinds=("campaign_received",),
            combine="count",
            summary="Campaigns received.",
        ),
        Measure(name="redemptions", kinds=("coupon_redeemed",), combine="count", summary="Coupons redeemed."),
    )


def _elements() -> tuple[Measure, ...]:
    """Decayed counts of the evidence for each element of a relationship."""
    return (
        _decayed(
            "praise_received",
            ("praise", "complaint_resolved"),
            BENEFIT_HALF_LIFE_DAYS,
            "Praise and complaints put right",
        ),
        _decayed("harm_done", ("return", "complaint_opened"), BENEFIT_HALF_LIFE_DAYS, "Returns and complaints"),
        _decayed("promises_kept", ("promise_kept",), TRUST_HALF_LIFE_DAYS, "Promises of ours that we kept"),
        _decayed("promises_broken", ("promise_broken",), TRUST_HALF_LIFE_DAYS, "Promises of ours that we broke"),
        _decayed(
            "forward_acts",
            ("coupon_redeemed", "cocreation"),
            COMMITMENT_HALF_LIFE_DAYS,
            "Acts that look ahead",
        ),
        _decayed("given", ("gift_given", "help_given"), RECIPROCITY_HALF_LIFE_DAYS, "What we gave"),
        _decayed(
            "received",
            ("referral_converted", "review", "feedback_given"),
            RECIPROCITY_HALF_LIFE_DAYS,
            "What the customer gave beside money",
        ),
        _decayed(
            "public_support",
            ("referral_converted", "review"),
            ADVOCACY_HALF_LIFE_DAYS,
            "Converted referrals and public reviews",
        ),
    )


def _decayed(name: str, kinds: tuple[str, ...], half_life_days: float, what: str) -> Measure:
    return Measure(
        name=name,
        kinds=kinds,
        combine="count",
        half_life_days=half_life_days,
        summary=f"{what}, each halved every {half_life_days:g} days.",
    )


def _categories() -> KeyedMeasure:
    import polars as pl

    return KeyedMeasure(
        name="category",
        kinds=("order",),
        key="category",
        combine="count",
        features=(
            Feature(name="categories", value=pl.len(), absent=0, summary="Distinct categories ever bought from."),
        ),
        summary="Order lines in each category.",
    )


def _days(name: str, kinds: tuple[str, ...], what: str) -> KeyedMeasure:
    return KeyedMeasure(
        name=f"{name}_day",
        kinds=kinds,
        key="day",
        features=(_within_a_year(f"{name}_days_365", f"Distinct days with {what} in the last 365 days."),),
        summary=f"Days with {what}.",
    )


def _days_since(column: str) -> pl.Expr:
    import polars as pl

    return (pl.col("now") - pl.col(column)) / pl.duration(days=1)
