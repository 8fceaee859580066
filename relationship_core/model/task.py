"""Tasks: work for people, and what came of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from attrs import field, frozen, validators

from relationship_core.errors import WrongArgumentError
from relationship_core.model.validation import LONGEST_DAYS, data, declared, floating, texts_by_name

if TYPE_CHECKING:
    from attrs import Attribute

TaskState: TypeAlias = Literal["open", "done", "cancelled"]
"""``open`` waits for somebody; ``done`` has an outcome; ``cancelled`` is not to be done any more."""


def _named_outcomes(owner: object, attribute: Attribute[Mapping[str, str]], value: Mapping[str, str]) -> None:
    declared.texts_by_name(owner, attribute, value)
    for outcome in value:
        if not re.fullmatch(r"[a-z][a-z0-9_-]*", outcome):
            message = (
                f"Assignment.outcomes names {outcome!r}; an outcome is lower-case letters, digits, underscores and "
                "hyphens, such as not_reached"
            )
            raise WrongArgumentError(message)
    if not value:
        message = "Assignment.outcomes must name at least one outcome, or the task could never be done"
        raise WrongArgumentError(message)


@frozen(kw_only=True)
class Assignment:
    """``[actions.task]``: who does a task, by when, and what may come of it.

    Attributes:
        assignee: a template of who does it, such as ``{{ facts.account_manager }}``; the campaign's owner where it is
            empty, or names nobody for this customer.
        due_days: by when, in days from the moment it is handed over.
        outcomes: what may come of it, each with the kind of interaction that is recorded for it; empty text records
            nothing. Unless said otherwise ``done``, which records an ``account_contact``, and ``not_reached``.
    """

    assignee: str = field(default="", validator=declared.text)
    due_days: float = field(default=7.0, converter=floating, validator=declared.number(0, LONGEST_DAYS))
    outcomes: Mapping[str, str] = field(
        factory=lambda: {"done": "account_contact", "not_reached": ""},
        converter=texts_by_name,
        validator=_named_outcomes,
        hash=False,
    )


@frozen(kw_only=True)
class Task:
    """Work for somebody, handed over by the task channel.

    Attributes:
        id: the id of the message that it is.
        customer: whom it is about.
        campaign: the campaign it comes from.
        action: the action.
        occasion: the occasion's key.
        assignee: who does it.
        title: what it is, in one line.
        text: what the assignee should know.
        created_at: when it was handed over.
        due_at: by when it is to be done.
        state: open, done or cancelled.
        outcome: what came of it; empty while it is open.
        note: what the assignee wrote about it.
        actor: who closed it.
        settled_at: when it was closed; None while it is open.
    """

    id: str = field(validator=data.text)
    customer: str = field(validator=data.text)
    campaign: str = field(validator=data.text)
    action: str = field(validator=data.text)
    occasion: str = field(validator=data.text)
    assignee: str = field(validator=data.text)
    title: str = field(validator=data.text, repr=False)
    text: str = field(default="", validator=data.text, repr=False)
    created_at: datetime = field(validator=data.aware)
    due_at: datetime = field(validator=data.aware)
    state: TaskState = field(default="open", validator=data.one_of(get_args(TaskState)))
    outcome: str = field(default="", validator=data.text)
    note: str = field(default="", validator=data.text, repr=False)
    actor: str = field(default="", validator=data.text)
    settled_at: datetime | None = field(default=None, validator=validators.optional(data.aware))
