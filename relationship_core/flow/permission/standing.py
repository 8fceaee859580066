"""Where permission stands: what planning and delivering both ask before a message may go."""

from __future__ import annotations

from datetime import datetime

import polars as pl
from attrs import frozen

from relationship_core.columns import CUSTOMERS, SUPPRESSIONS, Page
from relationship_core.flow.permission.consents import PERMITTED, Acts, acts_of, addressed, states
from relationship_core.flow.permission.keys import address_keys, held_back_keys
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


def permission_of(store: Store, page: Page, terms: Terms, now: datetime, *, as_it_stands: bool = False) -> Permission:
    """Read what permission of a page's customers rests on.

    Args:
        store: where it is kept.
        page: the customers.
        terms: what permission is judged by.
        now: the instant.
        as_it_stands: whether every refusal and every wish counts that is kept, whenever it was said or recorded.
    """
    kept = store.read(SUPPRESSIONS, columns=["medium", "address_hash", "scope", "lifted_at"])
    acts = acts_of(store, page, now, as_it_stands=as_it_stands)
    wishes = wishes_of(store, page, terms.preference, None if as_it_stands else now)
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
    """Add ``key``, the keyed hash of each address, and ``scopes``, those of the suppressions that hold it back.

    The key is null where no act of the customer speaks of a single address, the scopes are where there are none.

    Args:
        points: ``place``, ``medium`` and ``address``.
        known: what was read of their customers.
    """
    numbered = points.with_row_index("__number")
    spoken = numbered.filter(pl.col("place").is_in(addressed(known.acts).implode()))
    held = numbered.filter(pl.col("medium").is_in(known.suppressed["medium"].unique().implode()))
    keys = spoken.select("__number").with_columns(address_keys(_placed(spoken, known), known.terms).alias("key"))
    scopes = (
        held_back_keys(_placed(held, known).select("__number", "medium", "address", "country"), known.terms)
        .join(known.suppressed, left_on=["medium", "key"], right_on=["medium", "address_hash"])
        .group_by("__number")
        .agg(pl.col("scope").unique().alias("scopes"))
    )
    told = numbered.join(keys, on="__number", how="left", maintain_order="left")
    return told.join(scopes, on="__number", how="left", maintain_order="left").drop("__number")


def _placed(points: pl.DataFrame, known: Permission) -> pl.DataFrame:
    return points.with_columns(known.countries.gather(points["place"]).alias("country"))


def with_permission(points: pl.DataFrame, known: Permission, *, topic: str, purpose: str) -> pl.DataFrame:
    """Add ``suppressed``, ``consent`` and ``permitted`` for messages of one topic and purpose.

    Service messages are held back by a suppression of everything alone, and need no consent.

    Args:
        points: ``place``, ``medium``, ``address``, and what ``with_keys`` adds.
        known: what was read of their customers.
        topic: what the messages are about; empty for nothing in particular.
        purpose: service or marketing.
    """
    scopes = ["all"] if purpose == "service" else ["all", "marketing", *([f"topic:{topic}"] if topic else [])]
    held = pl.any_horizontal(pl.col("scopes").list.contains(scope) for scope in scopes)
    rows = points.with_columns(held.fill_null(value=False).alias("suppressed")).drop("scopes")
    asked = rows.select("place", "medium", pl.lit(topic).alias("topic"), "key")
    consent = states(known.acts, asked, known.terms.consent, known.now)
    allowed = pl.lit(value=True) if purpose == "service" else pl.col("consent").is_in(PERMITTED)
    return rows.with_columns(consent.alias("consent")).with_columns(
        (~pl.col("suppressed") & allowed).alias("permitted")
    )
