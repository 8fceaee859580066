"""The contract that a project reviewed and planned by an executor is, to the last row, what it is without one.

    class TestMyProjects(ProcessProjectContract):
        choice = Choice(use="mine", settings={"workers": 2})

An executor whose tasks are done in this very process inherits ``ExecutorProjectContract`` alone.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import polars as pl
import pytest

from relationship_core.columns import FACTS, STATES, TABLES
from relationship_core.config import Choice, Settings
from relationship_core.config.contact import Cap, ConsentSettings, HoldoutSettings, PreferenceSettings
from relationship_core.config.project import ProjectSettings
from relationship_core.declarations import Policy, ScoringRule
from relationship_core.errors import RetriableError
from relationship_core.hookspecs import hookimpl
from relationship_core.model.campaign import Action, After, Campaign, Cost, Limits, Occasion, Variant
from relationship_core.model.customer import ContactPoint, Customer
from relationship_core.model.interaction import Interaction
from relationship_core.model.money import Money
from relationship_core.model.permission import Consent
from relationship_core.model.relationship import Transition
from relationship_core.plugins.loading import load_plugins
from relationship_core.relationships import Relationships

FIRST = datetime(2024, 5, 1, 9, tzinfo=UTC)
DAYS = (0, 2, 31)
CUSTOMERS = 60
PAGE = 10
"""How many customers a page has: few, so that there are more pages than workers."""
ODD = "c031x"
"""The customer at whom the policy ``odd`` fails."""
MARKER = "RELATIONSHIP_TEST_MARKER"
"""Names the variable whose value is the file that says whether the score ``deadly`` has killed its worker."""
CALLER = "RELATIONSHIP_TEST_CALLER"
"""Names the variable with the id of the process that ``deadly`` leaves alive."""


class Odd:
    """A plugin whose policy cannot judge one customer."""

    @hookimpl
    def relationship_policies(self) -> tuple[Policy, ...]:
        """The policy ``odd``."""
        number = pl.col("customer").str.slice(1).cast(pl.Int64)  # strict: it raises where there is no number
        return (Policy(name="odd", refuses=number < 0, purposes=("marketing",), natures=("ask",)),)


def deadly(frame: pl.DataFrame) -> pl.Series:
    """A score that kills the worker that computes it; once, where MARKER names a file."""
    marker = os.environ.get(MARKER, "")
    if str(os.getpid()) != os.environ.get(CALLER) and not (marker and Path(marker).exists()):
        if marker:
            Path(marker).touch()
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
    return frame["orders"].fill_null(0.0)


class Deadly:
    """A plugin with the score ``deadly``."""

    @hookimpl
    def relationship_scores(self) -> tuple[ScoringRule, ...]:
        """The score."""
        return (ScoringRule(name="deadly", value=deadly, confidence=pl.lit(1.0), needs=("orders",)),)


class Listening:
    """A plugin that hears who moved; it stays with the program that listens.

    Attributes:
        heard: the batches.
    """

    def __init__(self) -> None:
        self.heard: list[Sequence[Transition]] = []

    @hookimpl
    def relationship_stage_changed(self, transitions: Sequence[Transition]) -> None:
        """Take a batch."""
        self.heard.append(transitions)

    def __reduce__(self) -> str:
        message = "a listener stays where it is"
        raise TypeError(message)


def _campaign(name: str, actions: Sequence[Action], **more: Any) -> Campaign:
    return Campaign(name=name, owner="tests", actions=tuple(actions), **{"purpose": "marketing", **more})


def _action(name: str, when: str, key: str = "once", **more: Any) -> Action:
    occasion = None if "after" in more else Occasion(name=name, when=when, key=key)
    return Action(name=name, occasion=occasion, variants=(Variant(channel="letters", subject=name, text=name),), **more)


CAMPAIGNS = (
    _campaign("thanks", [_action("write", "silence_days < 2", "last_order_on")], nature="give", priority=2),
    _campaign(
        "missing",
        [_action("write", "silence_days > 20", "last_order_on")],
        nature="ask",
        value=9,
        cost=Cost(money=3),
        limits=Limits(budget=18),
    ),
    _campaign(
        "welcome",
        [
            _action("first", "order_days >= 1"),
            _action("second", "", after=After(action="first", days=2, when="silence_days > 1")),
        ],
        nature="give",
        holdout=0.3,
    ),
    _campaign("asking", [_action("write", "order_days >= 2", "month")], nature="ask", priority=1),
    _campaign("service", [_action("write", "silence_days < 1", "last_order_on")], purpose="service", nature="neutral"),
)
"""Among them budgets, a holdout, a follow-up, and asks, for which the policy ``odd`` fails."""


BRAVE = _campaign("brave", [_action("write", "deadly >= 0")], nature="give")
"""Asks for the score ``deadly``."""


class ExecutorProjectContract:
    """A project is the same, whoever judges its pages.

    Attributes:
        choice: the ``[executor]`` that is tried.
    """

    choice: ClassVar[Choice]
    here: ClassVar[Choice] = Choice(use="in_process")

    @pytest.fixture
    def store(self) -> Callable[[Path], Choice]:
        """The ``[store]`` of a project in a folder. To be overridden for one that is no SQLite file."""
        return lambda folder: Choice(use="sqlite", settings={"path": str(folder / "project.db")})

    @pytest.fixture
    def opened(self, store: Callable[[Path], Choice], tmp_path: Path) -> Callable[..., Relationships]:
        """Opens the project of a name with an executor; what else there is goes to ``open_project``."""

        def open_one(name: str, executor: Choice, **more: Any) -> Relationships:
            folder = tmp_path / name
            folder.mkdir(exist_ok=True)
            return open_project(folder, executor, store=store(folder), **more)

        return open_one

    def test_days_of_a_project_are_the_same(self, opened: Callable[..., Relationships]) -> None:
        expected, found = (
            self._days(opened, name, choice) for name, choice in (("here", self.here), ("there", self.choice))
        )
        assert found[0] == expected[0]
        assert [step for step in expected[0] if step["planned"].failed] != []
        assert found[1].keys() == expected[1].keys()
        for name, frame in expected[1].items():
            assert found[1][name].equals(frame), name
        verdicts = set(expected[1]["decisions"]["verdict"])
        assert verdicts == {"planned", "held_out", "skipped"}
        assert {"budget", "policy_failed"} <= set(expected[1]["decisions"]["reason"])

    def _days(
        self, opened: Callable[..., Relationships], name: str, choice: Choice
    ) -> tuple[list[dict[str, Any]], dict[str, pl.DataFrame]]:
        """What each step of some days answered, and every table afterwards."""
        answers = []
        listening, present = Listening(), [FIRST]
        with opened(name, choice, clock=lambda: present[-1], plugins=[Odd(), listening]) as project:
            for day in DAYS:
                present.append(FIRST + timedelta(days=day))
                record_day(project, day)
                answers.append(
                    {
                        "reviewed": project.review(everybody=day == 2),
                        "tried": project.plan(dry_run=True),
                        "planned": project.plan(),
                        "delivered": project.deliver(),
                        "heard": tuple(listening.heard),
                        "marks": (project.store.marked("review"), project.store.marked("plan")),
                    }
                )
            return answers, {table.name: project.store.read(table) for table in TABLES}


class ProcessProjectContract(ExecutorProjectContract):
    """The same of an executor whose tasks are done in other processes, which may die."""

    def test_a_worker_that_dies_changes_nothing(
        self,
        opened: Callable[..., Relationships],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setenv(CALLER, str(os.getpid()))
        monkeypatch.setenv(MARKER, str(tmp_path / "died"))
        states = {}
        for name, choice in (("here", self.here), ("there", self.choice)):
            with opened(name, choice, plugins=[Deadly()], campaigns=(BRAVE,)) as project:
                record_day(project, 0)
                project.review()
                project.plan()
                states[name] = {table.name: project.store.read(table) for table in TABLES}
        for name, frame in states["here"].items():
            assert states["there"][name].equals(frame), name

    def test_a_page_that_kills_every_worker_leaves_what_was_there(
        self,
        opened: Callable[..., Relationships],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setenv(CALLER, str(os.getpid()))
        with opened("there", self.choice, plugins=[Deadly()], campaigns=(BRAVE,)) as project:
            record_day(project, 0)
            with pytest.raises(RetriableError, match="died"):
                project.review()
            assert project.store.marked("review") is None  # everybody still is
            assert project.store.read(STATES).is_empty()
        with opened("there", self.here, plugins=[Deadly()], campaigns=(BRAVE,)) as project:
            assert project.review().customers == CUSTOMERS


def open_project(
    folder: Path,
    executor: Choice,
    *,
    store: Choice,
    clock: Callable[[], datetime] = lambda: FIRST,
    plugins: Sequence[object] = (),
    campaigns: Sequence[Campaign] = CAMPAIGNS,
) -> Relationships:
    """The project of these tests, with pages so small that there are several."""
    return Relationships(
        settings=Settings(
            store=store,
            executor=executor,
            channels={"letters": Choice(use="null")},
            project=ProjectSettings(postal_address="1 Main Street", zone="America/New_York"),
            consent=ConsentSettings(without=("post",)),
            preference=PreferenceSettings(unasked="close"),
            caps={"week": Cap(count=2, days=7)},
            minimum_interval_days={"default": 1},
            holdout=HoldoutSettings(share=0.05),
        ),
        campaigns=campaigns,
        clock=clock,
        folder=folder,
        page_size=PAGE,
        plugins=load_plugins(extra=plugins),
    )


def record_day(project: Relationships, day: int) -> None:
    """What comes to pass on a day of the project."""
    now = FIRST + timedelta(days=day)
    ids = [f"c{number:03d}" if number != int(ODD[1:4]) else ODD for number in range(CUSTOMERS)]
    if day == 0:
        project.record_customers(_customer(id) for id in ids)
        with project.store.transaction():
            # The same salt everywhere: the same engagement has the same message id, and the same are held out.
            project.store.put(FACTS, pl.DataFrame({"name": ["salt"], "value": ["of all projects"]}))
        project.permissions.record_consents(
            Consent(
                customer=id,
                medium="email",
                act="grant",
                at=now - timedelta(days=60),
                method="form",
                wording="w",
                source="s",
            )
            for id in ids
        )
        project.record(_order(id, now - timedelta(days=1 + number % 40)) for number, id in enumerate(ids))
    elif day == DAYS[1]:
        project.accounts.link("c050", "c001", role="buyer")
        project.accounts.link("c050", "c002", role="user")
        project.identities.merge("c003", into="c004", reason="the same person")
        project.identities.merge("c055", into="c010", reason="the same person")
        project.forget("c005", reason="wanted it")
    project.record(_order(id, now - timedelta(hours=3)) for id in ids[day % 5 :: 9] if id != "c005")


def _customer(id: str) -> Customer:
    return Customer(
        id=id, name=id, contact_points=[ContactPoint(medium="email", address=f"{id}@example.com", synthetic=True)]
    )


def _order(customer: str, at: datetime) -> Interaction:
    return Interaction(
        source="shop",
        id=f"{customer} {at.isoformat()}",
        customer=customer,
        kind="order",
        at=at,
        amount=Money(minor=900, currency="EUR"),
    )
