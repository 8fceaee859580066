"""Checks on columns: every row that cannot be recorded gets a reason, the others go on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import TypeAlias
from zoneinfo import available_timezones

import polars as pl

from relationship_core.errors import nearest
from relationship_core.model.instants import EARLIEST, LATEST, utc

PROBLEM = "__problem"
"""The column that tells why a row could not be read; null where it could."""

Rule: TypeAlias = tuple[pl.Expr, str | pl.Expr]
"""When a row is refused, and what to tell; a null condition refuses nothing."""

AHEAD = timedelta(days=1)
"""How far after the clock an interaction may lie: clocks differ, and so do zones."""

LARGEST_AMOUNT = 2**53
"""Measures are floating-point numbers, which hold every integer up to here."""

CONTROL = r"[\p{Cc}\x{2028}\x{2029}]"
"""A control character, or what begins a new line: the latter two are none, but break a line as well."""

_SUGGESTED = 50
"""For so many unknown names the nearest right one is looked for; the rest would take too long."""


def sift(frame: pl.DataFrame, rules: Sequence[Rule]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows to which no rule applies; and the others with one more column, ``reason``: the first that does."""
    if PROBLEM in frame.columns:
        rules = [(pl.col(PROBLEM).is_not_null(), pl.col(PROBLEM)), *rules]
    applies = [condition.fill_null(value=False).alias(f"rule {n}") for n, (condition, _) in enumerate(rules)]
    bad = frame.select(pl.any_horizontal(applies).alias("bad"))["bad"]
    if not bad.any():
        return frame, frame.clear().with_columns(reason=pl.lit("", pl.String))
    # Reasons are texts to be built, so only for those rows that need one.
    return frame.filter(~bad), frame.filter(bad).with_columns(reason=first_reason(rules))


def first_reason(rules: Sequence[Rule]) -> pl.Expr:
    """What the first rule that applies tells; null where none does."""
    return pl.coalesce(
        pl.when(condition).then(pl.lit(told) if isinstance(told, str) else told) for condition, told in rules
    )


def interaction_rules(kinds: Collection[str], currency: str, now: datetime, frame: pl.DataFrame) -> list[Rule]:
    """The rules for rows of INTERACTIONS with one more column, ``currency``."""
    return [
        *(rule for name in ("source", "id", "customer", "kind") for rule in identity_rules(name)),
        *text_rules(("reference", "data")),
        _kind_rule(kinds, frame),
        *time_rules(now),
        *_money_rules(currency),
        *(_line_rules() if frame["lines"].is_not_null().any() else ()),
    ]


def customer_rules() -> list[Rule]:
    """The rules for rows of CUSTOMERS."""
    country = pl.col("country")
    return [
        *identity_rules("customer"),
        *text_rules(("name", "locale", "zone", "attributes")),
        (
            country.is_not_null() & ~country.str.contains("^[A-Z]{2}$"),
            "the country is not an ISO 3166-1 code of two capital letters, such as US",
        ),
        _zone_rule(),
    ]


@cache
def _zone_rule() -> Rule:
    """Made once: to list the zones means to look into every file of their database."""
    zones = sorted(available_timezones())
    return ~pl.col("zone").is_in(zones), "the zone is no IANA time zone such as Europe/Berlin"


def identity_rules(name: str) -> list[Rule]:
    """Text that identifies something is there, is not padded, is one line, and can be kept by any store."""
    column = pl.col(name)
    return [
        (column.is_null() | (column == ""), f"there is no {name}"),
        (column != column.str.strip_chars(), f"the {name} has white space around it"),
        *text_rules((name,)),
        (column.str.contains(CONTROL), f"the {name} holds a line break or another control character"),
    ]


def text_rules(names: Iterable[str]) -> list[Rule]:
    """Text that any store can keep."""
    return [(pl.col(name).str.contains("\0", literal=True), f"the {name} holds a NUL character") for name in names]


def _kind_rule(kinds: Collection[str], frame: pl.DataFrame) -> Rule:
    known = sorted(kinds)
    unknown = [kind for kind in frame["kind"].unique() if kind is not None and kind not in kinds]
    told = {kind: f"the kind {kind[:40]!r} is unknown{nearest(kind[:40], known)}" for kind in unknown[:_SUGGESTED]}
    reason = pl.col("kind").replace_strict(told, default="the kind is unknown", return_dtype=pl.String)
    return pl.col("kind").is_in(unknown), reason if told else "the kind is unknown"


def time_rules(now: datetime) -> list[Rule]:
    """An instant, ``at``, is there, and lies in history."""
    at = pl.col("at")
    return [
        (at.is_null(), "there is no time"),
        (
            (at < EARLIEST) | (at >= LATEST),
            f"the time is not in the years {EARLIEST.year} to {LATEST.year - 1}",
        ),
        (at > utc(now) + AHEAD, "the time lies more than a day in the future"),
    ]


def _money_rules(currency: str) -> list[Rule]:
    return [
        (
            pl.col("currency") != currency,
            f"the amount is in another currency than the project's, {currency}; convert it first",
        ),
        (~pl.col("amount").is_between(-LARGEST_AMOUNT, LARGEST_AMOUNT), "the amount is too large"),
        (
            (pl.col("kind") == "order") & (pl.col("amount") < 0),
            "the amount of an order is negative; what goes back is an interaction of its own, such as a 'return'",
        ),
    ]


def _line_rules() -> list[Rule]:
    line = pl.element().struct

    def any_line(condition: pl.Expr) -> pl.Expr:
        return pl.col("lines").list.eval(condition).list.any()

    product, quantity, minor = line.field("product"), line.field("quantity"), line.field("minor")
    return [
        (any_line(product.is_null() | (product == "")), "an order line has no product"),
        (
            any_line(quantity.is_null() | ~quantity.is_finite() | (quantity < 0)),
            "an order line has a quantity that is not a number of at least 0",
        ),
        (
            any_line((minor > LARGEST_AMOUNT) | (minor < -LARGEST_AMOUNT)),
            "the amount of an order line is too large",
        ),
    ]
