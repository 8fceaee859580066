"""The channel twilio against a fake of Twilio's API on loopback, by Twilio's own client."""

import logging
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme

from relationship_core import (
    Attachment,
    Channel,
    Choice,
    ConfigurationError,
    Message,
    Price,
    Priced,
    Receipt,
    Secret,
    UnsupportedError,
    provider_settings,
)
from relationship_core.testing.channels import RemoteChannelContract, Trouble
from relationship_core.testing.servers import (
    Answer,
    LoopbackServer,
    busy,
    drops,
    failing,
    nobody,
    nonsense,
    silent,
)
from relationship_twilio.plugin import relationship_channels

ACCOUNT = "AC" + "0123456789abcdef" * 2
SERVICE = "MG" + "0123456789abcdef" * 2
API_KEY = "SK" + "0123456789abcdef" * 2
TOKEN = "t0ken" * 6
SENDER = "+15557654321"
HOOK = "https://shop.example.com/relationship/twilio"
NOW = datetime(2025, 3, 1, 9, tzinfo=UTC)
(PROVIDER,) = relationship_channels()
Make = Callable[..., Message]
Open = Callable[..., Channel]


def refused(code: int | None, status: int = 400, message: str = "no") -> dict[str, Any]:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return {"code": code, "message": message, "more_info": more, "status": status}


def states(receipts: Sequence[Receipt]) -> list[str]:
    return [each.state for each in receipts]


class TestTwilioChannel(RemoteChannelContract):
    provider = PROVIDER
    secrets = (TOKEN,)
    address = "+15550001234"
    longest = 600

    @pytest.fixture(autouse=True)
    def _peer(self, fake: Any, make: Open) -> Iterator[None]:
        self.fake, self.make = fake, make
        with ExitStack() as self.opened:
            yield

    @pytest.fixture
    def channel(self) -> Channel:
        return self.make()

    @pytest.fixture
    def sandboxed(self) -> Channel:
        return self.make(sandbox=True)

    def accepted(self) -> Sequence[str]:
        return list(self.fake.server.accepted)

    def troubled(self, trouble: Trouble) -> Channel:
        if trouble == "refused":
            return self.make(host=self.opened.enter_context(nobody()))
        if trouble == "denied":
            return self.make(auth_token=Secret(f"{TOKEN}-old"))
        self.fake.server.trouble = {
            "silent": silent(),
            "drops": drops(),
            "busy": busy(refused(20429, 429, f"Too many requests to {self.address}")),
            "failing": failing(refused(20500, 500, f"{self.address} {TOKEN}")),
            "nonsense": nonsense(status=201, body=f"<html>{self.address} {TOKEN}".encode()),
        }[trouble]
        return self.make(timeout=0.2 if trouble == "silent" else 5.0)


def test_a_message_has_everything_that_it_needs(message: Make, fake: Any, make: Open) -> None:
    sent = message(7, text="Grüße 🥐\nzwei", expires_at=NOW + timedelta(hours=2, seconds=0.5))
    (receipt,) = make().send([sent])
    assert (receipt.state, receipt.reference, receipt.detail) == ("accepted", f"SM{1:032x}", "")
    assert fake.forms == [
        {
            "To": "+15550000007",
            "From": SENDER,
            "Body": "Grüße 🥐\nzwei",
            "StatusCallback": f"{HOOK}?message={sent.id}&at={int(NOW.timestamp())}",
            "ValidityPeriod": "7200",
        }
    ]


def test_a_messaging_service_takes_the_senders_place(message: Make, fake: Any, make: Open) -> None:
    channel = make(sender="", messaging_service=SERVICE, callback_url="", api_key_sid=API_KEY)
    assert states(channel.send([message(1)])) == ["accepted"]
    assert fake.forms == [{"To": "+15550000001", "MessagingServiceSid": SERVICE, "Body": "Thank you."}]


