"""A program, not a test: one worker that delivers the outbox of a project on PostgreSQL until nothing is left.

    python killed_workers.py FOLDER RECORD

FOLDER is a project whose channel uses ``recorder``: it appends the id of each message that it accepts to the file
RECORD, which is what a provider would know. While the server is away it tries again. Whoever started it kills it.
"""

import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from attrs import frozen

from relationship_core import Channel, Message, Provider, Receipt, Relationships, RetriableError, hookimpl, load_plugins

AS_OF = datetime(2024, 5, 1, 9, tzinfo=UTC)
LONGEST_SECONDS = 600


@frozen(kw_only=True)
class NoSettings:
    """There are none."""


class Recorder:
    """A plugin with the channel ``recorder``."""

    medium = "email"

    def __init__(self, record: Path) -> None:
        self._record = record

    def send(self, messages: Sequence[Message]) -> Sequence[Receipt]:
        with self._record.open("ab", buffering=0) as file:
            for message in messages:
                file.write(f"{message.id}\n".encode())
        return [Receipt(message=message.id, state="accepted") for message in messages]

    def close(self) -> None:
        pass

    @hookimpl
    def relationship_channels(self) -> tuple[Provider[Channel], ...]:
        return (Provider(name="recorder", factory=lambda _: self, settings=NoSettings, summary="Records."),)


def main(folder: Path, record: Path) -> None:
    plugins = load_plugins(extra=[Recorder(record)])
    end = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < end:
        try:
            with Relationships.open(folder, clock=lambda: AS_OF, plugins=plugins) as project:
                project.deliver()
        except RetriableError:
            time.sleep(0.05)  # the server is away, or another worker holds what this one wants
        else:
            return
    sys.exit("it took too long")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
