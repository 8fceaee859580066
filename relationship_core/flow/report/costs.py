"""What relationships cost, on both sides: money and minutes, by owner and campaign."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

import polars as pl
from attrs import frozen

from relationship_core.columns import CAMPAIGNS, MESSAGES
from relationship_core.flow.message_states import GONE_STATES
from relationship_core.flow.offers.coupons import Coupons, CouponTerms, coupons
from relationship_core.flow.united import plain
from relationship_core.flow.versions import offering_campaigns
from relationship_core.ports import Store

RECORDED = ("cost", "our_minutes", "their_minutes")
"""What a message has cost, and the measures that tell what interactions have."""

_KEY = ("campaign", "version")
_ZERO = {"messages": 0, "money": 0, "our_minutes": 0.0, "their_minutes": 0.0, "offers": 0}


@frozen(kw_only=True)
class CostTerms:
    """What costs are counted by.

    Attributes:
        coupons: by what coupons are told.
        minute: what a minute of ours costs, in minor units.
    """

    coupons: CouponTerms
    minute: int


@frozen(kw_only=True)
class Costs:
    """What the messages of one campaign have cost, or what was recorded with interactions.

    Attributes:
        owner: who answers for the campaign, as it was when the messages were queued; empty for interactions.
        campaign: its name; empty for interactions.
        messages: how many went, or may have.
        money: what we paid, in minor units.
        offers: what redeeming its coupons cost us, in minor units.
        our_minutes: our time.
        their_minutes: the customers' time.
        total: our side in minor units: money, offers, and our time at what a minute of ours costs, rounded.
    """

    owner: str
    campaign: str
    messages: int
    money: int
    offers: int
    our_minutes: float
    their_minutes: float
    total: int


def campaign_costs(store: Store, terms: CostTerms, now: datetime, as_of: datetime | None = None) -> tuple[Costs, ...]:
    """What every campaign has cost, by owner and name.

    Args:
        store: where messages and history are.
        terms: what is counted by.
        now: the present.
        as_of: what had been spent at that instant; all of it when None.
    """
    versions = _versions(store)
    counted = _counted(store) if as_of is None else _counted_until(store, as_of)
    # History is not asked where no redemption costs anything.
    costly = any(each.offer is not None and each.offer.cost for each in offering_campaigns(store).values())
    held = coupons(store, terms.coupons, now if as_of is None else as_of) if costly else None
    return tuple(_costs(counted, versions, held, terms.minute))


def customer_costs(
    store: Store, messages: pl.DataFrame, measures: Mapping[str, object], held: Coupons, minute: int
) -> tuple[Costs, ...]:
    """What one customer has cost: by owner and campaign, and then what was recorded with interactions.

    Args:
        store: where campaigns are kept.
        messages: their rows of MESSAGES, until the instant that is asked about.
        measures: their measures, by name.
        held: their coupons.
        minute: what a minute of ours costs, in minor units.
    """
    went = messages.filter(pl.col("state").is_in(GONE_STATES))
    own = _costs(went.group_by(*_KEY, *RECORDED).len("rows"), _versions(store), held, minute)
    return (*own, *_recorded(measures, minute))


def _recorded(measures: Mapping[str, object], minute: int) -> Iterator[Costs]:
    money, our_minutes, their_minutes = (_number(measures.get(name)) for name in RECORDED)
    if money or our_minutes or their_minutes:
        yield Costs(
            owner="",
            campaign="",
            messages=0,
            money=round(money),
            offers=0,
            our_minutes=our_minutes,
            their_minutes=their_minutes,
            total=round(money) + round(our_minutes * minute),
        )


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _counted(store: Store) -> pl.DataFrame:
    """How many messages of each version went, by what each of them costs."""
    rows = store.count(MESSAGES, [*_KEY, "state", *RECORDED])
    return rows.filter(pl.col("state").is_in(GONE_STATES)).drop("state")


def _counted_until(store: Store, as_of: datetime) -> pl.DataFrame:
    columns = [*_KEY, "state", "settled_at", *RECORDED]
    gone = pl.col("state").is_in(GONE_STATES) & (pl.col("settled_at") <= as_of)
    parts = [MESSAGES.empty().select(*_KEY, *RECORDED).with_columns(rows=pl.lit(0, pl.UInt32))]
    itself = plain(store)  # each row once, whoever it counts for
    for page in itself.pages(None, as_of=as_of):
        rows = itself.read(MESSAGES, page=page, columns=columns).filter(gone)
        parts.append(rows.group_by(*_KEY, *RECORDED).len("rows"))
    return pl.concat(parts)


def _costs(counted: pl.DataFrame, versions: pl.DataFrame, held: Coupons | None, minute: int) -> Iterator[Costs]:
    number = pl.col("rows").cast(pl.Int64)
    spent = (
        counted.join(versions, on=_KEY, how="left")
        # A message that was queued before it kept its costs has those of its campaign.
        .with_columns(pl.coalesce(name, f"{name}_said", pl.lit(0)).alias(name) for name in RECORDED)
        .group_by("owner", "campaign")
        .agg(
            number.sum().alias("messages"),
            (pl.col("cost") * number).sum().alias("money"),
            *((pl.col(name) * number).sum().alias(name) for name in ("our_minutes", "their_minutes")),
        )
    )
    lines: dict[tuple[str, str], dict[str, float]] = {}
    for row in spent.iter_rows(named=True):
        key = row.pop("owner") or "", row.pop("campaign")
        lines[key] = {**_ZERO, **row}
    for owner, campaign, cost in _redeemed(held, versions):
        lines.setdefault((owner or "", campaign), dict(_ZERO))["offers"] += cost
    for (owner, campaign), line in sorted(lines.items()):
        money, offers = int(line["money"]), int(line["offers"])
        yield Costs(
            owner=owner,
            campaign=campaign,
            messages=int(line["messages"]),
            money=money,
            offers=offers,
            our_minutes=line["our_minutes"],
            their_minutes=line["their_minutes"],
            total=money + offers + round(line["our_minutes"] * minute),
        )


def _redeemed(held: Coupons | None, versions: pl.DataFrame) -> Iterable[tuple[str, str, int]]:
    """What redeemed coupons have cost, by owner and campaign."""
    if held is None:
        return ()
    redeemed = held.frame.filter(pl.col("state") == "redeemed")
    owned = redeemed.join(versions.select(*_KEY, "owner"), on=_KEY, how="left")
    return owned.group_by("owner", "campaign").agg(pl.col("cost").sum()).iter_rows()


def _versions(store: Store) -> pl.DataFrame:
    """Every kept version of every campaign: its owner, and what one engagement costs."""

    def said(path: str, kind: type[pl.DataType]) -> pl.Expr:
        return pl.col("content").str.json_path_match(path).cast(kind)

    return store.read(CAMPAIGNS).select(
        *_KEY,
        said("$.owner", pl.String).alias("owner"),
        said("$.cost.money", pl.Int64).alias("cost_said"),
        said("$.cost.our_minutes", pl.Float64).alias("our_minutes_said"),
        said("$.cost.their_minutes", pl.Float64).alias("their_minutes_said"),
    )
