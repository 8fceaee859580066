"""Days on which something happened, in the last year."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from relationship_core import Feature, KeyedMeasure, Steps

YEAR_DAYS = 365


def days() -> Iterator[KeyedMeasure]:
    """Days of support, of joint creation and of joint planning."""
    yield _days("support", ("referral_converted", "review"), "converted referrals or public reviews")
    yield _days("cocreation", ("cocreation",), "joint creation")
    yield _days("joint_plan", ("joint_plan",), "a joint plan")


def _days(name: str, kinds: tuple[str, ...], what: str) -> KeyedMeasure:
    return KeyedMeasure(
        name=f"{name}_day",
        kinds=kinds,
        key="day",
        features=(within_a_year(f"{name}_days_365", f"Distinct days with {what} in the last 365 days."),),
        summary=f"Days with {what}.",
    )


def within_a_year(name: str, summary: str) -> Feature:
    """How many keys of the kind day lie within the last 365 days; it falls when the oldest of them gets older."""
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
