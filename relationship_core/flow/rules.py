"""The rules in force: ladder and campaigns, their conditions parsed and checked against the catalog."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, cast

import polars as pl
from attrs import evolve, field, frozen

from relationship_core.conditions import Condition, parse_condition
from relationship_core.crossing import days_until_change
from relationship_core.errors import ConfigurationError, nearest
from relationship_core.flow.candidate_columns import ENTERED_AT, STEP_AT
from relationship_core.flow.catalog import MOMENT_COLUMNS, Catalog, motion_names
from relationship_core.flow.expressions import text_of
from relationship_core.flow.reach import refuse_unreachable
from relationship_core.flow.rungs import Rung
from relationship_core.model.campaign import Action, Campaign, Occasion
from relationship_core.motions import Bounded, Halving, Linear, Steps, Still
from relationship_core.table import INSTANT

if TYPE_CHECKING:
    from relationship_core.declarations import Policy

NEXT_OF = {"day": "next_day", "month": "next_month", "year": "next_year"}
"""The column that holds the end of each period."""
PERIODS = ("once", *NEXT_OF)
"""Occasion keys that are not columns."""
STEP_COLUMNS = (STEP_AT, ENTERED_AT)
"""What only the messages of a campaign tell, so that review does not know it."""


@frozen(kw_only=True)
class Trigger:
    """What sets off one action of one campaign: its conditions, parsed.

    Attributes:
        campaign: the campaign.
        action: the action.
        audience: whom it addresses.
        when: when there is an occasion, or when a follow-up is due.
        goal: when a customer has done what the campaign is for; None for a campaign without a goal.
    """

    campaign: Campaign
    action: Action
    audience: Condition
    when: Condition
    goal: Condition | None = None


@frozen(kw_only=True, eq=False)
class Wait:
    """How many days nothing changes.

    Attributes:
        days: the days; they read the parts as columns.
        parts: what a query before has to compute, by name of the column.
    """

    days: pl.Expr
    parts: Mapping[str, pl.Expr] = field(factory=dict)


@frozen(kw_only=True)
class Rules:
    """Everything that decides about a customer.

    Attributes:
        catalog: the columns.
        rungs: the ladder's rungs, lowest first.
        lapsed: the condition of the lapsed mark; None for never.
        freezes: the condition under which nobody is moved up; None for never.
        triggers: every action of every campaign, by campaign name, in the campaign's order.
        policies: the policies, in order.
        accounts: the same with the ladder of accounts; None where they have no other.
    """

    catalog: Catalog
    rungs: tuple[Rung, ...]
    lapsed: Condition | None
    freezes: Condition | None
    triggers: tuple[Trigger, ...]
    policies: tuple[Policy, ...]
    accounts: Rules | None = None

    @property
    def ladder_conditions(self) -> tuple[Condition, ...]:
        """The conditions that review decides by."""
        of_rungs = [condition for rung in self.rungs for condition in (rung.enter, rung.leave)]
        return tuple(each for each in (*of_rungs, self.lapsed, self.freezes) if each is not None)

    @property
    def plan_conditions(self) -> tuple[Condition, ...]:
        """The conditions that plan decides by, as far as customers' columns alone tell them."""
        return tuple(each for each in self._plan_conditions if not rests_on_steps(each))

    @property
    def step_conditions(self) -> tuple[Condition, ...]:
        """Those that messages tell as well, so that review knows nothing of them."""
        return tuple(each for each in self._plan_conditions if rests_on_steps(each))

    @property
    def _plan_conditions(self) -> list[Condition]:
        conditions = [each for trigger in self.triggers for each in (trigger.audience, trigger.when, trigger.goal)]
        return [each for each in conditions if each is not None]

    @property
    def followed(self) -> frozenset[str]:
        """The campaigns with follow-ups: what becomes of their messages decides what comes next."""
        return frozenset(each.campaign.name for each in self.triggers if each.action.after is not None)

    def signature(self) -> str:
        """A hash that changes whenever a rule changes, so that everybody becomes due."""
        return self._signature

    @cached_property
    def _signature(self) -> str:
        texts = [condition.text for condition in (*self.ladder_conditions, *self.plan_conditions)]
        texts += [condition.text for condition in self.accounts.ladder_conditions] if self.accounts else []
        texts += [f"{trigger.campaign}" for trigger in self.triggers]
        texts += [
            f"{policy.name}: {' / '.join(map(text_of, _decides(policy)))} / {policy.purposes} / {policy.natures}"
            for policy in self.policies
        ]
        return hashlib.sha256("\n".join([self.catalog.signature(), *texts]).encode()).hexdigest()[:16]

    def days_until_change(self, condition: Condition) -> Wait:
        """The days until a condition may change without news (null: never)."""
        if condition not in self._days_until_change:
            parts: dict[str, pl.Expr] = {}
            days = days_until_change(condition, self.catalog.motions, parts)
            self._days_until_change[condition] = Wait(days=days, parts=parts)
        return self._days_until_change[condition]

    @cached_property
    def _days_until_change(self) -> dict[Condition, Wait]:
        """What was asked for already: every page of a review asks the same."""
        return {}

    @cached_property
    def days_until_news(self) -> tuple[Wait, ...]:
        """The days until anything but a rung may change: the mark, the freeze, a campaign's condition, an occasion."""
        of_ladder = [each for each in (self.lapsed, self.freezes) if each is not None]
        by_text = {each.text: each for each in (*of_ladder, *self.plan_conditions)}
        ends = (Wait(days=days) for days in self._occasions_end())
        return (*map(self.days_until_change, by_text.values()), *ends)

    @property
    def occasion_names(self) -> frozenset[str]:
        """The columns that tell one occasion from the next, or when it began."""
        named = {name for occasion in self._occasions for name in (occasion.key, occasion.since)}
        return frozenset(named & self.catalog.types.keys())

    @property
    def clearing(self) -> bool:
        """Whether there is an occasion that something else than its own action settles."""
        return any(occasion.cleared_by for occasion in self._occasions)

    @property
    def _occasions(self) -> list[Occasion]:
        return [each for each in (trigger.action.occasion for trigger in self.triggers) if each is not None]

    def _occasions_end(self) -> Iterator[pl.Expr]:
        """An occasion comes again with the next period, or with the next value of its column."""
        keys = {occasion.key for occasion in self._occasions}
        for period in sorted(keys & NEXT_OF.keys()):
            yield _days_to(pl.col(NEXT_OF[period]))
        for name in sorted(self.occasion_names):
            motion = self.catalog.columns[name].motion
            if not isinstance(motion, Still):
                yield _days_to(motion.next_change if isinstance(motion, Steps) else pl.col("next_day"))


