"""Days on which something happened, in the last year, and days that come again every year."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from relationship_core import Feature, KeyedMeasure, Steps

YEAR_DAYS = 365
_A_DAY = pl.duration(days=1)


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
    next_change = pl.when(inside).then(begins_at(on + year)).min()
    return Feature(name=name, value=inside.sum(), motion=Steps(next_change=next_change), absent=0, summary=summary)


def begins_at(day: pl.Expr) -> pl.Expr:
    """When a project-local day after today begins, or up to two hours before that.

    The days until then may lose hours to a change of clocks: early is allowed, late is not.
    """
    days_ahead = (day - pl.col("today")).dt.total_days()
    # 24 hours for each day but the first, less the two. The day is named once, for polars computes it as often.
    return pl.col("next_day") + pl.duration(hours=1) * (days_ahead * 24 - 26).clip(lower_bound=0)


def anniversaries(first: pl.Expr, what: str) -> Iterator[Feature]:
    """The yearly days of a date that is the same for all keys; the date itself is none of them."""
    today = pl.col("today").max()
    coming, past = _yearly(first, today)
    yield Feature(
        name="anniversary_on",
        value=coming,
        type="date",
        motion=Steps(next_change=begins_at(coming + _A_DAY).min()),
        summary=f"The next yearly day of {what}, today or later.",
    )
    yield Feature(
        name="last_anniversary_on",
        value=past,
        type="date",
        motion=Steps(next_change=_passes_at(coming, today).min()),
        summary=f"The last yearly day of {what}, today or earlier; none in the first year.",
    )


def birthdays() -> Iterator[Feature]:
    """The last birthday, of an attribute ``birthday``, with the year or without."""
    today = pl.col("today")
    month_and_day = pl.col("birthday").str.extract(r"^(?:\d{4}|-)-(\d{2}-\d{2})$")
    # A leap year, so that 29 February is a day of it.
    born = (pl.lit("2000-") + month_and_day).str.to_date("%Y-%m-%d", strict=False)
    coming, past = _yearly(born, today)
    yield Feature(
        name="last_birthday_on",
        value=past,
        type="date",
        motion=Steps(next_change=_passes_at(coming, today)),
        attributes=("birthday",),
        summary="The last birthday, today or earlier, by the attribute `birthday` as `YYYY-MM-DD` or `--MM-DD`.",
    )


def _yearly(first: pl.Expr, today: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """The next yearly day of a date, today or later, and the last one, today or earlier; the date itself is none."""
    years = today.dt.year() - first.dt.year()
    this = _years_after(first, years)
    ahead = pl.when((years > 0) & (this >= today)).then(0).otherwise(1)
    passed = years - pl.when(this <= today).then(0).otherwise(1)
    return _years_after(first, years + ahead), pl.when(passed > 0).then(_years_after(first, passed))


def _passes_at(coming: pl.Expr, today: pl.Expr) -> pl.Expr:
    """When the last yearly day becomes another one."""
    return begins_at(coming + pl.duration(days=(coming <= today).cast(pl.Int64)))


def _years_after(day: pl.Expr, years: pl.Expr) -> pl.Expr:
    """The same day so many years later; 28 February for the 29th where that year has none."""
    return day.dt.offset_by(pl.format("{}y", years))
