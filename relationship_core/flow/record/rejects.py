"""The file of rejects: every refused row with its number and reason."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relationship_core.errors import ConfigurationError
from relationship_core.flow.record.text_files import ROW, WRITTEN

if TYPE_CHECKING:
    import polars as pl

FIRST, LAST = ("row", "reason"), ("written",)
"""The columns before and after those of the original row: its line, why it was refused, and how it was written
where it could not be taken apart."""


def prepare_rejects(path: Path, size: int, original: Path) -> None:
    """Make the file as long as it was when the last batch was kept, or take an old one away.

    Raises:
        ConfigurationError: what is there is no file of rejects.
    """
    if not path.exists():
        return
    with path.open("rb") as file:
        start = file.read(len(_START))
    if path.resolve() == original.resolve() or (start and start != _START):
        message = f"{path} is no file of rejects and would be overwritten; name another one"
        raise ConfigurationError(message)
    if size == 0:
        path.unlink()
    elif path.stat().st_size > size:
        os.truncate(path, size)


def append_rejects(path: Path, refused: pl.DataFrame, columns: Mapping[str, str]) -> int:
    """Write refused rows down for good.

    Args:
        path: the file; made with a header where it is missing.
        refused: the rows, with ``__row``, ``__written``, ``reason`` and the columns of the file.
        columns: for each of the latter its name in the file.

    Returns:
        The file's length in bytes.
    """
    shown = {name: title for name, title in columns.items() if title not in {*FIRST, *LAST}}
    text = io.StringIO()
    writer = csv.writer(text)
    if not path.exists():
        writer.writerow([*FIRST, *shown.values(), *LAST])
    rows = refused.select(ROW, "reason", *shown, WRITTEN).sort(ROW, maintain_order=True).iter_rows()
    writer.writerows([_written(value) for value in row] for row in rows)
    with path.open("ab") as file:
        file.write(text.getvalue().encode())
        file.flush()
        os.fsync(file.fileno())
        return file.tell()


_START = b"row,reason,"


def _written(value: Any) -> Any:
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, (list, dict)):
        return json.dumps(value, default=str, ensure_ascii=False)
    return value
