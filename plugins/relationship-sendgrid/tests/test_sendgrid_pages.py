"""What the pages about the plugin say is what its settings are."""

from pathlib import Path

from relationship_core.testing.pages import PagesContract
from relationship_sendgrid.plugin import relationship_channels, relationship_receivers

FOLDER = Path(__file__).resolve().parents[1]


class TestSendGridPages(PagesContract):
    pages = (FOLDER / "README.md", FOLDER.parents[1] / "docs" / "how-to" / "deliver-by-sendgrid.md")
    channels = relationship_channels()
    receivers = relationship_receivers()
    environment = {"SENDGRID_API_KEY": "secret-of-a-test"}  # noqa: RUF012  the contract's class variable
