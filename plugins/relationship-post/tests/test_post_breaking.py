"""Lines: what is broken where, and that nothing is lost."""

from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st

from relationship_post.breaking import _filled, _words, lines
from relationship_post.faces import BOLD, ITALIC, PLAIN, Faces
from relationship_post.markup import paragraphs

FACES = Faces()
SIZE = 10.0


def texts(found: list[list[tuple[int, str]]]) -> list[str]:
    return ["".join(text for _, text in line) for line in found]


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("one two three", 1000.0, ["one two three"]),
        ("one two three", 45.0, ["one two", "three"]),
        ("one\ntwo", 1000.0, ["one", "two"]),
        ("one\n\ntwo", 1000.0, ["one", "", "two"]),
        ("one  two ", 1000.0, ["one two"]),
        ("one\u00a0two three", 45.0, ["one\u00a0two", "three"]),
        ("東京都千代田区", 35.0, ["東京都", "千代田", "区"]),
        ("東京都、千代田", 35.0, ["東京", "都、千", "代田"]),
        ("Tokyo 東京", 45.0, ["Tokyo 東", "京"]),
    ],
)
def test_text_is_broken_at_spaces_and_between_wide_letters(text: str, width: float, expected: list[str]) -> None:
    assert texts(lines([(PLAIN, text)], FACES, size=SIZE, width=width)) == expected


def test_a_word_that_is_wider_than_a_line_is_torn() -> None:
    found = texts(lines([(PLAIN, "an https://example.com/a-long-address end")], FACES, size=SIZE, width=60))
    assert len(found) > 3
    assert "".join(found).replace(" ", "") == "anhttps://example.com/a-long-addressend"
    assert all(FACES.width(line, PLAIN) * SIZE / 1000 <= 60 for line in found)


def test_a_word_of_two_styles_stays_together() -> None:
    runs = [(PLAIN, "see the "), (BOLD, "bold"), (PLAIN, ", then "), (ITALIC, "go")]
    assert texts(lines(runs, FACES, size=SIZE, width=60)) == ["see the", "bold, then", "go"]


LETTERS = st.text(alphabet="abc éß.-\u00a0\nŁΩЖ東、", max_size=80)


@settings(deadline=None)  # the fonts are read when the first letters need them
@given(text=LETTERS, width=st.floats(20, 300))
def test_nothing_is_lost_and_no_line_is_too_wide(text: str, width: float) -> None:
    found = lines([(PLAIN, text)], FACES, size=SIZE, width=width)
    assert "".join(texts(found)).replace(" ", "") == text.replace(" ", "").replace("\n", "")
    for line in texts(found):
        # A sign that may not begin a line stays with the letter before it.
        assert (
            FACES.width(line, PLAIN) * SIZE / 1000 <= width + 1e-6 or line.rstrip("、") in {"", "東"} or len(line) == 1
        )


@settings(deadline=None)
@given(text=st.text(alphabet="abc éß.-\u00a0\nŁΩЖ", max_size=120), width=st.floats(20, 300))
def test_the_quick_way_breaks_as_the_other_does(text: str, width: float) -> None:
    limit = width * 1000 / SIZE
    slow = list(_filled(_words([(PLAIN, text)]), FACES, limit))
    quick = lines([(PLAIN, text)], FACES, size=SIZE, width=width)
    assert [line for line in texts(quick) if line] == [line for line in texts(slow) if line]


def test_simple_html_becomes_runs() -> None:
    html = "<p>a <b>b <i>c</i></b>&amp;d</p><ul><li>one<li>two</ul><p> <br> </p><table><tr><td>x<td>y</table>"
    found = paragraphs("unused", html)
    assert [each.runs for each in found[:1]] == [((PLAIN, "a "), (BOLD, "b "), (BOLD | ITALIC, "c"), (PLAIN, "&d"))]
    said = ["".join(text for _, text in each.runs) for each in found]
    assert said[1:] == ["•\u00a0one", "•\u00a0two", "x y"]
    assert [each.indent for each in found] == [False, True, True, False]


@given(html=st.text(alphabet="<>/bip aul&;\"'=!-x", max_size=80))
def test_any_html_is_read(html: str) -> None:
    for each in paragraphs("", html):
        assert any(text.strip() for _, text in each.runs)
