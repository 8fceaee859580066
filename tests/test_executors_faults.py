"""What is told when workers cannot work, and what is left when whoever ordered the work dies."""

import os
import pickle
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from attrs import evolve, frozen
from click.testing import Result

from relationship_core import (
    FACTS,
    STATES,
    TABLES,
    Choice,
    ConfigurationError,
    Page,
    Policy,
    Provider,
    Relationships,
    Secret,
    Store,
    hookimpl,
)
from relationship_core.builtin.memory import MemoryStore
from relationship_core.testing.executor_projects import FIRST, Odd, open_project, record_day
from relationship_core.workers import Blueprint, Content, Need, ProjectWorkers, Task, state_of
from relationship_core.workplace import open_project as open_there

DRIVER = Path(__file__).with_name("killed_executors.py")
PROCESSES = Choice(use="processes", settings={"workers": 2})
HERE = Choice(use="in_process")
STORE = Choice(use="sqlite", settings={"path": "project.db"})


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with everything recorded, and nobody reviewed."""
    folder = tmp_path_factory.mktemp("recorded")
    with open_project(folder, HERE, store=STORE, plugins=[Odd()]) as project:
        record_day(project, 0)
    return folder


def told(folder: Path, match: str, **more: Any) -> None:
    """What a review says that cannot be done by workers."""
    with open_project(folder, PROCESSES, **more) as project:
        if more["store"].use == "memory":
            record_day(project, 0)
        with pytest.raises(ConfigurationError, match=match):
            project.review()


# What cannot travel


def test_a_project_in_memory_has_no_workers(tmp_path: Path) -> None:
    told(tmp_path, r'^\[executor\] use = \'processes\': the store "memory" lives in one', store=Choice(use="memory"))


class Local:
    """A plugin that cannot be taken elsewhere."""

    def __init__(self) -> None:
        self.opened = open(os.devnull)  # noqa: SIM115, PTH123  an object that cannot be pickled

    @hookimpl
    def relationship_policies(self) -> tuple[Policy, ...]:
        return ()


def test_a_plugin_that_cannot_travel_is_named(recorded: Path) -> None:
    plugin = Local()
    sentence = "the plugin Local that this program hands in cannot be taken to workers"
    told(recorded, sentence, store=STORE, plugins=[plugin])
    plugin.opened.close()


class OfTheProgram:
    """A plugin of the program that is run, which no worker can import."""

    @hookimpl
    def relationship_policies(self) -> tuple[Policy, ...]:
        return ()


def test_a_plugin_of_the_program_itself_is_told(recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OfTheProgram, "__module__", "__main__")
    monkeypatch.setattr(sys.modules["__main__"], "OfTheProgram", OfTheProgram, raising=False)
    sentence = (
        "a worker cannot load what the project is made of: AttributeError: .*'OfTheProgram'.* from modules that it"
    )
    told(recorded, sentence, store=STORE, plugins=[OfTheProgram()])


def test_an_executor_that_is_not_there_is_told(recorded: Path) -> None:
    with (
        open_project(recorded, Choice(use="proceses"), store=STORE) as project,
        pytest.raises(
            ConfigurationError, match=r"\[executor\] use: there is no 'proceses'; did you mean 'processes'\?"
        ),
    ):
        project.review()


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"worker": 2}, r"^\[executor\]: unknown key 'worker'; did you mean 'workers'\?$"),
        ({"workers": 0}, r"^\[executor\]: workers must be a whole number from 1 to 256, not 0$"),
        ({"workers": 1000}, "a whole number from 1 to 256, not 1000"),
    ],
)
def test_wrong_keys_are_told_by_every_step(tmp_path: Path, keys: dict[str, object], sentence: str) -> None:
    """Also where a lone page needs no workers: not first on the day that has two."""
    with open_project(tmp_path, Choice(use="processes", settings=keys), store=STORE) as project:
        for step in (project.review, project.plan):
            with pytest.raises(ConfigurationError, match=sentence):
                step()


def test_the_doctor_looks_at_it(relate: Callable[..., Result], tmp_path: Path) -> None:
    assert relate("init").exit_code == 0
    assert "executor" not in relate("doctor").stdout
    settings = tmp_path / "shop" / "relationship.toml"
    written = settings.read_text(encoding="utf-8")
    settings.write_text(f'{written}\n[executor]\nuse = "processes"\nworkers = 3\n', encoding="utf-8")
    assert "processes is ready: 3 at once" in relate("doctor").stdout
    settings.write_text(f'{written}\n[executor]\nuse = "processes"\nworkers = 0\n', encoding="utf-8")
    assert "workers must be a whole number from 1 to 256" in " ".join(relate("doctor").stdout.split())


@frozen(kw_only=True)
class Keys:
    """The settings of a store that has a secret."""

    url: Secret


class Guarded:
    """A plugin with such a store."""

    @hookimpl
    def relationship_stores(self) -> tuple[Provider[Store], ...]:
        return (Provider(name="guarded", factory=lambda _keys: MemoryStore(), settings=Keys, summary="A test."),)


def test_a_secret_does_not_travel(tmp_path: Path) -> None:
    store = Choice(use="guarded", settings={"url": Secret("hunter2")})
    with (
        open_project(tmp_path, PROCESSES, store=store, plugins=[Guarded()]) as project,
        pytest.raises(ConfigurationError, match=r"\[store\] url is a Secret, which does not travel") as raised,
    ):
        project.review()
    assert "hunter2" not in str(raised.value)


def test_nothing_of_channels_travels(recorded: Path) -> None:
    with open_project(recorded, PROCESSES, store=STORE) as project:
        content: Content = pickle.loads(workers_of(project).blueprint.content)  # noqa: S301  made here
        assert project.settings.channels != {}
        assert content.settings.channels == {}


# What is not as it should be with a worker: it is asked here, in the place of one


def workers_of(project: Relationships) -> ProjectWorkers:
    workers = project._project.workers
    assert isinstance(workers, ProjectWorkers)
    return workers


def ask(project: Relationships, **changed: Any) -> None:
    """Have a worker open the project, with a blueprint that is changed."""
    blueprint: Blueprint = workers_of(project).blueprint
    state = changed.pop("state", state_of(project.store))
    open_there(Task(blueprint=evolve(blueprint, **changed), state=state, page=Page.of(()), now=FIRST))


@pytest.fixture
def project(recorded: Path) -> Iterator[Relationships]:
    with open_project(recorded, PROCESSES, store=STORE) as opened:
        yield opened


def test_a_worker_with_the_same_opens_it(project: Relationships) -> None:
    ask(project)


def test_a_worker_without_the_plugin_is_refused(project: Relationships) -> None:
    missing = Need(distribution="relationship-bakery", version="1.2", plugin="bakery")
    with pytest.raises(ConfigurationError, match=r"lacks the plugin 'bakery' of relationship-bakery 1\.2, which"):
        ask(project, needs=(missing,))


def test_a_worker_with_another_version_is_refused(project: Relationships) -> None:
    needs = workers_of(project).blueprint.needs
    assert {"polars", "relationship-core"} <= {need.distribution for need in needs}
    older = tuple(evolve(need, version="0.0.1") if need.distribution == "relationship-core" else need for need in needs)
    sentence = r"^a worker has relationship-core \S+, and this program relationship-core 0\.0\.1; install the same"
    with pytest.raises(ConfigurationError, match=sentence):
        ask(project, needs=older)


def test_a_worker_with_other_rules_is_refused(project: Relationships) -> None:
    with pytest.raises(ConfigurationError, match="a worker's rules are not those of this program"):
        ask(project, signature="of something else")


LATER = "2024-06-01T09:00:00.5+00:00"


@pytest.mark.parametrize("told", [("another salt", None, None), (None, LATER, None), (None, None, LATER)])
def test_a_worker_that_reaches_another_store_is_refused(
    project: Relationships, told: tuple[str | None, str | None, str | None]
) -> None:
    """Another project's, or a copy that is not up to date."""
    with pytest.raises(ConfigurationError, match="a worker's store is another one than this program's, or is behind"):
        ask(project, state=told)


