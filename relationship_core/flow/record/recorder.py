"""What recording works with, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import field, frozen

from relationship_core.config import AttributeType
from relationship_core.declarations import KeyedMeasure, Measure
from relationship_core.flow.permission.terms import Terms
from relationship_core.ports import Clock, Store

if TYPE_CHECKING:
    import polars as pl

BATCH = 50_000
"""Rows in one transaction: enough to be quick, few enough to hold the write lock for less than a second."""

CHUNK = 1_000_000
"""Rows of a file that are ordered by customer before they are written: neighbours are written together."""


@frozen(kw_only=True)
class Recorder:
    """Everything that recording needs, handed in.

    Attributes:
        store: where the project lives; prepared for the measures.
        measures: the declared measures, plain and keyed.
        kinds: the names of the declared interaction kinds.
        currency: the project's currency, ISO 4217 code.
        zone: the project's time zone, IANA name.
        clock: tells the present instant; nothing more than a day after it is recorded.
        attributes: the declared attributes of customers and their types; None where any is welcome.
        media: gives the media of configured channels; asked where a medium is not a standard one.
        announce: called with the interactions that were new (rows of INTERACTIONS), batch by batch after the
            commit; None where nobody listens.
        terms: what permission is judged by, with the salt of keyed hashes.
        batch: rows in one transaction.
        chunk: rows of a file that are ordered together; memory grows with it.
    """

    store: Store
    measures: Sequence[Measure | KeyedMeasure]
    kinds: Collection[str]
    currency: str
    zone: str
    clock: Clock
    attributes: Mapping[str, AttributeType] | None = None
    media: Callable[[], Collection[str]] = tuple
    announce: Callable[[pl.DataFrame], None] | None = None
    terms: Terms = field(factory=Terms)
    batch: int = BATCH
    chunk: int = CHUNK


@frozen(kw_only=True)
class Recorded:
    """What recording did.

    Attributes:
        new: interactions or customers that were not known before.
        repeated: those that were; a repeated interaction changed nothing, a repeated customer was brought up to date.
        rejected: rows that were refused.
        rejects: the file that holds them with their reasons; None where there are none.
        unknown_customers: customers whom nobody knew and whom these interactions name; they were added without a
            name. 0 where customers are recorded.
        already: true where the file had been imported before; nothing was done, and the numbers are those of that time.
        ignored: columns of the file that were not read.
        left_out: lines of an export that its preset does not record, by the reason.
        parts: with a preset, what came of each of its parts; the numbers above are their sums.
    """

    new: int = 0
    repeated: int = 0
    rejected: int = 0
    rejects: Path | None = None
    unknown_customers: int = 0
    already: bool = False
    ignored: tuple[str, ...] = ()
    left_out: Mapping[str, int] = field(factory=dict)
    parts: Mapping[str, Recorded] = field(factory=dict)
