"""Plugins and stores that fail: a clear error or isolation, nothing lost, and the next run goes on."""

import importlib.metadata
import logging
import math
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from relationship_core import (
    DECISIONS,
    MESSAGES,
    STATES,
    Campaign,
    Channel,
    Choice,
    ConfigurationError,
    Customer,
    Interaction,
    Provider,
    Receipt,
    Relationships,
    RetriableError,
    ScoringRule,
    Secret,
    Transition,
    hookimpl,
    load_plugins,
)
from relationship_core.builtin.channels import NullSettings

Open = Callable[..., Relationships]
Make = Callable[..., Interaction]
Plan = Callable[..., Campaign]
Know = Callable[..., Customer]

START = datetime(2024, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


# On import, and when asked


class Point(importlib.metadata.EntryPoint):
    """An entry point whose loading does what it is told."""

    def load(self) -> Any:
        error = "no module named 'antigravity'"
        raise ImportError(error)


@pytest.fixture
def broken_import(monkeypatch: pytest.MonkeyPatch) -> None:
    """A distribution is installed whose plugin cannot be imported."""
    found = importlib.metadata.entry_points()
    sound = [point for group in found.groups for point in found.select(group=group)]
    broken = Point(name="levitation", value="levitation", group="relationship_core")
    everything = importlib.metadata.EntryPoints([*sound, broken])
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda: everything)


@pytest.mark.usefixtures("broken_import")
def test_a_plugin_that_does_not_import_is_left_out_unless_it_is_needed(make_customer: Know) -> None:
    plugins = load_plugins()
    assert [(each.name, each.reason) for each in plugins.broken] == [
        ("levitation", "ImportError: no module named 'antigravity'")
    ]
    project = Relationships(campaigns=[], plugins=plugins)
    project.record_customers([make_customer("ada")])
    assert project.run(as_of=START).reviewed is not None

    with pytest.raises(ConfigurationError, match=r"levitation .*is needed and broken: ImportError"):
        load_plugins(required=["levitation"])
    with pytest.raises(ConfigurationError, match=r"\[ladder\] use: there is no 'floating'.*levitation"):
        plugins.ladder("floating")


