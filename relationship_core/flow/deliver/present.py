"""The present of a delivery: it goes on while messages are sent, and after whatever cut a run short."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from relationship_core.flow.record.checks import AHEAD
from relationship_core.model.instants import utc
from relationship_core.ports import Clock


@frozen(kw_only=True)
class Present:
    """An instant that goes on with the clock.

    Who acts as of an instant that is more than a day old lives through the past again: there the instant stands still,
    so that it can be asked about afterwards.

    Attributes:
        as_of: the instant at the beginning.
        since: what the clock showed then.
        clock: tells how much time has passed.
    """

    as_of: datetime
    since: datetime
    clock: Clock

    @property
    def now(self) -> datetime:
        """The instant that it is by now; never before the beginning."""
        if self.since - self.as_of > AHEAD:
            return self.as_of
        return max(self.as_of, self.as_of + (utc(self.clock()) - self.since))
