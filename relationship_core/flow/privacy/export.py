"""Export: everything that is kept about one customer, table by table."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import field, frozen

from relationship_core.columns import CUSTOMERS, INTERACTIONS, TRANSITIONS, Page
from relationship_core.declarations import Measure
from relationship_core.errors import RejectedError
from relationship_core.flow.customers import refuse_unknown
from relationship_core.flow.erased import tombstones
from relationship_core.flow.permission.terms import Terms
from relationship_core.flow.privacy.personal import personal_rows
from relationship_core.flow.record.recorder import Recorder
from relationship_core.flow.ties import read_ties
from relationship_core.flow.united import plain
from relationship_core.model.instants import utc

MEASURES = "measures"
"""Under this name stand the plain measures, which have no table of columns of their own."""

_STRUCTURED = {(CUSTOMERS.name, "attributes"), (INTERACTIONS.name, "data"), (TRANSITIONS.name, "evidence")}
"""Columns that hold JSON text, which is taken apart."""


@frozen(kw_only=True)
class Export:
    """Everything that is kept about one customer.

    Attributes:
        customer: the id that they have now.
        ids: all their ids, this one first.
        exported_at: when it was read.
        tables: by the name of each table that names customers its rows about this one, each as column and value;
            ``measures`` are the numbers that their history comes to.
    """

    customer: str
    ids: tuple[str, ...]
    exported_at: datetime
    tables: Mapping[str, Sequence[Mapping[str, Any]]] = field(repr=False)


def export(recorder: Recorder, terms: Terms, customer: str) -> Export:
    """Read everything that is kept about a customer, under whichever of their ids.

    Rows stand under the id they were recorded for. What others' records say about them, such as a referral with their
    name in its text, is not found.

    Args:
        recorder: has the store, the measures and the clock.
        terms: what addresses are hashed by, to find the suppressions of theirs.
        customer: one of their ids.

    Raises:
        RejectedError: nobody has that id, or they were erased.
    """
    store = plain(recorder.store)
    gone = tombstones(store, [customer])
    if gone.height:
        message = f"the customer {customer!r} was erased on {gone['at'][0]:%Y-%m-%d}, so there is nothing to export"
        raise RejectedError(message)
    refuse_unknown(store, customer)
    ids = read_ties(store).group(customer)
    rows = personal_rows(store, ids, terms)
    measures = [each.name for each in recorder.measures if isinstance(each, Measure)]
    rows[MEASURES] = store.read_measures(Page.of(ids), measures)
    return Export(
        customer=ids[0],
        ids=ids,
        exported_at=utc(recorder.clock()),
        tables={name: [_told(name, row) for row in frame.iter_rows(named=True)] for name, frame in rows.items()},
    )


def _told(table: str, row: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: _structured(value) if (table, name) in _STRUCTURED else value for name, value in row.items()}


def _structured(text: str | None) -> Any:
    try:
        return None if text is None else json.loads(text)
    except ValueError:  # what somebody wrote there by hand is theirs as well
        return text
