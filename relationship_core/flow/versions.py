"""Versions of campaigns: queued messages are pinned to the content that the plan decided about."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

import polars as pl

from relationship_core.campaign_files import campaign_content, campaign_from_content, campaign_version
from relationship_core.columns import CAMPAIGNS
from relationship_core.model.campaign import Campaign
from relationship_core.ports import Store


def versions_of(campaigns: Iterable[Campaign]) -> Mapping[str, str]:
    """The present version of each campaign, by its name."""
    return {campaign.name: campaign_version(campaign) for campaign in campaigns}


def kept_campaigns(store: Store) -> Mapping[tuple[str, str], Campaign]:
    """Every kept version of every campaign, by (name, version)."""
    rows = store.read(CAMPAIGNS).iter_rows(named=True)
    return {(row["campaign"], row["version"]): campaign_from_content(row["content"]) for row in rows}


def offering_campaigns(store: Store, names: Collection[str] | None = None) -> Mapping[tuple[str, str], Campaign]:
    """The kept versions of campaigns that carry an offer, by (name, version); the content of the others is not read.

    Args:
        store: where versions are kept.
        names: of these campaigns alone; None for all of them.
    """
    rows = store.read(CAMPAIGNS, where=None if names is None else {"campaign": names})
    offering = rows.filter(pl.col("content").str.json_path_match("$.offer").is_not_null()).iter_rows(named=True)
    return {(row["campaign"], row["version"]): campaign_from_content(row["content"]) for row in offering}


def last_version(store: Store, campaign: str) -> str:
    """The version of a campaign that was kept last, for one whose file is gone; empty where there is none."""
    kept = store.read(CAMPAIGNS, where={"campaign": campaign}, columns=["version", "at"]).sort("at")
    return "" if kept.is_empty() else str(kept["version"][-1])


def keep_versions(store: Store, campaigns: Iterable[Campaign], now: datetime) -> None:
    """Keep the content of every campaign's present version, where it is not kept yet."""
    rows = _not_kept(store, campaigns, now)
    if rows.height:
        with store.transaction():
            store.put(CAMPAIGNS, rows)


def keep_version(store: Store, campaign: Campaign, now: datetime) -> str:
    """Keep the content of one campaign's present version, inside a transaction; which version that is."""
    rows = _not_kept(store, [campaign], now)
    if rows.height:
        store.put(CAMPAIGNS, rows)
    return campaign_version(campaign)


def _not_kept(store: Store, campaigns: Iterable[Campaign], now: datetime) -> pl.DataFrame:
    kept = set(store.read(CAMPAIGNS, columns=["campaign", "version"]).iter_rows())
    rows = [
        (campaign.name, campaign_version(campaign), campaign_content(campaign), now)
        for campaign in campaigns
        if (campaign.name, campaign_version(campaign)) not in kept
    ]
    return pl.DataFrame(rows, schema=CAMPAIGNS.types(), orient="row")
