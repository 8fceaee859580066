"""The pages that tell of the plugin show settings that hold."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from relationship_core import Relationships

HERE = Path(__file__).resolve().parents[1]
PAGES = (HERE / "README.md", HERE.parents[1] / "docs" / "how-to" / "deliver-by-lob.md")
BLOCKS = [
    block
    for page in PAGES
    for block in re.findall(r"^```toml\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
]
PROJECT = '[project]\npostal_address = "Corner Bakery, 1 Main St, Springfield, IL 62701"\n\n'
ENVIRONMENT = {"LOB_API_KEY": "live_0", "LOB_TEST_KEY": "test_0", "LOB_WEBHOOK_SECRET": "of the webhook"}


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_settings_on_a_page_are_right(tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    block = BLOCKS[number]
    content = block if "[project]" in block else PROJECT + block
    (tmp_path / "relationship.toml").write_text(content, encoding="utf-8")
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    command = [sys.executable, "-m", "relationship_core", "--project", str(tmp_path), "doctor", "--json"]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, encoding="utf-8", env={**os.environ, **ENVIRONMENT}
    )
    checks = json.loads(done.stdout)["checks"]
    told = [each["found"] for each in checks if each["check"] == "channels"]
    assert all("is ready: lob, for post" in each for each in told), done.stdout
    assert len(told) == block.count("[channels.")
    with Relationships.open(tmp_path) as project:
        assert set(project.settings.receivers) == set(re.findall(r"\[receivers\.(\w+)\]", block))


def test_there_are_settings_on_both_pages() -> None:
    assert len(BLOCKS) >= 4
