"""Attributes of customers: JSON objects as text, several of which become one."""

from __future__ import annotations

import json
from collections.abc import Iterable


def as_one(texts: Iterable[str]) -> str | None:
    """JSON objects as one, in one way of writing; of one name the later value counts. None where nothing is left."""
    values: dict[str, object] = {}
    for text in texts:
        values |= json.loads(text)
    return json.dumps(values, ensure_ascii=False, sort_keys=True) if values else None
