"""The receiver ``sendgrid``: the signed event webhook."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from attrs import frozen
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from sendgrid.helpers.eventwebhook import EventWebhook  # type: ignore[import-untyped]  # the library has no types

from relationship_core import ConfigurationError, DeliveryEvent, Heard, Refusal, is_outbox_id
from relationship_sendgrid.requests import MESSAGE_KEY

if TYPE_CHECKING:
    from relationship_core import EventType, RawRequest, SuppressionReason
    from relationship_sendgrid.settings import SendGridReceiverSettings

SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"
AHEAD = timedelta(days=1)
"""How far ahead of our clock an event may lie."""

_CODE = re.compile(r"\b[2-5]\d\d\b(?: [2-5]\.\d{1,3}\.\d{1,3}\b)?")
_WRONG = Refusal(status=403, reason="the signature is missing, wrong, or older than the window")
_NO_EVENTS = Refusal(status=400, reason="the body is no list of events in JSON")


@frozen
class _Meaning:
    type: EventType
    suppression: SuppressionReason | None = None
    detail: str = ""


_MEANINGS: Mapping[str, _Meaning] = {
    "processed": _Meaning("accepted"),
    "deferred": _Meaning("deferred"),
    "delivered": _Meaning("delivered"),
    "open": _Meaning("opened"),
    "click": _Meaning("clicked"),
    "spamreport": _Meaning("complained", "complaint"),
    "unsubscribe": _Meaning("unsubscribed", "unsubscribe"),
    "group_unsubscribe": _Meaning("unsubscribed", "unsubscribe"),
}
_DROPS: Sequence[tuple[str, _Meaning]] = (
    ("bounced", _Meaning("rejected", "hard_bounce", "dropped: the address bounced before")),
    ("spam reporting", _Meaning("rejected", "complaint", "dropped: its owner reported spam before")),
    ("unsubscribed", _Meaning("rejected", "unsubscribe", "dropped: its owner unsubscribed at SendGrid")),
    ("spam content", _Meaning("rejected", None, "dropped: the content looks like spam")),
    ("package quota", _Meaning("rejected", None, "dropped: the account's quota is used up")),
    ("smtpapi", _Meaning("rejected", None, "dropped: a header is invalid")),
    ("invalid", _Meaning("rejected", "hard_bounce", "dropped: the address is invalid")),
)
"""Why SendGrid drops a message without trying, by words of the reason that it gives; the first that fits."""


class SendGridReceiver:
    """Verifies the signature over timestamp and body, then reads the events. It answers and never raises."""

    def __init__(self, settings: SendGridReceiverSettings) -> None:
        """Read the keys.

        Raises:
            ConfigurationError: one is no public key of an elliptic curve.
        """
        self._window = timedelta(seconds=settings.window)
        self._webhooks = [_webhook(key, place) for place, key in enumerate(settings.public_keys, 1)]

    def receive(self, request: RawRequest) -> Heard | Refusal:
        """The events of a request, or why none is taken."""
        if not self._is_signed(request):
            return _WRONG
        try:
            events: Any = json.loads(request.body)
        except (ValueError, RecursionError):
            return _NO_EVENTS
        if not isinstance(events, list):
            return _NO_EVENTS
        read = [_event(each, request.received_at) for each in events]
        heard = [each for each in read if each is not None]
        return Heard(events=heard, ignored=len(read) - len(heard))

    def close(self) -> None:
        """Nothing is held."""

    def _is_signed(self, request: RawRequest) -> bool:
        timestamp, signature = request.header(TIMESTAMP), request.header(SIGNATURE)
        signed_at = _instant(timestamp) if re.fullmatch(r"[0-9]{1,12}", timestamp) else None
        if signed_at is None or abs(request.received_at - signed_at) > self._window:
            return False
        return any(_fits(webhook, request.body, signature, timestamp) for webhook in self._webhooks)


def _webhook(key: str, place: int) -> EventWebhook:
    text = re.sub(r"-----[A-Z ]+-----|\s", "", key)
    try:
        webhook = EventWebhook(text)
    except Exception:  # noqa: BLE001  whatever a library says of a text that is no key
        webhook = None
    if webhook is None or not isinstance(webhook.public_key, EllipticCurvePublicKey):
        message = (
            f"public_keys[{place}] is no verification key of the signed event webhook; copy it from SendGrid's console "
            f"(Settings, Mail Settings, Event Webhook)"
        )
        raise ConfigurationError(message)
    return webhook


def _fits(webhook: EventWebhook, body: bytes, signature: str, timestamp: str) -> bool:
    """Whether a signature is the key's; the library raises where it is malformed or missing."""
    try:
        return webhook.verify_signature(body.decode("utf-8"), signature, timestamp) is True
    except (ValueError, TypeError):
        return False


def _event(event: object, received_at: datetime) -> DeliveryEvent | None:
    """One event; None where it is of no message of ours, or says nothing."""
    if not isinstance(event, dict):
        return None
    message = event.get(MESSAGE_KEY)
    meaning = _meaning(event)
    at = _instant(event.get("timestamp"))
    if not is_outbox_id(message) or meaning is None or at is None:
        return None
    if at > received_at + AHEAD:
        return None
    return DeliveryEvent(
        message=message,
        type=meaning.type,
        at=at,
        detail=meaning.detail,
        suppression=meaning.suppression,
        raw=json.dumps(event, ensure_ascii=True, sort_keys=True),
    )


def _meaning(event: Mapping[str, object]) -> _Meaning | None:
    kind = event.get("event")
    if kind == "bounce":
        return _bounce(event)
    if kind == "dropped":
        return _drop(str(event.get("reason") or ""))
    if kind == "open" and event.get("sg_machine_open") is True:
        return _Meaning("opened", None, "opened by a machine")
    return _MEANINGS.get(kind) if isinstance(kind, str) else None


def _bounce(event: Mapping[str, object]) -> _Meaning:
    """A bounce is hard unless it says that it was blocked for now, or its status is one of passing trouble."""
    status = str(event.get("status") or "")
    said = _CODE.search(str(event.get("reason") or ""))
    code = status if re.fullmatch(r"[245]\.\d{1,3}\.\d{1,3}", status) else said[0] if said else ""
    is_blocked = event.get("type") == "blocked"
    detail = " ".join(filter(None, ("blocked" if is_blocked else "bounced", code)))
    return _Meaning("bounced", None if is_blocked or code.startswith("4") else "hard_bounce", detail)


def _drop(reason: str) -> _Meaning:
    for words, meaning in _DROPS:
        if words in reason.lower():
            return meaning
    return _Meaning("rejected", None, "dropped")


def _instant(seconds: object) -> datetime | None:
    """An instant from seconds since 1970; None where it is none."""
    if isinstance(seconds, str) and re.fullmatch(r"[0-9]{1,12}", seconds):
        seconds = int(seconds)
    if type(seconds) not in {int, float} or not isinstance(seconds, (int, float)):
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
