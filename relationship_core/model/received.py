"""What a provider, a form or a mailbox hands to a receiver, and what a receiver makes of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Self

from attrs import field, frozen

from relationship_core.errors import RejectedError
from relationship_core.model.message import DeliveryEvent, Reply
from relationship_core.model.validation import data, listed

_LOWEST_REFUSAL, _HIGHEST_REFUSAL = 400, 599


def _upper(method: str) -> str:
    return method.upper()


def _folded(headers: Mapping[str, str]) -> Mapping[str, str]:
    return MappingProxyType({name.lower(): value for name, value in headers.items()})


@frozen(kw_only=True)
class RawRequest:
    """A request as it came, of whatever web framework; or one e-mail, whose bytes are the body.

    Attributes:
        method: ``POST`` or another of HTTP; ``MAIL`` for an e-mail.
        url: the whole address as the sender used it, with its query; a signature may cover it.
        headers: by name in lower case; of several with one name, their values joined with a comma.
        body: its bytes, untouched: a signature covers them.
        received_at: when it came, by our clock.
    """

    method: str = field(default="POST", validator=data.filled, converter=_upper)
    url: str = field(default="", validator=data.text, repr=False)
    headers: Mapping[str, str] = field(factory=dict, converter=_folded, validator=data.texts_by_name, repr=False)
    body: bytes = field(default=b"", validator=data.an(bytes), repr=False)
    received_at: datetime = field(validator=data.aware)

    def header(self, name: str) -> str:
        """The value of a header, whatever its case; empty where there is none."""
        return self.headers.get(name.lower(), "")

    def __reduce__(self) -> tuple[object, ...]:
        """A request may wait in a queue of other processes, whose headers no pickle takes as they are."""
        return _again, (self.method, self.url, dict(self.headers), self.body, self.received_at)

    @classmethod
    def parse(cls, saved: bytes, *, received_at: datetime, scheme: str = "https") -> Self:
        """A request that was saved as it goes over the wire: request line, headers, an empty line, the body.

        Args:
            saved: the bytes; lines end with CR LF or LF.
            received_at: when it came.
            scheme: what the address begins with, where the request line names a path alone.

        Raises:
            RejectedError: this is no request.
        """
        head, separator, body = _split(saved)
        first, *lines = head.decode("latin-1").splitlines() or [""]
        parts = first.split()
        if not separator or len(parts) < 2 or not parts[0].isalpha():  # noqa: PLR2004  method and target
            message = (
                "this is no saved request: it must begin with a line such as 'POST /path HTTP/1.1', then headers, an "
                "empty line, and the body"
            )
            raise RejectedError(message)
        headers = _headers(lines)
        target = parts[1]
        url = target if "://" in target else f"{scheme}://{headers.get('host', '')}{target}"
        return cls(method=parts[0], url=url, headers=headers, body=body, received_at=received_at)


def _again(method: str, url: str, headers: Mapping[str, str], body: bytes, received_at: datetime) -> RawRequest:
    return RawRequest(method=method, url=url, headers=headers, body=body, received_at=received_at)


def _split(saved: bytes) -> tuple[bytes, bytes, bytes]:
    return min((saved.partition(empty) for empty in (b"\r\n\r\n", b"\n\n")), key=lambda parts: len(parts[0]))


def _headers(lines: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        name = name.strip().lower()
        found[name] = f"{found[name]}, {value.strip()}" if name in found else value.strip()
    return found


@frozen(kw_only=True)
class Heard:
    """What a receiver understood of a request that it verified.

    Attributes:
        events: what became of messages.
        replies: what customers wrote.
        ignored: how much of it says nothing about a message of ours.
    """

    events: tuple[DeliveryEvent, ...] = field(default=(), converter=listed, validator=data.each(DeliveryEvent))
    replies: tuple[Reply, ...] = field(default=(), converter=listed, validator=data.each(Reply))
    ignored: int = field(default=0, validator=data.whole(0))


@frozen(kw_only=True)
class Refusal:
    """Why a receiver takes nothing from a request.

    Attributes:
        status: the status of HTTP to answer with, 400 to 599.
        reason: one sentence without anything of the request in it.
    """

    status: int = field(validator=data.whole(_LOWEST_REFUSAL, _HIGHEST_REFUSAL))
    reason: str = field(validator=data.filled)
