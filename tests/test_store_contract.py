"""Both built-in stores keep the contract."""

from collections.abc import Callable
from pathlib import Path

import pytest

from relationship_core import Store
from relationship_core.builtin.memory import MemoryStore
from relationship_core.builtin.sqlite.store import SQLiteStore
from relationship_core.testing.stores import DurableStoreContract, StoreContract


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def store(self) -> Store:
        return MemoryStore()


class TestSQLiteStore(DurableStoreContract):
    @pytest.fixture
    def reopen(self, tmp_path: Path) -> Callable[[], Store]:
        return lambda: SQLiteStore(tmp_path / "relationships.db")
