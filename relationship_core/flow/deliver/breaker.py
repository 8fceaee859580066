"""The breaker of a channel: after too much trouble it is left alone for a while, and then tried with one message.

What it has come to is kept in the store, so that the next delivery, or another worker, leaves the channel alone too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta

import polars as pl
from attrs import frozen

from relationship_core.columns import FACTS
from relationship_core.flow.deliver.backoff import delay
from relationship_core.flow.deliver.handover import Answer
from relationship_core.flow.facts import read_fact, write_fact
from relationship_core.ports import Store

FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=1)
"""A channel is left alone twice as long each time, from the first of these to the second."""


@frozen(kw_only=True)
class OpenBreaker:
    """A breaker that is open.

    Attributes:
        opened_at: since when.
        until: when one message may try the channel again.
        times: how often it opened without a success in between.
    """

    opened_at: datetime
    until: datetime
    times: int


class Streak:
    """How many messages in a row were deferred or are unknown, at one channel in one delivery."""

    def __init__(self, limit: int) -> None:
        """Begin without trouble; with a limit of 0 there is never too much."""
        self._limit = limit
        self._length = 0

    def note(self, answers: Iterable[Answer]) -> None:
        """Go on with what became of the next messages."""
        for answer in answers:
            self._length = self._length + 1 if answer.is_trouble else 0

    @property
    def is_trouble(self) -> bool:
        """Whether the last message was one of them."""
        return self._length > 0

    @property
    def is_too_long(self) -> bool:
        """Whether the channel is to be left alone."""
        return 0 < self._limit <= self._length


def read_breaker(store: Store, channel: str) -> OpenBreaker | None:
    """The open breaker of a channel; None where it is closed."""
    text = read_fact(store, _name(channel))
    if text is None:
        return None
    kept = json.loads(text)
    return OpenBreaker(
        opened_at=datetime.fromisoformat(kept["opened_at"]),
        until=datetime.fromisoformat(kept["until"]),
        times=int(kept["times"]),
    )


def opened(channel: str, before: OpenBreaker | None, now: datetime) -> OpenBreaker:
    """The breaker after too much trouble: it waits longer where it was open before."""
    times = before.times + 1 if before else 1
    wait = delay(f"breaker of {channel}", times, first=FIRST_WAIT, longest=LONGEST_WAIT)
    return OpenBreaker(opened_at=before.opened_at if before else now, until=now + wait, times=times)


def keep_breaker(store: Store, channel: str, breaker: OpenBreaker | None) -> None:
    """Keep what it has come to; inside a transaction. None closes it."""
    name = _name(channel)
    if breaker is None:
        store.delete(FACTS, pl.DataFrame({"name": [name]}))
        return
    kept = {
        "opened_at": breaker.opened_at.isoformat(),
        "until": breaker.until.isoformat(),
        "times": breaker.times,
    }
    write_fact(store, name, json.dumps(kept))


def _name(channel: str) -> str:
    return f"breaker of {channel}"
