"""Places where mail lies: a Maildir, an mbox, a file that holds one mail."""

from __future__ import annotations

import mailbox
import re
from collections.abc import Iterator
from pathlib import Path

from relationship_core import RejectedError

_FROM = b"From "
_HEADER = re.compile(rb"[!-9;-~]+[ \t]*:")
_SEEN = 4096


def mails(path: Path) -> Iterator[bytes]:
    """The bytes of every mail there, in a fixed order; nothing is changed.

    Raises:
        RejectedError: this is no such place, or it cannot be read.
    """
    try:
        if path.is_dir():
            return _of_maildir(path)
        with path.open("rb") as file:
            beginning = file.read(_SEEN)
        if not beginning:
            return iter(())
        if beginning.startswith(_FROM):
            return _of_mbox(path)
        if _HEADER.match(beginning):
            return iter((path.read_bytes(),))
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        message = f"{path} cannot be read ({reason}); name a Maildir, an mbox, or a file that holds one e-mail"
        raise RejectedError(message) from error
    message = f"{path} holds no mail; name a Maildir, an mbox, or a file that holds one e-mail"
    raise RejectedError(message)


def _of_maildir(path: Path) -> Iterator[bytes]:
    folders = [path / name for name in ("new", "cur")]
    if not all(folder.is_dir() for folder in folders):
        message = f"{path} is no Maildir, which has the folders new and cur; name a Maildir, an mbox, or one e-mail"
        raise RejectedError(message)
    # mailbox.Maildir would make a folder tmp that is missing, and asks for every file twice.
    files = sorted(file for folder in folders for file in folder.iterdir() if file.is_file())
    return (file.read_bytes() for file in files if not file.name.startswith("."))


def _of_mbox(path: Path) -> Iterator[bytes]:
    box = mailbox.mbox(path, create=False)
    try:
        for key in box.iterkeys():
            yield box.get_bytes(key)
    finally:
        # Without flush, which would write it anew.
        box._file.close()  # type: ignore[attr-defined]  # noqa: SLF001  close() flushes
