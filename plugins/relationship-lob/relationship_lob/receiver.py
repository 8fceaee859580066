"""The receiver ``lob``: signed webhooks about letters and postcards."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from hmac import compare_digest, new
from typing import TYPE_CHECKING, Any

from attrs import frozen

from relationship_core import DeliveryEvent, Heard, Refusal, is_outbox_id

if TYPE_CHECKING:
    from relationship_core import EventType, RawRequest, SuppressionReason
    from relationship_lob.settings import LobReceiverSettings

SIGNATURE = "Lob-Signature"
TIMESTAMP = "Lob-Signature-Timestamp"

_WRONG = Refusal(status=403, reason="the signature is missing, wrong, or older than the window")
_NO_EVENT = Refusal(status=400, reason="the body is no event in JSON")
_MILLISECONDS = 10**11
"""Timestamps from here on are in milliseconds: in seconds they would lie in the year 5138."""


@frozen
class _Meaning:
    type: EventType
    suppression: SuppressionReason | None = None


_MEANINGS: Mapping[str, _Meaning] = {
    "created": _Meaning("accepted"),
    "mailed": _Meaning("accepted"),
    "in_transit": _Meaning("accepted"),
    "in_local_area": _Meaning("accepted"),
    "processed_for_delivery": _Meaning("accepted"),
    "re-routed": _Meaning("accepted"),
    "pickup_available": _Meaning("accepted"),
    "delivered": _Meaning("delivered"),
    "returned_to_sender": _Meaning("bounced", "hard_bounce"),
    "failed": _Meaning("failed"),
    "rejected": _Meaning("failed"),
    "deleted": _Meaning("failed"),
}
"""What the last part of an event's name means; that of a certified letter has ``certified`` before it."""


class LobReceiver:
    """Verifies the signature over timestamp and body, then reads the event. It answers and never raises."""

    def __init__(self, settings: LobReceiverSettings) -> None:
        self._settings = settings

    def receive(self, request: RawRequest) -> Heard | Refusal:
        """The event of a request, or why none is taken."""
        if not self._is_signed(request):
            return _WRONG
        try:
            document: Any = json.loads(request.body)
        except (ValueError, RecursionError):
            return _NO_EVENT
        if not isinstance(document, dict):
            return _NO_EVENT
        event = _event(document, request.received_at)
        return Heard(events=(event,)) if event is not None else Heard(ignored=1)

    def close(self) -> None:
        """Nothing is held."""

    def _is_signed(self, request: RawRequest) -> bool:
        timestamp, signature = request.header(TIMESTAMP), request.header(SIGNATURE)
        signed_at = _signed_at(timestamp)
        if signed_at is None or abs(request.received_at - signed_at) > timedelta(seconds=self._settings.window):
            return False
        if not re.fullmatch(r"[0-9a-fA-F]{64}", signature):
            return False
        body = timestamp.encode("ascii") + b"." + request.body
        # Every secret is tried, whichever fits, so that the time of the answer tells nothing.
        fits = [
            compare_digest(new(each.reveal().encode(), body, sha256).hexdigest(), signature.lower())
            for each in self._settings.secrets
        ]
        return any(fits)


def _signed_at(timestamp: str) -> datetime | None:
    if not re.fullmatch(r"[0-9]{1,14}", timestamp):
        return None
    number = int(timestamp)
    try:
        return datetime.fromtimestamp(number / 1000 if number >= _MILLISECONDS else number, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _event(document: Mapping[str, Any], received_at: datetime) -> DeliveryEvent | None:
    """The event; None where it is of no message of ours, or says nothing of what became of it."""
    name = _text(document.get("event_type"), "id")
    resource, _, happened = name.partition(".")
    happened = happened.removeprefix("certified.")
    message = _text(_table(document.get("body")).get("metadata"), "message")
    meaning = _MEANINGS.get(happened) if resource in {"letter", "postcard"} else None
    at = _instant(document.get("date_created"))
    if meaning is None or at is None or not is_outbox_id(message):
        return None
    if at > received_at + timedelta(days=1):
        return None
    # The rest of an event is the whole letter with its address, which nobody needs a second time.
    kept = {"id": _text(document, "id"), "event_type": name, "date_created": document.get("date_created")}
    return DeliveryEvent(
        message=message,
        type=meaning.type,
        at=at,
        detail=name,
        suppression=meaning.suppression,
        raw=json.dumps({**kept, "reference_id": _text(document, "reference_id")}, sort_keys=True),
    )


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object, name: str) -> str:
    found = _table(value).get(name)
    return found if isinstance(found, str) else ""


def _instant(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
        return found.astimezone(UTC) if found.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None
