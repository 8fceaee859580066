"""The course of a relationship: its scores as they were at instants between the first interaction and now."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import polars as pl
from attrs import frozen

from relationship_core.flow.catalog import CONFIDENCE, Catalog
from relationship_core.flow.report.customers.copies import Copy, Subject, scores_of
from relationship_core.flow.standing import Moment
from relationship_core.model.relationship import Transition

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


def course(subject: Subject, moment: Moment, moves: Sequence[Transition], stage: str) -> Course:
    """The course of one customer.

    Args:
        subject: the customer, with history in order of time.
        moment: the present.
        moves: the moves on the ladder, oldest first.
        stage: the stage now.
    """
    if subject.history.is_empty() or not subject.catalog.scores:
        return Course(headline=_headline(subject.catalog, {}), instants=(), scores={}, stages=())
    instants = tuple(_instants(subject.history["at"][0], moment.now))
    stages = tuple(_stage_at(instant, moves, stage) for instant in instants)
    # Part n is what happened after the instant before n and until n.
    part = pl.Series([*instants], dtype=subject.history["at"].dtype).search_sorted(subject.history["at"], side="left")
    copies = [
        Copy(moment=Moment(now=instant, zone=moment.zone), parts=range(place + 1), stage=stages[place])
        for place, instant in enumerate(instants)
    ]
    names = [rule.name for rule in subject.catalog.scores]
    scored = scores_of(subject, copies, part, names)
    scores = {
        name: tuple(map(_shown, scored[name].to_list(), scored[name + CONFIDENCE].to_list()))
        for name in names
        if scored[name].dtype.is_numeric()
    }
    return Course(headline=_headline(subject.catalog, scores), instants=instants, scores=scores, stages=stages)


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
