"""Numbers as people write them: marks of decimals and of thousands. What may mean two numbers is never guessed."""

from __future__ import annotations

import re
from functools import cache

import polars as pl

from relationship_core.errors import ConfigurationError
from relationship_core.flow.record.checks import PROBLEM

_OTHERS = (".", ",", " ", "'", "\u2019", "\u00a0", "\u202f")
"""What may stand between thousands, where it is not the mark of decimals."""

GROUP = 3
"""So many digits stand between two marks of thousands."""

THOUSAND = r"^[+-]?[0-9]{1,3}\.[0-9]{3}$"
"""What may be a thousand, or a number with three decimals."""


def check_decimal(decimal: str | None) -> None:
    """Refuse a mark of decimals that is none.

    Raises:
        ConfigurationError: it is neither a point nor a comma.
    """
    if decimal not in {None, ".", ","}:
        message = f"the mark of decimals is a point or a comma, not {decimal!r}"
        raise ConfigurationError(message)


@cache
def _form(decimal: str) -> str:
    mark = re.escape(decimal)
    grouped = "|".join(f"(?:{re.escape(sep)}[0-9]{{3}})+" for sep in _OTHERS if sep != decimal)
    return rf"^[+-]?(?:[0-9]+|[0-9]{{1,3}}(?:{grouped}))?(?:{mark}[0-9]*)?$"


def plain_number(text: str, decimal: str | None) -> str | None:
    """The number with a point and without marks of thousands; None where it is none in that form."""
    if decimal is None:
        return text
    if re.fullmatch(_form(decimal), text) is None:
        return None
    return "".join("." if each == decimal else each for each in text if each == decimal or each not in _OTHERS)


def _unmistakable(number: str | None) -> str | None:
    """With as many zeros at the end of its decimals as let nobody take them for a thousand."""
    if number is None or "." not in number:
        return number
    shortest = number.rstrip("0").rstrip(".")
    return f"{shortest}0" if re.fullmatch(THOUSAND, shortest) else shortest


def with_plain_amounts(frame: pl.DataFrame, decimal: str | None) -> pl.DataFrame:
    """A frame whose amounts, if they are text, are written with a point; those in another form get a problem."""
    if decimal is None or frame.schema.get("amount") != pl.String:
        return frame
    other = "," if decimal == "." else "."
    example = f"1{other}234{decimal}50"
    texts = frame["amount"].to_list()
    plain = [None if text is None else _unmistakable(plain_number(text, decimal)) for text in texts]
    told = f"the amount is not a number such as {example}"
    problems = [told if text is not None and read is None else None for text, read in zip(texts, plain, strict=True)]
    return frame.with_columns(
        pl.Series("amount", plain, dtype=pl.String),
        pl.coalesce(PROBLEM, pl.Series(problems, dtype=pl.String)).alias(PROBLEM),
    )
