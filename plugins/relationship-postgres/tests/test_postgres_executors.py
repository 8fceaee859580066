"""A project on PostgreSQL is the same, to the last row, whoever judges its pages."""

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pytest

from relationship_core import Choice
from relationship_core.testing.executor_projects import ExecutorProjectContract, ProcessProjectContract

VARIABLE = "RELATIONSHIP_TEST_DATABASE"
"""Workers take the url from their own environment."""


@pytest.fixture
def schema_of(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], Choice]:
    """A schema for each project; the test's database is dropped with all of them."""
    monkeypatch.setenv(VARIABLE, postgres_url)

    def schema_of(folder: Path) -> Choice:
        schema = "".join(letter if letter.isalnum() else "_" for letter in str(folder).lower())[-60:]
        return Choice(use="postgres", settings={"url": {"env": VARIABLE}, "schema": f"t_{schema}"})

    return schema_of


class TestProjectsByProcesses(ProcessProjectContract):
    choice: ClassVar[Choice] = Choice(use="processes", settings={"workers": 2})

    @pytest.fixture
    def store(self, schema_of: Callable[[Path], Choice]) -> Callable[[Path], Choice]:
        return schema_of


class TestProjectsByDask(ExecutorProjectContract):
    choice: ClassVar[Choice] = Choice(use="dask", settings={"workers": 2})

    @pytest.fixture
    def store(self, schema_of: Callable[[Path], Choice]) -> Callable[[Path], Choice]:
        return schema_of
