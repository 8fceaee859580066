"""E-mail as bytes: what the folder and SMTP have in common, parsed back."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from typing import Any

import attrs
import pytest
from hypothesis import given, strategies as st

from relationship_core import Attachment, Message, RejectedError, eml, refusal
from relationship_core.testing.channels import ChannelContract

MESSAGE = attrs.evolve(ChannelContract().message(), html="<p>Thank <b>you</b></p>")
LINK = "https://shop.example.com/r/u?t=" + "x" * 300


def written(message: Message = MESSAGE, **more: Any) -> bytes:
    return eml(message, **{"sender": "hello@example.com", "domain": "example.com", **more})


def parsed(content: bytes) -> EmailMessage:
    mail = message_from_bytes(content, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    assert not any(part.defects for part in mail.walk())
    return mail


def test_one_click_stands_on_lines_of_its_own() -> None:
    lines = written(attrs.evolve(MESSAGE, unsubscribe=LINK)).decode("ascii").split("\r\n")
    assert f"List-Unsubscribe: <{LINK}>" in lines
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in lines


def test_nothing_is_said_of_one_click_without_an_address() -> None:
    assert b"List-" not in written()


def test_more_headers_come_before_the_content() -> None:
    mail = parsed(written(reply_to="Fragen <fragen@example.com>", headers=[("Auto-Submitted", "auto-generated")]))
    assert mail["Reply-To"].addresses[0].addr_spec == "fragen@example.com"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content_type() == "multipart/alternative"


@pytest.mark.parametrize("line_break", ["\r\nBcc: thief@example.com", "\n", "\r", "\x00", "\x7f"])
@pytest.mark.parametrize("place", ["id", "subject", "recipient", "address", "unsubscribe"])
def test_no_header_begins_another(place: str, line_break: str) -> None:
    """Even of a message that nobody asked ``refusal`` about."""
    change: dict[str, Any] = {place: f"{getattr(MESSAGE, place) or LINK}{line_break}"}
    with pytest.raises(RejectedError, match="line break or another control character"):
        written(attrs.evolve(MESSAGE, **change))


@pytest.mark.parametrize("more", [{"sender": "a@b\r\nX: y"}, {"reply_to": "a@b\n"}, {"domain": "x>\r\n"}])
def test_nor_does_one_of_ours(more: dict[str, Any]) -> None:
    with pytest.raises(RejectedError):
        written(**more)
    with pytest.raises(RejectedError):
        written(headers=[("X", next(iter(more.values())) + "\n")])


def test_files_are_around_what_was_written() -> None:
    file = Attachment(name="Größe.bin", type="application/x-thing", content=bytes(range(256)) * 10)
    mail = parsed(written(attrs.evolve(MESSAGE, attachments=[file])))
    body, attached = mail.iter_parts()
    assert body.get_content_type() == "multipart/alternative"
    assert (attached.get_filename(), attached.get_content_type()) == (file.name, file.type)
    assert attached.get_payload(decode=True) == file.content


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"unsubscribe": "http://shop.example.com/u"}, "one click"),
        ({"unsubscribe": "https://shop.example.com/ü"}, "one click"),
        ({"unsubscribe": "https://shop.example.com/>"}, "one click"),
        ({"attachments": [Attachment(name="a\nb", content=b"")]}, "name of an attachment"),
        ({"attachments": [Attachment(name="a\u2028b", content=b"")]}, "name of an attachment"),
        ({"attachments": [Attachment(name="ü" * 400, content=b"")]}, "too long"),
        ({"subject": "a\u2028"}, "the subject"),
    ],
)
def test_what_a_header_cannot_hold_is_refused(change: dict[str, Any], problem: str) -> None:
    assert problem in refusal(attrs.evolve(MESSAGE, **change), "email")


def test_a_good_message_is_not_refused() -> None:
    file = Attachment(name="Größe, 你好.pdf", content=b"")
    assert refusal(attrs.evolve(MESSAGE, unsubscribe=LINK, attachments=[file]), "email") == ""


@given(name=st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=300))
def test_encoded_words_are_as_short_as_they_must_be(name: str) -> None:
    content = written(
        attrs.evolve(MESSAGE, recipient=f"ü{name}", subject=f"ü{name}", address="a" * 60 + "@example.com")
    )
    mail = message_from_bytes(content)
    assert str(make_header(decode_header(str(mail["Subject"])))) == f"ü{name}"
    lines = content.partition(b"MIME-Version")[0].split(b"\r\n")
    assert max(len(line) for line in lines if b"=?" in line) <= 76


def test_the_date_is_the_messages() -> None:
    mail = parsed(written(attrs.evolve(MESSAGE, at=datetime(2030, 2, 3, 4, 5, 6, tzinfo=UTC))))
    assert mail["Date"].datetime == datetime(2030, 2, 3, 4, 5, 6, tzinfo=UTC)
