"""The folder and null channels: the contract, and what the files hold."""

import errno
import os
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr
from html.parser import HTMLParser
from pathlib import Path

import attrs
import pytest
from hypothesis import given, strategies as st

from relationship_core import Channel, ConfigurationError, Message, eml
from relationship_core.builtin.channels import NullChannel, NullSettings, relationship_channels
from relationship_core.builtin.folder import FolderChannel, FolderSettings
from relationship_core.testing.channels import NAME, ChannelContract, LookupContract

POSTAL = "Zoë Łukasiewicz\n1 Mill Lane\nUSA"


PROVIDERS = {each.name: each for each in relationship_channels()}


class TestNull(ChannelContract):
    provider = PROVIDERS["null"]

    @pytest.fixture
    def channel(self) -> Channel:
        return NullChannel(NullSettings())


class TestFolderOfEmail(LookupContract):
    provider = PROVIDERS["folder"]

    @pytest.fixture
    def channel(self, tmp_path: Path) -> Channel:
        return FolderChannel(FolderSettings(path=tmp_path / "outbox"))


class TestFolderOfSms(LookupContract):
    provider = PROVIDERS["folder"]
    address = "+15550100"

    @pytest.fixture
    def channel(self, tmp_path: Path) -> Channel:
        return FolderChannel(FolderSettings(path=tmp_path / "outbox", medium="sms"))


class TestFolderOfPost(LookupContract):
    provider = PROVIDERS["folder"]
    address = POSTAL
    one_line = False

    @pytest.fixture
    def channel(self, tmp_path: Path) -> Channel:
        return FolderChannel(FolderSettings(path=tmp_path / "outbox", medium="post"))


MESSAGE = attrs.evolve(
    ChannelContract().message(), subject="Grüße", text="Dear Zoë,\n\nthank you.\n", html="<p>Thank <b>you</b></p>"
)


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


def folder(path: Path, medium: str = "email", sender: str = "Bäckerei <hello@example.com>") -> FolderChannel:
    return FolderChannel(FolderSettings(path=path, medium=medium, sender=sender))


def files(path: Path) -> list[str]:
    return sorted(file.name for file in path.iterdir())


def test_an_email_is_a_file_that_a_mail_reader_opens(tmp_path: Path) -> None:
    folder(tmp_path).send([MESSAGE])
    mail = parsed((tmp_path / f"{MESSAGE.id}.eml").read_bytes())
    assert mail["From"].addresses[0].display_name == "Bäckerei"
    assert mail["From"].addresses[0].addr_spec == "hello@example.com"
    assert mail["To"].addresses[0].display_name == NAME
    assert mail["To"].addresses[0].addr_spec == MESSAGE.address
    assert mail["Subject"] == "Grüße"
    assert mail["Date"].datetime == MESSAGE.at
    assert mail["Message-ID"] == f"<{MESSAGE.id}@example.com>"
    assert body(mail, "plain") == MESSAGE.text
    assert body(mail, "html").strip() == MESSAGE.html


def test_an_email_without_html_has_one_part() -> None:
    mail = parsed(eml(attrs.evolve(MESSAGE, html=""), sender="hello@example.com", domain="example.com"))
    assert mail.get_content_type() == "text/plain"


def test_the_same_message_makes_the_same_bytes(tmp_path: Path) -> None:
    channel = folder(tmp_path)
    channel.send([MESSAGE])
    first = (tmp_path / f"{MESSAGE.id}.eml").read_bytes()
    channel.send([MESSAGE])
    assert (tmp_path / f"{MESSAGE.id}.eml").read_bytes() == first
    assert len(files(tmp_path)) == 1


printable = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")) | st.just(" "), max_size=120)
lines = st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=200)


@given(subject=printable, name=printable, text=lines, html=lines)
def test_an_email_says_what_the_message_says(subject: str, name: str, text: str, html: str) -> None:
    subject, name = " ".join(subject.split()), " ".join(name.split())
    message = attrs.evolve(MESSAGE, subject=subject, recipient=name, text=text, html=html)
    content = eml(message, sender="hello@example.com", domain="example.com")
    mail = parsed(content)
    assert mail["Subject"] == subject
    # Python 3.11's own parser keeps the space between two encoded words of a name; RFC 2047 drops it.
    words, address = parseaddr(str(message_from_bytes(content)["To"]))
    assert str(make_header(decode_header(words))) == name
    assert address == MESSAGE.address
    assert max(map(len, content.split(b"\r\n"))) <= 998
    assert b"\n" not in content.replace(b"\r\n", b"")
    parts = {part.get_content_subtype(): part.get_payload(decode=True) for part in mail.walk()}
    if text or not html:
        assert _same(parts["plain"], text)
    if html:
        assert _same(parts["html"], html)


def _same(payload: object, text: str) -> bool:
    assert isinstance(payload, bytes)
    return payload.decode().replace("\r\n", "\n").removesuffix("\n") == text.removesuffix("\n")


@pytest.mark.parametrize(
    "address", ["", "zoe", "zoe@", "a@b, c@d", "<zoe@example.com>", "zoë@example.com", "a b@example.com"]
)
def test_what_is_no_email_address_is_rejected(tmp_path: Path, address: str) -> None:
    (receipt,) = folder(tmp_path).send([attrs.evolve(MESSAGE, address=address)])
    assert receipt.state == "rejected"
    assert files(tmp_path) == []


