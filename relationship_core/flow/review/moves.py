"""Moves on the ladder: who stands where, and what decided it."""

from __future__ import annotations

import polars as pl

from relationship_core.conditions import Condition
from relationship_core.flow.rules import Rules
from relationship_core.flow.rungs import Rung


def judge(frame: pl.DataFrame, rules: Rules, zone: str) -> pl.DataFrame:
    """Add where each customer belongs.

    Needs the columns of the ladder's conditions, ``stage``, ``since``, ``now`` and ``today``. Adds ``aim`` (the
    rank the conditions give), ``target`` (the stage after this review), ``new_since``, ``new_lapsed`` and
    ``free_at`` (the instant from which a move is allowed again; null where it is allowed now).

    Args:
        frame: the standing of customers.
        rules: the rules in force.
        zone: the project's zone; its days are the days of moves.
    """
    ladder = rules.catalog.ladder
    rank = pl.col("stage").to_physical().cast(pl.Int64)
    judged = frame.with_columns(
        rank.alias("rank"), pl.col("since").dt.convert_time_zone(zone).dt.date().alias("since_day")
    )
    judged = judged.with_columns(_aim(rules).alias("aim"), _free_at(rules.rungs).alias("free_at"))
    moves = (pl.col("aim") != pl.col("rank")) & pl.col("free_at").is_null()
    names = pl.Series("names", list(ladder.names))
    return judged.with_columns(
        pl.when(moves).then(pl.col("aim")).otherwise(pl.col("rank")).alias("target_rank"),
        pl.when(moves).then(pl.col("now")).otherwise(pl.col("since")).alias("new_since"),
        (rules.lapsed.holds if rules.lapsed is not None else pl.lit(value=False)).alias("new_lapsed"),
    ).with_columns(pl.lit(names).gather(pl.col("target_rank")).alias("target"))


def _aim(rules: Rules) -> pl.Expr:
    """The highest rung that holds, with every rung below it; no higher than the present one while moves up are frozen.

    A rung at or below the present stage holds until its ``leave`` does; one above it once its ``enter`` does.
    """
    top = pl.lit(rules.rungs[-1].rank, dtype=pl.Int64)
    # Each rung is asked once: the least of what those that do not hold allow.
    allowed = [pl.when(~_rung_holds(rung)).then(pl.lit(rung.rank - 1, dtype=pl.Int64)) for rung in rules.rungs[1:]]
    if rules.freezes is not None:
        allowed.append(pl.when(rules.freezes.holds).then("rank"))
    return pl.min_horizontal(top, *allowed)


def _rung_holds(rung: Rung) -> pl.Expr:
    stays = ~rung.leave.holds if rung.leave is not None else pl.lit(value=True)
    enters = rung.enter.holds if rung.enter is not None else pl.lit(value=True)
    return pl.when(pl.col("rank") >= rung.rank).then(stays).otherwise(enters)


def _free_at(rungs: tuple[Rung, ...]) -> pl.Expr:
    """When the stay on the present rung is long enough and the day of the last move is over; null for now."""
    dwelt = pl.col("since") + _dwell(rungs, pl.col("rank"))
    same_day = pl.col("since_day") == pl.col("today")
    free = pl.max_horizontal(dwelt, pl.when(same_day).then(pl.col("next_day")))
    return pl.when(free > pl.col("now")).then(free)


def free_after_a_move(rungs: tuple[Rung, ...]) -> pl.Expr:
    """When somebody who moves now, to ``target_rank``, may move again."""
    return pl.max_horizontal(pl.col("now") + _dwell(rungs, pl.col("target_rank")), pl.col("next_day"))


def _dwell(rungs: tuple[Rung, ...], rank: pl.Expr) -> pl.Expr:
    """The shortest stay on a rung."""
    return pl.duration(days=rank.replace_strict({rung.rank: rung.dwell_days for rung in rungs}))


def transitions(judged: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """Rows of TRANSITIONS for those of a judged frame who move, each with what decided it.

    The evidence is JSON text: each column of the deciding condition with the value it had.
    """
    return judged.filter(pl.col("target_rank") != pl.col("rank")).select(
        "customer",
        pl.col("now").alias("at"),
        pl.col("stage").cast(pl.String).alias("origin"),
        "target",
        _deciding(rules.rungs).alias("evidence"),
    )


def _deciding(rungs: tuple[Rung, ...]) -> pl.Expr:
    """The values of the condition that let a customer up to the highest rung reached, or down from the lowest lost."""
    deciding = pl.lit("{}")
    for rung in reversed(rungs[1:]):
        up = (pl.col("target_rank") == rung.rank) & (pl.col("rank") < rung.rank)
        down = (pl.col("target_rank") == rung.rank - 1) & (pl.col("rank") >= rung.rank)
        for condition, applies in ((rung.enter, up), (rung.leave, down)):
            if condition is not None:
                deciding = pl.when(applies).then(_values(condition)).otherwise(deciding)
    return deciding


def _values(condition: Condition) -> pl.Expr:
    names = sorted(condition.columns)
    return pl.struct(names).struct.json_encode() if names else pl.lit("{}")
