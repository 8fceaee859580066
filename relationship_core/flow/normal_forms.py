"""Normal forms: how addresses are written so that two ways of writing one are the same text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from encodings.idna import ToASCII

import polars as pl

FOREIGN = r"[^\x00-\x7f]"
"""What is not ASCII; a domain that holds it is sent in another form, RFC 5890."""
_DOTS = re.compile("[.\N{IDEOGRAPHIC FULL STOP}\N{FULLWIDTH FULL STOP}\N{HALFWIDTH IDEOGRAPHIC FULL STOP}]")
"""What separates the labels of a host name; RFC 3490, 3.1."""
_LONGEST_LABEL = 63
_PUNCTUATION = r"[\p{P}\p{S}]"
_INTERNATIONAL = re.compile("[^+\N{FULLWIDTH PLUS SIGN}\\d]*[+\N{FULLWIDTH PLUS SIGN}]")
"""How a number begins that has its own country code."""


def plain_words(text: pl.Expr) -> pl.Expr:
    """Text without regard to case, punctuation and spacing."""
    plain = text.str.normalize("NFKC").str.to_lowercase().str.replace_all(_PUNCTUATION, " ")
    return plain.str.replace_all(r"\s+", " ").str.strip_chars()


def mailbox(address: pl.Expr) -> pl.Expr:
    """An e-mail address without regard to case; only its provider knows whether dots and a plus matter.

    An international domain is written as ASCII, in the form that begins with ``xn--``.
    """
    return address.map_batches(_mailboxes, return_dtype=pl.String, is_elementwise=True)


def _mailboxes(addresses: pl.Series) -> pl.Series:
    plain = addresses.str.strip_chars().str.to_lowercase()
    foreign = addresses.str.contains(FOREIGN).fill_null(value=False)
    if not foreign.any():
        return plain
    distinct = addresses.filter(foreign).unique()
    written = pl.Series([mailboxes_meant(each)[0] for each in distinct], dtype=pl.String)
    return plain.zip_with(~foreign, addresses.replace(distinct, written))


def mailboxes_meant(address: str) -> tuple[str, ...]:
    """Every form by which an e-mail address that is not all ASCII may be known again, that of ``mailbox`` first.

    There are several where the two standards of international domain names read the domain differently: RFC 5891
    keeps four letters, among them the German sharp s, that RFC 3490 wrote as others.
    """
    plain = unicodedata.normalize("NFKC", address.strip().lower()).strip()
    local, at, domain = plain.rpartition("@")
    forms = dict.fromkeys((_ascii(domain, _label_of_2010), _ascii(domain, _label_of_2003)))
    return tuple(f"{local}{at}{form}" for form in forms)


def _ascii(domain: str, written: Callable[[str], str]) -> str:
    """The domain label by label; one that cannot be written as ASCII stays, so that it equals itself at least."""
    return ".".join(label if label.isascii() else written(label) for label in _DOTS.split(domain))


def _label_of_2010(label: str) -> str:
    """RFC 5891, 4.4, of a label that is in lower case and NFKC already; which letters may stand is not asked."""
    written = f"xn--{label.encode('punycode').decode()}"
    return written if len(written) <= _LONGEST_LABEL else label


def _label_of_2003(label: str) -> str:
    """RFC 3490, 4.1."""
    try:
        return ToASCII(label).decode()
    except UnicodeError:
        return label


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
