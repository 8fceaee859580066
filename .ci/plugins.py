"""What tox does with every folder in plugins/, so that a new plugin needs no line in tox.ini.

python .ci/plugins.py install    build each as a wheel and install it
python .ci/plugins.py types      check the types of each, and of each template of a plugin
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def main(task: str) -> int:
    """Do one task for every plugin; the answer is the exit code."""
    folders = [file.parent for file in sorted(ROOT.glob("plugins/*/pyproject.toml"))]
    return {"install": install, "types": check_types}[task](folders)


def install(folders: list[Path]) -> int:
    """Install the folders as wheels, and from the package index only what others publish.

    The index is never asked for this project's own names: a stranger's distribution under one of them would
    otherwise be installed and tested in its place.
    """
    projects = [project_table(folder) for folder in folders]
    own = {"relationship-core", *(normalized(project["name"]) for project in projects)}
    foreign = [need for project in projects for need in requirements(project) if normalized(need) not in own]
    return (
        (run("pip", "install", "-q", *foreign) if foreign else 0)
        or (run("pip", "install", "-q", "--no-deps", "--no-build-isolation", *folders) if folders else 0)
        or run("pip", "check")
    )


def check_types(folders: list[Path]) -> int:
    """Check each folder in a run of its own: two plugins may have test modules of the same name.

    So are the templates of plugins, each with the settings that it brings.
    """
    templates = [file.parent for file in sorted(ROOT.glob("relationship_core/templates/*/pyproject.toml"))]
    return max(
        *(run("mypy", folder) for folder in folders), *(run("mypy", ".", folder=template) for template in templates)
    )


def project_table(folder: Path) -> dict[str, Any]:
    """Read the [project] table of the distribution in a folder."""
    with (folder / "pyproject.toml").open("rb") as file:
        project: dict[str, Any] = tomllib.load(file)["project"]
    return project


def requirements(project: dict[str, Any]) -> list[str]:
    """List what a plugin needs to run, and what its tests need."""
    extras: dict[str, list[str]] = project.get("optional-dependencies", {})
    return [*project.get("dependencies", []), *extras.get("testing", [])]


def normalized(requirement: str) -> str:
    """Take the distribution's name out of a requirement, in the one spelling that compares."""
    name = re.match(r"[\w.-]+", requirement.strip())
    if name is None:
        raise ValueError(f"not a requirement: {requirement!r}")
    return re.sub(r"[-_.]+", "-", name[0]).lower()


def run(module: str, *arguments: str | Path, folder: Path = ROOT) -> int:
    """Run a module of the environment's own Python, from the top of the checkout or another folder."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    return subprocess.run(command, cwd=folder, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
