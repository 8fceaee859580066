"""What a mail holds when it is parsed back from the wire, with and without a relay that signs it."""

import re
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parseaddr
from typing import Any

import attrs
import dkim  # type: ignore[import-untyped]  # it ships no types
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import HealthCheck, given, settings, strategies as st

from relationship_core import Attachment, Message
from relationship_core.testing.channels import NAME, ChannelContract
from relationship_smtp.channel import SmtpChannel
from relationship_smtp.html_text import text_of
from relationship_smtp.settings import SmtpSettings

LINK = "https://shop.example.com/r/u?t=" + "aB3-_" * 54
MESSAGE = attrs.evolve(
    ChannelContract().message(),
    subject="Grüße aus der Bäckerei, 你好 🥐: ein langer Betreff, der in keine Zeile von achtzig Zeichen passt",
    text="Dear Zoë,\n\nthank you.\n",
    html="<p>Dear Zoë, <b>thank you</b></p>",
)
assert len(LINK) > 300


@pytest.fixture
def mailed(serve: Callable[..., Any]) -> Iterator[Callable[..., bytes]]:
    """Sends a message to a real server: its bytes there."""
    host, port, inbox = serve()
    with ExitStack() as stack:

        def send(message: Message, **more: Any) -> bytes:
            known = {"tls": "none", "sender": "Bäckerei <hello@example.com>", "timeout": 10.0, "answer_timeout": 10.0}
            channel = SmtpChannel(SmtpSettings(host=host, port=port, **{**known, **more}))
            stack.callback(channel.close)
            (receipt,) = channel.send([message])
            assert receipt.state == "accepted", receipt.detail
            mail: bytes = inbox.mails[-1]
            return mail

        yield send


def parsed(content: bytes) -> EmailMessage:
    message = message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    assert not any(part.defects for part in message.walk())
    return message


def body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def lines_of(content: bytes) -> list[str]:
    """The header's lines as they are on the wire."""
    return content.partition(b"\r\n\r\n")[0].decode("ascii").split("\r\n")


def test_the_headers_say_who_writes_to_whom(mailed: Callable[..., bytes]) -> None:
    mail = parsed(mailed(MESSAGE, reply_to="Fragen <fragen@example.com>", domain="mail.example.com"))
    assert mail["From"].addresses[0].display_name == "Bäckerei"
    assert mail["From"].addresses[0].addr_spec == "hello@example.com"
    assert mail["Reply-To"].addresses[0].addr_spec == "fragen@example.com"
    assert (mail["To"].addresses[0].display_name, mail["To"].addresses[0].addr_spec) == (NAME, MESSAGE.address)
    assert mail["Subject"] == MESSAGE.subject
    assert mail["Date"].datetime == MESSAGE.at
    assert mail["Message-ID"] == f"<{MESSAGE.id}@mail.example.com>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert body(mail, "plain") == MESSAGE.text
    assert body(mail, "html").strip() == MESSAGE.html


def test_one_click_stands_on_one_line(mailed: Callable[..., bytes]) -> None:
    lines = lines_of(mailed(attrs.evolve(MESSAGE, unsubscribe=LINK)))
    assert f"List-Unsubscribe: <{LINK}>" in lines
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in lines
    assert "Precedence: bulk" in lines


def test_service_mail_offers_no_click(mailed: Callable[..., bytes]) -> None:
    mail = parsed(mailed(MESSAGE))
    assert not [name for name in mail if name.startswith("List-")]
    assert "Precedence" not in mail


def test_every_line_is_short_enough(mailed: Callable[..., bytes]) -> None:
    mail = mailed(attrs.evolve(MESSAGE, recipient=NAME * 40, subject="ü" * 900, text="ü" * 5000))
    assert max(map(len, mail.split(b"\r\n"))) <= 78
    assert b"\n" not in mail.replace(b"\r\n", b"")


def test_complaints_can_be_told_apart(mailed: Callable[..., bytes]) -> None:
    assert parsed(mailed(MESSAGE, feedback_id="corner-bakery"))["Feedback-ID"] == "thanks:card:news:corner-bakery"


def test_html_alone_gets_a_text(mailed: Callable[..., bytes]) -> None:
    mail = parsed(
        mailed(attrs.evolve(MESSAGE, text="", html="<h1>Hello</h1><p>see <a href='https://a.example/x'>us</a>"))
    )
    assert body(mail, "plain") == "Hello\n\nsee us (https://a.example/x)\n"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>a</p><p>b</p>", "a\n\nb\n"),
        ("<div>a</div><div>b<br>c</div>", "a\nb\nc\n"),
        ("<ul><li>a</li><li>b</li></ul>", "- a\n- b\n"),
        ("<head><title>t</title><style>p{}</style></head><body>a<script>b</script>", "a\n"),
        ("<a href='https://a.example'>https://a.example</a>", "https://a.example\n"),
        ("<a href='#x'>here</a> <a href='javascript:x()'>there</a>", "here there\n"),
        ("<a href='mailto:a@example.com'>write</a>", "write (a@example.com)\n"),
        ("<img alt='a rose' src='x.png'>", "a rose\n"),
        ("<table><tr><td>1</td><td>2</td></tr></table>", "1 2\n"),
        ("a &lt; b &amp; c&nbsp;d", "a < b & c d\n"),
        ("<p>one\n  two   three", "one two three\n"),
        ("<pre>one\n  two</pre>", "one\n  two\n"),
    ],
)
def test_html_reads_well_as_text(html: str, text: str) -> None:
    assert text_of(html) == text


