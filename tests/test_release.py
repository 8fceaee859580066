"""A release: one version everywhere, and the changes by kind in the changelog."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECTS = ("pyproject.toml", "plugins/relationship-smtp/pyproject.toml")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """The files of the repository that a release changes, with two changes and an earlier release."""
    for name in (*PROJECTS, ".ci/release.py", ".ci/plugins.py", "CHANGELOG.md", "changelog.d/README.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    for name, text in (("late", "Late receipts\ncount."), ("early", "Early ones, too.")):
        (tmp_path / f"changelog.d/{name}.fixed.md").write_text(text)
    (tmp_path / "changelog.d/post.added.md").write_text("Post.\n")
    return tmp_path


def prepare(repository: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(repository / ".ci/release.py"), "prepare", *arguments]
    beside = {**os.environ, "PYTHONPATH": str(repository / ".ci")}  # where its other module lies, also on a safe path
    return subprocess.run(command, check=False, capture_output=True, text=True, env=beside)


def test_a_release_has_one_version_and_its_changes(repository: Path) -> None:
    for version, date in (("0.8.0", "2026-12-01"), ("0.9.0", "2026-12-31")):
        (repository / "changelog.d/post.added.md").write_text("Post.\n")
        assert prepare(repository, version, date).returncode == 0
    versions = {tomllib.loads((repository / name).read_text())["project"]["version"] for name in PROJECTS}
    assert versions == {"0.9.0"}
    assert [path.name for path in (repository / "changelog.d").iterdir()] == ["README.md"]
    _, *releases = (repository / "CHANGELOG.md").read_text().split("\n## ")
    assert releases == [
        "0.9.0 (2026-12-31)\n\n### Added\n\n- Post.\n",
        "0.8.0 (2026-12-01)\n\n### Added\n\n- Post.\n\n### Fixed\n\n- Early ones, too.\n- Late receipts count.\n",
    ]


@pytest.mark.parametrize("arguments", [("0.9", "2026-12-31"), ("0.9.0", "today")])
def test_what_is_no_version_or_no_date_changes_nothing(repository: Path, arguments: tuple[str, str]) -> None:
    before = {path: path.read_bytes() for path in repository.rglob("*.*") if path.is_file()}
    told = prepare(repository, *arguments)
    assert (told.returncode, "such as 0.2.0" in told.stderr) == (1, True)
    assert {path: path.read_bytes() for path in before} == before


def test_every_distribution_has_the_same_version_and_licence() -> None:
    projects = [ROOT, *(file.parent for file in ROOT.glob("plugins/*/pyproject.toml"))]
    read = [tomllib.loads((each / "pyproject.toml").read_text())["project"] for each in projects]
    assert len({each["version"] for each in read}) == 1
    assert len({(each / "LICENSE").read_text() for each in projects}) == 1
    assert all("LICENSE" in each["license-files"] for each in read)
