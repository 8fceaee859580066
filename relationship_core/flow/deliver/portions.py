"""Portions: how many messages are claimed together.

What is asked of a claim - permission, columns, profiles - costs about the same for a few as for hundreds, so a claim
is large. But it is asked when the claim is made, so no more is claimed than goes soon.
"""

from __future__ import annotations

from attrs import define, field

from relationship_core.flow.deliver.outlets import Outlet

FIRST = 500
"""So many messages are claimed before it is known how fast a channel takes them."""
LARGEST = 2_000
"""So many messages at most are held in memory, rendered."""
SECONDS = 60
"""No more is claimed than goes in so many seconds."""


@define
class Portion:
    """How much a desk claims next: by the rate that its channel was given, and by how long the last claim took."""

    outlet: Outlet
    _wanted: int = field(default=FIRST, init=False)

    @property
    def size(self) -> int:
        """How many messages; never fewer than one call takes."""
        rate = self.outlet.settings.rate
        size = min(self._wanted, LARGEST)
        return max(self.outlet.call_size, size if rate is None else min(size, int(rate * SECONDS)))

    def note(self, messages: int, seconds: float) -> None:
        """Learn from a claim of so many messages, all of which were looked after in so many seconds."""
        in_time = int(messages * SECONDS / seconds) if seconds > 0 else LARGEST
        self._wanted = max(1, min(2 * max(messages, self._wanted), in_time))
