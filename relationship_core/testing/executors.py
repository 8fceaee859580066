"""The contract of an executor. A plugin inherits it in a few lines and gets every test of it.

    @pytest.fixture(scope="module")
    def workers():
        executor = MyExecutor(MySettings(workers=2))
        yield executor
        executor.close()


    class TestMyExecutor(ProcessExecutorContract):
        @pytest.fixture
        def executor(self, workers):
            return workers


    class TestMyProjects(ProcessProjectContract):
        choice = Choice(use="mine", settings={"workers": 2})

An executor whose tasks are done in this very process inherits ``ExecutorContract``. That a project is the same by an
executor as without one is the contract of ``relationship_core.testing.executor_projects``.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import polars as pl
import pytest

from relationship_core.errors import RejectedError, RetriableError
from relationship_core.ports import Executor

_LASTS = 5.0
"""How many seconds a long task takes."""


def doubled(number: int) -> int:
    """Twice as much; the lower the number, the longer it takes."""
    sum(range(max(0, 200_000 - 20_000 * number)))
    return 2 * number


def failing_at_three(number: int) -> int:
    """As it is, but for 3."""
    if number == 3:
        message = "three is refused; take another number"
        raise RejectedError(message)
    return number


def failing_by_mistake(number: int) -> float:
    """What no task means to raise."""
    return 1 / number


def ending(number: int) -> int:
    """A task that wants to end its process."""
    raise SystemExit(number)


def columns(height: int) -> pl.DataFrame:
    """A frame of some megabytes."""
    return pl.DataFrame({"number": range(height), "text": [f"row {number}" for number in range(height)]})


def process(_number: int) -> int:
    """Where it is done."""
    return os.getpid()


def dying(marker: str) -> str:
    """Kill the worker; where the marker is a file's name, only once."""
    if marker and Path(marker).exists():
        return "alive"
    if marker:
        Path(marker).touch()
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
    return "dead"


def lasting(folder: str) -> None:
    """Take some seconds, and tell by files when they begin and end."""
    Path(folder, "began").touch()
    Event().wait(_LASTS)
    Path(folder, "ended").touch()


class ExecutorContract:
    """Everything that ``ports.Executor`` promises."""

    @pytest.fixture
    def executor(self) -> Executor:
        """An executor that is open; others may have used it before. To be overridden."""
        message = "give the fixture 'executor': an open executor"
        raise NotImplementedError(message)  # a fixture that only the test's own class can give

    def test_it_tells_how_many_tasks_it_does_at_once(self, executor: Executor) -> None:
        assert executor.workers >= 1

    def test_answers_come_in_the_order_of_the_tasks(self, executor: Executor) -> None:
        assert list(executor.map(doubled, range(12))) == [2 * number for number in range(12)]

    def test_no_task_has_no_answer(self, executor: Executor) -> None:
        assert list(executor.map(doubled, ())) == []

    def test_an_answer_may_be_large(self, executor: Executor) -> None:
        (answer,) = executor.map(columns, [200_000])
        assert answer.equals(columns(200_000))

    def test_an_error_comes_back_as_what_it_is(self, executor: Executor) -> None:
        answers = executor.map(failing_at_three, range(6))
        assert [next(answers) for _ in range(3)] == [0, 1, 2]
        with pytest.raises(RejectedError, match=r"^three is refused; take another number$"):
            next(answers)
        assert list(executor.map(doubled, [1])) == [2]

    def test_so_does_a_mistake(self, executor: Executor) -> None:
        with pytest.raises(ZeroDivisionError):
            list(executor.map(failing_by_mistake, [2, 1, 0]))
        assert list(executor.map(doubled, [1])) == [2]

    def test_tasks_are_taken_as_workers_come_free(self, executor: Executor) -> None:
        taken = 0

        def endless() -> Iterator[int]:
            nonlocal taken
            while True:
                yield taken
                taken += 1

        answers = executor.map(doubled, endless())
        for answered in range(1, 8):
            next(answers)
            assert taken <= answered + 2 * executor.workers
        answers.close()

    def test_who_stops_in_the_middle_may_begin_again(self, executor: Executor) -> None:
        for _ in range(3):
            answers = executor.map(doubled, range(1_000))
            assert next(answers) == 0
            answers.close()
        assert list(executor.map(doubled, [5])) == [10]


class ProcessExecutorContract(ExecutorContract):
    """Everything that ``ports.Executor`` promises of one whose tasks are done in other processes."""

    def test_it_works_in_other_processes(self, executor: Executor) -> None:
        assert os.getpid() not in set(executor.map(process, range(4)))

    def test_a_worker_that_dies_is_replaced_and_its_task_done_again(self, executor: Executor, tmp_path: Path) -> None:
        marker = tmp_path / "died once"
        assert list(executor.map(dying, [str(marker)])) == ["alive"]
        assert marker.exists()

    def test_a_task_that_kills_every_worker_is_given_up(self, executor: Executor) -> None:
        with pytest.raises(RetriableError, match="died"):
            list(executor.map(dying, [""]))
        assert list(executor.map(doubled, [1])) == [2]

    def test_a_task_that_ends_its_process_is_an_error(self, executor: Executor) -> None:
        with pytest.raises(Exception, match=r"SystemExit|died|\b1\b"):
            list(executor.map(ending, [1]))
        assert list(executor.map(doubled, [1])) == [2]

    def test_ctrl_c_is_heard_while_a_task_goes_on(self, executor: Executor, tmp_path: Path) -> None:
        """Polars has a handler of its own for it, after which who waits for a lock without an end goes on waiting."""

        def interrupt() -> None:
            while not (tmp_path / "began").exists():
                Event().wait(0.01)
            os.kill(os.getpid(), signal.SIGINT)

        Thread(target=interrupt, daemon=True).start()
        with pytest.raises(KeyboardInterrupt):
            list(executor.map(lasting, [str(tmp_path)]))
        assert not (tmp_path / "ended").exists()
        assert list(executor.map(doubled, [1])) == [2]
