"""A project is the same on PostgreSQL as on SQLite, to the last row."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import psycopg
import pytest
from attrs import frozen
from hypothesis import HealthCheck, given, settings, strategies as st

from relationship_core import (
    FACTS,
    MESSAGES,
    TABLES,
    Action,
    Campaign,
    Choice,
    ConsentSettings,
    ContactPoint,
    Customer,
    DeliveryEvent,
    Heard,
    Interaction,
    Money,
    Occasion,
    PreferenceSettings,
    ProjectSettings,
    Provider,
    RawRequest,
    Receiver,
    RejectedError,
    Relationships,
    RetriableError,
    Settings,
    Variant,
    copy_project,
    hookimpl,
    load_plugins,
)

START = datetime(2024, 3, 1, 9, tzinfo=UTC)
LATER = START + timedelta(days=40)
ALIAS = "ada at work"
"""Merged into ada."""
PEOPLE = ("ada", "bob", "cyd", "Émile", "d'e %s", "zoë 字", ALIAS)
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
                variants=(Variant(channel="letters", subject="Hello", text="Hello {{ customer.name }}"),),
            ),
        ),
    )
    for name, when in (("thanks", "orders > 0"), ("again", "silence_days > 30"))
)
HISTORY = tuple(
    Interaction(
        source="shop",
        id=f"{who} {number}",
        customer=who,
        kind=kind,
        at=START - timedelta(days=7 * number + place, hours=place),
        amount=Money(minor=1_000 + number, currency="EUR") if kind == "order" else None,
    )
    for place, who in enumerate(PEOPLE)
    for number, kind in enumerate(("order", "order", "visit", "order")[: 2 + place % 3])
)


@frozen(kw_only=True)
class NoSettings:
    """There are none."""


class Ear:
    """A plugin with a receiver that hears of messages what a test says."""

    def __init__(self) -> None:
        self.events: Sequence[DeliveryEvent] = ()

    def receive(self, _request: RawRequest) -> Heard:
        return Heard(events=tuple(self.events))

    def close(self) -> None:
        pass

    @hookimpl
    def relationship_receivers(self) -> tuple[Provider[Receiver], ...]:
        return (Provider(name="ear", factory=lambda _: self, settings=NoSettings, summary="Hears."),)


EAR = Ear()


@pytest.fixture(scope="module")
def plugins() -> Any:
    return load_plugins(extra=[EAR])


def opened(store: Choice, now: datetime, folder: Path, plugins: Any) -> Relationships:
    chosen = Settings(
        store=store,
        project=ProjectSettings(name="Bakery", zone="Europe/Berlin", postal_address="1 Main Street"),
        channels={"letters": Choice(use="null")},
        receivers={"ear": Choice(use="ear")},
        consent=ConsentSettings(without=("email",)),
        preference=PreferenceSettings(unasked="close"),
    )
    return Relationships(
        settings=chosen, campaigns=CAMPAIGNS, clock=lambda: now, plugins=plugins, folder=folder, page_size=3
    )


def begin(project: Relationships, batches: Sequence[Sequence[Interaction]]) -> None:
    """Record everybody and what they did, in these batches."""
    with project.store.transaction():  # who a message is for decides its id, by a salt that is random otherwise
        project.store.put(FACTS, pl.DataFrame({"name": ["salt"], "value": ["salt of a test"]}))
    project.record_customers(
        Customer(id=who, name=who.title(), contact_points=[ContactPoint(medium="email", address=f"{n}@example.com")])
        for n, who in enumerate(PEOPLE)
    )
    for batch in batches:
        project.record(batch)
        project.record(batch[:1])


def steps(project: Relationships) -> None:
    """A day's steps; again they change nothing."""
    project.review()
    project.plan()
    project.deliver()


def finish(project: Relationships) -> None:
    """Hear of what went, and whatever else happens to a project."""
    sent = project.store.read(MESSAGES, where={"state": "accepted"}, columns=["id"])["id"].sort()
    EAR.events = [
        DeliveryEvent(message=sent[0], type="delivered", at=START),
        DeliveryEvent(message=sent[1], type="bounced", at=START, suppression="hard_bounce"),
        DeliveryEvent(message=sent[2], type="complained", at=START, suppression="complaint"),
    ]
    project.receivers.receive("ear", RawRequest(received_at=START))
    project.identities.merge(ALIAS, into="ada", actor="tests")
    project.forget("bob", actor="tests")


def rows(project: Relationships) -> dict[str, Any]:
    """All that a project holds; what is random or tells the time of day is left out."""
    found: dict[str, Any] = {table.name: project.store.read(table).to_dicts() for table in TABLES}
    found["facts"] = [each for each in found["facts"] if each["name"] != "budgets"]
    for each in found["messages"]:
        each["worker"] = None
    for step in ("review", "plan"):
        found[f"marked {step}"] = project.store.marked(step)
        found[f"pages {step}"] = [
            (list(page.customers), page.contiguous) for page in project.store.pages(step, as_of=LATER, size=2)
        ]
    measures = [each.name for each in project.catalog.measures if type(each).__name__ == "Measure"]
    for page in project.store.pages(None, as_of=LATER):
        found[f"measures of {page.first}"] = project.store.read_measures(page, measures).to_dicts()
    return found


