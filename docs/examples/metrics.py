"""Counts what happens in a project, for Prometheus, and logs it: numbers and kinds, never people."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from threading import Lock

from relationship_core import Interaction, Receipt, Transition, hookimpl

logger = logging.getLogger(__name__)


class Metrics:
    """A plugin that a program hands in: ``load_plugins(extra=[Metrics()])``."""

    def __init__(self) -> None:
        """Begin at nothing."""
        self._counts: Counter[str] = Counter()
        self._lock = Lock()  # each thread has a project of its own, and all of them may have the same plugins

    @hookimpl
    def relationship_recorded(self, interactions: Sequence[Interaction]) -> None:
        """Count what was recorded, by kind."""
        self._count("recorded", (f'kind="{each.kind}"' for each in interactions))

    @hookimpl
    def relationship_stage_changed(self, transitions: Sequence[Transition]) -> None:
        """Count the moves on the ladder, by the stages left and reached."""
        self._count("moved", (f'from="{each.origin}",to="{each.target}"' for each in transitions))

    @hookimpl
    def relationship_delivered(self, receipts: Sequence[Receipt]) -> None:
        """Count what channels answered, by its state."""
        self._count("delivered", (f'state="{each.state}"' for each in receipts))

    def _count(self, what: str, labels: Iterable[str]) -> None:
        counted = Counter(f"relationship_{what}_total{{{each}}}" for each in labels)
        with self._lock:
            self._counts.update(counted)
        logger.info("%s %d", what, counted.total(), extra={"counts": dict(counted)})

    def text(self) -> str:
        """What a Prometheus server reads, in its text format."""
        with self._lock:
            return "".join(f"{name} {count}\n" for name, count in sorted(self._counts.items()))
