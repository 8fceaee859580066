"""The reference of measures lists every column that conditions can name, with what it means."""

from __future__ import annotations

from pathlib import Path

import pytest

from relationship_core import Relationships, Settings

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "measures.md"


@pytest.fixture
def described() -> dict[str, str]:
    """Every column, with those that rest on an attribute; attributes themselves are a project's own."""
    with Relationships(settings=Settings(attributes={"birthday": "text"})) as project:
        return {
            name: column.summary
            for name, column in project.catalog.columns.items()
            if name in project.catalog.types and not name.endswith("_confidence") and column.origin != "attribute"
        }


def rows() -> dict[str, str]:
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {cell[0].strip("`"): cell[-1] for cell in cells}


def test_every_column_is_described_as_it_describes_itself(described: dict[str, str]) -> None:
    assert rows() == described


def test_every_score_has_a_confidence_column() -> None:
    with Relationships() as project:
        for rule in project.catalog.scores:
            assert f"{rule.name}_confidence" in project.catalog.types
