"""Review: who stands where on the ladder, why they moved, and what the standard scores say."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from attrs import evolve
from hypothesis import example, given, settings, strategies as st

from relationship_core import (
    RUNS,
    STATES,
    TRANSITIONS,
    Campaign,
    Customer,
    Feature,
    Interaction,
    InteractionKind,
    Ladder,
    Linear,
    Measure,
    OrderLine,
    Plugins,
    RejectedError,
    Relationships,
    ScoringRule,
    Stage,
    hookimpl,
)

Make = Callable[..., Interaction]
Open = Callable[..., Relationships]
Plan = Callable[..., Campaign]

START = datetime(2024, 1, 1, 12, tzinfo=UTC)


def days(number: float) -> timedelta:
    return timedelta(days=number)


def moves(project: Relationships, customer: str | None = None) -> list[tuple[str, str]]:
    """The transitions, oldest first, as (origin, target)."""
    rows = project.store.read(TRANSITIONS).sort("at", "customer")
    return [(row["origin"], row["target"]) for row in rows.iter_rows(named=True) if customer in {None, row["customer"]}]


# The standard ladder


def test_a_first_order_makes_a_customer_and_three_order_days_a_client(
    make_project: Open, make_interaction: Make
) -> None:
    project = make_project()
    project.record([make_interaction("ada", "visit", START)])
    project.review(as_of=START + days(1))
    assert project.customer("ada", as_of=START + days(1)).stage == "prospect"

    project.record([make_interaction("ada", "order", START + days(2), minor=500)])
    project.review(as_of=START + days(2))
    project.record([make_interaction("ada", "order", START + days(d), minor=500) for d in (9, 16)])
    project.review(as_of=START + days(17))
    assert moves(project) == [("prospect", "customer")], "the dwell of 30 days holds a move up as well"
    project.review(as_of=START + days(2 + 30))
    assert moves(project) == [("prospect", "customer"), ("customer", "client")]
    assert project.customer("ada", as_of=START + days(40)).since == START + days(32)


def test_a_free_basket_is_no_order(make_project: Open, make_interaction: Make) -> None:
    project = make_project()
    project.record(
        [make_interaction("ada", "order", START, minor=0), make_interaction("ada", "order", START + days(1))]
    )
    project.review(as_of=START + days(2))
    assert moves(project) == []


def test_who_stays_away_keeps_a_rung_and_is_marked_and_unmarked(make_project: Open, make_interaction: Make) -> None:
    project = make_project()
    project.record([make_interaction("ada", "order", START + days(7 * n), minor=500) for n in range(8)])
    project.review(as_of=START + days(50))
    project.review(as_of=START + days(80))
    assert not project.customer("ada", as_of=START + days(80)).lapsed
    project.review(as_of=START + days(400))
    lapsed = project.customer("ada", as_of=START + days(400))
    assert (lapsed.stage, lapsed.lapsed) == ("customer", True), "never back to prospect"

    project.record([make_interaction("ada", "order", START + days(401), minor=500)])
    project.review(as_of=START + days(401))
    assert not project.customer("ada", as_of=START + days(401)).lapsed


def test_support_takes_praise_and_promises_and_goes_with_them(make_project: Open, make_interaction: Make) -> None:
    project = make_project()
    for day in range(0, 371, 7):
        project.record([make_interaction("ada", "order", START + days(day), minor=500)])
        if day % 35 == 0:
            project.review(as_of=START + days(day))
    assert moves(project)[-1] == ("customer", "client"), "orders alone go no further"

    kinds = ("praise", "promise_made", "promise_kept")
    evidence = [
        make_interaction("ada", kind, START + days(375 + n / 10), reference=f"parcel {n}")
        for kind in kinds
        for n in range(6)
    ]
    project.record([*evidence, make_interaction("ada", "review", START + days(376), reference="shop-window")])
    project.record([make_interaction("ada", "order", START + days(376), minor=500)])
    project.review(as_of=START + days(377))
    assert moves(project)[-1] == ("client", "advocate"), "one move may pass several rungs"

    harmful = ("complaint_opened", "promise_broken")
    harm = [make_interaction("ada", kind, START + days(378 + n / 10)) for kind in harmful for n in range(20)]
    project.record([*harm, make_interaction("ada", "order", START + days(389), minor=500)])
    project.review(as_of=START + days(390))
    assert moves(project)[-1] == ("client", "advocate"), "the dwell of 30 days holds a move down as well"
    project.review(as_of=START + days(408))
    assert moves(project)[-1] == ("advocate", "client"), "no rung holds above one that is lost"


PURCHASES = st.lists(
    st.tuples(
        st.sampled_from(["order", "visit"]),
        st.integers(0, 700),
        st.integers(0, 100_000),
        st.sampled_from(["tea", "cake", "books", None]),
    ),
    max_size=60,
)


@given(
    histories=st.lists(PURCHASES, min_size=5, max_size=20), steps=st.lists(st.integers(1, 90), min_size=4, max_size=6)
)
@example(histories=[[("order", 7 * n, 5_000_000, "tea") for n in range(100)]] * 5, steps=[90] * 6)
@settings(max_examples=6)
def test_nobody_passes_client_by_buying_and_visiting(
    make_project: Open,
    make_interaction: Make,
    histories: Sequence[Sequence[tuple[str, int, int, str | None]]],
    steps: Sequence[int],
) -> None:
    project = make_project()
    at = START
    for number, history in enumerate(histories):
        project.record(
            make_interaction(
                f"c{number}",
                kind,
                START + days(day),
                minor=minor if kind == "order" else None,
                id=f"{number}-{place}",
                lines=[OrderLine(product=category or "x", category=category)] if kind == "order" else (),
            )
            for place, (kind, day, minor, category) in enumerate(history)
        )
    at = START + days(700)
    for step in steps:
        at += days(step)
        project.review(as_of=at)
    reached = {target for _, target in moves(project)}
    assert reached <= {"customer", "client"}
    assert not [pair for pair in moves(project) if pair[1] == "prospect"]


# Ladders of our own, over one number that interactions set


class Level:
    """A plugin with the kind ``level``: the column ``level`` is the number of the last of them, in its amount."""

    @hookimpl
    def relationship_interaction_kinds(self) -> tuple[InteractionKind, ...]:
        return (InteractionKind(name="level", direction="inbound", summary="Says how warm it is."),)

    @hookimpl
    def relationship_measures(self) -> tuple[Measure, ...]:
        # The latest wins: its instant in whole minutes, and behind the point the level.
        value = pl.col("at").dt.epoch("s") // 60 + pl.col("amount") / 1000
        level = ((pl.col("level_stamp") % 1.0) * 1000).round()
        feature = Feature(name="level", value=level)
        return (Measure(name="level_stamp", kinds=("level",), combine="max", value=value, features=(feature,)),)


LEVELS = Ladder(
    name="levels",
    stages=(
        Stage(name="cold"),
        Stage(name="warm", enter="level >= 60", leave="level < 40"),
        Stage(name="hot", enter="level >= 80", leave="level < 70"),
    ),
)


@given(levels=st.lists(st.integers(0, 100), min_size=1, max_size=12))
@example(levels=[59, 60, 40, 59, 79, 39, 59])
@settings(max_examples=15)
def test_a_level_inside_the_band_moves_nobody(
    make_project: Open, make_interaction: Make, levels: Sequence[int]
) -> None:
    project = make_project(plugins=[Level()], ladder=LEVELS)
    rank, expected = 0, []
    for number, level in enumerate(levels):
        project.record([make_interaction("ada", "level", START + days(number), minor=level)])
        project.review(as_of=START + days(number))
        warm = level >= 60 if rank < 1 else level >= 40
        hot = level >= 80 if rank < 2 else level >= 70
        new = 0 if not warm else 2 if hot else 1
        if new != rank:
            expected.append((LEVELS.names[rank], LEVELS.names[new]))
        rank = new
    assert moves(project) == expected


def test_a_rung_holds_only_while_those_below_hold(make_project: Open, make_interaction: Make) -> None:
    ladder = Ladder(
        name="crossed",
        stages=(
            Stage(name="cold"),
            Stage(name="warm", enter="level >= 10", leave="level > 50"),
            Stage(name="hot", enter="level >= 20", leave="level < 20"),
        ),
    )
    project = make_project(plugins=[Level()], ladder=ladder)
    for number, level in enumerate((30, 60)):
        project.record([make_interaction("ada", "level", START + days(number), minor=level)])
        project.review(as_of=START + days(number))
    assert moves(project) == [("cold", "hot"), ("hot", "cold")]


def test_a_move_that_puts_another_condition_in_force_is_followed_by_the_next(
    make_project: Open, make_interaction: Make
) -> None:
    """Down by ``leave``, and at once up again by ``enter``: the ladder's fault, but never a matter of who looks."""
    ladder = Ladder(
        name="crossed",
        stages=(Stage(name="cold"), Stage(name="warm", enter="level >= 10", leave="level > 50")),
    )
    project = make_project(plugins=[Level()], ladder=ladder)
    project.record([make_interaction("ada", "level", START, minor=60)])
    for number in range(4):
        project.review(as_of=START + days(number))
    assert moves(project) == [("cold", "warm"), ("warm", "cold")] * 2


