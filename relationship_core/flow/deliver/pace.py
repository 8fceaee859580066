"""Pace: no more messages a second than a channel may be handed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from relationship_core.model.instants import utc
from relationship_core.ports import Clock


class Pace:
    """A token bucket: it fills at the rate, holds the messages of one call, and whoever finds too little waits.

    It belongs to one delivery and one channel; several workers have one each, so that together they may be as many
    times as fast. The time that it waited counts as passed, whatever the clock shows then.
    """

    def __init__(self, rate: float | None, *, burst: int, clock: Clock, wait: Callable[[float], None]) -> None:
        """Begin with a full bucket.

        Args:
            rate: messages a second; None for as many as there are.
            burst: how many the bucket holds.
            clock: tells how much time has passed.
            wait: waits for so many seconds.
        """
        self._rate, self._burst, self._clock, self._wait = rate, burst, clock, wait
        self._tokens = float(burst)
        self._filled_at: datetime = utc(clock())

    def take(self, messages: int) -> None:
        """Wait until so many messages may go; never longer than all of them take."""
        if self._rate is None:
            return
        now = utc(self._clock())
        passed = max(0.0, (now - self._filled_at).total_seconds())
        self._filled_at = max(self._filled_at, now)
        self._tokens = min(float(self._burst), self._tokens + passed * self._rate)
        missing = messages - self._tokens
        if missing <= 0:
            self._tokens -= messages
            return
        seconds = missing / self._rate
        self._wait(seconds)
        # What has passed meanwhile is used up; a clock that stands still does not make the next ones wait for ever.
        self._tokens = 0.0
        self._filled_at = max(now, utc(self._clock()))
