"""The receiver ``mailbox``: what comes back to the addresses that our mail is from.

A mailbox has no signature: anybody can write to it. What counts as proof is the id of a message of ours, 128 bits that
only we, the recipient and the servers in between have seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message as Mail
from pathlib import Path
from typing import TYPE_CHECKING

from relationship_core import Heard, RawRequest, Refusal
from relationship_smtp import places
from relationship_smtp.replies import reply_to
from relationship_smtp.reports import is_report, report_events
from relationship_smtp.settings import address_of

if TYPE_CHECKING:
    from datetime import datetime

    from relationship_smtp.settings import MailboxSettings

LARGEST = 50_000_000
"""Bytes; a mail of more is refused."""


class MailboxReceiver:
    """Understands bounces (RFC 3464), complaints (RFC 5965) and replies."""

    def __init__(self, settings: MailboxSettings) -> None:
        self._domain = settings.message_domain
        self._sender = address_of(settings.sender).lower()

    def receive(self, request: RawRequest) -> Heard | Refusal:
        """What one e-mail says; the body of the request is its bytes."""
        if len(request.body) > LARGEST:
            return Refusal(status=413, reason="the mail is too large")
        try:
            mail = message_from_bytes(request.body)
            if not mail.keys():
                return Refusal(status=400, reason="this is no e-mail: it has no headers")
            return self._heard(mail, request)
        except Exception:  # noqa: BLE001  whatever strangers write, Python's parser of mail has failed on less
            return Refusal(status=400, reason="this is no e-mail that could be read")

    def requests(self, path: Path, *, now: datetime) -> Iterator[RawRequest]:
        """Every e-mail of a Maildir, of an mbox, or of a file that holds one; nothing there is changed.

        Raises:
            RejectedError: this is none of them.
        """
        return (RawRequest(method="MAIL", body=body, received_at=now) for body in places.mails(path))

    def close(self) -> None:
        """Nothing is held open."""

    def _heard(self, mail: Mail, request: RawRequest) -> Heard:
        if is_report(mail):
            events, ignored = report_events(mail, self._domain, request.received_at)
            return Heard(events=events, ignored=ignored)
        reply = reply_to(mail, request, domain=self._domain, sender=self._sender)
        return Heard(replies=[reply]) if reply is not None else Heard(ignored=1)
