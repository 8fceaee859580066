"""Addresses: what is complete, in which country, and how it is written."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings, strategies as st

from relationship_core import Engagement, Message, RejectedError
from relationship_post.addresses import label, sender_lines

GOOD = {
    "DE": ["Musterstr. 1\n80331 München", "Hinterhaus\nMusterstr. 1\nD-80331 München", "Postfach 12\n80331 München"],
    "AT": ["Ring 1\n1010 Wien", "Ring 1\nA-1010 Wien"],
    "CH": ["Gasse 1\n8001 Zürich", "Gasse 1\nCH-8001 Zürich"],
    "FR": ["1 rue de la Paix\n75002 Paris"],
    "ES": ["Calle Mayor 1\n28013 Madrid", "Carrer Gran 1\n08910 Badalona (Barcelona)", "Carrer Gran 1\n08910 Badalona"],
    "IT": ["Via Roma 1\n00184 Roma RM", "Via Roma 1\n00184 Roma"],
    "NL": ["Damrak 1\n1012 LG Amsterdam"],
    "SE": ["Gatan 1\n114 55 Stockholm", "Gatan 1\nSE-114 55 Stockholm"],
    "PL": ["ul. Długa 1\n00-238 Warszawa"],
    "GR": ["Ερμού 25\n105 63 Αθήνα", "Ermou 25\n10563 Athens"],
    "GB": [
        "10 Downing Street\nLondon\nSW1A 2AA",
        "10 Downing Street\nLondon SW1A 2AA",
        "1 High St\nBath\nbath\nba1 1aa",
    ],
    "IE": ["1 Main Street\nDublin 2\nD02 X285", "1 Main Street\nKilkenny"],
    "US": [
        "1 Main St\nSpringfield, IL 62701",
        "1 Main St Apt 4\nSpringfield IL 62701-1234",
        "12345 Main St\nSpringfield, Illinois 62701",
        "1 Broadway\nNew York, New York 10004",
        "1 Broadway\nNew York, NY 10004\nUSA",
    ],
    "CA": ["1 Rue Main\nMontréal (Québec) H3Z 2Y7", "1 Main St\nOttawa ON K1A 0B1"],
    "AU": ["1 George St\nSydney NSW 2000"],
    "JP": ["〒100-0005\n東京都千代田区丸の内1-1-1", "1-1-1 Marunouchi\nChiyoda-ku, Tokyo\n100-0005"],
    "BR": ["Rua A 1\nSalvador-BA\n40301-110"],
    "HK": ["1 Nathan Road\nTsim Sha Tsui\nKowloon"],
    "AE": ["1 Sheikh Zayed Road\nDubai"],
}

BAD = [
    ("DE", "Musterstr. 1\nMünchen", "no postal code such as"),
    ("DE", "Musterstr. 1\n8033 München", "no postal code such as"),
    ("DE", "80331 München", "no street"),
    ("PL", "ul. Długa 1\n00238 Warszawa", "no postal code such as"),
    ("GB", "10 Downing Street\nLondon", "no postal code such as"),
    ("GB", "10 Downing Street\nLondon\nSW1A 2AAA", "no postal code such as"),
    ("US", "1 Main St\nSpringfield, 62701", "no state that is known there"),
    ("US", "1 Main St\nSpringfield, ZZ 62701", "no state that is known there"),
    ("US", "1 Main St\nSpringfield, IL", "no postal code such as"),
    ("US", "1 Main St\nSpringfield, IL 99501", "the postal code is none of its state"),
    ("JP", "〒100-0005\n千代田区丸の内1-1-1", "no prefecture that is known there"),
    ("JP", "東京都千代田区丸の内1-1-1", "no postal code such as"),
    ("ZZ", "1 Main St\nNowhere", "no ISO 3166-1 code"),
    ("", "1 Main St\nNowhere", "nobody knows the address's country"),
]


def message(address: str, country: str = "", recipient: str = "Ann Lind") -> Message:
    return Message(
        id="1" * 32,
        engagement=Engagement(campaign="thanks", action="card", customer="c1", occasion="once"),
        channel="letters",
        address=address,
        recipient=recipient,
        country=country or None,
        at=datetime(2026, 3, 2, tzinfo=UTC),
    )


def lines(address: str, country: str, home: str, recipient: str = "Ann Lind") -> tuple[str, ...]:
    return label(message(address, country, recipient), home=home, check=True).lines


@pytest.mark.parametrize(("country", "address"), [(key, each) for key, those in GOOD.items() for each in those])
def test_a_complete_address_is_taken(country: str, address: str) -> None:
    assert lines(address, country, country)[0] in {"Ann Lind", "〒100-0005"}
    assert label(message(address, country), home="", check=True).country == country


@pytest.mark.parametrize(("country", "address", "told"), BAD)
def test_what_an_address_lacks_is_told_and_nothing_of_it(country: str, address: str, told: str) -> None:
    with pytest.raises(RejectedError, match=told) as caught:
        lines(address, country, "")
    for line in ("Ann Lind", *address.split("\n")):
        assert line not in str(caught.value)


@pytest.mark.parametrize(("country", "address", "told"), BAD)
def test_what_is_not_to_be_checked_is_printed_as_it_is(country: str, address: str, told: str) -> None:
    del told
    printed = label(message(address, country), home=country, check=False).lines
    assert set(address.split("\n")) <= set(printed)


def test_a_state_alone_is_no_town() -> None:
    with pytest.raises(RejectedError, match="no street"):
        lines("Springfield\nIL 62701", "US", "US")


GERMAN = "Musterstr. 1\n80331 München"
FROM_ABROAD = ("Musterstr. 1", "80331 MÜNCHEN", "GERMANY")


@pytest.mark.parametrize(
    ("address", "country", "home", "printed"),
    [
        (GERMAN, "DE", "DE", ("Musterstr. 1", "80331 München")),
        (f"{GERMAN}\nDeutschland", "DE", "DE", ("Musterstr. 1", "80331 München")),
        (GERMAN, "DE", "US", FROM_ABROAD),
        (f"{GERMAN}\n germany ", "", "US", FROM_ABROAD),
        ("1 Main St\nSpringfield, IL 62701\nUSA", "DE", "DE", ("1 Main St", "SPRINGFIELD, IL 62701", "UNITED STATES")),
        ("Ερμού 25\n105 63 Αθήνα", "GR", "DE", ("Ερμού 25", "105 63 ΑΘΗΝΑ", "GREECE")),
        ("10 High St\nBath\nBA1 1AA", "GB", "DE", ("10 High St", "BATH", "BA1 1AA", "UNITED KINGDOM")),
    ],
)
def test_another_country_has_its_line(address: str, country: str, home: str, printed: tuple[str, ...]) -> None:
    assert lines(address, country, home) == ("Ann Lind", *printed)


def test_the_recipient_stands_there_once() -> None:
    at_home = "Musterstr. 1\n80331 München"
    assert lines(f"Ann Lind\n{at_home}", "DE", "DE") == ("Ann Lind", "Musterstr. 1", "80331 München")
    assert lines(f"ANN LIND\n{at_home}", "DE", "DE") == ("ANN LIND", "Musterstr. 1", "80331 München")
    assert lines(f"Lind GmbH\nz. Hd. Ann Lind\n{at_home}", "DE", "DE")[0] == "Lind GmbH"
    assert lines(at_home, "DE", "DE", recipient="") == ("Musterstr. 1", "80331 München")


def test_in_japan_the_name_comes_last() -> None:
    address = "〒100-0005\n東京都千代田区丸の内1-1-1"
    assert lines(address, "JP", "JP", "山田太郎 様") == (*address.split("\n"), "山田太郎 様")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("Corner Bakery, Marktplatz 3, 80331 München", ("Corner Bakery", "Marktplatz 3", "80331 München")),
        ("Corner Bakery, 1 Main St, Springfield, IL 62701", ("Corner Bakery", "1 Main St", "Springfield, IL 62701")),
        ("Corner Bakery\nMarktplatz 3, Hof\n80331 München", ("Corner Bakery", "Marktplatz 3, Hof", "80331 München")),
        ("", ()),
    ],
)
def test_the_sender_has_lines(address: str, expected: tuple[str, ...]) -> None:
    assert sender_lines(address) == expected


TEXT = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\r"), max_size=60)


@settings(deadline=None)  # the rules of a country are read when it is first met
@given(
    address=TEXT,
    country=st.sampled_from(["DE", "US", "GB", "JP", "CN", "HK", "FR", "", "XX"]),
    home=st.sampled_from(["DE", ""]),
)
def test_any_address_is_taken_or_refused(address: str, country: str, home: str) -> None:
    for check in (True, False):
        try:
            printed = label(message(address, country), home=home, check=check)
        except RejectedError:
            continue
        assert printed.lines
