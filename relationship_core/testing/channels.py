"""The contract of a channel. A plugin inherits it in a few lines and gets every test of it.

    class TestMyChannel(ChannelContract):
        provider = relationship_channels()[0]

        @pytest.fixture
        def channel(self):
            return MyChannel(MySettings(...))

A channel that declares the capability ``lookup`` inherits ``LookupContract``; one that speaks to a provider over a
network inherits ``RemoteChannelContract``.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal, TypeAlias, get_args

import attrs
import pytest

from relationship_core.errors import ConfigurationError, UnsupportedError
from relationship_core.model.engagement import Engagement
from relationship_core.model.message import Attachment, Message, ReceiptState
from relationship_core.ports import Channel, Lookup, Priced
from relationship_core.providers import Provider

NAME = "Zoë Łukasiewicz"
BREAKS = ("\r\nBcc: thief@example.com", "\nBcc: thief@example.com", "\rBcc: thief@example.com", "\x00")


class ChannelContract:
    """Everything that ``ports.Channel`` promises.

    Attributes:
        provider: the record that the plugin declares the channel with.
        secrets: the texts that its settings keep secret.
        address: where messages of these tests go, in the channel's own writing.
        one_line: whether an address is one line; a postal one is not.
        languages: letters of many languages; on paper, of those that its fonts have.
        longest: how many characters a text may have; an SMS has few.
    """

    provider: ClassVar[Provider[Channel]]
    secrets: ClassVar[Sequence[str]] = ()
    address = "zoe@example.com"
    one_line = True
    languages = "Grüße, 你好, שלום, 🥐 — =?utf-8?q?x?= "
    longest = 8_000

    @pytest.fixture
    def channel(self) -> Iterator[Channel]:
        """A channel that is open and reaches nobody. To be overridden."""
        message = "give the fixture 'channel': an open channel that reaches nobody"
        raise NotImplementedError(message)  # a fixture that only the test's own class can give

    def message(self, number: int = 1) -> Message:
        """One message; the same number gives the same message."""
        return Message(
            id=f"{number:032x}",
            engagement=Engagement(campaign="thanks", action="card", customer=f"c{number}", occasion="once"),
            channel="news",
            address=self.address,
            recipient=NAME,
            subject="Hello",
            text="Thank you.\n",
            at=datetime(2017, 3, 1, 9, tzinfo=UTC),
        )

    def state(self, channel: Channel, message: Message) -> ReceiptState:
        """What the channel answers for one message."""
        (receipt,) = channel.send([message])
        return receipt.state

    def test_it_names_its_medium(self, channel: Channel) -> None:
        """A medium is text that identifies."""
        assert channel.medium
        assert channel.medium == channel.medium.strip()

    def test_every_message_has_its_receipt_in_order(self, channel: Channel) -> None:
        """Receipts come in the order of the messages."""
        messages = [self.message(number) for number in (3, 1, 2)]
        receipts = channel.send(messages)
        assert [receipt.message for receipt in receipts] == [message.id for message in messages]
        assert {receipt.state for receipt in receipts} <= set(get_args(ReceiptState))

    def test_a_good_message_is_accepted(self, channel: Channel) -> None:
        """Nothing is wrong with it."""
        assert self.state(channel, self.message()) == "accepted"

    def test_no_messages_give_no_receipts(self, channel: Channel) -> None:
        """An empty batch is a batch."""
        assert list(channel.send([])) == []

    def test_any_language_and_any_length_is_accepted(self, channel: Channel) -> None:
        """Text is Unicode, in every place."""
        text = (self.languages * 250)[: self.longest]
        message = attrs.evolve(self.message(), subject=text[:200].strip(), text=text, html=f"<p>{text}</p>")
        assert self.state(channel, message) == "accepted"

    @pytest.mark.parametrize("line_break", BREAKS)
    @pytest.mark.parametrize("place", ["subject", "recipient", "address"])
    def test_what_would_begin_another_header_is_rejected(self, channel: Channel, place: str, line_break: str) -> None:
        """Subject, name and address stay on their line, and a receipt repeats nothing of them."""
        if place == "address" and not self.one_line:
            line_break = "\x00"
        values: dict[str, Any] = {place: f"{getattr(self.message(), place)}{line_break}"}
        message = attrs.evolve(self.message(), **values)
        (receipt,) = channel.send([message])
        assert receipt.state == "rejected"
        assert receipt.detail
        assert "example.com" not in receipt.detail

    def test_a_bad_message_does_not_stop_the_others(self, channel: Channel) -> None:
        """It never raises for one message."""
        bad = attrs.evolve(self.message(2), subject="Hello\nworld")
        receipts = channel.send([self.message(1), bad, self.message(3)])
        assert [receipt.state for receipt in receipts] == ["accepted", "rejected", "accepted"]

    def test_it_can_do_what_it_declares(self, channel: Channel) -> None:
        """A capability that has an object's method has it, and the method is there for nobody else."""
        for capability, port in (("lookup", Lookup), ("price", Priced)):
            assert isinstance(channel, port) == (capability in self.provider.capabilities), capability

    def test_an_attachment_is_delivered_or_unsupported(self, channel: Channel) -> None:
        """A channel that cannot deliver files says so before it sends anything, and never leaves them out."""
        file = Attachment(name="terms.pdf", type="application/pdf", content=b"%PDF-1.4 terms")
        message = attrs.evolve(self.message(), attachments=(file,))
        if "attachments" in self.provider.capabilities:
            assert self.state(channel, message) == "accepted"
        else:
            with pytest.raises(UnsupportedError):
                channel.send([message])

    def test_a_price_is_told_in_parts(self, channel: Channel) -> None:
        """A price is for one part or more, and sending costs nothing to ask."""
        if isinstance(channel, Priced):
            price = channel.price(self.message())
            assert price.parts >= 1
            assert price.part

    def test_no_secret_is_shown(self, channel: Channel, caplog: pytest.LogCaptureFixture) -> None:
        """Neither a repr, nor a log, nor a receipt repeats a secret."""
        with caplog.at_level(logging.DEBUG):
            receipts = channel.send([self.message(1), attrs.evolve(self.message(2), subject="Hello\nworld")])
        shown = f"{channel!r} {getattr(channel, '__dict__', {})!r} {receipts!r} {caplog.text}"
        for secret in self.secrets:
            assert secret not in shown

    def test_it_may_be_closed_twice(self, channel: Channel) -> None:
        """Closing what is closed does nothing."""
        channel.close()
        channel.close()


