"""The course of a relationship: its scores as they were at instants between the first interaction and now."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from attrs import frozen

from relationship_core.flow.catalog import CONFIDENCE, Catalog
from relationship_core.flow.report.customers.copies import Copy, Subject
from relationship_core.flow.standing import Moment
from relationship_core.model.relationship import Transition

if TYPE_CHECKING:
    import polars as pl

POINTS = 24
"""At so many instants the scores are computed."""
HEADLINES = ("strength", "commitment")
"""The score that stands for the whole: the first of these for which there ever was evidence."""


@frozen(kw_only=True)
class Course:
    """The scores as of some instants, computed from what had happened until then.

    A score that depends on the ladder sees the stage of that time. Profiles are those of today.

    Attributes:
        headline: the score that stands for the whole relationship; empty where there are no scores.
        instants: evenly spaced, the first interaction first and the present last; empty without history.
        scores: for each numeric score a value for each instant; None where there was no evidence.
        stages: the stage at each instant.
    """

    headline: str
    instants: tuple[datetime, ...]
    scores: Mapping[str, tuple[float | None, ...]]
    stages: tuple[str, ...]


def copies_over_time(subject: Subject, moment: Moment, moves: Sequence[Transition], stage: str) -> list[Copy]:
    """The customer as of each instant of the course; nothing without history, or without scores.

    Args:
        subject: the customer, with history in order of time.
        moment: the present.
        moves: the moves on the ladder, oldest first.
        stage: the stage now.
    """
    if subject.history.is_empty() or not subject.catalog.scores:
        return []
    return [
        Copy(moment=Moment(now=instant, zone=moment.zone), stage=_stage_at(instant, moves, stage))
        for instant in _instants(subject.history["at"][0], moment.now)
    ]


def course(catalog: Catalog, copies: Sequence[Copy], scored: pl.DataFrame) -> Course:
    """The course of one customer.

    Args:
        catalog: the columns there are.
        copies: what ``copies_over_time`` gave.
        scored: their scores.
    """
    scores = {
        rule.name: tuple(map(_shown, scored[rule.name].to_list(), scored[rule.name + CONFIDENCE].to_list()))
        for rule in (catalog.scores if copies else ())
        if scored[rule.name].dtype.is_numeric()
    }
    return Course(
        headline=_headline(catalog, scores),
        instants=tuple(copy.moment.now for copy in copies),
        scores=scores,
        stages=tuple(copy.stage for copy in copies),
    )


def _headline(catalog: Catalog, scores: Mapping[str, Sequence[float | None]]) -> str:
    declared = [rule.name for rule in catalog.scores if not rule.labels]
    ranked = [*(name for name in HEADLINES if name in declared), *declared]
    known = (name for name in ranked if any(value is not None for value in scores.get(name, ())))
    return next(known, next(iter(ranked), ""))


def _instants(first: datetime, now: datetime) -> Iterable[datetime]:
    if first >= now:
        return [now]
    step = (now - first) / (POINTS - 1)
    between = [first + step * place for place in range(1, POINTS - 1)] if step >= timedelta(seconds=1) else []
    return [first, *between, now]


def _stage_at(instant: datetime, moves: Sequence[Transition], stage: str) -> str:
    if not moves:
        return stage
    done = bisect_right([move.at for move in moves], instant)
    return moves[done - 1].target if done else moves[0].origin


def _shown(value: float | None, confidence: float | None) -> float | None:
    return value if value is not None and confidence and math.isfinite(value) else None