def test_dwell_holds_to_the_microsecond(make_project: Open, make_interaction: Make) -> None:
    stages = [LEVELS.stages[0], evolve(LEVELS.stages[1], dwell_days=2.5), LEVELS.stages[2]]
    project = make_project(plugins=[Level()], ladder=Ladder(name="slow", stages=stages))
    project.record([make_interaction("ada", "level", START, minor=60)])
    project.review(as_of=START)
    project.record([make_interaction("ada", "level", START + days(1), minor=90)])
    project.review(as_of=START + days(1))
    project.review(as_of=START + days(2.5) - timedelta(microseconds=1))
    assert moves(project) == [("cold", "warm")]
    assert project.customer("ada", as_of=START + days(2)).due_at == START + days(2.5)
    project.review(as_of=START + days(2.5))
    assert moves(project) == [("cold", "warm"), ("warm", "hot")]


ZONES = ("UTC", "America/New_York", "Pacific/Auckland", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia")
# Around the changes of clocks of 2024, and Samoa's missing day of 2011.
TURNS = (datetime(2024, 3, 9, tzinfo=UTC), datetime(2024, 11, 2, tzinfo=UTC), datetime(2011, 12, 29, tzinfo=UTC))


@given(
    zone=st.sampled_from(ZONES),
    turn=st.sampled_from(TURNS),
    minutes=st.lists(st.integers(1, 9 * 60), min_size=4, max_size=14),
)
@example(zone="America/New_York", turn=datetime(2024, 11, 3, 3, 59, tzinfo=UTC), minutes=[1, 24 * 60 + 58, 1, 1])
@settings(max_examples=15)
def test_one_move_a_local_day_and_no_day_without_it(
    make_project: Open, make_interaction: Make, zone: str, turn: datetime, minutes: Sequence[int]
) -> None:
    """The level jumps before every review: so the first review of each local day moves, and no other."""
    project = make_project(plugins=[Level()], ladder=LEVELS, zone=zone)
    at, level, moved, expected = turn, 0, None, 0
    for wait in minutes:
        at += timedelta(minutes=wait)
        standing_high = project.customer("ada", as_of=at).stage != "cold" if moved else False
        level = 0 if standing_high else 99
        project.record([make_interaction("ada", "level", at, minor=level)])
        project.review(as_of=at)
        today = at.astimezone(ZoneInfo(zone)).date()
        expected += today != moved
        moved = today
        at_days = [row.astimezone(ZoneInfo(zone)).date() for row in project.store.read(TRANSITIONS)["at"]]
        assert len(at_days) == len(set(at_days)) == expected


def test_a_transition_tells_the_values_that_decided(make_project: Open, make_interaction: Make) -> None:
    project = make_project(plugins=[Level()], ladder=LEVELS)
    for number, level in enumerate((99, 30)):
        project.record([make_interaction("ada", "level", START + days(number), minor=level)])
        project.review(as_of=START + days(number))
    told = [json.loads(text) for text in project.store.read(TRANSITIONS).sort("at")["evidence"]]
    assert told == [{"level": 99.0}, {"level": 30.0}]
    up, down = project.customer("ada", as_of=START + days(2)).transitions
    assert (up.evidence, down.evidence) == ({"level": "99.0"}, {"level": "30.0"})


def test_a_condition_without_columns_decides_too(make_project: Open, make_interaction: Make) -> None:
    ladder = Ladder(name="all", stages=(Stage(name="out"), Stage(name="in", enter="1 = 1")))
    project = make_project(ladder=ladder)
    project.record([make_interaction("ada", "visit", START)])
    project.review(as_of=START)
    assert moves(project) == [("out", "in")]


# When a review happens, and for whom


def test_a_review_of_the_past_is_refused(make_project: Open, make_interaction: Make) -> None:
    project = make_project()
    project.record([make_interaction("ada", "visit", START)])
    with pytest.raises(RejectedError, match="2024-01-01T12:00:00") as refused:
        project.review(as_of=START - timedelta(microseconds=1))
    assert "ada" not in str(refused.value)
    assert project.review(as_of=START).customers == 1


@pytest.mark.parametrize("step", ["review", "plan", "deliver", "run", "calibrate"])
def test_a_step_far_ahead_of_the_clock_is_refused_and_stands_in_nobodys_way(make_project: Open, step: str) -> None:
    project = make_project()
    present = project.clock()
    project.review(as_of=present)
    ahead = present + timedelta(days=1, microseconds=1)
    with pytest.raises(RejectedError, match=f"^cannot {step} as of .*: the time lies more than a day in the future; "):
        getattr(project, step)(as_of=ahead)
    assert project.store.read(RUNS).is_empty()
    project.run(as_of=present)
    getattr(project, step)(as_of=present + timedelta(days=1))


def test_questions_may_be_about_any_later_instant(
    make_project: Open, make_campaign: Plan, make_customer: Callable[..., Customer]
) -> None:
    project = make_project(make_campaign("one"))
    project.record_customers([make_customer("ada")])
    project.review(as_of=START)
    later = project.clock() + timedelta(days=999)
    assert project.customer("ada", as_of=later).as_of == later
    assert project.plan(as_of=later, dry_run=True).planned == 1
    assert not project.calibrate(as_of=later, dry_run=True).everybody_due
    project.explain("ada", as_of=later)
    project.preview("one", "ada", as_of=later)


def test_an_instant_without_a_zone_is_refused(make_project: Open) -> None:
    with pytest.raises(ValueError, match="no zone"):
        make_project().review(as_of=datetime(2024, 1, 1))  # noqa: DTZ001  that is what is refused


def reviewed_again(project: Relationships, *campaigns: Campaign, ladder: Ladder | None, make: Open) -> int:
    """How many customers a project with other rules over the same store reviews."""
    other = make(*campaigns, ladder=ladder or "b2c")
    other.store = project.store
    return other.review(as_of=START + days(3)).customers


def test_changed_rules_make_everybody_due_and_unchanged_ones_nobody(
    make_project: Open,
    make_interaction: Make,
    make_campaign: Callable[..., Campaign],
    standard_plugins: Plugins,
) -> None:
    hello = make_campaign("hello", audience="interactions >= 1")
    project = make_project(hello)
    project.record([make_interaction(name, "visit", START) for name in ("ada", "bob", "cyd")])
    assert project.review(as_of=START + days(2)).customers == 3
    assert project.review(as_of=START + days(3)).customers == 0
    (action,) = hello.actions
    assert action.occasion is not None
    again = [reviewed_again(project, hello, ladder=None, make=make_project) for _ in range(2)]
    assert again == [0, 0]
    for changed in (
        evolve(hello, audience="interactions >= 2"),
        evolve(hello, actions=[evolve(action, occasion=evolve(action.occasion, key="month"))]),
        evolve(hello, limits=evolve(hello.limits, per_customer=1)),
    ):
        assert reviewed_again(project, changed, ladder=None, make=make_project) == 3
    stricter = evolve(standard_plugins.ladders["b2c"], name="stricter", lapsed="lapse > 3")
    assert reviewed_again(project, hello, ladder=stricter, make=make_project) == 3


def test_a_stage_that_the_ladder_lost_is_left_behind(make_project: Open, make_interaction: Make) -> None:
    project = make_project(plugins=[Level()], ladder=LEVELS)
    project.record(
        [make_interaction("ada", "level", START, minor=99), make_interaction("bob", "level", START, minor=70)]
    )
    project.review(as_of=START)
    renamed = Ladder(name="renamed", stages=(Stage(name="cold"), Stage(name="fond", enter="level >= 90")))
    other = make_project(plugins=[Level()], ladder=renamed)
    other.store = project.store
    other.review(as_of=START + days(1))
    assert moves(other, "ada")[-1] == ("cold", "fond")
    kept = dict(other.store.read(STATES, columns=["customer", "stage"]).iter_rows())
    assert kept == {"ada": "fond", "bob": "cold"}


# Scores of a plugin


class Doubled:
    """A plugin whose feature rests on a decayed measure, and whose score on today."""

    @hookimpl
    def relationship_measures(self) -> tuple[Measure, ...]:
        twice = Feature(name="twice_warm", value=pl.col("warm") * 2, motion=Linear(per_day=-1.0))
        return (Measure(name="warm", kinds=("praise",), combine="count", half_life_days=30, features=(twice,)),)

    @hookimpl
    def relationship_scores(self) -> tuple[ScoringRule, ...]:
        weekday = pl.col("today").dt.weekday().cast(pl.Float64) / 7
        return (ScoringRule(name="weekday", value=weekday, confidence=pl.lit(1.0)),)


def test_a_feature_sees_its_decayed_measure_as_of_now(make_project: Open, make_interaction: Make) -> None:
    project = make_project(plugins=[Doubled()])
    project.record([make_interaction("ada", "praise", START)])
    view = project.customer("ada", as_of=START + days(30))
    assert view.measures["warm"] == pytest.approx(0.5)
    assert view.measures["twice_warm"] == pytest.approx(1.0)


def test_a_score_may_read_today(make_project: Open, make_interaction: Make) -> None:
    project = make_project(plugins=[Doubled()], zone="Pacific/Auckland")
    project.record([make_interaction("ada", "praise", START)])
    scores = {score.name: score.value for score in project.customer("ada", as_of=START).scores}
    assert scores["weekday"] == pytest.approx(2 / 7), "noon of Monday in UTC is Tuesday in Auckland"
