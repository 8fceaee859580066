"""The ground that history stands on: the currency its money is in, and the zone whose days were counted."""

from __future__ import annotations

from relationship_core.errors import ConfigurationError
from relationship_core.flow.facts import read_fact, write_fact
from relationship_core.ports import Store

CURRENCY_FACT = "currency"
ZONE_FACT = "zone"


def check_currency(store: Store, currency: str) -> None:
    """Compare the project's currency with that of the recorded money.

    Raises:
        ConfigurationError: it is another one; nothing can turn one into the other.
    """
    kept = read_fact(store, CURRENCY_FACT)
    if kept not in {None, currency}:
        message = (
            f"[project] currency is {currency}, and what was recorded is in {kept}; set it back to {kept}, "
            f"or make another project for {currency}"
        )
        raise ConfigurationError(message)


def check_zone(store: Store, zone: str) -> None:
    """Compare the project's zone with the one whose days history was folded by.

    Raises:
        ConfigurationError: it is another one.
    """
    kept = read_fact(store, ZONE_FACT)
    if kept not in {None, zone}:
        message = (
            f"[project] zone is {zone}, and the days of history were counted in {kept}; set it back to {kept}, "
            "or run `relate rebuild`"
        )
        raise ConfigurationError(message)


def keep_ground(store: Store, currency: str, zone: str) -> None:
    """Note the currency and the zone that history is recorded and folded in, where that is news."""
    for name, value in ((CURRENCY_FACT, currency), (ZONE_FACT, zone)):
        if read_fact(store, name) != value:
            with store.transaction():
                write_fact(store, name, value)
