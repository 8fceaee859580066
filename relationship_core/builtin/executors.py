"""The executors that come with the package: the process that opened the project, and processes on this machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Sequence
from typing import TypeVar

from attrs import field, frozen, validators

from relationship_core import Executor, Provider, declared, hookimpl

T = TypeVar("T")
R = TypeVar("R")


MOST_WORKERS = 256
"""Each is a Python with all its libraries, so that more of them are a mistake on any machine."""


def cores() -> int:
    """How many cores this process may use."""
    available = getattr(os, "sched_getaffinity", None)  # not everywhere
    return len(available(0)) if available else os.cpu_count() or 1


@frozen(kw_only=True)
class InProcessSettings:
    """Settings of ``[executor] use = "in_process"``; there are none."""


@frozen(kw_only=True)
class ProcessesSettings:
    """Settings of ``[executor] use = "processes"``.

    Attributes:
        workers: how many processes there are, 256 at most; as many as there are cores unless given.
    """

    workers: int | None = field(default=None, validator=validators.optional(declared.whole(1, MOST_WORKERS)))


class InProcess:
    """Does one task after the other, where it is asked to."""

    workers = 1

    def map(self, function: Callable[[T], R], tasks: Iterable[T]) -> Generator[R, None, None]:
        """What the function gives for each task."""
        yield from map(function, tasks)

    def close(self) -> None:
        """Nothing is held."""


def _in_process(_settings: InProcessSettings) -> Executor:
    return InProcess()


def _processes(settings: ProcessesSettings) -> Executor:
    from relationship_core.builtin.processes import Processes

    return Processes(settings.workers or min(cores(), MOST_WORKERS), cores=cores())


@hookimpl
def relationship_executors() -> Sequence[Provider[Executor]]:
    """Declare the executors ``in_process`` and ``processes``."""
    return (
        Provider(
            name="in_process",
            factory=_in_process,
            settings=InProcessSettings,
            summary="The process that opened the project works by itself, page by page.",
        ),
        Provider(
            name="processes",
            factory=_processes,
            settings=ProcessesSettings,
            summary="Several processes on this machine review and plan pages at the same time.",
        ),
    )
