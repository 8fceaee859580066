"""The channels that come with the package: ``folder`` writes files, ``null`` forgets, ``task`` gives people work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from attrs import field, frozen, validators

from relationship_core import Provider, hookimpl, refusal, refuse_attachments
from relationship_core.builtin.folder import FolderChannel, FolderSettings
from relationship_core.builtin.task import TaskChannel, TaskSettings

if TYPE_CHECKING:
    from relationship_core import Channel, Message, Receipt

BATCH = 100
"""So many messages these channels are handed at once: of none of them it stays unknown what became of it."""


@frozen(kw_only=True)
class NullSettings:
    """Settings of ``use = "null"``.

    Attributes:
        medium: the kind of contact point that it pretends to deliver to.
    """

    medium: str = field(default="email", validator=validators.min_len(1))


class NullChannel:
    """Accepts every well-formed message and keeps nothing."""

    def __init__(self, settings: NullSettings) -> None:
        self.medium = settings.medium

    def send(self, messages: Sequence[Message]) -> Sequence[Receipt]:
        """Accept the messages."""
        from relationship_core import Receipt

        refuse_attachments(messages)
        problems = ((message.id, refusal(message, self.medium)) for message in messages)
        return [Receipt(message=id, state="rejected" if told else "accepted", detail=told) for id, told in problems]

    def close(self) -> None:
        """Nothing is held."""


@hookimpl
def relationship_channels() -> tuple[Provider[Channel], ...]:
    """The channels ``folder``, ``null`` and ``task``."""
    return (
        Provider(
            name="folder",
            factory=FolderChannel,
            settings=FolderSettings,
            summary="Writes a file for each message: .eml for e-mail, .txt for SMS, else an .html card.",
            capabilities={"local", "lookup", "html", "batch"},
            batch=BATCH,
        ),
        Provider(
            name="null",
            factory=NullChannel,
            settings=NullSettings,
            summary="Accepts every message and keeps nothing.",
            capabilities={"local", "html", "batch"},
            batch=BATCH,
        ),
        Provider(
            name="task",
            factory=TaskChannel,
            settings=TaskSettings,
            summary="Gives work to people: a call, a visit, a handwritten line.",
            capabilities={"local", "lookup", "batch"},
            batch=BATCH,
        ),
    )