@given(html=st.text(alphabet="<>/=\"'&; \nabpulitrdhe", max_size=200))
def test_no_html_is_too_wild_for_text(html: str) -> None:
    assert text_of(html).endswith("\n")


STYLED = """<html><head><style>.x{color:#ff0000} @media (max-width:600px){.x{color:blue}}</style>
<link rel="stylesheet" href="http://127.0.0.1:9/x.css"></head><body><p class="x">Grüße</p></body></html>"""


def test_styles_go_where_they_are_for(mailed: Callable[..., bytes]) -> None:
    html = body(parsed(mailed(attrs.evolve(MESSAGE, html=STYLED))), "html")
    assert re.search(r'<p class="x" style="color: ?#ff0000;?">Grüße</p>', html)
    assert "@media" in html


def test_styles_may_stay_where_they_are(mailed: Callable[..., bytes]) -> None:
    html = body(parsed(mailed(attrs.evolve(MESSAGE, html=STYLED), inline_css=False)), "html")
    assert html.strip() == STYLED


FILES = (
    Attachment(name="terms.pdf", type="application/pdf", content=b"%PDF-1.4\r\n.\r\n\x00\xff" * 200),
    Attachment(name='Rechnung "März" 你好.txt', type="text/plain", content=b"=_\n.\n"),
    Attachment(name="old.eml", type="message/rfc822", content=b"From: a@example.com\r\n\r\nhi\r\n"),
    Attachment(name="empty", type="no type at all", content=b""),
)


@pytest.mark.parametrize("html", ["", MESSAGE.html])
def test_files_arrive_as_they_are(mailed: Callable[..., bytes], html: str) -> None:
    mail = parsed(mailed(attrs.evolve(MESSAGE, html=html, attachments=FILES)))
    assert mail.get_content_type() == "multipart/mixed"
    assert body(mail, "plain") == MESSAGE.text
    files = list(mail.iter_attachments())
    assert [(each.get_filename(), each.get_payload(decode=True)) for each in files] == [
        (each.name, each.content) for each in FILES
    ]
    kinds = ["application/pdf", "text/plain", "application/octet-stream", "application/octet-stream"]
    assert [each.get_content_type() for each in files] == kinds


printable = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")) | st.just(" "), max_size=120)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    subject=printable,
    name=printable,
    text=st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=200),
)
def test_what_is_read_is_what_was_written(mailed: Callable[..., bytes], subject: str, name: str, text: str) -> None:
    subject, name = " ".join(subject.split()), " ".join(name.split())
    mail = parsed(mailed(attrs.evolve(MESSAGE, subject=subject, recipient=name, text=text, html="")))
    assert mail["Subject"] == subject
    assert parseaddr(str(mail["To"]))[1] == MESSAGE.address
    payload = mail.get_payload(decode=True)
    assert isinstance(payload, bytes)
    assert payload.decode().replace("\r\n", "\n").removesuffix("\n") == text.removesuffix("\n")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"unsubscribe": "http://shop.example.com/u"}, "one click"),
        ({"unsubscribe": "https://shop.example.com/u\r\nBcc: x@example.com"}, "one click"),
        ({"unsubscribe": "https://shop.example.com/>, <mailto:x@example.com"}, "one click"),
        ({"unsubscribe": "https://shop.example.com/" + "x" * 900}, "one click"),
        ({"attachments": [Attachment(name="a\r\nBcc: x@example.com", content=b"")]}, "name of an attachment"),
        ({"attachments": [Attachment(name="你" * 200, content=b"")]}, "name of an attachment"),
        ({"text": "\ud83e"}, "character"),
        ({"address": "zoë@example.com"}, "ASCII"),
    ],
    ids=str,
)
def test_what_no_mail_can_hold_is_rejected(change: dict[str, Any], problem: str) -> None:
    channel = SmtpChannel(SmtpSettings(host="mail.example.com", sender="hello@example.com"))
    (receipt,) = channel.send([attrs.evolve(MESSAGE, **change)])
    assert receipt.state == "rejected"
    assert problem in receipt.detail
    assert "example.com" not in receipt.detail


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


SIGNED = (b"from", b"to", b"subject", b"date", b"message-id", b"list-unsubscribe", b"list-unsubscribe-post")


def test_a_relay_can_sign_it(mailed: Callable[..., bytes], key: rsa.RSAPrivateKey) -> None:
    """With both headers of one click in h=, as the mailbox providers ask; without them a change would not be seen."""
    mail = mailed(attrs.evolve(MESSAGE, unsubscribe=LINK, attachments=FILES))
    private = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def record(_name: bytes, timeout: int = 5) -> bytes:  # noqa: ARG001  the signature of a look-up
        return b"v=DKIM1; k=rsa; p=" + b64encode(public)

    signature = dkim.sign(mail, b"mail", b"example.com", private, include_headers=SIGNED)
    assert all(name in signature.replace(b"\r\n", b"").replace(b" ", b"") for name in SIGNED)
    assert dkim.verify(signature + mail, dnsfunc=record)
    forged = mail.replace(b"List-Unsubscribe: <https://shop", b"List-Unsubscribe: <https://evil")
    assert not dkim.verify(signature + forged, dnsfunc=record)
