"""Verdicts: each policy may refuse, then one action at most gets a customer's slot."""

from __future__ import annotations

import polars as pl

from relationship_core.columns import DECISIONS, INSTANT
from relationship_core.declarations import Policy
from relationship_core.errors import ConfigurationError

DUE = "due"
"""The reason of a planned engagement."""
OUTRANKED = "outranked"
"""The reason of one that gave way to another for the same customer."""
A_DAY = 1.0


def with_reasons(candidates: pl.DataFrame, policies: tuple[Policy, ...]) -> pl.DataFrame:
    """Add ``reason``, ``detail`` and ``until`` of the first policy that refuses; a null reason passed them all.

    Raises:
        ConfigurationError: a policy fails.
    """
    reason, detail, until = pl.lit(None, dtype=pl.String), pl.lit(""), pl.lit(None, dtype=INSTANT)
    for policy in reversed(policies):
        refuses = policy.refuses.fill_null(value=False) & _holds_for(policy)
        reason = pl.when(refuses).then(pl.lit(policy.name)).otherwise(reason)
        detail = (
            pl.when(refuses)
            .then(policy.detail if policy.detail is not None else pl.lit(""))
            .otherwise(detail)
        )
        own_until = policy.until if policy.until is not None else pl.lit(None, dtype=INSTANT)
        until = pl.when(refuses).then(own_until).otherwise(until)
    try:
        return candidates.with_columns(
            reason.alias("reason"), detail.alias("detail"), until.cast(INSTANT).alias("until")
        )
    except pl.exceptions.PolarsError as error:
        names = ", ".join(policy.name for policy in policies)
        message = (
            f"one of the policies {names} failed with {type(error).__name__}; mend its plugin or disable it"
        )
        raise ConfigurationError(message) from error


def _holds_for(policy: Policy) -> pl.Expr:
    return pl.col("purpose").is_in(policy.purposes) & pl.col("nature").is_in(policy.natures)


def arbitrate(candidates: pl.DataFrame) -> pl.DataFrame:
    """Give each customer's slot to one candidate; the others are outranked.

    Order: service, then give before neutral before ask, then priority, then expected value, then names, so
    that nothing depends on the order of files. Service messages never give way.
    """
    passed = candidates.filter(pl.col("reason").is_null())
    ranked = passed.sort(
        "customer",
        pl.col("purpose") != "service",
        pl.col("nature").replace_strict({"give": 0, "neutral": 1, "ask": 2}, return_dtype=pl.Int8),
        -pl.col("priority"),
        -pl.col("value"),
        "campaign",
        "action",
        "occasion",
    ).with_columns(
        pl.int_range(pl.len()).over("customer").alias("place"),
        pl.col("campaign").first().over("customer").alias("winner"),
    )
    wins = (pl.col("place") == 0) | (pl.col("purpose") == "service")
    wait = pl.max_horizontal(pl.col("minimum_interval_days"), pl.lit(A_DAY))
    again = pl.col("now") + pl.duration(microseconds=(wait * 86_400_000_000).cast(pl.Int64))
    judged = ranked.with_columns(
        pl.when(wins).then(pl.lit(DUE)).otherwise(pl.lit(OUTRANKED)).alias("reason"),
        pl.when(wins).then(pl.lit("")).otherwise(pl.col("winner")).alias("detail"),
        pl.when(~wins).then(again).cast(INSTANT).alias("until"),
    ).drop("place", "winner")
    return pl.concat([judged, candidates.filter(pl.col("reason").is_not_null())])


def decisions(judged: pl.DataFrame) -> pl.DataFrame:
    """Rows of DECISIONS. A refusal is looked at again when it may lift, and when the occasion expires."""
    planned = pl.col("reason") == DUE
    expiry = pl.when(pl.col("expires_at") > pl.col("now")).then(pl.col("expires_at"))
    return judged.select(
        "campaign",
        "action",
        "customer",
        "occasion",
        pl.when(planned).then(pl.lit("planned")).otherwise(pl.lit("skipped")).alias("verdict"),
        "reason",
        "detail",
        pl.when(~planned).then(pl.min_horizontal("until", expiry)).cast(INSTANT).alias("until"),
        pl.col("now").alias("at"),
    ).select(list(DECISIONS.schema))
