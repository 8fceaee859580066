"""Campaigns: who is addressed, on which occasion, with what."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal, TypeAlias, cast, get_args

from attrs import field, frozen, validators

from relationship_core.errors import WrongArgumentError
from relationship_core.model.attached_file import AttachedFile
from relationship_core.model.interaction import Nature
from relationship_core.model.offer import Offer
from relationship_core.model.task import Assignment
from relationship_core.model.texts import slug
from relationship_core.model.validation import (
    LARGEST_MONEY,
    LARGEST_NUMBER,
    LONGEST_DAYS,
    declared,
    floating,
    listed,
    optional_floating,
)
from relationship_core.model.words import Purpose

if TYPE_CHECKING:
    from attrs import Attribute


ClearedBy: TypeAlias = Literal["", "give", "presence"]
"""What settles an occasion without its own action: any give of ours, any contact but promotions, or nothing."""

_LARGEST = 2**63 - 1
_bounded = declared.whole(-_LARGEST, _LARGEST)


@frozen(kw_only=True)
class Variant:
    """What an action says on one channel in one language.

    Attributes:
        channel: the name of a channel instance of the configuration.
        locale: language tag this text is written in; None for any.
        subject: template of the subject line; unused by channels without one.
        text: template of the plain text.
        html: template of the HTML; empty where there is none.
        attachments: files that go with it; in a campaign's file their paths, relative to it.
    """

    channel: str = field(validator=declared.filled)
    locale: str | None = field(default=None, validator=declared.optional_text)
    subject: str = field(default="", validator=declared.text)
    text: str = field(default="", validator=declared.text)
    html: str = field(default="", validator=declared.text)
    attachments: tuple[AttachedFile, ...] = field(default=(), converter=listed, validator=declared.each(AttachedFile))


@frozen(kw_only=True)
class Occasion:
    """What makes an action due for a customer now, and what tells one occasion from the next.

    Attributes:
        name: what it is called: ``order``, ``lapse``, ``birthday``.
        when: the condition under which there is an occasion; empty for always.
        key: a column whose value identifies the occasion, such as ``last_order_on``; one engagement
            per key. Or ``once``, ``day``, ``month`` or ``year`` of the project-local date.
        since: a column of type instant or date at which the occasion began; it dates expiry. Empty: now.
        cleared_by: what settles it without this action: ``give``, any message of ours that gives, or a deed that
            ``last_given_at`` counts, which a plugin's own kind is not; ``presence``, any contact of ours but asks and
            what carries an offer, and the deeds of ``last_from_us_at``; empty for nothing else.
        cleared_days: such a contact settles it for this many days, at most 36500; None where it settles it for good,
            provided that it came after ``since``.
    """

    name: str = field(validator=slug)
    when: str = field(default="", validator=declared.text)
    key: str = field(default="once", validator=declared.text)
    since: str = field(default="", validator=declared.text)
    cleared_by: ClearedBy = field(default="", validator=declared.one_of(get_args(ClearedBy)))
    cleared_days: float | None = field(
        default=None,
        converter=optional_floating,
        validator=validators.optional(declared.number(above=0, high=LONGEST_DAYS)),
    )

    def __attrs_post_init__(self) -> None:
        """Refuse what would settle an occasion at a time that nobody knows."""
        if self.cleared_days is not None and not self.cleared_by:
            message = f"the occasion {self.name!r} has cleared_days without cleared_by; say what clears it"
            raise WrongArgumentError(message)
        if self.cleared_by and self.cleared_days is None and not self.since:
            message = (
                f"the occasion {self.name!r} is cleared by a {self.cleared_by} that came after it began, and nothing "
                "says when that was; name a column as since, or give cleared_days"
            )
            raise WrongArgumentError(message)


@frozen(kw_only=True)
class After:
    """What makes a follow-up due: that the step before went to the customer, and what happened since.

    A follow-up has the occasion of the step before. Who has left the campaign's audience, or reached its goal, gets
    none.

    Attributes:
        action: the step before: an earlier action of the same campaign.
        days: so long after that it is due, at the earliest; at most 36500.
        when: the condition under which it is due; beside the customer's columns it may name ``step_at``, the instant
            at which the step before went, and ``entered_at``, that at which the first step of this occasion was
            queued. Empty for always.
    """

    action: str = field(validator=slug)
    days: float = field(default=0.0, converter=floating, validator=declared.number(0, LONGEST_DAYS))
    when: str = field(default="", validator=declared.text)


def _variants(values: Iterable[Variant]) -> tuple[Variant, ...]:
    return cast("tuple[Variant, ...]", listed(values))


@frozen(kw_only=True)
class Action:
    """One step of a campaign.

    Attributes:
        name: unique in the campaign.
        occasion: what makes it due; None for a follow-up.
        after: what makes a follow-up due; None for a step with an occasion of its own.
        variants: texts in order of preference; the first channel on which the customer can be reached wins.
        task: who does it and by when, where a variant's channel is for tasks; None for the campaign's owner.
    """

    name: str = field(validator=slug)
    occasion: Occasion | None = field(default=None, validator=validators.optional(declared.an(Occasion)))
    after: After | None = field(default=None, validator=validators.optional(declared.an(After)))
    variants: tuple[Variant, ...] = field(converter=_variants, validator=declared.each(Variant, least=1))
    task: Assignment | None = field(default=None, validator=validators.optional(declared.an(Assignment)))

    def __attrs_post_init__(self) -> None:
        """Refuse a step that nothing, or two things, make due."""
        if (self.occasion is None) == (self.after is None):
            message = f"the action {self.name!r} needs an occasion, or the step that it comes after, and not both"
            raise WrongArgumentError(message)


@frozen(kw_only=True)
class Limits:
    """Bounds on a campaign.

    Attributes:
        expires_days: an engagement is worth doing this many days after its occasion began, and not later;
            None for ever.
        per_customer: at most this many engagements of the campaign per customer, over all time, messages that
            failed aside; None for no bound.
        budget: what all its messages may cost together, in minor units of the project's currency; None for no bound.
            ``cost.money`` is counted, of messages that wait, went, or may have.
    """

    expires_days: float | None = field(
        default=None, converter=optional_floating, validator=validators.optional(declared.number(above=0))
    )
    per_customer: int | None = field(default=None, validator=validators.optional(declared.whole(1)))
    budget: int | None = field(default=None, validator=validators.optional(declared.whole(1, _LARGEST)))


@frozen(kw_only=True)
class Cost:
    """What one engagement costs, both sides.

    Attributes:
        money: what we pay for it, in minor units of the project's currency, at most 10^12.
        our_minutes: our time, at most 1000000.
        their_minutes: the customer's time, to read it and to do what it asks, at most 1000000.
    """

    money: int = field(default=0, validator=declared.whole(0, LARGEST_MONEY))
    our_minutes: float = field(default=0.0, converter=floating, validator=declared.number(0, LARGEST_NUMBER))
    their_minutes: float = field(default=0.0, converter=floating, validator=declared.number(0, LARGEST_NUMBER))


def _optional_slug(owner: object, attribute: Attribute[str], value: object) -> None:
    if value != "":
        slug(owner, attribute, value)


def _actions(values: Iterable[Action]) -> tuple[Action, ...]:
    return cast("tuple[Action, ...]", listed(values))


@frozen(kw_only=True)
class Campaign:
    """A plan to address an audience.

    Attributes:
        name: unique in the project.
        owner: the person or department that answers for it.
        purpose: service or marketing.
        nature: a give, an ask or neutral.
        audience: the condition that says whom it addresses; empty for everybody.
        actions: its steps, in order.
        priority: among campaigns of like purpose and nature the higher wins the customer's slot.
        value: expected value of one engagement, in minor units of the project's currency, from -10^12 to 10^12.
        topic: what it is about, as consents name it; empty for nothing in particular.
        weight: how much it gives or asks, against a give or an ask of weight 1, at most 1000000; what is neutral
            weighs nothing.
        cost: what one engagement costs.
        goal: the condition that says that a customer has done what the campaign is for, and leaves it: what waits is
            stopped, and no follow-up comes. Beside the customer's columns it may name ``entered_at``, the instant at
            which the first step of the occasion was queued; null before that. Empty for none.
        offer: what its messages offer; None for nothing. What carries an offer is marketing.
        holdout: the share of those it would address that is held out, to see what it causes; below 1, and never of
            service.
        limits: bounds.
        summary: one line for people.
    """

    name: str = field(validator=slug)
    owner: str = field(validator=declared.filled)
    purpose: Purpose = field(validator=declared.one_of(get_args(Purpose)))
    nature: Nature = field(validator=declared.one_of(get_args(Nature)))
    audience: str = field(default="", validator=declared.text)
    actions: tuple[Action, ...] = field(converter=_actions, validator=declared.each(Action, least=1))
    priority: int = field(default=0, validator=_bounded)
    value: int = field(default=0, validator=declared.whole(-LARGEST_MONEY, LARGEST_MONEY))
    topic: str = field(default="", validator=_optional_slug)
    weight: float = field(default=1.0, converter=floating, validator=declared.number(above=0, high=LARGEST_NUMBER))
    cost: Cost = field(factory=Cost, validator=declared.an(Cost))
    goal: str = field(default="", validator=declared.text)
    offer: Offer | None = field(default=None, validator=validators.optional(declared.an(Offer)))
    holdout: float = field(default=0.0, converter=floating, validator=declared.number(0, 1))
    limits: Limits = field(factory=Limits, validator=declared.an(Limits))
    summary: str = field(default="", validator=declared.text)

    def __attrs_post_init__(self) -> None:
        """Refuse two actions of one name, and what would come to nothing, or to service that not everybody gets."""
        names = [action.name for action in self.actions]
        if len(set(names)) != len(names):
            message = f"the campaign {self.name!r} names an action twice: {', '.join(names)}"
            raise WrongArgumentError(message)
        for place, action in enumerate(self.actions):
            if action.after is not None and action.after.action not in names[:place]:
                message = (
                    f"the campaign {self.name!r} has a step {action.name!r} after {action.after.action!r}, which is "
                    "none of the actions above it; name one of those"
                )
                raise WrongArgumentError(message)
        if self.offer is not None and self.purpose == "service":
            message = (
                f"the campaign {self.name!r} carries an offer, which makes it marketing; say purpose = 'marketing'"
            )
            raise WrongArgumentError(message)
        self._refuse_too_few_engagements()
        if self.holdout and self.purpose == "service":
            message = f"the campaign {self.name!r} holds out a share of service messages, which everybody must get"
            raise WrongArgumentError(message)
        if self.holdout == 1:
            message = f"the campaign {self.name!r} holds out everybody, so that nobody would get it; lower its holdout"
            raise WrongArgumentError(message)
        if self.limits.budget is not None and self.limits.budget < self.cost.money:
            message = (
                f"the campaign {self.name!r} has a budget of {self.limits.budget}, and one engagement costs "
                f"{self.cost.money}, so that it pays for none; raise the budget or lower cost.money"
            )
            raise WrongArgumentError(message)

    def _refuse_too_few_engagements(self) -> None:
        bound, steps = self.limits.per_customer, max((self._place_of(each) for each in self.actions), default=0)
        if bound is not None and bound < steps:
            message = (
                f"the campaign {self.name!r} has {steps} steps one after the other, and limits.per_customer lets a "
                f"customer have {bound}; raise it to {steps} or more, or leave out the last steps"
            )
            raise WrongArgumentError(message)

    def _place_of(self, action: Action) -> int:
        """The how-manieth step it is, counted from the one with the occasion."""
        before = [each for each in self.actions if action.after is not None and each.name == action.after.action]
        return 1 + self._place_of(before[0]) if before else 1

    @property
    def has_follow_ups(self) -> bool:
        """Whether a step comes after another one."""
        return any(each.after is not None for each in self.actions)

    def occasion_of(self, action: str) -> Occasion:
        """The occasion of an action: its own, or of a follow-up that of the step which it all began with.

        Raises:
            WrongArgumentError: the campaign has no action of that name.
        """
        for each in self.actions:
            if each.name == action and each.occasion is not None:
                return each.occasion
            if each.name == action and each.after is not None:
                return self.occasion_of(each.after.action)
        message = f"the campaign {self.name!r} has no action {action!r}"
        raise WrongArgumentError(message)