@pytest.mark.parametrize(
    ("lives", "seconds"), [(timedelta(days=9), "36000"), (timedelta(seconds=36_001), "36000"), (timedelta(0), "1")]
)
def test_validity_keeps_to_twilios_bounds(message: Make, fake: Any, make: Open, lives: timedelta, seconds: str) -> None:
    make().send([message(1, expires_at=NOW + lives)])
    assert fake.forms[0]["ValidityPeriod"] == seconds


def test_one_connection_is_kept(message: Make, fake: Any, make: Open) -> None:
    channel = make()
    for number in range(4):
        channel.send([message(number)])
    assert fake.server.connections == 1


def test_what_cannot_go_is_not_asked_for(message: Make, fake: Any, make: Open) -> None:
    bad = [
        message(1, text=" \n"),
        message(2, text="a" * 1531),
        message(3, text="Ł" * 671),
        message(4, text="\ud83d"),
        message(5, address="01701234567"),
        message(6, address="+4917012345678901"),
        message(7, address="zoe@example.com"),
    ]
    assert states(make().send(bad)) == ["rejected"] * 7
    assert fake.server.requests == []
    assert states(make(longest=24).send([message(1, text="a" * 1600), message(2, text="Ł" * 1601)])) == [
        "accepted", "rejected",
    ]  # fmt: skip
    assert states(make(longest=1).send([message(1, text="a" * 161)])) == ["rejected"]


@pytest.mark.parametrize("address", ["+49 30 1234567", "+1 (212) 555-0100", "+49\u00a030\u202f12.34-56/7"])
def test_an_international_number_may_be_written_as_people_do(
    message: Make, fake: Any, make: Open, address: str
) -> None:
    assert states(make().send([message(1, address=address)])) == ["accepted"]
    (request,) = fake.server.requests
    assert request.form()["To"] in (["+49301234567"], ["+12125550100"])


@pytest.mark.parametrize(
    "address", ["+49 (0)30 1234567", "030 1234567", "+49 30 x", "+", "+ - ", "+49 30 1234567 ext. 5"]
)
def test_what_is_no_international_number_is_not_asked_for(message: Make, fake: Any, make: Open, address: str) -> None:
    assert states(make().send([message(1, address=address)])) == ["rejected"]
    assert fake.server.requests == []


def test_files_are_refused_before_anything_is_sent(message: Make, fake: Any, make: Open) -> None:
    file = Attachment(name="a.pdf", content=b"a")
    with pytest.raises(UnsupportedError):
        make().send([message(1), message(2, attachments=(file,))])
    assert fake.server.requests == []


@pytest.mark.parametrize(
    ("given", "priced", "minor"),
    [
        ({}, {}, None),
        ({"text": "Ł" * 71}, {"segment_price": 0.75}, 1.5),
        ({"address": "+493012345678"}, {"segment_price": 0.75, "segment_prices": {"DE": 9.0, "US": 0.5}}, 9.0),
        ({"address": "+12125550100", "country": "DE"}, {"segment_prices": {"DE": 9.0, "US": 0.5}}, 0.5),
        ({"address": "+33123456789"}, {"segment_price": 0.75, "segment_prices": {"DE": 9.0}}, 0.75),
        ({"address": "", "country": "DE"}, {"segment_prices": {"DE": 9.0}}, 9.0),
        ({"address": "", "text": ""}, {"segment_prices": {"DE": 9.0}}, None),
    ],
)
def test_a_price_is_by_segments_and_country(
    message: Make, make: Open, given: dict[str, Any], priced: dict[str, Any], minor: float | None
) -> None:
    channel = make(**priced)
    assert isinstance(channel, Priced)
    parts = 2 if "Ł" in given.get("text", "") else 1
    assert channel.price(message(1, **given)) == Price(parts=parts, part="segment", minor=minor)


