"""Explain: why a customer did, or did not, get a message."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import polars as pl
from attrs import frozen

from relationship_core.columns import DECISIONS, MESSAGES
from relationship_core.conditions import Condition
from relationship_core.errors import ConfigurationError, nearest
from relationship_core.flow.objects import as_decisions
from relationship_core.flow.plan.candidates import candidate_names
from relationship_core.flow.report.customers import find_customer
from relationship_core.flow.rules import Rules, Step
from relationship_core.flow.standing import Moment, refuse_the_past, standing
from relationship_core.model.engagement import Decision
from relationship_core.ports import Store


@frozen(kw_only=True)
class AtomView:
    """One atom of a condition, for one customer.

    Attributes:
        text: SQL as people read it.
        holds: true, false, or None where SQL says unknown.
        values: the columns it reads, with the values they have.
    """

    text: str
    holds: bool | None
    values: Mapping[str, object]


@frozen(kw_only=True)
class MessageView:
    """One message of an action to the customer."""

    id: str
    occasion: str
    channel: str
    state: str
    queued_at: datetime
    detail: str


@frozen(kw_only=True)
class ActionView:
    """One action of a campaign, for one customer.

    Attributes:
        campaign: the campaign's name.
        action: the action's name.
        owner: who answers for the campaign.
        addressed: whether the customer is in the audience as of the instant asked for.
        due: whether there is an occasion.
        audience: the atoms of the audience.
        occasion: the atoms of the occasion.
        decisions: what was decided, newest first.
        messages: what was queued or sent, newest first.
    """

    campaign: str
    action: str
    owner: str
    addressed: bool
    due: bool
    audience: tuple[AtomView, ...]
    occasion: tuple[AtomView, ...]
    decisions: tuple[Decision, ...]
    messages: tuple[MessageView, ...]


@frozen(kw_only=True)
class Explanation:
    """Why a customer did, or did not, get the messages of the campaigns.

    Attributes:
        customer: the customer's id.
        as_of: the instant that conditions are judged as of.
        stage: the stage of the last review.
        actions: every action asked about.
    """

    customer: str
    as_of: datetime
    stage: str
    actions: tuple[ActionView, ...]


def explain(store: Store, rules: Rules, customer: str, campaign: str | None, moment: Moment) -> Explanation:
    """Judge every condition of the campaigns for one customer, beside what was decided.

    Args:
        store: where the project lives.
        rules: the rules in force.
        customer: the customer's id.
        campaign: only this campaign; None for all.
        moment: the instant to judge as of.

    Raises:
        RejectedError: nobody has that id.
        ConfigurationError: there is no such campaign.
    """
    refuse_the_past(store, moment.now, "explain")
    page = find_customer(store, customer)
    steps = _steps(rules, campaign)
    frame = standing(store, rules.catalog, page, candidate_names(rules), moment)
    decided = store.read(DECISIONS, page=page).sort("at", descending=True)
    sent = store.read(MESSAGES, page=page).sort("queued_at", descending=True)
    return Explanation(
        customer=page.first,
        as_of=moment.now,
        stage=str(frame["stage"][0]),
        actions=tuple(_action(step, frame, decided, sent) for step in steps),
    )


def _steps(rules: Rules, campaign: str | None) -> tuple[Step, ...]:
    if campaign is None:
        return rules.steps
    steps = tuple(step for step in rules.steps if step.campaign.name == campaign)
    if not steps:
        names = sorted({step.campaign.name for step in rules.steps})
        message = f"there is no campaign {campaign!r}{nearest(campaign, names)}; there are {', '.join(names) or 'none'}"
        raise ConfigurationError(message)
    return steps


def _action(step: Step, frame: pl.DataFrame, decided: pl.DataFrame, sent: pl.DataFrame) -> ActionView:
    own = (pl.col("campaign") == step.campaign.name) & (pl.col("action") == step.action.name)
    return ActionView(
        campaign=step.campaign.name,
        action=step.action.name,
        owner=step.campaign.owner,
        addressed=bool(frame.select(step.audience.holds.alias("holds")).item()),
        due=bool(frame.select(step.when.holds.alias("holds")).item()),
        audience=_atoms(step.audience, frame),
        occasion=_atoms(step.when, frame),
        decisions=as_decisions(decided.filter(own)),
        messages=tuple(
            MessageView(
                id=row["id"],
                occasion=row["occasion"],
                channel=row["channel"],
                state=row["state"],
                queued_at=row["queued_at"],
                detail=row["detail"],
            )
            for row in sent.filter(own).iter_rows(named=True)
        ),
    )


def _atoms(condition: Condition, frame: pl.DataFrame) -> tuple[AtomView, ...]:
    return tuple(
        AtomView(
            text=atom.text,
            holds=frame.select(atom.expr.alias("holds")).item(),
            values=frame.select(atom.operands).row(0, named=True) if atom.operands else {},
        )
        for atom in condition.atoms
    )
