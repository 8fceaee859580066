"""Selecting: of the customers of a page, what is due, what holds it back, and what may go ahead."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping

import polars as pl
from attrs import field, frozen

from relationship_core.columns import DECISIONS, MESSAGES, Page
from relationship_core.flow.candidate_columns import CHANGES_AT, KEYS, STEP_AT
from relationship_core.flow.contact.follow_ups import met_again, waiting_follow_ups
from relationship_core.flow.contact.verdicts import POLICY_FAILED, decisions, nothing_due, with_reasons
from relationship_core.flow.message_states import HELD_OUT
from relationship_core.flow.plan.candidates import candidate_names, candidates
from relationship_core.flow.plan.circumstances import ContactSettings, with_circumstances
from relationship_core.flow.plan.contacts import messages_of, without_settled
from relationship_core.flow.plan.holdout import Holdout, holdout_of
from relationship_core.flow.rules import Rules
from relationship_core.flow.standing import Moment, standing
from relationship_core.ports import Store

CARRIED = (
    *KEYS,
    "held",
    "left_out",
    "engagements",
    "minimum_interval_days",
    "expires_at",
    CHANGES_AT,
    "not_before",
    "waits",
    "room",
    "variant",
    "channel",
    "medium",
    "address",
)
"""What arbitration and the outbox need of a candidate, beside what its campaign says."""


@frozen(kw_only=True)
class Premises:
    """What planning takes as given of the project.

    Attributes:
        media: the medium of each channel instance.
        contact: what the project configures about contact.
        versions: the version of each campaign's content, kept before the plan starts.
        message_id: the opaque id of an engagement's message, from (campaign, action, customer, occasion).
        share: which share of customers is held out of every campaign, 0 to 1.
        approval: whether campaigns must be approved to be planned.
    """

    media: Mapping[str, str]
    contact: ContactSettings
    versions: Mapping[str, str]
    message_id: Callable[[str, str, str, str], str]
    share: float = 0.0
    approval: bool = False

    def holdout(self, rules: Rules) -> Holdout:
        """Who is held out of what."""
        campaigns = (trigger.campaign for trigger in rules.triggers)
        return holdout_of(campaigns, share=self.share, salt=self.contact.terms.salt)


def _nobody() -> pl.Series:
    return pl.Series("customer", dtype=pl.String)


@frozen(kw_only=True)
class Selection:
    """What there is to decide about the customers of a page.

    Attributes:
        decided: rows of DECISIONS that are certain: nothing due, or a policy refuses.
        passed: candidates that no policy refuses, as CARRIED says.
        failed: customers who wait for a policy to be mended.
        met_again: customers whose next step this plan cannot tell, since the one before is of its own instant.
    """

    decided: pl.DataFrame = field(factory=DECISIONS.empty)
    passed: pl.DataFrame | None = None
    failed: pl.Series = field(factory=_nobody)
    met_again: pl.Series = field(factory=_nobody)


def select(
    page: Page, *, store: Store, rules: Rules, moment: Moment, premises: Premises, stopped: MutableMapping[str, str]
) -> Selection:
    """Find every candidate of a page, and ask the policies.

    Args:
        page: the customers.
        store: where the project lives.
        rules: the rules in force.
        moment: the plan's instant.
        premises: what planning takes as given of the project.
        stopped: the campaigns that a failing policy has stopped; more may come.
    """
    if not rules.triggers:
        return Selection()
    frame = standing(store, rules.catalog, page, candidate_names(rules), moment)
    messages = messages_of(store, page, premises.versions, rules.policies) if rules.followed else None
    everyone = candidates(frame, rules, moment, messages)
    idle = everyone.filter(~pl.col("due"))
    undue = nothing_due(idle.filter(pl.col(STEP_AT).is_null()))
    again = _nobody()
    if messages is not None:
        undue = pl.concat([undue, decisions(waiting_follow_ups(idle, messages, rules, moment.now))])
        again = met_again(messages, rules.followed, moment.now)
    due = everyone.filter(pl.col("due"))
    informed = circumstances(due, messages, store=store, rules=rules, moment=moment, premises=premises)
    if informed.is_empty():
        return Selection(decided=undue, met_again=again)
    judged = with_reasons(informed, rules.policies, stopped)
    refused = judged.filter(pl.col("reason").is_not_null())
    return Selection(
        decided=pl.concat([undue, decisions(refused)]),
        passed=judged.filter(pl.col("reason").is_null()).select(CARRIED),
        failed=refused.filter(pl.col("reason") == POLICY_FAILED)["customer"].unique().sort(),
        met_again=again,
    )


def circumstances(
    due: pl.DataFrame,
    known: pl.DataFrame | None,
    *,
    store: Store,
    rules: Rules,
    moment: Moment,
    premises: Premises,
) -> pl.DataFrame:
    """Candidates that are due and have no message yet, with everything that policies see.

    Where there is no such candidate, the frame is empty and has no more columns than it had.

    Args:
        due: candidates with an occasion.
        known: what there is in the outbox for these customers and others; None where that is still to be read.
        store: where the project lives.
        rules: the rules in force.
        moment: the plan's instant.
        premises: what planning takes as given of the project.
    """
    if due.is_empty():
        return due
    if known is None:
        known = messages_of(store, Page(due["customer"].unique().sort()), premises.versions, rules.policies)
    else:
        known = known.join(due.select("customer"), on="customer", how="semi", maintain_order="left")
    left, messages = without_settled(due, known, moment.now)
    if left.is_empty():
        return left
    informed = with_circumstances(
        left, messages, store=store, rules=rules, moment=moment, media=premises.media, settings=premises.contact
    )
    return _with_left_out(informed, store)


def _with_left_out(informed: pl.DataFrame, store: Store) -> pl.DataFrame:
    """Add ``left_out`` of what this very plan has held out before."""
    if not informed["held"].any():
        return informed.with_columns(pl.lit(None, dtype=pl.String).alias("left_out"))
    page = Page.of(informed.filter("held")["customer"])
    kept = store.read(MESSAGES, page=page, where={"state": HELD_OUT}, columns=[*KEYS, "detail", "queued_at"])
    own = kept.select(*KEYS, pl.col("detail").alias("left_out"), pl.col("queued_at").alias("now"))
    return informed.join(own.unique([*KEYS, "now"]), on=[*KEYS, "now"], how="left", maintain_order="left")


def campaign_terms(rules: Rules) -> pl.DataFrame:
    """What arbitration and the outbox need of each campaign, as columns."""
    campaigns = {trigger.campaign.name: trigger.campaign for trigger in rules.triggers}
    rows = [
        (
            each.name,
            each.purpose,
            each.nature,
            each.topic,
            each.priority,
            each.value,
            each.weight,
            each.cost.money,
            each.cost.our_minutes,
            each.cost.their_minutes,
            each.limits.per_customer,
        )
        for each in campaigns.values()
    ]
    texts = dict.fromkeys(("campaign", "purpose", "nature", "topic"), pl.String())
    numbers = {"priority": pl.Int64(), "value": pl.Int64(), "weight": pl.Float64(), "cost": pl.Int64()}
    minutes = {"our_minutes": pl.Float64(), "their_minutes": pl.Float64(), "per_customer": pl.Int64()}
    return pl.DataFrame(rows, schema={**texts, **numbers, **minutes}, orient="row")