def rests_on_steps(condition: Condition) -> bool:
    """Whether a condition names what only the messages of a campaign tell."""
    return bool(condition.columns & set(STEP_COLUMNS))


def _decides(policy: Policy) -> tuple[pl.Expr | None, ...]:
    return policy.refuses, policy.until, policy.defers


def _days_to(instant: pl.Expr) -> pl.Expr:
    return (instant - pl.col("now")) / pl.duration(days=1)


def make_rules(catalog: Catalog, campaigns: Iterable[Campaign], policies: Iterable[Policy]) -> Rules:
    """Parse every condition of the ladder and the campaigns.

    Raises:
        ConfigurationError: a condition does not parse, names an unknown column or stage, or is not boolean; nobody
            can reach or keep a stage; an occasion's key or beginning is no column.
    """
    ladder, campaigns, policies = catalog.ladder, tuple(campaigns), tuple(policies)
    reading = _Reading(catalog)
    rungs = tuple(_rungs(reading))
    refuse_unreachable(rungs, ladder.name)
    lapsed = reading.optional(ladder.lapsed, f"ladder {ladder.name!r}, lapsed")
    freezes = reading.optional(ladder.freezes, f"ladder {ladder.name!r}, freezes")
    triggers = tuple(
        trigger
        for campaign in sorted(campaigns, key=lambda campaign: campaign.name)
        for trigger in _triggers(reading, campaign)
    )
    accounts = None
    if catalog.account_ladder is not None:
        accounts = make_rules(evolve(catalog, ladder=catalog.account_ladder, account_ladder=None), campaigns, policies)
    return Rules(
        catalog=catalog,
        rungs=rungs,
        lapsed=lapsed,
        freezes=freezes,
        triggers=triggers,
        policies=policies,
        accounts=accounts,
    )


class _Reading:
    """Parses conditions by one catalog, each text once: campaigns of one project say much the same."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self._read: dict[tuple[str, tuple[str, ...]], Condition] = {}

    def optional(self, text: str, where: str) -> Condition | None:
        """A condition that need not be there."""
        return self.condition(text, where) if text else None

    def condition(self, text: str, where: str, also: tuple[str, ...] = ()) -> Condition:
        """A condition, with the instants that it may name beside the catalog's columns."""
        if (text, also) not in self._read:
            catalog = self.catalog
            self._read[text, also] = parse_condition(
                text,
                {**catalog.types, **dict.fromkeys(also, INSTANT)},
                stages=catalog.ladder.names,
                absent=catalog.absent,
                where=where,
            )
        return self._read[text, also]


