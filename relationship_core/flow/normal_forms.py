"""Normal forms: how addresses are written so that two ways of writing one are the same text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

_PUNCTUATION = r"[\p{P}\p{S}]"


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
