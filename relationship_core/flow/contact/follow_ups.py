"""Steps: follow-ups, which come after what went to a customer, and goals, with which a campaign is over for them.

What a customer got of a campaign tells two instants, which are columns of candidates: ``step_at``, when the step
before went, and ``entered_at``, when the first step of the occasion was queued. A message that was held out went at
the time at which it was planned, so that both arms wait for what follows alike.

A plan that is repeated at its instant must decide the same again: messages that were queued at this very instant
are not looked at here. Whoever has such a one that went is looked at again with the next plan (``met_again``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import polars as pl

from relationship_core.conditions import Condition
from relationship_core.crossing import SMALLEST_DAYS
from relationship_core.flow.candidate_columns import CHANGES_AT, ENTERED_AT, GOAL_REACHED, KEYS, STEP_AT
from relationship_core.flow.message_states import FAILED, GONE_STATES, HELD_OUT
from relationship_core.flow.rules import Rules, Trigger, rests_on_steps
from relationship_core.model.campaign import After
from relationship_core.model.reasons import Reason
from relationship_core.table import INSTANT

WAITING = "waiting"
"""The reason of a follow-up whose time has not come, or whose condition does not hold yet."""

WENT_STATES = (*GONE_STATES, HELD_OUT)
"""The states of a message after which the next step may come."""

_ENTRY = ("campaign", "customer", "occasion")
_ROW = "__row"
_CHANGES = "changes:"


def steps_of(messages: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """What went to customers before now: KEYS with ``step_at`` and ``entered_at``, once each.

    Args:
        messages: rows of MESSAGES.
        now: the run's instant.
    """
    earlier = messages.filter(pl.col("queued_at") != now)
    went = earlier.filter(pl.col("state").is_in(WENT_STATES))
    return (
        went.group_by(KEYS)
        .agg(pl.coalesce("settled_at", "queued_at").max().alias(STEP_AT))
        .join(entries_of(earlier), on=_ENTRY, how="left")
        .sort(KEYS)
    )


def entries_of(messages: pl.DataFrame) -> pl.DataFrame:
    """When the first message of each campaign, customer and occasion was queued, as ``entered_at``.

    A message that could not be rendered was none.
    """
    entered = messages.filter(pl.col("state") != FAILED)
    return entered.group_by(_ENTRY).agg(pl.col("queued_at").min().alias(ENTERED_AT))


def met_again(messages: pl.DataFrame, followed: Iterable[str], now: datetime) -> pl.Series:
    """The customers who have a message of this very instant that went, of a campaign with follow-ups."""
    of_now = (pl.col("queued_at") == now) & pl.col("state").is_in(WENT_STATES)
    return messages.filter(of_now & pl.col("campaign").is_in(list(followed)))["customer"].unique().sort()


def after_steps(audience: pl.DataFrame, trigger: Trigger, after: After, steps: pl.DataFrame) -> pl.DataFrame:
    """A row for each occasion on which the step before went to a customer, with ``occasion`` and when that was.

    Args:
        audience: the customers of the campaign's audience.
        trigger: the follow-up.
        after: what it comes after.
        steps: what went to them, as ``steps_of`` gives it.
    """
    before = steps.filter((pl.col("campaign") == trigger.campaign.name) & (pl.col("action") == after.action))
    told = before.select("customer", "occasion", STEP_AT, ENTERED_AT)
    return audience.join(told, on="customer", maintain_order="left_right")


def comes_at(after: After) -> pl.Expr:
    """The instant before which a follow-up is not due."""
    return (pl.col(STEP_AT) + pl.duration(days=after.days)).cast(INSTANT)


def is_due(trigger: Trigger, after: After) -> pl.Expr:
    """Whether a follow-up is due."""
    return (comes_at(after) <= pl.col("now")) & trigger.when.holds


def due_changes_at(after: After) -> pl.Expr:
    """When time alone may change whether a follow-up is due, as far as review does not see to that.

    Needs what ``with_changes`` adds for its condition.
    """
    ahead = comes_at(after) > pl.col("now")
    return pl.when(ahead).then(comes_at(after)).otherwise(_CHANGES).cast(INSTANT)


def with_changes(rows: pl.DataFrame, condition: Condition, rules: Rules | None) -> pl.DataFrame:
    """Add when time alone may change a condition that messages tell as well; null for others, and without rules."""
    if rules is None or rows.is_empty() or not rests_on_steps(condition):
        return rows.with_columns(pl.lit(None, INSTANT).alias(_CHANGES))
    wait = rules.days_until_change(condition)
    made = rows.with_columns(expression.alias(name) for name, expression in wait.parts.items())
    at = pl.col("now") + pl.duration(days=wait.days.clip(lower_bound=SMALLEST_DAYS))
    # To the minute, so that a decision stays the same when it is looked at again.
    minute = pl.col(_CHANGES).dt.truncate("1m")
    changes = pl.when(minute > pl.col("now")).then(minute).otherwise(_CHANGES)
    return made.with_columns(at.cast(INSTANT).alias(_CHANGES)).with_columns(changes.alias(_CHANGES))


def goals_of(rules: Rules) -> Mapping[str, Condition]:
    """The goal of each campaign that has one."""
    return {each.campaign.name: each.goal for each in rules.triggers if each.goal is not None}


def with_goals(
    rows: pl.DataFrame, messages: pl.DataFrame, goals: Mapping[str, Condition], rules: Rules | None
) -> pl.DataFrame:
    """Add ``goal_reached``; rows of campaigns with a goal get ``entered_at``.

    Args:
        rows: with KEYS, ``entered_at``, ``changes_at``, and the columns of customers that the goals name.
        messages: the messages of these customers that count as entries.
        goals: the goal of each campaign that has one.
        rules: the rules in force, for ``changes_at`` to tell when a goal may be lost or reached by time alone; None
            where nobody wants to know.
    """
    concerned = sorted(goals.keys() & set(rows["campaign"].unique()))
    if not concerned:
        return rows.with_columns(pl.lit(value=False).alias(GOAL_REACHED))
    entries = entries_of(messages.filter(pl.col("campaign").is_in(concerned)))
    numbered = rows.with_row_index(_ROW)
    parts = []
    for campaign in concerned:
        own = numbered.filter(pl.col("campaign") == campaign).drop(ENTERED_AT)
        goal = goals[campaign]
        entered = own.join(entries, on=_ENTRY, how="left", maintain_order="left")
        parts.append(
            with_changes(entered, goal, rules).select(
                _ROW, pl.col(ENTERED_AT).alias("entered:"), goal.holds.alias(GOAL_REACHED), _CHANGES
            )
        )
    return (
        numbered.join(pl.concat(parts), on=_ROW, how="left", maintain_order="left")
        .with_columns(
            pl.coalesce("entered:", ENTERED_AT).alias(ENTERED_AT),
            pl.col(GOAL_REACHED).fill_null(value=False),
            pl.min_horizontal(_CHANGES, CHANGES_AT).alias(CHANGES_AT),
        )
        .drop(_ROW, "entered:", _CHANGES)
    )


def waiting_follow_ups(idle: pl.DataFrame, messages: pl.DataFrame, rules: Rules, now: datetime) -> pl.DataFrame:
    """Follow-ups that are not due and have no message, with ``reason``, ``detail`` and ``until``.

    Args:
        idle: candidates that are not due.
        messages: rows of MESSAGES of these customers.
        rules: the rules in force.
        now: the run's instant.
    """
    later = idle.filter(pl.col(STEP_AT).is_not_null())
    left = later.join(messages.select(KEYS), on=KEYS, how="anti", maintain_order="left")
    rows = with_goals(left, messages.filter(pl.col("queued_at") != now), goals_of(rules), rules)
    over = (pl.col("expires_at") <= pl.col("now")).fill_null(value=False)
    reason = pl.when(over).then(pl.lit(Reason.EXPIRED)).when(GOAL_REACHED).then(pl.lit(Reason.GOAL_REACHED))
    waits = ~over & ~pl.col(GOAL_REACHED)
    return rows.with_columns(
        reason.otherwise(pl.lit(WAITING)).alias("reason"),
        pl.when(waits).then(_detail(rules)).otherwise(pl.lit("")).alias("detail"),
        pl.lit(None, INSTANT).alias("until"),
    )


def _detail(rules: Rules) -> pl.Expr:
    told = []
    for trigger in rules.triggers:
        after = trigger.action.after
        if after is not None:
            own = (pl.col("campaign") == trigger.campaign.name) & (pl.col("action") == trigger.action.name)
            ahead = own & (comes_at(after) > pl.col("now"))
            told.append(pl.when(ahead).then(pl.lit(f"{after.days:g} days after {after.action}")))
            told.append(pl.when(own).then(pl.lit(f"after {after.action}, until its condition holds")))
    return pl.coalesce(told) if told else pl.lit("")
