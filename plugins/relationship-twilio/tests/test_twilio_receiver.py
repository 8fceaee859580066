"""The receiver twilio: status callbacks in any order, and what customers answer."""

from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlencode

import attrs
import pytest
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]  # the library has no types

from relationship_core import Heard, RawRequest, Receiver, Refusal, Secret
from relationship_core.testing.receivers import ReceiverContract
from relationship_core.testing.servers import Answer, Call, LoopbackServer, Request
from relationship_twilio.codes import CODES
from relationship_twilio.plugin import relationship_receivers
from relationship_twilio.settings import TwilioReceiverSettings

NOW = datetime(2025, 3, 1, 9, tzinfo=UTC)
SENT = NOW - timedelta(minutes=5)
OURS = "0123456789abcdef" * 2
SID = "SM" + "fedcba9876543210" * 2
HOOK = "https://shop.example.com/relationship/twilio"
QUERY = f"message={OURS}&at={int(SENT.timestamp())}"
TOKENS = ("token-in-use", "token-before", "token-of-a-stranger")
(PROVIDER,) = relationship_receivers()


def signed(body: bytes, query: str = QUERY, token: str = TOKENS[0], url: str = HOOK) -> RawRequest:
    """A request as Twilio makes it: behind a proxy, so that host and scheme are not those that were signed."""
    from relationship_twilio.receiver import _form

    whole = f"{url}?{query}" if query else url
    signature = RequestValidator(token).compute_signature(whole, _form(body) or {})
    inside = f"http://10.0.0.7:8080/relationship/twilio{f'?{query}' if query else ''}"
    return RawRequest(url=inside, headers={"X-Twilio-Signature": signature}, body=body, received_at=NOW)


def status(state: str, **given: str) -> bytes:
    fields = {"MessageSid": SID, "MessageStatus": state, "To": "+15550001234", "AccountSid": "AC1", **given}
    return urlencode(fields).encode()


def answer_of(text: str, **given: str) -> bytes:
    fields = {"MessageSid": SID, "SmsStatus": "received", "From": "+15550001234", "To": "+1555", "Body": text, **given}
    return urlencode(fields).encode()


@pytest.fixture
def receiver() -> Receiver:
    return PROVIDER.factory(
        TwilioReceiverSettings(
            url=HOOK,
            auth_tokens=(Secret(TOKENS[0]), Secret(TOKENS[1])),
            stop_words=("Stopp", "abbestellen"),
            start_words=("los", "abbestellen"),
            help_words=("Hilfe",),
        )
    )


def heard_of(receiver: Receiver, body: bytes, query: str = QUERY) -> Heard:
    answer = receiver.receive(signed(body, query))
    assert isinstance(answer, Heard)
    return answer


class TestTwilioReceiver(ReceiverContract):
    sample = status("delivered")
    secrets = TOKENS[:2]
    dated = False

    @pytest.fixture
    def receiver(self, receiver: Receiver) -> Receiver:
        return receiver

    def sign(self, body: bytes, now: datetime, *, secret: Literal[0, 1, 2] = 0) -> RawRequest:
        return attrs.evolve(signed(body, token=TOKENS[secret]), received_at=now)


class TestTwilioAnswers(TestTwilioReceiver):
    sample = answer_of("Thank you, Zoë 🥐")


@pytest.mark.parametrize(
    ("state", "code", "expected"),
    [
        ("accepted", "", ("accepted", None, "accepted")),
        ("queued", "", ("accepted", None, "queued")),
        ("sending", "", ("accepted", None, "sending")),
        ("sent", "", ("accepted", None, "sent")),
        ("delivered", "", ("delivered", None, "delivered")),
        ("read", "", ("opened", None, "read")),
        ("undelivered", "", ("bounced", None, "undelivered")),
        ("undelivered", "30003", ("bounced", None, f"undelivered 30003: {CODES[30003].words}")),
        ("undelivered", "30005", ("bounced", None, f"undelivered 30005: {CODES[30005].words}")),
        ("undelivered", "30006", ("bounced", "hard_bounce", f"undelivered 30006: {CODES[30006].words}")),
        ("undelivered", "30007", ("bounced", None, f"undelivered 30007: {CODES[30007].words}")),
        ("failed", "21610", ("rejected", "stop", f"failed 21610: {CODES[21610].words}")),
        ("failed", "21614", ("failed", "hard_bounce", f"failed 21614: {CODES[21614].words}")),
        ("failed", "12345", ("failed", None, "failed 12345")),
        ("failed", "+1555", ("failed", None, "failed")),
        ("canceled", "", ("failed", None, "canceled")),
        ("delivered", "30006", ("delivered", None, f"delivered 30006: {CODES[30006].words}")),
    ],
)
def test_each_status_has_its_meaning(
    receiver: Receiver, state: str, code: str, expected: tuple[str, str | None, str]
) -> None:
    given = {"ErrorCode": code} if code else {}
    (event,) = heard_of(receiver, status(state, **given)).events
    assert (event.type, event.suppression, event.detail) == expected
    assert (event.message, event.at) == (OURS, SENT)


@pytest.mark.parametrize(
    "query",
    [
        "",
        f"message={OURS}",
        f"message={OURS[1:]}&at=1",
        f"message={OURS}&at=-1",
        f"message={OURS}&at=99999999999",
        f"message={OURS}&at={int(NOW.timestamp()) + 2 * 86_400}",
        f"message={OURS.upper()}&at={int(SENT.timestamp())}",
    ],
)
def test_what_is_not_ours_is_ignored(receiver: Receiver, query: str) -> None:
    assert heard_of(receiver, status("delivered"), query) == Heard(ignored=1)


