"""The project in numbers: stages, moves, decisions and messages, as they are or were at an instant.

What is kept says when it happened, so that most numbers of the past can be counted again. What cannot is None.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime

import polars as pl
from attrs import frozen

from relationship_core.columns import (
    ALIASES,
    CUSTOMERS,
    DECISIONS,
    DELIVERY_EVENTS,
    INTERACTIONS,
    MESSAGES,
    STATES,
    TRANSITIONS,
    Page,
)
from relationship_core.flow.last_review import last_reviewed
from relationship_core.flow.report.costs import Costs, CostTerms, campaign_costs
from relationship_core.flow.standing import last_recorded
from relationship_core.flow.united import plain, ties_of
from relationship_core.model.instants import utc
from relationship_core.model.relationship import Ladder
from relationship_core.ports import Store
from relationship_core.table import Table


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
        stages: customers on each stage, lowest stage first. Those of the past are of the customers known now:
            since when each is known is not kept.
        lapsed: how many of them carry the lapsed mark; None for the past, since only the present mark is kept.
        by_month: for each project-local month (``2017-03``) since the first move, customers on each stage at its end.
        movements: moves by month and stages.
        as_of: the instant asked for; None for the last review.
    """

    ladder: str
    stages: Mapping[str, int]
    lapsed: int | None
    by_month: Mapping[str, Mapping[str, int]]
    movements: tuple[Movement, ...]
    as_of: datetime | None = None


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
        customers: how many customers are known now, whatever the instant.
        interactions: how many interactions there are, by kind; of the past, those that had happened.
        ladder: where customers stand.
        decisions: decisions by campaign, verdict and reason; None for the past, since the next one replaces a decision.
        messages: messages by campaign, channel and state; of the past, ``queued`` for what was settled later.
        heard: how many delivery events there are, by type; of the past, those that had happened.
        costs: what messages and their offers have cost, by owner and campaign.
    """

    as_of: datetime
    customers: int
    interactions: Mapping[str, int]
    ladder: LadderView
    decisions: tuple[DecisionCount, ...] | None
    messages: tuple[MessageCount, ...]
    heard: Mapping[str, int]
    costs: tuple[Costs, ...]


def report(
    store: Store, ladder: Ladder, now: datetime, zone: str, terms: CostTerms, *, as_of: datetime | None = None
) -> Report:
    """Count what there is; with ``as_of``, what there was at that instant."""
    kinds = _kinds(store, as_of).sort("rows", "kind", descending=[True, False])
    messages = _messages(store, as_of)
    return Report(
        as_of=now if as_of is None else utc(as_of),
        customers=_total(store),
        interactions=dict(kinds.iter_rows()),
        ladder=view_ladder(store, ladder, zone, as_of=as_of),
        decisions=None if _is_replaced(store, as_of) else _decisions(store),
        messages=tuple(
            MessageCount(campaign=campaign, channel=channel, state=state, messages=rows)
            for campaign, channel, state, rows in messages.iter_rows()
        ),
        heard=dict(_heard(store, as_of).sort("rows", "type", descending=[True, False]).iter_rows()),
        costs=campaign_costs(store, terms, now, as_of=None if as_of is None else utc(as_of)),
    )


def _total(store: Store) -> int:
    """The customers there are; ids that were merged into others are none of their own."""
    return int(store.count(CUSTOMERS, []).item()) - int(store.count(ALIASES, []).item())


def _kinds(store: Store, as_of: datetime | None) -> pl.DataFrame:
    last = last_recorded(store)
    if as_of is None or last is None or last <= as_of:
        return store.count(INTERACTIONS, ["kind"])
    return _counted(_pages(store, INTERACTIONS, ["kind", "at"], as_of, pl.col("at") <= as_of), ["kind"])


def _messages(store: Store, as_of: datetime | None) -> pl.DataFrame:
    by = ["campaign", "channel", "state"]
    if as_of is None:
        return store.count(MESSAGES, by)
    pages = _pages(store, MESSAGES, [*by, "queued_at", "settled_at"], as_of, pl.col("queued_at") <= as_of)
    state = pl.when(pl.col("settled_at") <= as_of).then("state").otherwise(pl.lit("queued")).alias("state")
    return _counted((page.with_columns(state) for page in pages), by)


def _heard(store: Store, as_of: datetime | None) -> pl.DataFrame:
    if as_of is None:
        return store.count(DELIVERY_EVENTS, ["type"])
    return _counted(_pages(store, DELIVERY_EVENTS, ["type", "at"], as_of, pl.col("at") <= as_of), ["type"])


def _pages(store: Store, table: Table, columns: list[str], as_of: datetime, there: pl.Expr) -> Iterator[pl.DataFrame]:
    """The rows that were there, page by page: a history may be longer than memory."""
    yield table.empty().select(columns)
    store = plain(store)  # each row once, whoever it counts for
    for page in store.pages(None, as_of=as_of):
        yield store.read(table, page=page, columns=columns).filter(there)


def _counted(pages: Iterable[pl.DataFrame], by: list[str]) -> pl.DataFrame:
    counts = pl.concat(page.group_by(by).len("rows") for page in pages)
    return counts.group_by(by).agg(pl.col("rows").sum()).sort(by)


def _is_replaced(store: Store, as_of: datetime | None) -> bool:
    """Whether there was a review or a decision after the instant."""
    if as_of is None:
        return False
    last = store.read(DECISIONS, columns=["at"])["at"].max()
    return any(isinstance(each, datetime) and each > as_of for each in (last, last_reviewed(store)))


def _decisions(store: Store) -> tuple[DecisionCount, ...]:
    rows = store.count(DECISIONS, ["campaign", "verdict", "reason"]).iter_rows()
    return tuple(
        DecisionCount(campaign=campaign, verdict=verdict, reason=reason, engagements=number)
        for campaign, verdict, reason, number in rows
    )


def view_ladder(store: Store, ladder: Ladder, zone: str, *, as_of: datetime | None = None) -> LadderView:
    """Where customers stand, and their moves by project-local month; with ``as_of``, as it was at that instant."""
    customers = _total(store)
    # Of a merged customer only the survivor's own moves: two ids that move on their own make no path of one.
    merged = ties_of(store).merged["customer"]
    moves = store.read(TRANSITIONS)
    moves = moves.filter(~pl.col("customer").is_in(merged.implode())) if len(merged) else moves
    reviewed = last_reviewed(store)
    placed: dict[str, int]
    lapsed: int | None
    if as_of is not None and reviewed is not None and as_of < reviewed:
        moves = moves.filter(pl.col("at") <= as_of)
        placed, lapsed = _placed_by(moves), None
    else:
        placed, lapsed = _placed_now(store)
    # Whom no review has moved has no state, and stands on the first rung.
    placed[ladder.names[0]] = placed.get(ladder.names[0], 0) + customers - sum(placed.values())
    movements = _movements(moves, zone)
    return LadderView(
        ladder=ladder.name,
        stages={name: int(placed.get(name, 0)) for name in ladder.names},
        lapsed=lapsed,
        by_month=_by_month(movements, ladder, customers),
        movements=movements,
        as_of=None if as_of is None else utc(as_of),
    )


def _placed_now(store: Store) -> tuple[dict[str, int], int]:
    """Customers by the stage of the last review, and how many of them carry the lapsed mark."""
    states = store.count(STATES, ["stage", "lapsed"])
    merged = ties_of(store).merged["customer"]
    if len(merged):
        theirs = plain(store).read(STATES, page=Page(merged.sort()), columns=["stage", "lapsed"])
        gone = theirs.group_by("stage", "lapsed").agg(-pl.len().cast(pl.Int64).alias("rows"))
        states = pl.concat([states, gone]).group_by("stage", "lapsed").agg(pl.col("rows").sum())
    placed = dict(states.group_by("stage").agg(pl.col("rows").sum()).iter_rows())
    return placed, int(states.filter(pl.col("lapsed"))["rows"].sum())


def _placed_by(moves: pl.DataFrame) -> dict[str, int]:
    """Customers by the stage that their last move took them to."""
    last = moves.sort("at").group_by("customer").agg(pl.col("target").last())
    return dict(last.group_by("target").len().iter_rows())


def _movements(moves: pl.DataFrame, zone: str) -> tuple[Movement, ...]:
    month = pl.col("at").dt.convert_time_zone(zone).dt.strftime("%Y-%m").alias("month")
    counts = moves.with_columns(month).group_by("month", "origin", "target").len("customers")
    rows = counts.sort("month", "origin", "target").iter_rows(named=True)
    return tuple(Movement(**row) for row in rows)


def _by_month(movements: tuple[Movement, ...], ladder: Ladder, customers: int) -> Mapping[str, Mapping[str, int]]:
    """Replay the moves month by month, from everybody on the first rung."""
    if not movements:
        return {}
    standing = Counter({ladder.names[0]: customers})
    result: dict[str, Mapping[str, int]] = {}
    for month in _months(movements[0].month, movements[-1].month):
        for move in movements:
            if move.month == month:
                standing[move.origin] -= move.customers
                standing[move.target] += move.customers
        result[month] = {name: standing[name] for name in ladder.names}
    return result


def _months(first: str, last: str) -> list[str]:
    start, end = (date.fromisoformat(f"{month}-01") for month in (first, last))
    return pl.date_range(start, end, interval="1mo", eager=True).dt.strftime("%Y-%m").to_list()
