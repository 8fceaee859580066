"""What a worker process of ``processes`` does: it answers requests on its standard input until that ends.

A request is a pickled pair of function and task, an answer a pickled pair: whether it went well, and what it gave or
raised; each after its length in eight bytes. Whatever the function prints goes to standard error.
"""

from __future__ import annotations

import os
import pickle
import signal
import struct
import traceback
from contextlib import suppress
from queue import SimpleQueue
from threading import Event, Thread
from typing import IO

from relationship_core import ConfigurationError, RelationshipError

LENGTH = struct.Struct(">Q")
"""How the length of a request or an answer is written."""


def read(pipe: IO[bytes]) -> bytes | None:
    """The next request or answer; None at the end, also where that comes in the middle of one."""
    head = pipe.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    content = pipe.read(length)
    return content if len(content) == length else None


def write(pipe: IO[bytes], content: bytes) -> None:
    """Write a request or an answer."""
    pipe.write(LENGTH.pack(len(content)))
    pipe.write(content)
    pipe.flush()


def serve() -> None:
    """Answer requests until there are no more, or until who sent them is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever ordered the work hears of Ctrl-C, and ends its workers
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    waiting: SimpleQueue[bytes | None] = SimpleQueue()
    busy = Event()
    Thread(target=_hear, args=(requests, waiting, busy), daemon=True).start()
    with suppress(BrokenPipeError):
        while (request := waiting.get()) is not None:
            busy.set()
            write(answers, _answer(request))
            busy.clear()


def _hear(requests: IO[bytes], waiting: SimpleQueue[bytes | None], busy: Event) -> None:
    while (request := read(requests)) is not None:
        waiting.put(request)
    if busy.is_set():
        os._exit(0)  # nobody waits for the answer any more
    waiting.put(None)


def _answer(request: bytes) -> bytes:
    try:
        function, task = pickle.loads(request)  # noqa: S301  whoever started this process sent it
    except Exception as error:  # noqa: BLE001  what is not installed here, or not found, may fail in any way
        message = (
            f"a worker process cannot load what it is to do: {type(error).__name__}: {error}; put what a program hands "
            "in into a module that can be imported, and not into the program itself"
        )
        return pickle.dumps((False, ConfigurationError(message)))
    try:
        return pickle.dumps((True, function(task)), protocol=pickle.HIGHEST_PROTOCOL)
    except BaseException as error:  # noqa: BLE001  also SystemExit: a worker never ends because of its work
        return _failure(error)


def _failure(error: BaseException) -> bytes:
    """An error as it can travel; one that nobody raised on purpose with a note of where that was, without values."""
    place = "".join(traceback.format_tb(error.__traceback__))
    if not isinstance(error, Exception):
        error = RuntimeError(f"a worker's task ended with {type(error).__name__}")
    if not isinstance(error, RelationshipError):
        error.add_note(f"in a worker process:\n{place}")
    try:
        told = pickle.dumps((False, error))
        pickle.loads(told)  # noqa: S301  our own; some errors can be written and not read
    except Exception:  # noqa: BLE001  an error may hold anything
        return pickle.dumps((False, RuntimeError(f"a worker's task failed with {type(error).__name__}: {error}")))
    return told
