"""The channel sendgrid against a fake of SendGrid's API on loopback, by SendGrid's own client."""

import base64
import logging
import ssl
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import trustme

from relationship_core import (
    Attachment,
    Channel,
    ConfigurationError,
    Message,
    Receipt,
    Secret,
)
from relationship_core.testing.channels import RemoteChannelContract, Trouble
from relationship_core.testing.servers import (
    Answer,
    LoopbackServer,
    Request,
    busy,
    drops,
    failing,
    nobody,
    nonsense,
    silent,
)
from relationship_sendgrid.errors import UnreachableError
from relationship_sendgrid.plugin import relationship_channels
from relationship_sendgrid.settings import SendGridSettings
from relationship_sendgrid.transport import Transport

KEY = "SG.aaaabbbbcccc.dddd-eeee_ffff"
(PROVIDER,) = relationship_channels()
Make = Callable[..., Message]
Open = Callable[..., Channel]


def states(receipts: Sequence[Receipt]) -> list[str]:
    return [each.state for each in receipts]


class TestSendGridChannel(RemoteChannelContract):
    provider = PROVIDER
    secrets = (KEY,)

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
            return self.make(api_key=Secret(f"{KEY}-revoked"))
        self.fake.server.trouble = {
            "silent": silent(),
            "drops": drops(),
            "busy": busy({"errors": [{"field": None, "message": f"too many requests of {KEY}"}]}),
            "failing": failing({"errors": [{"message": f"{self.address}"}]}),
            "nonsense": nonsense(body=f"<html>{self.address} {KEY}".encode()),
        }[trouble]
        return self.make(timeout=0.2 if trouble == "silent" else 5.0)


