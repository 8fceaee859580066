"""The stores that come with the package: SQLite for a project folder, memory for embedding and tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from attrs import field, frozen, validators

from relationship_core import Provider, Store, hookimpl


@frozen(kw_only=True)
class SQLiteSettings:
    """Settings of ``[store] use = "sqlite"``.

    Attributes:
        path: the database file; it is made if it does not exist, its folder is not.
        busy_timeout: how long to wait for another process that is writing, in seconds.
    """

    path: Path = Path("relationships.db")
    busy_timeout: float = field(default=10.0, converter=float, validator=validators.ge(0))


@frozen(kw_only=True)
class MemorySettings:
    """Settings of ``[store] use = "memory"``; there are none."""


def _open_sqlite(settings: SQLiteSettings) -> Store:
    from relationship_core.builtin.sqlite.store import SQLiteStore

    return SQLiteStore(settings.path, busy_timeout=settings.busy_timeout)


def _open_memory(_settings: MemorySettings) -> Store:
    from relationship_core.builtin.memory import MemoryStore

    return MemoryStore()


@hookimpl
def relationship_stores() -> Sequence[Provider[Store]]:
    """Declare the stores ``sqlite`` and ``memory``."""
    return (
        Provider(
            name="sqlite",
            factory=_open_sqlite,
            settings=SQLiteSettings,
            summary="One SQLite file, for a project on one machine.",
        ),
        Provider(
            name="memory",
            factory=_open_memory,
            settings=MemorySettings,
            summary="Keeps nothing after the process ends; for embedding, tests and trying things out.",
        ),
    )
