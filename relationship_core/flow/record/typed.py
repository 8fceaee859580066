"""Frames with our column names but any readable types, to the types of the tables."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from relationship_core.columns import INTERACTIONS
from relationship_core.flow.record import convert, nested
from relationship_core.flow.record.checks import PROBLEM

REQUIRED = ("source", "id", "customer", "kind", "at")
OPTIONAL = ("amount", "amount_minor", "currency", "reference", "lines", "data")


def typed_interactions(frame: pl.DataFrame, *, currency: str, zone: str | None, major: bool) -> pl.DataFrame:
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
        "data": nested.data,
    }
    typed = typed_frame(frame, converters, {**INTERACTIONS.schema, "currency": pl.String()})
    return typed.with_columns(amount="amount_minor") if "amount_minor" in frame.columns else typed


def typed_frame(
    frame: pl.DataFrame,
    converters: Mapping[str, convert.Converter],
    schema: Mapping[str, pl.DataType | type[pl.DataType]],
) -> pl.DataFrame:
    """The frame with all columns of a schema and ``__problem``; other columns stay.

    Args:
        frame: has some of the columns.
        converters: how the columns that it may have are read; what it has beside them counts for nothing.
        schema: the columns there are in the end; those that were not read are null.

    Raises:
        RejectedError: a column holds what it cannot.
    """
    problems = [frame[PROBLEM]] if PROBLEM in frame.columns else []
    columns = {}
    for name, converter in converters.items():
        if name in frame.columns:
            columns[name], problem = converter(frame[name])
            if problem.null_count() < len(problem):
                problems.append(problem)
    absent = {name: pl.lit(None, kind) for name, kind in schema.items() if name not in columns}
    found = pl.coalesce(problems) if problems else pl.lit(None, pl.String)
    return frame.with_columns(**columns, **absent).with_columns(found.alias(PROBLEM))
