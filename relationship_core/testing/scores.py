"""The contract of scores. A plugin inherits it in a few lines and gets every test of it.

    class TestMyScores(ScoreContract):
        plugin = my_plugin
        kinds = ("order", "return")

Each test computes every score that the plugin declares, in a project in memory with what is built in.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import polars as pl
import pytest

from relationship_core.columns import Page
from relationship_core.declarations import ScoringRule
from relationship_core.flow.catalog import CONFIDENCE, make_catalog
from relationship_core.flow.standing import Moment, standing
from relationship_core.model.interaction import Interaction
from relationship_core.motions import Bounded, Halving, Linear, Still
from relationship_core.plugins import Plugins
from relationship_core.relationships import Relationships
from relationship_core.testing.declarations import DeclarationContract

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
CUSTOMERS = tuple(f"c{number:02}" for number in range(40))
LATER = (timedelta(hours=1), timedelta(hours=14), timedelta(days=1), timedelta(days=30), timedelta(days=400))
_NEAR = 1e-9


class ScoreContract(DeclarationContract):
    """What the core takes for granted of every score.

    Attributes:
        plugin: the module, or object, that declares the scores.
        kinds: the kinds of interaction that they rest on.
    """

    kinds: ClassVar[Sequence[str]]

    @pytest.fixture
    def rules(self, plugins: Plugins) -> Sequence[ScoringRule]:
        """The scores that the plugin declares."""
        (own,) = [each for each in plugins.installed if not each.distribution]
        return [rule for rule in plugins.scores if rule.name in own.provides.get("score", ())]

    @pytest.fixture
    def history(self) -> Sequence[Interaction]:
        """What happened with some customers: much, little, or nothing, in two years; the same in every run."""
        chance = random.Random(20260302)  # noqa: S311  simulated customers need no secure random numbers
        told: list[Interaction] = []
        for place, customer in enumerate(CUSTOMERS):
            for _ in range(place % 14):
                at = NOW - timedelta(days=chance.uniform(0, 730))
                told.append(self.interaction(len(told), customer, chance.choice(self.kinds), at))
        return told

    @pytest.fixture
    def found(self, plugins: Plugins, history: Sequence[Interaction]) -> Iterator[Relationships]:
        """A project in which that has been recorded."""
        with _project(plugins, history) as project:
            yield project

    def test_there_is_a_score(self, rules: Sequence[ScoringRule]) -> None:
        assert rules

    def test_without_evidence_there_is_a_prior_of_confidence_0(
        self, plugins: Plugins, rules: Sequence[ScoringRule]
    ) -> None:
        """Nothing happened: the score is not null, and nobody believes it."""
        with _project(plugins, ()) as project:
            frame = _scored(project, rules)
        for rule in rules:
            assert frame[rule.name].null_count() == 0, rule.name
            assert frame[rule.name].n_unique() == 1, rule.name
            assert frame[rule.name + CONFIDENCE].to_list() == [0.0] * len(CUSTOMERS), rule.name

    def test_it_stays_within_its_bounds(self, found: Relationships, rules: Sequence[ScoringRule]) -> None:
        """A value lies between low and high, and a confidence between 0 and 1, now and later."""
        for after in (timedelta(), *LATER):
            frame = _scored(found, rules, NOW + after)
            for rule in rules:
                low, high = (0, len(rule.labels) - 1) if rule.labels else (rule.low, rule.high)
                assert _within(frame[rule.name].to_physical(), low, high), rule.name
                assert _within(frame[rule.name + CONFIDENCE], 0, 1), rule.name

    def test_the_history_is_evidence(self, found: Relationships, rules: Sequence[ScoringRule]) -> None:
        """Somebody of them has a confidence above 0."""
        frame = _scored(found, rules)
        for rule in rules:
            assert (frame[rule.name + CONFIDENCE] > 0).any(), rule.name

    def test_the_order_of_arrival_does_not_matter(
        self, plugins: Plugins, found: Relationships, rules: Sequence[ScoringRule], history: Sequence[Interaction]
    ) -> None:
        """What comes late, or in another order, gives the same."""
        with _project(plugins, reversed(history)) as project:
            _assert_equal(_scored(found, rules), _scored(project, rules), rules)

    def test_nobody_else_counts(self, found: Relationships, rules: Sequence[ScoringRule]) -> None:
        """A customer's score is the same whoever is looked at together with them."""
        together = _scored(found, rules)
        for place in (0, 13, 27):
            alone = _scored(found, rules, customers=CUSTOMERS[place : place + 1])
            _assert_equal(together[place : place + 1], alone, rules)

    def test_it_moves_as_it_says(self, found: Relationships, rules: Sequence[ScoringRule]) -> None:
        """Who is not due is not looked at: a motion that is wrong leaves old scores standing.

        Still, Linear, Halving and Bounded are tested where their pace is a number. Daily is always right; what Steps
        and expressions say is for a test of your own.
        """
        first = _scored(found, rules)
        for after in LATER:
            later = _scored(found, rules, NOW + after)
            for rule in rules:
                motions = {rule.name: rule.motion, rule.name + CONFIDENCE: rule.confidence_motion}
                for name, motion in motions.items():
                    for before, value in zip(_numbers(first, name), _numbers(later, name), strict=True):
                        assert _moved(motion, before, value, after / timedelta(days=1)), (name, motion, after)

    def test_it_rests_on_columns_that_are_there(self, plugins: Plugins, rules: Sequence[ScoringRule]) -> None:
        """What a score names as its evidence is a measure or a feature, and people are told what the score is."""
        for rule in rules:
            assert set(rule.evidence) <= plugins.columns.keys(), rule.name
            assert rule.evidence, rule.name
            assert rule.summary, rule.name


