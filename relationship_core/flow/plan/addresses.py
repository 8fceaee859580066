"""Addresses of candidates: the variant that may reach each of them, where, and what permission says of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import polars as pl

from relationship_core.columns import CONTACT_POINTS, CUSTOMERS, Page
from relationship_core.flow.permission.standing import Permission, permission_of, with_keys, with_permission
from relationship_core.flow.permission.terms import Terms
from relationship_core.flow.rules import Rules, Trigger
from relationship_core.model.words import TASK_MEDIUM
from relationship_core.ports import Store

_FOUND = {
    "variant": pl.Int64,
    "channel": pl.String,
    "medium": pl.String,
    "address": pl.String,
    "suppressed": pl.Boolean,
    "consent": pl.String,
    "permitted": pl.Boolean,
}
"""What is found out about each candidate."""


class _Class(NamedTuple):
    """Messages that permission treats alike."""

    medium: str
    topic: str
    purpose: str


def with_addresses(
    due: pl.DataFrame, *, store: Store, rules: Rules, media: Mapping[str, str], terms: Terms
) -> pl.DataFrame:
    """Add how each candidate may be reached, and what permission says of it.

    Of the variants that reach the customer in their language the first that is permitted is chosen, and where none is,
    the first. Of several addresses on one medium the first in alphabetical order is taken, permitted ones before.

    Everybody is reached on the medium of tasks, at the address "": it is one of ours who gets the message.

    Adds ``reachable``, ``suppressed``, ``consent`` and ``wish``, and of the variant chosen ``variant`` (its place in
    the action), ``channel``, ``medium`` and ``address``; all of the latter are null where nothing reaches them, and
    ``consent`` is then ``none``.

    Args:
        due: candidates with an occasion, all as of one instant.
        store: where addresses and permission are.
        rules: the rules in force.
        media: the medium of each channel instance.
        terms: what permission is judged by.
    """
    if due.is_empty():
        types = {**_FOUND, "reachable": pl.Boolean, "wish": pl.String}
        return due.with_columns(pl.lit(None, kind).alias(name) for name, kind in types.items()).drop("permitted")
    page = Page(due["customer"].unique().sort())
    now = due["now"][0]
    known = permission_of(store, page, terms, now)
    places = page.customers.alias("customer").to_frame().with_row_index("place")
    # Of the candidates' own columns any may be called as ours are.
    numbered = (
        due.select("customer", "campaign", "action")
        .with_row_index("__row")
        .join(places, on="customer", how="left", maintain_order="left")
    )
    locales = places.join(store.read(CUSTOMERS, page=page, columns=["customer", "locale"]), on="customer", how="left")
    rows = numbered.select("__row", "place", "campaign", "action").with_columns(
        locales.sort("place")["locale"].gather(numbered["place"]).alias("locale")
    )
    candidates = rows.partition_by("campaign", "action", as_dict=True)
    triggers = {
        (each.campaign.name, each.action.name): each
        for each in rules.triggers
        if (each.campaign.name, each.action.name) in candidates
    }
    points = _points(store, page, places, known, media)
    ways = _ways(triggers.values(), media, points, known, len(page.customers))
    parts = [pl.DataFrame(schema={"__row": pl.UInt32, **_FOUND})]
    parts += [_chosen(candidates[key], trigger, media, ways) for key, trigger in triggers.items()]
    found = pl.concat(parts).sort("__row").drop("__row", "permitted")
    return due.hstack(found).with_columns(
        pl.col("address").is_not_null().alias("reachable"),
        pl.col("suppressed").fill_null(value=False),
        pl.col("consent").fill_null("none"),
        known.wishes.gather(numbered["place"]).alias("wish"),
    )


def _points(
    store: Store, page: Page, places: pl.DataFrame, known: Permission, media: Mapping[str, str]
) -> pl.DataFrame:
    kept = store.read(CONTACT_POINTS, page=page, columns=["customer", "medium", "address"])
    points = places.join(kept, on="customer").drop("customer")
    if TASK_MEDIUM in media.values():
        work = places.select("place", pl.lit(TASK_MEDIUM).alias("medium"), pl.lit("").alias("address"))
        points = pl.concat([points.filter(pl.col("medium") != TASK_MEDIUM), work])
    return with_keys(points, known, store)


def _ways(
    triggers: Iterable[Trigger], media: Mapping[str, str], points: pl.DataFrame, known: Permission, number: int
) -> Mapping[_Class, pl.DataFrame]:
    """For each class of messages the address at which each place is reached best: a row for each place."""
    classes = {
        _class_of(trigger, media[variant.channel]) for trigger in triggers for variant in trigger.action.variants
    }
    everybody = pl.DataFrame({"place": pl.int_range(number, dtype=pl.UInt32, eager=True)})
    ways = {}
    for each in classes:
        own = with_permission(
            points.filter(pl.col("medium") == each.medium), known, topic=each.topic, purpose=each.purpose
        )
        if own["place"].is_duplicated().any():
            own = own.sort("place", ~pl.col("permitted"), "address").unique("place", keep="first", maintain_order=True)
        ways[each] = everybody.join(own.drop("medium", "key"), on="place", how="left", maintain_order="left")
    return ways


def _class_of(trigger: Trigger, medium: str) -> _Class:
    return _Class(medium, trigger.campaign.topic, trigger.campaign.purpose)


def _chosen(
    rows: pl.DataFrame, trigger: Trigger, media: Mapping[str, str], ways: Mapping[_Class, pl.DataFrame]
) -> pl.DataFrame:
    """The first variant that is permitted, else the first that reaches them, for the candidates of one action."""
    best: list[pl.Series] = []
    for place, variant in reversed(list(enumerate(trigger.action.variants))):
        medium = media[variant.channel]
        here = {
            "variant": pl.lit(place, pl.Int64),
            "channel": pl.lit(variant.channel),
            "medium": pl.lit(medium),
            **{name: pl.col(name) for name in ("address", "suppressed", "consent", "permitted")},
        }
        # The variants come from the last to the first: an earlier one gives way to a permitted one alone.
        gives_way = (
            ~pl.col("permitted").fill_null(value=False) & pl.col("best permitted") if best else pl.lit(value=False)
        )
        takes = pl.col("address").is_not_null() & _speaks(variant.locale) & ~gives_way.fill_null(value=False)
        way = ways[_class_of(trigger, medium)][rows["place"]].hstack([rows["locale"], *best])
        chosen = way.with_columns(takes.alias("takes")).select(
            pl.when("takes").then(here[name]).otherwise(f"best {name}" if best else None).alias(f"best {name}")
            for name in _FOUND
        )
        best = chosen.get_columns()
    return rows.select("__row").hstack([each.alias(name) for each, name in zip(best, _FOUND, strict=True)])


def _speaks(wanted: str | None) -> pl.Expr:
    """A variant without a language speaks to everybody; another to those of its language, region aside."""
    if wanted is None:
        return pl.lit(value=True)
    speaks = (pl.col("locale") == wanted) | (pl.col("locale").str.split("-").list.first() == wanted)
    return speaks.fill_null(value=False)
