"""What the post channel refuses, and says of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
import pytest

from relationship_core import Attachment, ConfigurationError, Engagement, Message, Receipt, UnsupportedError
from relationship_post.channel import PostChannel
from relationship_post.plugin import POST
from relationship_post.settings import PostSettings


def channel(path: Path, **settings: Any) -> PostChannel:
    sender = "Corner Bakery, Marktplatz 3, 80331 München"
    return PostChannel(PostSettings(**{"path": path, "country": "DE", "sender_address": sender, **settings}))


def message(number: int = 1, **values: Any) -> Message:
    given: dict[str, Any] = {"recipient": "Zoë Łukasiewicz", "subject": "Thank you", "text": "Dear customer", **values}
    return Message(
        id=f"{number:032x}",
        engagement=Engagement(campaign="thanks", action="card", customer=f"c{number}", occasion="once"),
        channel="letters",
        address="Musterstraße 12\n80331 München",
        at=datetime(2026, 3, 2, 9, tzinfo=UTC),
        **given,
    )


def refused(receipts: Sequence[Receipt]) -> str:
    (receipt,) = receipts
    assert receipt.state == "rejected"
    return receipt.detail


@pytest.mark.parametrize("format_", ["card", "postcard"])
def test_text_that_does_not_fit_a_card_is_refused_and_the_others_go(tmp_path: Path, format_: str) -> None:
    sent = [message(1), message(2, text="too much " * 1000), message(3)]
    receipts = channel(tmp_path / "out", format=format_).send(sent)
    assert [each.state for each in receipts] == ["accepted", "rejected", "accepted"]
    assert "too long for the card" in receipts[1].detail


@pytest.mark.parametrize("format_", ["card", "postcard"])
def test_a_subject_that_does_not_fit_the_front_is_refused(tmp_path: Path, format_: str) -> None:
    detail = refused(channel(tmp_path / "out", format=format_).send([message(subject="many words " * 60)]))
    assert "subject is too long" in detail


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a croissant 🥐", "U+1F950"),
        ("שלום", "right to left"),
        ("नमस्ते", "change with their neighbours"),
        ("a \x00 b", "U+0000"),
        ("half a pair \ud800", "U+D800"),
    ],
)
def test_what_no_font_has_is_refused_and_never_a_box(tmp_path: Path, text: str, told: str) -> None:
    assert told in refused(channel(tmp_path / "letters").send([message(text=text)]))
    assert told in refused(channel(tmp_path / "letters").send([message(html=f"<p>{text}</p>")]))
    assert not (tmp_path / "letters").exists()


def test_a_name_that_no_font_has_is_refused_on_labels_too(tmp_path: Path) -> None:
    detail = refused(channel(tmp_path / "labels", format="labels").send([message(recipient="דוד לוי")]))
    assert "right to left" in detail
    assert "דוד" not in detail


@pytest.mark.parametrize("content", [b"", b"OTTO no outlines that fit", b"\x00\x01\x00\x00 cut short"])
def test_what_is_no_font_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "wrong.ttf"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"name a TrueType file"):
        channel(tmp_path / "letters", fonts=(path,))


def test_a_missing_font_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"missing\.ttf cannot be used"):
        channel(tmp_path / "letters", fonts=(tmp_path / "missing.ttf",))


def test_a_code_that_links_needs_a_link(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="link must be the address"):
        PostSettings(path=tmp_path, qr="link")


def test_what_is_no_picture_is_told(tmp_path: Path) -> None:
    (tmp_path / "front.png").write_bytes(b"no picture")
    with pytest.raises(ConfigurationError, match="name a JPEG or PNG file"):
        channel(tmp_path / "out", format="postcard", picture=tmp_path / "front.png")


def test_attachments_are_not_printed(tmp_path: Path) -> None:
    attached = attrs.evolve(message(), attachments=(Attachment(name="terms.pdf", content=b"%PDF"),))
    with pytest.raises(UnsupportedError, match="no attachments"):
        channel(tmp_path / "letters").send([message(2), attached])
    assert not (tmp_path / "letters").exists()


def test_a_message_without_text_is_refused_unless_only_its_address_is_wanted(tmp_path: Path) -> None:
    assert "no text" in refused(channel(tmp_path / "letters").send([message(text=" \n")]))
    assert channel(tmp_path / "labels", format="labels").send([message(text="")])[0].state == "accepted"


def test_a_folder_that_cannot_be_written_to_defers(tmp_path: Path) -> None:
    (tmp_path / "gone" / "deeper").mkdir(parents=True)
    receipts = channel(tmp_path / "missing" / "deeper" / "letters").send([message(1), message(2, text="שלום")])
    assert [each.state for each in receipts] == ["deferred", "rejected"]
    assert "cannot be written to" in receipts[0].detail


def test_a_file_in_the_place_of_the_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "letters").write_text("no folder")
    with pytest.raises(ConfigurationError, match="is a file"):
        channel(tmp_path / "letters")


def test_the_settings_in_the_page_are_the_settings_there_are() -> None:
    page = Path(__file__).parents[1] / "README.md"
    listed = [line.split("`")[1] for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    assert listed == [each.name for each in attrs.fields(PostSettings)]


def test_the_provider_says_what_the_channel_is() -> None:
    assert POST.batch == 100
    assert "local" not in POST.capabilities
    wrong: Mapping[str, Any] = {"country": "Germany", "bleed_mm": 50.0}
    for name, value in wrong.items():
        with pytest.raises(ConfigurationError, match=f"{name} must be"):
            PostSettings(path=Path("out"), **{name: value})
