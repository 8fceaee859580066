"""Recall: what history tells of a time in the past, about one customer and the campaigns, and what it does not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import polars as pl

from relationship_core.columns import DECISIONS, MESSAGES, TRANSITIONS, Page
from relationship_core.flow.objects import as_decisions, as_transitions
from relationship_core.flow.report.explained import ActionView, Explanation, MessageView
from relationship_core.flow.rules import Rules, Trigger
from relationship_core.ports import Store

_VALUES = (
    "What measures and scores were then is not kept, and so neither is who was in an audience, and on what occasion."
)
_REPLACED = "{} was decided again later; what was decided about it before that is not kept."


def recalled(store: Store, rules: Rules, page: Page, triggers: Sequence[Trigger], as_of: datetime) -> Explanation:
    """What was decided, sent and moved until an instant before the last record.

    Args:
        store: where the project lives.
        rules: the rules in force.
        page: the customer.
        triggers: the actions asked about.
        as_of: the instant.
    """
    moves = store.read(TRANSITIONS, page=page).filter(pl.col("at") <= as_of).sort("at", descending=True)
    decided = store.read(DECISIONS, page=page).sort("at", descending=True)
    sent = store.read(MESSAGES, page=page).filter(pl.col("queued_at") <= as_of)
    later = decided.filter((pl.col("at") > as_of) & (pl.col("occasion") != ""))
    then, were = decided.filter(pl.col("at") <= as_of), with_states_of(sent, as_of)
    asked = {(trigger.campaign.name, trigger.action.name) for trigger in triggers}
    replaced = sorted(set(later.select("campaign", "action").iter_rows()) & asked)
    return Explanation(
        customer=page.first,
        as_of=as_of,
        stage=str(moves["target"][0]) if moves.height else rules.catalog.ladder.names[0],
        actions=tuple(_action(trigger, then, were) for trigger in triggers),
        moves=as_transitions(moves),
        untold=(_VALUES, *(_REPLACED.format(f"{campaign} / {action}") for campaign, action in replaced)),
    )


def _action(trigger: Trigger, decided: pl.DataFrame, sent: pl.DataFrame) -> ActionView:
    own = own_rows(trigger)
    return ActionView(
        campaign=trigger.campaign.name,
        action=trigger.action.name,
        owner=trigger.campaign.owner,
        addressed=None,
        due=None,
        decisions=as_decisions(decided.filter(own)),
        messages=message_views(sent.filter(own)),
    )


def with_states_of(sent: pl.DataFrame, as_of: datetime) -> pl.DataFrame:
    """Rows of MESSAGES as they were: what was settled later was queued still."""
    settled = pl.col("settled_at") <= as_of
    return sent.with_columns(
        pl.when(settled).then("state").otherwise(pl.lit("queued")).alias("state"),
        pl.when(settled).then("detail").otherwise(pl.lit("")).alias("detail"),
    )


def own_rows(trigger: Trigger) -> pl.Expr:
    """Rows of DECISIONS or MESSAGES about this action."""
    return (pl.col("campaign") == trigger.campaign.name) & (pl.col("action") == trigger.action.name)


def message_views(sent: pl.DataFrame) -> tuple[MessageView, ...]:
    """Messages as they are told, newest first."""
    if sent.is_empty():
        return ()
    view: Callable[..., MessageView] = MessageView
    columns = ("id", "occasion", "channel", "state", "queued_at", "detail")
    rows = sent.sort("queued_at", descending=True).select(columns)
    return tuple(view(**row) for row in rows.iter_rows(named=True))
