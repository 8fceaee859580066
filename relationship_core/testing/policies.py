"""The contract of a policy. A plugin inherits it in a few lines and gets every test of it.

    class TestMyPolicy(PolicyContract):
        plugin = my_plugin
        policy = "my_policy"
        stopped = (("order", timedelta(days=1)),)
        free = (("order", timedelta(days=30)),)

Each test plans a campaign for customers in memory, with what is built in but for its policies: what is refused is then
refused by the plugin. A policy that defers gives the message a time before which it does not go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any, ClassVar, get_args

import pytest
from attrs import frozen

from relationship_core.columns import DECISIONS, MESSAGES
from relationship_core.config import Choice, Settings
from relationship_core.config.project import ProjectSettings
from relationship_core.declarations import Policy
from relationship_core.model.campaign import Action, Campaign, Occasion, Variant
from relationship_core.model.customer import ContactPoint, Customer
from relationship_core.model.interaction import Nature
from relationship_core.model.words import Purpose
from relationship_core.plugins import Plugins
from relationship_core.relationships import Relationships
from relationship_core.testing.declarations import DeclarationContract

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
STOPPED, FREE, UNKNOWN = "stopped", "free", "unknown"
NAME = "Zoë Łukasiewicz"
CASES: Sequence[tuple[Purpose, Nature]] = tuple(product(get_args(Purpose), get_args(Nature)))


@frozen(kw_only=True)
class Judged:
    """What a policy says about one customer.

    Attributes:
        stops: whether it refuses the engagement, or defers its message.
        until: until when; None where only news lift it, or nothing is stopped.
    """

    stops: bool
    until: datetime | None = None


class PolicyContract(DeclarationContract):
    """What the core takes for granted of every policy.

    Attributes:
        plugin: the module, or object, that declares it.
        policy: its name.
        stopped: what happened with a customer whom it refuses or defers: kinds of interaction, and how long ago.
        free: what happened with one whom it lets go.
    """

    without = ("builtin.policies",)
    policy: ClassVar[str]
    stopped: ClassVar[Sequence[tuple[str, timedelta]]]
    free: ClassVar[Sequence[tuple[str, timedelta]]]

    @pytest.fixture
    def declared(self, plugins: Plugins) -> Policy:
        """The policy."""
        return next(each for each in plugins.policies if each.name == self.policy)

    @pytest.fixture
    def campaign(self, request: pytest.FixtureRequest, declared: Policy) -> Campaign:
        """A campaign for everybody, of a purpose and nature that the policy is for unless a test gives others."""
        purpose, nature = getattr(request, "param", (declared.purposes[0], declared.natures[0]))
        variants = (Variant(channel="letters", subject="Hello", text="Hello"),)
        action = Action(name="write", occasion=Occasion(name="once", key="once"), variants=variants)
        return Campaign(name="hello", owner="tests", purpose=purpose, nature=nature, actions=[action])

    @pytest.fixture
    def clock(self) -> list[datetime]:
        """The present, to be changed."""
        return [NOW]

    @pytest.fixture
    def project(self, plugins: Plugins, campaign: Campaign, clock: list[datetime]) -> Iterator[Relationships]:
        """A project with three customers: one to be stopped, one who is free, one of whom nothing is known."""
        settings = Settings(
            channels={"letters": Choice(use="null")}, project=ProjectSettings(postal_address="1 Main Street")
        )
        with Relationships(settings=settings, campaigns=[campaign], clock=lambda: clock[0], plugins=plugins) as project:
            project.record_customers([_customer(each) for each in (STOPPED, FREE, UNKNOWN)])
            told = [
                (customer, kind, NOW - ago)
                for customer, history in ((STOPPED, self.stopped), (FREE, self.free))
                for kind, ago in history
            ]
            project.record([self.interaction(number, *each) for number, each in enumerate(told)])
            yield project

    @pytest.mark.parametrize("campaign", CASES, indirect=True)
    def test_it_stops_whom_it_should(self, project: Relationships, campaign: Campaign, declared: Policy) -> None:
        """For the purposes and natures that it is for, and for no other."""
        holds = campaign.purpose in declared.purposes and campaign.nature in declared.natures
        found = self.judged(project)
        assert found[STOPPED].stops is holds
        assert not found[FREE].stops

    def test_nothing_known_is_no_failure(self, project: Relationships) -> None:
        """A customer without any history has nulls in most columns, and no policy fails of them."""
        self.judged(project)
        assert "policy_failed" not in project.store.read(DECISIONS)["reason"].to_list()

    def test_time_lifts_it_when_it_says(self, project: Relationships, clock: list[datetime]) -> None:
        """An instant until which it stops lies ahead, and once it has come nobody is stopped for the same reason."""
        until = self.judged(project)[STOPPED].until
        if until is not None:
            assert until > NOW
            clock[0] = until
            again = self.judged(project)[STOPPED]
            assert not again.stops or again.until is None or again.until > until

    def test_what_is_told_names_nobody(self, project: Relationships) -> None:
        """The detail is for everybody to read: no name, no address."""
        self.judged(project)
        told = " ".join(project.store.read(DECISIONS)["detail"].drop_nulls().to_list())
        assert NAME not in told
        assert "example.com" not in told

    def test_it_says_what_it_is_for(self, declared: Policy) -> None:
        assert declared.summary

    def judged(self, project: Relationships) -> Mapping[str, Judged]:
        """Plan, and tell for each customer whether the policy stops them now, and until when."""
        project.review()
        project.plan()
        now = project.clock()
        rows = project.store.read(DECISIONS).join(
            project.store.read(MESSAGES).select("customer", "not_before"), on="customer", how="left"
        )
        found = {row["customer"]: row for row in rows.iter_rows(named=True)}
        return {customer: self._judged(found.get(customer), now) for customer in (STOPPED, FREE, UNKNOWN)}

    def _judged(self, row: Mapping[str, Any] | None, now: datetime) -> Judged:
        if row is None:
            return Judged(stops=False)
        if row["reason"] == self.policy:
            return Judged(stops=True, until=row["until"])
        waits = row["not_before"]
        return Judged(stops=True, until=waits) if waits is not None and waits > now else Judged(stops=False)


def _customer(id: str) -> Customer:
    return Customer(id=id, name=NAME, contact_points=[ContactPoint(medium="email", address=f"{id}@example.com")])
