"""Plan: reviewed customers and campaigns in; decisions, and messages in the outbox, out.

Each page is read, decided and written in one transaction. A plan is a function of what is recorded and
of its instant: repeated at the same instant it changes nothing, so a run that died simply plans again.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime

import polars as pl
from attrs import field, frozen

from relationship_core.columns import DECISIONS, MESSAGES, Page
from relationship_core.flow.facts import read_fact, write_fact
from relationship_core.flow.last_review import refuse_before_the_last, refuse_other_rules
from relationship_core.flow.plan.candidates import KEYS, candidate_names, candidates
from relationship_core.flow.plan.circumstances import with_circumstances, without_settled
from relationship_core.flow.plan.outbox import queue
from relationship_core.flow.plan.verdicts import DUE, arbitrate, decisions, with_reasons
from relationship_core.flow.progress import Listener, Progress, silent
from relationship_core.flow.record.signature import check_measures
from relationship_core.flow.rules import Rules
from relationship_core.flow.standing import Moment, refuse_the_past, standing
from relationship_core.ports import Store

SETTINGS_FACT = "plan settings"
"""Under this name the store keeps what else than rules a plan's refusals rest on."""
NOTHING_DUE = "nothing_due"
"""The reason for a customer in the audience without an occasion."""


@frozen(kw_only=True)
class Planned:
    """What a plan decided.

    Attributes:
        as_of: the instant planned at.
        customers: how many were looked at.
        planned: how many engagements were put in the outbox.
        decided: how many decisions are new or other than before, by (campaign, reason).
        unchanged: how many stand as they were.
        dry_run: true where nothing was kept.
    """

    as_of: datetime
    customers: int
    planned: int
    decided: Mapping[tuple[str, str], int] = field(factory=dict)
    unchanged: int = 0
    dry_run: bool = False


@frozen(kw_only=True)
class Outbox:
    """What planning must know of the project to queue messages.

    Attributes:
        media: the medium of each channel instance.
        intervals: minimum days between contacts by stage; ``default`` for the rest.
        versions: the version of each campaign's content, kept before the plan starts.
        message_id: the opaque id of an engagement's message, from (campaign, action, customer, occasion).
    """

    media: Mapping[str, str]
    intervals: Mapping[str, float]
    versions: Mapping[str, str]
    message_id: Callable[[str, str, str, str], str]


def plan(
    store: Store,
    rules: Rules,
    moment: Moment,
    outbox: Outbox,
    *,
    dry_run: bool = False,
    page_size: int = 50_000,
    progress: Listener = silent,
) -> Planned:
    """Decide about every customer reviewed since the last plan, and those whose refusal may have lifted.

    Raises:
        RejectedError: something was recorded that happened after the instant, or reviewed as of a later one.
        ConfigurationError: nobody was reviewed by these rules, or a policy fails.
        ConfigurationError: a measure is new or has changed since history was folded.
    """
    refuse_the_past(store, moment.now, "plan")
    refuse_before_the_last(store, moment.now, "plan")
    refuse_other_rules(store, rules)
    check_measures(store, rules.catalog.measures)
    if not dry_run:
        _mark_after_changed_settings(store, outbox)
    whole = store.marked("plan") is None
    customers = planned = unchanged = 0
    decided: Counter[tuple[str, str]] = Counter()
    for page in store.pages("plan", as_of=moment.now, size=page_size):
        if dry_run:
            outcome = _decide(store, rules, page, moment, outbox)
        else:
            with store.transaction():
                outcome = _decide(store, rules, page, moment, outbox)
                _keep(store, outcome, page)
        customers += len(page.customers)
        planned += outcome.messages.height
        decided.update(outcome.counts())
        unchanged += outcome.decisions.height - outcome.changed.height
        progress(Progress(step="plan", done=customers))
    if whole and not dry_run:
        with store.transaction():
            store.unmark("plan", None)
    return Planned(
        as_of=moment.now,
        customers=customers,
        planned=planned,
        decided=dict(decided),
        unchanged=unchanged,
        dry_run=dry_run,
    )


