"""A project that writes through Twilio, hears of it, and is answered."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]  # the library has no types

from relationship_core import (
    DELIVERY_EVENTS,
    MESSAGES,
    Action,
    Campaign,
    Choice,
    ConsentSettings,
    ContactPoint,
    Customer,
    Limits,
    Occasion,
    ProjectSettings,
    RawRequest,
    Relationships,
    Secret,
    Settings,
    Variant,
)

NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)
HOOK = "https://shop.example.com/relationship/twilio"
WHO = {"ada": "+12125550100", "bob": "+12125550101", "eve": "+12125550102"}


@pytest.fixture
def project(fake: Any) -> Iterator[Relationships]:
    """A message waits for each of three customers."""
    token = Secret(fake.token)
    sending = {"account_sid": fake.account, "auth_token": token, "sender": "+12125550199", "callback_url": HOOK}
    settings = Settings(
        project=ProjectSettings(name="Bakery", postal_address="1 Mill Lane", zone="America/New_York"),
        channels={"sms": Choice(use="twilio", settings={**sending, "host": fake.server.url})},
        receivers={"twilio": Choice(use="twilio", settings={"url": HOOK, "auth_tokens": (token,)})},
        consent=ConsentSettings(without=("sms",)),
    )
    campaign = Campaign(
        name="ready",
        owner="tests",
        purpose="service",
        nature="neutral",
        limits=Limits(expires_days=2),
        actions=[
            Action(
                name="tell",
                occasion=Occasion(name="once", key="once"),
                variants=(Variant(channel="sms", text="Your order is ready."),),
            )
        ],
    )
    with Relationships(settings=settings, campaigns=[campaign], clock=lambda: NOW + timedelta(hours=6)) as project:
        project.record_customers(
            Customer(id=who, contact_points=[ContactPoint(medium="sms", address=number)]) for who, number in WHO.items()
        )
        yield project


def told(project: Relationships, token: str, fields: Mapping[str, str], url: str = HOOK, *, hours: int = 4) -> Any:
    """What comes of a request of Twilio."""
    signature = RequestValidator(token).compute_signature(url, dict(fields))
    request = RawRequest(
        url=url,
        headers={"X-Twilio-Signature": signature},
        body=urlencode(fields).encode(),
        received_at=NOW + timedelta(hours=hours),
    )
    return project.receivers.receive("twilio", request)


def test_what_is_sent_is_heard_of_and_answered(project: Relationships, fake: Any) -> None:
    now = NOW + timedelta(hours=4)  # by day in New York
    project.run(as_of=now)
    sent = project.store.read(MESSAGES).sort("customer")
    assert sent["state"].to_list() == ["accepted"] * 3
    assert sorted(fake.server.accepted) == sorted(sent["id"])

    callbacks = {form["To"]: form["StatusCallback"] for form in fake.forms}
    reports = [
        ("ada", {"MessageStatus": "delivered"}),
        ("ada", {"MessageStatus": "sent"}),
        ("bob", {"MessageStatus": "undelivered", "ErrorCode": "30006"}),
        ("eve", {"MessageStatus": "failed", "ErrorCode": "21610"}),
    ]
    for hours in (4, 5):  # the same again, an hour later
        answers = [told(project, fake.token, fields, callbacks[WHO[who]], hours=hours) for who, fields in reports]
        assert [each.status for each in answers] == [200] * 4
        assert [each.events for each in answers] == [1 if hours == 4 else 0] * 4
    events = project.store.read(DELIVERY_EVENTS)
    assert sorted(events["type"]) == ["accepted", "bounced", "delivered", "rejected"]
    assert events["at"].n_unique() == 1
    states = dict(project.store.read(MESSAGES).select("customer", "state").iter_rows())
    assert states == {"ada": "accepted", "bob": "accepted", "eve": "rejected"}
    assert [each.reason for each in project.permissions.show("bob").suppressions] == ["hard_bounce"]
    assert [each.reason for each in project.permissions.show("eve").suppressions] == ["stop"]

    stop = {"MessageSid": f"SM{9:032x}", "From": WHO["ada"], "To": "+12125550199", "Body": "Stop!"}
    for _ in range(2):
        assert told(project, fake.token, stop).status == 200
    assert [each.reason for each in project.permissions.show("ada").suppressions] == ["stop"]