def test_a_mail_has_everything_that_it_needs(message: Make, fake: Any, make: Open) -> None:
    file = Attachment(name="Bedingungen für Sie.pdf", type="application/pdf", content=b"%PDF \x00\xff")
    link = "https://shop.example.com/unsubscribe/" + "t" * 260
    sent = message(
        7,
        subject="Grüße, 你好",
        text="Text",
        html="<p>Text</p>",
        attachments=(file,),
        unsubscribe=link,
        recipient="Zoë",
    )
    (receipt,) = make(reply_to="Care <care@example.com>").send([sent])
    assert (receipt.state, receipt.reference) == ("accepted", "mail-1")
    (mail,) = fake.mails
    assert mail["from"] == {"email": "hello@example.com", "name": "Corner Bakery"}
    assert mail["reply_to"] == {"email": "care@example.com", "name": "Care"}
    assert mail["subject"] == "Grüße, 你好"
    assert mail["content"] == [
        {"type": "text/plain", "value": "Text"},
        {"type": "text/html", "value": "<p>Text</p>"},
    ]
    assert mail["personalizations"] == [
        {
            "to": [{"email": "c7@example.com", "name": "Zoë"}],
            "custom_args": {"relationship_message": sent.id},
            "headers": {"List-Unsubscribe": f"<{link}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
        }
    ]
    (attached,) = mail["attachments"]
    assert base64.b64decode(attached.pop("content")) == file.content
    assert attached == {"type": "application/pdf", "filename": file.name, "disposition": "attachment"}
    assert mail["tracking_settings"] == {
        "click_tracking": {"enable": False, "enable_text": False},
        "open_tracking": {"enable": False},
        "subscription_tracking": {"enable": False},
    }
    assert "mail_settings" not in mail


def test_what_there_is_not_is_left_out(message: Make, fake: Any, make: Open) -> None:
    make(tracking=True).send([message(1, recipient="")])
    (mail,) = fake.mails
    assert mail["personalizations"][0] == {
        "to": [{"email": "c1@example.com"}],
        "custom_args": {"relationship_message": f"{1:032x}"},
    }
    assert mail["content"] == [{"type": "text/plain", "value": "Thank you.\n"}]
    assert not {"reply_to", "attachments"} & mail.keys()
    assert mail["tracking_settings"]["open_tracking"] == {"enable": True}


def test_the_same_content_goes_in_one_request(message: Make, fake: Any, make: Open) -> None:
    links = [f"https://shop.example.com/{number}" for number in range(1200)]
    messages = [message(number, unsubscribe=link) for number, link in enumerate(links)]
    receipts = make().send(messages)
    assert set(states(receipts)) == {"accepted"}
    assert sorted(len(mail["personalizations"]) for mail in fake.mails) == [200, 1000]
    headers = {
        each["custom_args"]["relationship_message"]: each["headers"]["List-Unsubscribe"]
        for mail in fake.mails
        for each in mail["personalizations"]
    }
    assert headers == {each.id: f"<{each.unsubscribe}>" for each in messages}


@pytest.mark.parametrize(
    "other",
    [{"subject": "Bye"}, {"text": "Bye"}, {"html": "<p>Bye"}, {"attachments": (Attachment(name="a", content=b"a"),)}],
)
def test_other_content_goes_in_another_request(message: Make, fake: Any, make: Open, other: dict[str, Any]) -> None:
    receipts = make().send([message(1), message(2, **other), message(3)])
    assert [each.reference for each in receipts] == ["mail-1", "mail-2", "mail-1"]
    assert [len(mail["personalizations"]) for mail in fake.mails] == [2, 1]


def test_an_address_is_once_in_a_request(message: Make, fake: Any, make: Open) -> None:
    shared = [message(number, address=each) for number, each in enumerate(["A@example.com", "a@example.com"] * 3)]
    assert states(make().send(shared)) == ["accepted"] * 6
    assert [len(mail["personalizations"]) for mail in fake.mails] == [1] * 6
    assert len(fake.server.requests) == 6  # none was refused for it
    assert Counter(fake.server.accepted) == Counter(each.id for each in shared)


def test_a_batch_goes_over_one_connection(message: Make, fake: Any, make: Open) -> None:
    channel = make()
    for _ in range(2):
        channel.send([message(number, text=f"Dear {number}") for number in range(5)])
    assert len(fake.server.requests) == 10
    assert fake.server.connections == 2


def test_what_cannot_go_is_not_asked_for(message: Make, fake: Any, make: Open) -> None:
    large = Attachment(name="film.mp4", content=bytes(23_000_000))
    bad = [
        message(1, attachments=(large,)),
        message(2, text=""),
        message(3, subject=""),
        message(4, text="\ud83d"),
        message(5, address="nobody"),
        message(6, recipient="\ud83d"),
        message(7, attachments=(Attachment(name="a\r\nBcc: b", content=b"a"),)),
        message(8, attachments=(Attachment(name="a", type="a/b\r\nBcc: b", content=b"a"),)),
    ]
    receipts = make().send(bad)
    assert states(receipts) == ["rejected"] * 8
    assert "30 MB" in receipts[0].detail
    assert fake.server.requests == []


def test_the_libraries_log_no_secret(message: Make, fake: Any, make: Open, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), caplog.at_level(logging.DEBUG, "python_http_client.client"):
        make().send([message(1)])
        logging.getLogger("python_http_client.client").debug("somebody else's")
    assert fake.server.accepted
    assert KEY not in caplog.text
    assert "c1@example.com" not in caplog.text
    assert "somebody else's" in caplog.text


def test_no_proxy_of_the_environment_is_asked(
    message: Make, fake: Any, make: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    with nobody() as proxy:
        monkeypatch.setenv("http_proxy", proxy)
        monkeypatch.setenv("https_proxy", proxy)
        assert states(make().send([message(1)])) == ["accepted"]
    assert fake.server.accepted


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"sender": ""}, "sender"),
        ({"sender": "Bakery"}, "sender"),
        ({"reply_to": "nobody"}, "reply_to"),
        ({"host": "http://api.sendgrid.com"}, "https"),
        ({"host": "https://api.sendgrid.com/v3"}, "host"),
        ({"host": "https://user:word@example.com"}, "host"),
        ({"timeout": 0.0}, "timeout"),
        ({"timeout": 601.0}, "timeout"),
        ({"api_key": Secret("two\nlines")}, "one line"),
        ({"api_key": Secret("schlüssel")}, "ASCII"),
    ],
)
def test_wrong_settings_are_refused(make: Open, given: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        make(**given)


def test_a_channel_is_made_without_its_libraries() -> None:
    """Every command makes it, to learn its medium; few of them send."""
    code = (
        "import sys; from relationship_core import Secret; import relationship_sendgrid.plugin as p; "
        "p.relationship_receivers(); (provider,) = p.relationship_channels(); "
        "provider.factory(p.SendGridSettings(api_key=Secret('k'), sender='a@example.com')).close(); "
        "assert not {'sendgrid', 'cryptography', 'python_http_client', 'polars'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_stranger_is_told_nothing(message: Make, make: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A certificate that nobody vouches for ends it before the key is said."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with LoopbackServer(lambda _: Answer(status=202), tls=context) as server:
        (receipt,) = make(host=server.url).send([message(1)])
        assert (receipt.state, server.requests) == ("deferred", [])
        authority.cert_pem.write_to_path(str(tmp_path / "trusted.pem"))
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "trusted.pem"))
        assert states(make(host=server.url).send([message(1)])) == ["accepted"]
        assert states(make(host=server.url.replace("localhost", "127.0.0.1")).send([message(1)])) == ["deferred"]


def test_other_threads_go_on_logging(message: Make, make: Open, caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("python_http_client.client")

    def answer(_: Request) -> Answer:
        log.debug("of the server's thread")
        return Answer(status=202)

    with LoopbackServer(answer) as server, caplog.at_level(logging.DEBUG, log.name):
        assert states(make(host=server.url).send([message(1)])) == ["accepted"]
    assert [each.message for each in caplog.records if each.name == log.name] == ["of the server's thread"]


def test_nothing_is_said_into_a_connection_that_was_ended() -> None:
    """What is said into it would be unknown, and it never was heard."""
    with LoopbackServer(lambda _: Answer(status=202)) as server:
        settings = SendGridSettings(api_key=Secret(KEY), sender="a@example.com", host=server.url)
        transport = Transport(settings)
        assert transport.send({}).status == 202
    with pytest.raises(UnreachableError):
        transport.send({})
    transport.close()