@pytest.mark.parametrize("identity", ["../x", "a/b", ".x", "", "a\0b", "x" * 300])
def test_no_id_leads_out_of_the_folder(tmp_path: Path, identity: str) -> None:
    channel = folder(tmp_path / "outbox")
    (receipt,) = channel.send([attrs.evolve(MESSAGE, id=identity)])
    assert receipt.state == "rejected"
    assert files(tmp_path / "outbox") == []
    assert channel.sent([identity]) == frozenset()


def test_half_a_character_is_rejected(tmp_path: Path) -> None:
    (receipt,) = folder(tmp_path).send([attrs.evolve(MESSAGE, text="\ud83e")])
    assert receipt.state == "rejected"


def test_an_sms_names_its_number(tmp_path: Path) -> None:
    folder(tmp_path, "sms").send([attrs.evolve(MESSAGE, address="+15550100")])
    text = (tmp_path / f"{MESSAGE.id}.txt").read_text(encoding="utf-8")
    assert text.startswith("To: +15550100\n\nDear Zoë,")


class Page(HTMLParser):
    """Collects the text of a page by the element it is in, and which elements there are."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.texts: dict[str, str] = {}
        self.elements: list[str] = []
        self.feed(content)

    def handle_starttag(self, tag: str, _attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)

    def handle_data(self, data: str) -> None:
        if self.elements:
            self.texts[self.elements[-1]] = self.texts.get(self.elements[-1], "") + data


def card(path: Path, message: Message) -> Page:
    folder(path, "post").send([message])
    return Page((path / f"{message.id}.html").read_text(encoding="utf-8"))


def test_a_card_shows_address_and_text_escaped(tmp_path: Path) -> None:
    message = attrs.evolve(MESSAGE, address=f"{NAME}\n<1 Mill Lane>", text="a < b & c\n\n<script>x</script>", html="")
    page = card(tmp_path, message)
    assert page.texts["address"].strip() == f"{NAME}\n<1 Mill Lane>"
    assert page.elements.count("p") == 2
    assert "script" not in page.elements
    assert "a < b & c" in page.texts["p"]
    assert page.texts["h1"].strip() == "Grüße"


def test_a_card_uses_the_html_of_the_message(tmp_path: Path) -> None:
    page = card(tmp_path, attrs.evolve(MESSAGE, address=POSTAL))
    assert page.texts["b"].strip() == "you"
    assert page.texts["address"].strip() == POSTAL


def test_the_name_is_above_an_address_that_lacks_it(tmp_path: Path) -> None:
    page = card(tmp_path, attrs.evolve(MESSAGE, address="1 Mill Lane\nUSA"))
    assert page.texts["address"].strip() == f"{NAME}\n1 Mill Lane\nUSA"


def test_a_card_that_is_a_whole_page_stays_as_it_is(tmp_path: Path) -> None:
    whole = "<!doctype html><HTML><body><i>hello</i></body></HTML>"
    folder(tmp_path, "post").send([attrs.evolve(MESSAGE, address=POSTAL, html=whole)])
    assert (tmp_path / f"{MESSAGE.id}.html").read_text(encoding="utf-8") == whole


def test_a_missing_disk_defers(tmp_path: Path) -> None:
    receipts = folder(tmp_path / "not" / "mounted" / "outbox").send([MESSAGE, MESSAGE])
    assert [receipt.state for receipt in receipts] == ["deferred", "deferred"]
    assert receipts[0].detail == f"the folder cannot be written to: {os.strerror(errno.ENOENT).lower()}"
    assert files(tmp_path) == []


def test_a_file_in_the_place_of_the_folder_is_told_when_the_channel_is_made(tmp_path: Path) -> None:
    (tmp_path / "outbox").write_text("I am a file.")
    with pytest.raises(ConfigurationError, match="outbox; name a folder"):
        folder(tmp_path / "outbox")


def test_a_file_that_takes_the_place_of_the_folder_later_defers(tmp_path: Path) -> None:
    channel = folder(tmp_path / "outbox")
    (tmp_path / "outbox").write_text("I am a file.")
    (receipt,) = channel.send([MESSAGE])
    assert receipt.state == "deferred"


def test_a_folder_in_a_new_folder_is_made(tmp_path: Path) -> None:
    channel = folder(tmp_path / "outbox" / "news")
    assert channel.sent([MESSAGE.id]) == frozenset()
    channel.send([MESSAGE])
    assert files(tmp_path / "outbox" / "news") == [f"{MESSAGE.id}.eml"]


def test_a_full_disk_defers_that_message_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace, calls = os.replace, []

    def full(source: Path, target: Path) -> None:
        calls.append(target)
        if len(calls) == 1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        replace(source, target)

    monkeypatch.setattr(os, "replace", full)
    other = attrs.evolve(MESSAGE, id="f" * 32)
    receipts = folder(tmp_path).send([MESSAGE, other])
    assert [receipt.state for receipt in receipts] == ["deferred", "accepted"]
    assert receipts[0].detail == f"the folder cannot be written to: {os.strerror(errno.ENOSPC).lower()}"
    assert files(tmp_path) == [f"{other.id}.eml"]


def test_a_killed_process_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class KilledError(BaseException):
        pass

    def kill(_source: Path, _target: Path) -> None:
        raise KilledError

    channel = folder(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", kill)
        with pytest.raises(KilledError):
            channel.send([MESSAGE])
    assert channel.sent([MESSAGE.id]) == frozenset()
    channel.send([MESSAGE])
    assert files(tmp_path) == [f"{MESSAGE.id}.eml"]


def test_the_null_channel_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    channel = NullChannel(NullSettings(medium="sms"))
    assert channel.medium == "sms"
    assert [receipt.state for receipt in channel.send([attrs.evolve(MESSAGE, address="+15550100")])] == ["accepted"]
    assert files(tmp_path) == []
