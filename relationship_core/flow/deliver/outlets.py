"""Outlets: the channel instances that messages leave by, each with how it is used."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from attrs import field, frozen

from relationship_core.config.delivery import DeliverySettings
from relationship_core.model.message import Message
from relationship_core.ports import Channel

LEASE = timedelta(minutes=15)
"""How long a claim lasts where nobody can tell whether its worker still runs."""


@frozen(kw_only=True)
class Outlet:
    """A channel instance, and how it is used.

    Attributes:
        name: the name of the instance.
        opened: gives the channel, which is made when it is first needed.
        capabilities: what its provider declares beside the port.
        batch: how many messages its provider takes at once.
        settings: what the configuration says about it.
    """

    name: str
    opened: Callable[[], Channel]
    capabilities: frozenset[str] = frozenset()
    batch: int = 1
    settings: DeliverySettings = field(factory=DeliverySettings)

    @property
    def channel(self) -> Channel:
        """The channel itself.

        Raises:
            ConfigurationError: it cannot be made.
        """
        return self.opened()

    @property
    def can_look(self) -> bool:
        """Whether it can tell afterwards what it has sent."""
        return "lookup" in self.capabilities

    @property
    def is_idempotent(self) -> bool:
        """Whether handing a message over again repeats nothing."""
        return "idempotent" in self.capabilities

    @property
    def call_size(self) -> int:
        """How many messages are handed over in one call: never more than may go in a second."""
        wanted = self.settings.attempting or self.batch
        rate = self.settings.rate
        return wanted if rate is None else max(1, min(wanted, int(rate)))

    def lack(self, message: Message) -> str:
        """What a message has that this channel does not deliver, in words; empty where there is nothing."""
        if message.attachments and "attachments" not in self.capabilities:
            return "files with a message"
        if message.html and "html" not in self.capabilities:
            return "HTML"
        return ""
