"""Evidence: the interactions that weigh most in each score, found by leaving one out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import polars as pl
from attrs import frozen

from relationship_core.declarations import ScoringRule
from relationship_core.flow.catalog import CONFIDENCE, Catalog
from relationship_core.flow.report.customers.copies import Copy, Subject, measures_behind, scores_of
from relationship_core.flow.standing import Moment

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


def influences(subject: Subject, moment: Moment, stage: str) -> Mapping[str, tuple[Influence, ...]]:
    """The interactions that weigh most in each score, those that weigh more first.

    The scores are computed anew without one interaction at a time: of the kinds that the score's evidence counts,
    the latest 200. What two interactions do together is not seen, as when either of them alone would do.

    Args:
        subject: the customer, with history in order of time.
        moment: the instant of the scores.
        stage: the stage now.

    Returns:
        For each numeric score with evidence at most three; nothing for the others.
    """
    found: dict[str, tuple[Influence, ...]] = {}
    for rules, rows in _passes(subject):
        scored = _left_out(subject, rows, [rule.name for rule in rules], moment, stage)
        for rule in rules:
            if scored[rule.name].dtype.is_numeric() and (scored[rule.name + CONFIDENCE][0] or 0) > 0:
                found[rule.name] = _weightiest(subject.history, rows, scored[rule.name].to_list())
    return found


def _passes(subject: Subject) -> Iterator[tuple[Sequence[ScoringRule], Sequence[int]]]:
    """The scores that are computed together, with the rows of history that are left out for them."""
    alike: dict[tuple[int, ...], list[ScoringRule]] = {}
    kinds = subject.history["kind"]
    for rule in subject.catalog.scores:
        rows = kinds.is_in(_kinds(subject.catalog, rule, kinds.unique())).arg_true().tail(LATEST)
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


def _left_out(subject: Subject, rows: Sequence[int], scores: Sequence[str], moment: Moment, stage: str) -> pl.DataFrame:
    """The scores with everything, and then without each of the rows."""
    own = pl.DataFrame({"row": rows}, schema={"row": pl.UInt32}).with_row_index("part", offset=1)
    part = subject.history.with_row_index("row").join(own, on="row", how="left", maintain_order="left")["part"]
    everything = range(len(rows) + 1)
    copies = [
        Copy(moment=moment, parts=everything, stage=stage),
        *(Copy(moment=moment, parts=[p for p in everything if p != out], stage=stage) for out in everything[1:]),
    ]
    return scores_of(subject, copies, part.fill_null(0), scores)


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
