"""What the plugin adds: the channel ``lob`` and the receiver ``lob``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relationship_core import Provider, hookimpl
from relationship_lob.settings import LobReceiverSettings, LobSettings

if TYPE_CHECKING:
    from relationship_core import Channel, Receiver


def _channel(settings: LobSettings) -> Channel:
    from relationship_lob.channel import LobChannel

    return LobChannel(settings)


def _receiver(settings: LobReceiverSettings) -> Receiver:
    from relationship_lob.receiver import LobReceiver

    return LobReceiver(settings)


CHANNEL: Provider[Channel] = Provider(
    name="lob",
    factory=_channel,
    settings=LobSettings,
    summary="Letters and postcards that Lob prints and posts.",
    capabilities={"html", "idempotent", "price", "receipts", "sandbox"},
)
RECEIVER: Provider[Receiver] = Provider(
    name="lob",
    factory=_receiver,
    settings=LobReceiverSettings,
    summary="What became of letters and postcards, from Lob's signed webhooks.",
    capabilities={"receipts"},
)


@hookimpl
def relationship_channels() -> tuple[Provider[Channel], ...]:
    """The channel ``lob``."""
    return (CHANNEL,)


@hookimpl
def relationship_receivers() -> tuple[Provider[Receiver], ...]:
    """The receiver ``lob``."""
    return (RECEIVER,)
