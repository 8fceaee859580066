"""What every test shares: settings, and builders of the objects that most tests need.

A builder is a fixture that gives a function, since one test module cannot import another.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import settings

from relationship_core import (
    Action,
    Campaign,
    Choice,
    ContactPoint,
    Customer,
    Interaction,
    Ladder,
    Limits,
    Money,
    Occasion,
    Plugins,
    ProjectSettings,
    Relationships,
    Settings,
    Variant,
    hookimpl,
    load_plugins,
)

# No deadline: the time of one example says nothing on a busy machine.
settings.register_profile("tests", deadline=None)
settings.load_profile("tests")

PRESENT = datetime(2030, 1, 1, tzinfo=UTC)
"""What the clock of a test's project says; everything that tests record lies before it."""


class _LadderPlugin:
    """A plugin with one ladder."""

    def __init__(self, ladder: Ladder) -> None:
        self._ladder = ladder

    @hookimpl
    def relationship_ladders(self) -> tuple[Ladder, ...]:
        return (self._ladder,)


@pytest.fixture(scope="session")
def make_interaction() -> Callable[..., Interaction]:
    """An interaction, told apart by customer, kind and time; ``minor`` is money in minor units of EUR."""

    def make(customer: str, kind: str, at: datetime, *, minor: int | None = None, **more: Any) -> Interaction:
        amount = None if minor is None else Money(minor=minor, currency="EUR")
        known = {"source": "test", "id": f"{customer} {kind} {at.isoformat()}", **more}
        return Interaction(customer=customer, kind=kind, at=at, amount=amount, **known)

    return make


@pytest.fixture(scope="session")
def make_customer() -> Callable[..., Customer]:
    """A customer with an e-mail address at example.com, unless ``contact_points`` says otherwise."""

    def make(id: str, **more: Any) -> Customer:  # noqa: A002  the field's own name
        reachable = {"contact_points": [ContactPoint(medium="email", address=f"{id}@example.com", synthetic=True)]}
        return Customer(id=id, **{"name": id.title(), **reachable, **more})

    return make


@pytest.fixture(scope="session")
def make_campaign() -> Callable[..., Campaign]:
    """A campaign of one action, ``write``, on the channel ``letters``; ``when``, ``key`` and ``since`` are its occasion's."""

    def make(
        name: str,
        *,
        when: str = "",
        key: str = "once",
        since: str = "",
        variants: Iterable[Variant] = (Variant(channel="letters", subject="Hello", text="Hello {{ customer.name }}"),),
        limits: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> Campaign:
        occasion = Occasion(name="occasion", when=when, key=key, since=since)
        known = {"owner": "tests", "purpose": "marketing", "nature": "give", **more}
        if "actions" not in known:
            known["actions"] = [Action(name="write", occasion=occasion, variants=tuple(variants))]
        return Campaign(name=name, limits=Limits(**(limits or {})), **known)

    return make


@pytest.fixture(scope="session")
def standard_plugins() -> Plugins:
    """What is installed, loaded once."""
    return load_plugins()


@pytest.fixture(scope="session")
def make_project(standard_plugins: Plugins) -> Callable[..., Relationships]:
    """A project in memory, unless ``store`` says otherwise, with a null channel ``letters``.

    ``plugins`` are handed in beside the installed ones; ``ladder`` may be a Ladder.
    """

    def make(
        *campaigns: Campaign,
        plugins: Iterable[object] = (),
        ladder: Ladder | str = "b2c",
        zone: str = "UTC",
        folder: Any = None,
        **more: Any,
    ) -> Relationships:
        extra = [*plugins, *([_LadderPlugin(ladder)] if isinstance(ladder, Ladder) else [])]
        chosen = {"channels": {"letters": Choice(use="null")}, "project": ProjectSettings(zone=zone), **more}
        return Relationships(
            settings=Settings(ladder=ladder.name if isinstance(ladder, Ladder) else ladder, **chosen),
            campaigns=campaigns,
            clock=lambda: PRESENT,
            plugins=load_plugins(extra=extra) if extra else standard_plugins,
            folder=folder,
        )

    return make
