"""A web server on loopback, from which the fake of a provider is made in a few lines.

    def answer(request: Request) -> Answer:
        server.accept(request.json()["id"])
        return Answer.json({"ok": True})

    with LoopbackServer(answer) as server:
        channel = MyChannel(MySettings(host=server.url))
        server.trouble = drops()
        ...

It keeps every request that came whole and every key that the fake says it accepted, whatever the caller heard of it:
that is what a test compares receipts with.
"""

from __future__ import annotations

import json
import random
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self, TypeAlias
from urllib.parse import parse_qs, parse_qsl, urlsplit

from attrs import field, frozen

from relationship_core.model.received import RawRequest

LOOPBACK = "127.0.0.1"
BUSY_SECONDS = 7
PATIENCE = 10.0
"""Seconds that a caller back waits for its answer."""


@frozen(kw_only=True)
class Request:
    """A request that the server read to its end.

    Attributes:
        method: in capitals.
        url: the whole address, with its query.
        headers: by name in lower case.
        body: its bytes.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def path(self) -> str:
        """The path alone."""
        return urlsplit(self.url).path

    @property
    def query(self) -> Mapping[str, str]:
        """The query's parameters; of several with one name, the last."""
        return dict(parse_qsl(urlsplit(self.url).query, keep_blank_values=True))

    def json(self) -> Any:
        """The body, as JSON."""
        return json.loads(self.body)

    def form(self) -> Mapping[str, Sequence[str]]:
        """The fields of the body, as a form; each may come several times."""
        return parse_qs(self.body.decode(), keep_blank_values=True)

    def raw(self, *, received_at: datetime) -> RawRequest:
        """The same, as a receiver takes it."""
        return RawRequest(
            method=self.method, url=self.url, headers=self.headers, body=self.body, received_at=received_at
        )


