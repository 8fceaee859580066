"""One batch of customers: new ones are added, known ones brought up to date."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from relationship_core.columns import CONTACT_POINTS, CUSTOMERS, MESSAGES, Page
from relationship_core.flow.attributes import as_one
from relationship_core.flow.erased import without_erased
from relationship_core.flow.permission.holders import found_by
from relationship_core.flow.record.addresses import PLACE
from relationship_core.flow.record.recorder import Recorder
from relationship_core.flow.united import ties_of
from relationship_core.ports import Store

CONTACT, ATTRIBUTE = "contact.", "attribute."
"""What a column's name begins with that holds addresses of a medium, or values of an attribute."""

REQUIRED = ("customer",)
_PROFILE = ("name", "locale", "zone", "country")
OPTIONAL = (*_PROFILE, "attributes")


def commit_customers(
    recorder: Recorder, people: pl.DataFrame, points: pl.DataFrame, note: Callable[[int, pl.DataFrame], None]
) -> int:
    """Keep a batch of customers; mark those for review who are new or have changed.

    What a row leaves open (null) stays as it is known, attribute by attribute and medium by medium. The contact
    points of a medium that it does name replace those that were known, and a message that waits for one of the
    latter goes to the new one. Of two rows for one customer the later wins where both say something.

    Args:
        recorder: what to work with.
        people: checked rows of CUSTOMERS, with any further columns; a customer may come twice.
        points: rows of CONTACT_POINTS of these customers, with the column PLACE.
        note: called inside the transaction with the number of new customers; and with those rows that name somebody
            who was erased, with one more column, ``reason``. What it raises undoes the batch.

    Returns:
        How many were new.
    """
    store = recorder.store
    with store.transaction():
        good, erased = without_erased(store, people)
        own = points.join(erased, on="customer", how="anti") if erased.height else points
        new = _keep(store, good.select(list(CUSTOMERS.schema)), own) if good.height else 0
        note(new, erased)
    return new


def _keep(store: Store, people: pl.DataFrame, points: pl.DataFrame) -> int:
    given = _one_row_each(people)
    page = Page(given["customer"])
    known = store.read(CUSTOMERS, page=page)
    merged = _merged(given, known)
    changed = merged.join(known, on=list(CUSTOMERS.schema), how="anti", nulls_equal=True)
    if changed.height:
        store.put(CUSTOMERS, changed)
    reached_otherwise = _keep_points(store, _stated_last(points), page) if points.height else points["customer"]
    touched = pl.concat([changed["customer"], reached_otherwise]).unique().sort()
    if len(touched):
        store.mark("review", ties_of(store).resolved(touched).unique().sort())
    return given.height - known.height


def _one_row_each(people: pl.DataFrame) -> pl.DataFrame:
    if people["customer"].is_unique().all():
        return people.sort("customer")
    grouped = people.group_by("customer", maintain_order=True).agg(
        *(pl.col(name).drop_nulls().last() for name in _PROFILE), pl.col("attributes").drop_nulls()
    )
    united = pl.Series("attributes", map(as_one, grouped["attributes"]), dtype=pl.String)
    return grouped.with_columns(united).sort("customer")


def _merged(given: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """What is given, completed by what is known."""
    both = given.join(known, on="customer", how="left", suffix="_known", maintain_order="left")
    pairs = both.select("attributes", "attributes_known").iter_rows()
    attributes = [
        given if known is None else known if given is None else as_one((known, given)) for given, known in pairs
    ]
    return both.select(
        "customer",
        *(pl.coalesce(name, f"{name}_known") for name in _PROFILE),
        pl.Series("attributes", attributes, dtype=pl.String),
    )


def _stated_last(points: pl.DataFrame) -> pl.DataFrame:
    """For each customer and medium, the contact points of the last row that names any."""
    last = pl.col(PLACE) == pl.col(PLACE).max().over("customer", "medium")
    return points.filter(last).unique(subset=list(CONTACT_POINTS.key), keep="last").sort(CONTACT_POINTS.key)


def _keep_points(store: Store, stated: pl.DataFrame, page: Page) -> pl.Series:
    """Put contact points in the place of those that were known; the customers for whom that changed something."""
    known, stated = store.read(CONTACT_POINTS, page=page), stated.with_columns(found_by())
    fresh = stated.join(known, on=list(CONTACT_POINTS.schema), how="anti", maintain_order="left")
    replaced = known.join(stated, on=["customer", "medium"], how="semi").join(
        stated, on=list(CONTACT_POINTS.key), how="anti"
    )
    if replaced.height:
        store.delete(CONTACT_POINTS, replaced)
        _redirect(store, replaced, stated)
    if fresh.height:
        store.put(CONTACT_POINTS, fresh)
    return pl.concat([fresh["customer"], replaced["customer"]])


def _redirect(store: Store, replaced: pl.DataFrame, stated: pl.DataFrame) -> None:
    """Messages that wait for an address which was replaced go to the first one in its place."""
    customers = Page(replaced["customer"].unique().sort())
    waiting = store.read(MESSAGES, page=customers, where={"state": "queued"}, columns=["id", *CONTACT_POINTS.key])
    first = stated.group_by("customer", "medium").agg(pl.col("address").min())
    moved = waiting.join(replaced, on=list(CONTACT_POINTS.key), how="semi").drop("address")
    if moved.height:
        redirected = moved.join(first, on=["customer", "medium"]).select("id", "address").sort("id")
        store.update(MESSAGES, redirected)