def same(found: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    """Equal, but for the last digit of what was added up."""
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name] == near(value), name


def near(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(near(each) for each in value)
    if isinstance(value, dict):
        return {key: near(each) for key, each in value.items()}
    return pytest.approx(value, rel=1e-9) if isinstance(value, float) else value


def postgres(make_settings: Callable[..., Any], **more: Any) -> Choice:
    chosen = make_settings(**more)
    return Choice(use="postgres", settings={"url": chosen.url, "schema": chosen.schema})


@settings(max_examples=5, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(HISTORY), size=st.integers(1, len(HISTORY)))
def test_every_step_leaves_the_same_rows_in_both(
    make_settings: Callable[..., Any], raw: Any, plugins: Any, order: Sequence[Interaction], size: int
) -> None:
    raw.execute(f"DROP SCHEMA IF EXISTS {make_settings().schema} CASCADE")
    batches = [order[start : start + size] for start in range(0, len(order), size)]
    with TemporaryDirectory() as name:
        folder = Path(name)
        stores = {
            "sqlite": Choice(use="sqlite", settings={"path": str(folder / "x.db")}),
            "postgres": postgres(make_settings),
        }
        told: dict[str, list[Any]] = {}
        for use, store in stores.items():
            own = told.setdefault(use, [])
            (folder / use).mkdir()
            with opened(store, START, folder / use, plugins) as project:
                begin(project, batches)
                own.append(rows(project))
                steps(project)
                own.append(rows(project))
                finish(project)
                own.append(rows(project))
            with opened(store, LATER, folder / use, plugins) as project:
                steps(project)
                own.append(rows(project))
                own.append({"export": str(project.export("ada"))})
                project.rebuild()
                own.append(rows(project))
        for found, expected in zip(told["postgres"], told["sqlite"], strict=True):
            same(found, expected)


def test_a_project_moves_here_and_back_again(make_settings: Callable[..., Any], plugins: Any, tmp_path: Path) -> None:
    lite = [Choice(use="sqlite", settings={"path": str(tmp_path / name)}) for name in ("old.db", "back.db")]
    with (
        opened(lite[0], START, tmp_path, plugins) as old,
        opened(postgres(make_settings), START, tmp_path, plugins) as here,
        opened(lite[1], START, tmp_path, plugins) as back,
    ):
        begin(old, [HISTORY])
        steps(old)
        finish(old)
        before = rows(old)
        copy_project(old, here)
        copy_project(here, back)
        assert rows(here) == before
        assert rows(back) == before
        with pytest.raises(RejectedError, match="holds data already"):
            copy_project(old, here)


@pytest.mark.parametrize("answered", [False, True])
def test_a_project_whose_connection_is_cut_is_the_same_after_it_is_run_again(
    make_settings: Callable[..., Any], proxy: Any, raw: Any, plugins: Any, tmp_path: Path, *, answered: bool
) -> None:
    """At seven places of its steps; at each a step is told, or tries again by itself, and nothing is done twice."""
    choice = postgres(make_settings, url=proxy.url)
    schema = make_settings().schema

    def run(place: int) -> tuple[dict[str, Any], int, int]:
        raw.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
        folder = tmp_path / str(place)
        folder.mkdir()
        told = 0
        with opened(choice, START, folder, plugins) as project:
            begin(project, [HISTORY])
            begun = proxy.asked
            proxy.cut_at, proxy.answered = (begun + place if place else 0), answered
            for step in (project.review, project.plan, project.deliver) * 2:
                try:
                    step()
                except RetriableError:
                    told += 1
                    step()
            proxy.cut_at, asked = 0, proxy.asked - begun
            found = rows(project)
        return found, asked, told

    expected, asked, _ = run(0)
    assert asked > 60
    places = range(3, asked // 2, asked // 14)
    tellings = 0
    for place in places:
        found, _, told = run(place)
        tellings += told
        states = {each["state"] for each in found["messages"]}
        assert states <= {"accepted", "unknown", "claimed", "attempting"}, place
        for name in ("customers", "interactions", "states", "transitions"):
            assert found[name] == expected[name], (name, place)
        assert [each["id"] for each in found["messages"]] == [each["id"] for each in expected["messages"]]
    assert tellings > 2


def test_relate_works_on_a_project_folder(
    postgres_url: str, make_settings: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema = make_settings().schema
    monkeypatch.setenv("SHOP_DATABASE", postgres_url)
    text = (
        f'[project]\nname = "Shop"\n[store]\nuse = "postgres"\nurl = {{ env = "SHOP_DATABASE" }}\nschema = "{schema}"\n'
    )
    (tmp_path / "relationship.toml").write_text(text)
    with Relationships.open(tmp_path, clock=lambda: START) as project:
        assert project.record(HISTORY).new == len(HISTORY)
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute(f"TABLE {schema}.relationship_core").fetchall() == [(1, "Shop")]
