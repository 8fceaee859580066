"""What the plugin adds: the channel ``smtp`` and the receiver ``mailbox``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relationship_core import Provider, hookimpl
from relationship_smtp.settings import MailboxSettings, SmtpSettings

if TYPE_CHECKING:
    from relationship_core import Channel, Receiver


@hookimpl
def relationship_channels() -> tuple[Provider[Channel], ...]:
    """The channel ``smtp``."""
    return (
        Provider(
            name="smtp",
            factory=_channel,
            settings=SmtpSettings,
            summary="E-mail by an SMTP server of yours or your provider's.",
            capabilities={"batch", "html", "attachments", "one_click"},
        ),
    )


@hookimpl
def relationship_receivers() -> tuple[Provider[Receiver], ...]:
    """The receiver ``mailbox``."""
    return (
        Provider(
            name="mailbox",
            factory=_receiver,
            settings=MailboxSettings,
            summary="Bounces, complaints and replies that lie in a Maildir or an mbox.",
            capabilities={"receipts", "replies", "mailbox"},
        ),
    )


def _channel(settings: SmtpSettings) -> Channel:
    from relationship_smtp.channel import SmtpChannel

    return SmtpChannel(settings)


def _receiver(settings: MailboxSettings) -> Receiver:
    from relationship_smtp.receiver import MailboxReceiver

    return MailboxReceiver(settings)
