"""Hears from a web service what became of messages.

The service posts JSON, ``{"events": [{"message": ID, "type": TYPE, "at": SECONDS}, ...]}``, and signs each request. The
header that HEADER names holds ``t=SECONDS,v1=DIGEST``, where the digest is the HMAC-SHA256 of ``SECONDS.BODY`` in
hexadecimal digits.
"""

import hashlib
import hmac
import json
import re
from datetime import UTC, datetime, timedelta
from typing import get_args

from attrs import field, frozen, validators
from relationship_core import (
    DeliveryEvent,
    EventType,
    Heard,
    Provider,
    RawRequest,
    Receiver,
    Refusal,
    Secret,
    hookimpl,
    is_outbox_id,
)

HEADER = "Acorn-Signature"
AHEAD = timedelta(days=1)
"""How far ahead of our clock an event may lie."""

_SIGNATURE = re.compile(r"t=([0-9]{1,12}),v1=([0-9a-f]{64})")
_UNSIGNED = Refusal(status=403, reason="the signature is missing, wrong, or older than the window")
_NO_EVENTS = Refusal(status=400, reason="the body is no JSON with a list of events")


@frozen(kw_only=True)
class AcornSettings:
    """Settings of ``use = "acorn"``.

    Attributes:
        secrets: what the service signs with: the one in use, and an earlier one while it is changed.
        window: how many seconds after it was signed a request is taken.
    """

    secrets: tuple[Secret, ...] = field(validator=validators.min_len(1))
    window: int = field(default=300, validator=validators.gt(0))


class AcornReceiver:
    """Verifies the signature before it reads anything. It answers and never raises."""

    def __init__(self, settings: AcornSettings) -> None:
        """Take the settings."""
        self._secrets = settings.secrets
        self._window = timedelta(seconds=settings.window)

    def receive(self, request: RawRequest) -> Heard | Refusal:
        """The events of a request, or why none is taken."""
        if not self._is_signed(request):
            return _UNSIGNED
        try:
            events = json.loads(request.body)["events"]
        except (ValueError, LookupError, TypeError, RecursionError):
            return _NO_EVENTS
        if not isinstance(events, list):
            return _NO_EVENTS
        heard = [event for each in events if (event := _event(each, request.received_at))]
        return Heard(events=heard, ignored=len(events) - len(heard))

    def close(self) -> None:
        """Nothing is held."""

    def _is_signed(self, request: RawRequest) -> bool:
        found = _SIGNATURE.fullmatch(request.header(HEADER))
        signed_at = _instant(int(found[1])) if found else None
        if not found or not signed_at or abs(request.received_at - signed_at) > self._window:
            return False
        return any(hmac.compare_digest(signature(request.body, found[1], each), found[2]) for each in self._secrets)


def signature(body: bytes, seconds: str, secret: Secret) -> str:
    """The digest that the service sends for a body."""
    return hmac.new(secret.reveal().encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()


def _event(event: object, received_at: datetime) -> DeliveryEvent | None:
    """One event; None where it is of no message of ours, or says nothing."""
    if not isinstance(event, dict):
        return None
    message, at = event.get("message"), _instant(event.get("at"))
    type_: EventType | None = next((each for each in get_args(EventType) if each == event.get("type")), None)
    if not is_outbox_id(message) or type_ is None or at is None or at > received_at + AHEAD:
        return None
    gone = type_ == "bounced" and event.get("permanent") is True
    raw = json.dumps(event, sort_keys=True)
    return DeliveryEvent(message=message, type=type_, at=at, suppression="hard_bounce" if gone else None, raw=raw)


def _instant(seconds: object) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC) if type(seconds) is int else None
    except (ValueError, OverflowError, OSError):
        return None


@hookimpl
def relationship_receivers() -> tuple[Provider[Receiver], ...]:
    """The receiver ``acorn``."""
    provider: Provider[Receiver] = Provider(
        name="acorn",
        factory=AcornReceiver,
        settings=AcornSettings,
        summary="Hears from a web service what became of messages.",
        capabilities={"receipts"},
    )
    return (provider,)
