"""The channel: the contract, and what each answer of a server comes to."""

import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from email import message_from_bytes
from pathlib import Path
from typing import Any

import attrs
import pytest

from relationship_core import Channel, ConfigurationError, Message, Receipt, Secret
from relationship_core.testing.channels import ChannelContract, RemoteChannelContract, Trouble
from relationship_core.testing.mail_server import HANG_UP, SILENT, MailServer, Reply
from relationship_smtp.channel import SmtpChannel
from relationship_smtp.plugin import relationship_channels
from relationship_smtp.settings import SmtpSettings

PASSWORD = "correct horse battery"  # noqa: S105  of a server that lives as long as a test
MESSAGE = ChannelContract().message()


class Rig:
    """Channels on servers that follow a script, all of them gone with the test."""

    server: MailServer

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def channel(self, script: Mapping[str, Reply | Sequence[Reply]], **more: Any) -> SmtpChannel:
        extensions = more.pop("extensions", ("PIPELINING", "ENHANCEDSTATUSCODES"))
        self.server = self._stack.enter_context(MailServer(script, extensions=extensions))
        return self.at(self.server.host, self.server.port, **more)

    def at(self, host: str, port: int, **more: Any) -> SmtpChannel:
        known = {"tls": "none", "sender": "Bäckerei <hello@example.com>", "timeout": 0.3, "answer_timeout": 0.3}
        channel = SmtpChannel(SmtpSettings(host=host, port=port, **{**known, **more}))
        self._stack.callback(channel.close)
        return channel


@pytest.fixture
def rig() -> Iterator[Rig]:
    with ExitStack() as stack:
        yield Rig(stack)


def sent(channel: Channel, *messages: Message) -> Sequence[Receipt]:
    return channel.send(messages or [MESSAGE])


def numbered(number: int) -> Message:
    return attrs.evolve(MESSAGE, id=f"{number:032x}")


class TestSmtp(RemoteChannelContract):
    provider = relationship_channels()[0]
    secrets = (PASSWORD,)

    @pytest.fixture(autouse=True)
    def _peers(
        self,
        serve: Callable[..., Any],
        certified: Callable[[str], ssl.SSLContext],
        ca_file: Path,
        login: dict[str, Any],
        rig: Rig,
    ) -> None:
        self._rig = rig
        self._ca_file = ca_file
        self._serve: Callable[[], Any] = lambda: serve(tls=certified("127.0.0.1"), require_starttls=True, **login)

    @pytest.fixture
    def channel(self) -> Channel:
        host, port, self._inbox = self._serve()
        password = Secret(PASSWORD)
        known = {"tls": "starttls", "timeout": 10.0, "answer_timeout": 10.0, "ca_file": self._ca_file}
        return self._rig.at(host, port, user="bakery", password=password, **known)

    def accepted(self) -> list[str]:
        ids = [str(message_from_bytes(mail)["Message-ID"]) for mail in self._inbox.mails]
        return [each.strip("<>").partition("@")[0] for each in ids]

    def troubled(self, trouble: Trouble) -> Channel:
        scripts: Mapping[Trouble, Mapping[str, Reply]] = {
            "refused": {},
            "silent": {".": SILENT},
            "drops": {".": HANG_UP},
            "busy": {"RCPT": f"450 4.2.1 {MESSAGE.recipient} <{MESSAGE.address}> try later"},
            "failing": {".": f"451 4.3.0 no place for {MESSAGE.address}"},
            "nonsense": {".": f"well, {MESSAGE.address}"},
            "denied": {"AUTH": f"535 5.7.8 no {PASSWORD} here, {MESSAGE.address}"},
        }
        channel = self._rig.channel(
            scripts[trouble], user="bakery", password=Secret(PASSWORD), extensions=("PIPELINING", "AUTH PLAIN")
        )
        if trouble == "refused":
            self._rig.server.close()
        return channel


PIPELINING = [pytest.param(("PIPELINING",), id="pipelining"), pytest.param((), id="in turn")]


