"""The replay: a business month by month, each with what was known then and nothing of what came later."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from itertools import takewhile
from typing import TYPE_CHECKING, TypeAlias

import polars as pl
from attrs import evolve

from relationship_core import FACTS, MESSAGES, RUNS, Choice, Relationships, read_campaigns, read_settings
from relationship_demo import project
from relationship_demo.business import Business
from relationship_demo.groceries import GROCERIES
from relationship_demo.months import Month

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

SALT = "relate demo: nobody here is to be protected"
"""In the place of random text: the people are made up."""

MORNING = timedelta(hours=9)
"""When messages leave that had to wait until nobody is woken."""

Listener: TypeAlias = Callable[[str, int, int], None]
"""Hears what is being done, how many months are done, and how many there will be."""


class Calendar:
    """A clock that stands still until it is set: it shows the end of the month that is being replayed."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        """The instant it was set to."""
        return self.at


def replay(
    folder: Path,
    *,
    months: int,
    listen: Listener,
    business: Business = GROCERIES,
    channels: Mapping[str, Choice] | None = None,
) -> None:
    """Bring a demo project to the end of the first so many months; what is done is not done again.

    A month may be repeated at will, since a recorded interaction is recorded once and an unfinished run is
    taken up where it stopped; so whoever interrupts it loses nothing.

    Customers are recorded when they become known: those who have not bought yet are prospects.

    Args:
        folder: the demo project.
        months: how many months of the business.
        listen: hears how far it is.
        business: whose history is replayed.
        channels: what delivers in the place of the project's own channels, by their names, in this run.

    Raises:
        ConfigurationError: the folder is no demo project of this business, or one of its files has been edited
            wrongly.
    """
    year = business.months()
    calendar = Calendar(year[0].since)
    project.prepare(folder, business)
    with _opened(folder, calendar, channels or {}) as relationships:
        _draw_the_same_lots(relationships)
        done = len(months_done(relationships, business))
        if done:
            _deliver_in_the_morning(relationships, calendar, year[done - 1])
        for number, month in enumerate(year[done:months], start=done):
            calendar.at = month.end
            newcomers = business.newcomers(month)
            if newcomers:
                listen(f"recording the {business.wording.people}", number, months)
                relationships.record_customers(newcomers)
                business.joined(relationships, month)
            listen(f"{month.name}: recording", number, months)
            relationships.record(business.interactions(month))
            said = business.said(month)
            relationships.permissions.record_consents(said.consents)
            relationships.permissions.record_preferences(said.preferences)
            listen(f"{month.name}: review, plan, deliver", number, months)
            relationships.run()
            _deliver_in_the_morning(relationships, calendar, month)


def _opened(folder: Path, calendar: Calendar, channels: Mapping[str, Choice]) -> Relationships:
    if not channels:
        return Relationships.open(folder, clock=calendar)
    settings = read_settings(folder)
    chosen = evolve(settings, channels={**settings.channels, **channels})
    return Relationships(settings=chosen, campaigns=read_campaigns(folder), clock=calendar, folder=folder.absolute())


def _draw_the_same_lots(relationships: Relationships) -> None:
    """Who is held out is drawn by the project's salt, which is random elsewhere; here every run shows the same."""
    store = relationships.store
    if store.read(FACTS, where={"name": "salt"}).is_empty():
        with store.transaction():
            store.put(FACTS, pl.DataFrame({"name": ["salt"], "value": [SALT]}))


def _deliver_in_the_morning(relationships: Relationships, calendar: Calendar, month: Month) -> None:
    """A month ends at midnight, when nobody is sent a text message: what waits for the morning leaves then."""
    if relationships.store.count(MESSAGES, [], where={"state": "queued"}).item():
        calendar.at = month.until + MORNING
        relationships.deliver()


def months_done(relationships: Relationships, business: Business = GROCERIES) -> tuple[Month, ...]:
    """The months that have been replayed to their end."""
    finished = relationships.store.read(RUNS, where={"state": "finished"}, columns=["as_of"])
    ends = set(finished["as_of"])
    return tuple(takewhile(lambda month: month.end in ends, business.months()))
