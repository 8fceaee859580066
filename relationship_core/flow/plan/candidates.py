"""Candidates: who is in an action's audience, and whether there is an occasion now.

The candidate columns that policies see beside every column of the customer's standing:

- ``campaign``, ``action``, ``purpose``, ``nature``, ``topic``, ``priority``, ``value``, ``weight``, ``cost``,
  ``our_minutes``, ``their_minutes``: the action's, and its campaign's;
- ``due``: whether there is an occasion; ``occasion``: its key, empty without one;
- ``expires_at``: when the engagement stops being worth it; null for never;
- ``per_customer``: the campaign's limit; null for none; ``engagements``: how many there were, but for those whose
  message failed or was stopped;
- ``held``: whether this very plan has put it into the outbox before; it stays there, whatever policies say;
- ``reachable``: whether a variant has a contact point; of the variant chosen ``variant`` (its place in the action),
  ``channel``, ``medium`` and ``address``, which are null where there is none;
- ``suppressed``: whether its address is suppressed for such a message; ``consent``: the state of consent for it;
- ``wish``: the relationship that the customer wants, or what the project assumes of those who were not asked;
- ``last_contact_at``: when the customer last got something from us, or is to get it; null for never. A message counts
  from when it went, while it waits as one of now, and as of its planning where it was held out;
- ``minimum_interval_days``: the shortest silence between contacts for the customer's stage and wish;
- ``cap``: the name of the cap that is reached, null for none; ``cap_until``: when it is not any more;
- ``contact_balance``: what we gave minus what we asked, as the ledger says; ``contact_balance_until``: when asks that
  fade may let it reach ``weight``, null where time alone does not;
- ``open_ask_at``: when the last ask was made that has no answer yet, null for none; ``open_ask_until``: when nobody
  waits for that any more;
- ``cost_minor``: what the engagement costs us, its minutes among it, in minor units;
- ``quiet_until``: when quiet hours end, null where there are none now; ``quiet_unknown``: whether they are those of
  the project's zone, since nothing tells the customer's;
- ``now``: the run's instant.
"""

from __future__ import annotations

import polars as pl

from relationship_core.columns import INSTANT
from relationship_core.errors import ConfigurationError
from relationship_core.flow.catalog import Catalog
from relationship_core.flow.rules import Rules, Trigger
from relationship_core.flow.standing import Moment

KEYS = ("campaign", "action", "customer", "occasion")
OWN_COLUMNS = frozenset(
    (
        *(*KEYS, "purpose", "nature", "topic", "priority", "value", "weight", "cost", "our_minutes", "their_minutes"),
        *("per_customer", "due", "expires_at", "now"),
    )
)
"""The columns that candidates begin with."""
CANDIDATE_COLUMNS = OWN_COLUMNS | frozenset(
    (
        *("engagements", "held", "reachable", "variant", "channel", "medium", "address", "suppressed", "consent"),
        *("wish", "last_contact_at", "minimum_interval_days", "cap", "cap_until"),
        *("contact_balance", "contact_balance_until", "open_ask_at", "open_ask_until", "cost_minor"),
        *("quiet_until", "quiet_unknown"),
    )
)
"""Every column that candidates have beside those of the standing."""
_CARRIED = frozenset({"left_out", "not_before", "room", "waits"})
"""What planning itself adds to candidates on the way, beside that."""
_HIDDEN = frozenset({"cost", "our_minutes", "their_minutes"})
"""Measures that come with the package: of a candidate the columns of these names are the campaign's."""
_DECLARED = frozenset({"attribute", "measure", "feature", "keyed feature", "score"})
"""The origins of columns that somebody else names."""
LEDGER_COLUMNS = frozenset({"given", "asked", "last_answer_at", "favour_open_last_at"})
"""The columns of a customer's standing that the ledger rests on, as far as anybody declares them."""

_PERIOD_FORMATS = {"day": "%Y-%m-%d", "month": "%Y-%m", "year": "%Y"}