@pytest.mark.parametrize("extensions", PIPELINING)
@pytest.mark.parametrize(
    ("script", "state", "suppression"),
    [
        ({"RCPT": "450 4.2.1 later"}, "deferred", None),
        ({"RCPT": "550 5.1.1 nobody here"}, "rejected", "hard_bounce"),
        ({"RCPT": "550 5.1.2 no such domain"}, "rejected", "hard_bounce"),
        ({"RCPT": "550-5.1.1 nobody\r\n550 5.1.1 here"}, "rejected", "hard_bounce"),
        ({"RCPT": "550 no such user"}, "rejected", None),
        ({"RCPT": "554 5.7.1 relay access denied"}, "rejected", None),
        ({"RCPT": "552 5.2.2 mailbox full"}, "rejected", None),
        ({"RCPT": "553 5.1.8 your address is wrong"}, "rejected", None),
        ({"RCPT": "421 4.3.2 going away"}, "deferred", None),
        ({"RCPT": "354 what?"}, "deferred", None),
        ({"RCPT": HANG_UP}, "deferred", None),
        ({"RCPT": SILENT}, "deferred", None),
        ({"RCPT": "nonsense"}, "deferred", None),
        ({"MAIL": "451 4.7.1 greylisted"}, "deferred", None),
        ({"MAIL": "552 5.3.4 too large"}, "rejected", None),
        ({"MAIL": HANG_UP}, "deferred", None),
        ({"DATA": "451 4.3.0 later"}, "deferred", None),
        ({"DATA": "554 5.6.0 no"}, "rejected", None),
        ({"DATA": "250 2.0.0 Ok"}, "deferred", None),
        ({"DATA": HANG_UP}, "deferred", None),
        ({".": "451 4.3.0 later"}, "deferred", None),
        ({".": "550 5.7.1 looks like spam"}, "rejected", None),
        ({".": "550 5.1.1 nobody here"}, "rejected", "hard_bounce"),
        ({".": HANG_UP}, "unknown", None),
        ({".": SILENT}, "unknown", None),
        ({".": "354 what?"}, "unknown", None),
        ({".": "220 "}, "accepted", None),
        ({"CONNECT": "554 5.3.2 no service"}, "deferred", None),
        ({"CONNECT": SILENT}, "deferred", None),
        ({"CONNECT": HANG_UP}, "deferred", None),
        ({"EHLO": "500 what?", "HELO": "500 what?"}, "deferred", None),
        ({"EHLO": "500 what?"}, "accepted", None),
    ],
    ids=str,
)
def test_each_answer_has_its_receipt(
    rig: Rig,
    script: Mapping[str, Reply],
    state: str,
    suppression: str | None,
    extensions: tuple[str, ...],
) -> None:
    (receipt,) = sent(rig.channel(script, extensions=extensions))
    assert (receipt.state, receipt.suppression) == (state, suppression)
    assert receipt.detail or state == "accepted"


@pytest.mark.parametrize("extensions", PIPELINING)
def test_no_message_is_handed_over_without_its_recipient(rig: Rig, extensions: tuple[str, ...]) -> None:
    """A server that says 354 all the same gets an empty message, and the next one has a clean beginning."""
    channel = rig.channel({"RCPT": ["550 5.1.1 nobody here"]}, extensions=extensions)
    receipts = sent(channel, numbered(1), numbered(2))
    assert [each.state for each in receipts] == ["rejected", "accepted"]
    assert [mail for mail in rig.server.messages if mail] == rig.server.messages[-1:]
    assert b"00002@example.com" in rig.server.messages[-1]
    assert [each for each in rig.server.commands if each.upper() == "RSET"] == ["RSET"]
    assert rig.server.connections == 1


@pytest.mark.parametrize("extensions", PIPELINING)
def test_one_connection_serves_many(rig: Rig, extensions: tuple[str, ...]) -> None:
    channel = rig.channel({}, extensions=extensions)
    for number in range(3):
        assert [each.state for each in sent(channel, numbered(number), numbered(number + 10))] == ["accepted"] * 2
    assert rig.server.connections == 1
    assert len(rig.server.messages) == 6
    channel.close()
    assert rig.server.commands[-1].upper() == "QUIT"


@pytest.mark.parametrize("ended", [HANG_UP, "421 4.4.2 idle for too long"])
def test_a_connection_that_was_closed_meanwhile_is_made_anew(rig: Rig, ended: Reply) -> None:
    channel = rig.channel({"MAIL": ["250 Ok", ended]})
    assert [each.state for each in sent(channel, numbered(1), numbered(2), numbered(3))] == ["accepted"] * 3
    assert rig.server.connections == 2
    assert len(rig.server.messages) == 3


def test_a_message_that_may_have_been_taken_is_not_sent_again(rig: Rig) -> None:
    channel = rig.channel({".": ["250 Ok", HANG_UP]})
    receipts = sent(channel, numbered(1), numbered(2), numbered(3))
    assert [each.state for each in receipts] == ["accepted", "unknown", "accepted"]
    assert len(rig.server.messages) == 3


def test_a_server_that_is_gone_is_waited_for_once(rig: Rig) -> None:
    channel = rig.channel({"CONNECT": SILENT})
    assert [each.state for each in sent(channel, numbered(1), numbered(2), numbered(3))] == ["deferred"] * 3
    assert rig.server.connections == 1


def test_what_the_server_calls_the_message_is_the_reference(rig: Rig) -> None:
    (receipt,) = sent(rig.channel({}))
    assert receipt.reference == "4F1D2"


def test_a_refused_sender_stops_the_channel(rig: Rig) -> None:
    channel = rig.channel({"MAIL": "550 5.1.8 who is hello@example.com?"})
    with pytest.raises(ConfigurationError, match=r"refuses mail from us .*550.*: correct sender") as raised:
        sent(channel)
    assert "hello@" not in str(raised.value)


def test_a_refused_sender_after_a_message_defers_the_rest(rig: Rig) -> None:
    """A receipt that there is already must not be lost."""
    channel = rig.channel({"MAIL": ["250 Ok", "550 5.7.1 not you", "550 5.7.1 not you"]})
    receipts = sent(channel, numbered(1), numbered(2), numbered(3))
    assert [each.state for each in receipts] == ["accepted", "deferred", "deferred"]
    assert "refuses mail from us" in receipts[1].detail


