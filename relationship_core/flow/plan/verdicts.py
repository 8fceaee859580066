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
ALREADY_DONE = "already_done"
"""The reason of one beyond the campaign's limit for a customer."""


def with_reasons(candidates: pl.DataFrame, policies: tuple[Policy, ...]) -> pl.DataFrame:
    """Add ``reason``, ``detail`` and ``until`` of the first policy that refuses; a null reason passed them all.

    What this very plan has put in the outbox before (``held``) stays there, whatever policies say.

    Raises:
        ConfigurationError: a policy fails.
    """
    reason, detail, until = pl.lit(None, dtype=pl.String), pl.lit(""), pl.lit(None, dtype=INSTANT)
    for policy in reversed(policies):
        refuses = policy.refuses.fill_null(value=False) & _holds_for(policy) & ~pl.col("held")
        reason = pl.when(refuses).then(pl.lit(policy.name)).otherwise(reason)
        detail = pl.when(refuses).then(policy.detail if policy.detail is not None else pl.lit("")).otherwise(detail)
        own_until = policy.until if policy.until is not None else pl.lit(None, dtype=INSTANT)
        until = pl.when(refuses).then(own_until).otherwise(until)
    try:
        return candidates.with_columns(
            reason.alias("reason"), detail.alias("detail"), until.cast(INSTANT).alias("until")
        )
    except Exception as error:  # the core owns every try around plugin code, which may call its own functions
        names = " or ".join(repr(policy.name) for policy in policies if _fails(candidates, policy))
        message = f"the policy {names} failed with {type(error).__name__}; mend its plugin or disable it"
        raise ConfigurationError(message) from error


def _fails(candidates: pl.DataFrame, policy: Policy) -> bool:
    parts = [part for part in (policy.refuses, policy.until, policy.detail) if part is not None]
    try:
        candidates.select(part.alias(f"{number}") for number, part in enumerate(parts))
    except Exception:  # noqa: BLE001  what it raised is told by its type
        return True
    return False


def _holds_for(policy: Policy) -> pl.Expr:
    return pl.col("purpose").is_in(policy.purposes) & pl.col("nature").is_in(policy.natures)


def arbitrate(candidates: pl.DataFrame) -> pl.DataFrame:
    """Give each customer's slot to one candidate; the others are outranked.

    Order: what this very plan has queued before, then service, then give before neutral before ask, then
    priority, then expected value, then names, so that nothing depends on the order of files. Service messages
    never give way, but no campaign exceeds its limit for the customer.
    """
    passed = candidates.filter(pl.col("reason").is_null())
    ranked = passed.sort(
        "customer",
        ~pl.col("held"),
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
    wins = (pl.col("place") == 0) | (pl.col("purpose") == "service") | pl.col("held")
    with_this_one = pl.col("engagements") + wins.cum_sum().over("customer", "campaign")
    too_many = (wins & ~pl.col("held") & (with_this_one > pl.col("per_customer"))).fill_null(value=False)
    judged = ranked.with_columns(
        pl.when(too_many)
        .then(pl.lit(ALREADY_DONE))
        .when(wins)
        .then(pl.lit(DUE))
        .otherwise(pl.lit(OUTRANKED))
        .alias("reason"),
        pl.when(wins).then(pl.lit("")).otherwise(pl.col("winner")).alias("detail"),
        pl.when(~wins).then(_after_the_interval()).cast(INSTANT).alias("until"),
    ).drop("place", "winner")
    return pl.concat([judged, candidates.filter(pl.col("reason").is_not_null())])


def _after_the_interval() -> pl.Expr:
    """When the interval after a contact of now is over; without an interval, in any later plan."""
    interval = pl.duration(days=pl.col("minimum_interval_days"))
    return pl.col("now") + pl.max_horizontal(interval, pl.duration(microseconds=1))


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
