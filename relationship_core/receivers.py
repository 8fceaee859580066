"""What is heard of messages: requests of providers, clicks on links, and mail: ``Relationships.receivers``."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from relationship_core import arguments
from relationship_core.errors import UnsupportedError
from relationship_core.model.instants import utc
from relationship_core.model.words import LINKS

if TYPE_CHECKING:
    from relationship_core.flow.receive import Received
    from relationship_core.model.received import RawRequest
    from relationship_core.project import Project

_NAME = "the name of a receiver, as text"


class Receivers:
    """What hears of messages in a project: ``Relationships.receivers``."""

    def __init__(self, project: Project) -> None:
        """Take the project."""
        self._project = project

    def receive(self, name: str, request: RawRequest) -> Received:
        """Take what a request says, and tell what to answer. The same request may come again.

        Args:
            name: the receiver, as the configuration names it; ``links`` for clicks on the links of messages.
            request: the request, made of whatever a web framework has.

        Raises:
            ConfigurationError: there is no such receiver, or its settings are wrong.
            RetriableError: the store cannot be written to now; answer with 503, and the sender will try again.
        """
        from relationship_core.flow.receive import receive
        from relationship_core.flow.receive.clicks import clicked

        arguments.request(request)
        arguments.text(name, "name", _NAME)
        recorder = self._project.recording()
        if name == LINKS:
            return clicked(recorder, self._project.settings.project.name, request)
        return receive(recorder, self._project.chosen.receiver(name), name, request)

    def read_mailbox(self, name: str, path: Path | str) -> Iterator[Received]:
        """Take what every e-mail in a mailbox says; the mailbox is not changed.

        Args:
            name: the receiver, as the configuration names it.
            path: a Maildir or an mbox file.

        Raises:
            ConfigurationError: there is no such receiver.
            RejectedError: there is no mailbox.
            UnsupportedError: the receiver reads none.
        """
        from relationship_core.flow.receive import receive
        from relationship_core.ports import Mailbox

        arguments.text(name, "name", _NAME)
        receiver = None if name == LINKS else self._project.chosen.receiver(name)
        if receiver is None or not isinstance(receiver, Mailbox):
            message = f"the receiver {name!r} reads no mailbox; hand it one request after the other"
            raise UnsupportedError(message)
        recorder = self._project.recording()
        for request in receiver.requests(arguments.path(path, "path"), now=self.now):
            yield receive(recorder, receiver, name, request)

    @property
    def now(self) -> datetime:
        """The present, by the project's clock."""
        return utc(self._project.clock())
