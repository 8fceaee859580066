"""The executor over a real cluster of processes on this machine, loopback only."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar
from weakref import WeakSet

import dask
import pytest
from distributed import LocalCluster

from relationship_core import (
    STATES,
    Choice,
    ConfigurationError,
    Executor,
    Relationships,
    RetriableError,
    Settings,
    load_plugins,
    provider_settings,
)
from relationship_core.testing.executor_projects import FIRST, PAGE, ProcessProjectContract, record_day
from relationship_core.testing.executors import ProcessExecutorContract, doubled
from relationship_dask.executor import DaskExecutor
from relationship_dask.plugin import EXECUTOR, relationship_executors
from relationship_dask.settings import DaskSettings

NOBODY = "tcp://127.0.0.1:9"
"""The port "discard", on which nobody answers."""


@pytest.fixture(scope="module")
def own() -> Iterator[Executor]:
    executor = DaskExecutor(DaskSettings(workers=2))
    yield executor
    executor.close()
    executor.close()


class TestOwnCluster(ProcessExecutorContract):
    @pytest.fixture
    def executor(self, own: Executor) -> Executor:
        return own


class TestProjectsByDask(ProcessProjectContract):
    choice: ClassVar[Choice] = Choice(use="dask", settings={"workers": 2})


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    """A cluster that somebody else has started."""
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        LocalCluster(  # type: ignore[no-untyped-call]  # distributed types only some of its functions
            n_workers=1,
            threads_per_worker=2,
            host="127.0.0.1",
            dashboard_address=None,
            scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
            silence_logs=logging.CRITICAL,
        ) as running,
    ):
        yield running


def test_a_cluster_that_is_there_is_used_and_stays(cluster: LocalCluster) -> None:
    for _ in range(2):
        executor = DaskExecutor(DaskSettings(address=cluster.scheduler_address))
        assert executor.workers == 2
        assert list(executor.map(doubled, range(5))) == [0, 2, 4, 6, 8]
        executor.close()


def test_a_cluster_that_could_not_be_reached_is_not_half_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second attempt finds nothing of the first: no client without workers, no cluster that nobody ends."""
    begun: list[Any] = []

    class _Cluster:
        def __init__(self) -> None:
            self.is_open = True
            begun.append(self)

        def close(self) -> None:
            self.is_open = False

    class _Client(_Cluster):
        def wait_for_workers(self, _number: int, **_more: float) -> None:
            raise TimeoutError

    monkeypatch.setattr("relationship_dask.executor._local_cluster", lambda _workers: _Cluster())
    monkeypatch.setattr("relationship_dask.executor._connected", lambda *_given: _Client())
    executor = DaskExecutor(DaskSettings(workers=1))
    for _ in range(2):
        with pytest.raises(RetriableError, match="has no worker"):
            list(executor.map(doubled, [1]))
    assert [each.is_open for each in begun] == [False] * 4


def test_what_dask_logs_of_a_lost_scheduler_is_not_told_beside_our_sentence(
    cluster: LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tracebacks among it; afterwards the program's own clients tell everything again."""
    told: list[str] = []
    monkeypatch.setattr("relationship_dask.executor._open", WeakSet())  # without those of other tests

    class Keeping(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            told.append(record.getMessage())

    logger, handler = logging.getLogger("distributed.client"), Keeping()
    logger.addHandler(handler)
    try:
        first, second = (DaskExecutor(DaskSettings(address=cluster.scheduler_address)) for _ in range(2))
        for executor in (first, second):
            assert executor.workers == 2
            logger.error("lost while it is used")
        first.close()
        logger.error("lost while another is used")
        second.close()
        logger.error("lost by somebody else")
    finally:
        logger.removeHandler(handler)
    assert told == ["lost by somebody else"]


def test_each_thread_of_a_worker_opens_the_project_for_itself(cluster: LocalCluster, tmp_path: Path) -> None:
    """A store belongs to the thread that opened it."""
    outcome = []
    for use, keys in (("in_process", {}), ("dask", {"address": cluster.scheduler_address})):
        settings = Settings(
            store=Choice(use="sqlite", settings={"path": f"{use}.db"}), executor=Choice(use=use, settings=keys)
        )
        with Relationships(settings=settings, clock=lambda: FIRST, folder=tmp_path, page_size=PAGE) as project:
            record_day(project, 0)
            outcome.append((project.review(), project.store.read(STATES).to_dicts()))
    assert outcome[0] == outcome[1]


def test_a_scheduler_that_is_not_there_is_told() -> None:
    executor = DaskExecutor(DaskSettings(address=NOBODY, timeout=0.5))
    with pytest.raises(RetriableError, match=r"^the Dask cluster at tcp://127.0.0.1:9 cannot be reached, or has no"):
        _ = executor.workers
    executor.close()


def test_it_is_declared() -> None:
    assert relationship_executors() == (EXECUTOR,)
    assert load_plugins().executors["dask"] == EXECUTOR


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"address": "scheduler"}, "address must be that of a scheduler, such as tcp://"),
        ({"workers": 0}, r"workers must be a whole number from 1 to 10,000, not 0"),
        ({"workers": 300}, r"workers must be at most 256 on this machine, not 300"),
        ({"timeout": 0}, r"timeout must be a number above 0 and at most 3,600"),
        ({"address": "tls://127.0.0.1:8786"}, "needs the keys ca, certificate and key; ca is missing"),
        ({"ca": "ca.pem"}, "ca is for an address with tls://"),
    ],
)
def test_wrong_settings_are_told(keys: dict[str, Any], told: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=told):
        provider_settings(EXECUTOR, Choice(use="dask", settings=keys), tmp_path, "[executor]")
