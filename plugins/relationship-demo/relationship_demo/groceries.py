"""The business of the demo on real data: the groceries of The Complete Journey."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from relationship_demo import data, people, permission
from relationship_demo.business import Business, Wording

if TYPE_CHECKING:
    from relationship_core import Customer, Report
    from relationship_demo.months import Month


def _newcomers(month: Month) -> tuple[Customer, ...]:
    """All households are customers from the first day, as on an address list."""
    return people.customers(data.households()) if month == data.months()[0] else ()


def _opening(report: Report) -> str:
    kinds = report.interactions
    orders, received, redeemed = (
        f"{kinds.get(kind, 0):,}" for kind in ("order", "campaign_received", "coupon_redeemed")
    )
    return (
        f"{report.customers:,} households, {orders} orders, {received} campaigns received and "
        f"{redeemed} coupons redeemed are real; names, addresses, consents and wishes are made up."
    )


GROCERIES = Business(
    name="groceries",
    folder=Path("relate-demo"),
    template="project",
    mark="`relate demo` made this folder, and goes on here when it is started again.\n",
    zone=data.ZONE,
    currency=data.CURRENCY,
    months=data.months,
    newcomers=_newcomers,
    interactions=data.interactions,
    said=permission.said,
    story=data.customer_id(1145),  # a household to which much happens in the year
    counts={"orders": "order", "redemptions": "coupon_redeemed", "campaigns_received": "campaign_received"},
    wording=Wording(
        people="households",
        person="household",
        opening=_opening,
        buying="buying alone leads nobody there, and here is nothing else",
        lacking="which these data lack",
        later="when everybody has been silent for years",
        plurals={
            "order": ("order", "orders"),
            "campaign_received": ("campaign of the shop received", "campaigns of the shop received"),
            "coupon_redeemed": ("coupon redeemed", "coupons redeemed"),
        },
    ),
)
