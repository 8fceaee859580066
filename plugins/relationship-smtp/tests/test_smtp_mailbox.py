"""The receiver of what comes back: bounces, complaints, replies; and what strangers write."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Literal

import pytest
from hypothesis import given, strategies as st

from relationship_core import (
    ConfigurationError,
    DeliveryEvent,
    Heard,
    RawRequest,
    Receiver,
    Refusal,
    Reply,
)
from relationship_core.testing.receivers import ReceiverContract
from relationship_smtp.receiver import MailboxReceiver
from relationship_smtp.settings import MailboxSettings

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
SENT = "Mon, 02 Mar 2026 08:00:00 +0100"
ID = "0123456789abcdef" * 2


def receiver() -> MailboxReceiver:
    return MailboxReceiver(MailboxSettings(sender="Corner Bakery <hello@example.com>"))


def asked(body: bytes) -> Heard | Refusal:
    return receiver().receive(RawRequest(method="MAIL", body=body, received_at=NOW))


def heard(body: bytes) -> Heard:
    answer = asked(body)
    assert isinstance(answer, Heard), answer
    return answer


def crlf(*lines: str) -> bytes:
    return "\r\n".join((*lines, "")).encode()


def bounce(*, status: str = "5.1.1", action: str = "failed", more: Sequence[str] = (), original: str = "") -> bytes:
    """As Postfix writes it."""
    return crlf(
        "Return-Path: <>",
        "From: MAILER-DAEMON@mx.example.com (Mail Delivery System)",
        "To: hello@example.com",
        f"Date: {SENT}",
        "Subject: Undelivered Mail Returned to Sender",
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        'Content-Type: multipart/report; report-type=delivery-status; boundary="B"',
        "",
        "--B",
        "Content-Type: text/plain",
        "",
        "I'm sorry to have to inform you that your message could not be delivered.",
        "",
        "--B",
        "Content-Type: message/delivery-status",
        "",
        "Reporting-MTA: dns; mx.example.com",
        "Arrival-Date: Mon,  2 Mar 2026 07:59:00 +0100 (CET)",
        *more,
        "",
        "Final-Recipient: rfc822; zoe@example.com",
        "Original-Recipient: rfc822;zoe@example.com",
        *([f"Action: {action}"] if action else []),
        *([f"Status: {status}"] if status else []),
        "Diagnostic-Code: smtp; 550 5.1.1 <zoe@example.com>: mailbox zoe is not known here",
        "",
        "--B",
        "Content-Type: message/rfc822",
        "",
        original
        or f"From: hello@example.com\r\nTo: zoe@example.com\r\nMessage-ID: <{ID}@example.com>\r\n\r\nThank you.",
        "",
        "--B--",
    )


def complaint(kind: str = "abuse") -> bytes:
    return crlf(
        "From: feedback@provider.example.com",
        "To: hello@example.com",
        f"Date: {SENT}",
        "MIME-Version: 1.0",
        'Content-Type: multipart/report; report-type=feedback-report; boundary="B"',
        "",
        "--B",
        "Content-Type: text/plain",
        "",
        "This is an email abuse report.",
        "--B",
        "Content-Type: message/feedback-report",
        "",
        f"Feedback-Type: {kind}",
        "User-Agent: Provider/1.0",
        "Version: 1",
        "Arrival-Date: Mon, 02 Mar 2026 07:30:00 +0000",
        "Original-Rcpt-To: zoe@example.com",
        "",
        "--B",
        "Content-Type: text/rfc822-headers",
        "",
        "From: hello@example.com",
        f"Message-ID: <{ID}@example.com>",
        "",
        "--B--",
    )


def reply(text: str = "Thank you!", **headers: str) -> bytes:
    known = {
        "From": "Zoë <zoe@example.com>",
        "To": "hello@example.com",
        "Date": SENT,
        "Subject": "Re: Grüße",
        "Message-ID": "<abc@mail.example.com>",
        "In-Reply-To": f"<{ID}@example.com>",
    }
    mail = EmailMessage()
    for name, value in {**known, **{name.replace("_", "-"): value for name, value in headers.items()}}.items():
        if value:
            mail[name] = value
    mail.set_content(text)
    return mail.as_bytes()


class TestMailbox(ReceiverContract):
    sample = bounce()
    signed = False
    dated = False

    @pytest.fixture
    def receiver(self) -> Receiver:
        return receiver()

    def sign(self, body: bytes, now: datetime, *, secret: Literal[0, 1, 2] = 0) -> RawRequest:  # noqa: ARG002  unsigned
        return RawRequest(method="MAIL", body=body, received_at=now)


def only(body: bytes) -> DeliveryEvent:
    (event,) = heard(body).events
    return event


def test_a_bounce_is_of_our_message() -> None:
    event = only(bounce())
    assert (event.message, event.type, event.suppression) == (ID, "bounced", "hard_bounce")
    assert event.at == datetime(2026, 3, 2, 7, tzinfo=UTC)
    assert "5.1.1" in event.detail
    assert "zoe" not in event.detail


@pytest.mark.parametrize(
    ("action", "status", "type_", "suppression"),
    [
        ("failed", "5.1.1", "bounced", "hard_bounce"),
        ("failed", "5.1.2", "bounced", "hard_bounce"),
        ("failed", "5.1.10", "bounced", "hard_bounce"),
        ("Failed", "5.1.6 (moved)", "bounced", "hard_bounce"),
        ("failed", "5.7.1", "bounced", None),
        ("failed", "5.2.2", "bounced", None),
        ("failed", "5.1.8", "bounced", None),
        ("failed", "4.4.7", "bounced", None),
        ("failed", "", "bounced", "hard_bounce"),
        ("delayed", "4.4.1", "deferred", None),
        ("delayed", "5.1.1", "deferred", None),
        ("delivered", "2.0.0", "delivered", None),
        ("relayed", "2.0.0", "delivered", None),
        ("", "5.2.1", "bounced", None),
        ("", "4.4.1", "deferred", None),
    ],
)
def test_a_notice_says_what_happened(action: str, status: str, type_: str, suppression: str | None) -> None:
    event = only(bounce(action=action, status=status))
    assert (event.type, event.suppression) == (type_, suppression)


def test_a_notice_of_nothing_known_is_ignored() -> None:
    assert heard(bounce(action="exploded", status="")) == Heard(ignored=1)


@pytest.mark.parametrize(
    "original",
    [
        "From: hello@example.com\r\nMessage-ID: <abc@example.com>\r\n\r\nNot ours.",
        f"From: hello@example.com\r\nMessage-ID: <{ID}@example.org>\r\n\r\nOf somebody else.",
        f"From: hello@example.com\r\n\r\nMessage-ID: <{ID}@example.com> in the text.",
        "\r\n",
    ],
)
def test_a_bounce_of_another_message_is_ignored(original: str) -> None:
    assert heard(bounce(original=original)) == Heard(ignored=1)


def test_a_bounce_may_name_its_message_by_the_envelope() -> None:
    event = only(bounce(more=[f"Original-Envelope-Id: {ID}"], original="From: hello@example.com\r\n\r\nNo id."))
    assert (event.message, event.suppression) == (ID, "hard_bounce")


def test_a_bounce_may_hold_headers_alone() -> None:
    assert only(bounce().replace(b"message/rfc822", b"text/rfc822-headers")).message == ID


def test_a_date_that_cannot_be_is_not_believed() -> None:
    assert only(bounce().replace(SENT.encode(), b"Mon, 02 Mar 2099 08:00:00 +0100")).at == NOW
    assert only(bounce().replace(SENT.encode(), b"yesterday")).at == NOW
    last = bounce().replace(b"Action:", b"Last-Attempt-Date: Mon, 02 Mar 2026 07:59:30 +0100\r\nAction:")
    assert only(last).at == datetime(2026, 3, 2, 6, 59, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "type_", "suppression"),
    [
        ("abuse", "complained", "complaint"),
        ("fraud", "complained", "complaint"),
        ("opt-out", "unsubscribed", "unsubscribe"),
    ],
)
def test_a_complaint_is_of_our_message(kind: str, type_: str, suppression: str) -> None:
    event = only(complaint(kind))
    assert (event.message, event.type, event.suppression) == (ID, type_, suppression)
    assert event.at == datetime(2026, 3, 2, 7, 30, tzinfo=UTC)


def test_praise_is_no_complaint() -> None:
    assert heard(complaint("not-spam")) == Heard(ignored=1)


def only_reply(body: bytes) -> Reply:
    (found,) = heard(body).replies
    return found


def test_a_reply_names_what_it_answers() -> None:
    found = only_reply(reply())
    assert (found.message, found.medium, found.address) == (ID, "email", "zoe@example.com")
    assert (found.id, found.text, found.wish) == ("<abc@mail.example.com>", "Thank you!", None)
    assert found.at == datetime(2026, 3, 2, 7, tzinfo=UTC)


def test_a_reply_may_name_it_among_others() -> None:
    other = "<fedcba98" + "0" * 24 + "@example.com>"
    assert only_reply(reply(In_Reply_To="", References=f"<x@y> {other} <{ID}@example.com>")).message == ID


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("Yes.\n\nOn 2 March 2026 Corner Bakery <hello@example.com> wrote:\n> Thank you.\n", "Yes."),
        ("Yes.\n\nOn 2 March 2026 Corner Bakery\n<hello@example.com> wrote:\n\n> Thank you.\n", "Yes."),
        ("Ja.\n\n-----Original Message-----\nFrom: us\n", "Ja."),
        ("One thing:\nmore", "One thing:\nmore"),
        ("One thing:\n> quoted", "One thing:"),
        ("> quoted\nbelow", ""),
    ],
)
def test_what_is_quoted_is_not_said(text: str, own: str) -> None:
    assert only_reply(reply(text)).text == own


@pytest.mark.parametrize("text", ["STOP", "Unsubscribe.\n", "stop\n\nOn 2 March we wrote:\n> Hello"])
def test_a_reply_of_one_word_ends_messages(text: str) -> None:
    assert only_reply(reply(text)).wish == "stop"


def test_a_stop_needs_a_message_of_ours() -> None:
    """Anybody can write in another's name; only who got a message of ours knows its id."""
    found = only_reply(reply("STOP", In_Reply_To=""))
    assert (found.wish, found.message) == (None, None)


