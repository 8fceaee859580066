"""Frames of customers with our column names, to CUSTOMERS and CONTACT_POINTS."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from relationship_core.columns import CUSTOMERS
from relationship_core.config import AttributeType
from relationship_core.errors import ConfigurationError, nearest
from relationship_core.flow.record import convert
from relationship_core.flow.record.addresses import PLACE, POINTS, address_problem, tidy
from relationship_core.flow.record.checks import PROBLEM
from relationship_core.flow.record.customers import ATTRIBUTE, CONTACT
from relationship_core.flow.record.nested import attribute_problems, read_json_of


def typed_customers(frame: pl.DataFrame, declared: Mapping[str, AttributeType] | None) -> pl.DataFrame:
    """The frame with all columns of CUSTOMERS and ``__problem``; other columns stay.

    Args:
        frame: has ``customer`` and any of ``name, locale, zone, country, attributes, contact.<medium>,
            attribute.<name>``.
        declared: the declared attributes; None where any is welcome.

    Raises:
        RejectedError: a column holds what it cannot.
        ConfigurationError: a column names an attribute that is not declared.
    """
    problems = [frame[PROBLEM]] if PROBLEM in frame.columns else []
    columns = {}
    for name in frame.columns:
        if name in CUSTOMERS.schema or name.startswith(CONTACT):
            columns[name], problem = convert.text(frame[name])
            problems.append(problem)
        if name.startswith(CONTACT):
            columns[name], problem = _addresses(name.removeprefix(CONTACT), columns[name])
            problems.append(problem)
    attributes, problem = _attributes(frame, declared)
    columns["attributes"] = attributes
    problems.append(problem)
    absent = {name: pl.lit(None, pl.String) for name in CUSTOMERS.schema if name not in columns}
    return frame.with_columns(**columns, **absent).with_columns(pl.coalesce(problems).alias(PROBLEM))


def contact_points(frame: pl.DataFrame) -> pl.DataFrame:
    """Rows of CONTACT_POINTS from the columns ``contact.<medium>``, with the column PLACE."""
    media = [name for name in frame.columns if name.startswith(CONTACT)]
    numbered = frame.select("customer", *media).with_row_index(PLACE)
    points = [
        numbered.select(
            PLACE,
            "customer",
            medium=pl.lit(name.removeprefix(CONTACT)),
            address=pl.col(name),
            synthetic=pl.lit(value=False),
        ).filter(pl.col("address").is_not_null())
        for name in media
    ]
    return pl.concat([pl.DataFrame(schema=POINTS), *points])


def _addresses(medium: str, column: pl.Series) -> convert.Converted:
    named, address = pl.lit(medium), pl.col(column.name)
    kept = column.to_frame().select(tidy(named, address).alias(column.name))
    return kept.to_series(), kept.select(address_problem(named, address)).to_series()


def _attributes(frame: pl.DataFrame, declared: Mapping[str, AttributeType] | None) -> tuple[pl.Series, pl.Series]:
    """The attributes of each row as a JSON object, from their own columns and from ``attributes``."""
    named = {name: name.removeprefix(ATTRIBUTE) for name in frame.columns if name.startswith(ATTRIBUTE)}
    types = {column: _declared_type(name, declared) for column, name in named.items()}
    texts: list[str | None] = []
    problems: list[str | None] = []
    whole = frame["attributes"] if "attributes" in frame.columns else [None] * frame.height
    for text, *values in zip(whole, *(frame[column] for column in named), strict=True):
        try:
            found = {} if text is None else _object(text)
            for (column, name), value in zip(named.items(), values, strict=True):
                if value is not None:
                    found[name] = _value(name, value, types[column])
            texts.append(json.dumps(found, ensure_ascii=False, sort_keys=True) if found else None)
            problems.append(None)
        except ValueError as error:
            texts.append(None)
            problems.append(str(error))
    written = pl.Series("attributes", texts, dtype=pl.String)
    problem = pl.Series(problems, dtype=pl.String)
    if declared is not None:
        problem = pl.select(pl.coalesce(problem, attribute_problems(written, declared))).to_series()
    return written, problem


def _declared_type(name: str, declared: Mapping[str, AttributeType] | None) -> AttributeType | None:
    if declared is None:
        return None
    if name not in declared:
        message = f"the attribute {name!r} is not declared{nearest(name, declared)}; declare it under [attributes]"
        raise ConfigurationError(message)
    return declared[name]


def _object(text: str) -> dict[str, Any]:
    found = read_json_of(dict, text, 'the attributes are not a JSON object such as {"household_size": 2}')
    return {name: value for name, value in found.items() if value is not None}


def _value(name: str, value: Any, declared: AttributeType | None) -> Any:
    """The value as the attribute's type has it; text is read."""
    if not isinstance(value, str) or declared in {None, "text"}:
        return str(value) if declared == "text" else value
    if declared == "boolean":
        words: Iterable[str] = ("false", "true")
        if value.lower() in words:
            return value.lower() == "true"
    else:
        try:
            return json.loads(value, parse_constant=float)
        except ValueError:
            pass
    message = f"the attribute {name!r} is not a {declared}"
    raise ValueError(message)
