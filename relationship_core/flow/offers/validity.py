"""How long coupons are valid."""

from __future__ import annotations

from datetime import timedelta

import polars as pl


def last_valid_day(issued: pl.Expr, days: pl.Expr, zone: str) -> pl.Expr:
    """The last project-local day on which a coupon is valid, as Date; null for ever.

    Days are those of the calendar, of however many hours: clocks may change on one of them.

    Args:
        issued: the instant at which its message went.
        days: so many days after that one, Int64; null for ever.
        zone: the project's IANA zone.
    """
    return issued.dt.convert_time_zone(zone).dt.date() + days * pl.lit(timedelta(days=1))
