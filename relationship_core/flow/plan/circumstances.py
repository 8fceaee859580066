"""Circumstances of candidates: what policies want to know beside a customer's standing."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import polars as pl
from attrs import field, frozen

from relationship_core.columns import Page
from relationship_core.config.contact import DEFAULT_QUIET_HOURS, Cap, LedgerSettings, QuietHours
from relationship_core.flow.contact.follow_ups import goals_of, with_goals
from relationship_core.flow.contact.quiet import Clocks, with_quiet_hours
from relationship_core.flow.permission.terms import Terms
from relationship_core.flow.plan.addresses import with_addresses
from relationship_core.flow.plan.candidates import policy_names
from relationship_core.flow.plan.caps import with_caps
from relationship_core.flow.plan.cleared import DEEDS, asks_for_deeds, with_cleared
from relationship_core.flow.plan.contacts import contacts_of, engagements, last_contacts
from relationship_core.flow.plan.ledger import with_ledger
from relationship_core.flow.rules import Rules
from relationship_core.flow.standing import Moment, standing
from relationship_core.ports import Store
from relationship_core.table import INSTANT


@frozen(kw_only=True)
class ContactSettings:
    """What the project configures about contact, as planning needs it.

    Attributes:
        terms: what permission is judged by.
        intervals: minimum days between contacts by stage; ``default`` for the rest.
        caps: how many messages a customer gets in a window, by name.
        quiet_hours: when nobody is disturbed, by medium.
        ledger: what gives and asks weigh.
    """

    terms: Terms
    intervals: Mapping[str, float] = field(factory=dict)
    caps: Mapping[str, Cap] = field(factory=dict)
    quiet_hours: Mapping[str, QuietHours] = MappingProxyType(DEFAULT_QUIET_HOURS)
    ledger: LedgerSettings = field(factory=LedgerSettings)

    @property
    def text(self) -> str:
        """Everything that refusals rest on, as text; other text, and they are looked at again."""
        parts = (self.terms.consent, self.terms.preference, self.terms.country, self.ledger)
        named = (self.intervals, self.caps, self.quiet_hours)
        return f"{parts} {[sorted(each.items()) for each in named]}"


def with_circumstances(
    due: pl.DataFrame,
    messages: pl.DataFrame,
    *,
    store: Store,
    rules: Rules,
    moment: Moment,
    media: Mapping[str, str],
    settings: ContactSettings,
) -> pl.DataFrame:
    """Add what the policies want to know about candidates that have an occasion: every column of ``candidates``.

    Args:
        due: candidates with an occasion, as ``without_settled`` left them.
        messages: what there is in the outbox for these customers, but for their own.
        store: where addresses are.
        rules: the rules in force.
        moment: the run's instant, in the project's zone.
        media: the medium of each channel instance.
        settings: what the project configures about contact.
    """
    contacts = contacts_of(messages, moment.now)
    entered = with_goals(due, messages.filter(pl.col("queued_at") != moment.now), goals_of(rules), rules)
    standing_too = _with_standing(entered, store, rules, moment)
    reached = with_addresses(standing_too, store=store, rules=rules, media=media, terms=settings.terms)
    informed = (
        reached.join(last_contacts(contacts), on="customer", how="left", maintain_order="left")
        .join(engagements(messages), on=["customer", "campaign"], how="left", maintain_order="left")
        .with_columns(
            pl.col("engagements").fill_null(0),
            pl.col("last_contact_at").cast(INSTANT),
            _interval(rules, settings).alias("minimum_interval_days"),
            _cost(settings.ledger).alias("cost_minor"),
        )
    )
    capped = with_caps(informed, contacts, settings.caps)
    cleared = with_cleared(capped, contacts, store=store, rules=rules, moment=moment)
    balanced = with_ledger(cleared, contacts, settings.ledger, rules.catalog)
    clocks = Clocks(hours=settings.quiet_hours, zone=moment.zone, country=settings.terms.country)
    return with_quiet_hours(balanced, store=store, now=moment.now, clocks=clocks)


def _with_standing(due: pl.DataFrame, store: Store, rules: Rules, moment: Moment) -> pl.DataFrame:
    """Beside the columns that conditions have asked for those that policies ask for, of these customers alone."""
    deeds = DEEDS & rules.catalog.columns.keys() if asks_for_deeds(rules) else frozenset[str]()
    names = sorted((policy_names(rules) | deeds) - set(due.columns))
    if not names:
        return due
    page = Page(due["customer"].unique().sort())
    told = standing(store, rules.catalog, page, names, moment).select("customer", *names)
    return due.join(told, on="customer", how="left", maintain_order="left")


def _interval(rules: Rules, settings: ContactSettings) -> pl.Expr:
    """The interval of the stage, and at least the one for those who want to hear from us occasionally."""
    stages, intervals = rules.catalog.ladder.names, settings.intervals
    days = {stage: float(intervals.get(stage, intervals.get("default", 0.0))) for stage in stages}
    of_stage = pl.col("stage").cast(pl.String).replace_strict(days, return_dtype=pl.Float64)
    of_wish = pl.when(pl.col("wish") == "occasional").then(settings.terms.preference.occasional_days)
    return pl.max_horizontal(of_stage, of_wish)


def _cost(ledger: LedgerSettings) -> pl.Expr:
    return pl.col("cost") + pl.col("our_minutes") * ledger.minute
