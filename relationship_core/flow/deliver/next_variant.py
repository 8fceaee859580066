"""The next variant: what one channel will never take may go by another one, as its action says."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from datetime import datetime

import polars as pl

from relationship_core.columns import CONTACT_POINTS, CUSTOMERS, MESSAGES, Page
from relationship_core.errors import ConfigurationError
from relationship_core.flow.candidate_columns import GOAL_REACHED
from relationship_core.flow.deliver.abandoned import Outlets
from relationship_core.flow.deliver.permission import Gate, asked_again
from relationship_core.flow.deliver.render import Row
from relationship_core.flow.message_states import QUEUED, REJECTED
from relationship_core.flow.united import ties_of
from relationship_core.model.campaign import Campaign, Variant
from relationship_core.model.words import TASK_MEDIUM
from relationship_core.ports import Store

_CHANGED = ("id", "channel", "medium", "variant", "address", "detail")


def queue_next_variants(
    rejected: Sequence[Row],
    campaigns: Mapping[tuple[str, str], Campaign],
    store: Store,
    outlets: Outlets,
    gate: Gate,
    *,
    now: datetime,
) -> frozenset[str]:
    """Queue rejected messages for the next variant of their action that another channel may deliver.

    It must speak the customer's language, reach them, and be permitted. The message keeps its id: it is the same
    engagement, and no second one.

    Args:
        rejected: rows of MESSAGES as they were, with what the channel said as ``detail``.
        campaigns: every version of their campaigns.
        store: where the outbox is.
        outlets: how to get each channel instance, by name.
        gate: what permission is asked by.
        now: the instant.

    Returns:
        The channels that have messages now.
    """
    ways = {str(row["id"]): _ways(row, campaigns, outlets) for row in rejected}
    rows = [row for row in rejected if ways[str(row["id"])]]
    if not rows:
        return frozenset()
    survivor = ties_of(store).survivor
    who = {str(row["id"]): survivor(str(row["customer"])) for row in rows}
    page = Page.of(who.values())
    points = store.read(CONTACT_POINTS, page=page, columns=["customer", "medium", "address"])
    known = store.read(CUSTOMERS, page=page, columns=["customer", "locale"])
    locales = dict(known.iter_rows())
    addresses: dict[tuple[str, str], str] = {}
    for customer, medium, address in points.sort("customer", "medium", "address").iter_rows():
        addresses.setdefault((customer, medium), address)
    proposals: list[list[Row]] = []
    for row in rows:
        customer = who[str(row["id"])]
        proposals.append(
            [
                {**row, "variant": place, "channel": variant.channel, "medium": medium, "address": address}
                for place, variant, medium in ways[str(row["id"])]
                if (address := "" if medium == TASK_MEDIUM else addresses.get((customer, medium))) is not None
                and _speaks(locales.get(customer), variant.locale)
            ]
        )
    return _write(store, _permitted(proposals, store, gate, now))


def _ways(
    row: Row, campaigns: Mapping[tuple[str, str], Campaign], outlets: Outlets
) -> Sequence[tuple[int, Variant, str]]:
    """The later variants of a message's action on other channels, each with its place and its medium."""
    campaign = campaigns[str(row["campaign"]), str(row["version"])]
    (action,) = (each for each in campaign.actions if each.name == row["action"])
    after = int(str(row["variant"])) + 1
    found = []
    for place, variant in enumerate(action.variants[after:], after):
        medium = _medium(outlets, variant.channel)
        if variant.channel != row["channel"] and medium:
            found.append((place, variant, medium))
    return found


def _medium(outlets: Outlets, channel: str) -> str:
    """The medium of a channel; empty where it cannot be made, or is not configured any more."""
    try:
        return outlets[channel]().channel.medium if channel in outlets else ""
    except ConfigurationError:
        return ""


def _speaks(locale: str | None, wanted: str | None) -> bool:
    """As planning has it: a variant without a language speaks to everybody, another to its own, region aside."""
    return wanted is None or (locale is not None and wanted in {locale, locale.partition("-")[0]})


def _permitted(proposals: Sequence[Sequence[Row]], store: Store, gate: Gate, now: datetime) -> Sequence[Row]:
    """Of each message's proposals the first that nothing forbids."""
    chosen: list[Row] = []
    left = [list(each) for each in proposals if each]
    halted: MutableMapping[str, str] = {}
    while left:
        frame = pl.DataFrame([each[0] for each in left], schema=dict(MESSAGES.schema))
        asked = asked_again(frame.with_columns(pl.lit(value=False).alias(GOAL_REACHED)), store, gate, now, halted)
        refused = asked.stopped.keys() | asked.unjudged.keys()
        chosen += [each[0] for each in left if each[0]["id"] not in refused]
        left = [each[1:] for each in left if each[0]["id"] in refused and each[1:]]
    return chosen


def _write(store: Store, chosen: Sequence[Row]) -> frozenset[str]:
    if not chosen:
        return frozenset()
    frame = pl.DataFrame(
        {name: [row[name] for row in chosen] for name in _CHANGED},
        schema={name: MESSAGES.schema[name] for name in _CHANGED},
    ).with_columns(
        pl.lit(QUEUED).alias("state"),
        pl.lit(None, MESSAGES.schema["not_before"]).alias("not_before"),
        pl.lit(0, pl.Int64).alias("attempts"),
        pl.lit(None, pl.String).alias("reference"),
        pl.lit(None, MESSAGES.schema["settled_at"]).alias("settled_at"),
    )
    with store.transaction():
        # What somebody has put back meanwhile is theirs.
        still = store.read(MESSAGES, where={"state": REJECTED, "id": frame["id"].to_list()}, columns=["id"])
        own = frame.join(still, on="id", how="semi")
        store.update(MESSAGES, own)
    return frozenset(own["channel"].unique())
