"""Interactions: what happened between us and a customer, in either direction."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Literal, TypeAlias, cast, get_args

from attrs import field, frozen, validators

from relationship_core.model.money import MINOR_UNITS, Money
from relationship_core.model.texts import identifier
from relationship_core.model.validation import (
    Validator,
    check_each,
    data,
    declared,
    floating,
    listed,
    texts,
    texts_by_name,
)

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
    direction: Direction = field(validator=declared.one_of(get_args(Direction)))
    nature: Nature = field(default="neutral", validator=declared.one_of(get_args(Nature)))
    evidence: tuple[str, ...] = field(default=(), converter=texts, validator=declared.each(str))
    summary: str = field(validator=declared.text)


_ORDER_LINE: Mapping[str, Validator] = {
    "product": data.text,
    "category": data.optional_text,
    "quantity": data.number(0),
    "minor": validators.optional(data.whole(of=MINOR_UNITS)),
}


@frozen(kw_only=True)
class OrderLine:
    """One line of an order.

    Attributes:
        product: the product's id in the shop.
        category: the department or category it belongs to; None when unknown.
        quantity: how many, in the product's own unit; not negative.
        minor: what was paid for the line, in minor units of the order's currency.

    Raises:
        RejectedError: an attribute is of the wrong type, or the quantity is not a number of at least 0.
    """

    product: str
    category: str | None = None
    quantity: float = field(default=1.0, converter=floating)
    minor: int | None = None

    def __attrs_post_init__(self) -> None:
        """Refuse what is no order line."""
        category, quantity, minor = self.category, self.quantity, self.minor
        if not (
            type(self.product) is str
            and (category is None or type(category) is str)
            and (type(quantity) is float and 0.0 <= quantity < math.inf)
            and (minor is None or type(minor) is int)
        ):
            check_each(self, _ORDER_LINE)


def _order_lines(values: Iterable[OrderLine]) -> tuple[OrderLine, ...]:
    return values if type(values) is tuple else cast("tuple[OrderLine, ...]", listed(values))


_INTERACTION: Mapping[str, Validator] = {
    "source": data.filled,
    "id": data.filled,
    "customer": data.filled,
    "kind": data.filled,
    "at": data.aware,
    "amount": data.an(Money, optional=True),
    "reference": data.optional_text,
    "lines": data.each(OrderLine),
    "data": data.texts_by_name,
}


def _all_of(kind: type, values: Iterable[object]) -> bool:
    for value in values:  # noqa: SIM110  a generator costs three times as much
        if type(value) is not kind:
            return False
    return True


def _all_texts(values: Mapping[str, str]) -> bool:
    for name, value in values.items():  # noqa: SIM110  likewise
        if type(name) is not str or type(value) is not str:
            return False
    return True


_strip, _offset = str.strip, datetime.utcoffset


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
        data: more about it as text, by name, such as the day that a promise is ``due``; the kinds say what they take.

    Raises:
        RejectedError: an attribute is of the wrong type, empty or padded with white space, or the time has no zone.
    """

    source: str
    id: str
    customer: str
    kind: str
    at: datetime
    amount: Money | None = None
    reference: str | None = None
    lines: tuple[OrderLine, ...] = field(default=(), converter=_order_lines)
    data: Mapping[str, str] = field(factory=dict, converter=texts_by_name)

    def __attrs_post_init__(self) -> None:
        """Refuse what is no interaction."""
        source, id_, customer, kind = self.source, self.id, self.customer, self.kind
        amount, reference, lines, data = self.amount, self.reference, self.lines, self.data
        try:
            is_sound = (
                (_strip(source) == source != "" and _strip(id_) == id_ != "")
                and (_strip(customer) == customer != "" and _strip(kind) == kind != "")
                and _offset(self.at) is not None
                and (amount is None or type(amount) is Money)
                and (reference is None or type(reference) is str)
                and (type(lines) is tuple and (not lines or _all_of(OrderLine, lines)))
                and (type(data) is MappingProxyType and (not data or _all_texts(data)))
            )
        except TypeError:
            is_sound = False
        if not is_sound:
            check_each(self, _INTERACTION)
