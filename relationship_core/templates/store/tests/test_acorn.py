"""The store keeps the contract, and its files are where it says."""

from collections.abc import Callable
from pathlib import Path

import pytest
from relationship_core import Store
from relationship_core.testing.stores import DurableStoreContract

from relationship_acorn import relationship_stores

(PROVIDER,) = relationship_stores()


class TestAcornStore(DurableStoreContract):
    @pytest.fixture
    def reopen(self, tmp_path: Path) -> Callable[[], Store]:
        return lambda: PROVIDER.factory(PROVIDER.settings(name="shop", folder=tmp_path / "data"))


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    PROVIDER.factory(PROVIDER.settings(name="shop", folder=tmp_path / "data")).close()
    assert [each.name for each in (tmp_path / "data").iterdir()] == ["shop.db"]
    assert (tmp_path / "data").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", ["", "../shop", "a/b", ".hidden"])
def test_a_name_stays_in_the_folder(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        PROVIDER.settings(name=name)
