"""Offers in numbers: what was issued, what became of it, and what it brought and cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import polars as pl
from attrs import frozen

from relationship_core.columns import CAMPAIGNS
from relationship_core.errors import ConfigurationError, nearest
from relationship_core.flow.customers import find_customer
from relationship_core.flow.offers.coupons import Coupon, Coupons, CouponTerms, coupons
from relationship_core.model.campaign import Campaign
from relationship_core.model.offer import Offer
from relationship_core.ports import Store


@frozen(kw_only=True)
class OfferCount:
    """What became of the coupons of one campaign, in all its versions.

    Attributes:
        campaign: its name.
        summary: what it offers, or offered last.
        issued: how many coupons there are.
        open: how many of them may be redeemed.
        redeemed: how many were.
        expired: how many were not, and cannot be any more.
        revenue: what the orders with them came to, in minor units.
        cost: what redeeming them has cost us, in minor units.
    """

    campaign: str
    summary: str
    issued: int
    open: int
    redeemed: int
    expired: int
    revenue: int
    cost: int


@frozen(kw_only=True)
class OffersView:
    """Offers at an instant.

    Attributes:
        as_of: the instant.
        campaigns: the campaigns that carry an offer, or did when messages went, by name.
        coupons: the coupons of the customer who was asked for, oldest first; empty where everybody was.
    """

    as_of: datetime
    campaigns: tuple[OfferCount, ...]
    coupons: tuple[Coupon, ...]


def view_offers(
    store: Store,
    campaigns: Iterable[Campaign],
    terms: CouponTerms,
    now: datetime,
    *,
    campaign: str | None = None,
    customer: str | None = None,
) -> OffersView:
    """What became of offers until an instant.

    Args:
        store: where messages and history are.
        campaigns: the project's campaigns.
        terms: by what coupons are told.
        now: the instant.
        campaign: one campaign alone; None for all.
        customer: one customer alone; None for everybody.

    Raises:
        RejectedError: nobody has that id.
        ConfigurationError: no campaign of that name carries an offer, or ever did.
    """
    page = None if customer is None else find_customer(store, customer)
    there = coupons(store, terms, now, page=page)
    offers = _offers(store, campaigns, there)
    if campaign is not None:
        if campaign not in offers:
            message = f"no campaign {campaign!r} carries an offer, or did{nearest(campaign, offers)}"
            raise ConfigurationError(message)
        # Whose coupon a code redeems depends on all that a customer holds, so the others are left out last.
        there = Coupons(
            frame=there.frame.filter(pl.col("campaign") == campaign), offers=there.offers, terms=there.terms
        )
        offers = {campaign: offers[campaign]}
    return OffersView(
        as_of=now,
        campaigns=tuple(_count(name, offers[name], there.frame) for name in sorted(offers)),
        coupons=() if customer is None else tuple(there),
    )


def _offers(store: Store, campaigns: Iterable[Campaign], there: Coupons) -> Mapping[str, Offer]:
    """What each campaign offers, or offered last."""
    kept = store.read(CAMPAIGNS, columns=["campaign", "version", "at"]).sort("at", "version").iter_rows()
    past = {name: there.offers[name, version] for name, version, _at in kept if (name, version) in there.offers}
    return past | {each.name: each.offer for each in campaigns if each.offer is not None}


def _count(campaign: str, offer: Offer, frame: pl.DataFrame) -> OfferCount:
    own = frame.filter(pl.col("campaign") == campaign)
    redeemed = own.filter(pl.col("state") == "redeemed")
    return OfferCount(
        campaign=campaign,
        summary=offer.summary,
        issued=own.height,
        open=int((own["state"] == "open").sum()),
        redeemed=redeemed.height,
        expired=int((own["state"] == "expired").sum()),
        revenue=int(redeemed["revenue"].sum()),
        cost=int(redeemed["cost"].sum()),
    )
