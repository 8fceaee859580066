"""When a customer is due again: as early as any rule might change its mind, and never later."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from attrs import evolve

from relationship_core.crossing import SMALLEST_DAYS
from relationship_core.flow.review.moves import free_after_a_move
from relationship_core.flow.rules import Rules, Wait
from relationship_core.table import INSTANT


def with_due_at(frame: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """Add ``due_at``: the next instant at which a judgement may differ without news; null for never.

    Needs a judged frame; ``stage``, ``stage_days`` and ``lapsed`` become those after the review. A customer
    who belongs elsewhere but may not move yet is due when they may.
    """
    after = frame.with_columns(
        pl.col("target").cast(rules.catalog.columns["stage"].dtype).alias("stage"),
        pl.when(_moved()).then(0.0).otherwise(pl.col("stage_days")).alias("stage_days"),
        pl.col("new_lapsed").alias("lapsed"),
        (
            _moved()
            | (pl.col("new_lapsed") != pl.col("lapsed"))
            | (pl.col("kept_stage") != pl.col("target")).fill_null(value=False)
        ).alias("changed"),
    )
    soonest = _soonest(after, [*rules.days_until_news, *_rung_crossings(after, rules)])
    days = pl.lit(None, dtype=pl.Float64) if soonest is None else pl.lit(soonest)
    return after.with_columns(
        pl.min_horizontal(_after(days), _blocked(), _moved_on(rules), _settling(rules)).alias("due_at")
    )


def _soonest(frame: pl.DataFrame, waits: Sequence[Wait]) -> pl.Series | None:
    """The days until the first of these ends; None where there is none."""
    if not waits:
        return None
    parts = {name: expression for wait in waits for name, expression in wait.parts.items()}
    made = frame.with_columns(expression.alias(name) for name, expression in parts.items())
    crossings = made.select(wait.days.alias(f"crossing {n}") for n, wait in enumerate(waits))
    return crossings.select(pl.min_horizontal(pl.all()).alias("days"))["days"]


def _rung_crossings(frame: pl.DataFrame, rules: Rules) -> list[Wait]:
    """The days until a rung may be gained or lost, by those who may move at all.

    Of all the ladder's conditions only these matter: to leave the rung a customer stands on, or one below, and to
    enter the next. Who moves now, or waits until they may, is due then in any case.
    """
    rank = pl.col("rank")
    may_move = (pl.col("aim") == rank) & ~_moved()
    waits = [
        (may_move & applies, rules.days_until_change(condition))
        for rung in rules.rungs[1:]
        for applies, condition in ((rank == rung.rank - 1, rung.enter), (rank >= rung.rank, rung.leave))
        if condition is not None
    ]
    if not waits:
        return []
    anybody = frame.select(applies.any().alias(str(n)) for n, (applies, _) in enumerate(waits)).row(0)
    return [
        evolve(wait, days=pl.when(applies).then(wait.days))
        for (applies, wait), concerned in zip(waits, anybody, strict=True)
        if concerned
    ]


def _moved() -> pl.Expr:
    return pl.col("target_rank") != pl.col("rank")


def _after(days: pl.Expr) -> pl.Expr:
    """The instant so many days from now, rounded towards now but never now itself."""
    return (pl.col("now") + pl.duration(days=days.clip(lower_bound=SMALLEST_DAYS))).cast(INSTANT)


def _blocked() -> pl.Expr:
    return pl.when(pl.col("aim") != pl.col("target_rank")).then(pl.col("free_at"))


def _moved_on(rules: Rules) -> pl.Expr:
    """On the new rung other conditions are in force, and they may hold already."""
    return pl.when(_moved()).then(free_after_a_move(rules.rungs))


def _settling(rules: Rules) -> pl.Expr:
    """A ladder that names the state it sets may judge anew at once when that state has changed."""
    if any(condition.columns & {"stage", "stage_days", "lapsed"} for condition in rules.ladder_conditions):
        return pl.when(pl.col("changed")).then(_after(pl.lit(0.0)))
    return pl.lit(None, dtype=INSTANT)
