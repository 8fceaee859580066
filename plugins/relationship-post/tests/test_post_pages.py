"""The pages that tell of the plugin show settings that hold."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

HERE = Path(__file__).resolve().parents[1]
PAGES = (HERE / "README.md", HERE.parents[1] / "docs" / "how-to" / "deliver-by-post.md")
BLOCKS = [
    block
    for page in PAGES
    for block in re.findall(r"^```toml\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    if "[channels." in block
]


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_settings_on_a_page_are_right(tmp_path: Path, number: int) -> None:
    (tmp_path / "pictures").mkdir()
    Image.new("RGB", (148, 105)).save(tmp_path / "pictures" / "front.jpg")
    (tmp_path / "relationship.toml").write_text(BLOCKS[number], encoding="utf-8")
    command = [sys.executable, "-m", "relationship_core", "--project", str(tmp_path), "doctor", "--json"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, encoding="utf-8")
    checks = json.loads(done.stdout)["checks"]
    told = [each["found"] for each in checks if each["check"] == "channels"]
    assert len(told) == 1
    assert "is ready: post, for post" in told[0], done.stdout


def test_there_are_settings_on_both_pages() -> None:
    assert len(BLOCKS) >= 2
