"""Files that go with messages, as campaigns hold them: whole, so that what was approved is what is sent."""

from __future__ import annotations

import base64
import binascii
import mimetypes
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import field, frozen

from relationship_core.errors import ConfigurationError
from relationship_core.model.validation import declared

if TYPE_CHECKING:
    from attrs import Attribute

    from relationship_core.model.message import Attachment

LARGEST_FILE = 10 * 1024 * 1024
"""So many bytes a file may have: most mail servers take no larger message."""

_UNKNOWN_TYPE = "application/octet-stream"


def _encoded(_owner: object, _attribute: Attribute[str], value: str) -> None:
    try:
        base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError, TypeError) as error:
        message = "AttachedFile.content must be base64, as attached_file() makes it"
        raise ConfigurationError(message) from error


@frozen(kw_only=True)
class AttachedFile:
    """A file that goes with every message of a variant. A campaign's file names its path instead.

    Attributes:
        name: what it is called in the message.
        type: its media type, such as ``application/pdf``.
        content: its bytes, as base64.
    """

    name: str = field(validator=declared.filled)
    type: str = field(default=_UNKNOWN_TYPE, validator=declared.filled)
    content: str = field(validator=_encoded, repr=False)

    @property
    def attachment(self) -> Attachment:
        """The file as a message has it."""
        from relationship_core.model.message import Attachment  # whoever asks for a customer waits for no message

        return Attachment(name=self.name, type=self.type, content=base64.b64decode(self.content))


def attached_file(path: Path | str) -> AttachedFile:
    """A file as it is now, for a variant's attachments.

    Raises:
        ConfigurationError: it cannot be read, or is too large.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        message = f"the attachment {path.name!r} cannot be read: {error.strerror}"
        raise ConfigurationError(message) from error
    if len(content) > LARGEST_FILE:
        message = f"the attachment {path.name!r} is larger than {LARGEST_FILE >> 20} MiB; send a link to it instead"
        raise ConfigurationError(message)
    kind, encoding = mimetypes.guess_type(path.name)
    return AttachedFile(
        name=path.name,
        type=kind if kind and not encoding else _UNKNOWN_TYPE,
        content=base64.b64encode(content).decode("ascii"),
    )