class Factory:
    """A plugin with a channel that cannot be made."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def fail(self, _settings: object) -> Channel:
        raise self._error

    @hookimpl
    def relationship_channels(self) -> tuple[Provider[Channel], ...]:
        return (
            Provider(name="stillborn", factory=self.fail, settings=NullSettings, summary="", capabilities=["local"]),
        )


def test_a_factory_that_fails_is_named_and_nothing_is_planned(
    make_project: Open, make_campaign: Plan, make_customer: Know
) -> None:
    project = make_project(
        make_campaign("hello"),
        plugins=[Factory(OSError("no route to host"))],
        channels={"letters": Choice(use="stillborn")},
    )
    project.record_customers([make_customer("ada")])
    with pytest.raises(
        ConfigurationError, match=r"\[channels.letters\]: .*Factory.* could not make 'stillborn'.*no route"
    ):
        project.run(as_of=START)
    assert project.store.read(DECISIONS).is_empty()
    assert project.store.read(MESSAGES).is_empty()


# Scores


class Scoring:
    """A plugin with the score ``mood``."""

    def __init__(self, value: Any, **more: Any) -> None:
        self._value = value
        self._more = more

    @hookimpl
    def relationship_scores(self) -> tuple[ScoringRule, ...]:
        known = {"confidence": pl.lit(1.0), **self._more}
        return (ScoringRule(name="mood", value=self._value, **known),)


def wrong_length(frame: pl.DataFrame) -> pl.Series:
    return pl.Series([0.5] * (frame.height + 1))


def text(frame: pl.DataFrame) -> pl.Series:
    return pl.Series(["fine"] * frame.height)


def nothing(_frame: pl.DataFrame) -> None:
    return None


def infinite(frame: pl.DataFrame) -> pl.Series:
    return pl.Series([math.inf, *[0.5] * (frame.height - 1)])


def raising(_frame: pl.DataFrame) -> pl.Series:
    error = "the model of ada@example.com is not fitted"
    raise LookupError(error)


FAILING = {
    "length": Scoring(wrong_length, needs=("orders",)),
    "text": Scoring(text, needs=("orders",)),
    "nothing": Scoring(nothing, needs=("orders",)),
    "raising": Scoring(raising, needs=("orders",)),
    "infinite": Scoring(infinite, needs=("orders",)),
    "infinite expression": Scoring(1 / (pl.col("orders") - 1.0)),
    "infinite confidence": Scoring(pl.lit(0.5), confidence=1 / (pl.col("orders") - 1.0)),
    "too much confidence": Scoring(pl.lit(0.5), confidence=pl.col("orders") + 0.5),
    "less than no confidence": Scoring(pl.lit(0.5), confidence=pl.col("orders") - 1.5),
    "no label": Scoring(pl.col("orders") + 1, labels=("low", "high")),
    "between labels": Scoring(pl.col("orders") / 2, labels=("low", "high")),
    "expression": Scoring(pl.col("orders").str.len_chars().cast(pl.Float64)),
    "confidence": Scoring(pl.lit(0.5), confidence=pl.col("orders").dt.year().cast(pl.Float64)),
}


@pytest.mark.parametrize("plugin", FAILING.values(), ids=FAILING.keys())
def test_a_score_that_fails_is_named_and_the_run_goes_on_when_it_is_mended(
    make_project: Open, make_campaign: Plan, make_customer: Know, make_interaction: Make, plugin: Scoring
) -> None:
    campaign = make_campaign("hello", audience="mood IS NOT NULL AND mood_confidence > 0.1")
    project = make_project(campaign, plugins=[plugin])
    project.record_customers([make_customer("ada")])
    project.record([make_interaction("ada", "order", START, minor=5)])
    with pytest.raises(ConfigurationError, match="the score 'mood'") as refused:
        project.run(as_of=START)
    assert "example.com" not in str(refused.value)
    assert project.store.read(STATES).is_empty()

    mended = make_project(campaign, plugins=[Scoring(pl.lit(0.5))])
    mended.store = project.store
    ran = mended.run(as_of=START + DAY)
    assert (ran.resumed, ran.as_of, ran.delivered.accepted) == (True, START, 1)


def test_a_score_nobody_uses_fails_nobody(make_project: Open, make_campaign: Plan, make_customer: Know) -> None:
    project = make_project(make_campaign("hello"), plugins=[FAILING["raising"]])
    project.record_customers([make_customer("ada")])
    assert project.run(as_of=START).delivered.accepted == 1


@pytest.mark.parametrize("value", [math.nan, None])
def test_what_is_no_number_is_null_and_not_above_every_threshold(
    make_project: Open, make_campaign: Plan, make_customer: Know, value: float | None
) -> None:
    def score(frame: pl.DataFrame) -> pl.Series:
        return pl.Series([value] * frame.height, dtype=pl.Float64)

    for plugin in (Scoring(score, needs=("orders",)), Scoring(pl.lit(value, dtype=pl.Float64))):
        campaigns = make_campaign("high", audience="mood > 0.9"), make_campaign("none", audience="mood IS NULL")
        project = make_project(*campaigns, plugins=[plugin])
        project.record_customers([make_customer("ada")])
        project.run(as_of=START)
        assert project.store.read(DECISIONS)["campaign"].to_list() == ["none"]
        (mood,) = [each for each in project.customer("ada", as_of=START).scores if each.name == "mood"]
        assert (mood.value, str(mood)) == (None, "no evidence")


# Announcements


class Listening:
    """A plugin that fails at whatever it hears."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def fail(self, what: str) -> None:
        self.heard.append(what)
        error = "secret words about ada"
        raise RuntimeError(error)

    @hookimpl
    def relationship_recorded(self, interactions: Sequence[Interaction]) -> None:
        self.fail(f"recorded {len(interactions)}")

    @hookimpl
    def relationship_stage_changed(self, transitions: Sequence[Transition]) -> None:
        self.fail(f"moved {transitions[0].target}")

    @hookimpl
    def relationship_delivered(self, receipts: Sequence[Receipt]) -> None:
        self.fail(f"delivered {receipts[0].state}")


def test_a_listener_that_fails_undoes_nothing_and_is_told_without_its_words(
    make_project: Open,
    make_campaign: Plan,
    make_customer: Know,
    make_interaction: Make,
    caplog: pytest.LogCaptureFixture,
) -> None:
    deaf = Listening()
    project = make_project(make_campaign("hello"), plugins=[deaf])
    project.record_customers([make_customer("ada")])
    with caplog.at_level(logging.DEBUG):
        assert project.record([make_interaction("ada", "order", START, minor=5)]).new == 1
        assert project.run(as_of=START).delivered.accepted == 1
    assert deaf.heard == ["recorded 1", "moved customer", "delivered accepted"]
    told = [record.getMessage() for record in caplog.records if "Listening" in record.getMessage()]
    assert len(told) == 3
    assert "secret words" not in caplog.text


# Stores


@pytest.fixture
def file_project(
    make_project: Open, make_campaign: Plan, make_customer: Know, make_interaction: Make, tmp_path: Path
) -> Iterator[Relationships]:
    """A project in a SQLite file with something to do; it waits for nobody."""
    store = Choice(use="sqlite", settings={"path": tmp_path / "relationships.db", "busy_timeout": 0.0})
    project = make_project(make_campaign("hello"), store=store)
    project.record_customers(make_customer(f"c{number:03d}") for number in range(200))
    project.record(make_interaction(f"c{number:03d}", "order", START, minor=5) for number in range(200))
    yield project
    project.close()


