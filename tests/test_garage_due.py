"""60 replayed days of both demos: looking at whom is due gives what looking at everybody gives."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from attrs import evolve

from relationship_core import (
    DECISIONS,
    STATES,
    TRANSITIONS,
    Choice,
    Customer,
    Plugins,
    Relationships,
    read_campaigns,
    read_settings,
)
from relationship_demo.business import Business
from relationship_demo.garage.business import GARAGE
from relationship_demo.groceries import GROCERIES
from relationship_demo.months import Month
from relationship_demo.project import prepare

DAYS = 60
PEOPLE = 200
"""So many customers of each business; all of their history."""


def people_of(business: Business, months: tuple[Month, ...]) -> list[Customer]:
    """Customers who are known by then: private ones, firms, and their contacts alike."""
    known = [customer for month in months for customer in business.newcomers(month)]
    return known[:: max(1, len(known) // PEOPLE)]


def outcome(project: Relationships) -> dict[str, pl.DataFrame]:
    """Where everybody stands, every move, and all that was planned; a skip may be told anew on another day."""
    states = project.store.read(STATES, columns=["customer", "stage", "since", "lapsed"])
    planned = project.store.read(DECISIONS, where={"verdict": "planned"})
    return {
        "states": states.sort("customer"),
        "transitions": project.store.read(TRANSITIONS).sort("customer", "at"),
        "planned": planned.select("customer", "campaign", "action", "occasion", "at").sort(pl.all()),
    }


@pytest.mark.parametrize(("business", "before"), [(GROCERIES, 2), (GARAGE, 17)], ids=["groceries", "garage"])
def test_due_only_equals_everybody(business: Business, before: int, tmp_path: Path, standard_plugins: Plugins) -> None:
    prepare(tmp_path, business)
    media = {"email": "mail", "sms": "texts", "post": "letters"} | ({"post": "cards"} if business is GROCERIES else {})
    channels = {name: Choice(use="null", settings={"medium": medium}) for medium, name in media.items()}
    settings = evolve(read_settings(tmp_path), store=Choice(use="memory"), channels=channels)
    year = business.months()
    people = people_of(business, year[:before])
    ids = [customer.id for customer in people]
    history = pl.concat(business.interactions(month) for month in year[: before + 3])
    history = history.filter(pl.col("customer").is_in(ids))
    start = year[before].since
    now = [start]

    def project() -> Relationships:
        opened = Relationships(
            settings=settings,
            campaigns=read_campaigns(tmp_path),
            plugins=standard_plugins,
            clock=lambda: now[0],
            folder=tmp_path,
        )
        opened.record_customers(people)
        opened.record(history.filter(pl.col("at") < start))
        return opened

    steps: tuple[Callable[[Relationships], object], ...] = (
        lambda each: each.review(),
        lambda each: each.review(everybody=True),
    )
    with project() as due, project() as everybody:
        for day in range(1, DAYS + 1):
            since, now[0] = now[0], start + timedelta(days=day)
            for each, review in zip((due, everybody), steps, strict=True):
                each.record(history.filter(pl.col("at").is_between(pl.lit(since), pl.lit(now[0]), closed="left")))
                review(each)
                each.plan()
                each.deliver()
            compare(outcome(due), outcome(everybody), now[0])
        assert outcome(due)["transitions"].filter(pl.col("at") > start + timedelta(days=1)).height > 10


def compare(found: dict[str, pl.DataFrame], expected: dict[str, pl.DataFrame], at: datetime) -> None:
    for name, frame in expected.items():
        assert found[name].equals(frame), (name, at)
