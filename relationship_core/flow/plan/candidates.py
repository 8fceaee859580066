"""Candidates: who is in an action's audience, and whether there is an occasion now.

The candidate columns that policies see beside every column of the customer's standing:

- ``campaign``, ``action``, ``purpose``, ``nature``, ``priority``, ``value``: the action's;
- ``due``: whether there is an occasion; ``occasion``: its key, empty without one;
- ``expires_at``: when the engagement stops being worth it; null for never;
- ``per_customer``: the campaign's limit; null for none; ``engagements``: how many there were, but for failed ones;
- ``reachable``: whether a variant has a contact point; ``suppressed``: whether all of those are suppressed;
- ``last_contact_at``: when the customer last got something from us; null for never;
- ``minimum_interval_days``: the shortest silence between contacts for the customer's stage;
- ``now``: the run's instant.
"""

from __future__ import annotations

import polars as pl

from relationship_core.columns import INSTANT
from relationship_core.flow.rules import Rules, Step
from relationship_core.flow.standing import Moment

KEYS = ("campaign", "action", "customer", "occasion")

_PERIOD_FORMATS = {"day": "%Y-%m-%d", "month": "%Y-%m", "year": "%Y"}


def candidate_names(rules: Rules) -> frozenset[str]:
    """The columns of a customer's standing that planning reads."""
    known = rules.catalog.columns
    names = {name for condition in rules.plan_conditions for name in condition.columns}
    for step in rules.steps:
        names |= {step.action.occasion.key, step.action.occasion.since} & known.keys()
    for policy in rules.policies:
        for expression in (policy.refuses, policy.until, policy.detail):
            if expression is not None:
                names |= set(expression.meta.root_names()) & known.keys()
    return frozenset(names | {"stage"})


def candidates(frame: pl.DataFrame, rules: Rules, moment: Moment) -> pl.DataFrame:
    """A row for each customer of each action's audience, with the action's columns beside the standing."""
    parts = [_audience(frame, step, moment) for step in rules.steps]
    return pl.concat(parts) if parts else frame.clear()


def _audience(frame: pl.DataFrame, step: Step, moment: Moment) -> pl.DataFrame:
    campaign, action = step.campaign, step.action
    due = step.when.holds
    limit = campaign.limits
    return frame.filter(step.audience.holds).with_columns(
        pl.lit(campaign.name).alias("campaign"),
        pl.lit(action.name).alias("action"),
        pl.lit(campaign.purpose).alias("purpose"),
        pl.lit(campaign.nature).alias("nature"),
        pl.lit(campaign.priority, dtype=pl.Int64).alias("priority"),
        pl.lit(campaign.value, dtype=pl.Int64).alias("value"),
        pl.lit(limit.per_customer, dtype=pl.Int64).alias("per_customer"),
        due.alias("due"),
        pl.when(due).then(_key(step, frame, moment)).otherwise(pl.lit("")).alias("occasion"),
        pl.when(due).then(_expires_at(step, frame, moment)).alias("expires_at"),
    )


def _key(step: Step, frame: pl.DataFrame, moment: Moment) -> pl.Expr:
    """The occasion's key as text; dates and instants in ISO form, a period as the project-local date says it."""
    key = step.action.occasion.key
    if key == "once":
        return pl.lit("once")
    if key in _PERIOD_FORMATS:
        return pl.lit(moment.local_date.strftime(_PERIOD_FORMATS[key]))
    dtype = frame.schema[key]
    if dtype == INSTANT:
        text = pl.col(key).dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
    elif dtype == pl.Date:
        text = pl.col(key).dt.strftime("%Y-%m-%d")
    else:
        text = pl.col(key).cast(pl.String)
    return text.fill_null("none")


def _expires_at(step: Step, frame: pl.DataFrame, moment: Moment) -> pl.Expr:
    """When the occasion has grown too old; counted from its beginning, or from now where it names none."""
    days = step.campaign.limits.expires_days
    if days is None:
        return pl.lit(None, dtype=INSTANT)
    since = step.action.occasion.since
    if not since:
        began = pl.col("now")
    elif frame.schema[since] == pl.Date:
        began = (
            pl.col(since)
            .cast(pl.Datetime("us"))
            .dt.replace_time_zone(moment.zone, ambiguous="earliest", non_existent="null")
        )
        began = began.dt.convert_time_zone("UTC")
    else:
        began = pl.col(since)
    return (began + pl.duration(days=days)).cast(INSTANT)
