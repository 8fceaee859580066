"""Reports about mail of ours: bounces and other notices of delivery (RFC 3464), complaints (RFC 5965)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from email import message_from_string
from email.message import Message as Mail
from typing import TYPE_CHECKING

from relationship_core import DeliveryEvent
from relationship_smtp.codes import status_in, suppression_for
from relationship_smtp.headers import decoded, first_instant, header, our_ids
from relationship_smtp.words import without_people

if TYPE_CHECKING:
    from relationship_core import EventType, SuppressionReason

_ACTIONS: Mapping[str, EventType] = {
    "failed": "bounced",
    "delayed": "deferred",
    "delivered": "delivered",
    "relayed": "delivered",
    "expanded": "delivered",
}
_CLASSES: Mapping[str, EventType] = {"5": "bounced", "4": "deferred", "2": "delivered"}
"""What the first digit of a status says where no action does."""
_WORST_FIRST = ("bounced", "deferred", "delivered")
_COMPLAINTS: Mapping[str, tuple[EventType, SuppressionReason | None]] = {
    "abuse": ("complained", "complaint"),
    "fraud": ("complained", "complaint"),
    "virus": ("complained", "complaint"),
    "other": ("complained", "complaint"),
    "opt-out": ("unsubscribed", "unsubscribe"),
    "opt-out-list": ("unsubscribed", "unsubscribe"),
}
"""What each type of feedback is; ``not-spam`` and whatever else there may be is no complaint."""
_ID = re.compile(r"[0-9a-f]{32}")


def is_report(mail: Mail) -> bool:
    """Whether a mail is a report by a machine about mail."""
    return mail.get_content_type() == "multipart/report"


def report_events(mail: Mail, domain: str, received_at: datetime) -> tuple[list[DeliveryEvent], int]:
    """What a report says about a message of ours, and how much of it is about none.

    Args:
        mail: the report.
        domain: the right side of the Message-ID of our messages.
        received_at: when it came.
    """
    parts = list(mail.walk())
    by_type = {each.get_content_type(): each for each in reversed(parts)}
    message = _original(by_type, domain)
    if message is None:
        return [], 1
    if "message/feedback-report" in by_type:
        return _complaint(mail, by_type["message/feedback-report"], message, received_at)
    if "message/delivery-status" in by_type:
        return _notice(mail, by_type["message/delivery-status"], message, received_at)
    return [], 1


def _original(by_type: Mapping[str, Mail], domain: str) -> str | None:
    """The id of the message that a report is about."""
    for kind in ("message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers"):
        if kind in by_type:
            for original in _within(by_type[kind]):
                found = our_ids(header(original, "Message-ID"), domain)
                if found:
                    return found[0].lower()
    # Where the server let us name the message in its envelope (RFC 3461), a notice repeats that name.
    for fields in _within(by_type["message/delivery-status"]) if "message/delivery-status" in by_type else ():
        named = header(fields, "Original-Envelope-Id").lower()
        if _ID.fullmatch(named):
            return named
    return None


def _within(part: Mail) -> Iterator[Mail]:
    """The blocks of headers in a part: of a message, of its headers alone, or of a notice."""
    payload = part.get_payload()
    if isinstance(payload, list):
        yield from (each for each in payload if isinstance(each, Mail))
    else:
        content = part.get_payload(decode=True)
        if isinstance(content, bytes):
            for block in re.split(r"\r?\n\r?\n", decoded(content, "utf-8")):
                yield message_from_string(block.lstrip())


def _notice(mail: Mail, status: Mail, message: str, received_at: datetime) -> tuple[list[DeliveryEvent], int]:
    told = [(fields, _type_of(fields)) for fields in _within(status)]
    known = [(fields, kind) for fields, kind in told if kind is not None]
    if not known:
        return [], 1
    # Our messages have one recipient. Of several, to whom it was passed on, the worst is told.
    fields, kind = min(known, key=lambda each: _WORST_FIRST.index(each[1]))
    code = status_in(header(fields, "Status")) or status_in(header(fields, "Diagnostic-Code"))
    diagnostic = header(fields, "Diagnostic-Code").partition(";")[2]
    said = [part for part in (header(fields, "Action").lower(), code, diagnostic) if part]
    people = [header(fields, name).rpartition(";")[2] for name in ("Final-Recipient", "Original-Recipient")]
    dates = [header(fields, "Last-Attempt-Date"), header(mail, "Date")]
    event = DeliveryEvent(
        message=message,
        type=kind,
        at=first_instant(dates, received_at),
        detail=without_people(" ".join(said), people),
        suppression=suppression_for(code) if kind == "bounced" else None,
    )
    return [event], 0


def _type_of(fields: Mail) -> EventType | None:
    action = header(fields, "Action").lower()
    if action in _ACTIONS:
        return _ACTIONS[action]
    return _CLASSES.get(status_in(header(fields, "Status"))[:1])


def _complaint(mail: Mail, feedback: Mail, message: str, received_at: datetime) -> tuple[list[DeliveryEvent], int]:
    for fields in _within(feedback):
        said = header(fields, "Feedback-Type").lower()
        if said in _COMPLAINTS:
            kind, suppression = _COMPLAINTS[said]
            dates = [header(fields, "Arrival-Date"), header(fields, "Received-Date"), header(mail, "Date")]
            event = DeliveryEvent(
                message=message,
                type=kind,
                at=first_instant(dates, received_at),
                detail=said,
                suppression=suppression,
            )
            return [event], 0
    return [], 1
