"""What a release is made of: the core and every plugin, all of one version.

python .ci/release.py check FOLDER            build everything into a folder, and compare it with the repository
python .ci/release.py prepare VERSION DATE    write the version and the date where they belong
"""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path, PurePosixPath

from plugins import ROOT, project_table, run

KINDS = {
    "added": "Added",
    "changed": "Changed",
    "deprecated": "Deprecated",
    "removed": "Removed",
    "fixed": "Fixed",
}
"""The kinds of changes, as changelog.d/README.md lists them, and their headings."""


def main(task: str, *arguments: str) -> int:
    """Do one task; the answer is the exit code."""
    if task == "prepare":
        prepare(ROOT, *arguments)
        return 0
    folder = Path(*arguments)
    if folder.exists() and any(folder.iterdir()):
        message = f"{folder} is not empty; name a folder that is, so that nothing of another release is checked"
        raise SystemExit(message)
    built = [build(project, folder / project_table(project)["name"]) for project in distributions(ROOT)]
    problems = [problem for files in built for problem in files]
    for problem in problems:
        print(problem, file=sys.stderr)
    return int(bool(problems)) or run("twine", "check", "--strict", *sorted(folder.glob("*/*")))


def distributions(root: Path) -> list[Path]:
    """The folders of the core and of every plugin."""
    return [root, *(file.parent for file in sorted(root.glob("plugins/*/pyproject.toml")))]


def build(project: Path, folder: Path) -> Iterator[str]:
    """Build a distribution, the wheel from the source distribution, and tell what is wrong with either."""
    if run("build", "--no-isolation", "--outdir", folder, project):
        yield f"{project.name} cannot be built"
        return
    package = project_table(project)["name"].replace("-", "_")
    ours = {path for path in tracked(project) if path.startswith(f"{package}/")}
    (wheel,), (source,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as archive:
        everything = archive.namelist()
    metadata = {path for path in everything if PurePosixPath(path).parts[0].endswith(".dist-info")}
    yield from differences(wheel.name, ours, set(everything) - metadata)
    if not any(path.endswith("/licenses/LICENSE") for path in metadata):
        yield f"{wheel.name} lacks its licence"
    with tarfile.open(source) as archive:
        inside = {PurePosixPath(path).relative_to(source.name.removesuffix(".tar.gz")) for path in archive.getnames()}
    for path in sorted({*ours, "LICENSE", "PKG-INFO", "README.md", "pyproject.toml"} - set(map(str, inside))):
        yield f"{source.name} lacks {path}"


def differences(name: str, wanted: set[str], found: set[str]) -> Iterator[str]:
    """What an archive lacks, and what it has that is in no commit."""
    yield from (f"{name} lacks {path}" for path in sorted(wanted - found))
    yield from (f"{name} has {path}, which is in no commit" for path in sorted(found - wanted))


def tracked(project: Path) -> list[str]:
    """The files of a folder that are in the repository."""
    command = ["git", "ls-files", "--cached", "-z"]
    return subprocess.run(command, cwd=project, check=True, capture_output=True, text=True).stdout.split("\0")


def prepare(root: Path, version: str, day: str) -> None:
    """Write a version into every distribution, and what has changed into the changelog.

    Args:
        root: the repository.
        version: such as 0.2.0.
        day: of the release, as 2026-12-31.
    """
    if not re.fullmatch(r"\d+\.\d+\.\d+", version) or not is_date(day):
        message = f"a release is made by a version such as 0.2.0 and a date such as 2026-12-31, not {version} {day}"
        raise SystemExit(message)
    changelog, fragments = root / "CHANGELOG.md", sorted((root / "changelog.d").glob("*.*.md"))
    told = list(changes(fragments))
    for project in distributions(root):
        file = project / "pyproject.toml"
        text = file.read_text(encoding="utf-8")
        file.write_text(re.sub(r'(?m)^version = ".*"$', f'version = "{version}"', text, count=1), encoding="utf-8")
    head, mark, earlier = changelog.read_text(encoding="utf-8").partition("\n## ")
    parts = [head.rstrip("\n"), f"## {version} ({day})", *told]
    changelog.write_text("\n\n".join(parts) + "\n" + mark + earlier, encoding="utf-8")
    for fragment in fragments:
        fragment.unlink()


def is_date(text: str) -> bool:
    """Whether it is a day, written as 2026-12-31."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def changes(fragments: Iterable[Path]) -> Iterator[str]:
    """The changes by kind, each as an item of a list."""
    of_kind: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for fragment in fragments:
        words = " ".join(fragment.read_text(encoding="utf-8").split())
        kind = fragment.name.split(".")[-2]
        if kind not in of_kind:
            message = f"{fragment.name} is of no kind of changes; those are {', '.join(KINDS)}"
            raise SystemExit(message)
        of_kind[kind].append(f"- {words}")
    for kind, items in of_kind.items():
        if items:
            yield f"### {KINDS[kind]}"
            yield "\n".join(items)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
