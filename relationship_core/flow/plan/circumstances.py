"""Circumstances of candidates: earlier contacts and engagements, addresses, suppressions, intervals."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime

import polars as pl

from relationship_core.columns import CONTACT_POINTS, CUSTOMERS, INSTANT, MESSAGES, SUPPRESSIONS, Page
from relationship_core.flow.plan.candidates import KEYS
from relationship_core.flow.rules import Rules, Step
from relationship_core.ports import Store

CONTACTS = ("queued", "claimed", "attempting", "accepted", "unknown")
"""The states in which a message counts as a contact: it is coming, it came, or it may have come."""
FAILED = "failed"
"""The state of a message that never left: it could not be rendered, or its address was suppressed meanwhile."""

REJECTED = "rejected"
"""The state of a message that its channel will never take."""


def without_settled(
    due: pl.DataFrame, store: Store, now: datetime, versions: Mapping[str, str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The candidates that have no message yet, or one of this very instant, and the other messages of these customers.

    A plan that is repeated at its instant meets its own messages: those candidates are ``held``, and their
    messages do not count as contacts, so that it decides the same again. A message that failed in another
    version of its campaign went to nobody and is forgotten here, and so is one that was rejected at an address
    which has been replaced since: if it is planned again, it takes its own place.

    Args:
        due: candidates with an occasion.
        store: where the messages are.
        now: the run's instant.
        versions: the present version of each campaign.
    """
    page = Page(due["customer"].unique().sort())
    kept = store.read(MESSAGES, page=page, columns=[*KEYS, "state", "queued_at", "version"])
    messages = _without_replaced(kept.filter(~_failed_before(versions)).drop("version"), store, page)
    # One engagement has two messages where each went to an id of its own before these were merged.
    own = messages.filter(pl.col("queued_at") == now).select(*KEYS, pl.lit(value=True).alias("held")).unique(KEYS)
    earlier = messages.filter(pl.col("queued_at") != now)
    left = (
        due.join(earlier, on=KEYS, how="anti", maintain_order="left")
        .join(own, on=KEYS, how="left", maintain_order="left")
        .with_columns(pl.col("held").fill_null(value=False))
    )
    given_up = own.join(left, on=KEYS, how="anti")
    return left, pl.concat([earlier, messages.join(given_up, on=KEYS, how="semi")])


def _without_replaced(messages: pl.DataFrame, store: Store, page: Page) -> pl.DataFrame:
    """The messages but those that were rejected at an address at which their customer is reached no more."""
    if not (messages["state"] == REJECTED).any():
        return messages
    rejected = store.read(MESSAGES, page=page, where={"state": REJECTED}, columns=[*KEYS, "medium", "address"])
    points = store.read(CONTACT_POINTS, page=page, columns=["customer", "medium", "address"])
    replaced = rejected.join(points, on=["customer", "medium", "address"], how="anti")
    return messages.join(replaced, on=KEYS, how="anti", maintain_order="left")


def _failed_before(versions: Mapping[str, str]) -> pl.Expr:
    present = pl.col("campaign").replace_strict(dict(versions), default=None, return_dtype=pl.String)
    return ((pl.col("state") == FAILED) & (pl.col("version") != present)).fill_null(value=False)


