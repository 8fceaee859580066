"""Workers: who claimed a message, and whether they are still there.

A worker's name holds the machine's boot, the space that process numbers belong to (containers on one machine
have their own), the process, when that began, and which delivery of the process it is. So a claim whose worker is
gone can be taken over at once on the same machine. Elsewhere a claim lasts until its lease ends.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_NUMBERS = Path("/proc/self/ns/pid")
_STARTED_FIELD = 19
"""The place of the start time in /proc/<pid>/stat, counted after the command's name (proc(5))."""

_working: set[str] = set()
"""The deliveries that are under way in this process."""


@contextmanager
def working() -> Iterator[str]:
    """A name for one delivery of this process, unique among all deliveries on all machines."""
    process = os.getpid()
    name = f"{_machine()}:{process}:{_started(process) or ''}:{secrets.token_hex(8)}"
    _working.add(name)
    try:
        yield name
    finally:
        _working.discard(name)


def is_here(worker: str) -> bool:
    """Whether a worker certainly runs; False where nobody can tell."""
    return worker in _working or (_process(worker) not in {None, os.getpid()} and not is_gone(worker))


def is_gone(worker: str) -> bool:
    """Whether a worker certainly runs no more; False where nobody can tell."""
    process = _process(worker)
    if process is None:
        return False
    if process == os.getpid():
        return worker not in _working
    return _started(process) != worker.split(":")[2]


def _process(worker: str) -> int | None:
    """The worker's process, if that would be seen from here."""
    machine, *rest = worker.split(":")
    if not machine or machine != _machine() or not rest or not rest[0].isdigit():
        return None
    return int(rest[0])


def _machine() -> str:
    """What tells this boot of this machine, and this space of process numbers, from others; empty if nothing does."""
    try:
        return f"{_BOOT.read_text().strip()}/{_NUMBERS.readlink()}".replace(":", "")
    except OSError:
        return ""


def _started(process: int) -> str | None:
    """When a process began, in ticks since boot; None where there is no such process."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return None
    return stat.rpartition(")")[2].split()[_STARTED_FIELD]
