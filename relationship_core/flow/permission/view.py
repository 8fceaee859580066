"""What is known of one customer's permission: states, wishes, suppressed addresses, and every act that proves them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import polars as pl
from attrs import field, frozen

from relationship_core.columns import CONSENTS, CONTACT_POINTS, CUSTOMERS, PREFERENCES, SUPPRESSIONS, Page
from relationship_core.flow.customers import find_customer
from relationship_core.flow.permission.consents import PERMITTED, acts_of, states
from relationship_core.flow.permission.keys import address_keys, held_back_keys
from relationship_core.flow.permission.preferences import wish, wishes_of
from relationship_core.flow.permission.terms import Terms
from relationship_core.flow.united import plain, ties_of
from relationship_core.ports import Store


@frozen(kw_only=True)
class ConsentEntry:
    """One act of consent as it is kept.

    Attributes:
        customer: the id that it is kept under.
        id: tells it from the customer's others.
        act: grant, confirm, withdraw or object.
        at: when it was done.
        medium: the kind of contact point; empty for every one.
        topic: the topic; empty for every one.
        basis: what a grant rests on; empty where nothing is granted.
        jurisdiction: whose law it was given under.
        wording: what the customer agreed to.
        version: which version of that.
        method: how it was given.
        source: the system that it comes from.
        actor: who entered it; empty for the customer.
        evidence: what proves it.
        address_hash: the keyed hash of the address that it was given for; empty for any of the medium.
        expires_at: when a grant ends.
        recorded_at: when it was recorded here.
    """

    customer: str
    id: str
    act: str
    at: datetime
    medium: str
    topic: str
    basis: str
    jurisdiction: str
    wording: str
    version: str
    method: str
    source: str
    actor: str
    evidence: str = field(repr=False)
    address_hash: str
    expires_at: datetime | None
    recorded_at: datetime


@frozen(kw_only=True)
class PreferenceEntry:
    """One wish as it is kept.

    Attributes:
        customer: the id that it is kept under.
        at: when it was said.
        wish: close, occasional, transactional or none.
        source: the system that it comes from.
        actor: who entered it; empty for the customer.
        ask_again_at: the earliest next asking that was agreed on.
        recorded_at: when it was recorded here.
    """

    customer: str
    at: datetime
    wish: str
    source: str
    actor: str
    ask_again_at: datetime | None
    recorded_at: datetime


@frozen(kw_only=True)
class ConsentView:
    """Where consent stands for one address, and one topic.

    Attributes:
        medium: the kind of contact point.
        topic: the topic; empty for messages without one.
        address: the address; empty where the customer has none on this medium.
        state: where consent stands.
        permitted: whether marketing may go by it.
    """

    medium: str
    topic: str
    address: str = field(repr=False)
    state: str
    permitted: bool


@frozen(kw_only=True)
class SuppressionView:
    """A suppression of one of the customer's addresses.

    Attributes:
        medium: the kind of contact point.
        address: the customer's address.
        scope: all, marketing, or topic: and the topic's name.
        reason: why.
        at: since when.
        source: the system that it comes from.
        actor: who entered it.
        lifted_at: since when it holds nothing back any more; None where it still does.
        lifted_by: who took it off.
    """

    medium: str
    address: str = field(repr=False)
    scope: str
    reason: str
    at: datetime
    source: str
    actor: str
    lifted_at: datetime | None
    lifted_by: str


@frozen(kw_only=True)
class PermissionView:
    """Everything that is known of one customer's permission.

    Attributes:
        customer: the id that they have now.
        aliases: the ids that were merged into it.
        as_of: the instant of the states.
        preference: the relationship that they want; unasked where they did not say.
        wish: what counts for them now: their preference, or what the project assumes.
        ask_at: from when on they may be asked again; None for now.
        consents: where consent stands, by medium, address and topic.
        suppressions: the suppressions of their addresses, lifted ones too.
        acts: every act of consent, oldest first.
        preferences: every wish, oldest first.
    """

    customer: str
    aliases: tuple[str, ...]
    as_of: datetime
    preference: str
    wish: str
    ask_at: datetime | None
    consents: tuple[ConsentView, ...]
    suppressions: tuple[SuppressionView, ...]
    acts: tuple[ConsentEntry, ...]
    preferences: tuple[PreferenceEntry, ...]


def view_permission(store: Store, customer: str, terms: Terms, topics: Iterable[str], now: datetime) -> PermissionView:
    """Everything that is known of one customer's permission.

    Args:
        store: where it is.
        customer: an id of theirs.
        terms: what permission is judged by.
        topics: the topics of campaigns; those of the customer's own acts come beside them.
        now: the instant of the states.

    Raises:
        RejectedError: nobody has that id.
    """
    page = find_customer(store, customer)
    survivor, *aliases = ties_of(store).group(page.first)
    ids = Page.of([survivor, *aliases])
    acts = plain(store).read(CONSENTS, page=ids).sort("at", "recorded_at", "customer", "id", maintain_order=True)
    told = plain(store).read(PREFERENCES, page=ids).sort("at", "recorded_at", "customer", maintain_order=True)
    wanted = wishes_of(store, page, terms.preference, now)
    points = _points(store, page, terms)
    return PermissionView(
        customer=survivor,
        aliases=tuple(aliases),
        as_of=now,
        preference=wanted["preference"][0],
        wish=wanted.select(wish(pl.col("preference"), terms.preference)).item(),
        ask_at=wanted["preference_ask_at"][0],
        consents=_consents(store, page, points, acts, frozenset(topics), terms=terms, now=now),
        suppressions=_suppressions(store, points, terms),
        acts=tuple(ConsentEntry(**row) for row in _filled(acts)),
        preferences=tuple(PreferenceEntry(**row) for row in _filled(told)),
    )


def _filled(rows: pl.DataFrame) -> Iterable[dict[str, Any]]:
    return rows.with_columns(pl.col(pl.String).fill_null("")).iter_rows(named=True)


def _points(store: Store, page: Page, terms: Terms) -> pl.DataFrame:
    points = store.read(CONTACT_POINTS, page=page, columns=["customer", "medium", "address"])
    known = store.read(CUSTOMERS, page=page, columns=["customer", "country"])
    points = points.join(known, on="customer", how="left", maintain_order="left")
    return points.with_columns(address_keys(points, terms).alias("key"))


def _consents(
    store: Store,
    page: Page,
    points: pl.DataFrame,
    acts: pl.DataFrame,
    topics: frozenset[str],
    *,
    terms: Terms,
    now: datetime,
) -> tuple[ConsentView, ...]:
    named = sorted({"", *topics, *acts["topic"].drop_nulls()})
    spoken = [each for each in acts["medium"].drop_nulls().unique() if each and each not in points["medium"]]
    nowhere = [{"medium": medium, "address": "", "key": ""} for medium in sorted(spoken)]
    places = pl.concat(
        [
            points.select("medium", "address", "key"),
            pl.DataFrame(nowhere, schema={"medium": pl.String, "address": pl.String, "key": pl.String}),
        ]
    )
    asked = places.join(pl.DataFrame({"topic": named}), how="cross").with_columns(place=pl.lit(0, pl.UInt32))
    found = states(acts_of(store, page, now), asked, terms.consent, now)
    rows = asked.with_columns(found.alias("state")).sort("medium", "address", "topic").iter_rows(named=True)
    return tuple(
        ConsentView(
            medium=row["medium"],
            topic=row["topic"],
            address=row["address"],
            state=row["state"],
            permitted=row["state"] in PERMITTED,
        )
        for row in rows
    )


def _suppressions(store: Store, points: pl.DataFrame, terms: Terms) -> tuple[SuppressionView, ...]:
    """Each suppression once, though it may be found by several keys: of one scope the first that is in force."""
    keyed = held_back_keys(points.drop("key"), terms)
    rows = keyed.join(store.read(SUPPRESSIONS), left_on=["medium", "key"], right_on=["medium", "address_hash"])
    shown = (
        rows.select("medium", "address", "scope", "reason", "at", "source", "actor", "lifted_at", "lifted_by")
        .sort("medium", "address", "scope", pl.col("lifted_at").is_not_null(), "at", "reason", "source", "actor")
        .unique(["medium", "address", "scope"], keep="first", maintain_order=True)
    )
    return tuple(SuppressionView(**row) for row in _filled(shown))
