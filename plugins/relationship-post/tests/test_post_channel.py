"""The post channel: the contract, the files it writes, and the pages in them, read back."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from fontTools.fontBuilder import FontBuilder  # type: ignore[import-untyped]  # it has no types
from fontTools.pens.ttGlyphPen import TTGlyphPen  # type: ignore[import-untyped]  # it has no types
from PIL import Image
from pypdf import PageObject, PdfReader

from relationship_core import Channel, Engagement, Message
from relationship_core.testing.channels import LookupContract
from relationship_post.channel import PostChannel
from relationship_post.faces import Faces
from relationship_post.plugin import POST
from relationship_post.settings import PostSettings
from relationship_post.windows import FRAMES, MM

BAKERY = "Corner Bakery, Marktplatz 3, 80331 München"
TEXT = "Dear customer,\n\nthank you for standing by us.\n\nCorner Bakery"
UNSUBSCRIBE = "https://shop.example.com/relationship/u/0123456789abcdef0123456789abcdef"
LONG_NAME = "Dr. Maximiliane Friederike Charlotte Freifrau von und zu Hohenstein-Wittgenstein-Berleburg"
ADDRESSES = {
    "DE": ("Musterstraße 12\n80331 München", "Zoë Łukasiewicz"),
    "PL": ("ul. Świętokrzyska 14\n00-050 Warszawa", "Grzegorz Brzęczyszczykiewicz"),
    "GR": ("Ερμού 25\n105 63 Αθήνα", "Ελένη Παπαδοπούλου"),
    "BG": ("ул. Шипка 22\n1504 София", "Цвета Йорданова"),
    "JP": ("〒100-0005\n東京都千代田区丸の内1-1-1", "髙﨑 太郎 様"),
    "GB": ("221B Baker Street\nLondon\nNW1 6XE", LONG_NAME),
    "US": ("1 Main St\nSpringfield, IL 62701", "Homer Łukasiewicz"),
}


def channel(path: Path, **settings: Any) -> PostChannel:
    return PostChannel(PostSettings(**{"path": path, "country": "DE", "sender_address": BAKERY, **settings}))


def message(number: int = 1, country: str = "DE", **values: Any) -> Message:
    address, recipient = ADDRESSES[country]
    given: dict[str, Any] = {
        "address": address,
        "recipient": recipient,
        "country": country,
        "subject": "Thank you",
        "text": TEXT,
        **values,
    }
    return Message(
        id=f"{number:032x}",
        engagement=Engagement(campaign="thanks", action="card", customer=f"c{number}", occasion="once"),
        channel="letters",
        at=datetime(2026, 3, 2, 9, tzinfo=UTC),
        **given,
    )


def one_of_each() -> list[Message]:
    return [message(number, country) for number, country in enumerate(ADDRESSES, 1)]


def the_file(folder: Path, pattern: str = "*.pdf") -> Path:
    (found,) = folder.glob(pattern)
    return found


def pages(path: Path) -> Sequence[PageObject]:
    return PdfReader(path).pages


def placed(page: PageObject) -> list[tuple[float, float, float, str]]:
    """What stands on a page: from the left and from the top of the trim, in points; the font size, and the text."""
    found: list[tuple[float, float, float, str]] = []
    box = page.trimbox

    def visit(text: str, _cm: Any, tm: Sequence[float], _font: Any, size: float) -> None:
        if text.strip():
            found.append((float(tm[4]) - float(box.left), float(box.top) - float(tm[5]), size, text.strip()))

    page.extract_text(visitor_text=visit)
    return found


def bare(text: str) -> str:
    """Text without case, accents and spaces: the town of an address abroad stands in capitals."""
    apart = unicodedata.normalize("NFD", text.casefold())
    return "".join(each for each in apart if not each.isspace() and not unicodedata.combining(each))


class TestPostChannel(LookupContract):
    provider = POST
    address = "Musterstraße 12\n80331 München"
    one_line = False
    languages = "Grüße, Łódź, Αθήνα, Київ, 東京 — =?utf-8?q?x?= "

    @pytest.fixture
    def channel(self, tmp_path: Path) -> Iterator[Channel]:
        opened = channel(tmp_path / "letters")
        yield opened
        opened.close()


def test_a_batch_is_one_file_with_its_manifest(tmp_path: Path) -> None:
    messages = [message(1), message(2, text="word " * 4000), message(3)]
    receipts = channel(tmp_path / "letters").send(messages)
    file = the_file(tmp_path / "letters")
    assert {each.reference for each in receipts} == {file.name}
    with file.with_suffix(".csv").open(encoding="utf-8", newline="") as manifest:
        rows = list(csv.DictReader(manifest))
    assert [row["message"] for row in rows] == [each.id for each in messages]
    assert {row["format"] for row in rows} == {"letter"}
    first, second, third = ((int(row["page"]), int(row["pages"])) for row in rows)
    assert first == (1, 1)
    assert second[0] == 2
    assert second[1] > 2
    assert third == (2 + second[1], 1)
    assert len(pages(file)) == sum(int(row["pages"]) for row in rows)


def test_a_manifest_names_nobody(tmp_path: Path) -> None:
    channel(tmp_path / "letters").send(one_of_each())
    said = the_file(tmp_path / "letters", "*.csv").read_text(encoding="utf-8")
    for address, recipient in ADDRESSES.values():
        assert recipient not in said
        assert not any(line in said for line in address.split("\n"))


@pytest.mark.parametrize("format_", ["letter", "card", "postcard", "labels"])
def test_the_same_messages_are_the_same_bytes_under_the_same_name(tmp_path: Path, format_: str) -> None:
    for folder in ("one", "two"):
        channel(tmp_path / folder, format=format_).send(one_of_each())
    one, two = (sorted((tmp_path / folder).iterdir()) for folder in ("one", "two"))
    assert [path.name for path in one] == [path.name for path in two]
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]
    channel(tmp_path / "one", format=format_).send(one_of_each())
    assert sorted((tmp_path / "one").iterdir()) == one


def test_another_process_writes_the_same_bytes(tmp_path: Path) -> None:
    program = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parent)!r})
import test_post_channel as here
here.channel(Path({str(tmp_path / "there")!r})).send(here.one_of_each())
"""
    environment = {**os.environ, "PYTHONHASHSEED": "12345"}
    subprocess.run([sys.executable, "-c", program], check=True, env=environment)
    channel(tmp_path / "here").send(one_of_each())
    here, there = the_file(tmp_path / "here"), the_file(tmp_path / "there")
    assert (here.name, here.read_bytes()) == (there.name, there.read_bytes())