def one_sentence(error: BaseException) -> None:
    assert str(error).count("\n") == 0
    assert "relationships.db" in str(error)


def finish(project: Relationships) -> None:
    """The next run does all of it."""
    ran = project.run(as_of=START + DAY)
    assert ran.delivered.accepted == 200
    assert project.run(as_of=START + 2 * DAY).delivered.accepted == 0


@pytest.mark.parametrize("moment", ["review", "plan", "deliver"])
def test_a_locked_database(
    file_project: Relationships, tmp_path: Path, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = sqlite3.connect(tmp_path / "relationships.db", isolation_level=None)
    step = getattr(file_project, moment)

    def locked(**arguments: Any) -> Any:
        other.execute("BEGIN IMMEDIATE")
        return step(**arguments)

    with monkeypatch.context() as patched:
        patched.setattr(file_project, moment, locked)
        with pytest.raises(RetriableError, match="another process is writing") as refused:
            file_project.run(as_of=START)
    one_sentence(refused.value)
    other.execute("ROLLBACK")
    other.close()
    finish(file_project)


def test_a_full_disk(file_project: Relationships) -> None:
    """However little room there is, it says so; with enough of it, the same run comes to its end."""
    database = file_project.store._database  # type: ignore[attr-defined]  # no port has it
    pages = database.rows("PRAGMA page_count")[0][0]
    for more in (0, 6, 12, 18):
        database.rows(f"PRAGMA max_page_count = {pages + more}")
        with pytest.raises(RetriableError, match="the disk is full") as refused:
            file_project.run(as_of=START)
        one_sentence(refused.value)
    database.rows(f"PRAGMA max_page_count = {pages + 1000}")
    ran = file_project.run(as_of=START + DAY)
    assert (ran.resumed, ran.as_of) == (True, START)
    assert file_project.store.read(MESSAGES)["state"].to_list() == ["accepted"] * 200
    assert file_project.run(as_of=START + DAY).delivered.accepted == 0


def test_a_read_only_database(file_project: Relationships) -> None:
    database = file_project.store._database  # type: ignore[attr-defined]  # no port has it
    # Permissions of a file do not bind root; SQLite answers this in the same way.
    database.rows("PRAGMA query_only = ON")
    with pytest.raises(ConfigurationError, match="read-only") as refused:
        file_project.run(as_of=START)
    one_sentence(refused.value)
    database.rows("PRAGMA query_only = OFF")
    finish(file_project)


def test_a_newer_database(file_project: Relationships, make_project: Open, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "relationships.db")
    (version,) = other.execute("PRAGMA user_version").fetchone()
    other.execute(f"PRAGMA user_version = {version + 1}")
    other.close()
    store = Choice(use="sqlite", settings={"path": tmp_path / "relationships.db"})
    with pytest.raises(ConfigurationError, match=f"version {version + 1}.*knows {version}") as refused:
        make_project(store=store)
    one_sentence(refused.value)
    assert file_project.store.read(DECISIONS).is_empty()


# Runs that cannot be taken up


def test_a_run_that_was_overtaken_by_the_record_is_given_up(
    make_project: Open, make_campaign: Plan, make_customer: Know, make_interaction: Make
) -> None:
    """It died in its review; then newer things were recorded, which it must not see."""
    campaign = make_campaign("hello", audience="mood > 0.1")
    project = make_project(campaign, plugins=[FAILING["raising"]])
    project.record_customers([make_customer("ada")])
    project.record([make_interaction("ada", "order", START, minor=5)])
    with pytest.raises(ConfigurationError):
        project.run(as_of=START)
    mended = make_project(campaign, plugins=[Scoring(pl.lit(0.5))])
    mended.store = project.store
    mended.record([make_interaction("ada", "visit", START + DAY)])
    ran = mended.run(as_of=START + 2 * DAY)
    assert (ran.resumed, ran.as_of, ran.delivered.accepted) == (False, START + 2 * DAY, 1)
    assert mended.run(as_of=START + 3 * DAY).resumed is False


def test_a_secret_is_in_no_message(make_project: Open, make_campaign: Plan) -> None:
    """What a factory says may repeat its settings."""
    secret = Secret("sesame-open")
    plugin = Factory(ValueError(f"bad key {secret!r}"))
    project = make_project(make_campaign("hello"), plugins=[plugin], channels={"letters": Choice(use="stillborn")})
    with pytest.raises(ConfigurationError) as refused:
        project.plan(as_of=START)
    assert "sesame" not in str(refused.value)
