"""Normal forms: how addresses are written so that two ways of writing one are the same text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

_PUNCTUATION = r"[\p{P}\p{S}]"
_INTERNATIONAL = re.compile("[^+\N{FULLWIDTH PLUS SIGN}\\d]*[+\N{FULLWIDTH PLUS SIGN}]")
"""How a number begins that has its own country code."""


def plain_words(text: pl.Expr) -> pl.Expr:
    """Text without regard to case, punctuation and spacing."""
    plain = text.str.normalize("NFKC").str.to_lowercase().str.replace_all(_PUNCTUATION, " ")
    return plain.str.replace_all(r"\s+", " ").str.strip_chars()


def mailbox(address: pl.Expr) -> pl.Expr:
    """An e-mail address without regard to case; only its provider knows whether dots and a plus matter."""
    return address.str.strip_chars().str.to_lowercase()


def dialled(number: str, country: str | None) -> str | None:
    """A telephone number as the whole world dials it, E.164, with its extension; None where it is none.

    Args:
        number: as somebody wrote it.
        country: ISO 3166-1 code of the country whose number it is where it has no country code; None for none.
    """
    import phonenumbers

    try:
        read = phonenumbers.parse(number, country)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(read):
        return None
    written = phonenumbers.format_number(read, phonenumbers.PhoneNumberFormat.E164)
    return f"{written} {read.extension}" if read.extension else written


def numbers_meant(number: str, countries: Iterable[str | None]) -> frozenset[str]:
    """Every form by which a telephone number may be known again, whatever is learned of its country later.

    These are: as the whole world dials it, E.164, where it can be read, by its own country code after + or 00 or by
    one of the countries; the digits of that; its national number without leading zeros; and its digits as they are
    written, and without leading zeros. An extension makes no difference. Two numbers of different countries may have
    a form in common.

    Args:
        number: as somebody wrote it.
        countries: ISO 3166-1 codes of countries whose number it may be; None for none.
    """
    import phonenumbers

    plain = re.sub(r"[^0-9]", "", number)
    forms = {plain, plain.lstrip("0")}
    international = _INTERNATIONAL.match(number)
    written = {(number, country) for country in ([None] if international else countries)}
    if plain.startswith("00"):
        written.add((f"+{plain[2:]}", None))
    for text, country in written:
        try:
            read = phonenumbers.parse(text, country)
        except phonenumbers.NumberParseException:
            continue
        national = phonenumbers.national_significant_number(read)
        world = f"{read.country_code}{national}"
        forms |= {f"+{world}", world, national.lstrip("0")}
        if read.extension:
            forms.add(f"+{world} {read.extension}")
    return frozenset(forms - {""})
