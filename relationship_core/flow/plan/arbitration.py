"""Arbitration: of all that may go ahead, one action at most gets a customer's slot, and no budget is exceeded.

Customers have an order of what they get: what this very plan has queued before, then service, then give before
neutral before ask, then priority, then expected value, then names. Budgets have an order of customers: by id. The two
are brought together by deferred acceptance: every customer takes the first in their order, a campaign that cannot pay
for all keeps the first in its own, and who was turned away takes the next. As the engagements of one campaign have one
value and one cost, this gives what going through customers by id would give, one after the other; nothing depends on
pages or on the order of files.

Service messages never give way; no campaign exceeds its limit for the customer.

The algorithm is that of Gale and Shapley, "College Admissions and the Stability of Marriage" (1962).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from relationship_core.flow.contact.verdicts import DUE, HELD_OUT
from relationship_core.flow.plan.caps import beyond_caps
from relationship_core.flow.plan.holdout import Holdout, left_out
from relationship_core.model.reasons import Reason
from relationship_core.table import INSTANT

OUTRANKED = "outranked"
"""The reason of one that gave way to another for the same customer."""
BUDGET = "budget"
"""The reason of one that the campaign's budget does not pay for any more."""

_NATURES = {"give": 0, "neutral": 1, "ask": 2}
_WINNER = ("campaign", "claim", "purpose", "nature", "priority", "value")


def arbitrate(
    passed: pl.DataFrame, *, rooms: Mapping[str, int], holdout: Holdout, owners: Mapping[str, str]
) -> pl.DataFrame:
    """Decide about candidates that no policy refuses: give them ``reason``, ``detail`` and ``until``.

    Args:
        passed: candidates, all of each of their customers, with ``held`` and ``left_out``.
        rooms: how many more engagements the budget of each campaign pays for; the others have no budget.
        holdout: who is left out. It is asked after arbitration, so that who is left out loses the slot to nobody;
            their place within a budget is taken into account, but not spent.
        owners: who answers for each campaign.
    """
    budgeted = pl.col("campaign").is_in(list(rooms))
    ranked = _ranked(passed)
    judged = _with_slots(left_out(ranked, holdout, budgeted) if rooms else ranked)
    while rooms and not (turned := _turned_away(judged, rooms)).is_empty():
        judged = _again(judged, turned)
    judged = left_out(judged, holdout, pl.col("wins") & ~budgeted)
    return _told(judged, owners, [name for name, room in rooms.items() if not room]).drop(
        "claim", "rank", "unpaid", "wins", "too_many", "capped"
    )


def _ranked(passed: pl.DataFrame) -> pl.DataFrame:
    """The candidates in the order of claims, which ``claim`` counts; ``rank`` takes what is queued already first."""
    ordered = passed.sort(
        "customer",
        pl.col("purpose") != "service",
        pl.col("nature").replace_strict(_NATURES, return_dtype=pl.Int8),
        -pl.col("priority"),
        -pl.col("value"),
        "campaign",
        "action",
        "occasion",
    ).with_columns(pl.int_range(pl.len()).alias("claim"))
    if ordered["held"].any():
        ordered = ordered.sort("customer", ~pl.col("held"), "claim")
    return ordered.with_columns(pl.int_range(pl.len()).alias("rank"), pl.lit(value=False).alias("unpaid"))


def _with_slots(ranked: pl.DataFrame) -> pl.DataFrame:
    """Add ``wins`` and ``too_many``: what each customer takes of what the budgets have not refused."""
    open_ = ~pl.col("unpaid")
    firm = open_ & (pl.col("held") | (pl.col("purpose") == "service"))
    first = pl.col("rank") == pl.when("free").then("rank").min().over("customer")
    return (
        ranked.with_columns(firm.alias("firm"))
        .pipe(_with_engagements)
        .with_columns(
            (pl.col("firm") & ~pl.col("held") & (pl.col("with_this") > pl.col("per_customer")))
            .fill_null(value=False)
            .alias("too_many")
        )
        .with_columns(
            (pl.col("firm") & ~pl.col("too_many")).alias("takes"),
            (~pl.col("firm") & open_ & ~(pl.col("with_this") >= pl.col("per_customer")).fill_null(value=False)).alias(
                "free"
            ),
        )
        .pipe(_within_caps)
        .with_columns(pl.col("takes").any().over("customer").alias("taken"))
        .with_columns(
            (pl.col("takes") | (pl.col("free") & first & ~pl.col("taken"))).alias("wins"),
            (pl.col("too_many") | (~pl.col("firm") & open_ & ~pl.col("free") & ~pl.col("taken"))).alias("too_many"),
        )
        .drop("firm", "with_this", "takes", "free", "taken")
    )


def _with_engagements(ranked: pl.DataFrame) -> pl.DataFrame:
    """Add ``with_this``: how many of the campaign the customer has had, with what is firm up to this one."""
    if not ranked.select((pl.col("firm") & pl.col("per_customer").is_not_null()).any()).item():
        return ranked.with_columns(pl.col("engagements").alias("with_this"))  # nothing is counted against a limit
    firm = pl.col("firm").cum_sum().over("customer", "campaign")
    return ranked.with_columns((pl.col("engagements") + firm).alias("with_this"))


