"""Evidence: the interactions that weigh most in each score, found by leaving one out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from attrs import frozen

from relationship_core.declarations import ScoringRule
from relationship_core.flow.catalog import CONFIDENCE, Catalog
from relationship_core.flow.report.customers.copies import Copy, Subject, measures_behind
from relationship_core.flow.standing import Moment

if TYPE_CHECKING:
    import polars as pl

LATEST = 200
"""So many interactions are left out in turn for each score, the latest ones."""
SHOWN = 3
"""So many of them are named for each score."""
LEAST = 1e-6
"""What changes a score by less than this does not weigh."""


@frozen(kw_only=True)
class Influence:
    """How much one interaction weighs in one score.

    Attributes:
        at: when it happened.
        kind: the interaction's kind.
        source: the system that reported it.
        id: its id there.
        effect: the score minus what it would be had the interaction not happened; None where there would be no
            value at all.
    """

    at: datetime
    kind: str
    source: str
    id: str
    effect: float | None


@frozen(kw_only=True)
class Pass:
    """Scores whose influences are found by the same copies.

    Attributes:
        rules: the scores.
        rows: the rows of the history that are left out in turn.
        copies: the customer with everything, and then without each of the rows.
    """

    rules: Sequence[ScoringRule]
    rows: Sequence[int]
    copies: Sequence[Copy]


def passes(subject: Subject, moment: Moment, stage: str) -> list[Pass]:
    """The copies that tell what weighs in the scores: without one interaction at a time.

    Of the kinds that a score's evidence counts it is the latest 200. What two interactions do together is not seen,
    as when either of them alone would do.

    Args:
        subject: the customer, with history in order of time.
        moment: the instant of the scores.
        stage: the stage now.

    Returns:
        At least one, which has no copies where there is nothing to leave out.
    """
    found = [
        Pass(
            rules=rules,
            rows=rows,
            copies=[Copy(moment=moment, stage=stage, without=row) for row in (None, *rows)],
        )
        for rules, rows in _together(subject)
    ]
    return found or [Pass(rules=(), rows=(), copies=())]


def influences(history: pl.DataFrame, found: Pass, scored: pl.DataFrame) -> Mapping[str, tuple[Influence, ...]]:
    """The interactions that weigh most in each score of a pass, those that weigh more first.

    Args:
        history: the customer's, in order of time.
        found: the pass.
        scored: the scores of its copies.

    Returns:
        For each numeric score with evidence at most three; nothing for the others.
    """
    return {
        rule.name: _weightiest(history, found.rows, scored[rule.name].to_list())
        for rule in found.rules
        if scored[rule.name].dtype.is_numeric() and (scored[rule.name + CONFIDENCE][0] or 0) > 0
    }


def _together(subject: Subject) -> Iterator[tuple[Sequence[ScoringRule], Sequence[int]]]:
    """The scores that are computed together, with the rows of history that are left out for them."""
    alike: dict[tuple[int, ...], list[ScoringRule]] = {}
    kinds = subject.history["kind"]
    known = kinds.unique().to_list()
    for rule in subject.catalog.scores:
        rows = kinds.is_in(_kinds(subject.catalog, rule, known)).arg_true().tail(LATEST)
        if len(rows):
            alike.setdefault(tuple(rows.to_list()), []).append(rule)
    together = sorted(set().union(*alike))
    if len(together) <= LATEST:
        if together:
            yield [rule for rules in alike.values() for rule in rules], together
    else:
        yield from ((rules, rows) for rows, rules in alike.items())


def _kinds(catalog: Catalog, rule: ScoringRule, known: Iterable[str]) -> list[str]:
    """The kinds that the evidence of a score counts; of evidence that is a score, those behind that one."""
    columns = [name for name in rule.evidence if name in catalog.columns] or [rule.name]
    measures = measures_behind(catalog, columns)
    if any(not measure.kinds for measure in measures):
        return list(known)
    return sorted({kind for measure in measures for kind in measure.kinds})


def _weightiest(history: pl.DataFrame, rows: Sequence[int], scored: Sequence[float | None]) -> tuple[Influence, ...]:
    whole, *without = scored
    if whole is None or not math.isfinite(whole):
        return ()
    weighed = [
        (row, None if value is None or not math.isfinite(value) else whole - value)
        for row, value in zip(rows, without, strict=True)
    ]
    heavy = [(row, effect) for row, effect in weighed if effect is None or abs(effect) >= LEAST]
    # Of those that weigh alike the latest is named first.
    heavy.sort(key=lambda each: (_weight(each[1]), each[0]), reverse=True)
    return tuple(_influence(history.row(row, named=True), effect) for row, effect in heavy[:SHOWN])


def _weight(effect: float | None) -> float:
    return math.inf if effect is None else abs(effect)


def _influence(row: Mapping[str, Any], effect: float | None) -> Influence:
    return Influence(at=row["at"], kind=row["kind"], source=row["source"], id=row["id"], effect=effect)
