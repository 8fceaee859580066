"""What the plugin declares: the channel ``sendgrid`` and the receiver ``sendgrid``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relationship_core import Provider, hookimpl
from relationship_sendgrid.settings import SendGridReceiverSettings, SendGridSettings

if TYPE_CHECKING:
    from relationship_core import Channel, Receiver

BATCH = 100
"""How many messages one unknown outcome may cover; a request may have ten times as many."""


def _channel(settings: SendGridSettings) -> Channel:
    from relationship_sendgrid.channel import SendGridChannel

    return SendGridChannel(settings)


def _receiver(settings: SendGridReceiverSettings) -> Receiver:
    from relationship_sendgrid.receiver import SendGridReceiver

    return SendGridReceiver(settings)


@hookimpl
def relationship_channels() -> tuple[Provider[Channel], ...]:
    """The channel ``sendgrid``."""
    return (
        Provider(
            name="sendgrid",
            factory=_channel,
            settings=SendGridSettings,
            summary="Sends e-mail through SendGrid.",
            capabilities={"attachments", "batch", "html", "one_click", "receipts", "sandbox"},
            batch=BATCH,
        ),
    )


@hookimpl
def relationship_receivers() -> tuple[Provider[Receiver], ...]:
    """The receiver ``sendgrid``."""
    return (
        Provider(
            name="sendgrid",
            factory=_receiver,
            settings=SendGridReceiverSettings,
            summary="Understands SendGrid's signed event webhook.",
            capabilities={"receipts"},
        ),
    )
