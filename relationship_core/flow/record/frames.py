"""Objects to frames: customers and interactions at the edges, columns in the middle."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

import polars as pl

from relationship_core.columns import CUSTOMERS, INTERACTIONS
from relationship_core.errors import RejectedError
from relationship_core.flow.record.addresses import POINTS, tidy
from relationship_core.model.customer import Customer
from relationship_core.model.interaction import Interaction, OrderLine
from relationship_core.model.permission import Consent, Preference, Suppression

T = TypeVar("T", Customer, Interaction, Consent, Preference, Suppression)


def batches(objects: Iterable[T], of: type[T], size: int) -> Iterator[list[T]]:
    """Lists of at most ``size`` objects, in their order.

    Raises:
        RejectedError: something else is among them.
    """
    remaining = iter(objects)
    while batch := list(islice(remaining, size)):
        for thing in batch:
            if not isinstance(thing, of):
                message = f"only {of.__name__} objects can be recorded here, not {type(thing).__name__}"
                raise RejectedError(message)
        yield batch


def interactions_frame(interactions: Sequence[Interaction]) -> pl.DataFrame:
    """Rows of INTERACTIONS with one more column, ``currency``."""
    each = interactions
    columns = {
        "source": [one.source for one in each],
        "id": [one.id for one in each],
        "customer": [one.customer for one in each],
        "kind": [one.kind for one in each],
        "at": [one.at for one in each],
        "amount": [None if one.amount is None else one.amount.minor for one in each],
        "reference": [one.reference for one in each],
        "lines": [_lines(one.lines) for one in each],
        "data": [_json(dict(one.data)) for one in each],
        "currency": [None if one.amount is None else one.amount.currency for one in each],
    }
    try:
        return pl.DataFrame(columns, schema={**INTERACTIONS.schema, "currency": pl.String})
    except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError) as error:
        message = (
            "an interaction holds a value of the wrong type, too large a number, or half a surrogate pair, which is no "
            "character; correct it and record again"
        )
        raise RejectedError(message) from error


def customers_frames(customers: Sequence[Customer]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows of CUSTOMERS, and of CONTACT_POINTS with the column PLACE; an empty name is unknown, that is, null."""
    try:
        people = pl.DataFrame(
            {
                "customer": [one.id for one in customers],
                "name": [one.name or None for one in customers],
                "locale": [one.locale for one in customers],
                "zone": [one.zone for one in customers],
                "country": [one.country for one in customers],
                "attributes": [_json(dict(one.attributes)) for one in customers],
            },
            schema=dict(CUSTOMERS.schema),
        )
        points = pl.DataFrame(
            [
                (place, one.id, point.medium, point.address, point.synthetic)
                for place, one in enumerate(customers)
                for point in one.contact_points
            ],
            schema=POINTS,
            orient="row",
        )
    except (TypeError, ValueError, pl.exceptions.PolarsError) as error:
        message = (
            "a customer holds a value of the wrong type, or half a surrogate pair, which is no character; "
            "correct it and record again"
        )
        raise RejectedError(message) from error
    return people, points.with_columns(tidy(pl.col("medium"), pl.col("address")).alias("address"))


def _lines(lines: Sequence[OrderLine]) -> list[dict[str, object]] | None:
    if not lines:
        return None
    return [
        {"product": line.product, "category": line.category, "quantity": line.quantity, "minor": line.minor}
        for line in lines
    ]


def _json(values: dict[str, object]) -> str | None:
    return json.dumps(values, ensure_ascii=False, sort_keys=True, allow_nan=False) if values else None
