"""The project in numbers: stages, moves, decisions and messages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

import polars as pl
from attrs import frozen

from relationship_core.columns import CUSTOMERS, DECISIONS, INTERACTIONS, MESSAGES, STATES, TRANSITIONS
from relationship_core.model.relationship import Ladder
from relationship_core.ports import Store


@frozen(kw_only=True)
class Movement:
    """How many customers moved between two stages in one month."""

    month: str
    origin: str
    target: str
    customers: int


@frozen(kw_only=True)
class LadderView:
    """Where customers stand and how they moved.

    Attributes:
        ladder: the ladder's name.
        stages: customers on each stage now, lowest stage first.
        lapsed: how many of them carry the lapsed mark.
        by_month: for each project-local month (``2017-03``) since the first move, customers on each stage at its end.
        movements: moves by month and stages.
    """

    ladder: str
    stages: Mapping[str, int]
    lapsed: int
    by_month: Mapping[str, Mapping[str, int]]
    movements: tuple[Movement, ...]


@frozen(kw_only=True)
class DecisionCount:
    """How many engagements of a campaign have one verdict for one reason."""

    campaign: str
    verdict: str
    reason: str
    engagements: int


@frozen(kw_only=True)
class MessageCount:
    """How many messages of a campaign are in one state on one channel."""

    campaign: str
    channel: str
    state: str
    messages: int


@frozen(kw_only=True)
class Report:
    """The project in numbers.

    Attributes:
        as_of: the instant of the report.
        customers: how many customers are known.
        interactions: how many interactions there are, by kind.
        ladder: where customers stand.
        decisions: decisions by campaign, verdict and reason.
        messages: messages by campaign, channel and state.
    """

    as_of: datetime
    customers: int
    interactions: Mapping[str, int]
    ladder: LadderView
    decisions: tuple[DecisionCount, ...]
    messages: tuple[MessageCount, ...]


def report(store: Store, ladder: Ladder, as_of: datetime, zone: str) -> Report:
    """Count what there is."""
    kinds = store.count(INTERACTIONS, ["kind"]).sort("rows", descending=True)
    decisions = store.count(DECISIONS, ["campaign", "verdict", "reason"])
    messages = store.count(MESSAGES, ["campaign", "channel", "state"])
    return Report(
        as_of=as_of,
        customers=_total(store),
        interactions=dict(kinds.iter_rows()),
        ladder=view_ladder(store, ladder, zone),
        decisions=tuple(
            DecisionCount(campaign=campaign, verdict=verdict, reason=reason, engagements=rows)
            for campaign, verdict, reason, rows in decisions.iter_rows()
        ),
        messages=tuple(
            MessageCount(campaign=campaign, channel=channel, state=state, messages=rows)
            for campaign, channel, state, rows in messages.iter_rows()
        ),
    )


def _total(store: Store) -> int:
    return int(store.count(CUSTOMERS, []).item())


def view_ladder(store: Store, ladder: Ladder, zone: str) -> LadderView:
    """Where customers stand, and their moves by project-local month."""
    customers = _total(store)
    states = store.count(STATES, ["stage", "lapsed"])
    placed = dict(states.group_by("stage").agg(pl.col("rows").sum()).iter_rows())
    # Whom no review has moved has no state, and stands on the first rung.
    placed[ladder.names[0]] = placed.get(ladder.names[0], 0) + customers - sum(placed.values())
    moves = store.read(TRANSITIONS).with_columns(
        pl.col("at").dt.convert_time_zone(zone).dt.strftime("%Y-%m").alias("month")
    )
    counts = moves.group_by("month", "origin", "target").len("customers").sort("month", "origin", "target")
    movements = tuple(Movement(**row) for row in counts.iter_rows(named=True))
    return LadderView(
        ladder=ladder.name,
        stages={name: int(placed.get(name, 0)) for name in ladder.names},
        lapsed=int(states.filter(pl.col("lapsed"))["rows"].sum()),
        by_month=_by_month(movements, ladder, customers),
        movements=movements,
    )


def _by_month(movements: tuple[Movement, ...], ladder: Ladder, customers: int) -> Mapping[str, Mapping[str, int]]:
    """Replay the moves month by month, from everybody on the first rung."""
    if not movements:
        return {}
    standing = dict.fromkeys(ladder.names, 0) | {ladder.names[0]: customers}
    result: dict[str, Mapping[str, int]] = {}
    for month in _months(movements[0].month, movements[-1].month):
        for move in movements:
            if move.month == month:
                standing[move.origin] -= move.customers
                standing[move.target] += move.customers
        result[month] = dict(standing)
    return result


def _months(first: str, last: str) -> list[str]:
    start, end = (date.fromisoformat(f"{month}-01") for month in (first, last))
    return pl.date_range(start, end, interval="1mo", eager=True).dt.strftime("%Y-%m").to_list()
