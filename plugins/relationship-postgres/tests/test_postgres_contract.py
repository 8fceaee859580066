"""PostgreSQL keeps the contract of stores."""

from collections.abc import Callable

import pytest

from relationship_core import Store
from relationship_core.testing.stores import DurableStoreContract
from relationship_postgres.store import PostgresStore


class TestPostgresStore(DurableStoreContract):
    @pytest.fixture
    def reopen(self, open_store: Callable[..., PostgresStore]) -> Callable[[], Store]:
        return open_store
