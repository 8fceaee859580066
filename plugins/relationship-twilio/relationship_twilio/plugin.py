"""What the plugin declares: the channel ``twilio`` and the receiver ``twilio``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relationship_core import Provider, hookimpl
from relationship_twilio.settings import TwilioReceiverSettings, TwilioSettings

if TYPE_CHECKING:
    from relationship_core import Channel, Receiver


def _channel(settings: TwilioSettings) -> Channel:
    from relationship_twilio.channel import TwilioChannel

    return TwilioChannel(settings)


def _receiver(settings: TwilioReceiverSettings) -> Receiver:
    from relationship_twilio.receiver import TwilioReceiver

    return TwilioReceiver(settings)


@hookimpl
def relationship_channels() -> tuple[Provider[Channel], ...]:
    """The channel ``twilio``."""
    return (
        Provider(
            name="twilio",
            factory=_channel,
            settings=TwilioSettings,
            summary="Sends SMS through Twilio.",
            capabilities={"expiry", "price", "receipts", "replies", "sandbox"},
        ),
    )


@hookimpl
def relationship_receivers() -> tuple[Provider[Receiver], ...]:
    """The receiver ``twilio``."""
    return (
        Provider(
            name="twilio",
            factory=_receiver,
            settings=TwilioReceiverSettings,
            summary="Understands Twilio's status callbacks and what customers answer by SMS.",
            capabilities={"receipts", "replies"},
        ),
    )
