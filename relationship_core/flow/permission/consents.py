"""Consents: acts folded into the state of each medium and topic, for many customers at once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import get_args

import polars as pl
from attrs import frozen

from relationship_core.columns import CONSENTS, Page
from relationship_core.config.contact import ConsentSettings
from relationship_core.flow.permission.said import happened, members, said
from relationship_core.model.words import TASK_MEDIUM, ConsentState
from relationship_core.ports import Store

ACT_ORDER: Mapping[str, int] = {"grant": 0, "confirm": 1, "withdraw": 2, "object": 3}
"""Of acts at one instant the strictest counts last."""

STATE_ORDER: tuple[str, ...] = get_args(ConsentState)
"""The states, from the most permission to the least."""

REFUSALS = ("withdraw", "object")

_READ = ("act", "at", "medium", "topic", "basis", "address_hash", "expires_at", "recorded_at")
_NOT_NEEDED, _GRANTED, _PENDING, _EXPIRED, _NONE, _WITHDRAWN, _OBJECTED = range(len(STATE_ORDER))


@frozen(kw_only=True, eq=False)
class Acts:
    """The acts of consent of a page's customers.

    Attributes:
        customers: the page's customers; ``place`` is an index into them.
        rows: the acts that count as of now, in the order in which they are folded: ``place``, ``member`` and columns of
            CONSENTS.
        members: ``place`` and ``member`` of each customer who has several ids.
    """

    customers: pl.Series
    rows: pl.DataFrame
    members: pl.DataFrame


def acts_of(store: Store, page: Page, now: datetime, *, as_it_stands: bool = False) -> Acts:
    """Read the acts of a page's customers that count as of an instant.

    Nothing happened after it was recorded, whatever a clock that is ahead told; ``as_it_stands`` counts every refusal
    that is kept.
    """
    places = page.customers.alias("customer").to_frame().with_row_index("place")
    refused = pl.col("act").is_in(REFUSALS) & pl.lit(as_it_stands)
    rows = (
        said(store, CONSENTS, page, _READ)
        .with_columns(happened())
        .filter((pl.col("at") <= now) | refused)
        .with_columns(
            pl.col("medium", "topic", "basis", "address_hash").fill_null(""),
            pl.col("act").replace_strict(ACT_ORDER, return_dtype=pl.Int8).alias("rank"),
        )
    )
    # A grant that ends sooner is the stricter one; equal acts come in any order, and it makes no difference.
    ordered = rows.join(places, on="customer").sort(
        "at", "rank", "expires_at", descending=[False, False, True], nulls_last=False
    )
    ids = members(store, page).join(places, on="customer").select("place", "member")
    return Acts(customers=page.customers, rows=ordered.drop("customer", "rank", "recorded_at"), members=ids)


@frozen(kw_only=True)
class _Medium:
    """How acts are judged on one medium, as of an instant."""

    name: str
    needed: bool
    confirmed: bool
    now: datetime


def states(acts: Acts, asked: pl.DataFrame, settings: ConsentSettings, now: datetime) -> pl.Series:
    """The state of consent for each row of ``asked``: ``place``, ``medium``, ``topic`` and ``key``, the address's.

    ``key`` may be null where no act of the customer speaks of a single address, see ``addressed``.
    """
    pairs = asked.select("medium", "topic").unique().rows()
    parts = [_of_pair(acts, asked, _medium(medium, settings, now), topic) for medium, topic in pairs]
    if asked.is_empty():
        return pl.Series("consent", [], dtype=pl.String)
    if len(parts) == 1:
        return parts[0]
    chosen = pl.coalesce(
        pl.when((pl.col("medium") == medium) & (pl.col("topic") == topic)).then(part)
        for (medium, topic), part in zip(pairs, parts, strict=True)
    )
    return asked.select(chosen.alias("consent")).to_series()


def _medium(name: str, settings: ConsentSettings, now: datetime) -> _Medium:
    needed = name not in {*settings.without, TASK_MEDIUM}
    return _Medium(name=name, needed=needed, confirmed=name in settings.double_opt_in, now=now)


def addressed(acts: Acts) -> pl.Series:
    """The places of customers of whom some act speaks of a single address."""
    return acts.rows.filter(pl.col("address_hash") != "")["place"].unique()


def _of_pair(acts: Acts, asked: pl.DataFrame, medium: _Medium, topic: str) -> pl.Series:
    covering = acts.rows.filter(pl.col("medium").is_in(["", medium.name]) & pl.col("topic").is_in(["", topic]))
    single = covering.filter(pl.col("address_hash") != "")["place"].unique()
    everywhere = _folded(covering, medium)
    everybody = pl.DataFrame({"place": pl.int_range(len(acts.customers), dtype=pl.UInt32, eager=True)})
    ranks = _strictest(everywhere, everybody, acts.members, medium)
    found = ranks["rank"].gather(asked["place"])
    if len(single):
        own = asked.select("place", "key").with_columns(found, (asked["medium"] == medium.name).alias("here"))
        found = _one_by_one(covering, own, acts.members, medium)
    names = pl.Series(STATE_ORDER, dtype=pl.String)
    return names.gather(found).alias("consent")


def _one_by_one(covering: pl.DataFrame, asked: pl.DataFrame, members: pl.DataFrame, medium: _Medium) -> pl.Series:
    """The ranks, where customers with an act that speaks of one address are judged address by address."""
    single = covering.filter(pl.col("address_hash") != "")["place"].unique()
    wanted = asked.filter(pl.col("here") & pl.col("place").is_in(single.implode())).select("place", "key").unique()
    cases = wanted.with_row_index("case")
    here = (
        pl.col("act").is_in(REFUSALS) | (pl.col("address_hash") == "") | (pl.col("address_hash") == pl.col("key"))
    )  # fmt: skip
    rows = covering.join(cases, on="place", maintain_order="left").filter(here.fill_null(value=False))
    folded = _folded(rows.with_columns(pl.col("case").alias("place")), medium)
    ids = members.join(cases, on="place").select(pl.col("case").alias("place"), "member")
    ranks = _strictest(folded, cases.select(pl.col("case").alias("place")), ids, medium)
    known = cases.join(ranks, left_on="case", right_on="place", how="left").rename({"rank": "alone"})
    both = asked.join(known, on=["place", "key"], how="left", maintain_order="left", nulls_equal=True)
    return both.select(pl.coalesce("alone", "rank")).to_series()


def _folded(rows: pl.DataFrame, medium: _Medium) -> pl.DataFrame:
    """``place``, ``member`` and ``rank``: the state of each id that has acts, in the order of STATE_ORDER.

    A refusal is lifted by a later consent alone, and only as long as that lasts.
    """
    act, number = pl.col("act"), pl.col("number").cast(pl.Int64)
    soft = pl.col("basis") == "soft_opt_in"
    withdrawn = number.filter(act == "withdraw").max()
    # Whoever refused anything before is granted nothing by a soft opt-in, not even once a consent has lifted it.
    grant = (act == "grant") & ~(soft & act.is_in(REFUSALS).any())
    # A grant for one address, where no address is asked about, is no grant.
    usable = ~act.is_in(["grant", "confirm"]) | (pl.col("address_hash") == "") | pl.lit("key" in rows.columns)
    last = (
        rows.filter(usable)
        .with_row_index("number")
        .group_by("place", "member")
        .agg(
            number.filter(grant).max().alias("grant"),
            number.filter(grant & (number < withdrawn)).max().alias("lifted"),
            number.filter(act == "confirm").max().alias("confirm"),
            withdrawn.alias("withdraw"),
            number.filter(act == "object").max().alias("object"),
            pl.col("expires_at").filter(grant).last().alias("expires_at"),
        )
    )
    pending = pl.col("confirm").fill_null(-1) < pl.col("grant") if medium.confirmed else pl.lit(value=False)
    # What the last refusal left: a withdrawal takes nothing from an objection before it that nothing has lifted.
    objected = pl.col("object") > pl.min_horizontal("withdraw", pl.col("lifted").fill_null(-1))
    refused = pl.when(objected.fill_null(value=False)).then(_OBJECTED).otherwise(_WITHDRAWN)
    refusal, ended = pl.max_horizontal("withdraw", "object"), pl.col("expires_at") <= medium.now
    rank = (
        pl.when(refusal > pl.col("grant").fill_null(-1))
        .then(refused)
        .when(pl.col("grant").is_null())
        .then(_NONE)
        .when(ended & refusal.is_not_null())
        .then(refused)
        .when(ended)
        .then(_EXPIRED)
        .when(pending)
        .then(_PENDING)
        .otherwise(_GRANTED)
    )
    return last.select("place", "member", rank.cast(pl.UInt32).alias("rank"))


def _strictest(folded: pl.DataFrame, places: pl.DataFrame, ids: pl.DataFrame, medium: _Medium) -> pl.DataFrame:
    """``place`` and ``rank`` of every place: the strictest state of its ids, one without acts among them."""
    if ids.height:
        silent = ids.join(folded, on=["place", "member"], how="anti").with_columns(rank=pl.lit(_NONE, pl.UInt32))
        folded = pl.concat([folded.select("place", "rank"), silent.select("place", "rank")])
        folded = folded.group_by("place").agg(pl.col("rank").max())
    known = places.join(folded.select("place", "rank"), on="place", how="left", maintain_order="left")
    rank = pl.col("rank").fill_null(_NONE)
    if not medium.needed:
        rank = pl.when(rank.is_between(_PENDING, _NONE)).then(pl.lit(_NOT_NEEDED, pl.UInt32)).otherwise(rank)
    return known.with_columns(rank.alias("rank"))
