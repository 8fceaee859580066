"""Copying: everything that one store keeps into another one, compared row by row before it counts.

The source is locked against writers from the first row to the last, and all of the copy is one transaction of the
target: whatever cuts it short, the target is as empty as before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeAlias

from attrs import frozen

from relationship_core.columns import (
    CONSENTS,
    CONTACT_POINTS,
    CUSTOMERS,
    DECISIONS,
    DELIVERY_EVENTS,
    INTERACTIONS,
    KEYED_MEASURES,
    MESSAGES,
    PREFERENCES,
    STATES,
    TABLES,
    TASKS,
    TRANSITIONS,
    Page,
)
from relationship_core.config.project import ProjectSettings
from relationship_core.declarations import KeyedMeasure, Measure
from relationship_core.errors import ConfigurationError, RejectedError, RetriableError
from relationship_core.flow.message_states import GOING_STATES
from relationship_core.flow.progress import Listener, Progress, silent
from relationship_core.flow.rebuild import page_size
from relationship_core.flow.record.signature import check_measures, measure_signature
from relationship_core.ports import Step, Store
from relationship_core.table import Table

Measures: TypeAlias = Sequence[Measure | KeyedMeasure]

_BY_CUSTOMER = (
    CUSTOMERS,
    CONTACT_POINTS,
    INTERACTIONS,
    STATES,
    TRANSITIONS,
    DECISIONS,
    MESSAGES,
    CONSENTS,
    PREFERENCES,
    TASKS,
    DELIVERY_EVENTS,
)
"""What is copied customer by customer, beside the measures; the customers themselves before what is theirs."""
_WHOLE = tuple(table for table in TABLES if table not in (*_BY_CUSTOMER, KEYED_MEASURES))
_OF_OPENING = frozenset({"facts", "calibrations"})
"""The tables that a project without customers may have rows in, since it was opened once."""
_STEPS: tuple[Step, ...] = ("review", "plan")
_BEFORE_ALL = datetime(1, 1, 1, tzinfo=UTC)
"""Nobody is due as early as that, so that the pages of a step hold those alone who are marked."""


@frozen(kw_only=True)
class Copied:
    """What was copied.

    Attributes:
        rows: how many rows of each table.
    """

    rows: Mapping[str, int]


def copy(source: Store, target: Store, measures: Measures, *, progress: Listener = silent) -> Copied:
    """Copy everything that a store keeps into an empty one.

    Args:
        source: what is copied. Nobody can write to it meanwhile.
        target: an empty store that was prepared for the same measures.
        measures: what is declared.
        progress: told how many customers are done.

    Raises:
        RejectedError: the target is not empty, or refuses a row.
        RetriableError: a message is being delivered from the source; or a row came out otherwise than it went in.
        ConfigurationError: the measures are others than history was folded with, or a rebuild is not finished.
    """
    check_measures(source, measures)
    _refuse_filled(target)
    with source.transaction():
        _refuse_going(source)
        with target.transaction(durable=True):
            _refuse_filled(target)  # again, now that nobody else can fill it
            rows = _copied(source, target, measures, progress)
    return Copied(rows=rows)


def refuse_other_measures(ours: Measures, theirs: Measures) -> None:
    """Refuse to copy between projects that fold history differently.

    Raises:
        ConfigurationError: they do.
    """
    if measure_signature(ours) != measure_signature(theirs):
        message = (
            "the two projects declare different measures, so that numbers of the one mean nothing in the other; give "
            "both the same plugins"
        )
        raise ConfigurationError(message)


def refuse_other_ground(ours: ProjectSettings, theirs: ProjectSettings) -> None:
    """Refuse to copy between projects whose history stands on another currency or zone.

    Raises:
        ConfigurationError: it does.
    """
    for key in ("currency", "zone"):
        here, there = getattr(ours, key), getattr(theirs, key)
        if here != there:
            message = (
                f"[project] {key} of the target is {there}, and that of the source is {here}; give both the source's, "
                "on which its history stands"
            )
            raise ConfigurationError(message)


def _refuse_filled(target: Store) -> None:
    filled = [table.name for table in TABLES if table.name not in _OF_OPENING and _number(target, table)]
    if filled:
        message = f"the target holds data already (in {', '.join(filled)}); copy into a project that is empty"
        raise RejectedError(message)


def _refuse_going(source: Store) -> None:
    going = sum(source.count(MESSAGES, ["state"], where={"state": GOING_STATES})["rows"])
    if going:
        message = (
            f"{going} messages are being delivered, or were when a delivery died; run `relate deliver` on the source "
            "to its end, then copy again"
        )
        raise RetriableError(message)


def _number(store: Store, table: Table) -> int:
    return int(store.count(table, []).item())


def _copied(source: Store, target: Store, measures: Measures, progress: Listener) -> dict[str, int]:
    total, done, keyed = _number(source, CUSTOMERS), 0, 0
    for page in source.pages(None, as_of=_BEFORE_ALL, size=page_size(total, _number(source, INTERACTIONS))):
        for table in _BY_CUSTOMER:
            _copy_rows(source, target, table, page)
        keyed += _copy_numbers(source, target, measures, page)
        done += len(page.customers)
        progress(Progress(step="copy", done=done, total=total))
    for table in _WHOLE:
        _empty(target, table)
        _copy_rows(source, target, table, None)
    for step in _STEPS:
        _copy_marks(source, target, step)
    rows = {table.name: _number(target, table) for table in (*_BY_CUSTOMER, *_WHOLE)}
    for table in _BY_CUSTOMER:
        if _number(source, table) != rows[table.name]:
            message = f"the source has {table.name} of somebody who is no customer there; record them, then copy again"
            raise RejectedError(message)
    return {**rows, KEYED_MEASURES.name: keyed}


def _copy_rows(source: Store, target: Store, table: Table, page: Page | None) -> None:
    rows = source.read(table, page=page)
    if rows.is_empty():
        return
    if table == INTERACTIONS:
        target.append(rows)
    else:
        target.put(table, rows)
    _compare(target.read(table, page=page).equals(rows), table.name)


def _copy_numbers(source: Store, target: Store, measures: Measures, page: Page) -> int:
    """Copy the measures of a page's customers; how many numbers of keyed measures there are."""
    plain = [measure.name for measure in measures if isinstance(measure, Measure)]
    keyed = [measure.name for measure in measures if isinstance(measure, KeyedMeasure)]
    numbers, by_key = source.read_measures(page, plain), source.read_keyed(page, keyed)
    target.merge(numbers, by_key)
    _compare(target.read_measures(page, plain).equals(numbers), "measures")
    _compare(
        target.read_keyed(page, keyed).sort(KEYED_MEASURES.key).equals(by_key.sort(KEYED_MEASURES.key)), "measures"
    )
    return by_key.height


def _empty(target: Store, table: Table) -> None:
    """Forget what opening a project has written."""
    target.delete(table, target.read(table, columns=table.key))


def _copy_marks(source: Store, target: Store, step: Step) -> None:
    target.unmark(step, None)  # a review of the empty project marks everybody
    if source.marked(step) is None:
        target.mark(step, None)
    else:
        for page in source.pages(step, as_of=_BEFORE_ALL):
            target.mark(step, page.customers)
    _compare(source.marked(step) == target.marked(step), "marks")


def _compare(is_equal: bool, what: str) -> None:
    if not is_equal:
        message = f"{what} came out of the target otherwise than they went in, so nothing was kept; try again"
        raise RetriableError(message)
