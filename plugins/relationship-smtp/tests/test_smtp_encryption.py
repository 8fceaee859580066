"""Encryption: on by default, and a server that cannot show who it is gets nothing."""

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from relationship_core import ConfigurationError, Receipt, Secret
from relationship_core.testing.channels import ChannelContract
from relationship_core.testing.mail_server import MailServer
from relationship_smtp.channel import SmtpChannel
from relationship_smtp.settings import SmtpSettings

MESSAGE = ChannelContract().message()
Certified = Callable[[str], ssl.SSLContext]


@pytest.fixture
def connect() -> Iterator[Callable[..., SmtpChannel]]:
    made: list[SmtpChannel] = []

    def make(port: int, **more: Any) -> SmtpChannel:
        known = {"host": "127.0.0.1", "sender": "hello@example.com", "timeout": 10.0, "answer_timeout": 10.0}
        made.append(SmtpChannel(SmtpSettings(port=port, **{**known, **more})))
        return made[-1]

    yield make
    for channel in made:
        channel.close()


def sent(channel: SmtpChannel) -> Receipt:
    (receipt,) = channel.send([MESSAGE])
    return receipt


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_a_certificate_that_holds_is_enough(
    serve: Callable[..., Any], certified: Certified, ca_file: Path, connect: Callable[..., SmtpChannel], tls: str
) -> None:
    _host, port, inbox = serve(tls=certified("127.0.0.1"), implicit=tls == "implicit")
    assert sent(connect(port, tls=tls, ca_file=ca_file)).state == "accepted"
    assert len(inbox.mails) == 1


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
@pytest.mark.parametrize(
    ("name", "is_trusted", "problem"),
    [("mail.example.com", True, "IP address mismatch"), ("127.0.0.1", False, "unable to get local issuer")],
)
def test_a_certificate_that_does_not_hold_stops_the_channel(  # noqa: PLR0917  pytest passes them by name
    serve: Callable[..., Any],
    certified: Certified,
    ca_file: Path,
    connect: Callable[..., SmtpChannel],
    tls: str,
    name: str,
    is_trusted: bool,
    problem: str,
) -> None:
    """Of another server, or of an authority that the system does not know."""
    _host, port, inbox = serve(tls=certified(name), implicit=tls == "implicit")
    channel = connect(port, tls=tls, ca_file=ca_file if is_trusted else None)
    with pytest.raises(ConfigurationError, match=rf"certificate .* does not hold \(.*{problem}.*\); nothing was sent"):
        sent(channel)
    assert inbox.mails == []


def test_encryption_that_is_not_offered_is_missed(connect: Callable[..., SmtpChannel]) -> None:
    """Somebody in between may have taken the offer out; neither the mail nor the password goes."""
    with MailServer(extensions=("PIPELINING", "AUTH PLAIN")) as server:
        channel = connect(server.port, user="bakery", password=Secret("correct horse"))
        with pytest.raises(ConfigurationError, match="offers no encryption"):
            sent(channel)
        assert [each.partition(" ")[0].upper() for each in server.commands] == ["EHLO"]
        assert server.messages == []


def test_an_offer_that_is_taken_back_defers(connect: Callable[..., SmtpChannel]) -> None:
    with MailServer({"STARTTLS": "454 4.7.0 not now"}, extensions=("STARTTLS",)) as server:
        assert sent(connect(server.port)).state == "deferred"
        assert server.messages == []


def test_a_port_without_encryption_is_told(connect: Callable[..., SmtpChannel]) -> None:
    with MailServer() as server, pytest.raises(ConfigurationError, match="does not begin with encryption"):
        sent(connect(server.port, tls="implicit"))


def test_nothing_is_encrypted_only_where_that_is_said(connect: Callable[..., SmtpChannel]) -> None:
    assert SmtpSettings(host="mail.example.com", sender="hello@example.com").tls == "starttls"
    with MailServer() as server:
        assert sent(connect(server.port, tls="none")).state == "accepted"


def test_certificates_that_are_none_are_told(tmp_path: Path, connect: Callable[..., SmtpChannel]) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(ConfigurationError, match="cannot be read; give ca_file a file in PEM"):
        sent(connect(1, ca_file=tmp_path / "ca.pem"))


def test_the_login_works_once_encrypted(
    serve: Callable[..., Any],
    certified: Certified,
    ca_file: Path,
    login: dict[str, Any],
    connect: Callable[..., SmtpChannel],
) -> None:
    _host, port, inbox = serve(tls=certified("127.0.0.1"), require_starttls=True, **login)
    right = connect(port, ca_file=ca_file, user="bakery", password=Secret("correct horse battery"))
    assert sent(right).state == "accepted"
    wrong = connect(port, ca_file=ca_file, user="bakery", password=Secret("wrong horse"))
    with pytest.raises(ConfigurationError, match=r"refuses the login .*535") as raised:
        sent(wrong)
    assert "horse" not in str(raised.value)
    with pytest.raises(ConfigurationError, match=r"refuses the login .*530"):
        sent(connect(port, ca_file=ca_file))
    assert len(inbox.mails) == 1
