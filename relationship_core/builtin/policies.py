"""The standard policies: why an engagement that is due may not go ahead now.

They see the candidate columns of ``plan``; the first that refuses, in this order, gives the reason. What service
messages say is owed to the customer: only an address that must not be used, and the wish for no relationship at all,
hold them back.
"""

from __future__ import annotations

from collections.abc import Iterator

from relationship_core import PERMITTED_STATES, WITHOUT_MARKETING, Policy, Purpose, Reason, hookimpl

REFUND_DAYS = 14
"""So long after a return nobody is sold anything."""

_MARKETING: tuple[Purpose, ...] = ("marketing",)


@hookimpl
def relationship_policies() -> tuple[Policy, ...]:
    """What stands against an engagement, then permission, tact, balance, frequency, economy, and quiet hours."""
    return (*_occasion(), *_permission(), *_tact(), *_balance(), *_frequency(), *_worth(), _quiet_hours())


def _occasion() -> Iterator[Policy]:
    import polars as pl

    yield Policy(
        name=Reason.EXPIRED.value,
        refuses=pl.col("expires_at") <= pl.col("now"),
        summary="The occasion began longer ago than the campaign finds worth an engagement.",
    )
    yield Policy(
        name=Reason.ALREADY_DONE.value,
        refuses=pl.col("engagements") >= pl.col("per_customer"),
        summary="The customer has had as many engagements of the campaign as its limit allows.",
    )
    yield Policy(
        name=Reason.GOAL_REACHED.value,
        refuses=pl.col("goal_reached"),
        summary="The customer has done what the campaign is for, so that it is over for them.",
    )
    yield Policy(
        name="cleared",
        refuses=pl.col("cleared_at").is_not_null(),
        until=pl.col("cleared_until"),
        detail=pl.format("by {} on {}", "cleared_by", pl.col("cleared_at").dt.strftime("%Y-%m-%d")),
        summary="What we gave, or that we were there, has settled the occasion already.",
    )


def _permission() -> Iterator[Policy]:
    import polars as pl

    wish, service = pl.col("wish"), pl.col("purpose") == "service"
    unwanted = pl.when(service).then((wish == "none") & (pl.col("nature") != "neutral"))
    # What is not known is no permission: a null refuses here, where elsewhere it does not.
    unwelcome = wish.is_in(WITHOUT_MARKETING).fill_null(value=True)
    yield Policy(
        name=Reason.PREFERENCE.value,
        refuses=unwanted.otherwise(unwelcome),
        detail=wish,
        summary="The customer wants no such relationship: transactional is service messages alone, none only neutral "
        "ones.",
    )
    yield Policy(
        name=Reason.NO_CONTACT_POINT.value,
        refuses=~pl.col("reachable"),
        summary="No variant of the action has a channel on which the customer can be reached.",
    )
    yield Policy(
        name=Reason.SUPPRESSED.value,
        refuses=pl.col("suppressed"),
        summary="Every address at which the action could reach the customer is suppressed for such messages.",
    )
    yield Policy(
        name=Reason.NO_CONSENT.value,
        refuses=~pl.col("consent").is_in(PERMITTED_STATES).fill_null(value=False),
        detail=pl.col("consent"),
        purposes=_MARKETING,
        summary="The customer has not allowed marketing on this medium and topic.",
    )


def _tact() -> Iterator[Policy]:
    import polars as pl

    now, until = pl.col("now"), pl.col("sensitive_until")
    endless = (pl.col("sensitive_open") > 0).fill_null(value=False)
    yield Policy(
        name="sensitive",
        refuses=(until > now).fill_null(value=False) | endless,
        until=pl.when(~endless).then(until),
        purposes=_MARKETING,
        summary="It was noted that the customer is in a situation in which marketing would hurt.",
    )
    yield Policy(
        name="open_complaint",
        refuses=pl.col("complaints_open") > 0,
        purposes=_MARKETING,
        natures=("ask", "neutral"),
        summary="A complaint of the customer's is not put right yet.",
    )
    refund_over = pl.col("last_return_at") + pl.duration(days=REFUND_DAYS)
    yield Policy(
        name="recent_refund",
        refuses=refund_over > now,
        until=refund_over,
        purposes=_MARKETING,
        natures=("ask", "neutral"),
        summary=f"The customer returned something less than {REFUND_DAYS} days ago.",
    )


def _balance() -> Iterator[Policy]:
    import polars as pl

    balance, weight = pl.col("contact_balance"), pl.col("weight")
    yield Policy(
        name="open_ask",
        refuses=pl.col("open_ask_at").is_not_null(),
        until=pl.col("open_ask_until"),
        detail=pl.format("asked on {}", pl.col("open_ask_at").dt.strftime("%Y-%m-%d")),
        purposes=_MARKETING,
        natures=("ask",),
        summary="The customer has not answered the last ask yet.",
    )
    yield Policy(
        name="contact_balance",
        refuses=balance < weight,
        until=pl.col("contact_balance_until"),
        detail=pl.format("has {}, needs {}", balance.round(2), weight),
        purposes=_MARKETING,
        natures=("ask",),
        summary="We have asked more of the customer than we have given.",
    )


def _frequency() -> Iterator[Policy]:
    import polars as pl

    interval_ends = pl.col("last_contact_at") + pl.duration(days=pl.col("minimum_interval_days"))
    yield Policy(
        name="minimum_interval",
        refuses=interval_ends > pl.col("now"),
        until=interval_ends,
        purposes=_MARKETING,
        summary="The last contact was too short a time ago for the customer's stage, or for their wish.",
    )
    yield Policy(
        name=Reason.FREQUENCY_CAP.value,
        refuses=pl.col("cap").is_not_null(),
        until=pl.col("cap_until"),
        detail=pl.col("cap"),
        summary="The customer has had as many messages as a cap allows in its window.",
    )


def _worth() -> Iterator[Policy]:
    import polars as pl

    value, cost = pl.col("value"), pl.col("cost_minor")
    yield Policy(
        name="uneconomic",
        refuses=value < cost,
        detail=pl.format("worth {} and costs {} minor units", value, cost.ceil().cast(pl.Int64)),
        purposes=_MARKETING,
        summary="The engagement costs us more than the campaign says it is worth.",
    )


def _quiet_hours() -> Policy:
    import polars as pl

    told = pl.when(pl.col("quiet_unknown")).then(pl.lit("by the project's clock, since the customer's is not known"))
    return Policy(
        name="quiet_hours",
        defers=pl.col("quiet_until"),
        detail=told.otherwise(pl.lit("")),
        summary="Nobody is disturbed at this time of day; the message waits until quiet hours end.",
    )
