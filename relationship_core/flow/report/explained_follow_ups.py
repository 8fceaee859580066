"""What an explanation tells of steps and goals: which step a follow-up waits for, and whether the goal is reached."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import polars as pl
from attrs import frozen

from relationship_core.conditions import Condition
from relationship_core.flow.candidate_columns import ENTERED_AT, STEP_AT
from relationship_core.flow.contact.follow_ups import comes_at, entries_of
from relationship_core.flow.report.explained import AtomView, CampaignGoalView, FollowUpView
from relationship_core.flow.rules import Trigger
from relationship_core.table import INSTANT

_NEVER = pl.lit(None, INSTANT)


def latest(own: pl.DataFrame) -> pl.DataFrame:
    """The candidate of one action and one customer; of a follow-up the one whose step before went last."""
    return own.sort(STEP_AT, "occasion", nulls_last=False).tail(1) if own.height > 1 else own


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
    trigger: Trigger, known: Standing, candidate: pl.DataFrame, messages: pl.DataFrame
) -> CampaignGoalView | None:
    """Whether the customer has reached the campaign's goal; None for a campaign without one.

    Args:
        trigger: the action.
        known: the customer's standing, on which the goal is judged.
        candidate: the customer as a candidate of the action; empty where they are none.
        messages: what there is in the outbox for them of the campaign, as far as a plan looks at it.
    """
    goal = trigger.goal
    if goal is None:
        return None
    entries = entries_of(messages).sort(ENTERED_AT)
    occasion = candidate["occasion"].first() or entries["occasion"].last() or ""
    entered_at = entries.filter(pl.col("occasion") == occasion)[ENTERED_AT]
    judgement = known.judgements[goal]
    if len(entered_at):
        entered = known.frame.with_columns(pl.lit(entered_at[0], INSTANT).alias(ENTERED_AT))
        judgement = judged((goal,), entered)[goal]
    return CampaignGoalView(reached=judgement.holds, atoms=judgement.atoms)


@frozen(kw_only=True)
class Judgement:
    """A condition, judged for one customer: whether it holds, and its atoms."""

    holds: bool
    atoms: tuple[AtomView, ...]


@frozen(kw_only=True)
class Standing:
    """The standing of the one customer, and how conditions are judged on it.

    Attributes:
        frame: their standing, and what messages would tell of a step, which is nothing.
        judgements: each condition of the actions asked about.
    """

    frame: pl.DataFrame
    judgements: Mapping[Condition, Judgement]


def standing_of(frame: pl.DataFrame, triggers: Iterable[Trigger]) -> Standing:
    """The standing of the one customer of a frame, with all conditions judged at once."""
    told = frame.with_columns(_NEVER.alias(name) for name in (STEP_AT, ENTERED_AT))
    named = [each for trigger in triggers for each in (trigger.audience, trigger.when, trigger.goal)]
    return Standing(frame=told, judgements=judged(dict.fromkeys(each for each in named if each is not None), told))


def judged(conditions: Collection[Condition], frame: pl.DataFrame) -> Mapping[Condition, Judgement]:
    """Conditions with their atoms, judged for the one customer of the frame."""
    atoms = [atom for condition in conditions for atom in condition.atoms]
    truths = [*(condition.holds for condition in conditions), *(atom.expr for atom in atoms)]
    operands = list(dict.fromkeys(name for atom in atoms for name in atom.operands))
    row = iter(frame.select(truth.alias(f"{place}") for place, truth in enumerate(truths)).row(0) if truths else ())
    values = frame.select(operands).row(0, named=True) if operands else {}
    holds = dict(zip(conditions, row, strict=False))
    return {
        condition: Judgement(
            holds=bool(holds[condition]),
            atoms=tuple(
                AtomView(text=atom.text, holds=next(row), values={name: values[name] for name in atom.operands})
                for atom in condition.atoms
            ),
        )
        for condition in conditions
    }
