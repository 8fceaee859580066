"""What is known of one customer's permission: states, wishes, suppressed addresses, and every act that proves them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

import polars as pl
from attrs import field, frozen

from relationship_core.columns import CONSENTS, CONTACT_POINTS, CUSTOMERS, PREFERENCES, Page
from relationship_core.flow.customers import find_customer
from relationship_core.flow.permission.keys import held_back_keys
from relationship_core.flow.permission.preferences import wish, wishes_of
from relationship_core.flow.permission.standing import (
    Permission,
    permission_of,
    suppressions_of,
    with_keys,
    with_permission,
)
from relationship_core.flow.permission.terms import Terms
from relationship_core.flow.united import plain, ties_of
from relationship_core.model.reasons import Reason
from relationship_core.model.words import TASK_MEDIUM, WITHOUT_MARKETING
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
        permitted: whether marketing of this topic may go there: by the customer's wish, the suppressions of the
            address, and consent.
        reason: why not, as decisions say it: preference, no_contact_point, suppressed or no_consent; empty where it
            may.
    """

    medium: str
    topic: str
    address: str = field(repr=False)
    state: str
    permitted: bool
    reason: str


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
        consents: where consent stands and whether marketing may go, by medium, address and topic.
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
    points = store.read(CONTACT_POINTS, page=page, columns=["customer", "medium", "address"])
    suppressions = _suppressions(store, page, points, terms)
    named = {"", *topics, *acts["topic"].drop_nulls(), *_topics_of(suppressions)}
    spoken = {*acts["medium"].drop_nulls()} - {"", *points["medium"]}
    return PermissionView(
        customer=survivor,
        aliases=tuple(aliases),
        as_of=now,
        preference=wanted["preference"][0],
        wish=wanted.select(wish(pl.col("preference"), terms.preference)).item(),
        ask_at=wanted["preference_ask_at"][0],
        consents=_consents(store, permission_of(store, page, terms, now), points, spoken, named),
        suppressions=suppressions,
        acts=tuple(ConsentEntry(**row) for row in _filled(acts)),
        preferences=tuple(PreferenceEntry(**row) for row in _filled(told)),
    )


def _filled(rows: pl.DataFrame) -> Iterable[dict[str, Any]]:
    return rows.with_columns(pl.col(pl.String).fill_null("")).iter_rows(named=True)


def _consents(
    store: Store, known: Permission, points: pl.DataFrame, spoken: Collection[str], topics: Collection[str]
) -> tuple[ConsentView, ...]:
    """What planning would find for each address and topic; and for media that acts speak of, without an address."""
    nowhere = pl.DataFrame(
        {"medium": sorted(spoken), "address": ""}, schema={"medium": pl.String, "address": pl.String}
    )
    places = pl.concat([points.select("medium", "address"), nowhere]).with_columns(place=pl.lit(0, pl.UInt32))
    keyed = with_keys(places, known, store)
    told = pl.concat(
        with_permission(keyed, known, topic=topic, purpose="marketing").with_columns(topic=pl.lit(topic))
        for topic in sorted(topics)
    )
    reason = (
        pl.when(pl.lit(known.wishes[0] in WITHOUT_MARKETING))
        .then(pl.lit(Reason.PREFERENCE))
        .when((pl.col("address") == "") & (pl.col("medium") != TASK_MEDIUM))
        .then(pl.lit(Reason.NO_CONTACT_POINT))
        .when("suppressed")
        .then(pl.lit(Reason.SUPPRESSED))
        .when(~pl.col("permitted"))
        .then(pl.lit(Reason.NO_CONSENT))
        .otherwise(pl.lit(""))
    )
    shown = told.select(
        "medium", "topic", "address", pl.col("consent").alias("state"), (reason == "").alias("permitted"), reason=reason
    ).sort("medium", "address", "topic")
    return tuple(ConsentView(**row) for row in shown.iter_rows(named=True))


def _topics_of(suppressions: Iterable[SuppressionView]) -> Iterable[str]:
    return (each.scope.partition(":")[2] for each in suppressions if each.lifted_at is None)


def _suppressions(store: Store, page: Page, points: pl.DataFrame, terms: Terms) -> tuple[SuppressionView, ...]:
    """Each suppression once, though it may be found by several keys: of one scope the first that is in force."""
    known = store.read(CUSTOMERS, page=page, columns=["customer", "country"])
    keyed = held_back_keys(points.join(known, on="customer", how="left", maintain_order="left"), terms)
    rows = keyed.join(suppressions_of(keyed, store), on=["medium", "key"])
    shown = (
        rows.select("medium", "address", "scope", "reason", "at", "source", "actor", "lifted_at", "lifted_by")
        .sort("medium", "address", "scope", pl.col("lifted_at").is_not_null(), "at", "reason", "source", "actor")
        .unique(["medium", "address", "scope"], keep="first", maintain_order=True)
    )
    return tuple(SuppressionView(**row) for row in _filled(shown))
