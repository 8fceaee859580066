"""Cleared occasions: what we gave, or that we were there, has settled them without their own action.

A give is a message of ours whose nature is give, or a deed that was recorded as one (``last_given_at``). Presence is a
give, a neutral message, or whatever else somebody of ours did towards the customer (``last_from_us_at``). A promotion,
which asks or carries an offer, is neither; nor is what was held out, or has not gone. Nor is work for people: what they
did about it is recorded as a deed.
"""

from __future__ import annotations

import polars as pl

from relationship_core.flow.message_states import GONE_STATES
from relationship_core.flow.plan.candidates import began_at
from relationship_core.flow.plan.contacts import CONTACT_AT
from relationship_core.flow.rules import Rules
from relationship_core.flow.standing import Moment
from relationship_core.flow.versions import offering_campaigns
from relationship_core.model.campaign import Occasion
from relationship_core.model.words import TASK_MEDIUM
from relationship_core.ports import Store
from relationship_core.table import INSTANT

DEEDS = frozenset({"last_given_at", "last_from_us_at"})
"""The columns of a customer's standing that tell of deeds, as far as anybody declares them."""

_LASTS = ("last_give_at", "last_presence_at")
_CLEARED = ("cleared_at", "cleared_until")
_VERSION = ("campaign", "version")
_ROW = "__row"
_FOUND = {_ROW: pl.UInt32(), "cleared_at": INSTANT, "cleared_until": INSTANT, "cleared_by": pl.String()}
_DEED = "what was recorded"


def asks_for_deeds(rules: Rules) -> bool:
    """Whether an occasion may be cleared, or a policy wants to know what we gave last."""
    named = {name for policy in rules.policies for each in policy.expressions for name in each.meta.root_names()}
    return bool(rules.clearing or named & set(_LASTS))


def with_cleared(
    candidates: pl.DataFrame, contacts: pl.DataFrame, *, store: Store, rules: Rules, moment: Moment
) -> pl.DataFrame:
    """Add ``last_give_at``, ``last_presence_at``, ``cleared_at``, ``cleared_until`` and ``cleared_by``.

    They are null where no occasion may be cleared.

    Args:
        candidates: with an occasion, and those of DEEDS that the catalog has.
        contacts: what counts as a contact, as ``contacts_of`` gives it.
        store: where the versions of campaigns are, which tell of offers.
        rules: the rules in force.
        moment: the run's instant, in the project's zone.
    """
    if not asks_for_deeds(rules):
        nothing = [pl.lit(None, INSTANT).alias(name) for name in (*_LASTS, *_CLEARED)]
        return candidates.with_columns(*nothing, pl.lit(None, pl.String).alias("cleared_by"))
    told = _with_lasts(candidates, contacts, store).with_row_index(_ROW)
    parts = [pl.DataFrame(schema=_FOUND)]
    for trigger in rules.triggers:
        occasion = trigger.action.occasion
        if occasion is not None and occasion.cleared_by:
            own = (pl.col("campaign") == trigger.campaign.name) & (pl.col("action") == trigger.action.name)
            part = told.filter(own)
            if part.height:
                parts.append(part.select(_ROW, *_cleared(occasion, part, moment)))
    found = pl.concat(parts)
    return told.join(found, on=_ROW, how="left", maintain_order="left").drop(_ROW, "by:give", "by:presence")


def _cleared(occasion: Occasion, part: pl.DataFrame, moment: Moment) -> list[pl.Expr]:
    at, by = pl.col(f"last_{occasion.cleared_by}_at"), pl.col(f"by:{occasion.cleared_by}")
    if occasion.cleared_days is None:
        until, clears = pl.lit(None, INSTANT), at > began_at(occasion, part, moment)
    else:
        until = (at + pl.duration(days=occasion.cleared_days)).cast(INSTANT)
        clears = until > pl.col("now")
    return [
        pl.when(clears).then(value).alias(name)
        for name, value in (("cleared_at", at), ("cleared_until", until), ("cleared_by", by))
    ]


def _with_lasts(candidates: pl.DataFrame, contacts: pl.DataFrame, store: Store) -> pl.DataFrame:
    """Add when the last give and the last presence were, and what they were."""
    reached = pl.col("state").is_in(GONE_STATES) & pl.col("medium").ne_missing(TASK_MEDIUM)
    went = contacts.filter(reached & pl.col("nature").is_in(["give", "neutral"]))
    presence = _without_offers(went, store)
    gives = presence.filter(pl.col("nature") == "give")
    given = _instant(candidates, "last_given_at")
    frame = candidates
    for name, messages, deed in (
        ("give", gives, given),
        ("presence", presence, pl.max_horizontal(given, _instant(candidates, "last_from_us_at"))),
    ):
        last = messages.group_by("customer").agg(
            pl.col(CONTACT_AT).max().alias("at:"), pl.col("campaign").sort_by(CONTACT_AT, "campaign").last()
        )
        ours = last.rename({"campaign": "by:"})
        of_message = (pl.col("at:") >= deed).fill_null(deed.is_null())
        frame = (
            frame.join(ours, on="customer", how="left", maintain_order="left")
            .with_columns(
                pl.max_horizontal("at:", deed).cast(INSTANT).alias(f"last_{name}_at"),
                pl.when(of_message).then(pl.format("campaign {}", "by:")).otherwise(pl.lit(_DEED)).alias(f"by:{name}"),
            )
            .drop("at:", "by:")
        )
    return frame


def _without_offers(messages: pl.DataFrame, store: Store) -> pl.DataFrame:
    """The messages whose campaign carried no offer, as it was when they were queued."""
    if messages.is_empty():
        return messages
    offering = list(offering_campaigns(store, messages["campaign"].unique().sort().to_list()))
    schema = dict.fromkeys(_VERSION, pl.String)
    return messages.join(pl.DataFrame(offering, schema=schema, orient="row"), on=_VERSION, how="anti")


def _instant(frame: pl.DataFrame, name: str) -> pl.Expr:
    return pl.col(name) if name in frame.columns else pl.lit(None, INSTANT)
