"""Customers by their ids: whether there is one, and who has an id now."""

from __future__ import annotations

from collections.abc import Iterable

from relationship_core.columns import CUSTOMERS, Page
from relationship_core.errors import RejectedError, nearest
from relationship_core.flow.united import refreshed
from relationship_core.model.instants import EARLIEST
from relationship_core.ports import Store

_SOUGHT = 20_000


def is_known(store: Store, customer: str) -> bool:
    """Whether an id is a customer's, merged or not."""
    return not store.read(CUSTOMERS, page=Page.of([customer]), columns=["customer"]).is_empty()


def _some(store: Store) -> Iterable[str]:
    """The ids among which one is sought that may be meant: of very many customers the first ones."""
    return next((page.customers for page in store.pages(None, as_of=EARLIEST, size=_SOUGHT)), ())


def refuse_unknown(store: Store, customer: str) -> None:
    """Refuse an id that is nobody's.

    Raises:
        RejectedError: there is no such customer.
    """
    if not is_known(store, customer):
        alike = nearest(customer, _some(store))
        message = (
            f"there is no customer {customer!r} in this project{alike}; ids are those of the import, letter for letter"
        )
        raise RejectedError(message)


def find_customer(store: Store, customer: str) -> Page:
    """The page of one known customer; for an id that was merged, of the survivor.

    Raises:
        RejectedError: nobody has that id.
    """
    refuse_unknown(store, customer)
    return Page.of([refreshed(store).survivor(customer)])
