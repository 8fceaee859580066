"""Holders: who has an address, however they wrote it."""

from __future__ import annotations

import polars as pl

from relationship_core.columns import CONTACT_POINTS, CUSTOMERS, Page
from relationship_core.flow.normal_forms import FOREIGN, mailbox, plain_words
from relationship_core.flow.permission.keys import address_keys, forms_of
from relationship_core.flow.permission.terms import Terms
from relationship_core.flow.united import plain
from relationship_core.ports import Store

_TAIL = 4
"""Numbers that may be the same end with the same digits, so many; the others need not be read."""
_ODD = r"[^\x00-\x7f]|[A-Za-z;,#]"
"""Digits of other scripts, letters for digits, and extensions: what ends such a number is told by reading it."""

_HELD = {"customer": pl.String, "medium": pl.String, "address": pl.String, "country": pl.String, "named": pl.String}


def found_by() -> pl.Expr:
    """The column ``found_by`` of contact points, from their ``medium`` and ``address``.

    It is never another one for two ways of writing one address; two addresses may have the same.
    """
    medium, address = pl.col("medium"), pl.col("address")
    email = pl.when(~address.str.contains(FOREIGN)).then(mailbox(address))
    number = pl.when(~address.str.contains(_ODD)).then(_digits(address).str.tail(_TAIL))
    told = pl.when(medium == "email").then(email).when(medium == "sms").then(number).otherwise(plain_words(address))
    return told.fill_null("").alias("found_by")


def holders(store: Store, rows: pl.DataFrame, terms: Terms) -> pl.DataFrame:
    """Whoever has one of these addresses, or a telephone number that may be the same.

    Args:
        store: where contact points are; every id is looked at by itself.
        rows: ``medium`` and ``address``; and ``country``, by which a telephone number may be read, if there is one.
        terms: what addresses are compared by.

    Returns:
        ``customer``, ``medium``, ``address`` and ``country``, theirs; and ``named``, the address as it was given.
    """
    country = pl.col("country") if "country" in rows.columns else pl.lit(None, pl.String).alias("country")
    named = rows.select("medium", "address", country).unique()
    found = [_holders_on(store, str(medium), own, terms) for (medium,), own in named.group_by("medium")]
    return pl.concat([pl.DataFrame(schema=_HELD), *found]).unique().sort(list(_HELD))


def same(held: pl.DataFrame, terms: Terms) -> pl.DataFrame:
    """Those holders whose address surely is the one that was named, read as one of their country."""
    named = held.select("medium", pl.col("named").alias("address"), "country")
    return held.filter(address_keys(held, terms) == address_keys(named, terms))


def _holders_on(store: Store, medium: str, named: pl.DataFrame, terms: Terms) -> pl.DataFrame:
    forms = forms_of(named, terms).select(pl.col("address").alias("named"), "form").unique()
    sought = _digits(pl.col("form")).str.tail(_TAIL) if medium == "sms" else pl.col("form")
    points = plain(store).read(
        CONTACT_POINTS,
        where={"medium": medium, "found_by": {"", *forms.select(sought).to_series()}},
        columns=["customer", "medium", "address"],
    )
    if medium == "sms":
        points = _with_countries(store, points)
    else:
        points = points.with_columns(pl.lit(None, pl.String).alias("country"))
    return forms_of(points, terms).join(forms, on="form").select(list(_HELD))


def _digits(text: pl.Expr) -> pl.Expr:
    return text.str.replace_all(r"[^0-9]", "")


def _with_countries(store: Store, points: pl.DataFrame) -> pl.DataFrame:
    page = Page(points["customer"].unique().sort())
    known = plain(store).read(CUSTOMERS, page=page, columns=["customer", "country"])
    return points.join(known, on="customer", how="left", maintain_order="left")
