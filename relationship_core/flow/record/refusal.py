"""Refusal: a batch of which one row cannot be recorded is refused as a whole, with a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relationship_core.errors import RejectedError

if TYPE_CHECKING:
    import polars as pl

NUMBER = "__number"
"""The column that tells which one of all that was handed over a row is, from 1."""


def refuse(bad: pl.DataFrame, what: str) -> None:
    """Say what is wrong with the first of these rows, if there are any.

    Args:
        bad: refused rows, with NUMBER and ``reason``.
        what: what one of them is called.

    Raises:
        RejectedError: there are some.
    """
    if bad.height:
        number, reason = bad.select(NUMBER, "reason").sort(NUMBER).row(0)
        others = f" (and {bad.height - 1} more)" if bad.height > 1 else ""
        message = f"{what} number {number} cannot be recorded: {reason}{others}; correct it and record all of it again"
        raise RejectedError(message)