def test_what_was_recorded_since_is_no_other_store(project: Relationships) -> None:
    """Of a dry run nobody holds the lock."""
    ask(project, state=("of all projects", "2024-04-01T09:00:00+00:00", None))
    ask(project, state=(None, None, None))


def test_a_worker_that_cannot_read_the_blueprint_says_so(project: Relationships) -> None:
    with pytest.raises(ConfigurationError, match="a worker cannot load what the project is made of: ModuleNotFoundErr"):
        ask(project, content=b"cno_such_module\nthing\n.")


def test_a_worker_without_the_place_of_the_store_says_so(recorded: Path, tmp_path: Path) -> None:
    """As where a cluster has no access to the folder."""
    shutil.copytree(recorded, tmp_path / "gone")
    with open_project(tmp_path / "gone", PROCESSES, store=STORE) as project:
        shutil.rmtree(tmp_path / "gone")
        with pytest.raises(ConfigurationError, match=r"a worker cannot open the store: project.db cannot be opened"):
            ask(project)


def test_what_workers_refuse_is_told_before_anything_is_kept(recorded: Path, tmp_path: Path) -> None:
    """Processes of this machine are asked: they find the store that the settings name, and not the one put here."""
    shutil.copytree(recorded, tmp_path / "named")
    shutil.copytree(recorded, tmp_path / "put")
    with (
        open_project(tmp_path / "named", PROCESSES, store=STORE, plugins=[Odd()]) as project,
        open_project(tmp_path / "put", HERE, store=STORE, plugins=[Odd()]) as other,
    ):
        with other.store.transaction():
            other.store.put(FACTS, pl.DataFrame({"name": ["salt"], "value": ["of another project"]}))
        project.store = other.store
        with pytest.raises(ConfigurationError, match="a worker's store is another one"):
            project.review()
        assert other.store.read(STATES).is_empty()
        assert other.store.marked("review") is None  # everybody still is