class LookupContract(ChannelContract):
    """Everything that ``ports.Lookup`` promises beside."""

    def test_it_tells_what_it_sent(self, channel: Channel) -> None:
        """What it accepted it knows; what it rejected or never saw it does not."""
        assert isinstance(channel, Lookup)
        good, bad = self.message(1), attrs.evolve(self.message(2), subject="Hello\nworld")
        channel.send([good, bad])
        assert channel.sent([good.id, bad.id, self.message(3).id]) == frozenset({good.id})

    def test_it_knows_nothing_before_it_sends(self, channel: Channel) -> None:
        """Nothing sent, nothing known; no ids, no answer."""
        assert isinstance(channel, Lookup)
        assert channel.sent([self.message(1).id]) == frozenset()
        assert channel.sent([]) == frozenset()


Trouble: TypeAlias = Literal["refused", "silent", "drops", "busy", "failing", "nonsense", "denied"]
"""What may be wrong with a provider: nobody listens; it reads and never answers; it takes everything and closes without
an answer; it has no time now, for 7 seconds where it can say so; it fails; what it says is not its protocol; it does
not know the credentials."""

BUSY_SECONDS = 7


class RemoteChannelContract(ChannelContract):
    """What a channel promises beside that speaks to a provider over a network.

    The peers that the methods and fixtures give stand on loopback, and time-outs are short.
    """

    def accepted(self) -> Sequence[str]:
        """The ids of the messages that the peer of ``channel`` or ``sandboxed`` has taken. To be overridden."""
        raise NotImplementedError  # only the test's own class knows

    def troubled(self, trouble: Trouble) -> Channel:
        """A channel whose peer is in trouble; to be closed by the test class. To be overridden."""
        raise NotImplementedError  # only the test's own class knows

    @pytest.fixture
    def sandboxed(self) -> Iterator[Channel]:
        """A channel that only tries; to be overridden where the provider declares ``sandbox``."""
        message = "give the fixture 'sandboxed': a channel with its provider's sandbox turned on"
        raise NotImplementedError(message)  # a fixture that only the test's own class can give

    @property
    def untold(self) -> ReceiptState:
        """What is said of a message that may have been taken."""
        return "deferred" if "idempotent" in self.provider.capabilities else "unknown"

    def test_the_peer_takes_each_message_once(self, channel: Channel) -> None:
        """What is accepted is there, once, and has the provider's reference where it gives one."""
        messages = [self.message(number) for number in (2, 1, 3)]
        receipts = channel.send(messages)
        assert [each.state for each in receipts] == ["accepted"] * 3
        assert sorted(self.accepted()) == sorted(each.id for each in messages)

    def test_a_peer_that_is_not_there_defers(self) -> None:
        """Nothing was sent, so that it may be tried again."""
        assert self._states("refused") == {"deferred"}

    @pytest.mark.parametrize("trouble", ["silent", "drops", "nonsense"])
    def test_what_may_have_been_taken_is_not_sent_again(self, trouble: Trouble) -> None:
        """Nobody knows, unless the provider can be asked again by the same id."""
        assert self._states(trouble) == {self.untold}

    def test_a_busy_peer_defers_for_as_long_as_it_says(self) -> None:
        """Nothing was taken; what it says about how long is obeyed."""
        receipts = self.troubled("busy").send([self.message()])
        assert [each.state for each in receipts] == ["deferred"]
        assert receipts[0].retry_after in {None, BUSY_SECONDS}

    def test_a_failing_peer_is_no_reason_to_give_up(self) -> None:
        """It may have taken the message or not; it has not refused it."""
        assert self._states("failing") <= {self.untold, "deferred"}

    def test_wrong_credentials_are_told_once_and_shown_never(self) -> None:
        """They are for a person to mend: one clear line, without them, and nothing was sent."""
        with pytest.raises(ConfigurationError) as caught:
            self.troubled("denied").send([self.message(1), self.message(2)])
        said = f"{caught.value}{caught.value.__cause__!r}{caught.value.__context__!r}"
        assert not any(secret in said for secret in self.secrets)
        assert self.address not in said

    @pytest.mark.parametrize("trouble", ["refused", "silent", "drops", "busy", "failing", "nonsense"])
    def test_trouble_shows_no_secret_and_no_person(self, trouble: Trouble, caplog: pytest.LogCaptureFixture) -> None:
        """Receipts and logs name neither who they are for nor what opens the provider."""
        with caplog.at_level(logging.DEBUG):
            receipts = self.troubled(trouble).send([self.message()])
        shown = f"{receipts!r}{caplog.text}"
        for hidden in (*self.secrets, self.address, NAME):
            assert hidden not in shown

    def test_nothing_leaves_the_sandbox(self, request: pytest.FixtureRequest) -> None:
        """Everything is tried and nothing is sent."""
        if "sandbox" in self.provider.capabilities:
            channel: Channel = request.getfixturevalue("sandboxed")
            assert self.state(channel, self.message()) == "accepted"
            assert self.accepted() == []

    def _states(self, trouble: Trouble) -> set[str]:
        receipts = self.troubled(trouble).send([self.message()])
        assert [each.message for each in receipts] == [self.message().id]
        assert all(each.detail for each in receipts)
        return {each.state for each in receipts}
