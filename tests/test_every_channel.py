"""What holds on every channel that is installed: permission taken back and time run out stop a message before it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from relationship_core import (
    MESSAGES,
    Campaign,
    Choice,
    Consent,
    ContactPoint,
    Customer,
    ProjectSettings,
    Relationships,
    Variant,
    load_plugins,
)

START = datetime(2024, 1, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)
CHANNELS = load_plugins().channels
ADDRESSES = {"email": "ada@example.com", "sms": "+14155550123", "post": "1 Main St\nSpringfield, IL 62701"}
SECRET = {"env": "A_SECRET_OF_TESTS"}
NEEDED: dict[str, dict[str, Any]] = {
    "folder": {"path": "outbox"},
    "lob": {"api_key": SECRET, "sandbox": True},
    "post": {"path": "letters", "country": "US"},
    "sendgrid": {"api_key": SECRET},
    "smtp": {"host": "127.0.0.1", "port": 9},
    "twilio": {"account_sid": f"AC{'0' * 32}", "auth_token": SECRET, "sender": "+14155550100"},
}
"""What channels cannot be without; nobody listens where they would send to."""


@pytest.fixture
def queued(
    make_project: Callable[..., Relationships],
    make_campaign: Callable[..., Campaign],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Callable[[str], Relationships]:
    """A project with one marketing message in the outbox, for a channel that may be handed nothing."""
    monkeypatch.setenv("A_SECRET_OF_TESTS", "test_0123456789abcdef0123456789abcdef")

    def make(name: str) -> Relationships:
        campaign = make_campaign(
            "news", variants=[Variant(channel="line", subject="News", text="Hello")], limits={"expires_days": 2}
        )
        project = make_project(
            campaign,
            channels={"line": Choice(use=name, settings=NEEDED.get(name, {}))},
            quiet_hours={},
            folder=tmp_path,
            project=ProjectSettings(
                name="Corner Bakery",
                sender="Corner Bakery <hello@example.com>",
                postal_address="Corner Bakery\n1 Main St\nSpringfield, IL 62701",
            ),
        )
        points = [ContactPoint(medium=medium, address=address) for medium, address in ADDRESSES.items()]
        project.record_customers([Customer(id="ada", name="Ada", country="US", contact_points=points)])
        project.review(as_of=START)
        project.plan(as_of=START)
        channel = project._project.chosen.channel("line")
        monkeypatch.setattr(type(channel), "send", _never)
        return project

    return make


def _never(_channel: object, _messages: object) -> Any:
    pytest.fail("a message was handed over that may not go")


def state(project: Relationships) -> str:
    (found,) = project.store.read(MESSAGES)["state"].to_list()
    return str(found)


@pytest.mark.parametrize("name", sorted(CHANNELS))
def test_a_consent_that_is_withdrawn_stops_what_is_in_the_outbox(
    queued: Callable[[str], Relationships], name: str
) -> None:
    project = queued(name)
    assert state(project) == "queued"
    project.permissions.record_consents([Consent(customer="ada", act="withdraw", at=START + DAY)])
    assert project.deliver(as_of=START + DAY).stopped == 1
    assert state(project) == "stopped"


@pytest.mark.parametrize("name", sorted(CHANNELS))
def test_what_has_expired_is_not_handed_over(queued: Callable[[str], Relationships], name: str) -> None:
    project = queued(name)
    assert project.deliver(as_of=START + 3 * DAY).expired == 1
    assert state(project) == "expired"
