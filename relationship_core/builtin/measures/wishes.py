"""What customers own and want, and what came of it: items, goals, causes, preferences and opt-outs.

Each pairs by its reference, or by the cause, the topic or the day, in any order of arrival.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

import polars as pl

from relationship_core import LONGEST_DAYS, CaseMeasure, Feature, Part, Steps
from relationship_core.builtin.measures.features import NOW, count, first, from_data, halved, instant

_SHARING = ("community_act", "cocreation", "gift_given", "help_given", "service", "delivery", "account_contact")
_MEETING = ("gift_given", "help_given", "service", "delivery", "account_contact")


def wishes(parameters: Mapping[str, float]) -> Iterator[CaseMeasure]:
    """Everything of that kind."""
    yield _item()
    yield _goal()
    yield from _shared(parameters["shared_values_half_life_days"])
    yield _opt_out(parameters["trust_half_life_days"])


def _item() -> CaseMeasure:
    acquired, interval = pl.col("acquired"), pl.col("interval")
    retired, serviced = pl.col("retired"), pl.col("serviced")
    owned = acquired.is_not_null() & (retired.is_null() | (acquired > retired))
    service_at = pl.max_horizontal(acquired, serviced) + pl.duration(days=interval)
    expected = owned & (interval > 0)
    due = expected & (service_at <= NOW)
    number = from_data("service_interval_days").cast(pl.Float64, strict=False)
    return CaseMeasure(
        name="item",
        parts=(
            Part(name="acquired", kinds=("item_acquired",), combine="max"),
            Part(
                name="interval",
                kinds=("item_acquired",),
                combine="max",
                type="number",
                value=pl.when(number <= LONGEST_DAYS).then(number),
            ),
            Part(name="serviced", kinds=("service",), combine="max"),
            Part(name="retired", kinds=("item_retired",), combine="max"),
        ),
        features=(
            count(owned, "items_owned", "Things they have from us or bring to us."),
            instant(
                first(expected, service_at),
                "next_service_at",
                "When the first of their things is to be serviced, by its own interval; it may have passed.",
            ),
            count(
                due,
                "services_due",
                "Things whose service is due.",
                Steps(next_change=first(expected & (service_at > NOW), service_at)),
            ),
        ),
        summary="What they own.",
    )


def _goal() -> CaseMeasure:
    declared, reached = pl.col("declared"), pl.col("reached")
    is_open = declared.is_not_null() & reached.is_null()
    return CaseMeasure(
        name="goal",
        parts=(
            Part(name="declared", kinds=("goal_declared",)),
            Part(name="by", kinds=("goal_declared",), combine="max", value=pl.col("by")),
            Part(name="reached", kinds=("goal_reached",)),
        ),
        features=(
            count(is_open, "goals_open", "Goals of theirs that are not reached yet."),
            count(declared.is_not_null() & reached.is_not_null(), "goals_reached", "Goals of theirs that are reached."),
            instant(
                first(is_open, pl.col("by")),
                "next_goal_at",
                "By when they want to reach the next goal that is open; it may have passed.",
            ),
        ),
        summary="What they want to reach.",
    )


def _matched(key: Literal["cause", "topic"], by: tuple[str, ...], matches: Feature, summary: str) -> CaseMeasure:
    """What they declared, met by something that was done for it, whichever came first."""
    return CaseMeasure(
        name=key,
        key=key,
        parts=(Part(name="declared", kinds=("preference_declared",)), Part(name="met", kinds=by, combine="max")),
        features=(matches,),
        summary=summary,
    )


def _shared(half_life_days: float) -> Iterator[CaseMeasure]:
    declared, met = pl.col("declared"), pl.col("met")
    both = pl.when(declared.is_not_null() & met.is_not_null()).then(pl.max_horizontal(declared, met))
    causes = halved(both, "causes_matched", half_life_days, "Causes declared for which one of us then did something")
    topics = halved(both, "preferences_matched", half_life_days, "Preferences declared that we then met")
    yield _matched("cause", _SHARING, causes, "What was done for each cause.")
    yield _matched("topic", _MEETING, topics, "What was done about each preference.")


def _opt_out(half_life_days: float) -> CaseMeasure:
    """Contacts after the first opt-out from everything, day by day; two on one day count once."""
    left, contacted = pl.col("left"), pl.col("contacted")
    after = pl.when(contacted > left.min()).then(contacted)
    everything = pl.when(from_data("topic").is_null()).then(pl.col("at"))
    return CaseMeasure(
        name="opt_out",
        key="day",
        parts=(
            Part(name="left", kinds=("unsubscribe",), value=everything),
            Part(name="contacted", kinds=("campaign_received",), combine="max"),
        ),
        features=(
            instant(left.min(), "opted_out_at", "When they first wanted no more messages, whatever the topic."),
            halved(after, "contacts_after_opt_out", half_life_days, "Days with a campaign received after the opt-out"),
        ),
        summary="Opt-outs, and campaigns received, on each project-local day.",
    )
