"""Expressions as text, so that a changed rule is known for one."""

from __future__ import annotations

import hashlib

import polars as pl


def text_of(value: object) -> str:
    """A text that differs where expressions differ; of anything else its own.

    The text of polars leaves out the middle of a long list; a digest of the whole expression stands in for it.
    """
    text = str(value)
    if not isinstance(value, pl.Expr) or ("\N{HORIZONTAL ELLIPSIS}" not in text and "Series" not in text):
        return text
    try:
        return hashlib.sha256(value.meta.serialize()).hexdigest()
    except (TypeError, pl.exceptions.PolarsError):  # a Python function inside has no other text
        return text