def with_circumstances(
    due: pl.DataFrame,
    messages: pl.DataFrame,
    *,
    store: Store,
    rules: Rules,
    media: Mapping[str, str],
    intervals: Mapping[str, float],
) -> pl.DataFrame:
    """Add what the policies want to know about candidates that have an occasion.

    Adds ``engagements``, ``last_contact_at``, ``minimum_interval_days``, ``reachable``, ``suppressed``, and of the
    variant chosen ``variant`` (its place in the action), ``channel``, ``medium`` and ``address``.

    Args:
        due: candidates with an occasion.
        messages: what there is in the outbox for these customers, but for their own.
        store: where addresses are.
        rules: the rules in force.
        media: the medium of each channel instance.
        intervals: minimum days between contacts by stage; the key ``default`` for the rest.
    """
    page = Page(due["customer"].unique().sort())
    contacts = messages.filter(pl.col("state").is_in(CONTACTS))
    last = contacts.group_by("customer").agg(pl.col("queued_at").max().alias("last_contact_at"))
    engaged = messages.filter(pl.col("state") != FAILED)
    counts = engaged.group_by("customer", "campaign").agg(pl.len().cast(pl.Int64).alias("engagements"))
    return (
        due.join(last, on="customer", how="left", maintain_order="left")
        .join(counts, on=["customer", "campaign"], how="left", maintain_order="left")
        .join(
            _addresses(store, rules, media, page, due),
            on=["campaign", "action", "customer"],
            how="left",
            maintain_order="left",
        )
        .with_columns(
            pl.col("engagements").fill_null(0),
            pl.col("last_contact_at").cast(INSTANT),
            _interval(rules, intervals).alias("minimum_interval_days"),
            pl.col("reachable").fill_null(value=False),
            pl.col("suppressed").fill_null(value=False),
        )
    )


def _interval(rules: Rules, intervals: Mapping[str, float]) -> pl.Expr:
    stages = rules.catalog.ladder.names
    days = {stage: float(intervals.get(stage, intervals.get("default", 0.0))) for stage in stages}
    return pl.col("stage").cast(pl.String).replace_strict(days, return_dtype=pl.Float64)


def _addresses(store: Store, rules: Rules, media: Mapping[str, str], page: Page, due: pl.DataFrame) -> pl.DataFrame:
    """For each action and customer the first variant that reaches them, and whether only suppression forbids it."""
    points = _contact_points(store, page)
    variants = _variants(rules.steps, media)
    locales = store.read(CUSTOMERS, page=page, columns=["customer", "locale"])
    wanted = due.select("campaign", "action", "customer").join(locales, on="customer", how="left")
    reachable = (
        wanted.join(variants, on=["campaign", "action"])
        .join(points, on=["customer", "medium"])
        .with_columns(_speaks().alias("speaks"))
        .filter(pl.col("speaks"))
        .sort("campaign", "action", "customer", "suppressed", "variant", "address")
    )
    return reachable.group_by("campaign", "action", "customer", maintain_order=True).agg(
        pl.col("variant", "channel", "medium", "address", "suppressed").first(),
        pl.lit(value=True).alias("reachable"),
    )


def _speaks() -> pl.Expr:
    """A variant without a language speaks to everybody; another to those of its language, region aside."""
    language = pl.col("locale").str.split("-").list.first()
    return (
        pl.col("variant_locale").is_null()
        | (pl.col("variant_locale") == pl.col("locale"))
        | (pl.col("variant_locale") == language)
    ).fill_null(value=False)


def _variants(steps: tuple[Step, ...], media: Mapping[str, str]) -> pl.DataFrame:
    rows = [
        (step.campaign.name, step.action.name, place, variant.channel, media[variant.channel], variant.locale)
        for step in steps
        for place, variant in enumerate(step.action.variants)
    ]
    schema = {
        "campaign": pl.String,
        "action": pl.String,
        "variant": pl.Int64,
        "channel": pl.String,
        "medium": pl.String,
        "variant_locale": pl.String,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def _contact_points(store: Store, page: Page) -> pl.DataFrame:
    points = store.read(CONTACT_POINTS, page=page, columns=["customer", "medium", "address"])
    suppressions = store.read(SUPPRESSIONS, columns=["medium", "address_hash"])
    if suppressions.is_empty():
        return points.with_columns(pl.lit(value=False).alias("suppressed"))
    hashes = pl.Series("address_hash", [address_hash(address) for address in points["address"]], dtype=pl.String)
    marked = suppressions.with_columns(pl.lit(value=True).alias("suppressed"))
    return (
        points.with_columns(hashes)
        .join(marked, on=["medium", "address_hash"], how="left", maintain_order="left")
        .with_columns(pl.col("suppressed").fill_null(value=False))
        .drop("address_hash")
    )


def address_hash(address: str) -> str:
    """The form in which a suppressed address is kept: SHA-256 of the address in lower case without outer spaces."""
    return hashlib.sha256(address.strip().lower().encode()).hexdigest()
