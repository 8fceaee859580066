"""Coupons: one for each message that went and told of an offer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from zoneinfo import ZoneInfo

import polars as pl
from attrs import field, frozen

from relationship_core.columns import MESSAGES, Page
from relationship_core.flow.message_states import GONE_STATES
from relationship_core.flow.offers.codes import coupon_code
from relationship_core.flow.offers.redeeming import Held, Redemption, redemptions
from relationship_core.flow.offers.templates import tells_of_offer
from relationship_core.flow.offers.validity import last_valid_day
from relationship_core.flow.united import ties_of
from relationship_core.flow.versions import offering_campaigns
from relationship_core.ports import Renderer, Store
from relationship_core.table import INSTANT

if TYPE_CHECKING:
    from relationship_core.model.campaign import Campaign
    from relationship_core.model.offer import Offer

CouponState: TypeAlias = Literal["open", "redeemed", "expired"]
"""``open`` may be redeemed; ``redeemed`` was, in time; ``expired`` was not, and cannot be any more."""

_READ = ("id", "customer", "campaign", "version", "action", "variant", "state", "settled_at")
_OFFERED: dict[str, pl.DataType | type[pl.DataType]] = {
    **{name: MESSAGES.schema[name] for name in ("campaign", "version", "action", "variant")},
    "days": pl.Int64,
    "shared": pl.Boolean,
    "cost": pl.Int64,
}
_ISSUED: dict[str, pl.DataType | type[pl.DataType]] = {
    **dict.fromkeys(("message", "customer", "campaign", "version"), pl.String),
    "shared": pl.Boolean,
    "cost": pl.Int64,
    "issued_at": INSTANT,
    "expires_at": INSTANT,
}
_FOUND: dict[str, pl.DataType | type[pl.DataType]] = {
    "message": pl.String,
    "redeemed_at": INSTANT,
    "revenue": pl.Int64,
}


@frozen(kw_only=True)
class CouponTerms:
    """By what coupons are told.

    Attributes:
        salt: the project's.
        renderer: makes the template language, which tells what a text names; asked for where something was offered.
        zone: the project's IANA zone.
    """

    salt: str = field(repr=False)
    renderer: Callable[[], Renderer]
    zone: str


@frozen(kw_only=True)
class Coupon:
    """What a customer holds since a message told of an offer.

    Attributes:
        message: the id of the message.
        customer: who holds it.
        campaign: the campaign that the message is of.
        code: what it is redeemed with.
        summary: what it is good for, in the words of the offer.
        issued_at: when the message went.
        expires_at: when it was, or will be, too late; None for never.
        state: open, redeemed or expired.
        redeemed_at: when it was redeemed; None where it was not.
        revenue: what the order that it was redeemed with came to, in minor units; None where no order is known.
    """

    message: str
    customer: str
    campaign: str
    code: str = field(repr=False)
    summary: str
    issued_at: datetime
    expires_at: datetime | None
    state: CouponState
    redeemed_at: datetime | None
    revenue: int | None


@frozen(kw_only=True, eq=False)
class Coupons:
    """The coupons of some customers, or of everybody.

    Attributes:
        frame: ``message``, ``customer``, ``campaign``, ``version``, ``cost`` (of a redemption), ``issued_at``,
            ``expires_at``, ``redeemed_at``, ``revenue`` and ``state``, in the order in which they were issued.
        offers: what was offered, by campaign and version.
        terms: by what they are told.
    """

    frame: pl.DataFrame
    offers: Mapping[tuple[str, str], Offer]
    terms: CouponTerms

    def __iter__(self) -> Iterator[Coupon]:
        """Each of them."""
        for row in self.frame.iter_rows(named=True):
            offer = self.offers[row["campaign"], row["version"]]
            yield Coupon(
                message=row["message"],
                customer=row["customer"],
                campaign=row["campaign"],
                code=coupon_code(offer, row["message"], self.terms.salt),
                summary=offer.summary,
                issued_at=row["issued_at"],
                expires_at=row["expires_at"],
                state=row["state"],
                redeemed_at=row["redeemed_at"],
                revenue=row["revenue"],
            )


def coupons(store: Store, terms: CouponTerms, now: datetime, *, page: Page | None = None) -> Coupons:
    """The coupons that there are at an instant, with what has become of them.

    Args:
        store: where messages and history are.
        terms: by what they are told.
        now: the instant; what happens later is not known.
        page: whose; None for everybody's.
    """
    campaigns = offering_campaigns(store)
    offers = {key: campaign.offer for key, campaign in campaigns.items() if campaign.offer is not None}
    issued = _issued(store, campaigns, terms, now, page)
    found = redemptions(store, issued, lambda row: _held(row, offers, terms), terms.zone, now)
    frame = issued.join(_framed(found), on="message", how="left", maintain_order="left")
    too_late = (pl.col("expires_at") <= now).fill_null(value=False)
    state = (
        pl.when(pl.col("redeemed_at").is_not_null())
        .then(pl.lit("redeemed"))
        .when(too_late)
        .then(pl.lit("expired"))
        .otherwise(pl.lit("open"))
    )
    return Coupons(frame=frame.with_columns(state.alias("state")), offers=offers, terms=terms)


def _issued(
    store: Store,
    campaigns: Mapping[tuple[str, str], Campaign],
    terms: CouponTerms,
    now: datetime,
    page: Page | None,
) -> pl.DataFrame:
    if not campaigns:
        return pl.DataFrame(schema=_ISSUED)
    went = pl.col("state").is_in(GONE_STATES) & (pl.col("settled_at") <= now)
    where = {"campaign": sorted({name for name, _ in campaigns}), "state": GONE_STATES} if page is None else None
    rows = store.read(MESSAGES, where=where, page=page, columns=_READ).filter(went)
    concerned = campaigns.keys() & set(rows.select("campaign", "version").iter_rows())
    if not concerned:  # whoever was offered nothing waits for no renderer
        return pl.DataFrame(schema=_ISSUED)
    telling = _offered({key: campaigns[key] for key in concerned}, terms.renderer())
    offered = pl.DataFrame(list(telling), schema=_OFFERED, orient="row")
    rows = rows.join(offered, on=["campaign", "version", "action", "variant"]).rename(
        {"id": "message", "settled_at": "issued_at"}
    )
    # A page tells customers as they are now; a whole table as they were when it was written.
    rows = rows.with_columns(ties_of(store).resolved(rows["customer"]))
    return _with_expiry(rows, terms.zone).select(list(_ISSUED)).sort("issued_at", "message")


def _offered(campaigns: Mapping[tuple[str, str], Campaign], renderer: Renderer) -> Iterator[tuple[object, ...]]:
    """Every text that tells of an offer, with what its coupons are like."""
    for key, campaign in campaigns.items():
        offer = campaign.offer
        if offer is None:
            continue
        for action in campaign.actions:
            for place, variant in enumerate(action.variants):
                if tells_of_offer(variant, renderer):
                    yield (*key, action.name, place, offer.days, bool(offer.code), offer.cost)


def _with_expiry(rows: pl.DataFrame, zone: str) -> pl.DataFrame:
    """The rows with ``expires_at``: the end of the last day on which each is valid."""
    rows = rows.with_columns(last_valid_day(pl.col("issued_at"), pl.col("days"), zone).alias("last_day"))
    days = rows["last_day"].drop_nulls().unique()
    ends = pl.DataFrame(
        {"last_day": days, "expires_at": [_beginning(day + timedelta(days=1), zone) for day in days]},
        schema={"last_day": pl.Date, "expires_at": INSTANT},
    )
    return rows.join(ends, on="last_day", how="left", maintain_order="left")


def _beginning(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), tzinfo=ZoneInfo(zone)).astimezone(UTC)


def _held(row: Mapping[str, Any], offers: Mapping[tuple[str, str], Offer], terms: CouponTerms) -> Held:
    offer = offers[row["campaign"], row["version"]]
    return Held(
        message=row["message"],
        code=coupon_code(offer, row["message"], terms.salt),
        shared=bool(offer.code),
        issued_at=row["issued_at"],
        begins_at=_beginning(row["issued_at"].astimezone(ZoneInfo(terms.zone)).date(), terms.zone),
        expires_at=row["expires_at"],
    )


def _framed(found: Mapping[str, Redemption]) -> pl.DataFrame:
    rows = [(message, each.at, each.revenue) for message, each in found.items()]
    return pl.DataFrame(rows, schema=_FOUND, orient="row")
