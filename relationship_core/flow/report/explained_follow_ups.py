"""What an explanation tells of steps and goals: which step a follow-up waits for, and whether the goal is reached."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from relationship_core.conditions import Condition
from relationship_core.flow.candidate_columns import CHANGES_AT, ENTERED_AT, GOAL_REACHED, STEP_AT
from relationship_core.flow.contact.follow_ups import comes_at, entries_of, with_goals
from relationship_core.flow.report.explained import AtomView, CampaignGoalView, FollowUpView
from relationship_core.flow.rules import Trigger
from relationship_core.table import INSTANT

_NEVER = pl.lit(None, INSTANT)


def latest(everyone: pl.DataFrame, own: pl.Expr) -> pl.DataFrame:
    """The candidate of one action and one customer; of a follow-up the one whose step before went last."""
    return everyone.filter(own).sort(STEP_AT, "occasion", nulls_last=False).tail(1)


def step_view(trigger: Trigger, candidate: pl.DataFrame) -> FollowUpView | None:
    """What a follow-up comes after, and when; None for a step with an occasion of its own."""
    after = trigger.action.after
    if after is None:
        return None
    if candidate.is_empty():
        return FollowUpView(after=after.action)
    row = candidate.select("occasion", STEP_AT, comes_at(after).alias("comes_at")).row(0, named=True)
    return FollowUpView(after=after.action, occasion=row["occasion"], went_at=row[STEP_AT], comes_at=row["comes_at"])


def goal_view(
    trigger: Trigger, frame: pl.DataFrame, candidate: pl.DataFrame, messages: pl.DataFrame
) -> CampaignGoalView | None:
    """Whether the customer has reached the campaign's goal; None for a campaign without one.

    Args:
        trigger: the action.
        frame: the customer's standing.
        candidate: the customer as a candidate of the action; empty where they are none.
        messages: what there is in the outbox for them, as far as a plan looks at it.
    """
    goal, name = trigger.goal, trigger.campaign.name
    if goal is None:
        return None
    entries = entries_of(messages.filter(pl.col("campaign") == name)).sort(ENTERED_AT)
    occasion = candidate["occasion"].first() or entries["occasion"].last() or ""
    row = frame.with_columns(
        pl.lit(name).alias("campaign"), pl.lit(occasion).alias("occasion"), *_nothing(ENTERED_AT, CHANGES_AT)
    )
    told = with_goals(row, messages, {name: goal}, None)
    return CampaignGoalView(reached=bool(told[GOAL_REACHED].item()), atoms=atom_views(goal, told))


def with_step(frame: pl.DataFrame, candidate: pl.DataFrame) -> pl.DataFrame:
    """The customer's standing, with what messages tell of the step."""
    if candidate.is_empty():
        return frame.with_columns(_nothing(STEP_AT, ENTERED_AT))
    return candidate


def _nothing(*names: str) -> list[pl.Expr]:
    return [_NEVER.alias(name) for name in names]


def atom_views(condition: Condition, frame: pl.DataFrame) -> tuple[AtomView, ...]:
    """The atoms of a condition, judged for the one customer of the frame."""
    return tuple(
        AtomView(
            text=atom.text,
            holds=frame.select(atom.expr.alias("holds")).item(),
            values=_values(frame, atom.operands),
        )
        for atom in condition.atoms
    )


def _values(frame: pl.DataFrame, names: tuple[str, ...]) -> Mapping[str, object]:
    return frame.select(names).row(0, named=True) if names else {}
