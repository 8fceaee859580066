"""What the pages about the plugin say is what its settings are."""

from pathlib import Path

from relationship_core.testing.pages import PagesContract
from relationship_twilio.plugin import relationship_channels, relationship_receivers

FOLDER = Path(__file__).resolve().parents[1]


class TestTwilioPages(PagesContract):
    pages = (FOLDER / "README.md", FOLDER.parents[1] / "docs" / "how-to" / "deliver-by-twilio.md")
    channels = relationship_channels()
    receivers = relationship_receivers()
    environment = {"TWILIO_AUTH_TOKEN": "secret-of-a-test"}  # noqa: RUF012  the contract's class variable
