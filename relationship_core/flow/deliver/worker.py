"""Workers: who claimed a message, and whether they are still there.

A worker's name holds the machine, its boot and the space that process numbers belong to (containers on one machine
have their own), the process, when that began, and which delivery of the process it is. So a claim whose worker is
gone can be taken over at once on the same machine. Elsewhere, and after another boot, a claim lasts until its lease
ends.

A process that is killed loses nothing that it had committed. A power cut may take the last commits with it, all but the
durable ones: of what was claimed before another boot of the same machine nobody knows how far it had come.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_MACHINE = Path("/etc/machine-id")
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


def was_cut_off(worker: str) -> bool:
    """Whether a worker ran before another boot of this machine, so that its last commits may be lost.

    Where machines do not tell who they are, as in many containers, another boot is taken for one of this machine.
    """
    theirs, ours = _place(worker.partition(":")[0]), _place(_machine())
    return theirs is not None and ours is not None and theirs[0] == ours[0] and theirs[1] != ours[1]


def _place(machine: str) -> tuple[str, str] | None:
    """Machine and boot, as a worker's name has them; None where it says nothing about them."""
    parts = machine.split("/")
    return (parts[0], parts[1]) if len(parts) > 1 else None


def _process(worker: str) -> int | None:
    """The worker's process, if that would be seen from here."""
    machine, *rest = worker.split(":")
    if not machine or machine != _machine() or not rest or not rest[0].isdigit():
        return None
    return int(rest[0])


def _machine() -> str:
    """This machine, its boot and its space of process numbers; empty where nothing tells."""
    try:
        return f"{_identity()}/{_BOOT.read_text().strip()}/{_NUMBERS.readlink()}".replace(":", "")
    except OSError:
        return ""


def _identity() -> str:
    """What tells this machine from others, whatever the boot (machine-id(5)); empty where nothing does."""
    try:
        return _MACHINE.read_text(encoding="ascii").strip().replace("/", "")
    except (OSError, UnicodeError):
        return ""


def _started(process: int) -> str | None:
    """When a process began, in ticks since boot; None where there is no such process."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return None
    return stat.rpartition(")")[2].split()[_STARTED_FIELD]