def test_an_unknown_status_is_ignored(receiver: Receiver) -> None:
    assert heard_of(receiver, status("teleported")) == Heard(ignored=1)


@pytest.mark.parametrize("body", [b"", b"a=b", urlencode({"Body": "STOP"}).encode(), b"MessageStatus="])
def test_what_says_neither_is_refused(receiver: Receiver, body: bytes) -> None:
    answer = receiver.receive(signed(body))
    assert isinstance(answer, Refusal)
    assert answer.status == 400


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("STOP", "stop"),
        (" stop. ", "stop"),
        ("„Stop!“", "stop"),
        ("Opt-Out", "stop"),
        ("opt out", "stop"),
        ("OPTOUT", "stop"),
        ("Unsubscribe", "stop"),
        ("END", "stop"),
        ("quit", "stop"),
        ("StopAll", "stop"),
        ("revoke", "stop"),
        ("cancel", "stop"),
        ("STOPP", "stop"),
        ("abbestellen", "stop"),
        ("start", "start"),
        ("UNSTOP", "start"),
        ("Los!", "start"),
        ("Help", "help"),
        ("info?", "help"),
        ("hilfe", "help"),
        ("yes", None),
        ("I cannot stop thinking of your bread", None),
        ("please end it", None),
        ("", None),
        ("🥐", None),
    ],
)
def test_a_wish_is_the_whole_text(receiver: Receiver, text: str, wish: str | None) -> None:
    (reply,) = heard_of(receiver, answer_of(text), "").replies
    assert reply.wish == wish
    assert (reply.id, reply.medium, reply.address, reply.at, reply.text) == (SID, "sms", "+15550001234", NOW, text)


@pytest.mark.parametrize(("opted", "wish"), [("STOP", "stop"), ("START", "start"), ("HELP", "help"), ("", None)])
def test_what_twilio_understood_counts(receiver: Receiver, opted: str, wish: str | None) -> None:
    (reply,) = heard_of(receiver, answer_of("kthxbye", OptOutType=opted), "").replies
    assert reply.wish == wish


@pytest.mark.parametrize("given", [{"From": "whatsapp:+15550001234"}, {"From": "12345"}, {"MessageSid": "7"}])
def test_an_answer_from_no_number_is_ignored(receiver: Receiver, given: dict[str, Any]) -> None:
    assert heard_of(receiver, answer_of("STOP", **given), "") == Heard(ignored=1)


def test_the_query_is_signed(receiver: Receiver) -> None:
    request = signed(status("delivered"))
    other = request.url.replace(OURS, "f" * 32)
    assert isinstance(receiver.receive(attrs.evolve(request, url=other)), Refusal)


def test_another_address_is_refused(receiver: Receiver) -> None:
    elsewhere = signed(status("delivered"), url="https://elsewhere.example.com/relationship/twilio")
    assert isinstance(receiver.receive(elsewhere), Refusal)


def test_every_value_of_a_field_is_signed(receiver: Receiver) -> None:
    request = signed(status("sent"))
    smuggled = attrs.evolve(request, body=b"MessageStatus=delivered&" + request.body)
    assert isinstance(receiver.receive(smuggled), Refusal)


@pytest.mark.parametrize("url", ["http://[", "\ud800", "http://x/?\ud800", ""])
def test_no_address_makes_it_fail(receiver: Receiver, url: str) -> None:
    answer = receiver.receive(attrs.evolve(signed(status("sent")), url=url))
    assert isinstance(answer, Refusal)
    assert answer.status == 403


@pytest.mark.parametrize("body", [b"a=b&" * 5_000, b"a=" + b"b" * 70_000])
def test_large_bodies_are_refused(receiver: Receiver, body: bytes) -> None:
    assert isinstance(receiver.receive(signed(body)), Refusal)


def test_one_token_is_enough() -> None:
    receiver = PROVIDER.factory(TwilioReceiverSettings(url=HOOK, auth_tokens=(Secret(TOKENS[0]),)))
    assert heard_of(receiver, status("sent")).events
    assert isinstance(receiver.receive(signed(status("sent"), token=TOKENS[1])), Refusal)


def test_callbacks_that_come_twice_and_shuffled_are_the_same(receiver: Receiver) -> None:
    heard: list[tuple[str, str, datetime]] = []
    replies: list[str] = []

    def hook(request: Request) -> Answer:
        # The days that pass between repetitions change nothing.
        answer = receiver.receive(request.raw(received_at=NOW + timedelta(days=len(heard))))
        assert isinstance(answer, Heard), answer
        heard.extend((each.message, each.type, each.at) for each in answer.events)
        replies.extend(each.id for each in answer.replies)
        return Answer(status=204)

    bodies = [*(status(each) for each in ("queued", "sending", "sent", "delivered")), answer_of("STOP")]
    with LoopbackServer(hook) as server:
        calls = [Call(headers=dict(signed(body).headers), body=body) for body in bodies]
        assert set(server.call_back(f"{server.url}/relationship/twilio?{QUERY}", calls, seed=4, times=3)) == {204}
    assert len(heard) == 12
    assert set(heard) == {(OURS, "accepted", SENT), (OURS, "delivered", SENT)}
    assert replies == [SID] * 3
