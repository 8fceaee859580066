"""The demo's letters, as PDF."""

import csv
import json
import subprocess
import sys
from pathlib import Path

from pypdf import PdfReader


def relate(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "relationship_core", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, encoding="utf-8")


def test_the_demo_writes_its_letters_as_pdf(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    done = relate("demo", "--business", "garage", "--months", "2", "--json", "--post", "--project", str(folder))
    assert done.returncode == 0, done.stderr
    letters = json.loads(done.stdout)["messages"]["letters"]
    printed = list((folder / "outbox" / "print").glob("*.pdf"))
    manifests = [path.with_suffix(".csv").read_text(encoding="utf-8").splitlines() for path in printed]
    rows = [row for manifest in manifests for row in csv.DictReader(manifest)]
    assert len(rows) == len({row["message"] for row in rows}) == letters > 0
    assert sum(len(PdfReader(path).pages) for path in printed) == sum(int(row["pages"]) for row in rows)
    assert "00000 Musterstadt" in PdfReader(printed[0]).pages[0].extract_text()
    assert not (folder / "outbox" / "letters").exists()


def test_without_the_package_the_demo_says_what_to_install(tmp_path: Path) -> None:
    script = (
        "import importlib.util, sys; found = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *more: None if name == 'relationship_post' else found(name, *more)\n"
        "from relationship_core.cli import main; main()"
    )
    command = [sys.executable, "-c", script, "demo", "--post", "--project", str(tmp_path / "demo")]
    done = subprocess.run(command, check=False, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 1
    assert "pip install relationship-demo[post]" in done.stderr
    assert not (tmp_path / "demo").exists()
