"""Rebuild: fold the whole history again, after a measure was added or changed.

Every page of customers is one short transaction that forgets their measures and folds their history anew. So
at any moment each customer has either the old numbers or the new ones, recording may go on beside it, and a
rebuild that dies goes on after the last page it has done.
"""

from __future__ import annotations

import json

from attrs import frozen

from relationship_core.columns import ALIASES, CUSTOMERS
from relationship_core.flow.facts import read_fact, write_fact
from relationship_core.flow.progress import Listener, Progress, silent
from relationship_core.flow.record.recorder import Recorder
from relationship_core.flow.record.refold import fold_again
from relationship_core.flow.record.signature import (
    MEASURES_FACT,
    REBUILD_FACT,
    check_measures,
    measure_signature,
)
from relationship_core.flow.united import ties_of, united
from relationship_core.ports import Store

__all__ = ["Rebuilt", "check_measures", "measure_signature", "rebuild"]

_INTERACTIONS_A_PAGE = 100_000
"""What is folded in one transaction, about, so that it holds the write lock for less than a second."""

_FIRST_PAGE, _LARGEST_PAGE = 1_000, 50_000
"""Customers: to begin with, since to count everybody's interactions takes long; and at most."""


@frozen(kw_only=True)
class Rebuilt:
    """What a rebuild did.

    Attributes:
        customers: how many customers' measures were folded anew, by this call.
        interactions: from how many interactions.
        resumed: whether it took up a rebuild that had been cut short.
    """

    customers: int
    interactions: int
    resumed: bool


def rebuild(recorder: Recorder, *, progress: Listener = silent) -> Rebuilt:
    """Fold the whole history again, and mark everybody for review.

    Raises:
        ConfigurationError: the expression of a measure cannot be computed.
    """
    store, signature = united(recorder.store), measure_signature(recorder.measures)
    after, resumed = _begin(store, signature)
    total = int(store.count(CUSTOMERS, []).item()) - int(store.count(ALIASES, []).item())
    customers = interactions = 0
    size = _FIRST_PAGE
    while page := next(store.pages(None, as_of=recorder.clock(), after=after, size=size), None):
        with store.transaction():
            folded = fold_again(recorder, ties_of(store), page)
            write_fact(store, REBUILD_FACT, _note(signature, page.last))
        customers, interactions, after = customers + len(page.customers), interactions + folded, page.last
        # Who comes next may have longer histories: no more than four times as many at once.
        size = min(page_size(len(page.customers), folded), len(page.customers) * 4)
        progress(Progress(step="rebuild", done=customers, total=None if resumed else total))
    with store.transaction():
        write_fact(store, REBUILD_FACT, "")
        store.mark("review", None)
    return Rebuilt(customers=customers, interactions=interactions, resumed=resumed)


def _begin(store: Store, signature: str) -> tuple[str, bool]:
    """Where to go on, and whether that is a rebuild taken up; one of other measures is begun anew."""
    with store.transaction():
        underway = json.loads(read_fact(store, REBUILD_FACT) or "{}")
        if underway.get("measures") == signature:
            return str(underway["after"]), True
        # From here on what is recorded is folded with the new measures, also for customers still to come:
        # their numbers are forgotten and folded anew when it is their turn.
        write_fact(store, MEASURES_FACT, signature)
        write_fact(store, REBUILD_FACT, _note(signature, ""))
    return "", False


def _note(signature: str, after: str) -> str:
    return json.dumps({"measures": signature, "after": after})


def page_size(customers: int, interactions: int) -> int:
    """Where so many customers have so many interactions, how many of them one transaction should take."""
    wanted = _INTERACTIONS_A_PAGE * customers // max(1, interactions)
    return max(1, min(wanted, _LARGEST_PAGE))
