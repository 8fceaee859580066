"""The definitions of the measures with which history was folded."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from relationship_core.declarations import KeyedMeasure, Measure
from relationship_core.errors import ConfigurationError
from relationship_core.flow.expressions import text_of
from relationship_core.flow.facts import read_fact
from relationship_core.ports import Store

MEASURES_FACT = "measures"
"""Under this name the store keeps the signature of the measures that its numbers were folded with."""

REBUILD_FACT = "rebuild"
"""Under this name, while a rebuild is under way, its measures and the last customer done, as JSON; otherwise empty."""


def measure_signature(measures: Sequence[Measure | KeyedMeasure]) -> str:
    """A text that differs where measures are folded differently: JSON, from each name to a digest of how it folds.

    Summaries and features do not count, since they do not touch what is kept.
    """
    return json.dumps({measure.name: _digest(measure) for measure in measures}, sort_keys=True)


def check_measures(store: Store, measures: Sequence[Measure | KeyedMeasure]) -> None:
    """Compare the declared measures with those that history was folded with.

    Raises:
        ConfigurationError: one is new or has changed since then, or a rebuild did not come to its end.
    """
    if read_fact(store, REBUILD_FACT):
        message = "a rebuild of the measures did not come to its end; run `relate rebuild` again"
        raise ConfigurationError(message)
    kept = read_fact(store, MEASURES_FACT)
    if kept is not None:
        compare_signatures(kept, measure_signature(measures))


def compare_signatures(kept: str, declared: str) -> None:
    """Refuse a measure that is not the one which history was folded with.

    Raises:
        ConfigurationError: it is new or has changed.
    """
    if kept == declared:
        return
    before = json.loads(kept)
    for name, digest in json.loads(declared).items():
        if before.get(name) != digest:
            how = "has changed" if name in before else "is new"
            message = f"the measure {name!r} {how} since history was folded; run `relate rebuild`"
            raise ConfigurationError(message)


def _digest(measure: Measure | KeyedMeasure) -> str:
    parts: list[object] = [
        sorted(measure.kinds),
        measure.combine,
        "" if measure.value is None else text_of(measure.value),
    ]
    parts += [measure.key] if isinstance(measure, KeyedMeasure) else [measure.type, measure.half_life_days]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
