"""The contract of a receiver. A plugin inherits it in a few lines and gets every test of it.

    class TestMyReceiver(ReceiverContract):
        sample = b'[{"event": "delivered", ...}]'

        @pytest.fixture
        def receiver(self):
            return MyReceiver(MySettings(keys=("the one in use", "an earlier one")))

        def sign(self, body, now, *, secret=0):
            return RawRequest(body=body, headers={"Signature": ...}, received_at=now)

A receiver of what nobody signs, such as a mailbox, has ``signed = False``; one whose signature holds no time has
``dated = False``.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Literal

import attrs
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from relationship_core.model.received import Heard, RawRequest, Refusal
from relationship_core.ports import Receiver

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
_HEADERS = st.dictionaries(st.text(min_size=1, max_size=20), st.text(max_size=60), max_size=4)
# The fixture is one receiver for all examples: it keeps nothing from one request to the next.
_fuzzed = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
)


class ReceiverContract:
    """Everything that ``ports.Receiver`` promises.

    Attributes:
        sample: a body with at least one event or reply of a message of ours.
        secrets: the texts that its settings keep secret.
        signed: whether requests are signed.
        dated: whether the signature covers a time, so that an old request can be told.
        window: how long after its time a request is taken.
    """

    sample: ClassVar[bytes]
    secrets: ClassVar[Sequence[str]] = ()
    signed: ClassVar[bool] = True
    dated: ClassVar[bool] = True
    window: ClassVar[timedelta] = timedelta(seconds=300)

    @pytest.fixture
    def receiver(self) -> Iterator[Receiver]:
        """A receiver; where requests are signed, with the secret in use and an earlier one. To be overridden."""
        message = "give the fixture 'receiver'"
        raise NotImplementedError(message)  # a fixture that only the test's own class can give

    def sign(self, body: bytes, now: datetime, *, secret: Literal[0, 1, 2] = 0) -> RawRequest:
        """A request with this body that came at ``now``. To be overridden.

        Args:
            body: the body.
            now: when it was signed, and came.
            secret: 0 for the one in use, 1 for the earlier one, 2 for a stranger's.
        """
        raise NotImplementedError  # only the test's own class knows

    def heard(self, receiver: Receiver, request: RawRequest) -> Heard:
        """What a receiver hears of a request that it takes."""
        answer = receiver.receive(request)
        assert isinstance(answer, Heard), answer
        return answer

    def refused(self, receiver: Receiver, request: RawRequest) -> Refusal:
        """Why a receiver refuses a request."""
        answer = receiver.receive(request)
        assert isinstance(answer, Refusal), answer
        return answer

    def test_it_hears_what_is_said(self, receiver: Receiver) -> None:
        """The sample is of a message of ours."""
        heard = self.heard(receiver, self.sign(self.sample, NOW))
        assert heard.events or heard.replies

    def test_it_hears_the_same_again(self, receiver: Receiver) -> None:
        """What is sent twice is understood twice in the same way: the core keeps it once."""
        first, again = (self.heard(receiver, self.sign(self.sample, NOW)) for _ in range(2))
        assert [(each.message, each.type, each.at) for each in first.events] == [
            (each.message, each.type, each.at) for each in again.events
        ]
        assert [each.id for each in first.replies] == [each.id for each in again.replies]

    def test_an_earlier_secret_is_taken_too(self, receiver: Receiver) -> None:
        """While a secret is changed, requests signed with either are good."""
        if self.signed:
            self.heard(receiver, self.sign(self.sample, NOW, secret=1))

    def test_a_strangers_signature_is_refused(self, receiver: Receiver) -> None:
        """Nobody else may tell us anything."""
        if self.signed:
            assert self.refused(receiver, self.sign(self.sample, NOW, secret=2)).status in {401, 403}

    def test_a_changed_body_is_refused(self, receiver: Receiver) -> None:
        """A signature is for the bytes that were signed."""
        if self.signed:
            request = self.sign(self.sample, NOW)
            self.refused(receiver, attrs.evolve(request, body=request.body + b" "))

    def test_without_its_headers_it_is_refused(self, receiver: Receiver) -> None:
        """No signature is a wrong signature."""
        if self.signed:
            self.refused(receiver, attrs.evolve(self.sign(self.sample, NOW), headers={}))

    def test_each_header_may_be_nonsense(self, receiver: Receiver) -> None:
        """A header that is empty, long, or no text of ASCII is refused like any other."""
        if self.signed:
            request = self.sign(self.sample, NOW)
            for name in request.headers:
                for nonsense in ("", "x", "=" * 5000, "\u20ac\x00", "-1", "9" * 400):
                    answer = receiver.receive(attrs.evolve(request, headers={**request.headers, name: nonsense}))
                    assert isinstance(answer, (Heard, Refusal))

    def test_an_old_request_is_refused(self, receiver: Receiver) -> None:
        """Who has overheard a request cannot repeat it later."""
        if self.signed and self.dated:
            request = self.sign(self.sample, NOW)
            late = attrs.evolve(request, received_at=NOW + self.window + timedelta(seconds=2))
            self.refused(receiver, late)
            self.heard(receiver, attrs.evolve(request, received_at=NOW + self.window - timedelta(seconds=2)))

    def test_a_request_of_the_future_is_refused(self, receiver: Receiver) -> None:
        """A clock may be a little wrong, not a day."""
        if self.signed and self.dated:
            request = self.sign(self.sample, NOW)
            self.refused(receiver, attrs.evolve(request, received_at=NOW - timedelta(days=1)))

    @_fuzzed
    @given(body=st.binary(max_size=400))
    def test_no_bytes_make_it_fail(self, receiver: Receiver, body: bytes) -> None:
        """Signed or not, any bytes are answered."""
        assert isinstance(receiver.receive(self.sign(body, NOW)), (Heard, Refusal))

    @_fuzzed
    @given(document=_JSON, headers=_HEADERS)
    def test_no_document_makes_it_fail(self, receiver: Receiver, document: object, headers: dict[str, str]) -> None:
        """What is well signed and nonsense is answered."""
        request = self.sign(json.dumps(document).encode(), NOW)
        assert isinstance(receiver.receive(request), (Heard, Refusal))
        assert isinstance(receiver.receive(attrs.evolve(request, headers=headers)), (Heard, Refusal))

    @_fuzzed
    @given(data=st.data())
    def test_no_change_of_the_sample_makes_it_fail(self, receiver: Receiver, data: st.DataObject) -> None:
        """A good request with some bytes of it changed is answered."""
        body = bytearray(self.sample)
        for _ in range(data.draw(st.integers(1, 4))):
            body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
        assert isinstance(receiver.receive(self.sign(bytes(body), NOW)), (Heard, Refusal))

    def test_no_secret_is_shown(self, receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
        """Neither a repr, nor a log, nor a refusal repeats a secret or the body."""
        with caplog.at_level(logging.DEBUG):
            answers = [receiver.receive(self.sign(body, NOW, secret=2)) for body in (self.sample, b"\xff{")]
        shown = f"{receiver!r} {getattr(receiver, '__dict__', {})!r} {answers!r} {caplog.text}"
        for secret in self.secrets:
            assert secret not in shown

    def test_it_may_be_closed_twice(self, receiver: Receiver) -> None:
        """Closing what is closed does nothing."""
        receiver.close()
        receiver.close()
