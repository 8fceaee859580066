"""Asks SendGrid, through its own client, and tells what surely never reached it from what nobody knows of.

The client as it comes has no time-out, connects anew for each request, follows redirects with the key, takes proxies
from the environment, and logs key, addresses and texts. So its connection is replaced, and its log is silenced.
"""

from __future__ import annotations

import logging
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from selectors import EVENT_READ, DefaultSelector
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from python_http_client.client import Client  # type: ignore[import-untyped]  # the library has no types
from sendgrid import SendGridAPIClient  # type: ignore[import-untyped]  # the library has no types

from relationship_sendgrid.answers import Answer
from relationship_sendgrid.errors import UnansweredError, UnreachableError

if TYPE_CHECKING:
    from urllib.request import Request

    from relationship_sendgrid.settings import SendGridSettings

_LOG = logging.getLogger("python_http_client.client")


class Transport:
    """Sends documents to SendGrid's API."""

    def __init__(self, settings: SendGridSettings) -> None:
        self._line = _Line(settings.host, settings.timeout)
        self._api = SendGridAPIClient(settings.api_key.reveal(), host=settings.host)
        self._api.client = _LineClient(self._line, self._api.client)

    def send(self, document: Mapping[str, Any]) -> Answer:
        """Hand over one request of mail.

        Raises:
            UnreachableError: nothing was said.
            UnansweredError: nobody knows what came of it.
        """
        try:
            with _unlogged():
                response = self._api.client.mail.send.post(request_body=document)
        except (OSError, HTTPException) as error:
            self._line.close()
            raise UnansweredError(type(error).__name__) from None
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(status=response.status_code, headers=headers, body=response.body)

    def close(self) -> None:
        """End the connection; the next request makes another."""
        self._line.close()


class _Line:
    """One connection to a host, for one request after the other."""

    def __init__(self, host: str, timeout: float) -> None:
        self._host = host
        self._timeout = timeout
        self._connection: HTTPConnection | None = None

    def ask(self, request: Request) -> HTTPResponse:
        connection = self._open()
        connection.request(request.get_method(), request.selector, request.data, dict(request.header_items()))
        return connection.getresponse()

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _open(self) -> HTTPConnection:
        """The connection there is, unless the other side has ended it: what is said into it would be unknown."""
        connection = self._connection
        if connection is not None and connection.sock is not None and not _readable(connection):
            return connection
        self.close()
        fresh = _connection(self._host, self._timeout)
        try:
            fresh.connect()
        except OSError as error:
            fresh.close()
            raise UnreachableError(type(error).__name__) from None
        self._connection = fresh
        return fresh


def _connection(host: str, timeout: float) -> HTTPConnection:
    parts = urlsplit(host)
    if parts.scheme == "https":
        return HTTPSConnection(parts.netloc, timeout=timeout, context=ssl.create_default_context())
    return HTTPConnection(parts.netloc, timeout=timeout)


def _readable(connection: HTTPConnection) -> bool:
    """Whether something is to be read though nothing was asked: mostly the end."""
    with DefaultSelector() as selector:
        selector.register(connection.sock, EVENT_READ)
        return bool(selector.select(0))


class _LineClient(Client):  # type: ignore[misc]  # the library has no types
    """A client as the given one is, that asks over a line; and so do those that it makes for parts of the path."""

    def __init__(self, line: _Line, like: Client) -> None:
        super().__init__(
            host=like.host,
            request_headers=like.request_headers,
            version=like._version,  # noqa: SLF001  the library has no other way to ask
            url_path=like._url_path,  # noqa: SLF001  the library has no other way to ask
        )
        self._line = line

    def _build_client(self, name: str | None = None) -> _LineClient:
        return _LineClient(self._line, super()._build_client(name))

    def _make_request(self, opener: object, request: Request, timeout: float | None = None) -> HTTPResponse:  # noqa: ARG002  the library's signature; the line has its own time-out
        return self._line.ask(request)


@contextmanager
def _unlogged() -> Iterator[None]:
    """Nothing that this thread does is logged by the library: it would write key, addresses and texts."""
    here = threading.get_ident()

    def is_of_others(record: logging.LogRecord) -> bool:
        return record.thread != here

    _LOG.addFilter(is_of_others)
    try:
        yield
    finally:
        _LOG.removeFilter(is_of_others)
