"""How many segments a text has, by the tables of the standard and by a reference that tries every way to cut."""

from functools import cache

import pytest
from hypothesis import given, settings, strategies as st

from relationship_twilio.segments import BASIC, EXTENSION, segments

EXTENDED = "".join(EXTENSION.values())
LETTERS = BASIC.replace("\x1b", "")

# 3GPP TS 23.038, 6.2.1: rows of sixteen codes of the default alphabet, by their names in Unicode's charts.
STANDARD = {
    0x00: 0x40, 0x01: 0xA3, 0x02: 0x24, 0x03: 0xA5, 0x04: 0xE8, 0x05: 0xE9, 0x06: 0xF9, 0x07: 0xEC,
    0x08: 0xF2, 0x09: 0xC7, 0x0A: 0x0A, 0x0B: 0xD8, 0x0C: 0xF8, 0x0D: 0x0D, 0x0E: 0xC5, 0x0F: 0xE5,
    0x10: 0x394, 0x11: 0x5F, 0x12: 0x3A6, 0x13: 0x393, 0x14: 0x39B, 0x15: 0x3A9, 0x16: 0x3A0, 0x17: 0x3A8,
    0x18: 0x3A3, 0x19: 0x398, 0x1A: 0x39E, 0x1B: 0x1B, 0x1C: 0xC6, 0x1D: 0xE6, 0x1E: 0xDF, 0x1F: 0xC9,
    0x24: 0xA4, 0x40: 0xA1, 0x5B: 0xC4, 0x5C: 0xD6, 0x5D: 0xD1, 0x5E: 0xDC, 0x5F: 0xA7,
    0x60: 0xBF, 0x7B: 0xE4, 0x7C: 0xF6, 0x7D: 0xF1, 0x7E: 0xFC, 0x7F: 0xE0,
}  # fmt: skip


def test_the_basic_table_is_the_standards() -> None:
    assert len(BASIC) == len(set(BASIC)) == 128
    # Every other code is that of ASCII.
    assert {code: ord(each) for code, each in enumerate(BASIC)} == {
        code: STANDARD.get(code, code) for code in range(128)
    }


def test_the_extension_table_is_the_standards() -> None:
    expected = {0x0A: 0x0C, 0x14: 0x5E, 0x28: 0x7B, 0x29: 0x7D, 0x2F: 0x5C, 0x3C: 0x5B, 0x3D: 0x7E, 0x3E: 0x5D,
                0x40: 0x7C, 0x65: 0x20AC}  # fmt: skip
    assert {code: ord(each) for code, each in EXTENSION.items()} == expected


@pytest.mark.parametrize(
    ("text", "encoding", "units", "count"),
    [
        ("", "GSM-7", 0, 1),
        ("a" * 160, "GSM-7", 160, 1),
        ("a" * 161, "GSM-7", 161, 2),
        ("a" * 306, "GSM-7", 306, 2),
        ("a" * 307, "GSM-7", 307, 3),
        ("a" * 1530, "GSM-7", 1530, 10),
        ("a" * 1531, "GSM-7", 1531, 11),
        ("€" * 80, "GSM-7", 160, 1),
        ("€" * 81, "GSM-7", 162, 2),
        ("€" * 152, "GSM-7", 304, 2),
        ("€" * 153, "GSM-7", 306, 3),  # 153 is odd: each segment holds 76 of them
        ("a" * 152 + "€" + "a" * 152, "GSM-7", 306, 3),
        ("Ł" + "a" * 69, "UCS-2", 70, 1),
        ("Ł" + "a" * 70, "UCS-2", 71, 2),
        ("Ł" + "a" * 133, "UCS-2", 134, 2),
        ("Ł" + "a" * 134, "UCS-2", 135, 3),
        ("Ł" + "a" * 669, "UCS-2", 670, 10),
        ("🥐" * 35, "UCS-2", 70, 1),
        ("🥐" * 66, "UCS-2", 132, 2),
        ("🥐" * 67, "UCS-2", 134, 3),  # 67 is odd: each segment holds 33 of them
        ("ç", "UCS-2", 1, 1),  # the table has its capital alone
        ("\x1b", "UCS-2", 1, 1),  # it leads to the other table and is no character
        ("`", "UCS-2", 1, 1),
    ],
)
def test_known_texts(text: str, encoding: str, units: int, count: int) -> None:
    found = segments(text)
    assert (found.encoding, found.units, found.count) == (encoding, units, count)


def fewest(sizes: tuple[int, ...], alone: int, joined: int) -> int:
    """The fewest segments over every way to cut between characters; slow, and without the rule that is tested."""
    if sum(sizes) <= alone:
        return 1

    @cache
    def from_place(place: int) -> int:
        if place == len(sizes):
            return 0
        best, used, end = len(sizes), 0, place
        while end < len(sizes) and used + sizes[end] <= joined:
            used, end = used + sizes[end], end + 1
            if end == len(sizes) or used > joined - 4:
                best = min(best, 1 + from_place(end))
        return best

    return from_place(0)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.text(st.sampled_from(LETTERS + EXTENDED), max_size=90), max_size=6).map("".join))
def test_gsm_is_cut_as_the_reference_cuts(text: str) -> None:
    found = segments(text)
    assert found.encoding == "GSM-7"
    assert found.count == fewest(tuple(2 if each in EXTENDED else 1 for each in text), 160, 153)


@settings(max_examples=150, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=300).map(lambda text: f"Ł{text}"))
def test_ucs_2_is_cut_as_the_reference_cuts(text: str) -> None:
    found = segments(text)
    assert found.encoding == "UCS-2"
    assert found.units == len(text.encode("utf-16-le")) // 2
    assert found.count == fewest(tuple(len(each.encode("utf-16-le")) // 2 for each in text), 70, 67)
