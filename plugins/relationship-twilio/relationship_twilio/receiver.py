"""The receiver ``twilio``: status callbacks, and what customers answer by SMS.

Twilio's signature covers the address and the form, and no time, so that an old request cannot be told from a new one.
Repeating one changes nothing: a status callback is of the instant that its signed address holds, and an answer has the
id that Twilio gave it, so that both are known already.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]  # the library has no types

from relationship_core import DeliveryEvent, Heard, Refusal, Reply, is_outbox_id
from relationship_twilio.codes import CODES
from relationship_twilio.identifiers import is_message_sid, is_number

if TYPE_CHECKING:
    from relationship_core import EventType, RawRequest, ReplyWish, SuppressionReason
    from relationship_twilio.settings import TwilioReceiverSettings

SIGNATURE = "X-Twilio-Signature"
MOST_BYTES = 65_536
MOST_FIELDS = 200
AHEAD = timedelta(days=1)
"""How far ahead of our clock a message may have been filled in."""

STOP_WORDS = frozenset({"stop", "unsubscribe", "end", "quit", "stopall", "revoke", "optout", "cancel", "opt out"})
START_WORDS = frozenset({"start", "unstop"})
HELP_WORDS = frozenset({"help", "info"})
"""Without "yes", which Twilio takes for a start: it answers other questions as well."""

_STATES: Mapping[str, EventType] = {
    "accepted": "accepted",
    "scheduled": "accepted",
    "queued": "accepted",
    "sending": "accepted",
    "sent": "accepted",
    "delivered": "delivered",
    "read": "opened",
    "undelivered": "bounced",
    "failed": "failed",
    "canceled": "failed",
}
_OPTED: Mapping[str, ReplyWish] = {"STOP": "stop", "START": "start", "HELP": "help"}
_OPTED_OUT = 21610

_WRONG = Refusal(status=403, reason="the signature is missing or wrong, or url is not the address that Twilio calls")
_LARGE = Refusal(status=413, reason=f"the body is larger than {MOST_BYTES} bytes")
_NOTHING = Refusal(status=400, reason="it is neither a status callback nor an answer")


class TwilioReceiver:
    """Verifies the signature over the configured address and the form, then reads it. It answers and never raises."""

    def __init__(self, settings: TwilioReceiverSettings) -> None:
        """Take the settings."""
        self._url = settings.url
        self._validators = [RequestValidator(each.reveal()) for each in settings.auth_tokens]
        self._wishes: Mapping[str, ReplyWish] = {
            **dict.fromkeys(_folded(HELP_WORDS, settings.help_words), "help"),
            **dict.fromkeys(_folded(START_WORDS, settings.start_words), "start"),
            # The last word is that of who wants no more.
            **dict.fromkeys(_folded(STOP_WORDS, settings.stop_words), "stop"),
        }

    def receive(self, request: RawRequest) -> Heard | Refusal:
        """What a request says, or why nothing is taken from it."""
        if len(request.body) > MOST_BYTES:
            return _LARGE
        query = _query(request.url)
        form = _form(request.body)
        if query is None or form is None or not self._is_signed(request, query, form):
            return _WRONG
        if form.first("MessageStatus"):
            event = _event(form, dict(parse_qsl(query)), request)
            return Heard(events=[event]) if event else Heard(ignored=1)
        if form.first("MessageSid") and "Body" in form:
            reply = self._reply(form, request.received_at)
            return Heard(replies=[reply]) if reply else Heard(ignored=1)
        return _NOTHING

    def close(self) -> None:
        """Nothing is held."""

    def _is_signed(self, request: RawRequest, query: str, form: _Form) -> bool:
        url = f"{self._url}?{query}" if query else self._url
        signature = request.header(SIGNATURE)
        return bool(signature) and any(_fits(each, url, form, signature) for each in self._validators)

    def _reply(self, form: _Form, received_at: datetime) -> Reply | None:
        """An answer; None where it came from no number, as one over another medium."""
        sid, sender, text = (form.first(name) for name in ("MessageSid", "From", "Body"))
        if not is_message_sid(sid) or not is_number(sender):
            return None
        wish = _OPTED.get(form.first("OptOutType").upper()) or self._wishes.get(_plain(text))
        return Reply(id=sid, medium="sms", address=sender, at=received_at, text=text, wish=wish)


class _Form(dict[str, list[str]]):
    """The fields of a form, each with all of its values: the signature covers each of them."""

    def getall(self, name: str) -> list[str]:
        """Every value of a field; Twilio's validator asks for it by this name."""
        return self[name]

    def first(self, name: str) -> str:
        """The first value of a field; empty where there is none."""
        return self.get(name, [""])[0]


def _form(body: bytes) -> _Form | None:
    """The fields of a body; None where it is no form."""
    form = _Form()
    try:
        for name, value in parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=MOST_FIELDS):
            form.setdefault(name, []).append(value)
    except ValueError:
        return None
    return form


def _query(url: str) -> str | None:
    try:
        return urlsplit(url).query
    except ValueError:
        return None


def _fits(validator: RequestValidator, url: str, form: _Form, signature: str) -> bool:
    try:
        return validator.validate(url, form, signature) is True
    except ValueError:
        return False


def _event(form: _Form, query: Mapping[str, str], request: RawRequest) -> DeliveryEvent | None:
    """What a status callback says; None where it is of no message of ours, or says nothing."""
    message, at = query.get("message", ""), _instant(query.get("at", ""))
    status = form.first("MessageStatus")
    kind = _STATES.get(status)
    if not is_outbox_id(message) or at is None or kind is None or at > request.received_at + AHEAD:
        return None
    code = form.first("ErrorCode")
    number = int(code) if re.fullmatch(r"[1-9][0-9]{3,5}", code) else None
    suppression: SuppressionReason | None = None
    if number is not None and kind in {"failed", "bounced"}:
        suppression = CODES[number].suppression if number in CODES else None
        kind = "rejected" if number == _OPTED_OUT else kind
    return DeliveryEvent(
        message=message,
        type=kind,
        at=at,
        detail=" ".join(filter(None, (status, _words(number)))),
        suppression=suppression,
        raw=request.body.decode("utf-8"),
    )


def _words(number: int | None) -> str:
    if number is None:
        return ""
    return f"{number}: {CODES[number].words}" if number in CODES else str(number)


def _instant(seconds: str) -> datetime | None:
    return datetime.fromtimestamp(int(seconds), UTC) if re.fullmatch(r"[0-9]{1,11}", seconds) else None


def _folded(*words: Iterable[str]) -> list[str]:
    return [folded for some in words for each in some if (folded := _plain(each))]


def _plain(text: str) -> str:
    """A text as words are compared: without case, punctuation, and spaces around."""
    return " ".join("".join(each if each.isalnum() else " " for each in text.casefold()).split())
