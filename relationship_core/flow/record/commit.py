"""One batch of interactions, kept in one transaction or not at all."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from relationship_core.columns import INTERACTIONS
from relationship_core.flow.erased import without_erased
from relationship_core.flow.facts import LAST_RECORDED_FACT, read_fact, write_fact
from relationship_core.flow.record.fold import fold
from relationship_core.flow.record.recorder import Recorder
from relationship_core.flow.record.repeated import contradicting
from relationship_core.flow.record.signature import MEASURES_FACT, compare_signatures, measure_signature
from relationship_core.flow.record.spread import put_missing
from relationship_core.flow.record.unsubscribes import withdraw_unsubscribed
from relationship_core.flow.ties import Ties, counting
from relationship_core.flow.united import ties_of
from relationship_core.model.instants import parse_instant, utc
from relationship_core.ports import Store


def commit(
    recorder: Recorder,
    interactions: pl.DataFrame,
    note: Callable[[int, pl.DataFrame, int], None],
    *,
    fresh: bool = False,
) -> tuple[int, int]:
    """Keep a batch in a transaction of its own, fold what was new of it, and mark those customers for review.

    Args:
        recorder: what to work with.
        interactions: checked rows of INTERACTIONS, with any further columns.
        note: called inside the transaction with the number of new rows, and with what ``keep`` returns beside them:
            the rows that are refused, and the number of customers whom nobody knew. What it raises undoes the batch.
        fresh: they are of an initial load, which has seen that none comes twice.

    Returns:
        How many were new, and how many customers nobody knew.
    """
    if not fresh:
        recorder.store.index()  # what a load put off would keep others waiting inside the transaction
    with recorder.store.transaction():
        new, refused, unknown = keep(recorder, interactions, fresh=fresh)
        note(new.height, refused, unknown)
    announce(recorder, new)
    return new.height, unknown


def keep(
    recorder: Recorder, interactions: pl.DataFrame, *, fresh: bool = False
) -> tuple[pl.DataFrame, pl.DataFrame, int]:
    """As ``commit``, inside a transaction that is open; what is new is to be announced after it.

    Returns:
        The rows that were new; those that name somebody who was erased, or contradict what is kept under their ids,
        with one more column, ``reason``; and how many customers nobody knew.
    """
    store = recorder.store
    ties = ties_of(store)
    good, erased = without_erased(store, interactions)
    new, unknown = _keep(recorder, good, ties, fresh=fresh) if good.height else (good, 0)
    return new, pl.concat([erased, contradicting(store, good, new, ties)]), unknown


def announce(recorder: Recorder, new: pl.DataFrame) -> None:
    """Tell those who listen of interactions that were new, once they are kept."""
    if recorder.announce is not None and new.height:
        recorder.announce(new)


def agree_on_measures(recorder: Recorder) -> None:
    """Note the measures that are folded with, once; refuse others; inside a transaction.

    Raises:
        ConfigurationError: a measure is new or has changed since history was folded.
    """
    kept, declared = read_fact(recorder.store, MEASURES_FACT), measure_signature(recorder.measures)
    if kept is not None:
        compare_signatures(kept, declared)
    if kept != declared:
        write_fact(recorder.store, MEASURES_FACT, declared)


def _keep(recorder: Recorder, interactions: pl.DataFrame, ties: Ties, *, fresh: bool) -> tuple[pl.DataFrame, int]:
    store, unknown = recorder.store, 0
    agree_on_measures(recorder)
    new = store.append(interactions.select(list(INTERACTIONS.schema)), fresh=fresh)
    if new.height:
        unknown = put_missing(store, new["customer"])
        withdraw_unsubscribed(store, new, ties, utc(recorder.clock()))
        measures, keyed = fold(counting(new, ties), recorder.measures, recorder.zone)
        store.merge(measures, keyed)
        store.mark("review", measures["customer"])
        _remember_last(store, new)
    return new, unknown


def _remember_last(store: Store, new: pl.DataFrame) -> None:
    latest = new.select(pl.col("at").max()).item()
    kept = read_fact(store, LAST_RECORDED_FACT)
    if kept is None or parse_instant(kept) < latest:
        write_fact(store, LAST_RECORDED_FACT, latest.isoformat())
