"""A customer as they are, the course of the relationship and what weighs in its scores: found together, in one pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

from relationship_core.flow.report.customers.copies import Subject, standings
from relationship_core.flow.report.customers.course import Course, copies_over_time, course
from relationship_core.flow.report.customers.influence import Influence, influences, passes
from relationship_core.flow.standing import Moment
from relationship_core.model.relationship import Transition


@frozen(kw_only=True)
class Told:
    """What was found.

    Attributes:
        known: every column of the customer's standing.
        course: the scores over time.
        influences: for each numeric score with evidence the interactions that weigh most in it.
    """

    known: Mapping[str, Any]
    course: Course
    influences: Mapping[str, tuple[Influence, ...]]


def told_of(subject: Subject, moment: Moment, moves: Sequence[Transition], stage: str, names: Sequence[str]) -> Told:
    """The standing of a customer, and of copies of them.

    Args:
        subject: the customer, with history in order of time.
        moment: the present.
        moves: the moves on the ladder, oldest first.
        stage: the stage now.
        names: the columns that are wanted of the customer.
    """
    scores = [rule.name for rule in subject.catalog.scores]
    over_time = copies_over_time(subject, moment, moves, stage)
    first, *others = passes(subject, moment, stage)
    copies = [*over_time, *first.copies]
    known, scored = standings(subject, moment, copies, names=names, scores=scores if copies else ())
    weighing = dict(influences(subject.history, first, scored[len(over_time) :]))
    for other in others:
        rules = [rule.name for rule in other.rules]
        _, theirs = standings(subject, moment, other.copies, names=rules, scores=rules)
        weighing |= influences(subject.history, other, theirs)
    shown = course(subject.catalog, over_time, scored[: len(over_time)])
    return Told(known=known, course=shown, influences=weighing)
