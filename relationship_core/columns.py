"""The columns of everything that crosses the Store port.

Customers are many, so the flow works on polars data frames. Each table here fixes the names, types
and key of one kind of frame; a store may keep it however it likes.

Instants are ``Datetime("us", "UTC")``; money is integer minor units of the project's currency;
structured text (``attributes``, ``data``, ``evidence``, ``content``) is JSON.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Self

import polars as pl
from attrs import frozen

from relationship_core.errors import ConfigurationError, nearest

INSTANT = pl.Datetime("us", "UTC")
"""The type of every instant."""
ORDER_LINE = pl.Struct({"product": pl.String, "category": pl.String, "quantity": pl.Float64, "minor": pl.Int64})
"""The type of one line of an order."""


@frozen
class Table:
    """A named kind of frame.

    Attributes:
        name: the table's name, the same in every store.
        schema: column names and types, in order.
        key: the columns that identify a row.
    """

    name: str
    schema: Mapping[str, pl.DataType | type[pl.DataType]]
    key: tuple[str, ...]

    def empty(self) -> pl.DataFrame:
        """A frame of this table without rows."""
        return pl.DataFrame(schema=dict(self.schema))

    def types(self, columns: Iterable[str] | None = None) -> dict[str, pl.DataType | type[pl.DataType]]:
        """Names and types of these columns, in the order given; without columns, of all of them.

        Raises:
            ConfigurationError: the table has no such column.
        """
        if columns is None:
            return dict(self.schema)
        wanted = tuple(columns)
        for name in wanted:
            if name not in self.schema:
                hint = nearest(name, self.schema) or f"; it has {', '.join(self.schema)}"
                message = f"the table {self.name!r} has no column {name!r}{hint}"
                raise ConfigurationError(message)
        return {name: self.schema[name] for name in wanted}

    def conform(self, frame: pl.DataFrame, columns: Iterable[str] | None = None) -> pl.DataFrame:
        """The frame with exactly these columns of the table, in this order and of the table's types.

        Raises:
            ConfigurationError: the frame lacks one of the columns, or the table does.
        """
        types = self.types(columns)
        absent = [name for name in types if name not in frame.columns]
        if absent:
            message = f"a frame for the table {self.name!r} lacks the columns {', '.join(absent)}"
            raise ConfigurationError(message)
        return frame.select(pl.col(name).cast(type_) for name, type_ in types.items())


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
    {"customer": pl.String, "medium": pl.String, "address": pl.String, "synthetic": pl.Boolean},
    ("customer", "medium", "address"),
)
"""Where they can be reached; an address belongs to one medium."""
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
"""The outbox, and what became of every message; purpose to minutes are the campaign's, as it was when it was queued."""
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