def _mark_after_changed_settings(store: Store, outbox: Outbox) -> None:
    """Other intervals or channels: whoever waits for the old ones to lift is looked at again."""
    settings = json.dumps([dict(outbox.intervals), dict(outbox.media)], sort_keys=True)
    if read_fact(store, SETTINGS_FACT) != settings:
        with store.transaction():
            store.mark("plan", None)
            write_fact(store, SETTINGS_FACT, settings)


@frozen(kw_only=True)
class _Outcome:
    """The decisions about one page: all of them, those to write, close and drop, and the messages to queue."""

    decisions: pl.DataFrame
    changed: pl.DataFrame
    closed: pl.DataFrame
    dropped: pl.DataFrame
    messages: pl.DataFrame

    def counts(self) -> Mapping[tuple[str, str], int]:
        rows = self.changed.group_by("campaign", "reason").len()
        return {(campaign, reason): number for campaign, reason, number in rows.iter_rows()}


def _decide(store: Store, rules: Rules, page: Page, moment: Moment, outbox: Outbox) -> _Outcome:
    judged, decided = None, DECISIONS.empty()
    if rules.steps:
        frame = standing(store, rules.catalog, page, candidate_names(rules), moment)
        everyone = candidates(frame, rules, moment)
        due = everyone.filter(pl.col("due"))
        judged = _judge(due, store, rules, moment, outbox) if due.height else None
        idle = _nothing_due(everyone)
        decided = idle if judged is None else pl.concat([idle, decisions(judged)])
    kept = store.read(DECISIONS, page=page)
    changed = decided.join(
        kept,
        on=[*KEYS, "verdict", "reason", "detail", "until"],
        how="anti",
        nulls_equal=True,
        maintain_order="left",
    )
    gone = kept.join(decided, on=KEYS, how="anti")
    return _Outcome(
        decisions=decided,
        changed=changed.sort(DECISIONS.key),
        closed=gone.filter((pl.col("occasion") != "") & (pl.col("until") <= moment.now)),
        dropped=gone.filter(pl.col("occasion") == ""),
        messages=MESSAGES.empty()
        if judged is None
        else queue(judged.filter(~pl.col("held")), outbox.versions, outbox.message_id),
    )


def _judge(due: pl.DataFrame, store: Store, rules: Rules, moment: Moment, outbox: Outbox) -> pl.DataFrame:
    left, messages = without_settled(due, store, moment.now, outbox.versions)
    informed = with_circumstances(
        left, messages, store=store, rules=rules, media=outbox.media, intervals=outbox.intervals
    )
    return arbitrate(with_reasons(informed, rules.policies))


def _nothing_due(everyone: pl.DataFrame) -> pl.DataFrame:
    idle = everyone.filter(~pl.col("due")).with_columns(
        pl.lit(NOTHING_DUE).alias("reason"),
        pl.lit("").alias("detail"),
        pl.lit(None, dtype=DECISIONS.schema["until"]).alias("until"),
    )
    return decisions(idle)


def _keep(store: Store, outcome: _Outcome, page: Page) -> None:
    if outcome.changed.height:
        store.put(DECISIONS, outcome.changed)
    if outcome.closed.height:
        # The occasion is over: time alone will not bring it back.
        never = pl.lit(None, dtype=DECISIONS.schema["until"]).alias("until")
        store.update(DECISIONS, outcome.closed.select(*DECISIONS.key, never))
    if outcome.dropped.height:
        store.delete(DECISIONS, outcome.dropped)
    if outcome.messages.height:
        store.put(MESSAGES, outcome.messages)
    store.unmark("plan", page)


__all__ = ["DUE", "NOTHING_DUE", "Outbox", "Planned", "plan"]
