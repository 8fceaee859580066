"""The folder channel: every message is a file to look at, to print, or to hand on."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import field, frozen, validators

from relationship_core import ConfigurationError, eml, is_file_name, refusal, refuse_attachments
from relationship_core.builtin.card import card

if TYPE_CHECKING:
    from relationship_core import Message, Receipt

_SUFFIXES = {"email": ".eml", "sms": ".txt"}


@frozen(kw_only=True)
class FolderSettings:
    """Settings of ``use = "folder"``.

    Attributes:
        path: the folder to write to; it is made when it is missing, and so is the folder around it, but nothing
            above: a disk that is not there defers the messages.
        medium: the kind of contact point it delivers to; ``email`` gives .eml, ``sms`` .txt, any other an
            .html card.
        sender: who e-mails are from; ``[project] sender`` unless given here.
        domain: the right side of Message-ID.
    """

    path: Path
    medium: str = field(default="email", validator=validators.min_len(1))
    sender: str = field(default="hello@example.com", metadata={"project": "sender"})
    domain: str = field(default="example.com", validator=validators.matches_re(r"[A-Za-z0-9.-]+"))


class FolderChannel:
    """Writes a file for each message, named by the message's id; sending again writes the same again."""

    def __init__(self, settings: FolderSettings) -> None:
        """Take the settings; nothing is written yet.

        Raises:
            ConfigurationError: the path is a file.
        """
        if os.path.isfile(settings.path):  # noqa: PTH113  Path raises where a folder above may not be searched
            message = f"the path of a folder channel is a file: {settings.path}; name a folder"
            raise ConfigurationError(message)
        self._settings = settings
        self._suffix = _SUFFIXES.get(settings.medium, ".html")

    @property
    def medium(self) -> str:
        """The kind of contact point it delivers to."""
        return self._settings.medium

    def send(self, messages: Sequence[Message]) -> Sequence[Receipt]:
        """Write the messages; a folder that cannot be written to defers them."""
        refuse_attachments(messages)
        try:
            for folder in (self._settings.path.parent, self._settings.path):
                folder.mkdir(exist_ok=True)
        except OSError as error:
            return [_deferred(message, error) for message in messages]
        return [self._deliver(message) for message in messages]

    def sent(self, messages: Sequence[str]) -> frozenset[str]:
        """Those of these messages whose file is there; it is there whole or not at all."""
        return frozenset(each for each in messages if is_file_name(each) and self._path(each).exists())

    def close(self) -> None:
        """Nothing is held open."""

    def _deliver(self, message: Message) -> Receipt:
        from relationship_core import Receipt

        problem = refusal(message, self.medium)
        if problem:
            return Receipt(message=message.id, state="rejected", detail=problem)
        path = self._path(message.id)
        try:
            _write(path, self._content(message))
        except OSError as error:
            return _deferred(message, error)
        return Receipt(message=message.id, state="accepted", reference=path.name)

    def _content(self, message: Message) -> bytes:
        if self.medium == "email":
            return eml(message, sender=self._settings.sender, domain=self._settings.domain)
        if self.medium == "sms":
            return f"To: {message.address}\n\n{message.text}\n".encode()
        return card(message).encode()

    def _path(self, message: str) -> Path:
        return self._settings.path / f"{message}{self._suffix}"


def _write(path: Path, content: bytes) -> None:
    """A process that is killed leaves the whole file or none; the next attempt overwrites its leftover."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(content)
        os.replace(part, path)  # noqa: PTH105  the same, quicker
    except OSError:
        part.unlink(missing_ok=True)
        raise


def _deferred(message: Message, error: OSError) -> Receipt:
    from relationship_core import Receipt

    cause = (error.strerror or type(error).__name__).lower()
    return Receipt(message=message.id, state="deferred", detail=f"the folder cannot be written to: {cause}")