def _within_caps(ranked: pl.DataFrame) -> pl.DataFrame:
    """Add ``capped``, the cap that a taker would exceed beside those of the customer's that go before it."""
    takers = ranked.filter("takes").sort("rank")
    full = takers.select("rank", "held").with_columns(beyond_caps(takers).alias("capped"))
    full = full.filter(pl.col("capped").is_not_null() & ~pl.col("held")).drop("held")
    return ranked.join(full, on="rank", how="left", maintain_order="left").with_columns(
        pl.col("takes") & pl.col("capped").is_null()
    )


def _turned_away(judged: pl.DataFrame, rooms: Mapping[str, int]) -> pl.DataFrame:
    """``rank`` and ``customer`` of the winners that the budgets of their campaigns do not pay for."""
    room = pl.col("campaign").replace_strict(dict(rooms), return_dtype=pl.Int64)
    claims = (
        judged.filter(pl.col("wins") & ~pl.col("held") & pl.col("campaign").is_in(list(rooms)))
        .sort("campaign", "rank")
        .with_columns(pl.col("left_out").is_null().cast(pl.Int64).alias("pays"))
    )
    ahead = pl.col("pays").cum_sum().over("campaign") - pl.col("pays")
    return claims.filter(ahead >= room).select("rank", "customer")


def _again(judged: pl.DataFrame, turned: pl.DataFrame) -> pl.DataFrame:
    """Let the customers who were turned away take what is next; the others keep what they have."""
    concerned = judged.join(turned.select("customer").unique(), on="customer", how="semi", maintain_order="left")
    others = judged.join(turned.select("customer").unique(), on="customer", how="anti", maintain_order="left")
    unpaid = pl.col("unpaid") | pl.col("rank").is_in(turned["rank"].implode())
    again = _with_slots(concerned.drop("wins", "too_many", "capped").with_columns(unpaid)).select(others.columns)
    return pl.concat([others, again])


def _told(judged: pl.DataFrame, owners: Mapping[str, str], full: Sequence[str]) -> pl.DataFrame:
    """Give each candidate its reason; who was outranked is told by whom, whose that is, and why.

    What gives way to a worse claim that was queued before, and has no money, did so for the money: a repeated plan
    tells the same as the first.
    """
    winners = judged.filter("wins").sort("rank").unique("customer", keep="first", maintain_order=True)
    against = winners.select("customer", *(pl.col(name).alias(f"winner_{name}") for name in _WINNER))
    wins, too_many, left = pl.col("wins"), pl.col("too_many"), pl.col("left_out").is_not_null()
    behind = (pl.col("winner_claim") > pl.col("claim")).fill_null(value=False)
    reason = (
        pl.when(wins & left)
        .then(pl.lit(HELD_OUT))
        .when(wins)
        .then(pl.lit(DUE))
        .when(pl.col("unpaid") | (behind & ~too_many & pl.col("campaign").is_in(full)))
        .then(pl.lit(BUDGET))
        .when(too_many)
        .then(pl.lit(Reason.ALREADY_DONE))
        .when(pl.col("capped").is_not_null())
        .then(pl.lit(Reason.FREQUENCY_CAP))
        .otherwise(pl.lit(OUTRANKED))
    )
    outranked = pl.col("reason") == OUTRANKED
    return (
        judged.join(against, on="customer", how="left", maintain_order="left")
        .with_columns(reason.alias("reason"))
        .with_columns(
            pl.when(wins & left)
            .then("left_out")
            .when(outranked)
            .then(_against(owners))
            .when(pl.col("reason") == Reason.FREQUENCY_CAP)
            .then("capped")
            .when(wins)
            .then("waits")
            .otherwise(pl.lit(""))
            .alias("detail"),
            pl.when(outranked)
            .then(_after_the_interval())
            .when(pl.col("reason") == Reason.FREQUENCY_CAP)
            .then(pl.col("now") + pl.duration(microseconds=1))
            .cast(INSTANT)
            .alias("until"),
        )
        .drop(against.drop("customer").columns)
    )


def _against(owners: Mapping[str, str]) -> pl.Expr:
    """The campaign that won, its owner, and the first in the order in which it is ahead."""
    owner = pl.col("winner_campaign").replace_strict(dict(owners), default="", return_dtype=pl.String)
    why = (
        pl.when(pl.col("winner_claim") > pl.col("claim"))
        .then(pl.lit("it was planned already"))
        .when(pl.col("winner_purpose") != pl.col("purpose"))
        .then(pl.lit("service goes before marketing"))
        .when(pl.col("winner_nature") != pl.col("nature"))
        .then(pl.format("{} goes before {}", pl.col("winner_nature"), pl.col("nature")))
        .when(pl.col("winner_priority") != pl.col("priority"))
        .then(pl.format("priority {} goes before {}", pl.col("winner_priority"), pl.col("priority")))
        .when(pl.col("winner_value") != pl.col("value"))
        .then(pl.format("value {} goes before {}", pl.col("winner_value"), pl.col("value")))
        .otherwise(pl.lit("the order of names decides between equals"))
    )
    return pl.format("{} of {}: {}", pl.col("winner_campaign"), owner, why)


def _after_the_interval() -> pl.Expr:
    """When the interval after a contact of now is over; without an interval, in any later plan."""
    interval = pl.duration(days=pl.col("minimum_interval_days"))
    return pl.col("now") + pl.max_horizontal(interval, pl.duration(microseconds=1))
