"""A fake of Twilio's API on loopback, and what the tests of the channel build."""

import base64
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
from relationship_twilio.plugin import relationship_channels
from relationship_twilio.settings import TwilioSettings

ACCOUNT = "AC" + "0123456789abcdef" * 2
SERVICE = "MG" + "0123456789abcdef" * 2
API_KEY = "SK" + "0123456789abcdef" * 2
TOKEN = "t0ken" * 6
SENDER = "+15557654321"
HOOK = "https://shop.example.com/relationship/twilio"
NOW = datetime(2025, 3, 1, 9, tzinfo=UTC)
(PROVIDER,) = relationship_channels()


def refused(code: int | None, status: int = 400, message: str = "no") -> dict[str, Any]:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return {"code": code, "message": message, "more_info": more, "status": status}


class FakeTwilio:
    """As much of the API as messages need, with the checks that it is known for."""

    def __init__(self) -> None:
        self.account = ACCOUNT
        self.token = TOKEN
        self.server = LoopbackServer(self.answer)
        self.codes: dict[str, int] = {}
        self.forms: list[dict[str, str]] = []
        self.users = {ACCOUNT, API_KEY}
        self._numbers = itertools.count(1)

    def answer(self, request: Request) -> Answer:
        assert (request.method, request.path) == ("POST", f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json")
        kind, _, credentials = request.headers.get("authorization", "").partition(" ")
        assert kind == "Basic"
        user, _, word = base64.b64decode(credentials).decode().partition(":")
        if user not in self.users or word != TOKEN:
            return Answer.json(refused(20003, 401, f"Authenticate {user} {word}"), status=401)
        form = {name: value for name, (value,) in request.form().items()}
        if form["To"] in self.codes:
            code = self.codes[form["To"]]
            return Answer.json(refused(code, 400, f"The 'To' number {form['To']} is wrong: {form['Body']}"), status=400)
        assert ("From" in form) != ("MessagingServiceSid" in form)
        sid = f"SM{next(self._numbers):032x}"
        if form.get("From") != "+15005550006":  # the test credentials' number
            self.forms.append(form)
            callback = form.get("StatusCallback", "message=?&at=").partition("?message=")[2].partition("&")[0]
            self.server.accept(callback)
        made = {"sid": sid, "status": "queued", "error_code": None, "num_segments": "1", "to": form["To"]}
        return Answer.json(made, status=201)


@pytest.fixture
def fake() -> Iterator[FakeTwilio]:
    fake = FakeTwilio()
    with fake.server:
        yield fake


@pytest.fixture
def make(fake: FakeTwilio) -> Iterator[Callable[..., Channel]]:
    with ExitStack() as opened:

        def make_one(**given: Any) -> Channel:
            settings = {
                "account_sid": ACCOUNT,
                "auth_token": Secret(TOKEN),
                "sender": SENDER,
                "callback_url": HOOK,
                "host": fake.server.url,
                "timeout": 5.0,
                **given,
            }
            channel = PROVIDER.factory(TwilioSettings(**settings))
            opened.callback(channel.close)
            return channel

        yield make_one


@pytest.fixture
def message() -> Callable[..., Message]:
    """Builds a message; the same number gives the same one."""

    def build(number: int, **given: Any) -> Message:
        values: dict[str, Any] = {
            "id": f"{number:032x}",
            "engagement": Engagement(campaign="thanks", action="text", customer=f"c{number}", occasion="once"),
            "channel": "sms",
            "address": f"+1555000{number:04}",
            "text": "Thank you.",
            "at": NOW,
            **given,
        }
        return Message(**values)

    return build
