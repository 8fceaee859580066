"""What ``--json`` prints: one document on standard output, and nothing else there."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import attrs
import click


def print_document(document: object) -> None:
    """Print one JSON document; instants in ISO form, what is no number as null."""
    click.echo(written(document, ascii_alone=is_plain()))


def written(document: object, *, ascii_alone: bool = False) -> str:
    """The same as text, for a file."""
    return json.dumps(plain(document), ensure_ascii=ascii_alone, allow_nan=False, indent=2)


def is_plain() -> bool:
    """Whether standard output knows nothing beyond ASCII and its neighbours."""
    return not (sys.stdout.encoding or "").lower().startswith("utf")


def plain(value: object) -> Any:
    """The value as JSON knows it: an attrs object becomes a table of its attributes."""
    known: Any = value
    match value:
        case float() if not math.isfinite(value):
            known = None
        case date():
            known = value.isoformat()
        case Path():
            known = str(value)
        case Mapping():
            known = {str(key): plain(each) for key, each in value.items()}
        case list() | tuple():
            known = [plain(each) for each in value]
        case _ if attrs.has(type(value)):
            known = attributes(value)
    return known


def attributes(value: Any) -> dict[str, Any]:
    """The attributes of an attrs object, in their order."""
    return {each.name: plain(getattr(value, each.name)) for each in attrs.fields(type(value))}
