"""Goals at the last moment: who has done what a campaign is for since its message was planned needs it no more."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping

import polars as pl

from relationship_core.columns import MESSAGES, Page
from relationship_core.errors import ConfigurationError
from relationship_core.flow.candidate_columns import CHANGES_AT, ENTERED_AT, GOAL_REACHED, KEYS
from relationship_core.flow.catalog import Catalog
from relationship_core.flow.contact.follow_ups import with_goals
from relationship_core.flow.rules import parse_goal
from relationship_core.flow.standing import Moment, standing
from relationship_core.flow.united import ties_of
from relationship_core.model.campaign import Campaign
from relationship_core.ports import Store
from relationship_core.table import INSTANT


def with_goal_reached(
    messages: pl.DataFrame,
    campaigns: Mapping[tuple[str, str], Campaign],
    *,
    store: Store,
    catalog: Catalog,
    moment: Moment,
    halted: MutableMapping[str, str],
) -> pl.DataFrame:
    """Add ``goal_reached`` to claimed messages, by the goals of the versions that they are pinned to.

    Args:
        messages: rows of MESSAGES.
        campaigns: every version of their campaigns.
        store: where the project lives.
        catalog: the columns there are.
        moment: the instant.
        halted: the campaigns of whose messages it cannot be told whether they may go, with what happened; those
            whose goal names what there is no more are added.
    """
    customers = ties_of(store).resolved(messages["customer"]).alias("customer")
    parts = [pl.DataFrame(schema={"id": pl.String, GOAL_REACHED: pl.Boolean})]
    for (name, version), own in messages.with_columns(customers).group_by("campaign", "version"):
        campaign = campaigns[str(name), str(version)]
        if campaign.goal:
            try:
                parts.append(_judged(own, campaign, store, catalog, moment))
            except ConfigurationError as error:
                halted[campaign.name] = f"the goal of its messages cannot be judged any more: {error}"
    reached = pl.concat(parts)
    return messages.join(reached, on="id", how="left", maintain_order="left").with_columns(
        pl.col(GOAL_REACHED).fill_null(value=False)
    )


def _judged(own: pl.DataFrame, campaign: Campaign, store: Store, catalog: Catalog, moment: Moment) -> pl.DataFrame:
    goal = parse_goal(catalog, campaign)
    page = Page(own["customer"].unique().sort())
    known = standing(store, catalog, page, goal.columns - {ENTERED_AT}, moment)
    never = (pl.lit(None, INSTANT).alias(name) for name in (ENTERED_AT, CHANGES_AT))
    rows = own.select("id", *KEYS).join(known, on="customer", how="left").with_columns(never)
    columns = [*KEYS, "state", "queued_at"]
    sent = store.read(MESSAGES, page=page, where={"campaign": campaign.name}, columns=columns)
    return with_goals(rows, sent, {campaign.name: goal}, None).select("id", GOAL_REACHED)
