"""Interactions: what happened between us and a customer, in either direction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, TypeAlias, get_args

from attrs import field, frozen, validators

from relationship_core.model.instants import aware
from relationship_core.model.money import Money
from relationship_core.model.texts import filled, identifier, read_only

Direction: TypeAlias = Literal["inbound", "outbound"]
"""Who moved: ``inbound`` is the customer, ``outbound`` is us."""

Nature: TypeAlias = Literal["give", "ask", "neutral"]
"""What it means for the relationship, seen from whoever moved."""


@frozen(kw_only=True)
class InteractionKind:
    """A declared kind of interaction.

    Attributes:
        name: lower case with underscores, such as ``order`` or ``complaint_opened``.
        direction: who moved.
        nature: a give, an ask, or neutral.
        evidence: the elements of a relationship it is evidence of, such as ``trust`` or ``benefit``.
        summary: one line for people.
    """

    name: str = field(validator=identifier)
    direction: Direction = field(validator=validators.in_(get_args(Direction)))
    nature: Nature = field(default="neutral", validator=validators.in_(get_args(Nature)))
    evidence: tuple[str, ...] = field(default=(), converter=tuple[str, ...])
    summary: str


@frozen(kw_only=True)
class OrderLine:
    """One line of an order.

    Attributes:
        product: the product's id in the shop.
        category: the department or category it belongs to; None when unknown.
        quantity: how many, in the product's own unit; not negative.
        minor: what was paid for the line, in minor units of the order's currency.
    """

    product: str
    category: str | None = None
    quantity: float = field(default=1.0, converter=float, validator=validators.ge(0))
    minor: int | None = None


@frozen(kw_only=True)
class Interaction:
    """One thing that happened; recorded once, however often it is sent.

    Attributes:
        source: the system that reports it, such as ``shop``.
        id: its id there; (source, id) is unique in the project, a repetition changes nothing.
        customer: the customer's id.
        kind: the name of a declared InteractionKind.
        at: when it happened; an aware datetime.
        amount: money that moved with it, if any.
        reference: what ties it to others, such as a case or an order number.
        lines: the order's lines, if it is an order.
        data: further facts as text, kept and exported but not computed with.
    """

    source: str = field(validator=filled)
    id: str = field(validator=filled)
    customer: str = field(validator=filled)
    kind: str = field(validator=filled)
    at: datetime = field(validator=aware)
    amount: Money | None = None
    reference: str | None = None
    lines: tuple[OrderLine, ...] = field(default=(), converter=tuple[OrderLine, ...])
    data: Mapping[str, str] = field(factory=dict, converter=read_only)
