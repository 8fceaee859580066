"""Projects to measure: settings, campaigns, and databases that are prepared once and copied."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from attrs import frozen

from data import NEXT_DAY, NOW, Size, write_customers, write_lives
from relationship_core import (
    Action,
    Campaign,
    Choice,
    Nature,
    Occasion,
    ProjectSettings,
    Purpose,
    Relationships,
    Settings,
    Variant,
)

DATABASE = "relationships.db"
CACHE_KIB = 64 * 1024
"""The page cache of the product's connection; the probes have the same."""


Step: TypeAlias = Callable[[Path], None]
"""Does something to the project in a folder."""


def _now() -> datetime:
    return NEXT_DAY


def _campaign(name: str, purpose: Purpose, nature: Nature, *, audience: str, when: str, key: str = "once") -> Campaign:
    variant = Variant(
        channel="mail", subject="Hello", text="Hello {{ customer.name }},\n\n{{ project.postal_address }}\n"
    )
    occasion = Occasion(name="occasion", when=when, key=key)
    return Campaign(
        name=name,
        owner="Customer care",
        purpose=purpose,
        nature=nature,
        audience=audience,
        actions=(Action(name="write", occasion=occasion, variants=(variant,)),),
    )


CAMPAIGNS = (
    _campaign(
        "card",
        "marketing",
        "give",
        audience="order_days = 2 AND silence_days < 30 AND spent >= 40000",
        when="tenure_days >= 300",
    ),
    _campaign(
        "lapse",
        "marketing",
        "ask",
        audience="order_days = 2 AND silence_days >= 30",
        when="silence_days > 3 * order_gap_days",
        key="last_order_on",
    ),
    _campaign(
        "presence",
        "marketing",
        "give",
        audience="order_days >= 3 AND silence_days > 30",
        when="silence_days > 2 * order_gap_days AND silence_days <= 3 * order_gap_days",
        key="last_order_on",
    ),
    _campaign(
        "second-purchase",
        "marketing",
        "ask",
        audience="order_days = 1 AND spent >= 20000",
        when="silence_days > 14",
        key="first_order_on",
    ),
    _campaign("thank-you", "service", "give", audience="stage >= 'client'", when="spent >= 60000"),
)
"""The five campaigns of the demo, with conditions that split the lives of ``data`` into fixed shares."""


def open_project(folder: Path) -> Relationships:
    """Open the project whose database lies in a folder, making it if there is none."""
    settings = Settings(
        project=ProjectSettings(
            name="Benchmark",
            currency="EUR",
            zone="Europe/Berlin",
            sender="Benchmark <hello@example.com>",
            postal_address="Sample Street 1, 10000 Anytown",
        ),
        store=Choice(use="sqlite", settings={"path": DATABASE}),
        channels={"mail": Choice(use="null", settings={"medium": "email"})},
    )
    return Relationships(settings=settings, campaigns=CAMPAIGNS, clock=_now, folder=folder)


@contextmanager
def copied(database: Path) -> Iterator[Path]:
    """A folder with a copy of a database, for one measurement; it is gone afterwards."""
    folder = database.parent / "copy"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        shutil.copyfile(database, folder / DATABASE)
        _write_back(folder / DATABASE)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write_back(file: Path) -> None:
    """Let the disk finish with the copy before anything is measured on it."""
    with file.open("rb") as opened:
        os.fsync(opened.fileno())


@frozen(kw_only=True)
class Prepared:
    """Databases in the states from which figures start, each made when it is first asked for.

    Attributes:
        folder: where they lie. One that is there already is taken as it is.
        size: how much is measured.
    """

    folder: Path
    size: Size

    def imported(self, customers: int) -> Path:
        """Customers with their contact points and interactions; nobody is reviewed."""
        return self._made(f"imported-{customers}", lambda folder: _import(folder, customers))

    def reviewed(self) -> Path:
        """Everybody reviewed, nothing planned."""
        return self._after("reviewed", self.imported(self.size.customers), _review)

    def planned(self) -> Path:
        """Everybody reviewed and planned for."""
        return self._after("planned", self.reviewed(), _plan)

    def _after(self, name: str, before: Path, step: Step) -> Path:
        def make(folder: Path) -> None:
            shutil.copyfile(before, folder / DATABASE)
            step(folder)

        return self._made(f"{name}-{self.size.customers}", make)

    def _made(self, name: str, make: Step) -> Path:
        finished = self.folder / f"{name}.db"
        if not finished.exists():
            folder = self.folder / "making"
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            make(folder)
            # Its name says that it is complete.
            (folder / DATABASE).rename(finished)
            shutil.rmtree(folder)
        return finished


def _import(folder: Path, customers: int) -> None:
    people, lives = write_customers(folder, customers), write_lives(folder, customers)
    with open_project(folder) as project:
        project.import_file("customers", people)
        project.import_file("interactions", lives)


def _review(folder: Path) -> None:
    with open_project(folder) as project:
        project.review(as_of=NOW)


def _plan(folder: Path) -> None:
    with open_project(folder) as project:
        project.plan(as_of=NOW)
