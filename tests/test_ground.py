"""What history stands on: its currency, its zone, and the instants that were recorded."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from relationship_core import (
    Choice,
    ConfigurationError,
    Interaction,
    ProjectSettings,
    RejectedError,
    Relationships,
    Settings,
)

NOW = datetime(2024, 3, 1, 1, 30, tzinfo=UTC)
Make = Callable[..., Interaction]


@pytest.fixture
def open_project(tmp_path: Path) -> Callable[..., Relationships]:
    def open_it(*, now: datetime = NOW, currency: str = "EUR", zone: str = "UTC") -> Relationships:
        settings = Settings(
            project=ProjectSettings(currency=currency, zone=zone),
            store=Choice(use="sqlite", settings={"path": str(tmp_path / "kept.db")}),
        )
        return Relationships(settings=settings, clock=lambda: now)

    return open_it


def test_another_currency_is_refused(open_project: Callable[..., Relationships], make_interaction: Make) -> None:
    with open_project() as project:
        project.record([make_interaction("ada", "order", NOW, minor=1000)])
    with pytest.raises(ConfigurationError, match="currency is USD, and what was recorded is in EUR"):
        open_project(currency="USD")


def test_another_zone_asks_for_a_rebuild(open_project: Callable[..., Relationships], make_interaction: Make) -> None:
    with open_project() as project:
        project.record([make_interaction("ada", "order", NOW, minor=1000)])
        assert str(project.customer("ada").measures["last_order_on"]) == "2024-03-01"
    with open_project(zone="America/New_York") as project:
        for step in (project.review, project.plan, project.run, lambda: project.record([])):
            with pytest.raises(ConfigurationError, match=r"counted in UTC; .* `relate rebuild`"):
                step()
        project.rebuild()
        assert str(project.customer("ada").measures["last_order_on"]) == "2024-02-29"


def test_nobody_is_shown_before_what_happened_last(
    open_project: Callable[..., Relationships], make_interaction: Make
) -> None:
    with open_project() as project:
        project.record([make_interaction("ada", "order", NOW, minor=1000)])
        earlier = NOW - timedelta(days=30)
        with pytest.raises(RejectedError, match="something was recorded that happened"):
            project.customer("ada", as_of=earlier)


def test_a_clock_that_is_a_little_behind_the_records_stops_nothing(
    open_project: Callable[..., Relationships], make_interaction: Make
) -> None:
    ahead = NOW + timedelta(hours=20)
    with open_project() as project:
        project.record([make_interaction("ada", "order", ahead, minor=1000)])
        assert project.run().as_of == ahead
        assert project.customer("ada").stage == "customer"


def test_a_refused_run_leaves_none_to_take_up(
    open_project: Callable[..., Relationships], make_interaction: Make
) -> None:
    with open_project() as project:
        project.record([make_interaction("ada", "order", NOW, minor=1000)])
        with pytest.raises(RejectedError, match="cannot run as of"):
            project.run(as_of=NOW - timedelta(days=1))
        assert not project.run().resumed


def test_an_interval_for_a_stage_that_is_not_there_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="has no stage 'clinet'; did you mean 'client'"):
        Relationships(settings=Settings(minimum_interval_days={"clinet": 14}))
