"""Where permission stands: what planning and delivering both ask before a message may go."""

from __future__ import annotations

from datetime import datetime

import polars as pl
from attrs import frozen

from relationship_core.columns import CUSTOMERS, SUPPRESSIONS, Page
from relationship_core.flow.permission.consents import PERMITTED, Acts, acts_of, addressed, states
from relationship_core.flow.permission.keys import address_keys
from relationship_core.flow.permission.preferences import wish, wishes_of
from relationship_core.flow.permission.terms import Terms
from relationship_core.ports import Store


@frozen(kw_only=True, eq=False)
class Permission:
    """What the customers of a page said, and which addresses are suppressed, as of an instant: read once.

    Attributes:
        acts: their acts of consent.
        wishes: the wish of each customer, by place.
        suppressed: ``medium``, ``address_hash`` and ``scope`` of the suppressions in force.
        countries: ``customer`` and ``country``, where an address has to be compared.
        terms: what permission is judged by.
        now: the instant.
    """

    acts: Acts
    wishes: pl.Series
    suppressed: pl.DataFrame
    countries: pl.Series
    terms: Terms
    now: datetime


def permission_of(store: Store, page: Page, terms: Terms, now: datetime) -> Permission:
    """Read what permission of a page's customers rests on."""
    kept = store.read(SUPPRESSIONS, columns=["medium", "address_hash", "scope", "lifted_at"])
    acts = acts_of(store, page, now)
    wishes = wishes_of(store, page, terms.preference, now)
    countries = pl.repeat(None, len(page.customers), dtype=pl.String, eager=True)
    if kept.height or len(addressed(acts)):
        known = store.read(CUSTOMERS, page=page, columns=["customer", "country"])
        everybody = page.customers.alias("customer").to_frame()
        countries = everybody.join(known, on="customer", how="left", maintain_order="left")["country"]
    return Permission(
        acts=acts,
        wishes=wishes.select(wish(pl.col("preference"), terms.preference).alias("wish")).to_series(),
        suppressed=kept.filter(pl.col("lifted_at").is_null()).drop("lifted_at"),
        countries=countries,
        terms=terms,
        now=now,
    )


def with_keys(points: pl.DataFrame, known: Permission) -> pl.DataFrame:
    """Add ``key``, the keyed hash of each address; null where nothing that is kept asks for it.

    Args:
        points: ``place``, ``medium`` and ``address``.
        known: what was read of their customers.
    """
    compared = pl.col("medium").is_in(known.suppressed["medium"].unique().implode()) | pl.col("place").is_in(
        addressed(known.acts).implode()
    )
    numbered = points.with_row_index("__number")
    asked = numbered.filter(compared)
    if asked.is_empty():
        return points.with_columns(pl.lit(None, pl.String).alias("key"))
    asked = asked.with_columns(known.countries.gather(asked["place"]).alias("country"))
    keys = asked.select("__number").with_columns(address_keys(asked, known.terms).alias("key"))
    return numbered.join(keys, on="__number", how="left", maintain_order="left").drop("__number")


def with_permission(points: pl.DataFrame, known: Permission, *, topic: str, purpose: str) -> pl.DataFrame:
    """Add ``suppressed``, ``consent`` and ``permitted`` for messages of one topic and purpose.

    Service messages are held back by a suppression of everything alone, and need no consent.

    Args:
        points: ``place``, ``medium``, ``address`` and ``key``.
        known: what was read of their customers.
        topic: what the messages are about; empty for nothing in particular.
        purpose: service or marketing.
    """
    scopes = ["all"] if purpose == "service" else ["all", "marketing", *([f"topic:{topic}"] if topic else [])]
    held = known.suppressed.filter(pl.col("scope").is_in(scopes)).select(
        "medium", pl.col("address_hash").alias("key"), pl.lit(value=True).alias("suppressed")
    )
    rows = points.join(held.unique(), on=["medium", "key"], how="left", maintain_order="left").with_columns(
        pl.col("suppressed").fill_null(value=False)
    )
    asked = rows.select("place", "medium", pl.lit(topic).alias("topic"), "key")
    consent = states(known.acts, asked, known.terms.consent, known.now)
    allowed = pl.lit(value=True) if purpose == "service" else pl.col("consent").is_in(PERMITTED)
    return rows.with_columns(consent.alias("consent")).with_columns(
        (~pl.col("suppressed") & allowed).alias("permitted")
    )
