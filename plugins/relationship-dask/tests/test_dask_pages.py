"""What the pages about the plugin say is what its settings are."""

from pathlib import Path

from relationship_core.testing.pages import PagesContract
from relationship_dask.plugin import relationship_executors

FOLDER = Path(__file__).resolve().parents[1]


class TestDaskPages(PagesContract):
    pages = (FOLDER / "README.md",)
    executors = relationship_executors()
