"""A mail server on loopback that follows a script: for channels that speak SMTP, and what goes wrong with them.

    with MailServer({"RCPT": "450 4.2.1 try later", ".": [HANG_UP]}) as server:
        channel = MyChannel(MySettings(host=server.host, port=server.port))
        ...

Where the script says nothing it takes every message, as any server would. It keeps every command and every message that
came whole, whatever the caller heard of it: that is what a test compares receipts with.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from enum import Enum
from itertools import repeat
from types import TracebackType
from typing import BinaryIO, Final, Self, TypeAlias

LOOPBACK = "127.0.0.1"


class Silence(Enum):
    """What a server does in the place of an answer."""

    SILENT = "it says nothing, and goes on listening"
    HANG_UP = "it closes the connection"


SILENT: Final = Silence.SILENT
HANG_UP: Final = Silence.HANG_UP

Reply: TypeAlias = str | Silence
"""A reply without its line break, or what there is in its place."""

_REPLIES: Mapping[str, str] = {
    "CONNECT": "220 loopback ESMTP",
    "HELO": "250 loopback",
    "AUTH": "235 2.7.0 welcome",
    "MAIL": "250 2.1.0 Ok",
    "RCPT": "250 2.1.5 Ok",
    "DATA": "354 go on",
    ".": "250 2.0.0 Ok: queued as 4F1D2",
    "RSET": "250 2.0.0 Ok",
    "NOOP": "250 2.0.0 Ok",
    "QUIT": "221 2.0.0 Bye",
}


class MailServer:
    """One server, a thread for each connection.

    Attributes:
        host: where it listens.
        port: the port there.
        commands: every command that it read, in order, of all connections.
        messages: every message that it read to its last line, the dots taken off again.
        connections: how many were made.
    """

    host = LOOPBACK

    def __init__(
        self,
        script: Mapping[str, Reply | Sequence[Reply]] | None = None,
        *,
        extensions: Sequence[str] = ("PIPELINING", "ENHANCEDSTATUSCODES"),
    ) -> None:
        """Listen at once; ``with`` begins to answer.

        Args:
            script: what is answered to a command, to ``CONNECT`` and to ``.``, the end of a message. Of several replies
                each is given once, then comes what any server says.
            extensions: what EHLO tells.
        """
        self.commands: list[str] = []
        self.messages: list[bytes] = []
        self.connections = 0
        self._extensions = extensions
        self._script = {
            verb: repeat(replies) if isinstance(replies, str | Silence) else iter(replies)
            for verb, replies in (script or {}).items()
        }
        self._lock = threading.Lock()
        self._listening = socket.create_server((LOOPBACK, 0))
        self.port: int = self._listening.getsockname()[1]
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._listen, daemon=True)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection, and listen no more; may be called twice."""
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        if self._threads[0].ident is not None:
            self._threads[0].join()  # from here on there are no new connections
        for each in self._open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads[1:]:
            thread.join()

    def _listen(self) -> None:
        while True:
            try:
                connection, _address = self._listening.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
                self._open.append(connection)
                thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
                self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError), connection.makefile("rb") as lines:
            if self._answer(connection, "CONNECT") is HANG_UP:
                return
            for command in lines:
                words = command.decode("latin-1").strip()
                verb = words.partition(" ")[0].upper()
                with self._lock:
                    self.commands.append(words)
                reply = self._answer(connection, verb)
                if reply is HANG_UP or verb == "QUIT":
                    return
                if verb == "DATA" and isinstance(reply, str) and reply.startswith("354"):
                    message = b"".join(_message(lines))
                    with self._lock:
                        self.messages.append(message)
                    if self._answer(connection, ".") is HANG_UP:
                        return

    def _answer(self, connection: socket.socket, verb: str) -> Reply:
        with self._lock:
            reply = next(self._script.get(verb, iter(())), None) or self._usual(verb)
        if isinstance(reply, str):
            connection.sendall(f"{reply}\r\n".encode())
        return reply

    def _usual(self, verb: str) -> str:
        if verb == "EHLO":
            told = ("loopback", *self._extensions)
            return "\r\n".join(f"250{'-' if place < len(told) else ' '}{each}" for place, each in enumerate(told, 1))
        return _REPLIES.get(verb, "500 5.5.1 unknown command")


def _message(lines: BinaryIO) -> Iterator[bytes]:
    for line in lines:
        if line == b".\r\n":
            return
        yield line.removeprefix(b".")
    message = "the caller went away in the middle of a message"
    raise ConnectionError(message)
