"""A project that writes through SendGrid, and hears of it."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from relationship_core import (
    DELIVERY_EVENTS,
    MESSAGES,
    Action,
    Campaign,
    Choice,
    ConsentSettings,
    ContactPoint,
    Customer,
    Occasion,
    ProjectSettings,
    RawRequest,
    Relationships,
    Secret,
    Settings,
    Variant,
)

NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)
KEY = ec.derive_private_key(7, ec.SECP256R1())
WHO = ("ada", "bob", "eve")


@pytest.fixture
def project(fake: Any) -> Iterator[Relationships]:
    """A message waits for each of three customers; two of them get the same one."""
    public = KEY.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    sending = {"use": "sendgrid", "api_key": Secret(fake.key), "host": fake.server.url}
    hearing = {"use": "sendgrid", "public_keys": (base64.b64encode(public).decode(),)}
    variant = Variant(channel="mail", subject="Ready", text="{{ customer.name }}, it is ready.")
    campaign = Campaign(
        name="ready",
        owner="tests",
        purpose="service",
        nature="neutral",
        actions=[Action(name="tell", occasion=Occasion(name="once", key="once"), variants=(variant,))],
    )
    settings = Settings(
        project=ProjectSettings(name="Bakery", sender="Bakery <hello@example.com>", postal_address="1 Mill Lane"),
        channels={"mail": chosen(sending)},
        receivers={"sendgrid": chosen(hearing)},
        consent=ConsentSettings(without=("email",)),
    )
    with Relationships(settings=settings, campaigns=[campaign], clock=lambda: NOW) as project:
        project.record_customers(
            Customer(
                id=who,
                name="Ada" if who == "ada" else "You",
                contact_points=[ContactPoint(medium="email", address=f"{who}@example.com")],
            )
            for who in WHO
        )
        yield project


def chosen(given: dict[str, Any]) -> Choice:
    return Choice(use=given["use"], settings={key: value for key, value in given.items() if key != "use"})


def event(message: str, kind: str, minutes: int, **more: Any) -> dict[str, Any]:
    at = NOW - timedelta(minutes=minutes)
    return {"event": kind, "timestamp": int(at.timestamp()), "relationship_message": message, **more}


def report(project: Relationships, *events: dict[str, Any]) -> Any:
    body = json.dumps(events).encode()
    timestamp = str(int(NOW.timestamp()))
    signature = base64.b64encode(KEY.sign(timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))).decode()
    headers = {
        "X-Twilio-Email-Event-Webhook-Signature": signature,
        "X-Twilio-Email-Event-Webhook-Timestamp": timestamp,
    }
    return project.receivers.receive("sendgrid", RawRequest(headers=headers, body=body, received_at=NOW))


def test_what_is_sent_is_heard_of(project: Relationships, fake: Any) -> None:
    project.run(as_of=NOW)
    sent = project.store.read(MESSAGES).sort("customer")
    assert sent["state"].to_list() == ["accepted"] * 3
    assert sorted(fake.server.accepted) == sorted(sent["id"])
    assert sorted(len(mail["personalizations"]) for mail in fake.mails) == [1, 2]

    ada, bob, eve = sent["id"]
    events = [event(ada, "delivered", 9), event(bob, "bounce", 8, type="bounce"), event(eve, "processed", 7)]
    first = report(project, *events)
    assert (first.status, first.events, first.suppressed) == (200, 3, 1)
    again = report(project, *reversed(events))
    assert (again.events, again.repeated) == (0, 3)
    assert sorted(project.store.read(DELIVERY_EVENTS)["type"]) == ["accepted", "bounced", "delivered"]
    assert [each.reason for each in project.permissions.show("bob").suppressions] == ["hard_bounce"]


def test_a_wrong_key_leaves_everything_waiting(project: Relationships, fake: Any) -> None:
    fake.key = "another"
    project.review(as_of=NOW)
    project.plan(as_of=NOW)
    project.deliver(as_of=NOW)
    assert project.store.read(MESSAGES)["state"].to_list() == ["queued"] * 3
    assert fake.server.accepted == []
