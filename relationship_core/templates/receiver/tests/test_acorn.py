"""The receiver keeps the contract, and understands what the service says."""

import json
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import ClassVar, Literal

import pytest
from relationship_core import Heard, RawRequest, Receiver, Secret
from relationship_core.testing.receivers import NOW, ReceiverContract

from relationship_acorn import HEADER, relationship_receivers, signature

OURS = "0123456789abcdef" * 2
(PROVIDER,) = relationship_receivers()
SECRETS = ("the one in use", "an earlier one", "a stranger's")


def event(given: Mapping[str, object] = MappingProxyType({})) -> dict[str, object]:
    return {"message": OURS, "type": "delivered", "at": int(NOW.timestamp()) - 60, **given}


class TestAcornReceiver(ReceiverContract):
    sample = json.dumps({"events": [event()]}).encode()
    secrets: ClassVar[tuple[str, ...]] = SECRETS[:2]

    @pytest.fixture
    def receiver(self) -> Receiver:
        return PROVIDER.factory(PROVIDER.settings(secrets=tuple(map(Secret, self.secrets))))

    def sign(self, body: bytes, now: datetime, *, secret: Literal[0, 1, 2] = 0) -> RawRequest:
        seconds = str(int(now.timestamp()))
        signed = f"t={seconds},v1={signature(body, seconds, Secret(SECRETS[secret]))}"
        return RawRequest(body=body, headers={HEADER: signed}, received_at=now)

    def hear(self, receiver: Receiver, *events: object) -> Heard:
        return self.heard(receiver, self.sign(json.dumps({"events": events}).encode(), NOW))

    def test_a_permanent_bounce_suppresses_the_address(self, receiver: Receiver) -> None:
        heard = self.hear(receiver, event({"type": "bounced"}), event({"type": "bounced", "permanent": True}))
        assert [each.suppression for each in heard.events] == [None, "hard_bounce"]

    @pytest.mark.parametrize(
        "given", [{"message": "theirs"}, {"type": "sung"}, {"type": []}, {"at": None}, {"at": 10**12}, {"at": 10**18}]
    )
    def test_what_says_nothing_of_ours_is_ignored(self, receiver: Receiver, given: Mapping[str, object]) -> None:
        assert self.hear(receiver, event(given), event(), 7) == Heard(
            events=self.hear(receiver, event()).events, ignored=2
        )
