"""The stores that a configuration can choose."""

import subprocess
import sys
from pathlib import Path

import pytest

from relationship_core import CUSTOMERS
from relationship_core.builtin.stores import MemorySettings, SQLiteSettings, relationship_stores
from relationship_core.testing.rows import know

PROVIDERS = {provider.name: provider for provider in relationship_stores()}


def test_sqlite_opens_the_file_of_its_settings(tmp_path: Path) -> None:
    provider = PROVIDERS["sqlite"]
    assert provider.settings is SQLiteSettings
    path = tmp_path / "relationships.db"
    store = provider.factory(SQLiteSettings(path=path))
    know(store, "ada")
    store.close()
    assert path.exists()
    again = provider.factory(SQLiteSettings(path=path, busy_timeout=1))
    assert list(again.read(CUSTOMERS)["customer"]) == ["ada"]
    again.close()


def test_memory_forgets_when_it_is_opened_again() -> None:
    provider = PROVIDERS["memory"]
    assert provider.settings is MemorySettings
    know(provider.factory(MemorySettings()), "ada")
    assert provider.factory(MemorySettings()).read(CUSTOMERS).is_empty()


def test_a_negative_busy_timeout_is_refused() -> None:
    with pytest.raises(ValueError, match="busy_timeout"):
        SQLiteSettings(busy_timeout=-1)


def test_declaring_the_stores_imports_nothing_heavy() -> None:
    code = (
        "import sys, relationship_core.builtin.stores as stores; stores.relationship_stores(); "
        "sys.exit(', '.join({'polars', 'sqlite3'} & set(sys.modules)) or None)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
