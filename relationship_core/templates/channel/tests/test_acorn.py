"""The channel keeps the contract, and hands over what it says."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from relationship_core import Channel
from relationship_core.testing.channels import ChannelContract

from relationship_acorn import relationship_channels

(PROVIDER,) = relationship_channels()


class TestAcornChannel(ChannelContract):
    provider = PROVIDER

    @pytest.fixture
    def channel(self, tmp_path: Path) -> Iterator[Channel]:
        with closing(PROVIDER.factory(PROVIDER.settings(path=tmp_path / "messages.db"))) as channel:
            yield channel

    def test_each_message_is_there_once(self, channel: Channel, tmp_path: Path) -> None:
        for _ in range(2):
            channel.send([self.message(1), self.message(2)])
        with closing(sqlite3.connect(tmp_path / "messages.db")) as database:
            rows = database.execute("SELECT id, address, subject, text FROM messages ORDER BY id").fetchall()
        assert rows == [(self.message(each).id, self.address, "Hello", "Thank you.\n") for each in (1, 2)]

    def test_a_locked_file_defers(self, channel: Channel, tmp_path: Path) -> None:
        with closing(sqlite3.connect(tmp_path / "messages.db")) as other:
            other.execute("BEGIN EXCLUSIVE")
            assert self.state(channel, self.message()) == "deferred"
        assert self.state(channel, self.message()) == "accepted"
