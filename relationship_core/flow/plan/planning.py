"""Planning: page by page those who are reviewed are looked at, decided about, and written."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from functools import cached_property

import polars as pl
from attrs import define, field

from relationship_core.columns import DECISIONS, MESSAGES, Page
from relationship_core.flow.campaigns.life import count_acts, of_campaigns, read_lives
from relationship_core.flow.contact.verdicts import HELD_OUT, decisions
from relationship_core.flow.erased import erasures, still_there
from relationship_core.flow.facts import read_fact, write_fact
from relationship_core.flow.last_review import refuse_before_the_last, refuse_other_rules
from relationship_core.flow.plan.arbitration import BUDGET, arbitrate
from relationship_core.flow.plan.budgets import (
    Spending,
    budgets_of,
    freed,
    mark_those_who_waited,
    rooms_of,
    waiting,
)
from relationship_core.flow.plan.holdout import Holdout
from relationship_core.flow.plan.outbox import queue
from relationship_core.flow.plan.planned import Planned, Tally
from relationship_core.flow.plan.selecting import Premises, Selection, campaign_terms, select
from relationship_core.flow.plan.writing import changes, write
from relationship_core.flow.progress import Listener, Progress, silent
from relationship_core.flow.record.signature import check_measures
from relationship_core.flow.rules import Rules
from relationship_core.flow.standing import Moment, refuse_the_past
from relationship_core.flow.united import ties_of
from relationship_core.flow.waves import Workers, several, waves
from relationship_core.ports import Store

SETTINGS_FACT = "plan settings"
"""Under this name the store keeps what else than rules a plan's refusals rest on."""
_CHANGED_MEANWHILE = "changed while a plan was under way"


def plan(
    store: Store,
    rules: Rules,
    moment: Moment,
    premises: Premises,
    *,
    dry_run: bool = False,
    page_size: int = 50_000,
    workers: Workers | None = None,
    progress: Listener = silent,
) -> Planned:
    """Decide about every customer reviewed since the last plan, and those whose refusal may have lifted.

    Raises:
        RejectedError: something was recorded that happened after the instant, or reviewed as of a later one.
        ConfigurationError: nobody was reviewed by these rules.
        ConfigurationError: a measure is new or has changed since history was folded.
        RetriableError: another plan spends the budgets of campaigns at the same time.
    """
    refuse_the_past(store, moment.now, "plan")
    refuse_before_the_last(store, moment.now, "plan")
    refuse_other_rules(store, rules)
    check_measures(store, rules.catalog.measures)
    planning = _Planning(
        store=store,
        rules=rules,
        moment=moment,
        premises=premises,
        dry_run=dry_run,
        page_size=page_size,
        workers=workers,
    )
    planning.leave_out_inactive()
    if not dry_run:
        _mark_after_changed_settings(store, premises, planning.inactive)
        _mark_after_freed_budgets(planning)
    whole = store.marked("plan") is None
    planning.erased = erasures(store)
    for wave in waves(store.pages("plan", as_of=moment.now, size=page_size), workers, moment):
        with planning.transaction():
            planning.look_again()
            _decide(planning, wave)
        progress(Progress(step="plan", done=planning.tally.customers))
    _decide_together(planning)
    if whole and not dry_run:
        with store.transaction():
            store.unmark("plan", None)
    return planning.tally.planned_as_of(
        moment.now,
        owners=planning.owners,
        failed=planning.stopped,
        inactive=planning.inactive,
        dry_run=dry_run,
    )


