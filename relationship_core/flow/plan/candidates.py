"""Candidates: who is in an action's audience, and whether there is an occasion now.

The candidate columns that policies see beside every column of the customer's standing:

- ``campaign``, ``action``, ``purpose``, ``nature``, ``topic``, ``priority``, ``value``, ``weight``, ``cost``,
  ``our_minutes``, ``their_minutes``: the action's, and its campaign's;
- ``due``: whether there is an occasion; ``occasion``: its key, empty without one;
- ``expires_at``: when the engagement stops being worth it; null for never;
- ``step_at``: of a follow-up, when the step before went; null for what has an occasion of its own;
- ``entered_at``: when the first step of this occasion was queued, of follow-ups and of campaigns with a goal; null
  before that, and elsewhere; ``goal_reached``: whether the campaign's goal holds;
- ``last_give_at``: when we last gave something, by a message that went or a deed; ``last_presence_at``: when the
  customer last had anything of ours but asks and offers; ``cleared_at``: when the one of both that settles the
  occasion was, null where none does; ``cleared_until``: until when it does, null for good; ``cleared_by``: what it
  was. All are null where no occasion of the project may be cleared;
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
  waits for that any more. A follow-up takes the place of what was asked on its own occasion before;
- ``cost_minor``: what the engagement costs us, its minutes among it, in minor units;
- ``quiet_until``: when quiet hours end, null where there are none now; ``quiet_unknown``: whether they are those of
  the project's zone, since nothing tells the customer's;
- ``now``: the run's instant.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from relationship_core.conditions import Condition
from relationship_core.flow.candidate_columns import CHANGES_AT, ENTERED_AT, OWN_COLUMNS, STEP_AT
from relationship_core.flow.contact.follow_ups import (
    after_steps,
    comes_at,
    due_changes_at,
    is_due,
    steps_of,
    with_changes,
)
from relationship_core.flow.rules import Rules, Trigger, step_names
from relationship_core.flow.standing import Moment
from relationship_core.model.campaign import After, Occasion
from relationship_core.table import INSTANT

LEDGER_COLUMNS = frozenset({"given", "asked", "last_answer_at", "favour_open_last_at"})
"""The columns of a customer's standing that the ledger rests on, as far as anybody declares them."""

_ADDED: Mapping[str, pl.DataType] = {
    **dict.fromkeys(("campaign", "action", "purpose", "nature", "topic", "occasion"), pl.String()),
    **dict.fromkeys(("priority", "value", "cost", "per_customer"), pl.Int64()),
    **dict.fromkeys(("weight", "our_minutes", "their_minutes"), pl.Float64()),
    **dict.fromkeys(("expires_at", STEP_AT, ENTERED_AT, CHANGES_AT), INSTANT),
    "due": pl.Boolean(),
}

_PERIOD_FORMATS = {"day": "%Y-%m-%d", "month": "%Y-%m", "year": "%Y"}


def candidate_names(rules: Rules) -> frozenset[str]:
    """The columns of a customer's standing that tell who is in an audience, and whether there is an occasion."""
    names = {name for condition in rules.plan_conditions for name in condition.columns}
    return frozenset(names | step_names(rules) | rules.occasion_names | {"stage"})


def policy_names(rules: Rules) -> frozenset[str]:
    """The columns of a customer's standing that policies and the ledger rest on."""
    names = set(LEDGER_COLUMNS)
    for policy in rules.policies:
        for expression in policy.expressions:
            names |= set(expression.meta.root_names())
    return frozenset(names & rules.catalog.columns.keys() - OWN_COLUMNS)


