"""Keys: addresses as keyed hashes, which tell that two are the same and nothing else.

Permission is given for an address under one strict key. What holds an address back is kept under every key by which
that may be known again, and holds back whatever has one of them in common: rather too much than too little.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable

import polars as pl

from relationship_core.flow.normal_forms import FOREIGN, dialled, mailbox, mailboxes_meant, numbers_meant, plain_words
from relationship_core.flow.permission.terms import Terms

_DIGITS = r"[^0-9]"


def address_key(medium: str, address: str, terms: Terms, country: str | None = None) -> str:
    """One address as a keyed hash; see ``address_keys``."""
    points = pl.DataFrame({"medium": [medium], "address": [address], "country": [country]}, schema=_POINTS)
    return str(address_keys(points, terms)[0])


def address_keys(points: pl.DataFrame, terms: Terms) -> pl.Series:
    """Addresses as keyed hashes: HMAC-SHA256 with the project's salt over medium and normal form.

    An e-mail address counts without regard to case and to how an international domain is written, see ``mailbox``; a
    telephone number as the whole world dials it, or by its digits where it is none; every other address without regard
    to case, punctuation and spacing.

    Args:
        points: ``medium``, ``address``, and ``country`` of their customers, null where nobody knows.
        terms: have the salt, and the country of customers without one.
    """
    keyed = _keyed(terms.salt.encode())
    texts = pl.concat_str("medium", pl.lit("\x1f"), _normal_form(points, terms).alias("normal"))
    hashed = [keyed(text.encode()) for text in points.select(texts).to_series()]
    return pl.Series("key", hashed, dtype=pl.String)


def held_back_keys(points: pl.DataFrame, terms: Terms) -> pl.DataFrame:
    """Every key by which an address that is held back may be known again: the points, a row for each of their keys.

    An address has one, that of ``address_keys``. A telephone number has several, so that it is the same whatever is
    known of its country then and now, see ``numbers_meant``; and so may have an e-mail address of an international
    domain, see ``mailboxes_meant``.

    Args:
        points: as for ``address_keys``, with any further columns.
        terms: as for ``address_keys``.

    Returns:
        The points with one more column, ``key``.
    """
    forms = points.with_columns(_forms(points, terms).alias("key")).explode("key")
    keyed = _keyed(terms.salt.encode())
    texts = forms.select(pl.concat_str("medium", pl.lit("\x1f"), "key")).to_series()
    return forms.with_columns(pl.Series("key", [keyed(text.encode()) for text in texts], dtype=pl.String))


def forms_of(points: pl.DataFrame, terms: Terms) -> pl.DataFrame:
    """As ``held_back_keys``, in plain text: ``form`` instead of ``key``. It costs less, and is for nothing kept."""
    return points.with_columns(_forms(points, terms).alias("form")).explode("form")


def _forms(points: pl.DataFrame, terms: Terms) -> pl.Series:
    """The forms of each address, as lists; that of ``address_keys`` is one of them."""
    several = pl.col("medium") == "sms"
    several |= (pl.col("medium") == "email") & pl.col("address").str.contains(FOREIGN)
    is_several = points.select(several.fill_null(value=False).alias("several")).to_series()
    others = points.filter(~is_several)
    normal = others.select(_normal_form(others, terms).alias("form"))
    if not is_several.any():
        return normal.select(pl.concat_list("form")).to_series()
    own = terms.country or None
    distinct = points.filter(is_several).select("medium", "address", "country").unique()
    read = {
        (medium, text, country): _meant(medium, text, dict.fromkeys((country, own, None)))
        for medium, text, country in distinct.iter_rows()
    }
    form, rows = iter(normal.to_series()), points.select("medium", "address", "country").iter_rows()
    lists = [read[row] if each else [next(form)] for each, row in zip(is_several, rows, strict=True)]
    return pl.Series("form", lists, dtype=pl.List(pl.String))


def _meant(medium: str, address: str, countries: Iterable[str | None]) -> list[str]:
    if medium == "email":
        return [*mailboxes_meant(address)]
    # What holds no digit at all is the same as all else that holds none.
    return sorted(numbers_meant(address, countries)) or [""]


def _keyed(salt: bytes) -> Callable[[bytes], str]:
    """HMAC-SHA256 with one key, which is hashed once for all texts."""
    keyed_by_salt = hmac.new(salt, digestmod="sha256")

    def keyed(text: bytes) -> str:
        mac = keyed_by_salt.copy()
        mac.update(text)
        return mac.hexdigest()

    return keyed


_POINTS = {"medium": pl.String, "address": pl.String, "country": pl.String}


def _normal_form(points: pl.DataFrame, terms: Terms) -> pl.Expr:
    medium, address = pl.col("medium"), pl.col("address")
    written = pl.when(medium == "email").then(mailbox(address)).otherwise(plain_words(address))
    country = pl.coalesce("country", pl.lit(terms.country or None, pl.String)).alias("country")
    numbers = points.filter(medium == "sms").select("address", country)
    if numbers.is_empty():
        return written
    distinct = numbers.unique()
    read = {(number, where): dialled(number, where) for number, where in distinct.iter_rows()}
    rows = points.select(medium, address, country).iter_rows()
    known = [read[number, where] if kind == "sms" else None for kind, number, where in rows]
    digits = address.str.replace_all(_DIGITS, "")
    return (
        pl.when(medium == "sms").then(pl.coalesce(pl.lit(pl.Series(known, dtype=pl.String)), digits)).otherwise(written)
    )