def _rungs(reading: _Reading) -> Iterator[Rung]:
    ladder = reading.catalog.ladder
    for rank, stage in enumerate(ladder.stages):
        where = f"ladder {ladder.name!r}, stage {stage.name!r}"
        yield Rung(
            name=stage.name,
            rank=rank,
            enter=reading.optional(stage.enter, f"{where}, enter"),
            leave=reading.optional(stage.leave, f"{where}, leave"),
            dwell_days=stage.dwell_days,
        )


def _triggers(reading: _Reading, campaign: Campaign) -> Iterator[Trigger]:
    audience = reading.condition(campaign.audience, f"campaign {campaign.name!r}, audience")
    goal = _goal(reading, campaign) if campaign.goal else None
    for action in campaign.actions:
        when = _when(reading, action, f"campaign {campaign.name!r}, action {action.name!r}")
        yield Trigger(campaign=campaign, action=action, audience=audience, when=when, goal=goal)


def parse_goal(catalog: Catalog, campaign: Campaign) -> Condition:
    """The goal of a campaign that has one.

    Raises:
        ConfigurationError: it does not parse, names an unknown column or stage, or is not boolean.
    """
    return _goal(_Reading(catalog), campaign)


def _goal(reading: _Reading, campaign: Campaign) -> Condition:
    return reading.condition(campaign.goal, f"campaign {campaign.name!r}, goal", (ENTERED_AT,))


def _when(reading: _Reading, action: Action, where: str) -> Condition:
    if action.after is not None:
        return reading.condition(action.after.when, f"{where}, after when", STEP_COLUMNS)
    occasion = cast("Occasion", action.occasion)
    _check_occasion(reading.catalog, occasion, where)
    return reading.condition(occasion.when, f"{where}, occasion when")


def _check_occasion(catalog: Catalog, occasion: Occasion, where: str) -> None:
    if occasion.key not in PERIODS and occasion.key not in catalog.types:
        _unknown_column(catalog, occasion.key, f"{where}, occasion key", PERIODS)
    _refuse_restless(catalog, occasion.key, where)
    if occasion.since and occasion.since not in catalog.types:
        _unknown_column(catalog, occasion.since, f"{where}, occasion since", ())
    if occasion.since and not catalog.types[occasion.since].is_temporal():
        message = f"{where}, occasion since: {occasion.since!r} is no instant or date; name one such as 'last_order_at'"
        raise ConfigurationError(message)


def _refuse_restless(catalog: Catalog, key: str, where: str) -> None:
    """A number that moves all the time would make an occasion of every run."""
    if key in catalog.types and isinstance(catalog.columns[key].motion, Linear | Halving | Bounded):
        message = (
            f"{where}, occasion key: {key!r} moves all the time, so every run would be an occasion; "
            "name a column that changes with news, such as 'last_order_on', or a period, such as 'month'"
        )
        raise ConfigurationError(message)


def _unknown_column(catalog: Catalog, name: str, where: str, also: tuple[str, ...]) -> None:
    missing = catalog.absent.get(name)
    hint = f"; {missing}" if missing else nearest(name, [*catalog.types, *also])
    message = f"{where}: there is no column {name!r}{hint}; the reference of measures lists the columns there are"
    raise ConfigurationError(message)


def due_names(rules: Rules) -> frozenset[str]:
    """The columns from which the next due time is computed."""
    named = {name for condition in (*rules.ladder_conditions, *rules.plan_conditions) for name in condition.columns}
    own = _with_motions(rules.catalog, named | rules.occasion_names)
    return own if rules.accounts is None else own | due_names(rules.accounts) | {"account"}


def step_names(rules: Rules) -> frozenset[str]:
    """The columns of customers by which plan tells what rests on messages too, and when that may change."""
    named = {name for condition in rules.step_conditions for name in condition.columns}
    return _with_motions(rules.catalog, named - set(STEP_COLUMNS))


def _with_motions(catalog: Catalog, names: Iterable[str]) -> frozenset[str]:
    """The named columns, all that they are computed from, and what tells how these move."""
    closed = catalog.closure(names)
    return closed | {extra for name in closed for extra in motion_names(catalog.columns[name].motion)} - MOMENT_COLUMNS