def refuse_candidate_names(catalog: Catalog) -> None:
    """Refuse a column of the standing that has the name of a candidate's: policies know both by name alone.

    Raises:
        ConfigurationError: somebody declares one; the message names it.
    """
    taken = CANDIDATE_COLUMNS | _CARRIED
    for column in catalog.columns.values():
        hidden = column.origin == "measure" and column.name in _HIDDEN
        if column.origin in _DECLARED and column.name in taken and not hidden:
            message = (
                f"the {column.origin} {column.name!r} has the name of a column that planning gives every candidate; "
                f"give it another one, such as {'own_' + column.name!r}"
            )
            raise ConfigurationError(message)


def candidate_names(rules: Rules) -> frozenset[str]:
    """The columns of a customer's standing that tell who is in an audience, and whether there is an occasion."""
    names = {name for condition in rules.plan_conditions for name in condition.columns}
    return frozenset(names | rules.occasion_names | {"stage"})


def policy_names(rules: Rules) -> frozenset[str]:
    """The columns of a customer's standing that policies and the ledger rest on."""
    names = set(LEDGER_COLUMNS)
    for policy in rules.policies:
        for expression in policy.expressions:
            names |= set(expression.meta.root_names())
    return frozenset(names & rules.catalog.columns.keys() - OWN_COLUMNS)


def candidates(frame: pl.DataFrame, rules: Rules, moment: Moment) -> pl.DataFrame:
    """A row for each customer of each action's audience, with the action's columns beside the standing."""
    parts = [_audience(frame, trigger, moment) for trigger in rules.triggers]
    return pl.concat(parts) if parts else frame.clear()


def _audience(frame: pl.DataFrame, trigger: Trigger, moment: Moment) -> pl.DataFrame:
    campaign, action = trigger.campaign, trigger.action
    due = trigger.when.holds
    limit = campaign.limits
    return frame.filter(trigger.audience.holds).with_columns(
        pl.lit(campaign.name).alias("campaign"),
        pl.lit(action.name).alias("action"),
        pl.lit(campaign.purpose).alias("purpose"),
        pl.lit(campaign.nature).alias("nature"),
        pl.lit(campaign.priority, dtype=pl.Int64).alias("priority"),
        pl.lit(campaign.value, dtype=pl.Int64).alias("value"),
        pl.lit(campaign.topic).alias("topic"),
        pl.lit(campaign.weight).alias("weight"),
        pl.lit(campaign.cost.money, dtype=pl.Int64).alias("cost"),
        pl.lit(campaign.cost.our_minutes).alias("our_minutes"),
        pl.lit(campaign.cost.their_minutes).alias("their_minutes"),
        pl.lit(limit.per_customer, dtype=pl.Int64).alias("per_customer"),
        due.alias("due"),
        pl.when(due).then(_key(trigger, frame, moment)).otherwise(pl.lit("")).alias("occasion"),
        pl.when(due).then(_expires_at(trigger, frame, moment)).alias("expires_at"),
    )


def _key(trigger: Trigger, frame: pl.DataFrame, moment: Moment) -> pl.Expr:
    """The occasion's key as text; dates and instants in ISO form, a period as the project-local date says it."""
    key = trigger.action.occasion.key
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


def _in_zone(local: pl.Expr, zone: str) -> pl.Expr:
    return local.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")


def _expires_at(trigger: Trigger, frame: pl.DataFrame, moment: Moment) -> pl.Expr:
    """When the occasion has grown too old; counted from its beginning, or from now where it names none."""
    days = trigger.campaign.limits.expires_days
    if days is None:
        return pl.lit(None, dtype=INSTANT)
    since = trigger.action.occasion.since
    if not since:
        began = pl.col("now")
    elif frame.schema[since] == pl.Date:
        midnight = pl.col(since).cast(pl.Datetime("us"))
        # Where clocks go forward at midnight, the day begins an hour later.
        began = pl.coalesce(_in_zone(midnight, moment.zone), _in_zone(midnight + pl.duration(hours=1), moment.zone))
        began = began.dt.convert_time_zone("UTC")
    else:
        began = pl.col(since)
    return (began + pl.duration(days=days)).cast(INSTANT)