def candidates(frame: pl.DataFrame, rules: Rules, moment: Moment, messages: pl.DataFrame | None) -> pl.DataFrame:
    """A row for each customer of each action's audience, with the action's columns beside the standing.

    A follow-up has a row for each occasion on which the step before went to the customer, and none before that.

    Args:
        frame: the customers' standing.
        rules: the rules in force.
        moment: the run's instant.
        messages: what there is in the outbox for these customers; None where no campaign has follow-ups.
    """
    steps = None if messages is None else steps_of(messages, moment.now)
    # Campaigns of one audience share it.
    audiences: dict[Condition, pl.DataFrame] = {}
    parts = []
    for trigger in rules.triggers:
        if trigger.audience not in audiences:
            audiences[trigger.audience] = frame.filter(trigger.audience.holds)
        audience, occasion, after = audiences[trigger.audience], trigger.action.occasion, trigger.action.after
        if audience.is_empty():
            continue
        if occasion is not None:
            own = _on_occasion(audience, trigger, occasion, moment)
        elif after is not None and steps is not None:
            audience = after_steps(audience, trigger, after, steps)
            if audience.is_empty():
                continue
            audience = with_changes(audience, trigger.when, rules)
            own = _following(trigger, after)
        else:
            continue
        terms = {**_terms(trigger), **own}
        parts.append(audience.select(*frame.columns, *(terms.get(name, pl.col(name)).alias(name) for name in _ADDED)))
    if not parts:
        return frame.clear().with_columns(pl.lit(None, kind).alias(name) for name, kind in _ADDED.items())
    return pl.concat(parts)


def _on_occasion(audience: pl.DataFrame, trigger: Trigger, occasion: Occasion, moment: Moment) -> Mapping[str, pl.Expr]:
    due = trigger.when.holds
    expires_at = _expires_at(trigger, occasion, audience, moment)
    return {
        "due": due,
        "occasion": pl.when(due).then(_key(occasion, audience, moment)).otherwise(pl.lit("")),
        "expires_at": pl.when(due).then(expires_at),
        **dict.fromkeys((STEP_AT, ENTERED_AT, CHANGES_AT), pl.lit(None, INSTANT)),
    }


def _following(trigger: Trigger, after: After) -> Mapping[str, pl.Expr]:
    """What a row of ``after_steps`` and ``with_changes`` does not tell yet."""
    days = trigger.campaign.limits.expires_days
    expires_at = pl.lit(None, INSTANT) if days is None else comes_at(after) + pl.duration(days=days)
    return {
        "due": is_due(trigger, after),
        "expires_at": expires_at.cast(INSTANT),
        CHANGES_AT: due_changes_at(after),
    }


def _terms(trigger: Trigger) -> Mapping[str, pl.Expr]:
    """What the campaign says of each of its candidates."""
    campaign = trigger.campaign
    said = {
        "campaign": campaign.name,
        "action": trigger.action.name,
        "purpose": campaign.purpose,
        "nature": campaign.nature,
        "topic": campaign.topic,
        "priority": campaign.priority,
        "value": campaign.value,
        "cost": campaign.cost.money,
        "per_customer": campaign.limits.per_customer,
        "weight": campaign.weight,
        "our_minutes": campaign.cost.our_minutes,
        "their_minutes": campaign.cost.their_minutes,
    }
    return {name: pl.lit(value, dtype=_ADDED[name]) for name, value in said.items()}


def _key(occasion: Occasion, frame: pl.DataFrame, moment: Moment) -> pl.Expr:
    """The occasion's key as text; dates and instants in ISO form, a period as the project-local date says it."""
    key = occasion.key
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


def _expires_at(trigger: Trigger, occasion: Occasion, frame: pl.DataFrame, moment: Moment) -> pl.Expr:
    """When the occasion has grown too old; counted from its beginning, or from now where it names none."""
    days = trigger.campaign.limits.expires_days
    if days is None:
        return pl.lit(None, dtype=INSTANT)
    return (began_at(occasion, frame, moment) + pl.duration(days=days)).cast(INSTANT)


def began_at(occasion: Occasion, frame: pl.DataFrame, moment: Moment) -> pl.Expr:
    """When the occasion began: a date with its local day, and now where nothing says so."""
    since = occasion.since
    if not since:
        return pl.col("now")
    if frame.schema[since] != pl.Date:
        return pl.col(since)
    midnight = pl.col(since).cast(pl.Datetime("us"))
    # Where clocks go forward at midnight, the day begins an hour later.
    began = pl.coalesce(_in_zone(midnight, moment.zone), _in_zone(midnight + pl.duration(hours=1), moment.zone))
    return began.dt.convert_time_zone("UTC")
