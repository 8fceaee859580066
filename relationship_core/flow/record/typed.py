"""Frames with our column names but any readable types, to the types of the tables."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import polars as pl

from relationship_core.columns import INTERACTIONS
from relationship_core.errors import ConfigurationError, RejectedError, nearest
from relationship_core.flow.record import convert, nested
from relationship_core.flow.record.checks import PROBLEM

REQUIRED = ("source", "id", "customer", "kind", "at")
OPTIONAL = ("amount", "amount_minor", "currency", "reference", "lines", "data")


def typed_interactions(
    frame: pl.DataFrame, *, currency: str, zone: str | None, major: bool
) -> pl.DataFrame:
    """The frame with all columns of INTERACTIONS, ``currency`` and ``__problem``; other columns stay.

    Args:
        frame: has the REQUIRED columns and any of the OPTIONAL ones.
        currency: the project's currency.
        zone: how to read times without an offset; None refuses them.
        major: whether ``amount`` counts major units, as files have it, or minor ones, as INTERACTIONS does.

    Raises:
        RejectedError: a column holds what it cannot.
    """
    converters: Mapping[str, convert.Converter] = {
        **dict.fromkeys(("source", "id", "customer", "kind", "reference", "currency"), convert.text),
        "at": lambda column: convert.instants(column, zone),
        "amount": (lambda column: convert.major_amounts(column, currency)) if major else convert.minor_amounts,
        "amount_minor": convert.minor_amounts,
        "lines": nested.lines,
        "data": nested.facts,
    }
    problems = [frame[PROBLEM]] if PROBLEM in frame.columns else []
    columns = {}
    for name, converter in converters.items():
        if name in frame.columns:
            columns[name], problem = converter(frame[name])
            if problem.null_count() < len(problem):
                problems.append(problem)
    if "amount_minor" in columns:
        columns["amount"] = columns.pop("amount_minor")
    absent = {
        name: pl.lit(None, kind)
        for name, kind in {**INTERACTIONS.schema, "currency": pl.String()}.items()
        if name not in columns
    }
    problem = pl.coalesce(problems) if problems else pl.lit(None, pl.String)
    return frame.with_columns(**columns, **absent).with_columns(problem.alias(PROBLEM))


def check_columns(columns: Collection[str], required: Sequence[str], optional: Sequence[str]) -> None:
    """Refuse a frame without a column that it needs, or with one that means nothing.

    Raises:
        RejectedError: a column is missing or unknown.
        ConfigurationError: an amount is given twice.
    """
    known = (*required, *optional)
    for name in columns:
        if name not in known:
            message = f"the frame has an unknown column {name!r}{nearest(name, known)}"
            raise RejectedError(message)
    for name in required:
        if name not in columns:
            message = f"the frame has no column {name!r}; it has {', '.join(columns)}"
            raise RejectedError(message)
    refuse_two_amounts(columns)


def refuse_two_amounts(columns: Collection[str]) -> None:
    """Refuse an amount that is given in major and in minor units.

    Raises:
        ConfigurationError: both are there.
    """
    if {"amount", "amount_minor"} <= set(columns):
        message = "the amount is given twice, as 'amount' and as 'amount_minor'; leave one out"
        raise ConfigurationError(message)
