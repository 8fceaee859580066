"""A fake of SendGrid's API on loopback, and what the tests of the channel build."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import pytest

from relationship_core import (
    Channel,
    Engagement,
    Message,
    Secret,
)
from relationship_core.testing.servers import (
    Answer,
    LoopbackServer,
    Request,
)
from relationship_sendgrid.plugin import relationship_channels
from relationship_sendgrid.settings import SendGridSettings

KEY = "SG.aaaabbbbcccc.dddd-eeee_ffff"
(PROVIDER,) = relationship_channels()


def refusal_of(field: str | None, message: str, status: int = 400) -> Answer:
    return Answer.json({"errors": [{"message": message, "field": field, "help": None}]}, status=status)


class FakeSendGrid:
    """As much of the API as mail needs, with the checks that it is known for."""

    def __init__(self) -> None:
        self.key = KEY
        self.server = LoopbackServer(self.answer)
        self.mails: list[dict[str, Any]] = []
        self.bad_addresses: set[str] = set()
        self.tells_the_place = True
        self._numbers = itertools.count(1)

    def answer(self, request: Request) -> Answer:
        assert (request.method, request.path) == ("POST", "/v3/mail/send")
        assert request.headers["content-type"] == "application/json"
        if request.headers.get("authorization") != f"Bearer {self.key}":
            return refusal_of(None, "The provided authorization grant is invalid, expired, or revoked", 401)
        mail = request.json()
        problem = self.problem(mail)
        if problem:
            return problem
        if mail.get("mail_settings", {}).get("sandbox_mode", {}).get("enable"):
            return Answer(status=200)
        self.mails.append(mail)
        self.server.accept(*(each["custom_args"]["relationship_message"] for each in mail["personalizations"]))
        return Answer(status=202, headers={"X-Message-Id": f"mail-{next(self._numbers)}"})

    def problem(self, mail: dict[str, Any]) -> Answer | None:
        to = [person["email"] for each in mail["personalizations"] for person in each["to"]]
        assert 0 < len(to) <= 1000
        for number, address in enumerate(to):
            if address in self.bad_addresses:
                place = f"personalizations.{number}.to.0.email" if self.tells_the_place else None
                return refusal_of(place, f"Does not contain a valid address: {address}")
        if len({each.lower() for each in to}) < len(to):
            return refusal_of("personalizations", "Each unique email address should only be included once")
        if mail["from"]["email"] != "hello@example.com":
            return refusal_of("from", "The from address does not match a verified Sender Identity", 403)
        assert [part["type"] for part in mail["content"]] in (
            ["text/plain"],
            ["text/html"],
            ["text/plain", "text/html"],
        )
        assert all(part["value"] for part in mail["content"])
        return None


@pytest.fixture
def fake() -> Iterator[FakeSendGrid]:
    fake = FakeSendGrid()
    with fake.server:
        yield fake


@pytest.fixture
def make(fake: FakeSendGrid) -> Iterator[Callable[..., Channel]]:
    with ExitStack() as opened:

        def make_one(**given: Any) -> Channel:
            settings = {"api_key": Secret(KEY), "sender": "Corner Bakery <hello@example.com>", "host": fake.server.url}
            channel = PROVIDER.factory(SendGridSettings(**{**settings, "timeout": 5.0, **given}))
            opened.callback(channel.close)
            return channel

        yield make_one


@pytest.fixture
def message() -> Callable[..., Message]:
    """Builds a message; the same number gives the same one."""

    def build(number: int, **given: Any) -> Message:
        values: dict[str, Any] = {
            "id": f"{number:032x}",
            "engagement": Engagement(campaign="thanks", action="card", customer=f"c{number}", occasion="once"),
            "channel": "news",
            "address": f"c{number}@example.com",
            "recipient": f"Customer {number}",
            "subject": "Hello",
            "text": "Thank you.\n",
            "at": datetime(2025, 3, 1, 9, tzinfo=UTC),
            **given,
        }
        return Message(**values)

    return build
