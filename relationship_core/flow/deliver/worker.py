"""Workers: who claimed a message, and whether they are still there.

A worker's name holds the machine's boot, its process and when that process began, so that a claim whose
process is gone can be taken over at once on the same machine. Elsewhere a claim lasts until its lease ends.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_STARTED_FIELD = 19
"""The place of the start time in /proc/<pid>/stat, counted after the command's name (proc(5))."""


def worker_name() -> str:
    """A name for this process, unique among all processes of all machines."""
    boot, process = _boot(), os.getpid()
    return f"{boot}:{process}:{_started(process) or secrets.token_hex(8)}"


def is_gone(worker: str) -> bool:
    """Whether a worker certainly runs no more; False where nobody can tell."""
    boot, _, rest = worker.partition(":")
    process, _, started = rest.partition(":")
    if not boot or boot != _boot() or not process.isdigit():
        return False
    return _started(int(process)) != started


def _boot() -> str:
    return _BOOT.read_text().strip() if _BOOT.exists() else ""


def _started(process: int) -> str | None:
    """When a process began, in ticks since boot; None where there is no such process."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return None
    return stat.rpartition(")")[2].split()[_STARTED_FIELD]