@define(kw_only=True)
class _Planning:
    """One plan under way.

    Attributes:
        rules: the rules, without campaigns that are not active.
        inactive: those campaigns, with their state; whichever is not active while the plan is under way is among them.
        acts: how many acts there were in the lives of campaigns when that was looked up.
        erased: how many were erased before the first page was chosen: with another number, some of a page may be.
        stopped: campaigns that a failing policy has stopped.
        waiting: candidates of customers whom a budget might pay for, page by page.
        seen: what these customers had in the outbox when they were looked at.
        met_again: customers whose next step this plan cannot tell.
    """

    store: Store
    rules: Rules
    moment: Moment
    premises: Premises
    dry_run: bool
    page_size: int
    workers: Workers | None = None
    tally: Tally = field(factory=Tally)
    inactive: Mapping[str, str] = field(factory=dict)
    acts: int | None = None
    erased: int = 0
    stopped: dict[str, str] = field(factory=dict)
    waiting: list[pl.DataFrame] = field(factory=list)
    seen: list[pl.DataFrame] = field(factory=list)
    met_again: set[str] = field(factory=set)

    def transaction(self) -> AbstractContextManager[None]:
        return nullcontext() if self.dry_run else self.store.transaction()

    def leave_out_inactive(self) -> None:
        """Go on without the campaigns that are not active, or were not at some time of this plan."""
        lives = read_lives(self.store, approval=self.premises.approval)
        self.inactive = {**self.inactive, **lives.inactive(self.premises.versions)}
        self.rules = of_campaigns(self.rules, self.inactive)
        self.acts = lives.acts

    def look_again(self) -> None:
        """Inside the transaction that keeps decisions: whether all campaigns are still active."""
        if count_acts(self.store) == self.acts:
            return
        before = self.inactive
        self.leave_out_inactive()
        if self.inactive.keys() != before.keys() and not self.dry_run:
            # One part of the decisions stands on other campaigns than the other: the next plan looks at everybody.
            write_fact(self.store, SETTINGS_FACT, _CHANGED_MEANWHILE)

    @cached_property
    def budgets(self) -> dict[str, tuple[int, int]]:
        return dict(budgets_of(self.rules))

    @cached_property
    def holdout(self) -> Holdout:
        return self.premises.holdout(self.rules)

    @cached_property
    def terms(self) -> pl.DataFrame:
        return campaign_terms(self.rules)

    @cached_property
    def owners(self) -> dict[str, str]:
        return {trigger.campaign.name: trigger.campaign.owner for trigger in self.rules.triggers}

    def arbitrated(self, passed: pl.DataFrame, rooms: dict[str, int]) -> pl.DataFrame:
        """Candidates with the reasons that arbitration gives them."""
        return arbitrate(
            passed.join(self.terms, on="campaign", how="left", maintain_order="left").with_columns(
                pl.lit(self.moment.now, dtype=DECISIONS.schema["at"]).alias("now")
            ),
            rooms=rooms,
            holdout=self.holdout,
            owners=self.owners,
        )


def _mark_after_changed_settings(store: Store, premises: Premises, inactive: Iterable[str]) -> None:
    """Other terms of contact or channels, or other active campaigns: whoever waits for the old ones is looked at."""
    settings = json.dumps([premises.contact.text, dict(premises.media), sorted(inactive)], sort_keys=True)
    if read_fact(store, SETTINGS_FACT) != settings:
        with store.transaction():
            store.mark("plan", None)
            write_fact(store, SETTINGS_FACT, settings)


def _mark_after_freed_budgets(planning: _Planning) -> None:
    if waiting(planning.store):
        mark_those_who_waited(planning.store, rooms_of(planning.store, planning.budgets))


def _decide(planning: _Planning, wave: Sequence[Page]) -> None:
    """Decide about some pages. Who was erased meanwhile stays so."""
    there = (still_there(planning.store, page, planning.erased) for page in wave)
    pages = [page for page in there if not page.customers.is_empty()]
    crew = several(pages, planning.workers)
    selections = _selected_here(planning, pages) if crew is None else _selected_by(crew, planning, pages)
    with closing(selections):
        for page, selection in zip(pages, selections, strict=True):
            _decide_page(planning, page, selection)


def _selected_here(planning: _Planning, pages: Sequence[Page]) -> Generator[Selection, None, None]:
    for page in pages:
        yield select(
            page,
            store=planning.store,
            rules=planning.rules,
            moment=planning.moment,
            premises=planning.premises,
            stopped=planning.stopped,
        )


def _selected_by(crew: Workers, planning: _Planning, pages: Sequence[Page]) -> Generator[Selection, None, None]:
    """What workers select, page by page.

    A campaign that a failing policy stops is stopped for the pages that follow. Workers who have begun with these know
    nothing of it, so that they begin again.
    """
    done = 0
    while done < len(pages):
        answers = crew.select(
            pages[done:], planning.moment, inactive=planning.inactive.keys(), stopped=dict(planning.stopped)
        )
        with closing(answers):
            for selection, stopped in answers:
                done += 1
                planning.stopped.update(stopped)
                yield selection
                if stopped:
                    break


def _decide_page(planning: _Planning, page: Page, selection: Selection) -> None:
    """Decide about a page, but for customers whom a budget might pay for: what they may get waits."""
    store = planning.store
    later, judged = _split(planning, selection.passed)
    decided = selection.decided
    messages = MESSAGES.empty()
    if judged is not None:
        arbitrated = planning.arbitrated(judged, {})
        decided = pl.concat([decided, decisions(arbitrated)])
        messages = _queued(planning, arbitrated)
    kept = store.read(DECISIONS, page=page)
    changed = changes(decided, kept, later, planning.moment.now)
    planning.tally.customers += len(page.customers)
    planning.tally.add(decided, changed.changed, messages)
    if later is not None:
        planning.waiting.append(later)
        planning.seen.append(_seen(store, Page.of(later["customer"])))
    if planning.dry_run:
        return
    write(store, changed, messages)
    store.unmark("plan", page)
    planning.met_again.update(selection.met_again)
    # Should this plan die now, the next one looks at those who wait for its end again.
    at_the_end = [] if later is None else [later["customer"].unique().sort()]
    _mark_again(store, selection.failed, selection.met_again, _left_out(planning, messages), *at_the_end)


