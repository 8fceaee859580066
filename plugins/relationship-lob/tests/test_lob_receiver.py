"""The receiver for Lob's webhooks."""

from __future__ import annotations

import hmac
import json
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Literal

import pytest

from relationship_core import ConfigurationError, Heard, RawRequest, Receiver, Refusal, Secret
from relationship_core.testing.receivers import NOW, ReceiverContract
from relationship_lob.receiver import SIGNATURE, TIMESTAMP, LobReceiver
from relationship_lob.settings import LobReceiverSettings

SECRETS = ("the one in use", "the earlier one", "a stranger's")
MESSAGE = "0123456789abcdef0123456789abcdef"
AT = "2026-03-02T09:29:00.000Z"


def event(name: str = "letter.mailed", **values: Any) -> bytes:
    document = {
        "id": "evt_1",
        "event_type": {"id": name, "resource": name.partition(".")[0]},
        "reference_id": "ltr_1",
        "date_created": AT,
        "body": {"id": "ltr_1", "to": {"name": "ZOË ŁUKASIEWICZ"}, "metadata": {"message": MESSAGE}},
        **values,
    }
    return json.dumps(document).encode()


def signed(body: bytes, now: datetime, *, secret: int = 0, milliseconds: bool = True) -> RawRequest:
    stamp = str(int(now.timestamp() * (1000 if milliseconds else 1)))
    signature = hmac.new(SECRETS[secret].encode(), f"{stamp}.".encode() + body, sha256).hexdigest()
    return RawRequest(headers={SIGNATURE: signature, TIMESTAMP: stamp}, body=body, received_at=now)


def opened(**settings: Any) -> LobReceiver:
    return LobReceiver(LobReceiverSettings(secrets=tuple(map(Secret, SECRETS[:2])), **settings))


class TestLobReceiver(ReceiverContract):
    sample = event()
    secrets = SECRETS

    @pytest.fixture
    def receiver(self) -> Receiver:
        return opened()

    def sign(self, body: bytes, now: datetime, *, secret: Literal[0, 1, 2] = 0) -> RawRequest:
        return signed(body, now, secret=secret)


def heard(body: bytes) -> Heard:
    answer = opened().receive(signed(body, NOW))
    assert isinstance(answer, Heard)
    return answer


@pytest.mark.parametrize(
    ("name", "type_", "suppression"),
    [
        ("letter.created", "accepted", None),
        ("postcard.mailed", "accepted", None),
        ("letter.in_transit", "accepted", None),
        ("letter.re-routed", "accepted", None),
        ("postcard.delivered", "delivered", None),
        ("letter.certified.delivered", "delivered", None),
        ("letter.returned_to_sender", "bounced", "hard_bounce"),
        ("postcard.failed", "failed", None),
        ("postcard.deleted", "failed", None),
    ],
)
def test_events_have_their_meaning(name: str, type_: str, suppression: str | None) -> None:
    (found,) = heard(event(name)).events
    assert (found.message, found.type, found.suppression, found.detail) == (MESSAGE, type_, suppression, name)
    assert found.at == datetime(2026, 3, 2, 9, 29, tzinfo=UTC)
    assert "evt_1" in found.raw
    assert "ZO" not in found.raw


@pytest.mark.parametrize(
    "body",
    [
        event("letter.rendered_pdf"),
        event("address.created"),
        event("check.mailed"),
        event(body={"metadata": {}}),
        event(body={"metadata": {"message": "somebody else's"}}),
        event(body=None),
        event(date_created="yesterday"),
        event(date_created="2026-03-02T09:29:00"),
        event(date_created="2027-03-02T09:29:00Z"),
        event(event_type="letter.mailed"),
    ],
)
def test_what_says_nothing_about_a_message_of_ours_is_counted(body: bytes) -> None:
    assert (heard(body).events, heard(body).ignored) == ((), 1)


@pytest.mark.parametrize("milliseconds", [True, False])
def test_timestamps_may_be_in_either_unit(milliseconds: bool) -> None:
    assert isinstance(opened().receive(signed(event(), NOW, milliseconds=milliseconds)), Heard)


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b"\xff", b"[" * 100_000])
def test_a_signed_body_that_is_no_event_is_refused(body: bytes) -> None:
    answer = opened().receive(signed(body, NOW))
    assert isinstance(answer, Refusal)
    assert answer.status == 400


@pytest.mark.parametrize("secrets", [(), ("",)])
def test_without_a_secret_nothing_is_received(secrets: tuple[str, ...]) -> None:
    with pytest.raises(ConfigurationError, match="secrets must hold"):
        LobReceiverSettings(secrets=tuple(map(Secret, secrets)))


def test_the_window_is_bounded() -> None:
    with pytest.raises(ConfigurationError, match="window must be"):
        opened(window=0.0)
