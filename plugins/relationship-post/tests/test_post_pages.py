"""What the pages about the plugin say is what its settings are."""

from pathlib import Path

from PIL import Image

from relationship_core.testing.pages import PagesContract
from relationship_post.plugin import relationship_channels

FOLDER = Path(__file__).resolve().parents[1]


class TestPostPages(PagesContract):
    pages = (FOLDER / "README.md", FOLDER.parents[1] / "docs" / "how-to" / "deliver-by-post.md")
    channels = relationship_channels()

    def prepare(self, folder: Path) -> None:
        (folder / "pictures").mkdir()
        Image.new("RGB", (148, 105)).save(folder / "pictures" / "front.jpg")
