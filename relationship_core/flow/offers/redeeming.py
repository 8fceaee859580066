"""Redeeming: which coupon each code was used for that a customer brought back, and what was bought with it.

A code comes back as ``coupon`` in the data of an ``order`` or a ``coupon_redeemed``, or as the reference of a
``coupon_redeemed``. Everything is a function of history, in whatever order it was recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import polars as pl
from attrs import define, frozen

from relationship_core.columns import INTERACTIONS, Page
from relationship_core.flow.offers.codes import as_meant
from relationship_core.flow.ties import Ties
from relationship_core.flow.united import plain, ties_of
from relationship_core.ports import Store

ORDER = "order"
REDEEMED = "coupon_redeemed"
"""The kinds of interaction that redeem."""
COUPON = "coupon"
"""Under this name their data hold the code."""

_TOGETHER = 50_000
"""The history of so many customers is looked through together."""
_READ = ("source", "id", "customer", "at", "amount", "reference", "data")


@frozen(kw_only=True)
class Held:
    """A coupon as it is looked for.

    Attributes:
        message: the message that issued it.
        code: its code.
        shared: whether others have the same code.
        issued_at: when it was issued.
        begins_at: when the project-local day began on which it was issued.
        expires_at: when it is too late; None for never.
    """

    message: str
    code: str
    shared: bool
    issued_at: datetime
    begins_at: datetime
    expires_at: datetime | None

    def takes(self, use: Use) -> bool:
        """Whether a code that came back may be for this coupon.

        A code that nobody else has came from its message, whatever the clock of a shop says of that day, and whoever of
        an account brought it; on a day before, it was another's. One that others have too counts from when it was
        issued, and for whoever brought it.
        """
        if self.expires_at is not None and use.at >= self.expires_at:
            return False
        if self.shared:
            return use.own and use.at >= self.issued_at
        return use.at >= self.begins_at


@define(kw_only=True)
class Use:
    """A code that came back.

    Attributes:
        at: when.
        key: tells one use from the next of the same instant.
        code: the code, as it was meant.
        own: whether the holder brought it themselves, and not a contact of theirs.
        revenue: what the order with it came to; None where no order is known.
    """

    at: datetime
    key: tuple[str, str]
    code: str
    own: bool
    revenue: int | None


@frozen(kw_only=True)
class Redemption:
    """How a coupon was redeemed.

    Attributes:
        at: when.
        revenue: what the order with it came to, in minor units; None where no order is known.
    """

    at: datetime
    revenue: int | None


@define(kw_only=True)
class _Deed:
    """An order, or a coupon_redeemed."""

    at: datetime
    day: date
    key: tuple[str, str]
    own: bool
    code: str
    """As it was meant; empty where there is none."""
    reference: str | None
    """The order's own, or the order's that a coupon_redeemed names."""
    amount: int | None
    use: Use | None = None
    """What an order was used for, once that is known."""
    joined: bool = False
    """Whether a coupon_redeemed was found to be of this order."""


def redemptions(
    store: Store, issued: pl.DataFrame, held: Callable[[Mapping[str, Any]], Held], zone: str, now: datetime
) -> Mapping[str, Redemption]:
    """How coupons were redeemed, by the ids of their messages.

    Each use of a code redeems one coupon of its customer, the oldest that is open, and each coupon is redeemed once.

    Args:
        store: where history is.
        issued: the coupons in the order in which they were issued, with ``customer``.
        held: makes a coupon of a row; called for those customers alone who brought a code.
        zone: the project's, which decides what a day is.
        now: what happened later is not known.
    """
    ties = ties_of(store)
    holders = issued["customer"].unique().sort()
    found: dict[str, Redemption] = {}
    for start in range(0, len(holders), _TOGETHER):
        deeds = _deeds(plain(store), ties, holders.slice(start, _TOGETHER), zone, now)
        coupons: dict[str, list[Held]] = {}
        for row in issued.filter(pl.col("customer").is_in(list(deeds))).iter_rows(named=True):
            coupons.setdefault(row["customer"], []).append(held(row))
        for customer, theirs in coupons.items():
            found |= _matched(theirs, uses_of(*deeds[customer]))
    return found


def _matched(coupons: Sequence[Held], uses: Iterable[Use]) -> Iterator[tuple[str, Redemption]]:
    left: dict[str, list[Held]] = {}
    for coupon in coupons:
        left.setdefault(as_meant(coupon.code), []).append(coupon)
    for use in sorted(uses, key=lambda use: (use.at, use.key)):
        fitting = next((coupon for coupon in left.get(use.code, ()) if coupon.takes(use)), None)
        if fitting is not None:
            left[use.code].remove(fitting)
            yield fitting.message, Redemption(at=use.at, revenue=use.revenue)


def uses_of(orders: Sequence[_Deed], redeemed: Sequence[_Deed]) -> list[Use]:
    """The uses of codes that orders and coupon_redeemed tell of, which may both tell of one.

    A coupon_redeemed is of the order that it names, or else of the first of the same day that has its code, or none.
    """
    for order in orders:
        if order.code:
            order.use = Use(at=order.at, key=order.key, code=order.code, own=order.own, revenue=order.amount)
    uses = [order.use for order in orders if order.use is not None]
    for deed in redeemed:
        with_it = _order_of(deed, [order for order in orders if not order.joined and order.code in {"", deed.code}])
        if with_it is not None:
            with_it.joined = True
        if with_it is not None and with_it.use is not None:
            with_it.use.at = min(with_it.use.at, deed.at)
        else:
            revenue = None if with_it is None else with_it.amount
            uses.append(Use(at=deed.at, key=deed.key, code=deed.code, own=deed.own, revenue=revenue))
    return uses


def _order_of(deed: _Deed, orders: Iterable[_Deed]) -> _Deed | None:
    """The order that a coupon_redeemed is of: one that it names before others, and one with its code before others."""
    ranked = [
        (not names_it, not order.code, order.at, order.key, order)
        for order in orders
        if (names_it := deed.reference is not None and order.reference == deed.reference) or order.day == deed.day
    ]
    return min(ranked, key=lambda each: each[:-1])[-1] if ranked else None


def _deeds(
    store: Store, ties: Ties, holders: pl.Series, zone: str, now: datetime
) -> Mapping[str, tuple[list[_Deed], list[_Deed]]]:
    """Of every holder who brought a code, the orders and the coupon_redeemed that count for them, oldest first."""
    whose = _whose(ties, holders)
    redeemed = _counting(store, whose, REDEEMED, now).filter(pl.coalesce("code", "reference").is_not_null())
    brought = pl.concat([redeemed.select("customer"), _bearing(store, whose)]).unique()
    orders = _counting(store, whose.join(brought, on="customer", how="semi"), ORDER, now)
    day = pl.col("at").dt.convert_time_zone(zone).dt.date().alias("day")
    deeds: dict[str, tuple[list[_Deed], list[_Deed]]] = {}
    for place, rows in enumerate((orders, redeemed)):
        for row in rows.with_columns(day).sort("at", "source", "id").iter_rows(named=True):
            deeds.setdefault(row["customer"], ([], []))[place].append(_deed(row, is_order=place == 0))
    return deeds


def _deed(row: Mapping[str, Any], *, is_order: bool) -> _Deed:
    told, reference = row["code"], row["reference"]
    # Where the reference of a coupon_redeemed is the code, it names no order.
    code = told if is_order or told is not None else reference
    return _Deed(
        at=row["at"],
        day=row["day"],
        key=(row["source"], row["id"]),
        own=row["own"],
        code="" if code is None else as_meant(code),
        reference=None if code is not None and told is None else reference,
        amount=row["amount"],
    )


def _whose(ties: Ties, holders: pl.Series) -> pl.DataFrame:
    """Whose history counts for the holders: ``member``, the holder as ``customer``, since and until when, and ``own``.

    A contact's counts for an account, and is not its own.
    """
    themselves = pl.DataFrame({"member": holders, "customer": holders}).with_columns(own=pl.lit(value=True))
    counted = ties.counted.filter(pl.col("counts_for").is_in(holders.implode()))
    others = counted.select(
        "member",
        pl.col("counts_for").alias("customer"),
        (ties.resolved(counted["member"]) == counted["counts_for"]).alias("own"),
        "since",
        "until",
    )
    return pl.concat([themselves, others], how="diagonal")


def _bearing(store: Store, whose: pl.DataFrame) -> pl.DataFrame:
    """The holders for whom an order counts that bears a code; orders are many, and most of them bear none."""
    rows = store.read(INTERACTIONS, page=_page(whose), where={"kind": ORDER}, columns=("customer", "data"))
    bearing = rows.filter(pl.col("data").str.contains(f'"{COUPON}"', literal=True)).select(member="customer")
    return whose.join(bearing, on="member", how="semi").select("customer")


def _page(whose: pl.DataFrame) -> Page:
    return Page(whose["member"].unique().sort())


def _counting(store: Store, whose: pl.DataFrame, kind: str, now: datetime) -> pl.DataFrame:
    """The interactions of a kind that count for the holders, with the ``code`` that their data hold."""
    rows = store.read(INTERACTIONS, page=_page(whose), where={"kind": kind}, columns=_READ).filter(pl.col("at") <= now)
    rows = rows.rename({"customer": "member"}).join(whose, on="member")
    at, since, until = pl.col("at"), pl.col("since"), pl.col("until")
    rows = rows.filter((since.is_null() | (since <= at)) & (until.is_null() | (at < until)))
    code = pl.col("data").str.json_path_match(f"$.{COUPON}").str.strip_chars()
    told = pl.when(code != "").then(code).alias("code")
    # Two ids of one contact may both be linked to one account.
    return rows.with_columns(told).unique(["source", "id", "customer"], keep="first", maintain_order=True)
