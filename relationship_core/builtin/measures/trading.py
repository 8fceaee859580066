"""Trading history: what was bought when, by the categories of order lines, and what may be wanted next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import polars as pl

from relationship_core import Feature, KeyedMeasure, Steps
from relationship_core.builtin.measures.days import begins_at

LEAST_DAYS = 3
"""On so many days a category must have been bought to have a rhythm: two gaps."""


def trading(parameters: Mapping[str, float]) -> KeyedMeasure:
    """What each category came to on each day."""
    return KeyedMeasure(
        name="category_day",
        kinds=("order",),
        key="category_day",
        combine="sum",
        value=pl.col("minor").fill_null(0),
        features=(*_last_order(), *_replenishment(parameters["replenish_gaps"])),
        summary="Money of the order lines in each category on each project-local day.",
    )


def _last_order() -> Iterator[Feature]:
    """What the last order with categories was about, and its day: a later order may have named none."""
    last_on, value = pl.col("last_on"), pl.col("last_value")
    is_last = last_on == last_on.max()
    most = value == pl.when(is_last).then(value).max()
    yield Feature(
        name="last_order_category",
        value=pl.when(is_last & most).then("key").min(),
        type="text",
        summary="The category with most money on the last day with an order whose lines name categories; "
        "of equal ones the first by name.",
    )
    yield Feature(
        name="last_order_category_on",
        value=last_on.max(),
        type="date",
        summary="That day, which may be before the last order's.",
    )


def _replenishment(gaps: float) -> Iterator[Feature]:
    """Of the categories with a rhythm the one whose mean gap ends first, until it counts as given up."""
    today, last_on = pl.col("today"), pl.col("last_on")
    # One day makes no gap; what is divided by is never zero.
    gap_days = (last_on - pl.col("first_on")).dt.total_days() / (pl.col("days") - 1).clip(1)
    due_on = last_on + pl.duration(days=gap_days.floor().cast(pl.Int64))
    given_up_on = last_on + pl.duration(days=(gap_days * gaps).floor().cast(pl.Int64) + 1)
    kept = (pl.col("days") >= LEAST_DAYS) & (today < given_up_on)
    first_on = pl.when(kept).then(due_on).min()
    is_due = kept & (due_on <= today)
    given_up = pl.when(kept).then(begins_at(given_up_on)).min()
    gets_due = pl.when(kept & ~is_due).then(begins_at(due_on)).min()
    rhythm = f"bought on at least {LEAST_DAYS} days and not left out for {gaps:g} of its own mean gaps"
    yield Feature(
        name="replenish_category",
        value=pl.when(kept & (due_on == first_on)).then("key").min(),
        type="text",
        motion=Steps(next_change=given_up),
        summary=f"The category {rhythm} whose mean gap since its last day ends first; of equal ones the first by name.",
    )
    yield Feature(
        name="replenish_due_on",
        value=first_on,
        type="date",
        motion=Steps(next_change=given_up),
        summary="When that mean gap ends; it may have passed.",
    )
    yield Feature(
        name="replenishments_due",
        value=is_due.sum(),
        motion=Steps(next_change=pl.min_horizontal(given_up, gets_due)),
        absent=0,
        summary=f"Categories {rhythm} whose mean gap since their last day has ended.",
    )
