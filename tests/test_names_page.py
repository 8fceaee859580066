"""The page of the public names says what the code says."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

import relationship_core

DOCS = Path(__file__).parent.parent / "docs"


@pytest.fixture(scope="module")
def page() -> str:
    spec = spec_from_file_location("names", DOCS / "names.py")
    assert spec is not None
    assert spec.loader is not None
    names = module_from_spec(spec)
    spec.loader.exec_module(names)
    written: str = names.page()
    return written


def test_the_page_is_as_the_code_says(page: str) -> None:
    assert (DOCS / "reference/names.md").read_text(encoding="utf-8") == page, "write it: python docs/names.py"


def test_every_public_name_is_there_once_with_a_sentence(page: str) -> None:
    rows = [line.removeprefix("| `").split("` | ", 1) for line in page.splitlines() if line.startswith("| `")]
    assert sorted(name for name, _ in rows) == relationship_core.__all__
    assert all(len(told) > len("Why. |") for _, told in rows)
