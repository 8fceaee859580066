"""Hands messages to another program: each becomes a row of the table ``messages`` in a SQLite file."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from attrs import frozen
from relationship_core import Channel, Message, Provider, Receipt, hookimpl, refusal, refuse_attachments

TABLE = "CREATE TABLE IF NOT EXISTS messages (id TEXT PRIMARY KEY, address TEXT, subject TEXT, text TEXT, html TEXT)"


@frozen(kw_only=True)
class AcornSettings:
    """Settings of ``use = "acorn"``.

    Attributes:
        path: the SQLite file; it is made where it is missing, its folder is not.
        medium: the kind of contact point that it delivers to, such as ``email`` or ``sms``.
    """

    path: Path
    medium: str = "email"


class AcornChannel:
    """Inserts each message once, by its id: handing it over again changes nothing."""

    def __init__(self, settings: AcornSettings) -> None:
        """Open the file."""
        self.medium = settings.medium
        self._database = sqlite3.connect(settings.path, timeout=1)

    def send(self, messages: Sequence[Message]) -> Sequence[Receipt]:
        """Insert all messages or none; a file that is locked or full defers them."""
        refuse_attachments(messages)
        told = {each.id: refusal(each, self.medium) for each in messages}
        good = [each for each in messages if not told[each.id]]
        rows = [(each.id, each.address, each.subject, each.text, each.html) for each in good]
        try:
            with self._database:
                self._database.execute(TABLE)
                self._database.executemany("INSERT OR IGNORE INTO messages VALUES (?, ?, ?, ?, ?)", rows)
        except sqlite3.OperationalError as error:
            return [Receipt(message=id, state="deferred", detail=str(error)) for id in told]
        return [Receipt(message=id, state="rejected" if why else "accepted", detail=why) for id, why in told.items()]

    def close(self) -> None:
        """Close the file."""
        self._database.close()


@hookimpl
def relationship_channels() -> tuple[Provider[Channel], ...]:
    """The channel ``acorn``."""
    provider: Provider[Channel] = Provider(
        name="acorn",
        factory=AcornChannel,
        settings=AcornSettings,
        summary="Hands messages to another program, in a table of SQLite.",
        capabilities={"local", "idempotent", "batch", "html"},
        batch=100,
    )
    return (provider,)
