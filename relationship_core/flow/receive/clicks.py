"""Clicks on the links of messages: a page is shown for a GET, and only a POST changes anything.

Scanners follow links, so that a GET never does more than show a page with a button (RFC 8058 says why). A POST needs no
cookie and no login, comes as urlencoded or multipart, is never redirected, and may come again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from email import message_from_bytes, policy
from typing import cast, get_args
from urllib.parse import parse_qsl

from attrs import evolve, frozen

from relationship_core.columns import MESSAGES
from relationship_core.errors import RejectedError
from relationship_core.flow.permission.links import purpose_and_token
from relationship_core.flow.permission.tokens import Token, TokenPurpose, read_token
from relationship_core.flow.receive.pages import asking_page, done_page, sorry_page
from relationship_core.flow.receive.received import Received
from relationship_core.flow.receive.receiving import taken
from relationship_core.flow.receive.told import within
from relationship_core.flow.record.recorder import Recorder
from relationship_core.flow.record.said import record_said
from relationship_core.flow.united import plain
from relationship_core.model.message import DeliveryEvent
from relationship_core.model.permission import Consent, Preference
from relationship_core.model.received import Heard, RawRequest
from relationship_core.model.words import LINKS, Wish

LARGEST_FORM = 65_536
"""A form of so many bytes at most is read; ours has a few dozen."""

_PAGE = "text/html; charset=utf-8"
_FIELDS = 100


@frozen(kw_only=True)
class _Click:
    token: Token
    message: Mapping[str, object]
    request: RawRequest


def clicked(recorder: Recorder, sender: str, request: RawRequest) -> Received:
    """Answer a click on a link of a message.

    Args:
        recorder: what to work with; its terms have the salt that signs tokens.
        sender: whose messages they are, as pages name them.
        request: the request; its address ends with the link's letter and token.

    Returns:
        What was done, with the page to show.
    """
    found = _named(request.url)
    if found is None:
        return _refused(404, "this is no link of a message", sender)
    purpose, text = found
    try:
        token = read_token(text, purpose, secrets=(recorder.terms.salt,), now=request.received_at)
    except RejectedError as error:
        return _refused(403, str(error), sender)
    if request.method in {"GET", "HEAD"}:
        return Received(body=asking_page(purpose, sender), content_type=_PAGE)
    if request.method != "POST":
        return _refused(405, "a link is opened with GET and confirmed with POST", sender)
    done = _posted(recorder, token, request)
    return evolve(done, body=sorry_page(sender) if done.refused else done_page(purpose, sender), content_type=_PAGE)


def _named(url: str) -> tuple[TokenPurpose, str] | None:
    try:
        return purpose_and_token(url)
    except ValueError:  # a host that is none, as anybody may write into a request
        return None


def _posted(recorder: Recorder, token: Token, request: RawRequest) -> Received:
    message = _message(recorder, token)
    if message is None:  # whose it was has been erased, or it was a test: there is nobody to do it for
        return Received(ignored=1)
    try:
        done = _ACTS[token.purpose](recorder, _Click(token=token, message=message, request=request))
    except RejectedError:  # whose it was has been erased meanwhile
        return Received(status=409, refused="what the link asks for cannot be kept any more")
    return done or Received(status=400, refused="the form names no relationship that there is")


def _message(recorder: Recorder, token: Token) -> Mapping[str, object] | None:
    columns = ("id", "customer", "medium", "topic")
    rows = plain(recorder.store).read(MESSAGES, where={"id": token.message}, columns=columns).to_dicts()
    return rows[0] if rows else None


def _unsubscribe(recorder: Recorder, click: _Click) -> Received:
    event = DeliveryEvent(message=click.token.message, type="unsubscribed", at=click.request.received_at)
    return taken(recorder, LINKS, Heard(events=(event,)))


def _prefer(recorder: Recorder, click: _Click) -> Received | None:
    wish = _form(click.request).get("wish", "")
    if wish not in get_args(Wish):
        return None
    preference = Preference(
        customer=str(click.message["customer"]), wish=cast("Wish", wish), at=_at(recorder, click), source=LINKS
    )
    kept = record_said(recorder, "preferences", [preference], Preference)
    return Received(events=kept.new, repeated=kept.repeated)


def _confirm(recorder: Recorder, click: _Click) -> Received:
    consent = Consent(
        customer=str(click.message["customer"]),
        act="confirm",
        at=_at(recorder, click),
        medium=str(click.message["medium"]),
        topic=str(click.message["topic"] or ""),
        method="link",
        source=LINKS,
        evidence=click.token.message,
    )
    kept = record_said(recorder, "consents", [consent], Consent)
    return Received(events=kept.new, repeated=kept.repeated)


_ACTS: Mapping[TokenPurpose, Callable[[Recorder, _Click], Received | None]] = {
    "unsubscribe": _unsubscribe,
    "preference": _prefer,
    "confirm": _confirm,
}


def _at(recorder: Recorder, click: _Click) -> datetime:
    return within(click.request.received_at, recorder.clock())


def _refused(status: int, reason: str, sender: str) -> Received:
    return Received(status=status, refused=reason, body=sorry_page(sender), content_type=_PAGE)


def _form(request: RawRequest) -> Mapping[str, str]:
    """The fields of a form, of either kind that browsers and mail providers send; none where it is something else."""
    body, kind = request.body[:LARGEST_FORM], request.header("Content-Type")
    if kind.lower().startswith("multipart/form-data"):
        return _multipart(b"Content-Type: " + kind.encode("latin-1", "replace") + b"\r\n\r\n" + body)
    try:
        return dict(parse_qsl(body.decode("utf-8", "replace"), max_num_fields=_FIELDS))
    except ValueError:
        return {}


def _multipart(whole: bytes) -> Mapping[str, str]:
    fields = {}
    try:
        parts = list(message_from_bytes(whole, policy=policy.compat32).walk())
    except RecursionError:  # parts within parts, deeper than anybody nests a form
        return {}
    for part in parts:
        name, value = part.get_param("name", header="content-disposition"), part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(value, bytes):
            fields[name] = value.decode("utf-8", "replace").strip()
    return fields
