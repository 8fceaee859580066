"""Campaigns: who is addressed, on which occasion, with what."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal, TypeAlias, cast, get_args

from attrs import field, frozen, validators

from relationship_core.errors import WrongArgumentError
from relationship_core.model.interaction import Nature
from relationship_core.model.texts import slug
from relationship_core.model.validation import declared, floating, listed, optional_floating

if TYPE_CHECKING:
    from attrs import Attribute

Purpose: TypeAlias = Literal["service", "marketing"]
"""For the law. Whatever carries a price, an offer or a buying link is marketing."""


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
    """

    channel: str = field(validator=declared.filled)
    locale: str | None = field(default=None, validator=declared.optional_text)
    subject: str = field(default="", validator=declared.text)
    text: str = field(default="", validator=declared.text)
    html: str = field(default="", validator=declared.text)


@frozen(kw_only=True)
class Occasion:
    """What makes an action due for a customer now, and what tells one occasion from the next.

    Attributes:
        name: what it is called: ``order``, ``lapse``, ``birthday``.
        when: the condition under which there is an occasion; empty for always.
        key: a column whose value identifies the occasion, such as ``last_order_on``; one engagement
            per key. Or ``once``, ``day``, ``month`` or ``year`` of the project-local date.
        since: a column of type instant or date at which the occasion began; it dates expiry. Empty: now.
    """

    name: str = field(validator=slug)
    when: str = field(default="", validator=declared.text)
    key: str = field(default="once", validator=declared.text)
    since: str = field(default="", validator=declared.text)


def _variants(values: Iterable[Variant]) -> tuple[Variant, ...]:
    return cast("tuple[Variant, ...]", listed(values))


@frozen(kw_only=True)
class Action:
    """One step of a campaign.

    Attributes:
        name: unique in the campaign.
        occasion: what makes it due.
        variants: texts in order of preference; the first channel on which the customer can be reached wins.
    """

    name: str = field(validator=slug)
    occasion: Occasion = field(validator=declared.an(Occasion))
    variants: tuple[Variant, ...] = field(converter=_variants, validator=declared.each(Variant, least=1))


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
        money: what we pay for it, in minor units of the project's currency.
        our_minutes: our time.
        their_minutes: the customer's time, to read it and to do what it asks.
    """

    money: int = field(default=0, validator=declared.whole(0, _LARGEST))
    our_minutes: float = field(default=0.0, converter=floating, validator=declared.number(0))
    their_minutes: float = field(default=0.0, converter=floating, validator=declared.number(0))


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
        value: expected value of one engagement, in minor units of the project's currency.
        topic: what it is about, as consents name it; empty for nothing in particular.
        weight: how much it gives or asks, against a give or an ask of weight 1; what is neutral weighs nothing.
        cost: what one engagement costs.
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
    value: int = field(default=0, validator=_bounded)
    topic: str = field(default="", validator=_optional_slug)
    weight: float = field(default=1.0, converter=floating, validator=declared.number(above=0))
    cost: Cost = field(factory=Cost, validator=declared.an(Cost))
    holdout: float = field(default=0.0, converter=floating, validator=declared.number(0, 1))
    limits: Limits = field(factory=Limits, validator=declared.an(Limits))
    summary: str = field(default="", validator=declared.text)

    def __attrs_post_init__(self) -> None:
        """Refuse two actions of one name, and what would come to nothing, or to service that not everybody gets."""
        names = [action.name for action in self.actions]
        if len(set(names)) != len(names):
            message = f"the campaign {self.name!r} names an action twice: {', '.join(names)}"
            raise WrongArgumentError(message)
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
