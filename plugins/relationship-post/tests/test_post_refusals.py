"""What the post channel refuses, and says of it."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import attrs
import pytest
from PIL import Image

from relationship_core import Attachment, ConfigurationError, Engagement, Message, Receipt, UnsupportedError
from relationship_post.channel import PostChannel
from relationship_post.drawing import MOST_BYTES
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


def picture(path: Path, size: tuple[int, int] = (600, 400)) -> bytes:
    Image.new("RGB", size, (200, 90, 40)).save(path)
    return path.read_bytes()


@pytest.mark.parametrize("name", ["front.jpg", "front.png"])
def test_a_picture_that_is_not_all_there_is_told_before_anything_waits_for_it(tmp_path: Path, name: str) -> None:
    whole = picture(tmp_path / name)
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ConfigurationError, match="cannot be read"):
        channel(tmp_path / "out", format="postcard", picture=tmp_path / name)


@pytest.mark.parametrize("side", [12_000, 60_000])
def test_a_picture_with_far_too_many_points_is_told(tmp_path: Path, side: int) -> None:
    whole = picture(tmp_path / "front.png", (1, 1))
    start = whole.index(b"IHDR")
    head = b"IHDR" + struct.pack(">II", side, side) + whole[start + 12 : start + 17]
    (tmp_path / "front.png").write_bytes(
        whole[:start] + head + struct.pack(">I", zlib.crc32(head)) + whole[start + 21 :]
    )
    with pytest.raises(ConfigurationError, match="cannot be read"):
        channel(tmp_path / "out", format="postcard", picture=tmp_path / "front.png")


def test_a_font_that_is_cut_off_is_told(tmp_path: Path) -> None:
    with as_file(files("relationship_post") / "fonts" / "NotoSans-Regular.ttf") as font:
        (tmp_path / "cut.ttf").write_bytes(font.read_bytes()[:20_000])
    with pytest.raises(ConfigurationError, match=r"cut\.ttf cannot be used"):
        channel(tmp_path / "letters", fonts=(tmp_path / "cut.ttf",))


def test_a_country_that_there_is_not_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="'XX'"):
        channel(tmp_path / "letters", country="XX")


def test_a_link_that_no_code_holds_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="too long for a QR code"):
        channel(tmp_path / "letters", qr="link", link="https://shop.example.com/" + "a" * 3000)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"unsubscribe": "https://shop.example.com/" + "a" * 3000}, "QR code"),
        ({"unsubscribe": "\ud800"}, "half a character"),
        ({"html": "<p>Hello</p><![<![ x"}, "HTML"),
    ],
)
def test_a_message_that_cannot_be_set_is_refused_and_the_others_go(
    tmp_path: Path, values: Mapping[str, str], told: str
) -> None:
    receipts = channel(tmp_path / "letters").send([message(1), message(2, **values), message(3)])
    assert [each.state for each in receipts] == ["accepted", "rejected", "accepted"]
    assert told in receipts[1].detail


def test_the_longest_link_that_a_code_holds_is_printed(tmp_path: Path) -> None:
    longest = "https://shop.example.com/".ljust(MOST_BYTES, "a")
    (receipt,) = channel(tmp_path / "letters").send([message(unsubscribe=longest)])
    assert receipt.state == "accepted"


def test_a_sender_without_width_breaks_nothing(tmp_path: Path) -> None:
    (receipt,) = channel(tmp_path / "letters", sender_address="\u0301").send([message()])
    assert receipt.state == "accepted"


@pytest.mark.parametrize("content", [b"caf\xe9;1\n", b"\0\0", b'"' + b"x" * 200_000, None])
def test_another_table_in_the_folder_hides_no_manifest(tmp_path: Path, content: bytes | None) -> None:
    letters = channel(tmp_path / "letters")
    letters.send([message(1)])
    table = tmp_path / "letters" / "a.csv"
    if content is None:
        table.mkdir()
    else:
        table.write_bytes(content)
    table.with_suffix(".pdf").touch()
    assert letters.sent([f"{number:032x}" for number in (1, 2)]) == {f"{1:032x}"}


@pytest.mark.parametrize(("separator", "codec"), [(";", "utf-8"), ("\t", "utf-8-sig")])
def test_a_manifest_that_a_spreadsheet_kept_is_one_still(tmp_path: Path, separator: str, codec: str) -> None:
    letters = channel(tmp_path / "letters")
    letters.send([message(1)])
    (manifest,) = (tmp_path / "letters").glob("*.csv")
    lines = manifest.read_text().splitlines()[1:]
    manifest.write_bytes("\r\n".join(line.replace(",", separator) for line in lines).encode(codec))
    assert letters.sent([f"{1:032x}"]) == {f"{1:032x}"}


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
