"""Batches in a folder: files to print, each with a manifest that tells what is in it.

The manifest is written before the file, and counts only beside it. So whoever is killed leaves the file with its
manifest, or nothing that anybody would print; and what is written again is the same under the same name.
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path

from attrs import frozen

_COLUMNS = ("message", "page", "pages", "format")
_SEPARATOR = re.compile(r"[,;\t\r\n]")
"""A spreadsheet that keeps a manifest may write another one."""
_LONGEST_NAME = 16


@frozen(kw_only=True)
class Entry:
    """A message in a file: its id, its first page from 1, and how many pages it has."""

    message: str
    page: int
    pages: int


@frozen(kw_only=True)
class Batch:
    """What is written together.

    Attributes:
        kind: what is printed, such as ``letter``.
        entries: the messages, in the order of the pages.
        content: the file to print.
        labels: the sheets of labels that go with it; empty for none.
    """

    kind: str
    entries: Sequence[Entry]
    content: bytes
    labels: bytes = b""

    @property
    def name(self) -> str:
        """What the file is called; the same content has the same name."""
        return f"{self.kind}-{sha256(self.content + self.labels).hexdigest()[:_LONGEST_NAME]}.pdf"


def write(folder: Path, batch: Batch) -> str:
    """Write a batch and return the name of its file.

    Raises:
        OSError: the folder cannot be written to; then there is no file to print.
    """
    for each in (folder.parent, folder):
        each.mkdir(exist_ok=True)
    path = folder / batch.name
    if batch.labels:
        _replace(path.with_name(f"{path.stem}-labels.pdf"), batch.labels)
    _replace(path.with_suffix(".csv"), _manifest(batch))
    _replace(path, batch.content)
    return path.name


def printed(folder: Path) -> Iterator[str]:
    """The ids of all messages that are in a file, from the manifests."""
    try:
        manifests = sorted(folder.glob("*.csv"))
    except OSError:
        return
    for path in manifests:
        if path.is_file() and path.with_suffix(".pdf").exists():
            yield from _messages(path)


def _messages(path: Path) -> Iterator[str]:
    """What stands first in each line: ids hold nothing that a table quotes, and other tables may lie in the folder."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        for line in file:
            yield _SEPARATOR.split(line, maxsplit=1)[0].strip('"')


def _manifest(batch: Batch) -> bytes:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(_COLUMNS)
    rows.writerows((each.message, each.page, each.pages, batch.kind) for each in batch.entries)
    return text.getvalue().encode()


def _replace(path: Path, content: bytes) -> None:
    """All of it or nothing, also after a power cut."""
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise
