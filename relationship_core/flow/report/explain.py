"""Explain: why a customer did, or did not, get a message, and what a plan would decide now.

Everything is read and judged as a plan does it, for a page of one customer. Whether a budget pays for one more is what
the last plan found.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import polars as pl
from attrs import evolve, frozen

from relationship_core.columns import DECISIONS, MESSAGES, STATES
from relationship_core.declarations import Policy
from relationship_core.errors import ConfigurationError, nearest
from relationship_core.flow.campaigns.life import NOT_ACTIVE, read_lives
from relationship_core.flow.candidate_columns import KEYS
from relationship_core.flow.contact.follow_ups import waiting_follow_ups
from relationship_core.flow.contact.verdicts import (
    DUE,
    NOTHING_DUE,
    POLICY_FAILED,
    decisions,
    each_verdict,
    with_reasons,
)
from relationship_core.flow.customers import find_customer
from relationship_core.flow.message_states import HELD_OUT
from relationship_core.flow.objects import as_decisions
from relationship_core.flow.plan.arbitration import arbitrate
from relationship_core.flow.plan.budgets import budgets_of, waiting as short_of_money
from relationship_core.flow.plan.candidates import LEDGER_COLUMNS, candidate_names, candidates
from relationship_core.flow.plan.contacts import contacts_of, messages_of
from relationship_core.flow.plan.ledger import with_ledger
from relationship_core.flow.plan.selecting import CARRIED, Premises, campaign_terms, circumstances
from relationship_core.flow.report.explained import (
    ActionView,
    AtomView,
    CampaignGoalView,
    Explanation,
    FollowUpView,
    LedgerView,
    MessageView,
    Outlook,
    PolicyView,
)
from relationship_core.flow.report.explained_follow_ups import (
    Standing,
    goal_view,
    judged,
    latest,
    standing_of,
    step_view,
)
from relationship_core.flow.report.recalled import message_views, recalled
from relationship_core.flow.rules import Rules, Trigger
from relationship_core.flow.standing import Moment, last_recorded, standing
from relationship_core.ports import Store

__all__ = [
    "ActionView",
    "AtomView",
    "CampaignGoalView",
    "Explanation",
    "FollowUpView",
    "LedgerView",
    "MessageView",
    "Outlook",
    "PolicyView",
    "explain",
]

_ACTION = ("campaign", "action")
_ENOUGH = 2**40
"""The room of a budget that paid for everybody in the last plan."""


def explain(
    store: Store, rules: Rules, customer: str, campaign: str | None, moment: Moment, *, premises: Premises
) -> Explanation:
    """Judge every condition, policy and claim of the campaigns for one customer, beside what was decided.

    As of an instant before the last record, tell what history tells of it.

    Args:
        store: where the project lives.
        rules: the rules in force.
        customer: the customer's id.
        campaign: only this campaign; None for all.
        moment: the instant to judge as of.
        premises: what planning takes as given of the project.

    Raises:
        RejectedError: nobody has that id.
        ConfigurationError: there is no such campaign.
    """
    page = find_customer(store, customer)
    triggers = _triggers(rules, campaign)
    last = last_recorded(store)
    if last is not None and last > moment.now:
        return recalled(store, rules, page, triggers, moment.now)
    names = candidate_names(rules) | (LEDGER_COLUMNS & rules.catalog.columns.keys())
    frame = standing(store, rules.catalog, page, names, moment)
    sent = store.read(MESSAGES, page=page)
    messages = messages_of(store, page, premises.versions, rules.policies)
    everyone = candidates(frame, rules, moment, messages)
    inactive = read_lives(store, approval=premises.approval).inactive(premises.versions)
    active = everyone.filter(~pl.col("campaign").is_in(list(inactive)))
    would = _judged(active, messages, store, rules, moment, premises)
    decided = store.read(DECISIONS, page=page).sort("at", descending=True)
    known = _Known(
        standing=standing_of(frame, triggers),
        everyone=_Parts(everyone, _ACTION),
        judged=_Parts(active.clear() if would is None else would, _ACTION),
        undue=_Parts(_undue(everyone, messages, rules, moment), _ACTION),
        answers={} if would is None else _answers(would, rules.policies),
        decided=_Parts(decided, _ACTION),
        sent=_Parts(sent, _ACTION),
        messages=_Parts(messages.filter(pl.col("queued_at") != moment.now), ("campaign",)),
    )
    actions = tuple(_with_life(_action(trigger, known), inactive) for trigger in triggers)
    reviews = store.read(STATES, page=page, columns=["due_at"])["due_at"]
    found = [(at, "review") for at in reviews] + _changes(actions, decided, sent)
    changes_at, changes = min(((at, what) for at, what in found if at and at > moment.now), default=(None, ""))
    return Explanation(
        customer=page.first,
        as_of=moment.now,
        stage=str(frame["stage"][0]),
        actions=actions,
        ledger=_ledger(frame, sent, rules, premises, moment.now),
        changes_at=changes_at,
        changes=changes,
    )


def _with_life(action: ActionView, inactive: Mapping[str, str]) -> ActionView:
    """What a plan would decide about a campaign that is not active: nothing."""
    if action.campaign not in inactive or not action.addressed:
        return action
    return evolve(action, outlook=Outlook(reason=NOT_ACTIVE, detail=inactive[action.campaign]))


def _triggers(rules: Rules, campaign: str | None) -> tuple[Trigger, ...]:
    if campaign is None:
        return rules.triggers
    triggers = tuple(trigger for trigger in rules.triggers if trigger.campaign.name == campaign)
    if not triggers:
        names = sorted({trigger.campaign.name for trigger in rules.triggers})
        message = f"there is no campaign {campaign!r}{nearest(campaign, names)}; there are {', '.join(names) or 'none'}"
        raise ConfigurationError(message)
    return triggers


@frozen(kw_only=True)
class _Known:
    """What is known of the customer.

    Attributes:
        standing: their standing, and how conditions are judged on it.
        everyone: them as a candidate, by campaign and action, as everything below.
        judged: what would be decided where something is due.
        undue: rows of DECISIONS that would be kept where nothing is due.
        answers: what each policy says, by campaign, action and occasion.
        decided: rows of DECISIONS that are kept, newest first.
        sent: rows of MESSAGES.
        messages: those of them that a plan looks at, by campaign alone.
    """

    standing: Standing
    everyone: _Parts
    judged: _Parts
    undue: _Parts
    answers: Mapping[tuple[str, str, str], list[PolicyView]]
    decided: _Parts
    sent: _Parts
    messages: _Parts


class _Parts:
    """The rows of a frame, apart by some columns."""

    def __init__(self, rows: pl.DataFrame, by: tuple[str, ...]) -> None:
        self._parts = rows.partition_by(by, as_dict=True, maintain_order=True) if rows.height else {}
        self._none = rows.clear()

    def of(self, *key: str) -> pl.DataFrame:
        """The rows in which the columns are so, in their order."""
        return self._parts.get(key, self._none)


def _undue(everyone: pl.DataFrame, messages: pl.DataFrame, rules: Rules, moment: Moment) -> pl.DataFrame:
    if not rules.triggers:
        return DECISIONS.empty()
    return decisions(waiting_follow_ups(everyone.filter(~pl.col("due")), messages, rules, moment.now))


def _judged(  # noqa: PLR0917  what a plan rests on
    everyone: pl.DataFrame, messages: pl.DataFrame, store: Store, rules: Rules, moment: Moment, premises: Premises
) -> pl.DataFrame | None:
    """Every candidate that is due and has no message yet, with its circumstances and what would be decided."""
    if not rules.triggers or not everyone["due"].any():
        return None
    due = everyone.filter("due")
    informed = circumstances(due, messages, store=store, rules=rules, moment=moment, premises=premises)
    if informed.is_empty():
        return None
    reasoned = with_reasons(informed, rules.policies, {})
    full = short_of_money(store)
    won = arbitrate(
        reasoned.filter(pl.col("reason").is_null())
        .select(CARRIED)
        .join(campaign_terms(rules), on="campaign", how="left", maintain_order="left")
        .with_columns(pl.lit(moment.now, dtype=DECISIONS.schema["at"]).alias("now")),
        rooms={name: 0 if name in full else _ENOUGH for name in budgets_of(rules)},
        holdout=premises.holdout(rules),
        owners={trigger.campaign.name: trigger.campaign.owner for trigger in rules.triggers},
    )
    told = won.select(*KEYS, "reason", "detail", "until")
    refused = reasoned.filter(pl.col("reason").is_not_null()).select(told.columns)
    without = reasoned.drop("reason", "detail", "until")
    return without.join(pl.concat([told, refused]), on=KEYS, how="left", maintain_order="left")


def _action(trigger: Trigger, known: _Known) -> ActionView:
    own = trigger.campaign.name, trigger.action.name
    judgements, candidate = known.standing.judgements, latest(known.everyone.of(*own))
    step = step_view(trigger, candidate)
    audience, when = judgements[trigger.audience], judgements[trigger.when]
    if step is not None and candidate.height:
        when = judged((trigger.when,), candidate)[trigger.when]
    due = when.holds if step is None else bool(candidate["due"].any())
    occasion = str(candidate["occasion"].item()) if candidate.height else ""
    of_occasion = pl.col("occasion") == occasion
    would = known.judged.of(*own)
    would = would.filter(of_occasion) if would.height else would
    return ActionView(
        campaign=trigger.campaign.name,
        action=trigger.action.name,
        owner=trigger.campaign.owner,
        addressed=audience.holds,
        due=due,
        audience=audience.atoms,
        occasion=when.atoms,
        step=step,
        goal=goal_view(trigger, known.standing, candidate, known.messages.of(trigger.campaign.name)),
        policies=tuple(known.answers.get((*own, occasion), ())),
        outlook=(
            _outlook(would)
            if would.height
            else _waits(known.undue.of(*own).filter(of_occasion))
            if step is not None
            else _idle(addressed=audience.holds, due=due)
        ),
        decisions=as_decisions(known.decided.of(*own)),
        messages=message_views(known.sent.of(*own)),
    )


def _idle(*, addressed: bool, due: bool) -> Outlook | None:
    return Outlook(reason=NOTHING_DUE) if addressed and not due else None


def _waits(undue: pl.DataFrame) -> Outlook | None:
    """What a plan would keep about a follow-up that is not due; nothing where the step before did not go."""
    if undue.is_empty():
        return None
    row = undue.row(0, named=True)
    return Outlook(reason=row["reason"], detail=row["detail"], until=row["until"])


def _outlook(candidate: pl.DataFrame) -> Outlook:
    row = candidate.row(0, named=True)
    waits = row["reason"] == DUE and row["not_before"] > row["now"]
    return Outlook(
        reason=row["reason"],
        detail=row["detail"],
        until=row["until"],
        not_before=row["not_before"] if waits else None,
    )


def _answers(judged: pl.DataFrame, policies: tuple[Policy, ...]) -> Mapping[tuple[str, str, str], list[PolicyView]]:
    """What each policy says by itself; by campaign, action and occasion."""
    free = judged.drop("reason", "detail", "until", "not_before", "waits")
    answers: dict[tuple[str, str, str], list[PolicyView]] = {}
    for policy, said in zip(policies, each_verdict(free, policies), strict=True):
        for row in said.iter_rows(named=True):
            engagement = row["campaign"], row["action"], row["occasion"]
            answers.setdefault(engagement, []).append(_answer(policy.name, row))
    return answers


def _answer(name: str, row: Mapping[str, Any]) -> PolicyView:
    if row["reason"] == POLICY_FAILED:
        return PolicyView(name=name, answer="failed", detail=row["detail"])
    if not row["applies"]:
        return PolicyView(name=name, answer="does_not_apply")
    if row["reason"] is not None:
        return PolicyView(name=name, answer="holds_back", detail=row["detail"], until=row["until"])
    if row["not_before"] > row["now"]:
        return PolicyView(name=name, answer="lets_wait", until=row["not_before"])
    return PolicyView(name=name, answer="passes")


def _ledger(frame: pl.DataFrame, sent: pl.DataFrame, rules: Rules, premises: Premises, now: datetime) -> LedgerView:
    contacts = contacts_of(sent, now)
    weightless = frame.with_columns(pl.lit(0.0).alias("weight"))
    row = with_ledger(weightless, contacts, premises.contact.ledger, rules.catalog).row(0, named=True)
    ours = contacts.filter(pl.col("state") != HELD_OUT)["nature"]
    return LedgerView(
        balance=row["contact_balance"],
        gives=int((ours == "give").sum()),
        asks=int((ours == "ask").sum()),
        given=row.get("given") or 0.0,
        asked=row.get("asked") or 0.0,
        open_ask_at=row["open_ask_at"],
        open_ask_until=row["open_ask_until"],
    )


def _changes(
    actions: tuple[ActionView, ...], decided: pl.DataFrame, sent: pl.DataFrame
) -> list[tuple[datetime | None, str]]:
    """When something of these actions may be otherwise without news, and of which."""
    asked = {(each.campaign, each.action) for each in actions}
    queued = sent.filter(pl.col("state") == "queued").select("campaign", "action", at="not_before")
    rows = pl.concat([decided.select("campaign", "action", at="until"), queued]).iter_rows()
    found = [(at, f"{campaign} / {action}") for campaign, action, at in rows if (campaign, action) in asked]
    return found + [(each.outlook.until, f"{each.campaign} / {each.action}") for each in actions if each.outlook]
