"""Rebuild: fold the whole history again, after a measure was added or changed.

Every page of customers is one short transaction that forgets their measures and folds their history anew. So
at any moment each customer has either the old numbers or the new ones, recording may go on beside it, and a
rebuild that dies goes on after the last page it has done.
"""

from __future__ import annotations

import json

from attrs import frozen

from relationship_core.columns import ALIASES, CUSTOMERS, INTERACTIONS
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

_LARGEST_PAGE = 50_000


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
    for page in store.pages(None, as_of=recorder.clock(), after=after, size=page_size(store, total)):
        with store.transaction():
            interactions += fold_again(recorder, ties_of(store), page)
            write_fact(store, REBUILD_FACT, _note(signature, page.last))
        customers += len(page.customers)
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


def page_size(store: Store, customers: int) -> int:
    """Of so many customers' histories, how many make about as much as one transaction should fold."""
    interactions = int(store.count(INTERACTIONS, []).item())
    if not interactions:
        return _LARGEST_PAGE
    return max(1, min(_LARGEST_PAGE, _INTERACTIONS_A_PAGE * customers // interactions))
