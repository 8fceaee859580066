"""A project for async callers: one thread opens it, works with it and closes it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Self, TypeVar

from relationship_core import Relationships

T = TypeVar("T")


class OneThread:
    """A project that coroutines ask, while others go on.

    Questions are answered one after the other. One whose caller was cancelled is finished if it had begun, and never
    asked if it had not.
    """

    def __init__(self, opened: Callable[[], Relationships]) -> None:
        """Take what opens the project; its thread does that when the project is entered."""
        self._opened = opened
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="relationships")

    async def __aenter__(self) -> Self:
        """Open the project."""
        opening = self._run(self._opened)
        try:
            self._project = await asyncio.shield(opening)
        except BaseException:  # refused, or cancelled: what is opened nevertheless is closed
            opening.add_done_callback(self._discard)
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close it, after what was asked before."""
        closing = self._run(self._project.close)
        self._thread.shutdown(wait=False)
        await asyncio.shield(closing)

    async def ask(self, question: Callable[[Relationships], T]) -> T:
        """What the project answers, such as ``await project.ask(lambda it: it.customer("anna"))``."""
        return await self._run(lambda: question(self._project))

    def _discard(self, opening: asyncio.Future[Relationships]) -> None:
        if not opening.cancelled() and opening.exception() is None:
            self._thread.submit(opening.result().close)
        self._thread.shutdown(wait=False)

    def _run(self, work: Callable[[], T]) -> asyncio.Future[T]:
        return asyncio.get_running_loop().run_in_executor(self._thread, partial(_answered, work))


def _answered(work: Callable[[], T]) -> T:
    """What it answers; a StopIteration, which no future can hand on, as an error that one can."""
    try:
        return work()
    except StopIteration as error:
        message = "the question ended in StopIteration, such as by next() of nothing"
        raise RuntimeError(message) from error
