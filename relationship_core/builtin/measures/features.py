"""What measures are put together from: texts of data, and the forms of features that cases have.

Those are counts, decayed counts and instants, each an aggregation over a customer's cases.
"""

from __future__ import annotations

import polars as pl

from relationship_core import Feature, Halving, Motion, Still

NOW = pl.col("now")
DAY = pl.duration(days=1)


def from_data(name: str) -> pl.Expr:
    """The text that an interaction's data hold under a name; null where they hold none."""
    return pl.col("data").str.json_path_match(f"$.{name}")


def decayed(at: pl.Expr, half_life_days: float) -> pl.Expr:
    """The sum over cases of 2^(-age / half-life); a case without the instant adds nothing."""
    return pl.lit(2.0).pow(-((NOW - at) / DAY) / half_life_days).sum()


def count(condition: pl.Expr, name: str, summary: str, motion: Motion | None = None) -> Feature:
    """In how many cases a condition holds; unknown counts for no."""
    value = condition.fill_null(value=False).sum()
    return Feature(name=name, value=value, motion=motion or Still(), absent=0, summary=summary)


def instant(value: pl.Expr, name: str, summary: str, motion: Motion | None = None) -> Feature:
    """An instant."""
    return Feature(name=name, value=value, type="instant", motion=motion or Still(), summary=summary)


def halved(at: pl.Expr, name: str, half_life_days: float, what: str, next_change: pl.Expr | None = None) -> Feature:
    """How many cases have an instant, each halved from there on; one more may come to have it at the next change."""
    return Feature(
        name=name,
        value=decayed(at, half_life_days),
        motion=Halving(days=half_life_days, next_change=next_change),
        absent=0,
        summary=f"{what}, each halved every {half_life_days:g} days.",
    )


def first(condition: pl.Expr, at: pl.Expr) -> pl.Expr:
    """The earliest instant among the cases in which a condition holds."""
    return pl.when(condition).then(at).min()
