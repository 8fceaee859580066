"""Small frames for contracts: rows that name only the columns that matter."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
from hypothesis import HealthCheck, settings

from relationship_core.columns import CUSTOMERS, DECISIONS, INTERACTIONS, MESSAGES, STATES, Page
from relationship_core.ports import Store
from relationship_core.table import Table

NOON = datetime(2024, 2, 29, 12, tzinfo=UTC)
DAY = timedelta(days=1)
TINY = timedelta(microseconds=1)

PROPERTY = settings(
    max_examples=30,
    deadline=None,  # the time of one example says nothing on a busy machine
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,  # each example begins by forgetting what the last one left
        HealthCheck.differing_executors,  # a contract is inherited by several classes
    ],
)
"""How properties of a store are tried."""

AWKWARD_IDS = (
    " ",
    "\"'; --",
    "%_",
    "A",
    "a",
    "a\x00b",
    "a\x00c",
    "a b",
    "b",
    "z\u0301",
    "é",
    "字",
    "\uffff",
    "😀",
)
"""In ascending order of UTF-8 bytes, which is neither an alphabet's order nor that of UTF-16."""


def frame(table: Table, *rows: Mapping[str, Any]) -> pl.DataFrame:
    """Rows of a table; columns that a row does not name are null."""
    return pl.DataFrame([[row.get(name) for name in table.schema] for row in rows], table.types(), orient="row")


def customers(*ids: str) -> pl.DataFrame:
    """Customers of these ids."""
    return frame(CUSTOMERS, *({"customer": id_, "name": id_.upper()} for id_ in ids))


def interaction(customer: str, id_: str, **columns: Any) -> dict[str, Any]:
    """One interaction."""
    return {"source": "shop", "id": id_, "customer": customer, "kind": "order", "at": NOON, **columns}


def interactions(*rows: Mapping[str, Any]) -> pl.DataFrame:
    """A frame of interactions."""
    return frame(INTERACTIONS, *rows)


def states(**due: datetime | None) -> pl.DataFrame:
    """Prospects, by the instant at which each is due."""
    rows = ({"customer": id_, "stage": "prospect", "since": NOON, "due_at": at} for id_, at in due.items())
    return frame(STATES, *rows)


def decision(customer: str, occasion: str = "", until: datetime | None = None) -> dict[str, Any]:
    """One skipped engagement."""
    return {
        "campaign": "thanks",
        "action": "write",
        "customer": customer,
        "occasion": occasion,
        "verdict": "skipped",
        "until": until,
        "at": NOON,
    }


def decisions(*rows: Mapping[str, Any]) -> pl.DataFrame:
    """A frame of decisions."""
    return frame(DECISIONS, *rows)


def message(id_: str, customer: str = "ada", **columns: Any) -> dict[str, Any]:
    """One queued message; its occasion is its id."""
    return {
        "id": id_,
        "campaign": "thanks",
        "version": "1",
        "action": "write",
        "customer": customer,
        "occasion": id_,
        "channel": "letters",
        "state": "queued",
        "queued_at": NOON,
        "attempts": 0,
        **columns,
    }


def messages(*rows: Mapping[str, Any]) -> pl.DataFrame:
    """A frame of messages."""
    return frame(MESSAGES, *rows)


def page(*ids: str, contiguous: bool = False) -> Page:
    """A page of these customers."""
    return Page(pl.Series("customer", ids, dtype=pl.String), contiguous=contiguous)


def know(store: Store, *ids: str) -> None:
    """Make the store know these customers, in a transaction of its own."""
    with store.transaction():
        store.put(CUSTOMERS, customers(*ids))