def test_a_server_that_wants_a_login_says_so(rig: Rig) -> None:
    with pytest.raises(ConfigurationError, match=r"refuses the login .*correct user and password"):
        sent(rig.channel({"MAIL": "530 5.7.0 Authentication required"}))


def test_a_login_that_is_put_off_defers(rig: Rig) -> None:
    channel = rig.channel(
        {"AUTH": "454 4.7.0 Temporary failure"}, user="bakery", password=Secret("x"), extensions=("AUTH PLAIN",)
    )
    (receipt,) = sent(channel)
    assert receipt.state == "deferred"


def test_a_server_without_a_login_is_told(rig: Rig) -> None:
    with pytest.raises(ConfigurationError, match="it takes no login here"):
        sent(rig.channel({}, user="bakery", password=Secret("x")))


@pytest.mark.parametrize("words", ["zoe@example.com", "<zoe@example.com>", "mailbox zoe", "Zoë Łukasiewicz"])
def test_a_receipt_repeats_the_server_without_the_person(rig: Rig, words: str) -> None:
    (receipt,) = sent(rig.channel({"RCPT": f"550 5.7.1 we know {words} well"}))
    assert "we know" in receipt.detail
    assert "zoe" not in receipt.detail.lower()
    assert "Łukasiewicz" not in receipt.detail


def test_the_servers_limit_is_known_before(rig: Rig) -> None:
    (receipt,) = sent(rig.channel({}, extensions=("SIZE 500",)), attrs.evolve(MESSAGE, text="Thank you.\n" * 100))
    assert (receipt.state, rig.server.messages) == ("rejected", [])
    assert "500 bytes" in receipt.detail


def test_the_size_is_told(rig: Rig) -> None:
    sent(rig.channel({}, extensions=("SIZE 100000",)))
    (told,) = [each for each in rig.server.commands if each.startswith("MAIL")]
    assert told.startswith("MAIL FROM:<hello@example.com> SIZE=")


def test_a_bounce_can_name_the_message_by_its_envelope(rig: Rig) -> None:
    sent(rig.channel({}, extensions=("DSN",), envelope_sender="bounces@example.com"))
    assert f"MAIL FROM:<bounces@example.com> RET=HDRS ENVID={MESSAGE.id}" in rig.server.commands


def test_a_message_beyond_the_size_limit_is_rejected(rig: Rig) -> None:
    channel = rig.channel({}, size_limit=2_000)
    receipts = sent(channel, numbered(1), attrs.evolve(numbered(2), text="x" * 2_000), numbered(3))
    assert [each.state for each in receipts] == ["accepted", "rejected", "accepted"]
    assert "size_limit" in receipts[1].detail


@pytest.mark.parametrize("text", [".", "..", ".\n.\n", "a\n.b\n\n.\nc", ".\r\nQUIT\r\n"])
def test_dots_are_dots(rig: Rig, text: str) -> None:
    (receipt,) = sent(rig.channel({}), attrs.evolve(MESSAGE, text=text, html=f"<p>\n.{text}\n.\n</p>"))
    assert receipt.state == "accepted"
    (mail,) = rig.server.messages
    payloads = [each.get_payload(decode=True) for each in message_from_bytes(mail).walk() if not each.is_multipart()]
    wanted = [text, f"<p>\n.{text}\n.\n</p>"]
    assert [str(each, "utf-8").replace("\r\n", "\n").rstrip() for each in payloads if isinstance(each, bytes)] == [
        each.replace("\r\n", "\n").rstrip() for each in wanted
    ]


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"host": "https://mail.example.com"}, "host must be the name of a server"),
        ({"port": 0}, "port must be"),
        ({"user": "bakery"}, "given together"),
        ({"user": "bakery", "password": Secret("x"), "tls": "none"}, "without encryption"),
        ({"user": "bäckerei", "password": Secret("x")}, "ASCII"),
        ({"sender": ""}, "nobody is named as sender"),
        ({"sender": "Bakery"}, "sender must be"),
        ({"sender": "Bakery <hello@example.com>\nBcc: x@example.com"}, "sender must be"),
        ({"reply_to": "a@example.com, b@example.com"}, "reply_to must be"),
        ({"envelope_sender": "Bakery <hello@example.com>"}, "envelope_sender must be"),
        ({"domain": "example.com>"}, "domain must be"),
        ({"hello": "a b"}, "hello must be"),
        ({"feedback_id": "a:b"}, "feedback_id must be"),
        ({"ca_file": Path("nowhere.pem")}, "no file of certificates"),
    ],
    ids=str,
)
def test_wrong_settings_are_told(settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        SmtpSettings(**{"host": "mail.example.com", "sender": "hello@example.com", **settings})


def test_settings_show_no_password() -> None:
    settings = SmtpSettings(host="mail.example.com", sender="hello@example.com", user="b", password=Secret(PASSWORD))
    assert PASSWORD not in repr(settings)