def test_the_libraries_log_no_secret_and_no_person(
    message: Make, fake: Any, make: Open, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        make().send([message(1)])
    assert fake.server.accepted
    for hidden in (TOKEN, "+15550000001", "Thank you"):
        assert hidden not in caplog.text


def test_nothing_of_the_environment_is_taken(
    message: Make, fake: Any, make: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login thief password thief\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("TWILIO_EDGE", "sydney")
    with nobody() as proxy:
        monkeypatch.setenv("http_proxy", proxy)
        assert states(make().send([message(1)])) == ["accepted"]
    assert len(fake.forms) == 1


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"account_sid": "AC1"}, "account_sid"),
        ({"api_key_sid": ACCOUNT}, "api_key_sid"),
        ({"sender": "", "messaging_service": "1"}, "messaging_service"),
        ({"messaging_service": SERVICE}, "either messaging_service or sender"),
        ({"sender": ""}, "either messaging_service or sender"),
        ({"sender": "Corner Bakery"}, "sender"),
        ({"sender": "+0155512345"}, "sender"),
        ({"sender": "12"}, "sender"),
        ({"sender": "0155512345678"}, "sender"),
        ({"callback_url": "http://shop.example.com"}, "callback_url"),
        ({"callback_url": f"{HOOK}?a=b"}, "callback_url"),
        ({"host": "http://api.twilio.com"}, "host"),
        ({"timeout": 0.0}, "timeout"),
        ({"longest": 25}, "longest"),
        ({"longest": 0}, "longest"),
        ({"segment_price": -1.0}, "segment_price"),
        ({"segment_prices": {"Germany": 9.0}}, "segment_prices Germany"),
        ({"segment_prices": {"DE": -9.0}}, "segment_prices DE"),
        ({"auth_token": Secret("two\nlines")}, "one line"),
    ],
)
def test_wrong_settings_are_refused(make: Open, given: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        make(**given)


@pytest.mark.parametrize("sender", ["+15551234567", "12345", "Bakery 24"])
def test_numbers_short_codes_and_names_are_senders(message: Make, fake: Any, make: Open, sender: str) -> None:
    make(sender=sender).send([message(1)])
    assert fake.forms[0]["From"] == sender


def test_a_file_configures_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", TOKEN)
    table = {"account_sid": ACCOUNT, "sender": "12345", "auth_token": {"env": "TWILIO_AUTH_TOKEN"}}
    prices: dict[str, object] = {"segment_prices": {"US": 0.79, "DE": 9}}
    made = provider_settings(PROVIDER, Choice(use="twilio", settings={**table, **prices}), tmp_path, "[channels.sms]")
    assert dict(made.segment_prices) == {"US": 0.79, "DE": 9.0}
    assert made.auth_token.reveal() == TOKEN
    assert TOKEN not in repr(made)
    wrong = Choice(use="twilio", settings={**table, "segment_prices": {"US": "cheap"}})
    with pytest.raises(ConfigurationError, match=r"\[channels.sms\] segment_prices.US: must be a number"):
        provider_settings(PROVIDER, wrong, tmp_path, "[channels.sms]")


def test_a_channel_is_made_without_its_libraries() -> None:
    """Every command makes it, to learn its medium; few of them send."""
    code = (
        "import sys; from relationship_core import Secret; import relationship_twilio.plugin as p; "
        "p.relationship_receivers(); (provider,) = p.relationship_channels(); "
        "provider.factory(p.TwilioSettings("
        "account_sid='AC' + '0' * 32, auth_token=Secret('t'), sender='12345')).close(); "
        "assert not {'twilio', 'requests', 'phonenumbers', 'polars'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_stranger_is_told_nothing(message: Make, make: Open) -> None:
    """A certificate that nobody vouches for ends it before the token is said."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(context)
    with LoopbackServer(lambda _: Answer(status=201), tls=context) as server:
        (receipt,) = make(host=server.url).send([message(1)])
        assert (receipt.state, server.requests) == ("deferred", [])
        assert server.connections == 1
