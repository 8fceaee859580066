"""Review: who stands where on the ladder, why they moved, and what the standard scores say."""

import json
import math
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from attrs import evolve, field, frozen
from hypothesis import example, given, settings, strategies as st

from relationship_core import (
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
    RejectedError,
    Relationships,
    ScoringRule,
    Stage,
    hookimpl,
)
from relationship_core.builtin.ladders import B2C
from relationship_core.flow.standing import Moment, standing

Make = Callable[..., Interaction]
Open = Callable[..., Relationships]

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

    kinds = ("praise", "promise_kept")
    evidence = [make_interaction("ada", kind, START + days(375 + n / 10)) for kind in kinds for n in range(6)]
    project.record([*evidence, make_interaction("ada", "review", START + days(376), reference="shop-window")])
    project.record([make_interaction("ada", "order", START + days(376), minor=500)])
    project.review(as_of=START + days(377))
    assert moves(project)[-1] == ("client", "advocate"), "one move may pass several rungs"

    kinds = ("complaint_opened", "promise_broken")
    harm = [make_interaction("ada", kind, START + days(378 + n / 10)) for kind in kinds for n in range(20)]
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


def test_an_instant_without_a_zone_is_refused(make_project: Open) -> None:
    with pytest.raises(ValueError, match="no zone"):
        make_project().review(as_of=datetime(2024, 1, 1))  # noqa: DTZ001  that is what is refused


def reviewed_again(project: Relationships, *campaigns: Campaign, ladder: Ladder | None, make: Open) -> int:
    """How many customers a project with other rules over the same store reviews."""
    other = make(*campaigns, ladder=ladder or "b2c")
    other.store = project.store
    return other.review(as_of=START + days(3)).customers


def test_changed_rules_make_everybody_due_and_unchanged_ones_nobody(
    make_project: Open, make_interaction: Make, make_campaign: Callable[..., Campaign]
) -> None:
    hello = make_campaign("hello", audience="interactions >= 1")
    project = make_project(hello)
    project.record([make_interaction(name, "visit", START) for name in ("ada", "bob", "cyd")])
    assert project.review(as_of=START + days(2)).customers == 3
    assert project.review(as_of=START + days(3)).customers == 0
    again = [reviewed_again(project, hello, ladder=None, make=make_project) for _ in range(2)]
    assert again == [0, 0]
    for changed in (
        evolve(hello, audience="interactions >= 2"),
        evolve(hello, actions=[evolve(hello.actions[0], occasion=evolve(hello.actions[0].occasion, key="month"))]),
        evolve(hello, limits=evolve(hello.limits, per_customer=1)),
    ):
        assert reviewed_again(project, changed, ladder=None, make=make_project) == 3
    stricter = evolve(B2C, name="stricter", lapsed="lapse > 3")
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


# Scores, against a slow reading of the formulas


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


@frozen(kw_only=True)
class Event:
    kind: str
    at: datetime
    minor: int = 0
    category: str | None = None


