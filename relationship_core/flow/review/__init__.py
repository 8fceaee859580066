"""Review: due customers in; stages, transitions and the next due time out.

Each page of customers is read, judged and written in one transaction, so that nothing recorded
meanwhile is lost, and a run that dies goes on with the pages that are left. Where there are workers, several pages
share a transaction: see ``waves``.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from datetime import datetime

import polars as pl
from attrs import evolve, frozen

from relationship_core.columns import STATES, TRANSITIONS, Page
from relationship_core.flow.erased import erasures, still_there
from relationship_core.flow.last_review import is_by_rules, note_review, refuse_before_the_last
from relationship_core.flow.progress import Listener, Progress, silent
from relationship_core.flow.record.signature import check_measures
from relationship_core.flow.review.due import with_due_at
from relationship_core.flow.review.moves import judge, transitions
from relationship_core.flow.rules import Rules, due_names
from relationship_core.flow.standing import Moment, refuse_the_past, standing
from relationship_core.flow.waves import Workers, several, waves
from relationship_core.ports import Store


@frozen(kw_only=True)
class Reviewed:
    """What a review did.

    Attributes:
        as_of: the instant reviewed at.
        customers: how many were looked at.
        transitions: how many moved on the ladder.
    """

    as_of: datetime
    customers: int
    transitions: int


def review(
    store: Store,
    rules: Rules,
    moment: Moment,
    *,
    everybody: bool = False,
    page_size: int = 50_000,
    workers: Workers | None = None,
    announce: Callable[[pl.DataFrame], None] | None = None,
    progress: Listener = silent,
) -> Reviewed:
    """Judge every due customer as of an instant.

    Due are those with news, those whose time has come, and everybody after a change of the rules.

    Raises:
        RejectedError: something was recorded that happened after the instant, or reviewed as of a later one.
        ConfigurationError: a measure is new or has changed since history was folded.
    """
    refuse_the_past(store, moment.now, "review")
    refuse_before_the_last(store, moment.now, "review")
    check_measures(store, rules.catalog.measures)
    _begin(store, rules, moment, everybody=everybody)
    whole = store.marked("review") is None
    if whole:
        with store.transaction():
            store.mark("plan", None)
    customers = transitions = 0
    erased = erasures(store)
    for wave in waves(store.pages("review", as_of=moment.now, size=page_size), workers, moment):
        for moved in _review_wave(store, rules, wave, moment, mark_plan=not whole, erased=erased, workers=workers):
            transitions += moved.height
            if announce is not None and moved.height:
                announce(moved)
        customers += sum(len(page.customers) for page in wave)
        progress(Progress(step="review", done=customers))
    if whole:
        with store.transaction():
            store.unmark("review", None)
    return Reviewed(as_of=moment.now, customers=customers, transitions=transitions)


def _begin(store: Store, rules: Rules, moment: Moment, *, everybody: bool) -> None:
    """Note what the review goes by; after a change of the rules everybody is due."""
    with store.transaction():
        if everybody or not is_by_rules(store, rules):
            store.mark("review", None)
        note_review(store, moment.now, rules)


def _review_wave(
    store: Store,
    rules: Rules,
    wave: Sequence[Page],
    moment: Moment,
    *,
    mark_plan: bool,
    erased: int,
    workers: Workers | None,
) -> list[pl.DataFrame]:
    """Judge some pages and keep what changed; the transitions come back. Who was erased meanwhile stays so."""
    with store.transaction():
        there = (still_there(store, page, erased) for page in wave)
        pages = [page for page in there if not page.customers.is_empty()]
        crew = several(pages, workers)
        found = _judged_here(store, rules, pages, moment) if crew is None else crew.review(pages, moment)
        with closing(found):
            return [_keep(store, page, each, mark_plan=mark_plan) for page, each in zip(pages, found, strict=True)]


def _judged_here(store: Store, rules: Rules, pages: Sequence[Page], moment: Moment) -> Generator[Judged, None, None]:
    return (judge_page(store, rules, page, moment) for page in pages)


def _keep(store: Store, page: Page, judged: Judged, *, mark_plan: bool) -> pl.DataFrame:
    """Keep what changed of one page; the transitions come back."""
    if judged.changed.height:
        store.put(STATES, judged.changed)
    if judged.moved.height:
        store.put(TRANSITIONS, judged.moved)
    store.unmark("review", page)
    if mark_plan:
        store.mark("plan", page.customers)
    return judged.moved


@frozen(kw_only=True, eq=False)
class Judged:
    """What a review finds of a page.

    Attributes:
        changed: the rows of STATES that are new.
        moved: rows of TRANSITIONS.
    """

    changed: pl.DataFrame
    moved: pl.DataFrame


def judge_page(store: Store, rules: Rules, page: Page, moment: Moment) -> Judged:
    """Judge the customers of a page; nothing is written."""
    names = due_names(rules) | {"stage", "stage_days", "lapsed"}
    changed, moved = _judged(standing(store, rules.catalog, page, names, moment), rules, moment.zone)
    return Judged(changed=changed, moved=moved)


def _judged(frame: pl.DataFrame, rules: Rules, zone: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The states that changed, and the transitions; accounts by their own ladder, where they have one."""
    if rules.accounts is not None and frame["account"].any():
        people = _judged(frame.filter(~pl.col("account")), evolve(rules, accounts=None), zone)
        firms = _judged(frame.filter("account"), rules.accounts, zone)
        changed, moved = (pl.concat(pair).sort("customer") for pair in zip(people, firms, strict=True))
        return changed, moved
    judged = judge(frame, rules, zone)
    return _changed(with_due_at(judged, rules)), transitions(judged, rules)


def _changed(judged: pl.DataFrame) -> pl.DataFrame:
    """The states that differ from those kept; where nothing is kept, nothing but the first rung is assumed."""
    after = judged.select(
        "customer",
        pl.col("target").alias("stage"),
        pl.col("new_since").alias("since"),
        pl.col("new_lapsed").alias("lapsed"),
        "due_at",
        "kept_due_at",
        "changed",
    )
    differs = pl.col("changed") | pl.col("due_at").ne_missing(pl.col("kept_due_at"))
    return after.filter(differs).select(list(STATES.schema))
