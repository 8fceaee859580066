"""Projects to measure: settings, campaigns, and databases that are prepared once and copied."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import frozen

from data import NEXT_DAY, NOW, Size, write_customers, write_lives
from histories import KEYED_EACH, histories
from relationship_core import (
    INTERACTIONS,
    Action,
    Campaign,
    Choice,
    ConsentSettings,
    Nature,
    Occasion,
    PreferenceSettings,
    ProjectSettings,
    Purpose,
    Relationships,
    Settings,
    Variant,
)
from relationship_core.builtin.sqlite.store import SQLiteStore

if TYPE_CHECKING:
    import polars as pl

DATABASE = "relationships.db"
CACHE_KIB = 64 * 1024
"""The page cache of the product's connection; the probes have the same."""

PAGE = 50_000
"""How many customers are reviewed and planned at once, unless a figure says otherwise."""

RECORDED = 1_000
"""How many of a long history are recorded as any other; the rest is put into the store at once."""

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


def open_project(
    folder: Path,
    *,
    database: str = DATABASE,
    campaigns: tuple[Campaign, ...] = CAMPAIGNS,
    page_size: int = PAGE,
    **settings: Any,
) -> Relationships:
    """Open the project whose database lies in a folder, making it if there is none; ``settings`` go before its own."""
    own: dict[str, Any] = {
        # Everybody may be written to, so that what comes of a plan is what the shares of ``data`` say.
        "consent": ConsentSettings(without=("email",)),
        "preference": PreferenceSettings(unasked="close"),
        "channels": {"mail": Choice(use="null", settings={"medium": "email"})},
        "store": Choice(use="sqlite", settings={"path": database}),
    }
    made = Settings(
        project=ProjectSettings(
            name="Benchmark",
            currency="EUR",
            zone="Europe/Berlin",
            sender="Benchmark <hello@example.com>",
            postal_address="Sample Street 1, 10000 Anytown",
        ),
        **{**own, **settings},
    )
    return Relationships(settings=made, campaigns=campaigns, clock=_now, folder=folder, page_size=page_size)


def write_project(folder: Path, database: Path) -> None:
    """Write the same settings as a file, for the command line."""
    lines = (
        *("[project]", 'name = "Benchmark"', 'currency = "EUR"', 'zone = "Europe/Berlin"'),
        *('sender = "Benchmark <hello@example.com>"', 'postal_address = "Sample Street 1, 10000 Anytown"'),
        *("[store]", 'use = "sqlite"', f"path = {json.dumps(str(database.absolute()))}"),
        *("[channels.mail]", 'use = "null"', 'medium = "email"'),
    )
    (folder / "relationship.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


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
        return self.after("reviewed", self.imported(self.size.customers), _review)

    def planned(self) -> Path:
        """Everybody reviewed and planned for."""
        return self.after("planned", self.reviewed(), _plan)

    def known(self) -> Path:
        """Customers of ``histories``: of whom much is known; everybody reviewed, nothing planned."""
        return self._made(f"known-{self.size.customers}", lambda folder: _know(folder, self.size.customers))

    def after(self, name: str, before: Path, step: Step) -> Path:
        """What a step makes of another database."""

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


def _know(folder: Path, customers: int) -> None:
    """Histories by way of the store alone, which folds nothing; then a rebuild folds all of them.

    The last of them are recorded, so that the project knows what it knows after recording.
    """
    database = folder / DATABASE
    with open_project(folder) as project:
        project.import_file("customers", write_customers(folder, customers))
        last = INTERACTIONS.empty()
        with closing(SQLiteStore(database)) as store, _without_index(database, "interactions_by_customer"):
            for part in histories(customers):
                _append(store, last)
                last = part
            _append(store, last[:-RECORDED])
        project.record(last[-RECORDED:])
        project.rebuild()
        project.review(as_of=NOW)
    _check_keyed(database, customers)


def _append(store: SQLiteStore, interactions: pl.DataFrame) -> None:
    for rows in interactions.iter_slices(50_000):
        with store.transaction():
            store.append(rows)


@contextmanager
def _without_index(database: Path, name: str) -> Iterator[None]:
    """An index is made sooner of all rows at once than row by row."""
    with closing(sqlite3.connect(database)) as connection:
        (sql,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = ?", (name,)).fetchone()
        connection.execute(f"DROP INDEX {name}")
        yield
        connection.execute(sql)


def _check_keyed(database: Path, customers: int) -> None:
    """Refuse other work than the figures say."""
    with closing(sqlite3.connect(database)) as connection:
        sql = "SELECT count(*) FROM (SELECT DISTINCT measure, customer FROM keyed_measures)"
        (found,) = connection.execute(sql).fetchone()
    if found != customers * KEYED_EACH:
        message = f"{customers} customers have {found} keyed measures"
        raise RuntimeError(message)
