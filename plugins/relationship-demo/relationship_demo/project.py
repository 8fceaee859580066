"""The demo's project folder: written once, then the operator's to edit."""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path

from relationship_core import ConfigurationError
from relationship_demo.business import Business
from relationship_demo.groceries import GROCERIES

MARK = ".relate-demo"
"""The file by which a folder is known for a demo project; it is written before any other."""

OUTBOX = "outbox"
"""The folder below which the channels write, as ``relationship.toml`` says."""


def prepare(folder: Path, business: Business = GROCERIES) -> None:
    """Make the project folder of a business, or finish one that an interrupted run left half made.

    Files that exist are left as they are: once written, they are the operator's.

    Raises:
        ConfigurationError: the folder exists and holds something else, or cannot be written.
    """
    try:
        _refuse_others(folder, business)
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / "relationships.db").exists():  # all files were there before the first interaction was
            return
        (folder / MARK).write_text(business.mark, encoding="utf-8")
        _write_missing(folder, business.template)
        (folder / OUTBOX).mkdir(exist_ok=True)
        business.put_aside(folder)
    except OSError as error:
        message = f"the folder {folder} cannot be written ({error.strerror}); name another one with --project"
        raise ConfigurationError(message) from error


def _refuse_others(folder: Path, business: Business) -> None:
    if not folder.exists():
        return
    if (folder / MARK).is_file():
        _refuse_other_business(folder, business)
    elif not folder.is_dir() or any(folder.iterdir()):
        message = f"{folder} exists and is no demo project; name another folder with --project"
        raise ConfigurationError(message)


def _refuse_other_business(folder: Path, business: Business) -> None:
    mark = (folder / MARK).read_text(encoding="utf-8")
    if mark not in {business.mark, ""}:  # empty: the run that was to write it died
        message = (
            f"{folder} is the demo of another business than {business.name}; "
            "name that business with --business, or another folder with --project"
        )
        raise ConfigurationError(message)


def _write_missing(folder: Path, template: str) -> None:
    with as_file(files("relationship_demo") / template) as templates:
        for source in sorted(templates.rglob("*")):
            target = folder / source.relative_to(templates)
            if source.is_file() and not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                _write_whole(target, source.read_bytes())


def _write_whole(target: Path, content: bytes) -> None:
    """All of it or nothing, so that a file that exists is a whole one."""
    part = target.with_name(f"{target.name}.part")
    part.write_bytes(content)
    part.replace(target)
