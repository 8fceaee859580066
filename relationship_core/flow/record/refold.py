"""Refolding: the measures of some customers, folded again from the history that counts for them now.

Measures are never subtracted: what somebody loses by an un-merge, or an account by an unlinked contact, is found by
folding what is left.
"""

from __future__ import annotations

from collections.abc import Iterable

from relationship_core.columns import Page
from relationship_core.flow.record.commit import agree_on_measures
from relationship_core.flow.record.fold import fold
from relationship_core.flow.record.recorder import Recorder
from relationship_core.flow.ties import Ties, history
from relationship_core.flow.united import plain


def fold_again(recorder: Recorder, ties: Ties, page: Page) -> int:
    """Fold the history of a page's customers anew, inside a transaction; from how many interactions."""
    store = plain(recorder.store)
    rows = history(store, ties, page)
    store.clear_measures(page)
    if rows.height:
        store.merge(*fold(rows, recorder.measures, recorder.zone))
    return rows.height


def refold(recorder: Recorder, ties: Ties, customers: Iterable[str]) -> None:
    """Fold the history of these customers anew and mark them for review, inside a transaction.

    Args:
        recorder: what to work with.
        ties: the ties of now.
        customers: survivors and accounts; of an id that is merged into another the measures are forgotten.

    Raises:
        ConfigurationError: a measure is new or has changed since history was folded.
    """
    agree_on_measures(recorder)
    store, everybody = plain(recorder.store), set(customers)
    gone = everybody & ties.survivors.keys()
    if gone:
        store.clear_measures(Page.of(gone))
    left = Page.of(everybody - gone)
    if len(left.customers):
        fold_again(recorder, ties, left)
        store.mark("review", left.customers)
