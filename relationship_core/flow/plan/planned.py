"""What a plan decided, counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

import polars as pl
from attrs import field, frozen

from relationship_core.flow.message_states import HELD_OUT

EXAMPLES = 3
"""So many customers are named for each campaign and reason."""


@frozen(kw_only=True)
class Planned:
    """What a plan decided.

    Attributes:
        as_of: the instant planned at.
        customers: how many were looked at.
        planned: how many engagements were put in the outbox.
        held_out: how many take their place without ever being sent.
        decided: how many decisions are new or other than before, by (campaign, reason).
        examples: of each of these the first customers by id, three at most.
        owners: who answers for each campaign.
        unchanged: how many stand as they were.
        failed: campaigns that were stopped because a policy failed, with what happened.
        inactive: campaigns that were left out, since they are not active, with their state.
        dry_run: true where nothing was kept.
    """

    as_of: datetime
    customers: int
    planned: int
    held_out: int = 0
    decided: Mapping[tuple[str, str], int] = field(factory=dict)
    examples: Mapping[tuple[str, str], tuple[str, ...]] = field(factory=dict)
    owners: Mapping[str, str] = field(factory=dict)
    unchanged: int = 0
    failed: Mapping[str, str] = field(factory=dict)
    inactive: Mapping[str, str] = field(factory=dict)
    dry_run: bool = False


class Tally:
    """Counts what is decided, page by page."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.customers = self.planned = self.held_out = self.unchanged = 0
        self._decided: Counter[tuple[str, str]] = Counter()
        self._examples: dict[tuple[str, str], list[str]] = {}

    def add(self, decided: pl.DataFrame, changed: pl.DataFrame, messages: pl.DataFrame) -> None:
        """Count rows of DECISIONS, those of them that are new or other, and rows of MESSAGES."""
        self.unchanged += decided.height - changed.height
        held_out = int((messages["state"] == HELD_OUT).sum())
        self.held_out += held_out
        self.planned += messages.height - held_out
        rows = changed.group_by("campaign", "reason").agg(
            pl.len(), pl.col("customer").unique().sort().head(EXAMPLES).alias("examples")
        )
        for campaign, reason, number, examples in rows.iter_rows():
            self._decided[campaign, reason] += number
            known = self._examples.setdefault((campaign, reason), [])
            known[:] = sorted({*known, *examples})[:EXAMPLES]

    def planned_as_of(
        self,
        now: datetime,
        *,
        owners: Mapping[str, str],
        failed: Mapping[str, str],
        inactive: Mapping[str, str],
        dry_run: bool,
    ) -> Planned:
        """What was counted."""
        return Planned(
            as_of=now,
            customers=self.customers,
            planned=self.planned,
            held_out=self.held_out,
            decided=dict(self._decided),
            examples={pair: tuple(customers) for pair, customers in self._examples.items()},
            owners=owners,
            unchanged=self.unchanged,
            failed=dict(failed),
            inactive=dict(inactive),
            dry_run=dry_run,
        )