def _left_out(planning: _Planning, messages: pl.DataFrame) -> pl.Series:
    """Whose message is held out: as it goes to nobody, only the next plan can see what is to follow it."""
    followed = pl.col("campaign").is_in(list(planning.rules.followed))
    return messages.filter((pl.col("state") == HELD_OUT) & followed)["customer"].unique().sort()


def _mark_again(store: Store, *those: pl.Series) -> None:
    for customers in those:
        if len(customers):
            store.mark("plan", customers)


def _split(planning: _Planning, passed: pl.DataFrame | None) -> tuple[pl.DataFrame | None, pl.DataFrame | None]:
    """Candidates of customers whom a budget might pay for, and those of all others."""
    if passed is None or not planning.budgets:
        return None, passed
    concerned = passed.filter(pl.col("campaign").is_in(list(planning.budgets))).select("customer").unique()
    if concerned.is_empty():
        return None, passed
    return passed.join(concerned, on="customer", how="semi"), passed.join(concerned, on="customer", how="anti")


def _queued(planning: _Planning, arbitrated: pl.DataFrame) -> pl.DataFrame:
    return queue(arbitrated.filter(~pl.col("held")), planning.premises.versions, planning.premises.message_id)


def _seen(store: Store, page: Page) -> pl.DataFrame:
    """How many messages each customer of the page has, and when the last was queued."""
    messages = store.read(MESSAGES, page=page, columns=["customer", "queued_at"])
    counts = messages.group_by("customer").agg(pl.len().alias("messages"), pl.col("queued_at").max())
    return page.customers.alias("customer").to_frame().join(counts, on="customer", how="left", maintain_order="left")


def _decide_together(planning: _Planning) -> None:
    """Arbitrate whom budgets might pay for, and write page by page, in the order in which budgets pay."""
    store = planning.store
    if not planning.waiting:
        return
    with planning.transaction():
        spending = None if planning.dry_run else Spending(store)
        rooms = rooms_of(store, planning.budgets)
        still = waiting(store) - freed(store, rooms)
    arbitrated = planning.arbitrated(pl.concat(planning.waiting), rooms)
    seen = pl.concat(planning.seen)
    planning.waiting.clear()
    for page in _pages(arbitrated, planning.page_size):
        with planning.transaction():
            if spending is not None:
                spending.refuse_another()
            planning.look_again()
            _keep_together(planning, page, arbitrated, seen)
    if spending is not None:
        refused = arbitrated.filter(pl.col("reason") == BUDGET)["campaign"].unique()
        with store.transaction():
            spending.close((still & planning.budgets.keys()) | set(refused))


def _pages(arbitrated: pl.DataFrame, size: int) -> Iterator[Page]:
    customers = arbitrated["customer"].unique().sort()
    for begin in range(0, len(customers), size):
        yield Page(customers.slice(begin, size))


def _keep_together(planning: _Planning, page: Page, arbitrated: pl.DataFrame, seen: pl.DataFrame) -> None:
    """Keep what was arbitrated about these customers, unless they got messages, were merged or erased, meanwhile.

    Where a campaign of theirs was stopped meanwhile, they stay marked as well.
    """
    store = planning.store
    if not planning.dry_run:
        page = _undisturbed(store, still_there(store, page, planning.erased), seen)
        over = arbitrated.filter(pl.col("campaign").is_in(list(planning.inactive)))["customer"]
        page = Page(page.customers.filter(~page.customers.is_in(over.implode())))
        if not len(page.customers):
            return
    own = arbitrated.filter(pl.col("customer").is_in(page.customers.implode()))
    decided, messages = decisions(own), _queued(planning, own)
    kept = store.read(DECISIONS, page=page).join(decided, on=list(DECISIONS.key), how="semi")
    changed = changes(decided, kept, None, planning.moment.now)
    planning.tally.add(decided, changed.changed, messages)
    if not planning.dry_run:
        write(store, changed, messages)
        store.unmark("plan", page)
        met_again = page.customers.filter(page.customers.is_in(list(planning.met_again)))
        _mark_again(store, met_again, _left_out(planning, messages))


def _undisturbed(store: Store, page: Page, seen: pl.DataFrame) -> Page:
    """The page without customers who have other messages than they had: they stay marked, for the next plan."""
    same = seen.join(_seen(store, page), on=["customer", "messages", "queued_at"], how="semi", nulls_equal=True)
    gone = ties_of(store).survivors
    return Page.of(customer for customer in same["customer"] if customer not in gone)
