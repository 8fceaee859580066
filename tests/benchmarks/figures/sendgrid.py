"""SendGrid, where personalizations fit: the channel's calls to a fake on loopback, against its bare requests."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from http.client import HTTPConnection
from urllib.parse import urlsplit

from measuring import Figure, timed, under
from projects import Prepared
from relationship_core import Engagement, Message, Secret
from relationship_core.testing.servers import Answer, LoopbackServer
from relationship_sendgrid.plugin import BATCH, relationship_channels
from relationship_sendgrid.settings import SendGridSettings

RECIPIENTS = 20_000
PER_SECOND = 5_000
REPEATS = 3


def measure(_prepared: Prepared, repeats: int) -> list[Figure]:
    """One mailing of the same content, in calls of the size that the plugin proposes, and of the largest."""
    return [_figure(size, repeats) for size in (BATCH, 1000)]


def _figure(size: int, repeats: int) -> Figure:
    messages = [_message(number) for number in range(RECIPIENTS)]
    calls = [messages[start : start + size] for start in range(0, RECIPIENTS, size)]
    pairs = []
    for _ in range(repeats):
        with LoopbackServer(lambda _: Answer(status=202, headers={"X-Message-Id": "mail"})) as server:
            product, _ = timed(_hand_over, server.url, calls)
            bodies = [request.body for request in server.requests]
            personalizations = sum(len(json.loads(body)["personalizations"]) for body in bodies)
            if (len(bodies), personalizations) != (len(calls), RECIPIENTS):
                message = f"{personalizations} recipients in {len(bodies)} requests"
                raise RuntimeError(message)
            probe, _ = timed(_post, server.url, bodies)
        pairs.append((product, probe))
    seconds = RECIPIENTS / PER_SECOND
    return under(
        "sendgrid",
        f"{RECIPIENTS:,} messages of the same content through SendGrid, {size} in a call",
        pairs,
        seconds,
        target=f"at least {PER_SECOND:,} recipients/s",
        notes=("the fake answers in the same process", "the probe's column is the bare requests, built before"),
    )


def _hand_over(url: str, calls: Sequence[Sequence[Message]]) -> None:
    (provider,) = relationship_channels()
    settings = SendGridSettings(api_key=Secret("key"), sender="Shop <hello@example.com>", host=url)
    channel = provider.factory(settings)
    try:
        states = {receipt.state for call in calls for receipt in channel.send(call)}
    finally:
        channel.close()
    if states != {"accepted"}:
        message = f"messages were {', '.join(sorted(states))}"
        raise RuntimeError(message)


def _post(url: str, bodies: Sequence[bytes]) -> None:
    connection = HTTPConnection(urlsplit(url).netloc)
    try:
        for body in bodies:
            connection.request("POST", "/v3/mail/send", body, {"Content-Type": "application/json"})
            connection.getresponse().read()
    finally:
        connection.close()


def _message(number: int) -> Message:
    return Message(
        id=f"{number:032x}",
        engagement=Engagement(campaign="news", action="write", customer=f"c{number:08}", occasion="2025-03"),
        channel="news",
        address=f"c{number:08}@example.com",
        recipient=f"Customer {number}",
        subject="What is new in March",
        text="Hello,\n\nthe new loaves are here.\n" * 20,
        html="<p>Hello,</p><p>the new loaves are here.</p>" * 20,
        at=datetime(2025, 3, 1, 9, tzinfo=UTC),
        unsubscribe=f"https://shop.example.com/relationship/{number:064x}",
    )