def test_more_than_the_word_is_for_a_person() -> None:
    assert only_reply(reply("Please stop the construction noise.")).wish is None


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Auto_Submitted": "auto-generated; owner=x"},
        {"Precedence": "auto_reply"},
        {"Precedence": "bulk"},
        {"X_Autoreply": "yes"},
        {"X_Auto_Response_Suppress": "All"},
        {"List_Id": "<news.example.com>"},
        {"Return_Path": "<>"},
        {"From": "MAILER-DAEMON@mx.example.com"},
        {"From": "no-reply@example.com"},
        {"From": "Corner Bakery <Hello@example.com>"},
        {"From": "nobody in particular"},
        {"Subject": "Automatic reply: Grüße"},
        {"Subject": "Out of office"},
    ],
    ids=str,
)
def test_machines_and_ourselves_are_ignored(headers: dict[str, str]) -> None:
    assert heard(reply(**headers)) == Heard(ignored=1)


def test_mail_of_a_person_is_heard_unasked() -> None:
    found = only_reply(reply("Do you open on Sunday?", In_Reply_To="", Message_ID=""))
    assert (found.message, found.text) == (None, "Do you open on Sunday?")
    assert len(found.id) == 64


def test_html_alone_is_read() -> None:
    assert only_reply(reply("<p>Thank you</p>").replace(b"text/plain", b"text/html")).text == "Thank you"


