"""Executors: the contract of those that are built in, and what is told when one cannot work."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from relationship_core import Choice, Customer, Executor, Relationships, Settings
from relationship_core.builtin.executors import InProcess
from relationship_core.builtin.processes import Processes
from relationship_core.testing.executor_projects import ProcessProjectContract
from relationship_core.testing.executors import ExecutorContract, ProcessExecutorContract, process


class TestInProcess(ExecutorContract):
    @pytest.fixture
    def executor(self) -> Executor:
        return InProcess()


@pytest.fixture(scope="module")
def processes() -> Iterator[Executor]:
    executor = Processes(2, cores=2)
    yield executor
    executor.close()
    executor.close()


class TestProcesses(ProcessExecutorContract):
    @pytest.fixture
    def executor(self, processes: Executor) -> Executor:
        return processes


def test_workers_share_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    for said, has in ((None, "4"), ("3", "3")):
        monkeypatch.delenv("POLARS_MAX_THREADS", raising=False)
        if said is not None:
            monkeypatch.setenv("POLARS_MAX_THREADS", said)
        executor = Processes(2, cores=8)
        assert list(executor.map(os.getenv, ["POLARS_MAX_THREADS"])) == [has]
        executor.close()


def test_workers_that_end_while_they_have_nothing_to_do_are_replaced() -> None:
    executor = Processes(2, cores=2)
    first = set(executor.map(process, range(4)))
    for worker in executor._idle:
        worker._process.kill()
        worker._process.wait()
    then = list(executor.map(process, range(4)))
    assert len(then) == 4
    assert not first & set(then)
    executor.close()


def test_no_more_are_started_than_there_are_pages(tmp_path: Path) -> None:
    settings = Settings(
        store=Choice(use="sqlite", settings={"path": tmp_path / "shop.db"}),
        executor=Choice(use="processes", settings={"workers": 5}),
    )
    with Relationships(settings=settings, page_size=1) as project:
        project.record_customers([Customer(id="ada"), Customer(id="bob")])
        assert project.review().customers == 2
        executor = project._project.chosen.executor
        assert isinstance(executor, Processes)
        assert len(executor._idle) == 2


def test_what_a_worker_prints_is_no_answer(capfd: pytest.CaptureFixture[str]) -> None:
    """It goes to standard error, and asks nobody for input."""
    other = Processes(1, cores=1)
    assert list(other.map(print, ["first", "second"])) == [None, None]
    with pytest.raises(EOFError):
        list(other.map(input, ["a question"]))
    other.close()
    said = capfd.readouterr()
    assert said.out == ""
    assert "first\nsecond\n" in said.err


class TestProjectsByProcesses(ProcessProjectContract):
    choice: ClassVar[Choice] = Choice(use="processes", settings={"workers": 2})