@pytest.mark.parametrize("format_", ["letter", "card", "postcard", "labels"])
def test_every_font_is_embedded(tmp_path: Path, format_: str) -> None:
    channel(tmp_path / "out", format=format_).send(one_of_each())
    names = set()
    for path in (tmp_path / "out").glob("*.pdf"):
        for page in pages(path):
            for reference in page["/Resources"]["/Font"].values():  # type: ignore[index]  # a page has resources
                font = reference.get_object()
                names.add(str(font["/BaseFont"]))
                assert "/FontFile2" in font["/FontDescriptor"], font["/BaseFont"]
    assert any("NotoSans" in name for name in names)
    assert any("MTLc3m" in name or "Motoya" in name for name in names)


WINDOWS = [("din-5008-b", "DE"), ("uk-dl", "GB"), ("us-10", "US")]


@pytest.mark.parametrize(("window", "country"), WINDOWS)
@pytest.mark.parametrize("chosen", ["by the setting", "by the country"])
def test_the_address_stands_in_the_window_and_nothing_else_does(
    tmp_path: Path, window: str, country: str, chosen: str
) -> None:
    home = {"country": country} if chosen == "by the country" else {"country": "PL", "window": window}
    frame, faces = FRAMES[window], Faces()
    sent = one_of_each()
    channel(tmp_path / "letters", **home).send(sent)
    for each, page in zip(sent, pages(the_file(tmp_path / "letters")), strict=True):
        seen = [
            (x, y, size, text)
            for x, y, size, text in placed(page)
            if frame.left <= x <= frame.left + frame.width and frame.top <= y - size and y <= frame.top + frame.height
        ]
        said = bare("".join(text for *_, text in seen))
        for line in (*each.address.split("\n"), each.recipient):
            assert bare(line) in said
        assert bare("standing by us") not in said
        assert (bare(BAKERY.replace(",", " ·")) in said) == (window == "din-5008-b")
        assert min(x for x, *_ in seen) >= frame.left + 3 * MM
        assert max(x + faces.width(text, 0) * size / 1000 for x, _, size, text in seen) < frame.left + frame.width
        assert max(y + 0.3 * size for _, y, size, _ in seen) <= frame.top + frame.height