@frozen(kw_only=True)
class Slow:
    """One customer's scores, computed one interaction at a time from the formulas in the reference."""

    events: Sequence[Event]
    now: datetime
    zone: str
    prior: float = 0.5
    m: float = 4.0
    half: dict[str, float] = field(factory=lambda: {"benefit": 180, "trust": 365, "reciprocity": 90, "year": 365})

    def of(self, *kinds: str) -> list[Event]:
        return [event for event in self.events if event.kind in kinds]

    @property
    def orders(self) -> list[Event]:
        return [event for event in self.of("order") if event.minor > 0]

    def decayed(self, half_life: float, events: Iterable[Event]) -> float:
        return math.fsum(2 ** (-self.age(event) / half_life) for event in events)

    def age(self, event: Event) -> float:
        return (self.now - event.at) / timedelta(days=1)

    def local(self, at: datetime) -> date:
        return at.astimezone(ZoneInfo(self.zone)).date()

    def ratio(self, good: float, bad: float) -> tuple[float, float]:
        return (good + self.m * self.prior) / (good + bad + self.m), (good + bad) / (good + bad + self.m)

    def columns(self) -> dict[str, float | None]:
        on = sorted({self.local(event.at) for event in self.orders})
        recent = [day for day in on if day > self.local(self.now) - timedelta(days=365)]
        silence = min((self.age(event) for event in self.orders), default=None)
        gap = ((on[-1] - on[0]).days + 30.0) / len(on) if on else None
        known = len(on) / (len(on) + self.m)
        spend = math.fsum(event.minor * 2 ** (-self.age(event) / self.half["year"]) for event in self.of("order"))
        tenure = max((self.age(event) for event in self.events), default=0.0)
        kinds = {event.category for event in self.of("order") if event.category is not None}
        forward = self.decayed(365, self.of("coupon_redeemed", "cocreation"))
        regular = 0.0 if silence is None or gap is None else 1.0 if silence <= gap else gap / silence
        benefit, benefit_known = self.ratio(
            self.decayed(self.half["benefit"], self.of("praise", "complaint_resolved")),
            self.decayed(self.half["benefit"], self.of("return", "complaint_opened")),
        )
        trust, trust_known = self.ratio(
            self.decayed(self.half["trust"], self.of("promise_kept")),
            self.decayed(self.half["trust"], self.of("promise_broken")),
        )
        gave = self.decayed(self.half["reciprocity"], self.of("gift_given", "help_given"))
        got = self.decayed(self.half["reciprocity"], self.of("referral_converted", "review", "feedback_given"))
        support = self.decayed(365, self.of("referral_converted", "review"))
        return {
            "order_days": float(len(on)),
            "order_days_365": float(len(recent)),
            "order_gap_days": gap,
            "silence_days": silence,
            "lapse": None if silence is None or gap is None else silence / gap,
            "lapse_confidence": known,
            "commitment": (regular + (1 - 2 ** (-tenure / 365)) + (1 - 2 ** (-len(kinds) / 3)) + (1 - 2**-forward)) / 4,
            "commitment_confidence": known,
            "recency": 0.0 if silence is None else 2 ** (-silence / 60),
            "frequency": 1 - 2 ** (-len(recent) / 12),
            "monetary": 1 - 2 ** (-max(spend, 0.0) / 100_000),
            "monetary_confidence": known,
            "benefit": benefit,
            "benefit_confidence": benefit_known,
            "trust": trust,
            "trust_confidence": trust_known,
            "reciprocity": (2 * min(gave, got) + self.m * self.prior) / (gave + got + self.m),
            "reciprocity_confidence": (gave + got) / (gave + got + self.m),
            "attitude": (benefit + trust) / 2,
            "attitude_confidence": (benefit_known + trust_known) / 2,
            "advocacy": 1 - 2**-support,
            "advocacy_confidence": support / (support + self.m),
        }


SCORED = [
    *("order", "visit", "coupon_redeemed", "cocreation"),
    *("praise", "complaint_resolved", "return", "complaint_opened", "promise_kept", "promise_broken"),
    *("gift_given", "help_given", "referral_converted", "review", "feedback_given"),
]

HISTORY = st.lists(
    st.builds(
        Event,
        kind=st.sampled_from([*SCORED, "order", "order", "order"]),
        at=st.integers(0, 800 * 24 * 60).map(lambda minutes: START + timedelta(minutes=minutes)),
        minor=st.integers(-2_000, 100_000),
        category=st.sampled_from(["tea", "cake", "books", None]),
    ).map(lambda event: evolve(event, minor=max(event.minor, 0)) if event.kind == "order" else event),
    max_size=20,
)


@given(
    histories=st.lists(HISTORY, min_size=1, max_size=6),
    after_minutes=st.integers(0, 500 * 24 * 60),
    zone=st.sampled_from(ZONES),
    late=st.booleans(),
)
@settings(max_examples=30)
def test_scores_agree_with_a_slow_reading_of_their_formulas(
    make_project: Open,
    make_interaction: Make,
    make_customer: Callable[..., Customer],
    *,
    histories: Sequence[Sequence[Event]],
    after_minutes: int,
    zone: str,
    late: bool,
) -> None:
    project = make_project(zone=zone)
    interactions = [
        make_interaction(
            f"c{number:02d}",
            event.kind,
            event.at,
            id=f"{number}-{place}",
            minor=event.minor if event.kind == "order" else None,
            lines=[OrderLine(product="p", category=event.category)] if event.kind == "order" else (),
        )
        for number, history in enumerate(histories)
        for place, event in enumerate(history)
    ]
    # In two batches, the second of them late and out of order.
    project.record(interactions[1::2])
    project.record(reversed(interactions[0::2]) if late else interactions[0::2])
    now = START + days(800) + timedelta(minutes=after_minutes)
    project.record_customers(make_customer(f"c{number:02d}") for number in range(len(histories)))
    page = next(iter(project.store.pages(None, as_of=now)))
    names = list(Slow(events=(), now=now, zone=zone).columns())
    found = standing(project.store, project.catalog, page, names, Moment(now=now, zone=zone))
    for row, history in zip(found.iter_rows(named=True), histories, strict=True):
        expected = Slow(events=history, now=now, zone=zone).columns()
        assert {name for name in names if row[name] is None} == {n for n in names if expected[n] is None}
        numbers = {name: value for name, value in expected.items() if value is not None}
        assert {name: row[name] for name in numbers} == pytest.approx(numbers, rel=1e-9, abs=1e-12)
