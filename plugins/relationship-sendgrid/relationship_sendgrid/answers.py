"""What SendGrid's answers mean for the messages of a request."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from relationship_core import retry_after

if TYPE_CHECKING:
    from relationship_core import ReceiptState

LONGEST_WORDS = 160

_OF_MESSAGES = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)
"""What speaks against the messages of a request; another refusal, such as a time-out, speaks of the moment."""
_OF_SETTINGS = ("from", "reply_to", "mail_settings", "tracking_settings")
_PLACE = re.compile(r"personalizations[.\[](\d+)")
_ADDRESS = re.compile(r"personalizations.*\bto\b.*\bemail\b")
_HIDDEN = "[...]"
_TELLING = re.compile(r"\S+@\S+|https?://\S+|\+?\d[\d ()/-]{5,}|\S{24,}")


@frozen(kw_only=True)
class Answer:
    """What SendGrid answered.

    Attributes:
        status: the status of HTTP.
        headers: by name in lower case.
        body: its bytes.
    """

    status: int
    headers: Mapping[str, str] = field(factory=dict)
    body: bytes = b""


@frozen(kw_only=True)
class Outcome:
    """What an answer means.

    Attributes:
        state: what became of the request's messages.
        detail: why, without personal data.
        reference: SendGrid's id of the request.
        retry_after: seconds to wait, where SendGrid says it.
        at_fault: the places of the messages that the request was refused for, each with whether its address is wrong.
        mend: what a person has to change, where no message can be sent before; empty where one can.
        stops: whether SendGrid is better left alone for now.
    """

    state: ReceiptState
    detail: str = ""
    reference: str | None = None
    retry_after: float | None = None
    at_fault: Mapping[int, bool] = field(factory=dict)
    mend: str = ""
    stops: bool = False


def outcome_of(answer: Answer, *, sandbox: bool, hidden: Iterable[str] = ()) -> Outcome:
    """Read an answer.

    Args:
        answer: the answer.
        sandbox: whether only a check was asked for.
        hidden: the texts of the request that nobody may see, such as its addresses.
    """
    status = answer.status
    if status == (HTTPStatus.OK if sandbox else HTTPStatus.ACCEPTED):
        if sandbox and answer.body.strip():
            return _unclear(status)
        return Outcome(state="accepted", reference=answer.headers.get("x-message-id") or None)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Outcome(
            state="deferred", detail="SendGrid 429: too many requests", retry_after=_wait(answer.headers), stops=True
        )
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Outcome(state="unknown", detail=f"SendGrid {status}: it failed, and may have sent it", stops=True)
    if status >= HTTPStatus.BAD_REQUEST:
        return _refused(answer, hidden)
    return _unclear(status)


def _unclear(status: int) -> Outcome:
    return Outcome(state="unknown", detail=f"SendGrid {status}: the answer is not understood", stops=True)


def _refused(answer: Answer, hidden: Iterable[str]) -> Outcome:
    status = answer.status
    errors = _errors(answer.body)
    fields = [field for field, _ in errors]
    if mend := _mend(status, fields):
        return Outcome(state="deferred", detail=f"SendGrid {status}: nothing can be sent", mend=mend, stops=True)
    words = "; ".join(_words(each, hidden) for each in errors[:2])
    detail = f"SendGrid {status}{f': {words}' if words else ''}"
    if status not in _OF_MESSAGES:
        return Outcome(state="deferred", detail=detail, stops=True)
    at_fault: dict[int, bool] = {}
    for each in fields:
        if place := _PLACE.match(each):
            number = int(place[1][:6])
            at_fault[number] = at_fault.get(number, False) or bool(_ADDRESS.match(each))
    return Outcome(state="rejected", detail=detail, at_fault=at_fault)


def _mend(status: int, fields: Sequence[str]) -> str:
    if status == HTTPStatus.UNAUTHORIZED:
        return "SendGrid does not know the api_key; make one with the permission Mail Send, and set it"
    if any(each.split(".")[0] in _OF_SETTINGS for each in fields):
        return (
            f"SendGrid refuses the setting {_named(fields)}: verify the sender's address or domain there (Settings, "
            f"Sender Authentication), or change sender or reply_to"
        )
    if status == HTTPStatus.FORBIDDEN:
        return "SendGrid forbids it: give the api_key the permission Mail Send, and see whether the account is in order"
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}:
        return f"there is no SendGrid API at the host (it answered {status}); leave host out, or name the right one"
    return ""


def _named(fields: Sequence[str]) -> str:
    first = next(each.split(".")[0] for each in fields if each.split(".")[0] in _OF_SETTINGS)
    return "sender" if first == "from" else first


def _errors(body: bytes) -> Sequence[tuple[str, str]]:
    """The field and the words of each error; none where the answer is not understood."""
    try:
        found: Any = json.loads(body)
    except (ValueError, RecursionError):
        return ()
    listed = found.get("errors") if isinstance(found, dict) else None
    if not isinstance(listed, list):
        return ()
    return [
        (str(each.get("field") or "")[:LONGEST_WORDS], str(each.get("message") or ""))
        for each in listed
        if isinstance(each, dict)
    ]


def _words(error: tuple[str, str], hidden: Iterable[str]) -> str:
    """What an error says, without what it may repeat of the message."""
    place, words = error
    for text in sorted({each for each in hidden if each}, key=len, reverse=True):
        words = re.sub(re.escape(text), _HIDDEN, words, flags=re.IGNORECASE)
    words = " ".join(_TELLING.sub(_HIDDEN, words).split())
    shown = "".join(each for each in words if each.isprintable())[:LONGEST_WORDS]
    named = place if re.fullmatch(r"[a-z0-9_.\[\]]{1,60}", place) else ""
    return ": ".join(filter(None, (named, shown)))


def _wait(headers: Mapping[str, str]) -> float | None:
    """Seconds until SendGrid has time again; None where it does not say so in a way that is understood."""
    said = headers.get("retry-after", "")
    reset = headers.get("x-ratelimit-reset", "").strip()
    if not said and re.fullmatch(r"[0-9]{1,10}", reset):
        said = formatdate(int(reset), usegmt=True)
    return retry_after(said, headers.get("date", ""))