def test_where_the_post_leaves_from_decides_on_the_country_line(tmp_path: Path) -> None:
    channel(tmp_path / "letters").send(
        [message(1, "DE"), message(2, "PL"), message(3, "GB", address=ADDRESSES["GB"][0] + "\nUK")]
    )
    home, abroad, named = ([text for *_, text in placed(page)] for page in pages(the_file(tmp_path / "letters")))
    assert "80331 München" in home
    assert "GERMANY" not in home
    assert "00-050 WARSZAWA" in abroad
    assert "POLAND" in abroad
    assert {"LONDON", "NW1 6XE", "UNITED KINGDOM"} <= set(named)
    assert "UK" not in named


@pytest.mark.parametrize(("format_", "size"), [("postcard", (148, 105)), ("card", (210, 148))])
@pytest.mark.parametrize("crop_marks", [False, True])
def test_cards_have_trim_and_bleed(tmp_path: Path, format_: str, size: tuple[float, float], crop_marks: bool) -> None:
    channel(tmp_path / "out", format=format_, crop_marks=crop_marks, bleed_mm=3).send([message()])
    for page in pages(the_file(tmp_path / "out", f"{format_}-????????????????.pdf")):
        trim, bleed, media = page.trimbox, page.bleedbox, page.mediabox
        assert (trim.width / MM, trim.height / MM) == pytest.approx(size, abs=0.01)
        assert (bleed.width / MM, bleed.height / MM) == pytest.approx((size[0] + 6, size[1] + 6), abs=0.01)
        assert float(trim.left - bleed.left) / MM == pytest.approx(3, abs=0.01)
        assert (media.width > bleed.width) == crop_marks


def test_a_letter_is_trimmed_to_its_sheet(tmp_path: Path) -> None:
    channel(tmp_path / "a4").send([message()])
    channel(tmp_path / "us", country="US").send([message()])
    (a4,), (us,) = pages(the_file(tmp_path / "a4")), pages(the_file(tmp_path / "us"))
    assert (a4.trimbox.width / MM, a4.trimbox.height / MM) == pytest.approx((210, 297), abs=0.01)
    assert (us.trimbox.width / 72, us.trimbox.height / 72) == pytest.approx((8.5, 11), abs=0.001)


def test_a_card_brings_its_labels_along(tmp_path: Path) -> None:
    channel(tmp_path / "cards", format="card").send(one_of_each())
    labels = the_file(tmp_path / "cards", "*-labels.pdf")
    (sheet,) = pages(labels)
    said = [text for *_, text in placed(sheet)]
    assert {"Zoë Łukasiewicz", "00-050 WARSZAWA", "JAPAN"} <= set(said)
    cards = pages(the_file(tmp_path / "cards", "card-????????????????.pdf"))
    assert len(cards) == 2 * len(ADDRESSES)


@pytest.mark.parametrize(("country", "on_a_sheet"), [("DE", 21), ("US", 30)])
def test_labels_fill_their_sheets(tmp_path: Path, country: str, on_a_sheet: int) -> None:
    sent = [message(number, country) for number in range(on_a_sheet + 1)]
    channel(tmp_path / "labels", format="labels", country=country).send(sent)
    full, rest = pages(the_file(tmp_path / "labels"))
    name = ADDRESSES[country][1]
    assert sum(text == name for *_, text in placed(full)) == on_a_sheet
    assert sum(text == name for *_, text in placed(rest)) == 1


def test_another_font_adds_its_letters(tmp_path: Path) -> None:
    refusing = channel(tmp_path / "letters")
    assert refusing.send([message(text="✓ done")])[0].state == "rejected"
    font = font_with("✓", tmp_path / "check-mark.ttf")
    assert channel(tmp_path / "letters", fonts=(font,)).send([message(text="✓ done")])[0].state == "accepted"
    (page,) = pages(the_file(tmp_path / "letters"))
    (line,) = {y for _, y, _, text in placed(page) if text == "✓"}
    assert [text for _, y, _, text in placed(page) if y == line] == ["✓", "done"]


def font_with(letter: str, path: Path) -> Path:
    """A TrueType font that has one letter, a square."""
    pen = TTGlyphPen(None)
    for number, place in enumerate([(50, 0), (50, 700), (750, 700), (750, 0)]):
        (pen.lineTo if number else pen.moveTo)(place)
    pen.closePath()
    builder = FontBuilder(1000)
    builder.setupGlyphOrder([".notdef", "letter"])
    builder.setupCharacterMap({ord(letter): "letter"})
    builder.setupGlyf({".notdef": TTGlyphPen(None).glyph(), "letter": pen.glyph()})
    builder.setupHorizontalMetrics({".notdef": (800, 0), "letter": (800, 50)})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "One Letter", "styleName": "Regular", "psName": "OneLetter-Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(path)
    return path


