"""What an explanation tells: conditions, policies, arbitration, ledger, decisions and messages of one customer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, TypeAlias

from attrs import frozen

from relationship_core.model.engagement import Decision
from relationship_core.model.relationship import Transition

PolicyAnswer: TypeAlias = Literal["holds_back", "lets_wait", "passes", "does_not_apply", "failed"]
"""What a policy says to a candidate; one that does not apply is for other purposes or natures."""


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
class PolicyView:
    """What one policy says to one action for the customer.

    Attributes:
        name: the policy's name, which is the reason where it holds back.
        answer: holds_back, lets_wait, passes, does_not_apply or failed.
        detail: what it tells beside that; where it failed, what happened.
        until: when time alone may lift what it says; None where only news can.
    """

    name: str
    answer: PolicyAnswer
    detail: str = ""
    until: datetime | None = None


@frozen(kw_only=True)
class Outlook:
    """What a plan as of the instant would decide.

    Attributes:
        reason: as in a decision: ``due``, ``nothing_due``, a policy's name, ``outranked`` and so on.
        detail: what belongs to it: of ``outranked`` the campaign that wins, its owner, and why.
        until: when time alone may change it; None where only news can.
        not_before: where it is due: until when the message would wait.
    """

    reason: str
    detail: str = ""
    until: datetime | None = None
    not_before: datetime | None = None


@frozen(kw_only=True)
class FollowUpView:
    """What a follow-up comes after, for one customer.

    Attributes:
        after: the step before.
        occasion: the occasion on which that went, the last one of several; empty where it did not.
        went_at: when it went; None where it did not.
        comes_at: before when the follow-up is not due; None where the step before did not go.
    """

    after: str
    occasion: str = ""
    went_at: datetime | None = None
    comes_at: datetime | None = None


@frozen(kw_only=True)
class CampaignGoalView:
    """Whether a customer has done what a campaign is for.

    Attributes:
        reached: whether the goal holds; then the campaign is over for them.
        atoms: the atoms of the goal; ``entered_at`` is null before the campaign's first message to them.
    """

    reached: bool
    atoms: tuple[AtomView, ...] = ()


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
        addressed: whether the customer is in the audience as of the instant asked for; None for the past.
        due: whether there is an occasion, or whether a follow-up is due; None for the past.
        audience: the atoms of the audience.
        occasion: the atoms of the occasion, or of the condition of a follow-up.
        step: what a follow-up comes after; None for a step with an occasion of its own, and for the past.
        goal: whether the campaign's goal is reached; None for a campaign without one, and for the past.
        policies: what each policy says, in their order; none where nothing is due, or there is a message already.
        outlook: what a plan would decide; None where the customer is not addressed, there is a message already, or
            it is about the past.
        decisions: what was decided, newest first; of the past, what was decided until then and has not been replaced.
        messages: what was queued or sent, newest first; of the past as it was then, ``queued`` for what was settled
            later.
    """

    campaign: str
    action: str
    owner: str
    addressed: bool | None
    due: bool | None
    audience: tuple[AtomView, ...] = ()
    occasion: tuple[AtomView, ...] = ()
    step: FollowUpView | None = None
    goal: CampaignGoalView | None = None
    policies: tuple[PolicyView, ...] = ()
    outlook: Outlook | None = None
    decisions: tuple[Decision, ...] = ()
    messages: tuple[MessageView, ...] = ()


@frozen(kw_only=True)
class LedgerView:
    """What we gave to a customer and asked of them.

    Attributes:
        balance: the contact balance: what everybody begins with, and gives minus asks as they weigh now.
        gives: messages of ours that gave, as far as they count as contacts.
        asks: messages of ours that asked.
        given: what was recorded as given beside them, as it weighs now.
        asked: what was recorded as asked beside them, as it weighs now.
        open_ask_at: when the ask was made that has no answer yet; None for none.
        open_ask_until: when nobody waits for that answer any more.
    """

    balance: float
    gives: int
    asks: int
    given: float
    asked: float
    open_ask_at: datetime | None = None
    open_ask_until: datetime | None = None


@frozen(kw_only=True)
class Explanation:
    """Why a customer did, or did not, get the messages of the campaigns.

    Attributes:
        customer: the customer's id.
        as_of: the instant that conditions are judged as of.
        stage: the stage of the last review; of the past, the stage then.
        actions: every action asked about.
        ledger: what was given and asked; None for the past.
        changes_at: when something of this may change without news; None for never, and for the past.
        changes: what does, such as ``review``, or the campaign and action.
        moves: of the past: the moves on the ladder until then, newest first.
        untold: of the past: what is not kept, in sentences.
    """

    customer: str
    as_of: datetime
    stage: str
    actions: tuple[ActionView, ...]
    ledger: LedgerView | None = None
    changes_at: datetime | None = None
    changes: str = ""
    moves: tuple[Transition, ...] = ()
    untold: tuple[str, ...] = ()
