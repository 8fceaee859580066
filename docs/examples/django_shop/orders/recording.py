"""Orders as the project takes them."""

from collections.abc import Iterable

from relationship_core import Interaction, Money

from .models import Order


def interactions(orders: Iterable[Order]) -> list[Interaction]:
    """Each by the order's own number: what is recorded again changes nothing."""
    return [
        Interaction(
            source="shop",
            id=str(order.pk),
            customer=order.customer,
            kind="order",
            at=order.at,
            amount=Money(minor=order.cents, currency="EUR"),
        )
        for order in orders
    ]