def test_html_is_set_with_its_styles(tmp_path: Path) -> None:
    html = (
        "<style>p { color: red }</style><h1>Dear Zoë,</h1><p>a year has <b>many <i>kinds</i></b> of bread, see "
        "<a href='https://example.com/bread'>our page</a>.</p><ul><li>rye</li><li>wheat &amp; spelt</li></ul>"
        "<p>Bye<br>Corner <em>Bakery</em></p><script>alert(1)</script>"
    )
    channel(tmp_path / "letters").send([message(html=html)])
    (page,) = pages(the_file(tmp_path / "letters"))
    lines = page.extract_text().split("\n")
    assert "a year has many kinds of bread, see our page (https://example.com/bread)." in lines
    assert any(line.startswith("•") and line.endswith("wheat & spelt") for line in lines)
    assert "Dear Zoë," in lines
    assert not any("color" in line or "alert" in line for line in lines)
    fonts = {str(each.get_object()["/BaseFont"]) for each in page["/Resources"]["/Font"].values()}  # type: ignore[index]  # a page has resources
    assert {name.rpartition("-")[2] for name in fonts} >= {"Bold", "Italic", "BoldItalic"}


def test_lines_that_were_broken_for_a_screen_are_set_anew(tmp_path: Path) -> None:
    long = "The master of the workshop will call you this week, and wants to hear what"
    channel(tmp_path / "letters").send([message(text=f"{long}\nis to be done.\n\nCorner Bakery\nMarktplatz 3")])
    (page,) = pages(the_file(tmp_path / "letters"))
    said = [text for *_, text in placed(page)]
    assert f"{long} is" in " ".join(said)
    assert "is to be done." not in said
    assert {"Corner Bakery", "Marktplatz 3"} <= set(said)


def test_a_code_is_printed_where_there_is_something_to_hold(tmp_path: Path) -> None:
    told = "No more of these? Scan to tell us."

    def said(name: str, **settings: Any) -> str:
        channel(tmp_path / name, **settings).send([message(unsubscribe=UNSUBSCRIBE), message(2)])
        return "|".join(text for page in pages(the_file(tmp_path / name)) for *_, text in placed(page))

    assert said("default").count(told) == 1
    assert told not in said("none", qr="none")
    assert said("link", qr="link", link="https://example.com/bread").count("https://example.com/bread") == 2
    assert said("own", qr_text="Keine Post mehr?").count("Keine Post mehr?") == 1


@pytest.mark.parametrize("format_", ["card", "postcard"])
def test_the_front_may_be_a_picture(tmp_path: Path, format_: str) -> None:
    picture = tmp_path / "front.png"
    Image.new("RGB", (300, 100), (200, 30, 60)).save(picture)
    channel(tmp_path / "out", format=format_, picture=picture).send([message()])
    front, *_ = pages(the_file(tmp_path / "out", f"{format_}-????????????????.pdf"))
    assert len(front.images) == 1
    assert "Thank you" not in front.extract_text()


@pytest.mark.parametrize("left", ["*.pdf", "*.csv"])
def test_what_lost_its_file_was_not_sent(tmp_path: Path, left: str) -> None:
    post = channel(tmp_path / "letters")
    sent = message()
    post.send([sent])
    assert post.sent([sent.id]) == {sent.id}
    the_file(tmp_path / "letters", left).unlink()
    assert post.sent([sent.id]) == frozenset()
    post.send([sent])
    assert post.sent([sent.id]) == {sent.id}


def test_whoever_dies_while_writing_leaves_no_file_to_print(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dying before any one of the renames leaves nothing to print, or everything."""
    whole = Path.replace

    class Died(BaseException):
        pass

    for survived in range(3):
        folder, done = tmp_path / f"after-{survived}", 0

        def replace(self: Path, target: Path, survived: int = survived) -> Path:
            nonlocal done
            if done == survived:
                raise Died
            done += 1
            return whole(self, target)

        post = channel(folder, format="card")
        with monkeypatch.context() as patched:
            patched.setattr(Path, "replace", replace)
            with pytest.raises(Died):
                post.send([message()])
        assert list(folder.glob("card-????????????????.pdf")) == []
        assert post.sent([message().id]) == frozenset()
        post.send([message()])
        assert post.sent([message().id]) == {message().id}
        assert [path for path in folder.iterdir() if path.name.endswith(".part")] == []


def test_a_large_batch_is_one_file(tmp_path: Path) -> None:
    channel(tmp_path / "letters").send([message(number) for number in range(POST.batch)])
    assert len(PdfReader(BytesIO(the_file(tmp_path / "letters").read_bytes())).pages) == POST.batch
