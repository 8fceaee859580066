"""The columns of everything that crosses the Store port.

Customers are many, so the flow works on polars data frames. Each table here fixes the names, types
and key of one kind of frame; a store may keep it however it likes.

Instants are ``Datetime("us", "UTC")``; money is integer minor units of the project's currency;
structured text (``attributes``, ``data``, ``evidence``, ``content``) is JSON.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

import polars as pl
from attrs import frozen

from relationship_core.table import INSTANT, ORDER_LINE, Table

CUSTOMERS = Table(
    "customers",
    {
        "customer": pl.String,
        "name": pl.String,
        "locale": pl.String,
        "zone": pl.String,
        "country": pl.String,
        "attributes": pl.String,
    },
    ("customer",),
)
"""Who the customers are."""
CONTACT_POINTS = Table(
    "contact_points",
    {
        "customer": pl.String,
        "medium": pl.String,
        "address": pl.String,
        "synthetic": pl.Boolean,
        "found_by": pl.String,
    },
    ("customer", "medium", "address"),
)
"""Where they can be reached; an address belongs to one medium.

By medium and ``found_by`` a store finds them without reading all: an address as it is compared, of a telephone number
its last digits, and "" where that cannot be told.
"""
INTERACTIONS = Table(
    "interactions",
    {
        "source": pl.String,
        "id": pl.String,
        "customer": pl.String,
        "kind": pl.String,
        "at": INSTANT,
        "amount": pl.Int64,
        "reference": pl.String,
        "lines": pl.List(ORDER_LINE),
        "data": pl.String,
    },
    ("source", "id"),
)
"""What happened, once for each (source, id)."""
KEYED_MEASURES = Table(
    "keyed_measures",
    {"customer": pl.String, "measure": pl.String, "key": pl.String, "value": pl.Float64},
    ("customer", "measure", "key"),
)
"""The numbers of keyed measures, one for each key that a customer has."""
STATES = Table(
    "states",
    {
        "customer": pl.String,
        "stage": pl.String,
        "since": INSTANT,
        "lapsed": pl.Boolean,
        "due_at": INSTANT,
    },
    ("customer",),
)
"""Where each relationship stands, and when it is due for review again."""
TRANSITIONS = Table(
    "transitions",
    {
        "customer": pl.String,
        "at": INSTANT,
        "origin": pl.String,
        "target": pl.String,
        "evidence": pl.String,
    },
    ("customer", "at"),
)
"""Every move on the ladder, with its evidence."""
DECISIONS = Table(
    "decisions",
    {
        "campaign": pl.String,
        "action": pl.String,
        "customer": pl.String,
        "occasion": pl.String,
        "verdict": pl.String,
        "reason": pl.String,
        "detail": pl.String,
        "until": INSTANT,
        "at": INSTANT,
    },
    ("customer", "campaign", "action", "occasion"),
)
"""The verdict on each engagement, with its reason."""
MESSAGES = Table(
    "messages",
    {
        "id": pl.String,
        "campaign": pl.String,
        "version": pl.String,
        "purpose": pl.String,
        "nature": pl.String,
        "topic": pl.String,
        "weight": pl.Float64,
        "cost": pl.Int64,
        "our_minutes": pl.Float64,
        "their_minutes": pl.Float64,
        "action": pl.String,
        "customer": pl.String,
        "occasion": pl.String,
        "channel": pl.String,
        "medium": pl.String,
        "variant": pl.Int64,
        "address": pl.String,
        "state": pl.String,
        "queued_at": INSTANT,
        "not_before": INSTANT,
        "expires_at": INSTANT,
        "worker": pl.String,
        "claimed_until": INSTANT,
        "attempts": pl.Int64,
        "reference": pl.String,
        "detail": pl.String,
        "settled_at": INSTANT,
    },
    ("id",),
)
"""The outbox, and what became of every message; purpose to minutes are the campaign's, as it was when it was queued.

The weight is 0 where what came of a task was recorded as a give or an ask, which counts in its place.
"""
SUPPRESSIONS = Table(
    "suppressions",
    {
        "medium": pl.String,
        "address_hash": pl.String,
        "scope": pl.String,
        "reason": pl.String,
        "at": INSTANT,
        "source": pl.String,
        "actor": pl.String,
        "lifted_at": INSTANT,
        "lifted_by": pl.String,
    },
    ("medium", "address_hash", "scope"),
)
"""Addresses not to use, as keyed hashes, with the reason; ``scope`` as in Suppression.

One that was lifted, with ``lifted_at``, holds nothing back any more and stays as a record.
"""
CONSENTS = Table(
    "consents",
    {
        "customer": pl.String,
        "id": pl.String,
        "act": pl.String,
        "at": INSTANT,
        "medium": pl.String,
        "topic": pl.String,
        "basis": pl.String,
        "jurisdiction": pl.String,
        "wording": pl.String,
        "version": pl.String,
        "method": pl.String,
        "source": pl.String,
        "actor": pl.String,
        "evidence": pl.String,
        "address_hash": pl.String,
        "expires_at": INSTANT,
        "recorded_at": INSTANT,
    },
    ("customer", "id"),
)
"""Every act of consent, under the id it was recorded for; rows are added, never changed."""
PREFERENCES = Table(
    "preferences",
    {
        "customer": pl.String,
        "at": INSTANT,
        "wish": pl.String,
        "source": pl.String,
        "actor": pl.String,
        "ask_again_at": INSTANT,
        "recorded_at": INSTANT,
    },
    ("customer", "at", "wish"),
)
"""Every relationship that a customer said to want; rows are added, never changed."""
ERASED = Table("erased", {"hash": pl.String, "at": INSTANT, "actor": pl.String, "reason": pl.String}, ("hash",))
"""Who was erased, as keyed hashes of their ids, so that an import does not bring them back; by whom, and why."""
CAMPAIGNS = Table(
    "campaigns",
    {"campaign": pl.String, "version": pl.String, "content": pl.String, "at": INSTANT},
    ("campaign", "version"),
)
"""Every version of every campaign that messages may be pinned to."""
CAMPAIGN_ACTS = Table(
    "campaign_acts",
    {
        "campaign": pl.String,
        "entry": pl.Int64,
        "act": pl.String,
        "state": pl.String,
        "version": pl.String,
        "at": INSTANT,
        "actor": pl.String,
        "reason": pl.String,
        "detail": pl.String,
    },
    ("campaign", "entry"),
)
"""What was done with each campaign, in order, numbered from 1; rows are added, never changed. The last tells its state.

