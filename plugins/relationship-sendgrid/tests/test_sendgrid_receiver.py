"""The receiver sendgrid: signed events, in any order and any state."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import attrs
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from relationship_core import ConfigurationError, Heard, RawRequest, Receiver, Refusal
from relationship_core.testing.receivers import ReceiverContract
from relationship_core.testing.servers import Answer, Call, LoopbackServer, Request
from relationship_sendgrid.plugin import relationship_receivers
from relationship_sendgrid.settings import SendGridReceiverSettings

NOW = datetime(2025, 3, 1, 9, tzinfo=UTC)
OURS = "0123456789abcdef" * 2
KEYS = [ec.derive_private_key(1000 + number, ec.SECP256R1()) for number in range(3)]
(PROVIDER,) = relationship_receivers()


def public(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return base64.b64encode(key.public_key().public_bytes(serialization.Encoding.DER, form)).decode()


def signed(body: bytes, at: datetime, key: ec.EllipticCurvePrivateKey = KEYS[0]) -> dict[str, str]:
    timestamp = str(int(at.timestamp()))
    signature = key.sign(timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))
    return {
        "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
        "X-Twilio-Email-Event-Webhook-Timestamp": timestamp,
        "Content-Type": "application/json",
    }


def event(kind: str, **given: Any) -> dict[str, Any]:
    return {
        "email": "zoe@example.com",
        "timestamp": int(NOW.timestamp()) - 60,
        "event": kind,
        "sg_event_id": "c2c",
        "sg_message_id": "mail-1.recvd",
        "relationship_message": OURS,
        **given,
    }


@pytest.fixture
def receiver() -> Receiver:
    return PROVIDER.factory(SendGridReceiverSettings(public_keys=(public(KEYS[0]), public(KEYS[1]))))


def heard_of(receiver: Receiver, *events: object) -> Heard:
    body = json.dumps(events).encode()
    answer = receiver.receive(RawRequest(headers=signed(body, NOW), body=body, received_at=NOW))
    assert isinstance(answer, Heard)
    return answer


class TestSendGridReceiver(ReceiverContract):
    sample = json.dumps([event("delivered"), event("bounce", type="bounce", status="5.1.1")]).encode()

    @pytest.fixture
    def receiver(self, receiver: Receiver) -> Receiver:
        return receiver

    def sign(self, body: bytes, now: datetime, *, secret: Literal[0, 1, 2] = 0) -> RawRequest:
        return RawRequest(headers=signed(body, now, KEYS[secret]), body=body, received_at=now)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (event("processed"), ("accepted", None, "")),
        (event("delivered", response="250 OK"), ("delivered", None, "")),
        (event("deferred", response="400 try later", attempt="5"), ("deferred", None, "")),
        (event("bounce", type="bounce", status="5.1.1"), ("bounced", "hard_bounce", "bounced 5.1.1")),
        (
            event("bounce", type="bounce", reason="550 5.1.1 <zoe@example.com> unknown"),
            ("bounced", "hard_bounce", "bounced 550 5.1.1"),
        ),
        (event("bounce"), ("bounced", "hard_bounce", "bounced")),
        (event("bounce", type="bounce", status="4.2.2"), ("bounced", None, "bounced 4.2.2")),
        (event("bounce", type="bounce", reason="452 4.2.2 full"), ("bounced", None, "bounced 452 4.2.2")),
        (event("bounce", type="blocked", status="5.7.1"), ("bounced", None, "blocked 5.7.1")),
        (
            event("dropped", reason="Bounced Address"),
            ("rejected", "hard_bounce", "dropped: the address bounced before"),
        ),
        (
            event("dropped", reason="Spam Reporting Address"),
            ("rejected", "complaint", "dropped: its owner reported spam before"),
        ),
        (
            event("dropped", reason="Unsubscribed Address"),
            ("rejected", "unsubscribe", "dropped: its owner unsubscribed at SendGrid"),
        ),
        (event("dropped", reason="Spam Content"), ("rejected", None, "dropped: the content looks like spam")),
        (event("dropped", reason="Invalid SMTPAPI header"), ("rejected", None, "dropped: a header is invalid")),
        (event("dropped", reason="Invalid"), ("rejected", "hard_bounce", "dropped: the address is invalid")),
        (event("dropped", reason=None), ("rejected", None, "dropped")),
        (event("spamreport"), ("complained", "complaint", "")),
        (event("unsubscribe"), ("unsubscribed", "unsubscribe", "")),
        (event("group_unsubscribe", asm_group_id=1), ("unsubscribed", "unsubscribe", "")),
        (event("open"), ("opened", None, "")),
        (event("open", sg_machine_open=True), ("opened", None, "opened by a machine")),
        (event("click", url="https://shop.example.com"), ("clicked", None, "")),
    ],
)
def test_each_event_has_its_meaning(
    receiver: Receiver, sent: dict[str, Any], expected: tuple[str, str | None, str]
) -> None:
    (read,) = heard_of(receiver, sent).events
    assert (read.type, read.suppression, read.detail) == expected
    assert (read.message, read.at) == (OURS, NOW - timedelta(seconds=60))
    assert json.loads(read.raw) == sent


@pytest.mark.parametrize(
    "other",
    [
        event("group_resubscribe"),
        event("account_status_change"),
        event("delivered", relationship_message="0123"),
        event("delivered", relationship_message=OURS.upper()),
        event("delivered", relationship_message=f"{OURS}\n"),
        event("delivered", relationship_message=7),
        {key: value for key, value in event("delivered").items() if key != "relationship_message"},
        event("delivered", timestamp=None),
        event("delivered", timestamp=True),
        event("delivered", timestamp=10**30),
        event("delivered", timestamp=int(NOW.timestamp()) + 2 * 86_400),
        event("delivered", event=["delivered"]),
        {**event("delivered"), "event": ["delivered"]},
        "delivered",
        None,
        [],
    ],
)
def test_what_is_not_ours_is_ignored(receiver: Receiver, other: object) -> None:
    heard = heard_of(receiver, other, event("delivered"))
    assert heard.ignored == 1
    assert [each.type for each in heard.events] == ["delivered"]


@pytest.mark.parametrize("body", [b"{}", b"7", b"", b"[", b"\xff\xfe", b"[" * 100_000])
def test_a_signed_body_that_is_no_list_is_refused(receiver: Receiver, body: bytes) -> None:
    answer = receiver.receive(RawRequest(headers=signed(body, NOW), body=body, received_at=NOW))
    assert isinstance(answer, Refusal)


def test_nothing_is_parsed_that_is_not_verified(receiver: Receiver) -> None:
    """Wrong signature and wrong body: the signature is what is spoken of."""
    answer = receiver.receive(RawRequest(headers=signed(b"[]", NOW), body=b"[", received_at=NOW))
    assert isinstance(answer, Refusal)
    assert answer.status == 403


def test_the_window_can_be_set() -> None:
    body = json.dumps([event("delivered")]).encode()
    request = RawRequest(headers=signed(body, NOW), body=body, received_at=NOW + timedelta(hours=23))
    wide, narrow = (
        PROVIDER.factory(SendGridReceiverSettings(public_keys=(public(KEYS[0]),), window=window))
        for window in (86_400.0, 300.0)
    )
    assert isinstance(wide.receive(request), Heard)
    assert isinstance(narrow.receive(request), Refusal)
    assert isinstance(narrow.receive(attrs.evolve(request, received_at=NOW - timedelta(seconds=299))), Heard)
    assert isinstance(narrow.receive(attrs.evolve(request, received_at=NOW - timedelta(seconds=301))), Refusal)


def test_a_key_may_be_pasted_with_its_lines() -> None:
    key = public(KEYS[0])
    pem = f"-----BEGIN PUBLIC KEY-----\n{key[:64]}\n{key[64:]}\n-----END PUBLIC KEY-----\n"
    receiver = PROVIDER.factory(SendGridReceiverSettings(public_keys=(pem,)))
    assert heard_of(receiver, event("open")).events


@pytest.mark.parametrize("key", ["", "no key", "AAAA", public(ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)))])
def test_what_is_no_key_is_refused(key: str) -> None:
    with pytest.raises(ConfigurationError, match=r"public_keys\[2\]"):
        PROVIDER.factory(SendGridReceiverSettings(public_keys=(public(KEYS[0]), key)))


def test_no_key_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="public_keys"):
        SendGridReceiverSettings(public_keys=())


def test_events_that_come_twice_and_shuffled_are_the_same(receiver: Receiver) -> None:
    """Over the wire, as SendGrid posts them, each with another sg_event_id when it is repeated."""
    heard: list[tuple[str, str, datetime]] = []

    def hook(request: Request) -> Answer:
        answer = receiver.receive(request.raw(received_at=NOW))
        assert isinstance(answer, Heard), answer
        heard.extend((each.message, each.type, each.at) for each in answer.events)
        return Answer(status=204)

    kinds = ["processed", "deferred", "delivered", "open", "click", "spamreport"]
    bodies = [json.dumps([event(kind, sg_event_id=f"{kind}{copy}")]).encode() for kind in kinds for copy in range(2)]
    with LoopbackServer(hook) as server:
        calls = [Call(headers=signed(body, NOW), body=body) for body in bodies]
        assert set(server.call_back(server.url, calls, seed=5)) == {204}
    assert len(heard) == 24
    at = NOW - timedelta(seconds=60)
    expected = {"accepted", "deferred", "delivered", "opened", "clicked", "complained"}
    assert set(heard) == {(OURS, kind, at) for kind in expected}
