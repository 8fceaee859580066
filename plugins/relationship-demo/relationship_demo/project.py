"""The demo's project folder: written once, then the operator's to edit."""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path

from relationship_core import ConfigurationError

MARK = ".relate-demo"
"""The file by which a folder is known for a demo project; it is written before any other."""

OUTBOX = "outbox"
"""The folder below which the channels write, as ``relationship.toml`` says."""

MARK_TEXT = "`relate demo` made this folder, and goes on here when it is started again.\n"


def prepare(folder: Path) -> None:
    """Make the project folder, or finish one that an interrupted run left half made.

    Files that exist are left as they are: once written, they are the operator's.

    Raises:
        ConfigurationError: the folder exists and holds something else, or cannot be written.
    """
    try:
        _refuse_others(folder)
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / "relationships.db").exists():  # all files were there before the first interaction was
            return
        (folder / MARK).write_text(MARK_TEXT, encoding="utf-8")
        _write_missing(folder)
        (folder / OUTBOX).mkdir(exist_ok=True)
    except OSError as error:
        message = f"the folder {folder} cannot be written ({error.strerror}); name another one with --project"
        raise ConfigurationError(message) from error


def _refuse_others(folder: Path) -> None:
    if not folder.exists() or (folder / MARK).is_file():
        return
    if not folder.is_dir() or any(folder.iterdir()):
        message = f"{folder} exists and is no demo project; name another folder with --project"
        raise ConfigurationError(message)


def _write_missing(folder: Path) -> None:
    with as_file(files("relationship_demo") / "project") as templates:
        for template in sorted(templates.rglob("*")):
            target = folder / template.relative_to(templates)
            if template.is_file() and not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                _write_whole(target, template.read_bytes())


def _write_whole(target: Path, content: bytes) -> None:
    """All of it or nothing, so that a file that exists is a whole one."""
    part = target.with_name(f"{target.name}.part")
    part.write_bytes(content)
    part.replace(target)