# Who ordered the work dies


def outcome(folder: Path) -> dict[str, Any]:
    """Every table, after whatever is left to do was done in one process."""
    with open_project(folder, HERE, store=STORE, plugins=[Odd()]) as project:
        project.review()
        project.plan()
        tables = {table.name: project.store.read(table) for table in TABLES}
    # After a move in the middle of a review of everybody, the next look may be planned otherwise, as in one process.
    tables["states"] = tables["states"].drop("due_at")
    return {name: frame.to_dicts() for name, frame in tables.items()}


def run(folder: Path, commits: int, how: str) -> tuple[int, str]:
    """How the program ended, and what it said; it has ended, workers and all, when its output does."""
    command = [sys.executable, str(DRIVER), str(folder), str(commits), how]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as started:
        out, errors = started.communicate(timeout=120)  # also of the workers, which have the same standard error
        return started.returncode, out + errors


# In the review and in the plan, after the first wave of each; and while budgets are written.
@pytest.mark.parametrize(("how", "commits"), [("kill", (3, 8, 11)), ("interrupt", (3, 8))])
def test_a_run_that_ends_in_the_middle_is_taken_up(
    recorded: Path, tmp_path: Path, whole: dict[str, Any], how: str, commits: Sequence[int]
) -> None:
    code = {"kill": -signal.SIGKILL, "interrupt": -signal.SIGINT}[how]
    for commit in commits:
        folder = tmp_path / f"{how} {commit}"
        shutil.copytree(recorded, folder)
        ended, said = run(folder, commit, how)
        assert ended == code, said
        found = outcome(folder)
        for name, rows in whole.items():
            assert found[name] == rows, (commit, name)


@pytest.fixture(scope="module")
def whole(recorded: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What comes of a run that nobody ends."""
    folder = tmp_path_factory.mktemp("whole") / "project"
    shutil.copytree(recorded, folder)
    ended, said = run(folder, 0, "kill")
    assert (ended, int(said) > 11) == (0, True), said
    return outcome(folder)