A campaign without an act is as the configuration says.
"""
TASKS = Table(
    "tasks",
    {
        "customer": pl.String,
        "id": pl.String,
        "campaign": pl.String,
        "action": pl.String,
        "occasion": pl.String,
        "assignee": pl.String,
        "title": pl.String,
        "text": pl.String,
        "created_at": INSTANT,
        "due_at": INSTANT,
        "state": pl.String,
        "outcome": pl.String,
        "note": pl.String,
        "actor": pl.String,
        "settled_at": INSTANT,
    },
    ("id",),
)
"""Work for people: a row for each message that a task channel took, under the id of that message."""
DELIVERY_EVENTS = Table(
    "delivery_events",
    {
        "message": pl.String,
        "type": pl.String,
        "at": INSTANT,
        "customer": pl.String,
        "receiver": pl.String,
        "detail": pl.String,
        "suppression": pl.String,
        "raw": pl.String,
        "recorded_at": INSTANT,
    },
    ("message", "type", "at"),
)
"""What was heard of messages after their receipts, each once; rows are added, never changed."""
RUNS = Table(
    "runs",
    {
        "run": pl.String,
        "as_of": INSTANT,
        "step": pl.String,
        "state": pl.String,
        "started_at": INSTANT,
        "finished_at": INSTANT,
        "outcome": pl.String,
    },
    ("run",),
)
"""Runs that were started, as of when, and the step they have come to."""
IMPORTS = Table(
    "imports",
    {
        "import": pl.String,
        "rows_done": pl.Int64,
        "new": pl.Int64,
        "repeated": pl.Int64,
        "rejected": pl.Int64,
        "unknown_customers": pl.Int64,
        "rejects_size": pl.Int64,
        "state": pl.String,
        "at": INSTANT,
    },
    ("import",),
)
"""How far the import of a file has come; ``rejects_size`` is the length in bytes of its file of rejects."""
ALIASES = Table(
    "aliases",
    {
        "customer": pl.String,
        "survivor": pl.String,
        "at": INSTANT,
        "actor": pl.String,
        "reason": pl.String,
        "linked": pl.Boolean,
    },
    ("customer",),
)
"""Who is who now: ids that were merged, each with the id that it was merged into, which may be merged itself.

``linked`` is true of an id that nobody had before it was made to stand for somebody.
"""
MERGES = Table(
    "merges",
    {
        "entry": pl.Int64,
        "act": pl.String,
        "customer": pl.String,
        "survivor": pl.String,
        "at": INSTANT,
        "actor": pl.String,
        "reason": pl.String,
    },
    ("entry",),
)
"""Every ``merge`` and ``unmerge`` that there was, in their order; nothing of it is ever changed."""
CONTACTS = Table(
    "contacts",
    {"account": pl.String, "customer": pl.String, "role": pl.String, "since": INSTANT, "until": INSTANT},
    ("account", "customer"),
)
"""The contacts of accounts: a customer's history counts for the account from ``since``, and before ``until``."""
CALIBRATIONS = Table(
    "calibrations",
    {"calibration": pl.String, "version": pl.Int64, "at": INSTANT, "content": pl.String},
    ("calibration", "version"),
)
"""Every version of what calibrations fitted, and from how many customers; the latest of each counts."""
FACTS = Table("facts", {"name": pl.String, "value": pl.String}, ("name",))
"""What the project knows about itself: the last recorded instant, the salt of ids, signatures of definitions."""

TABLES = (
    CUSTOMERS,
    CONTACT_POINTS,
    INTERACTIONS,
    KEYED_MEASURES,
    STATES,
    TRANSITIONS,
    DECISIONS,
    MESSAGES,
    SUPPRESSIONS,
    CONSENTS,
    PREFERENCES,
    ERASED,
    CAMPAIGNS,
    CAMPAIGN_ACTS,
    TASKS,
    DELIVERY_EVENTS,
    RUNS,
    IMPORTS,
    ALIASES,
    MERGES,
    CONTACTS,
    CALIBRATIONS,
    FACTS,
)
"""Every table that a store keeps."""


@frozen
class Page:
    """Some customers, in ascending order of their ids.

    Attributes:
        customers: their ids, sorted bytewise, without repetition.
        contiguous: true where the store knows no other customer between the first and the last,
            so that it may read a range instead of a list.
    """

    customers: pl.Series
    contiguous: bool = False

    @classmethod
    def of(cls, customers: Iterable[str]) -> Self:
        """A page of these customers, in whatever order and however often they are named."""
        return cls(pl.Series("customer", sorted(set(customers)), dtype=pl.String))

    @property
    def first(self) -> str:
        """The lowest id."""
        return str(self.customers[0])

    @property
    def last(self) -> str:
        """The highest id."""
        return str(self.customers[-1])
