"""The epoch: how often messages were claimed, kept in the store and beside it, so that a restored backup is noticed.

The store counts first and durably; then the witness, a small file in the project folder, is brought up to it. So a
crash in between leaves the witness one behind, which is nothing. A witness that is ahead means that the store forgot
what it had counted: it was restored from a backup, and what it still has in the outbox may have gone long ago.
"""

from __future__ import annotations

import hashlib
import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from relationship_core.errors import RejectedError
from relationship_core.flow.facts import read_fact, write_fact
from relationship_core.ports import Store

EPOCH_FACT = "delivery_epoch"
"""Under this name the store keeps how often messages were claimed."""
WITNESS_FILE = ".relationship-epoch"
"""The file beside ``relationship.toml`` that holds the same number."""

logger = logging.getLogger(__name__)


class Witness(Protocol):
    """What remembers the epoch outside of the store."""

    def read(self) -> int:
        """The epoch that it has seen; 0 where it has seen none of this store."""
        ...

    def write(self, epoch: int) -> None:
        """Remember an epoch durably, unless a later one is remembered already."""
        ...


class NoWitness:
    """Remembers nothing: for a store that nobody restores, or that has no folder."""

    def read(self) -> int:
        """Nothing was seen."""
        return 0

    def write(self, epoch: int) -> None:
        """Nothing is remembered."""


class FileWitness:
    """A file in the project folder. It tells the store by a hash of its salt: that of another one says nothing."""

    def __init__(self, folder: Path, salt: str) -> None:
        """Nothing is read or written yet."""
        self._path = folder / WITNESS_FILE
        self._store = hashlib.blake2b(salt.encode(), digest_size=8, person=b"witness").hexdigest()

    def read(self) -> int:
        """The epoch that it has seen; 0 where it has seen none of this store, or cannot be read."""
        try:
            store, _, epoch = self._path.read_text(encoding="utf-8").strip().partition(" ")
        except (OSError, UnicodeError):
            return 0
        return int(epoch) if store == self._store and epoch.isdecimal() else 0

    def write(self, epoch: int) -> None:
        """Remember an epoch durably, unless a later one is remembered already; a folder that is read-only is told."""
        if self.read() >= epoch:
            return
        part = self._path.with_name(f"{WITNESS_FILE}.{os.getpid()}.part")
        try:
            with part.open("w", encoding="utf-8") as file:
                file.write(f"{self._store} {epoch}\n")
                file.flush()
                os.fsync(file.fileno())
            part.replace(self._path)
            _sync_folder(self._path.parent)
        except OSError as error:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            logger.warning("%s could not be written: %s", WITNESS_FILE, error.strerror or type(error).__name__)


def _sync_folder(folder: Path) -> None:
    """The name of a file is durable once its folder is."""
    if not hasattr(os, "O_DIRECTORY"):  # Windows has no such thing, and needs none
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def epoch_of(store: Store) -> int:
    """How often messages were claimed."""
    return int(read_fact(store, EPOCH_FACT) or 0)


def advance(store: Store, *, beyond: int = 0) -> int:
    """Count one more, or go beyond a number that is larger; inside a transaction. Returns the new epoch."""
    epoch = max(epoch_of(store), beyond) + 1
    write_fact(store, EPOCH_FACT, str(epoch))
    return epoch


def refuse_restored(store: Store, witness: Witness) -> None:
    """Refuse to deliver from a store that is older than what was delivered from it.

    Raises:
        RejectedError: it was restored from a backup.
    """
    seen = witness.read()  # before the store, which is never behind: another worker may be counting right now
    if seen > epoch_of(store):
        message = (
            "the store is older than what was delivered from it, as one that was restored from a backup: import again "
            "what was recorded since, `relate review` and `relate plan`, and then `relate deliver --restored` goes on "
            "without what may have gone already"
        )
        raise RejectedError(message)
