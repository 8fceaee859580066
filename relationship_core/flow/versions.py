"""Versions of campaigns: queued messages are pinned to the content that the plan decided about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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


def keep_versions(store: Store, campaigns: Iterable[Campaign], now: datetime) -> None:
    """Keep the content of every campaign's present version, where it is not kept yet."""
    kept = set(store.read(CAMPAIGNS, columns=["campaign", "version"]).iter_rows())
    rows = [
        (campaign.name, campaign_version(campaign), campaign_content(campaign), now)
        for campaign in campaigns
        if (campaign.name, campaign_version(campaign)) not in kept
    ]
    if rows:
        with store.transaction():
            store.put(CAMPAIGNS, pl.DataFrame(rows, schema=CAMPAIGNS.types(), orient="row"))
