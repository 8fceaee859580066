"""What the pages about the plugin say is what its settings are."""

from pathlib import Path

from relationship_core.testing.pages import PagesContract
from relationship_lob.plugin import relationship_channels, relationship_receivers

FOLDER = Path(__file__).resolve().parents[1]


class TestLobPages(PagesContract):
    pages = (FOLDER / "README.md", FOLDER.parents[1] / "docs" / "how-to" / "deliver-by-lob.md")
    channels = relationship_channels()
    receivers = relationship_receivers()
    environment = {"LOB_API_KEY": "live_0000", "LOB_TEST_KEY": "test_0000", "LOB_WEBHOOK_SECRET": "of the webhook"}  # noqa: RUF012  the contract's class variable
