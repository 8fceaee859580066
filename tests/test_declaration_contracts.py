"""The contracts of scores and policies: what is wrong with a plugin fails a test of theirs, and nothing else does."""

import subprocess
import sys
from pathlib import Path

import pytest

SCORES = """
import polars as pl
from datetime import datetime

from relationship_core import Bounded, Daily, Halving, Linear, Measure, ScoringRule, Still, hookimpl
from relationship_core.testing.scores import NOW, ScoreContract

NUMBER = pl.col("toys").fill_null(0.0)
LAST = pl.col("last_toy_at")
SILENCE = ((pl.col("now") - LAST) / pl.duration(days=1)).fill_null(0.0)
SURE = NUMBER / (NUMBER + 3.0)


class Toy:
    @hookimpl
    def relationship_measures(self):
        return (
            Measure(name="toys", kinds=("visit",), combine="count"),
            Measure(name="last_toy_at", kinds=("visit",), combine="max", type="instant"),
            Measure(name="halved_toys", kinds=("visit",), combine="count", half_life_days=60),
        )

    @hookimpl
    def relationship_scores(self):
        known = dict(name="fun", evidence=("toys",), summary="A test.", motion=Still(), confidence_motion=Still())
        return (ScoringRule(**{**known, "value": SURE, "confidence": SURE, **OWN}),)


class TestToy(ScoreContract):
    plugin = Toy()
    kinds = ("visit",)
"""

GOOD_SCORES = {
    "a count": "{}",
    "an even move": "{'value': SILENCE, 'high': 4000, 'motion': Linear(per_day=pl.lit(1.0))}",
    "a halving": "{'value': pl.col('halved_toys').fill_null(0.0), 'high': 99, 'motion': Halving(days=60)}",
    "a bounded move": "{'value': 2.0 ** (-SILENCE / 100), 'motion': Bounded(per_day=0.007)}",
    "anything daily": "{'value': 2.0 ** (-SILENCE / 100), 'motion': Daily()}",
}
BAD_SCORES = {
    "test_without_evidence": "{'confidence': pl.lit(0.5)}",
    "test_without_evidence_there": "{'value': pl.col('toys')}",
    "test_it_stays_within_its_bounds": "{'value': NUMBER}",
    "test_the_history_is_evidence": "{'confidence': 0.0 * NUMBER}",
    "test_nobody_else_counts": "{'value': SURE / SURE.max(), 'confidence': SURE}",
    "test_it_moves_as_it_says": "{'value': 2.0 ** (-SILENCE / 100)}",
    "test_it_moves": "{'value': 2.0 ** (-SILENCE / 100), 'motion': Bounded(per_day=0.0001)}",
    "test_it_rests_on_columns": "{'evidence': ('toyz',)}",
}

POLICIES = """
import polars as pl
from datetime import timedelta

from relationship_core import Policy, hookimpl
from relationship_core.testing.policies import PolicyContract

OVER = pl.col("last_order_at") + pl.duration(days=3)
STOPS = OVER > pl.col("now")


class Toy:
    @hookimpl
    def relationship_policies(self):
        return (Policy(**{"name": "toy", "refuses": STOPS, "until": OVER, "summary": "A test.", **OWN}),)


class TestToy(PolicyContract):
    plugin = Toy()
    policy = "toy"
    stopped = (("order", timedelta(days=1)),)
    free = (("order", timedelta(days=30)),)
"""

GOOD_POLICIES = {
    "a refusal": "{}",
    "a refusal that news lift": "{'until': None}",
    "for some purposes": "{'purposes': ('marketing',), 'natures': ('ask', 'give')}",
    "a deferral": "{'refuses': None, 'until': None, 'defers': pl.when(STOPS).then(OVER)}",
}
BAD_POLICIES = {
    "test_it_stops_whom_it_should": "{'refuses': ~STOPS}",
    "test_it_stops_whom": "{'refuses': pl.col('now').is_not_null()}",
    "test_nothing_known": "{'refuses': pl.col('no_such_column') > 0}",
    "test_time_lifts_it": "{'until': OVER - pl.duration(days=2)}",
    "test_time_lifts": "{'until': OVER - pl.duration(days=1)}",
    "test_what_is_told": "{'detail': pl.col('customer') + '@example.com'}",
    "test_it_says_what": "{'summary': ''}",
}


def failed(source: str, own: str, folder: Path, *chosen: str) -> str:
    """The tests that fail where a plugin declares something of its own; all are run, or those that are chosen."""
    test = folder / "test_toy.py"
    test.write_text(source.replace("\n\nclass Toy", f"\nOWN = {own}\n\n\nclass Toy"), encoding="utf-8")
    options = ("-q", "-p", "no:cacheprovider", "--import-mode=importlib", "--tb=no", "-rfE")
    command = [sys.executable, "-m", "pytest", *options, *chosen, str(test)]
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, encoding="utf-8")
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    return "\n".join(line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR")))


@pytest.mark.parametrize(
    ("source", "own"),
    [*((SCORES, own) for own in GOOD_SCORES.values()), *((POLICIES, own) for own in GOOD_POLICIES.values())],
    ids=[*GOOD_SCORES, *GOOD_POLICIES],
)
def test_what_is_right_passes(source: str, own: str, tmp_path: Path) -> None:
    assert failed(source, own, tmp_path) == ""


@pytest.mark.parametrize(
    ("source", "test", "own"),
    [
        *((SCORES, test, own) for test, own in BAD_SCORES.items()),
        *((POLICIES, test, own) for test, own in BAD_POLICIES.items()),
    ],
    ids=[*BAD_SCORES, *BAD_POLICIES],
)
def test_what_is_wrong_fails(source: str, test: str, own: str, tmp_path: Path) -> None:
    assert test in failed(source, own, tmp_path, "-k", test)
