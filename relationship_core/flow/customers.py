"""Customers by their ids: whether there is one, and who has an id now."""

from __future__ import annotations

from relationship_core.columns import CUSTOMERS, Page
from relationship_core.errors import RejectedError
from relationship_core.flow.united import refreshed
from relationship_core.ports import Store


def is_known(store: Store, customer: str) -> bool:
    """Whether an id is a customer's, merged or not."""
    return not store.read(CUSTOMERS, page=Page.of([customer]), columns=["customer"]).is_empty()


def refuse_unknown(store: Store, customer: str) -> None:
    """Refuse an id that is nobody's.

    Raises:
        RejectedError: there is no such customer.
    """
    if not is_known(store, customer):
        message = f"there is no customer {customer!r} in this project; ids are those of the import, letter for letter"
        raise RejectedError(message)


def find_customer(store: Store, customer: str) -> Page:
    """The page of one known customer; for an id that was merged, of the survivor.

    Raises:
        RejectedError: nobody has that id.
    """
    refuse_unknown(store, customer)
    return Page.of([refreshed(store).survivor(customer)])