@frozen(kw_only=True)
class Answer:
    """What the server says.

    Attributes:
        status: the status of HTTP.
        headers: beside Content-Length, which is computed.
        body: its bytes.
    """

    status: int = 200
    headers: Mapping[str, str] = field(factory=dict)
    body: bytes = b""

    @classmethod
    def json(cls, document: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Self:
        """An answer whose body is JSON."""
        body = json.dumps(document).encode()
        return cls(status=status, headers={"Content-Type": "application/json", **(headers or {})}, body=body)


Answering: TypeAlias = Callable[[Request], Answer]
"""The fake itself: what it answers when nothing is wrong. It may keep what it likes; it is called one at a time."""


@frozen(kw_only=True)
class Trouble:
    """Something wrong with one answer.

    Attributes:
        takes: whether the fake gets the request all the same, so that it may accept what it then says nothing about.
        answer: what is said in place of the fake's own answer; None for the fake's own.
        speaks: whether anything is said; without, the connection is closed.
        seconds: how long the caller waits before; a server that is closed waits no longer.
    """

    takes: bool = False
    answer: Answer | None = None
    speaks: bool = True
    seconds: float = 0.0


def silent(*, takes: bool = False) -> Trouble:
    """It reads the request and never answers."""
    return Trouble(takes=takes, speaks=False, seconds=threading.TIMEOUT_MAX)


def drops(*, takes: bool = True) -> Trouble:
    """It takes everything and closes without an answer."""
    return Trouble(takes=takes, speaks=False)


def slow(seconds: float) -> Trouble:
    """It takes everything, and its right answer comes late."""
    return Trouble(takes=True, seconds=seconds)


def busy(document: object = None, *, seconds: float | None = BUSY_SECONDS) -> Trouble:
    """It has no time now: 429, with Retry-After unless ``seconds`` is None."""
    wait = {} if seconds is None else {"Retry-After": f"{seconds:g}"}
    return Trouble(answer=Answer.json(document, status=429, headers=wait))


def failing(document: object = None, *, status: int = 500, takes: bool = False) -> Trouble:
    """It fails, perhaps after it took the request."""
    return Trouble(takes=takes, answer=Answer.json(document, status=status))


def denied(document: object = None, *, status: int = 401) -> Trouble:
    """It does not know the credentials."""
    return Trouble(answer=Answer.json(document, status=status))


def nonsense(*, status: int = 200, body: bytes = b"<html>It works!", takes: bool = False) -> Trouble:
    """What it says is not its protocol."""
    return Trouble(takes=takes, answer=Answer(status=status, headers={"Content-Type": "text/html"}, body=body))


@frozen(kw_only=True)
class Call:
    """What a provider reports by itself: one request to us."""

    headers: Mapping[str, str] = field(factory=dict)
    body: bytes = b""


class LoopbackServer:
    """A web server on loopback while it is entered. What goes wrong inside the fake is raised when it is left.

    Attributes:
        requests: every request that was read to its end, in order.
        connections: how many connections were made to it.
        accepted: the keys that the fake accepted, in order; it says so with ``accept``.
        trouble: what is wrong with every answer from now on; None where nothing is. What ``script`` says goes first.
    """

    def __init__(self, answer: Answering, *, tls: ssl.SSLContext | None = None) -> None:
        """Take a port; it listens from now on, and answers when it is entered.

        Args:
            answer: the fake.
            tls: with a certificate for ``localhost``, to speak HTTPS under that name.
        """
        self.requests: list[Request] = []
        self.connections = 0
        self.accepted: list[str] = []
        self.trouble: Trouble | None = None
        self._answer = answer
        self._script: list[Trouble | None] = []
        self._failures: list[BaseException] = []
        self._one_at_a_time = threading.Lock()
        self._closing = threading.Event()
        self._server = _Server((LOOPBACK, 0), _Handler)
        self._server.owner = self
        self._is_secure = tls is not None
        if tls is not None:
            # The handshake is the first thing that a connection's own thread reads.
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def url(self) -> str:
        """The address that everything here begins with; no slash at its end."""
        port = self._server.server_address[1]
        return f"https://localhost:{port}" if self._is_secure else f"http://{LOOPBACK}:{port}"

    def accept(self, *keys: str) -> None:
        """Note what the fake took; to be called by the fake."""
        self.accepted.extend(keys)

    def script(self, *troubles: Trouble | None) -> None:
        """What is wrong with each of the next answers; None where nothing is."""
        with self._one_at_a_time:
            self._script.extend(troubles)

    def call_back(self, url: str, calls: Iterable[Call], *, seed: int = 0, times: int = 2) -> list[int]:
        """Post each call to an address, several times and in an order that the seed draws.

        Args:
            url: where to; on loopback.
            calls: what is posted.
            seed: another one gives another order.
            times: how often each is posted.

        Returns:
            The statuses of the answers, in the order of posting.
        """
        posted = [call for call in calls for _ in range(times)]
        random.Random(seed).shuffle(posted)  # noqa: S311  an order needs no secret
        return [_post(url, call) for call in posted]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.hang_up()
        self._server.server_close()
        self._thread.join()
        if self._failures and error is None:
            raise self._failures[0]

    def answer_to(self, request: Request) -> Answer | None:
        """What is said to a request; None where the connection is closed without a word. For the handler."""
        with self._one_at_a_time:
            self.requests.append(request)
            trouble = (self._script.pop(0) if self._script else self.trouble) or Trouble(takes=True)
            own = self._asked(request) if trouble.takes else None
        if trouble.seconds:
            self._closing.wait(trouble.seconds)
        return (trouble.answer or own) if trouble.speaks else None

    def _asked(self, request: Request) -> Answer:
        try:
            return self._answer(request)
        except BaseException as error:  # noqa: BLE001  it is raised where the test can see it
            self._failures.append(error)
            return Answer(status=500)


@contextmanager
def nobody() -> Iterator[str]:
    """The base address of a server that refuses every connection, as long as it is entered."""
    with socket.socket() as held:
        held.bind((LOOPBACK, 0))  # never listens: the system refuses, and gives the port to nobody else
        yield f"http://{LOOPBACK}:{held.getsockname()[1]}"


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # closing waits for them, so that no thread and no socket outlives its test
    request_queue_size = 128
    owner: LoopbackServer

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self._open: set[socket.socket] = set()
        self._opening = threading.Lock()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._opening:
            self._open.add(request)
            self.owner.connections += 1
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._opening:
            self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """End every connection, so that the threads that read from them end as well."""
        with self._opening:
            connections = list(self._open)
        for connection in connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that went away is what many tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def __getattr__(self, name: str) -> Callable[[], None]:
        """The base class looks for a method of its own for each method of HTTP; here one answers them all."""
        if name.startswith("do_"):
            return self._respond
        raise AttributeError(name)

    def _respond(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if len(body) < length:
            self.close_connection = True
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        url = self.path if "://" in self.path else f"http://{headers.get('host', LOOPBACK)}{self.path}"
        answer = self.server.owner.answer_to(Request(method=self.command, url=url, headers=headers, body=body))
        if answer is None:
            self.close_connection = True
            return
        # In one piece: header and body apart wait for each other's acknowledgement.
        lines = {**answer.headers, "Content-Length": str(len(answer.body))}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self.wfile.write(f"HTTP/1.1 {answer.status} .\r\n{head}\r\n".encode("latin-1") + answer.body)

    def log_message(self, format: str, *args: Any) -> None:
        """A test's output is its own."""


def _post(url: str, call: Call) -> int:
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=PATIENCE)
    try:
        connection.request("POST", parts._replace(scheme="", netloc="").geturl(), call.body, dict(call.headers))
        return connection.getresponse().status
    finally:
        connection.close()
