"""Engagements and the verdicts on them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias, get_args

from attrs import field, frozen, validators

from relationship_core.model.validation import data

Verdict: TypeAlias = Literal["planned", "held_out", "skipped"]
"""What was decided about an engagement; ``held_out`` takes its place without a message, to see what that causes."""


@frozen(kw_only=True)
class Engagement:
    """One action for one customer on one occasion; unique by its four attributes.

    Attributes:
        campaign: the campaign's name.
        action: the action's name.
        customer: the customer's id.
        occasion: the occasion's key; empty where the customer is in the audience and nothing is due.
    """

    campaign: str = field(validator=data.text)
    action: str = field(validator=data.text)
    customer: str = field(validator=data.text)
    occasion: str = field(validator=data.text)


@frozen(kw_only=True)
class Decision:
    """The verdict on one engagement. Silence is a decision too.

    Attributes:
        engagement: what was decided about.
        verdict: ``planned``, ``held_out`` or ``skipped``.
        reason: a stable code: ``due`` for planned ones, ``held_out`` for those, otherwise the policy that said no.
        detail: what a person needs to understand the reason, such as the campaign that won the slot, and why.
        until: the next instant at which the answer may differ without news; None when only news can change it.
        at: when it was decided.
    """

    engagement: Engagement = field(validator=data.an(Engagement))
    verdict: Verdict = field(validator=data.one_of(get_args(Verdict)))
    reason: str = field(validator=data.text)
    detail: str = field(default="", validator=data.text)
    until: datetime | None = field(default=None, validator=validators.optional(data.aware))
    at: datetime = field(validator=data.aware)