def test_an_unknown_character_set_is_read_all_the_same() -> None:
    assert "Thank you" in only_reply(reply().replace(b'charset="utf-8"', b'charset="klingon"')).text


def test_what_is_no_mail_is_refused() -> None:
    for body in (b"", b"\r\n\r\nhello", b"{}"):
        assert isinstance(asked(body), Refusal)


MAILS = (bounce(), complaint(), reply())


@given(data=st.data())
def test_no_pieces_of_mail_make_it_fail(data: st.DataObject) -> None:
    pieces = st.sampled_from([line for mail in MAILS for line in mail.splitlines(keepends=True)])
    noise = st.binary(max_size=30)
    body = b"".join(data.draw(st.lists(pieces | noise, max_size=40)))
    assert isinstance(asked(body), (Heard, Refusal))


@pytest.mark.parametrize("mail", MAILS)
@given(place=st.integers(0, 2000), noise=st.binary(max_size=20))
def test_no_noise_makes_it_fail(mail: bytes, place: int, noise: bytes) -> None:
    assert isinstance(asked(mail[:place] + noise + mail[place:]), (Heard, Refusal))


def test_settings_must_tell_our_own_messages() -> None:
    with pytest.raises(ConfigurationError, match="set domain to that of the channel"):
        MailboxSettings()
    with pytest.raises(ConfigurationError, match="domain must be"):
        MailboxSettings(domain="a b")
    assert MailboxSettings(domain="mail.example.com").message_domain == "mail.example.com"


def test_a_repeated_mail_says_the_same() -> None:
    late = RawRequest(method="MAIL", body=reply(Message_ID=""), received_at=NOW + timedelta(days=3))
    again = receiver().receive(late)
    assert isinstance(again, Heard)
    assert again.replies[0].id == only_reply(reply(Message_ID="")).id
