"""The contract of a channel. A plugin inherits it in a few lines and gets every test of it.

    class TestMyChannel(ChannelContract):
        @pytest.fixture
        def channel(self):
            return MyChannel(MySettings(...))

A channel that declares the capability ``lookup`` inherits ``LookupContract``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, get_args

import attrs
import pytest

from relationship_core.model.engagement import Engagement
from relationship_core.model.message import Message, ReceiptState
from relationship_core.ports import Channel, Lookup

NAME = "Zoë Łukasiewicz"
BREAKS = ("\r\nBcc: thief@example.com", "\nBcc: thief@example.com", "\rBcc: thief@example.com", "\x00")


class ChannelContract:
    """Everything that ``ports.Channel`` promises.

    Attributes:
        address: where messages of these tests go, in the channel's own writing.
        one_line: whether an address is one line; a postal one is not.
    """

    address = "zoe@example.com"
    one_line = True

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
        text = "Grüße, 你好, שלום, 🥐 — =?utf-8?q?x?= " * 200
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
