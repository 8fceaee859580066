"""Worker processes on this machine.

Each is a Python of its own, started anew and fed through its standard input: polars works on threads of its own, and a
forked process would wait for ever for a lock that one of them held. It ends when its input ends, so that nothing is
left behind however this process dies.
"""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from itertools import islice
from threading import Event, Lock
from typing import IO, Any, TypeVar, cast

from relationship_core import ConfigurationError, RetriableError
from relationship_core.builtin.worker import read, write

T = TypeVar("T")
R = TypeVar("R")

_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from relationship_core.builtin.worker import serve; serve()"
)
_THREADS = "POLARS_MAX_THREADS"
_PATIENCE = 5.0
"""How many seconds an idle worker has to end by itself; and how long nobody looks whether an answer is there."""


class Processes:
    """Several processes, started when there is work for them, and kept until it is closed."""

    def __init__(self, workers: int, *, cores: int) -> None:
        """Take so many workers, which share so many cores."""
        self.workers = workers
        # Each worker's polars would take all cores, and stand in the way of the others.
        self._threads = os.environ.get(_THREADS) or str(max(1, cores // workers))
        self._idle: list[_Worker] = []
        self._busy: set[_Worker] = set()
        self._lock = Lock()

    def map(self, function: Callable[[T], R], tasks: Iterable[T]) -> Generator[R, None, None]:
        """What the function gives for each task, in order."""
        left = iter(tasks)
        answers: deque[Future[R]] = deque()
        over = Event()
        with ThreadPoolExecutor(self.workers, thread_name_prefix="relationship-worker") as threads:
            try:
                for task in islice(left, 2 * self.workers):
                    answers.append(threads.submit(self._ask, function, task, over))
                while answers:
                    answer = _heard(answers.popleft())
                    for task in islice(left, 1):
                        answers.append(threads.submit(self._ask, function, task, over))
                    yield answer
            except BaseException as error:  # Ctrl-C stops the workers as well
                for each in answers:
                    each.cancel()
                # Who asks for no more waits for what has begun, and keeps the workers; otherwise nothing is waited for.
                if not isinstance(error, GeneratorExit):
                    self._stop(over)
                raise

    def close(self) -> None:
        """End every worker; may be called twice."""
        with self._lock:
            idle, self._idle = self._idle, []
            for worker in self._busy:
                worker.kill()
        for worker in idle:
            worker.dismiss()

    def _stop(self, over: Event) -> None:
        """End the workers that are busy, and with them the threads that wait for their answers."""
        with self._lock:
            over.set()
            for worker in self._busy:
                worker.kill()

    def _ask(self, function: Callable[[T], R], task: T, over: Event) -> R:
        """Have a worker do a task; where one dies of it, another."""
        request = pickle.dumps((function, task), protocol=pickle.HIGHEST_PROTOCOL)
        died: list[str] = []
        while len(died) < 2 and (worker := self._take(over)):  # noqa: PLR2004  a task is tried once more
            answer = worker.ask(request)
            if answer is not None:
                self._give_back(worker)
                is_well, found = pickle.loads(answer)  # noqa: S301  a worker that this process started wrote it
                if not is_well:
                    raise cast("BaseException", found)
                return cast("R", found)
            with self._lock:
                self._busy.discard(worker)
            died.append(worker.end())
        message = (
            f"a worker process died at its work ({', then '.join(died)}); it may have run out of memory: take fewer "
            "workers in [executor], then run it again"
        )
        raise RetriableError(message)

    def _take(self, over: Event) -> _Worker | None:
        with self._lock:
            if over.is_set():
                return None
            while self._idle and not self._idle[-1].is_there:  # somebody ended it while it had nothing to do
                self._idle.pop().end()
            worker = self._idle.pop() if self._idle else _Worker(self._threads)
            self._busy.add(worker)
            return worker

    def _give_back(self, worker: _Worker) -> None:
        with self._lock:
            self._busy.discard(worker)
            if not worker.is_killed:
                self._idle.append(worker)
                return
        worker.end()


def _heard(answer: Future[R]) -> R:
    """An answer, when it is there. Polars' handler of Ctrl-C is unheard by who waits for a lock without an end."""
    while not answer.done():
        wait((answer,), timeout=_PATIENCE)
    return answer.result()


class _Worker:
    """One worker process."""

    def __init__(self, threads: str) -> None:
        if not sys.executable:
            message = "[executor]: this program cannot tell where its Python is, so it starts no processes"
            raise ConfigurationError(message)
        try:
            self._process = subprocess.Popen(  # noqa: S603  this very Python
                [sys.executable, "-P", "-c", _START, json.dumps([str(each) for each in sys.path])],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, _THREADS: threads},
                start_new_session=True,  # Ctrl-C reaches this process, which ends its workers
            )
        except OSError as error:
            message = f"no worker process could be started: {error.strerror}; take fewer workers, then run it again"
            raise RetriableError(message) from error
        self.is_killed = False

    @property
    def is_there(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def ask(self, request: bytes) -> bytes | None:
        """The answer to a request; None where the process dies."""
        with suppress(OSError, ValueError):  # a pipe that breaks, or is closed
            write(self._input, request)
            return read(cast("IO[bytes]", self._process.stdout))
        return None

    def kill(self) -> None:
        """End it now, whatever it does."""
        self.is_killed = True
        self._process.kill()

    def dismiss(self) -> None:
        """End it while it has nothing to do."""
        with suppress(OSError):
            self._input.close()
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self.end()

    def end(self) -> str:
        """Clear up after it; how it ended."""
        self._process.kill()  # where it only closed its output
        code = self._process.wait()
        for pipe in (self._input, self._process.stdout):
            with suppress(OSError):
                cast("IO[bytes]", pipe).close()
        return f"signal {-code}" if code < 0 else f"exit code {code}"

    @property
    def _input(self) -> IO[Any]:
        return cast("IO[bytes]", self._process.stdin)