def _project(plugins: Plugins, history: Iterable[Interaction]) -> Relationships:
    project = Relationships(plugins=plugins, clock=lambda: NOW)
    project.record(list(history))
    return project


def _scored(
    project: Relationships,
    rules: Iterable[ScoringRule],
    now: datetime = NOW,
    *,
    customers: Sequence[str] = CUSTOMERS,
) -> pl.DataFrame:
    names = [name for rule in rules for name in (rule.name, rule.name + CONFIDENCE)]
    catalog = make_catalog(project.settings, project.plugins)
    return standing(project.store, catalog, Page.of(customers), names, Moment(now=now, zone="UTC"))


def _numbers(frame: pl.DataFrame, name: str) -> Sequence[float | None]:
    return frame[name].to_physical().cast(pl.Float64).to_list()


def _within(values: pl.Series, low: float, high: float) -> bool:
    return bool(values.drop_nulls().is_between(low - _NEAR, high + _NEAR).all())


def _assert_equal(one: pl.DataFrame, other: pl.DataFrame, rules: Iterable[ScoringRule]) -> None:
    for rule in rules:
        for name in (rule.name, rule.name + CONFIDENCE):
            for first, second in zip(_numbers(one, name), _numbers(other, name), strict=True):
                assert _is_near(first, second), name


def _is_near(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=_NEAR, abs_tol=_NEAR)


def _moved(motion: object, before: float | None, after: float | None, days: float) -> bool:
    """Whether a value moved as its motion says; true where the motion gives no number to compare."""
    if isinstance(motion, Still) or before is None or after is None:
        return not isinstance(motion, Still) or _is_near(before, after)
    if isinstance(motion, Linear) and isinstance(motion.per_day, (int, float)):
        return _is_near(before + motion.per_day * days, after)
    if isinstance(motion, Halving) and motion.next_change is None:
        return _is_near(before * 2 ** (-days / motion.days), after)
    if isinstance(motion, Bounded) and motion.next_change is None and isinstance(motion.per_day, (int, float)):
        return abs(after - before) <= motion.per_day * days + _NEAR
    return True
