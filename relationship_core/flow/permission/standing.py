"""Where permission stands: what planning and delivering both ask before a message may go."""

from __future__ import annotations

from datetime import datetime

import polars as pl
from attrs import frozen

from relationship_core.columns import CUSTOMERS, SUPPRESSIONS, Page
from relationship_core.flow.permission.consents import Acts, acts_of, addressed, states
from relationship_core.flow.permission.keys import address_keys, held_back_keys
from relationship_core.flow.permission.preferences import wish, wishes_of
from relationship_core.flow.permission.terms import Terms
from relationship_core.model.words import PERMITTED_STATES
from relationship_core.ports import Store

_MANY = 1000
"""From so many addresses on it costs less to ask first whether any address of their medium is suppressed."""


@frozen(kw_only=True, eq=False)
class Permission:
    """What the customers of a page said, as of an instant: read once.

    Attributes:
        page: the customers.
        acts: their acts of consent.
        wishes: the wish of each customer, by place.
        terms: what permission is judged by.
        now: the instant.
    """

    page: Page
    acts: Acts
    wishes: pl.Series
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
    wishes = wishes_of(store, page, terms.preference, None if as_it_stands else now)
    return Permission(
        page=page,
        acts=acts_of(store, page, now, as_it_stands=as_it_stands),
        wishes=wishes.select(wish(pl.col("preference"), terms.preference).alias("wish")).to_series(),
        terms=terms,
        now=now,
    )


def with_keys(points: pl.DataFrame, known: Permission, store: Store) -> pl.DataFrame:
    """Add ``key``, the keyed hash of each address, and ``scopes``, those of the suppressions that hold it back.

    The key is null where no act of the customer speaks of a single address, the scopes are where there are none.

    Args:
        points: ``place``, ``medium`` and ``address``.
        known: what was read of their customers.
        store: where suppressions are, of which no more are read than there are addresses.
    """
    numbered = points.with_row_index("__number")
    spoken = numbered.filter(pl.col("place").is_in(addressed(known.acts).implode()))
    held, whole = numbered, False
    if held.height > _MANY:
        known_of = store.count(SUPPRESSIONS, ["medium"])
        held = held.filter(pl.col("medium").is_in(known_of["medium"].implode()))
        whole = bool(known_of["rows"].sum() < held.height)
    countries = _countries(store, known.page, spoken.height + held.height > 0)
    placed = [each.with_columns(countries.gather(each["place"])) for each in (spoken, held)]
    keys = spoken.select("__number").with_columns(address_keys(placed[0], known.terms).alias("key"))
    told = numbered.join(keys, on="__number", how="left", maintain_order="left")
    keyed = held_back_keys(placed[1].select("__number", "medium", "address", "country"), known.terms)
    scopes = _scopes(keyed, suppressions_of(keyed, store, whole=whole))
    return told.join(scopes, on="__number", how="left", maintain_order="left").drop("__number")


def _countries(store: Store, page: Page, wanted: bool) -> pl.Series:
    """The country of each customer, by place."""
    if not wanted:
        return pl.repeat(None, len(page.customers), dtype=pl.String, eager=True).alias("country")
    known = store.read(CUSTOMERS, page=page, columns=["customer", "country"])
    everybody = page.customers.alias("customer").to_frame()
    return everybody.join(known, on="customer", how="left", maintain_order="left")["country"]


def _scopes(keyed: pl.DataFrame, suppressions: pl.DataFrame) -> pl.DataFrame:
    """``__number`` and ``scopes`` of the addresses that something holds back."""
    return (
        keyed.join(suppressions, on=["medium", "key"])
        .filter(pl.col("lifted_at").is_null())
        .group_by("__number")
        .agg(pl.col("scope").unique().alias("scopes"))
    )


def suppressions_of(keyed: pl.DataFrame, store: Store, *, whole: bool = False) -> pl.DataFrame:
    """The suppressions under these keys, lifted ones too: rows of SUPPRESSIONS, with ``key`` for the address.

    Args:
        keyed: ``medium`` and ``key``.
        store: where they are; no others are read.
        whole: whether all of these media are read nevertheless, where they are fewer than the keys.
    """
    where = {"medium": keyed["medium"].unique()}
    if not whole:
        where["address_hash"] = keyed["key"].unique()
    kept = store.read(SUPPRESSIONS, where={name: values.to_list() for name, values in where.items()})
    return kept.rename({"address_hash": "key"}).join(keyed, on=["medium", "key"], how="semi", maintain_order="left")


def scopes_against(purpose: str, topic: str) -> tuple[str, ...]:
    """The scopes of a suppression that hold back messages of a purpose about a topic."""
    return ("all",) if purpose == "service" else ("all", "marketing", *([f"topic:{topic}"] if topic else []))


def with_permission(points: pl.DataFrame, known: Permission, *, topic: str, purpose: str) -> pl.DataFrame:
    """Add ``suppressed``, ``consent`` and ``permitted`` for messages of one topic and purpose.

    Service messages are held back by a suppression of everything alone, and need no consent.

    Args:
        points: ``place``, ``medium``, ``address``, and what ``with_keys`` adds.
        known: what was read of their customers.
        topic: what the messages are about; empty for nothing in particular.
        purpose: service or marketing.
    """
    held = pl.any_horizontal(pl.col("scopes").list.contains(scope) for scope in scopes_against(purpose, topic))
    rows = points.with_columns(held.fill_null(value=False).alias("suppressed")).drop("scopes")
    asked = rows.select("place", "medium", pl.lit(topic).alias("topic"), "key")
    consent = states(known.acts, asked, known.terms.consent, known.now)
    allowed = pl.lit(value=True) if purpose == "service" else pl.col("consent").is_in(PERMITTED_STATES)
    return rows.with_columns(consent.alias("consent")).with_columns(
        (~pl.col("suppressed") & allowed).alias("permitted")
    )
