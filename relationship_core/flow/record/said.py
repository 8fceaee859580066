"""Said: batches of consents, preferences and suppressions, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeAlias, TypeVar

import polars as pl

from relationship_core.flow.record.checks import sift
from relationship_core.flow.record.consents import commit_consents
from relationship_core.flow.record.frames import batches
from relationship_core.flow.record.mapping import check_frame
from relationship_core.flow.record.permission_rows import COLUMNS, said_frame, said_rules, typed_said
from relationship_core.flow.record.preferences import commit_preferences
from relationship_core.flow.record.recorder import Recorded, Recorder
from relationship_core.flow.record.refusal import NUMBER, refuse
from relationship_core.flow.record.rows import Said
from relationship_core.flow.record.suppressions import commit_suppressions
from relationship_core.model.permission import Consent, Preference, Suppression

Commit: TypeAlias = Callable[[Recorder, pl.DataFrame, Callable[[int, pl.DataFrame], None]], int]

COMMITS: Mapping[str, Commit] = {
    "consents": commit_consents,
    "preferences": commit_preferences,
    "suppressions": commit_suppressions,
}
"""How a batch of each is kept."""

T = TypeVar("T", Consent, Preference, Suppression)


def record_said(recorder: Recorder, what: Said, given: Iterable[T] | pl.DataFrame, of: type[T]) -> Recorded:
    """Record consents, preferences or suppressions: objects, or a frame with their attributes for columns.

    What was recorded before counts as repeated and changes nothing. A frame is checked as a whole before anything is
    kept; objects are taken, checked and kept batch by batch.

    Raises:
        RejectedError: something in it cannot be recorded; nothing of its batch was kept, nor what comes after.
    """
    new = done = 0
    for rows in _frames(recorder, what, given, of):
        typed = typed_said(rows, COLUMNS[what], None).with_row_index(NUMBER, offset=done + 1)
        good, bad = sift(typed, said_rules(what, recorder.clock(), typed, recorder.media))
        refuse(bad, what.removesuffix("s"))
        for batch in good.iter_slices(recorder.batch):
            new += COMMITS[what](recorder, batch, lambda _, refused: refuse(refused, what.removesuffix("s")))
        done += rows.height
    return Recorded(new=new, repeated=done - new)


def _frames(recorder: Recorder, what: Said, given: Iterable[T] | pl.DataFrame, of: type[T]) -> Iterator[pl.DataFrame]:
    if isinstance(given, pl.DataFrame):
        check_frame(what, given.columns)
        yield given
        return
    for batch in batches(given, of, recorder.batch):
        yield said_frame(batch, of)
