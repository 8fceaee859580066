"""The Executor port over a Dask cluster."""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from itertools import islice
from typing import Any, TypeVar
from weakref import WeakSet

import dask
from distributed import Client, Future, KilledWorker, LocalCluster
from distributed.security import Security

from relationship_core import RetriableError
from relationship_dask.settings import MOST_WORKERS, DaskSettings

_log = logging.getLogger("distributed.client")

T = TypeVar("T")
R = TypeVar("R")

ONCE_MORE = 1
"""How often a task is tried again whose worker died, on a cluster of our own; another one says for itself."""

_THREADS = "POLARS_MAX_THREADS"

_open: WeakSet[DaskExecutor] = WeakSet()
"""The executors that have a client."""


class DaskExecutor:
    """The workers of a cluster, reached when there is work for them.

    A task that has begun cannot be stopped on a worker: who closes a ``map`` lets go of it, and it ends by itself.
    """

    def __init__(self, settings: DaskSettings) -> None:
        """Take the cluster that the settings name; nobody is called yet."""
        self._settings = settings
        self._cluster: LocalCluster | None = None
        self._client: Any = None  # few of its methods have types
        self._workers = settings.workers or (None if settings.address else min(_cores(), MOST_WORKERS))

    @property
    def workers(self) -> int:
        """How many tasks are done at the same time."""
        if self._workers is None:
            client = self._reached()
            with _in_our_words(self._where):
                self._workers = max(1, sum(client.nthreads().values()))
        return self._workers

    def map(self, function: Callable[[T], R], tasks: Iterable[T]) -> Generator[R, None, None]:
        """What the function gives for each task, in order."""
        left, workers = iter(tasks), self.workers
        client = self._reached()
        answers: deque[Future[R]] = deque()
        try:
            answers += [self._given(client, function, task) for task in islice(left, 2 * workers)]
            while answers:
                found = self._answer(answers[0])
                answers.popleft()
                answers += [self._given(client, function, task) for task in islice(left, 1)]
                yield found
        except BaseException:  # Ctrl-C cancels what is left as well
            with suppress(Exception):  # a cluster that is gone has nothing to cancel
                client.cancel(list(answers))
            raise

    def close(self) -> None:
        """Let go of the cluster, and end it where it is our own; may be called twice."""
        client, cluster = self._client, self._cluster
        self._client = self._cluster = None
        for each in (client, cluster):
            if each is not None:
                with suppress(Exception):  # a cluster that is gone is closed
                    each.close()
        _open.discard(self)

    def _given(self, client: Any, function: Callable[[T], R], task: T) -> Future[R]:
        with _in_our_words(self._where):
            # Not pure: who asks again wants it read again.
            given: Future[R] = client.submit(function, task, pure=False)
            return given

    def _answer(self, future: Future[R]) -> R:
        """What a task gave; what it raised goes through as it is."""
        with _in_our_words(self._where):
            error = future.exception()  # type: ignore[no-untyped-call]  # distributed types only some of its functions
            if error is None:
                return future.result()
            if isinstance(error, KilledWorker):
                raise error
        raise error

    def _reached(self) -> Any:
        """The cluster's client, connected when it is first needed."""
        if self._client is None:
            _log.addFilter(_is_told)
            _open.add(self)
            try:
                with _in_our_words(self._where):
                    if not self._settings.address:
                        self._cluster = _local_cluster(self.workers)
                    self._client = _connected(self._settings, self._cluster)
                    self._client.wait_for_workers(1, timeout=self._settings.timeout)
            except BaseException:  # Ctrl-C leaves no cluster behind either
                self.close()
                raise
        return self._client

    @property
    def _where(self) -> str:
        return f"the Dask cluster at {self._settings.address}" if self._settings.address else "the local Dask cluster"


def _is_told(record: logging.LogRecord) -> bool:
    """Errors of distributed's clients, with tracebacks, are left out while a client is open: ours are told in words."""
    return not _open or record.levelno < logging.ERROR


def _connected(settings: DaskSettings, cluster: LocalCluster | None) -> Any:
    security = None
    if settings.ca is not None:
        security = Security(  # type: ignore[no-untyped-call]  # distributed types only some of its functions
            tls_ca_file=str(settings.ca),
            tls_client_cert=str(settings.certificate),
            tls_client_key=str(settings.key),
            require_encryption=True,
        )
    return Client(  # type: ignore[no-untyped-call]  # distributed types only some of its functions
        cluster or settings.address,
        timeout=settings.timeout,
        security=security,
        set_as_default=False,  # the program may have a client of its own
        name="relationship",
    )


def _local_cluster(workers: int) -> LocalCluster:
    threads = os.environ.get(_THREADS) or str(max(1, _cores() // workers))
    with dask.config.set({"distributed.scheduler.allowed-failures": ONCE_MORE}):
        return LocalCluster(  # type: ignore[no-untyped-call]  # distributed types only some of its functions
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address=None,
            scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},  # its own port for this, 8787, may be taken
            silence_logs=logging.CRITICAL,
            env={_THREADS: threads},  # each worker's polars would take all cores
        )


def _cores() -> int:
    """How many cores this process may use."""
    available = getattr(os, "sched_getaffinity", None)  # not everywhere
    return len(available(0)) if available else os.cpu_count() or 1


@contextmanager
def _in_our_words(where: str) -> Iterator[None]:
    """What becomes of a cluster is told in one sentence; what a task raised goes through as it is."""
    try:
        yield
    except KilledWorker as error:
        message = (
            f"a worker of {where} died at its work, and again where that was tried once more; it may have run out of "
            "memory: take fewer workers in [executor], then run it again"
        )
        raise RetriableError(message) from error
    except CancelledError as error:
        message = f"{where} gave the work up; see what became of it, then run it again"
        raise RetriableError(message) from error
    except OSError as error:  # a time-out and a broken connection are among them
        message = f"{where} cannot be reached, or has no worker; start it, then run it again"
        raise RetriableError(message) from error
