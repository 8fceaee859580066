"""The standard policies: why an engagement that is due may not go ahead now.

They see the candidate columns of ``plan``; the first that refuses, in this order, gives the reason.
"""

from __future__ import annotations

from relationship_core import Policy, hookimpl


@hookimpl
def relationship_policies() -> tuple[Policy, ...]:
    """Expired, already done, no contact point, suppressed, minimum interval."""
    import polars as pl

    now = pl.col("now")
    interval_ends = pl.col("last_contact_at") + pl.duration(days=pl.col("minimum_interval_days"))
    return (
        Policy(
            name="expired",
            refuses=pl.col("expires_at") <= now,
            summary="The occasion began longer ago than the campaign finds worth an engagement.",
        ),
        Policy(
            name="already_done",
            refuses=pl.col("engagements") >= pl.col("per_customer"),
            summary="The customer has had as many engagements of the campaign as its limit allows.",
        ),
        Policy(
            name="no_contact_point",
            refuses=~pl.col("reachable"),
            summary="No variant of the action has a channel on which the customer can be reached.",
        ),
        Policy(
            name="suppressed",
            refuses=pl.col("suppressed"),
            summary="Every address at which the action could reach the customer is suppressed.",
        ),
        Policy(
            name="minimum_interval",
            refuses=interval_ends > now,
            until=interval_ends,
            purposes=("marketing",),
            summary="The last contact was too short a time ago for the customer's stage.",
        ),
    )
