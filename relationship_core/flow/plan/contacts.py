"""Contacts: what there is in the outbox for the customers of candidates, and what of it was, or will be, a contact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import polars as pl

from relationship_core.columns import CONTACT_POINTS, MESSAGES, Page
from relationship_core.declarations import Policy
from relationship_core.flow.candidate_columns import KEYS
from relationship_core.flow.message_states import CONTACT_STATES, FAILED, GONE_STATES, REJECTED, STOPPED, WAITING_STATES
from relationship_core.flow.permission.resting import rests_on
from relationship_core.model.words import TASK_MEDIUM
from relationship_core.ports import Store
from relationship_core.table import INSTANT

CONTACT_AT = "contact_at"
"""The column that holds when a contact was; of one that is still to come, when it may be at the earliest."""

_READ = (
    *KEYS,
    "state",
    "version",
    "queued_at",
    "not_before",
    "expires_at",
    "settled_at",
    "purpose",
    "nature",
    "weight",
    "medium",
)


def messages_of(store: Store, page: Page, versions: Mapping[str, str], policies: Sequence[Policy] = ()) -> pl.DataFrame:
    """What there is in the outbox for these customers, as planning knows it.

    A message that failed in another version of its campaign went to nobody and is forgotten here. So is one that was
    rejected at an address which has been replaced since, and one that was stopped since it was not permitted: what is
    permitted again before the occasion expires is planned again, and takes its own place.

    Args:
        store: where the messages are.
        page: the customers.
        versions: the present version of each campaign.
        policies: the policies; those that rest on permission stop messages.
    """
    kept = store.read(MESSAGES, page=page, columns=[*_READ, "detail"])
    counted = kept.filter(~_failed_before(versions) & ~_not_permitted(policies)).drop("detail")
    return _without_replaced(counted, store, page)


def without_settled(due: pl.DataFrame, messages: pl.DataFrame, now: datetime) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The candidates that have no message yet, or one of this very instant, and the other messages of these customers.

    A plan that is repeated at its instant meets its own messages: those candidates are ``held``, and their
    messages do not count as contacts, so that it decides the same again.

    Args:
        due: candidates with an occasion.
        messages: what there is in the outbox for them, as ``messages_of`` gives it.
        now: the run's instant.
    """
    # One engagement has two messages where each went to an id of its own before these were merged.
    own = messages.filter(pl.col("queued_at") == now).select(*KEYS, pl.lit(value=True).alias("held")).unique(KEYS)
    earlier = messages.filter(pl.col("queued_at") != now)
    left = (
        due.join(earlier.select(KEYS), on=KEYS, how="anti", maintain_order="left")
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
    addressed = rejected.filter(pl.col("medium") != TASK_MEDIUM)
    replaced = addressed.join(points, on=["customer", "medium", "address"], how="anti")
    return messages.join(replaced, on=KEYS, how="anti", maintain_order="left")


def _failed_before(versions: Mapping[str, str]) -> pl.Expr:
    present = pl.col("campaign").replace_strict(dict(versions), default=None, return_dtype=pl.String)
    return ((pl.col("state") == FAILED) & (pl.col("version") != present)).fill_null(value=False)


def _not_permitted(policies: Sequence[Policy]) -> pl.Expr:
    names = [policy.name for policy in policies if rests_on(policy)]
    reason = pl.col("detail").str.split(": ").list.first()
    return ((pl.col("state") == STOPPED) & reason.is_in(names)).fill_null(value=False)


def contacts_of(messages: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """The messages that are contacts, with ``contact_at``: when it was, or may be at the earliest.

    What has gone was a contact when it went, however long it had waited. What waits is one that is still to come,
    now or when it may be sent; it is none where it will have expired by then.

    Args:
        messages: rows of MESSAGES.
        now: the run's instant.
    """
    present = pl.lit(now, dtype=INSTANT)
    waits, gone = pl.col("state").is_in(WAITING_STATES), pl.col("state").is_in(GONE_STATES)
    earliest = pl.max_horizontal("queued_at", "not_before", present)
    contact_at = (
        pl.when(waits)
        .then(earliest)
        .when(gone)
        .then(pl.coalesce("settled_at", "queued_at"))
        .otherwise(pl.col("queued_at"))
    )
    too_late = (waits & (pl.col("expires_at") <= earliest)).fill_null(value=False)
    return messages.filter(pl.col("state").is_in(CONTACT_STATES) & ~too_late).with_columns(contact_at.alias(CONTACT_AT))


def last_contacts(contacts: pl.DataFrame) -> pl.DataFrame:
    """``customer`` and ``last_contact_at``: when each got something from us last, or is to get it."""
    return contacts.group_by("customer").agg(pl.col(CONTACT_AT).max().alias("last_contact_at"))


def engagements(messages: pl.DataFrame) -> pl.DataFrame:
    """``customer``, ``campaign`` and ``engagements``: how many each had of each campaign, but for what never left."""
    engaged = messages.filter(~pl.col("state").is_in([FAILED, STOPPED]))
    return engaged.group_by("customer", "campaign").agg(pl.len().cast(pl.Int64).alias("engagements"))
