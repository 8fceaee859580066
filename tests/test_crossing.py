"""When a condition may change without news: moved columns are the judge, and they never see a change too soon."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from attrs import evolve, fields, frozen
from hypothesis import given, strategies as st

from relationship_core.conditions import Condition, parse_condition
from relationship_core.crossing import (
    LAST_INSTANT,
    SMALLEST_DAYS,
    days_until_change,
)
from relationship_core.declarations import Feature, motion_of_feature, next_change_column
from relationship_core.model.instants import LATEST
from relationship_core.motions import Bounded, Daily, Halving, Linear, Motion, Steps, Still
from relationship_core.table import INSTANT

NOW = datetime(2017, 3, 1, 12, tzinfo=UTC)
NEXT_DAY = NOW + timedelta(hours=17)  # midnight of a project far in the west
STAGES = ("prospect", "customer", "client")

COLUMNS: dict[str, pl.DataType] = {
    "gap": pl.Float64(),
    "silence": pl.Float64(),
    "saved": pl.Float64(),
    "warmth": pl.Float64(),
    "habit": pl.Float64(),
    "score": pl.Float64(),
    "level": pl.Float64(),
    "mood": pl.Float64(),
    "hope": pl.Float64(),
    "faith": pl.Float64(),
    "at": INSTANT,
    "stage": pl.Enum(STAGES),
    "member": pl.Boolean(),
}
MOTIONS: Mapping[str, Motion] = {
    "gap": Still(),
    "silence": Linear(),
    "saved": Linear(per_day=pl.col("rate")),
    "warmth": Halving(days=30),
    "habit": Halving(days=365),
    "score": Bounded(per_day=0.02),
    "level": Steps(next_change=pl.col("level__next_change")),
    "mood": Daily(),
    "hope": Halving(days=30, next_change=pl.col("hope__next_change")),
    "faith": Bounded(per_day=0.02, next_change=pl.col("hope__next_change")),
}


@frozen(kw_only=True)
class Customer:
    """Where the columns of one customer start, and how they go on; None stands for null."""

    gap: float | None = None
    silence: float | None = None
    saved: float | None = None
    rate: float = 0.0
    warmth: float | None = None
    habit: float | None = None
    score: float | None = None
    turn: float = 1000.0
    level: float | None = None
    level_after: float | None = None
    level_days: float | None = None
    mood: float | None = None
    mood_after: float | None = None
    hope: float | None = None
    hope_after: float | None = None
    hope_days: float | None = None
    faith: float | None = None
    at_days: float | None = None
    stage: str | None = None
    member: bool | None = None

    def at(self, times: Sequence[float]) -> pl.DataFrame:
        """The columns that many days from NOW, a row for each."""
        start = pl.DataFrame([{name: getattr(self, name) for name in START}], schema=START)
        days = pl.col("days")
        passed = pl.duration(microseconds=(days * 86_400e6).round().cast(pl.Int64))
        now = pl.lit(NOW, dtype=INSTANT) + passed
        jump = pl.lit(NOW, dtype=INSTANT) + pl.duration(microseconds=pl.col("level_days") * 86_400e6)
        news = pl.lit(NOW, dtype=INSTANT) + pl.duration(microseconds=pl.col("hope_days") * 86_400e6)
        came = (now >= news).fill_null(value=False)
        # The score goes as fast as it may and turns once.
        run = pl.when(days < pl.col("turn")).then(days).otherwise(2 * pl.col("turn") - days)
        moved = {
            "silence": pl.col("silence") + days,
            "saved": pl.col("saved") + pl.col("rate") * days,
            "warmth": pl.col("warmth") * pl.lit(2.0).pow(-days / 30),
            "habit": pl.col("habit") * pl.lit(2.0).pow(-days / 365),
            "score": pl.col("score") + 0.02 * run,
            "level": pl.when((now >= jump).fill_null(value=False)).then("level_after").otherwise("level"),
            "level__next_change": jump,
            "hope": pl.when(came).then("hope_after").otherwise("hope") * pl.lit(2.0).pow(-days / 30),
            "faith": pl.when(came).then("hope_after").otherwise(pl.col("faith") + 0.02 * run),
            "hope__next_change": news,
            "mood": pl.when(now >= NEXT_DAY).then("mood_after").otherwise("mood"),
            "at": pl.lit(NOW, dtype=INSTANT) + pl.duration(microseconds=pl.col("at_days") * 86_400e6),
            "now": now,
            "next_day": pl.lit(NEXT_DAY, dtype=INSTANT),
        }
        return start.join(pl.DataFrame({"days": times}), how="cross").with_columns(**moved)


START = {each.name: COLUMNS.get(each.name, pl.Float64()) for each in fields(Customer)}  # where the columns start


def parse(text: str) -> Condition:
    return parse_condition(text, COLUMNS, where="a test")


def predicted(condition: Condition, customer: Customer, motions: Mapping[str, Motion] = MOTIONS) -> float | None:
    frame = customer.at([0.0])
    days = frame.select(days_until_change(condition, motions).alias("days"))["days"]
    assert days.dtype == pl.Float64
    assert days.len() == 1
    found: float | None = days.item()
    return found


def first_change(condition: Condition, customer: Customer, times: list[float]) -> float | None:
    """The judge: the first of these times, in days, at which the moved columns give another truth."""
    holds = customer.at([0.0, *times]).select(condition.holds.alias("holds"))["holds"].to_list()
    return next((days for days, each in zip(times, holds[1:], strict=True) if each != holds[0]), None)


def is_late(days: float | None, changed: float | None) -> bool:
    return changed is not None and (days is None or days > changed)


DAYS_LEFT = (LATEST - NOW) / timedelta(days=1)
GRID = [step / 4 for step in range(1, 1601)]
REVIEWS = [17 / 24 + day for day in range(400)]


def around(days: float | None) -> list[float]:
    """The grid, and what lies just before the predicted time."""
    before = [days * part for part in (0.5, 0.9, 0.999, 0.999999)] if days is not None else []
    # Instants tell no less than a microsecond, and nothing is promised below that.
    return sorted([*GRID, *(each for each in before if 2 * SMALLEST_DAYS < each < 100_000)])


EXACT = [
    ("silence > 60", Customer(silence=10), 50),
    ("silence > 60", Customer(silence=61), None),
    ("silence > 60", Customer(), None),
    ("silence >= 60", Customer(silence=60), 0),
    ("silence = 60", Customer(silence=59), 1),
    ("silence = 60", Customer(silence=60), 0),
    ("silence <> 60", Customer(silence=61), None),
    ("NOT silence > 60", Customer(silence=10), 50),
    ("silence > 2 * gap", Customer(silence=10, gap=20), 30),
    ("silence / 4 > gap", Customer(silence=10, gap=20), 70),
    ("silence / gap > 3", Customer(silence=10, gap=20), 50),
    ("silence / gap > 3", Customer(silence=10, gap=0), None),
    ("-silence < -60", Customer(silence=10), 50),
    ("silence - saved > 0", Customer(silence=0, saved=10, rate=0.5), 20),
    ("silence - saved > 0", Customer(silence=0, saved=10, rate=1), None),
    ("saved > 5", Customer(saved=1, rate=0), None),
    ("saved < 5", Customer(saved=10, rate=-0.5), 10),
    ("silence BETWEEN 20 AND 30", Customer(silence=25), 5),
    ("silence BETWEEN 20 AND 30", Customer(silence=5), 15),
    ("silence NOT BETWEEN 20 AND 30", Customer(silence=31), None),
    ("silence IN (3, 12, 9)", Customer(silence=5), 4),
    ("coalesce(silence, 999) > 60", Customer(silence=10), 50),
    ("coalesce(silence, 999) > 60", Customer(), None),
    ("coalesce(gap, silence) > 60", Customer(silence=20), 40),
    ("coalesce(gap, silence) > 60", Customer(silence=20, gap=1), None),
    ("warmth > 1", Customer(warmth=8), 90),
    ("hope > 1", Customer(hope=8), 90),
    ("hope > 1", Customer(hope=8, hope_after=9, hope_days=20), 20),
    ("hope > 1", Customer(hope=8, hope_after=0, hope_days=200), 90),
    ("hope >= 0", Customer(hope=8, hope_after=-1, hope_days=200), 200),
    ("hope > 1", Customer(hope=0, hope_days=7), 7),
    ("hope IS NULL", Customer(hope_after=2, hope_days=7), 7),
    ("hope + warmth > 1", Customer(hope=0, warmth=0, hope_after=2, hope_days=7), 7),
    ("coalesce(hope, 0) > 1", Customer(hope_after=2, hope_days=7), 7),
    ("faith > 0.5", Customer(faith=0.9, hope_days=400), 20),
    ("faith > 0.5", Customer(faith=0.9, hope_after=0.1, hope_days=6), 6),
    ("warmth > 1", Customer(warmth=0.5), None),
    ("warmth * 2 + 1 > 5", Customer(warmth=8), 60),
    ("warmth > gap", Customer(warmth=8, gap=4), 30),
    ("warmth < -1", Customer(warmth=-4), 60),
    ("habit > 0.5", Customer(habit=1), 365),
    ("warmth + warmth > 1", Customer(warmth=1), 30),
    ("warmth / 1e200 > 1e-200", Customer(warmth=8), 90),
    ("1 * warmth < 0", Customer(warmth=0.25), None),
    ("warmth >= 0", Customer(warmth=8), None),
    ("warmth <= 0", Customer(warmth=-8), None),
    ("warmth > 0", Customer(warmth=-8), None),
    ("warmth > 0", Customer(warmth=8), None),
    ("warmth < 0", Customer(warmth=-8), None),
    ("warmth = 0", Customer(warmth=8), None),
    ("warmth <> 0", Customer(warmth=8), None),
    ("warmth <> 0", Customer(warmth=0), None),
    ("warmth IN (0, 3)", Customer(warmth=2), None),
    ("warmth IN (0, 3)", Customer(warmth=6), 30),
    ("warmth BETWEEN 0 AND 3", Customer(warmth=6), 30),
    ("warmth BETWEEN 0 AND 3", Customer(warmth=2), None),
    ("warmth > gap", Customer(warmth=8, gap=0), None),
    ("gap * warmth > 0", Customer(warmth=8, gap=-2), None),
    ("0 < -3 * warmth", Customer(warmth=8), None),
    ("warmth / 7 >= -warmth", Customer(warmth=8), None),
    ("warmth + habit > 0", Customer(warmth=8, habit=1), None),
    ("warmth + habit < 0", Customer(warmth=8, habit=0), None),
    ("warmth - habit > 0", Customer(warmth=8, habit=-1), None),
    ("coalesce(warmth, habit) > 0", Customer(habit=1), None),
    # The smallest float is 2 ** -1074, and half of it is zero.
    ("warmth > 0", Customer(warmth=2.0**-1000), 75 * 30),
    ("warmth > 0", Customer(warmth=2.0**-200), 875 * 30),
    ("3 * warmth > 0", Customer(warmth=2.0**-200), 875 * 30),
    # 0.1 is a little more than a tenth, so that five of the smallest floats, but not four, remain one of them.
    ("0.1 * warmth > 0", Customer(warmth=2.0**-200), (874 - math.log2(4.5)) * 30),
    ("warmth >= 0", Customer(warmth=2.0**-1070), None),
    ("warmth > 0", Customer(warmth=2.0**-50), None),  # not before the year 2100
    ("now - at > 30", Customer(at_days=-3), 27),
    ("at < now - 30", Customer(at_days=-3), 27),
    ("at > now", Customer(at_days=12), 12),
    ("now >= '2017-03-11T12:00:00Z'", Customer(), 10),
    ("score > 0.9", Customer(score=0.5), 20),
    ("score < 0.1", Customer(score=0.5), 20),
    ("3 * score > 2.7", Customer(score=0.5), 20),
    ("level > 1", Customer(level=3, level_days=2), 2),
    ("level > 1", Customer(level=3), None),
    ("level IS NULL", Customer(level_days=2.5), 2.5),
    ("level + silence > 60", Customer(level=3, level_days=100, silence=50), 7),
    ("mood > 1", Customer(mood=0), 17 / 24),
    ("silence * silence > 9", Customer(silence=1), 17 / 24),
    ("gap / silence > 9", Customer(silence=1, gap=1), 17 / 24),
    ("gap > 1 OR member OR stage >= 'client'", Customer(gap=0, member=False, stage="prospect"), None),
    ("silence IS NULL", Customer(silence=1), None),
    ("silence > 60 AND gap > 1", Customer(silence=10, gap=0), None),
    ("silence > 60 AND mood > 1", Customer(silence=10, mood=2), 50),
    ("silence > 60 OR gap > 1", Customer(silence=10, gap=2), None),
    ("NOT (silence > 60 OR gap > 1)", Customer(silence=10), None),
    ("silence > 60 OR gap > 1", Customer(silence=10), 50),
    ("silence > 60 AND silence > 20", Customer(silence=10), 50),
    ("silence > 60 OR silence > 20", Customer(silence=10), 10),
    ("(silence > 60) = member", Customer(silence=10, member=True), 50),
    ("", Customer(silence=10), None),
    ("true", Customer(silence=10), None),
]


@pytest.mark.parametrize(("text", "customer", "days"), EXACT)
def test_days_until_change(text: str, customer: Customer, days: float | None) -> None:
    found = predicted(parse(text), customer)
    if days is None:
        assert found is None
    else:
        assert found is not None
        assert found == pytest.approx(days, abs=1e-5)
        assert SMALLEST_DAYS <= found <= max(days, SMALLEST_DAYS)


def test_a_bound_may_be_an_expression() -> None:
    motions = {**MOTIONS, "saved": Bounded(per_day=pl.col("rate")), "silence": Linear(per_day=pl.col("gap"))}
    assert predicted(parse("saved > 5"), Customer(saved=1, rate=0.5), motions) == pytest.approx(8, abs=1e-5)
    # A value whose speed is unknown is looked at the next project-local day.
    assert predicted(parse("silence > 5"), Customer(silence=1), motions) == pytest.approx(17 / 24, abs=1e-5)


@pytest.mark.parametrize("text", ["silence > 60", "silence - saved > 1", "warmth > gap", "score > 1"])
def test_infinite_numbers_do_no_harm(text: str) -> None:
    infinite = Customer(silence=math.inf, saved=math.inf, rate=2.0, warmth=math.inf, gap=1, score=-math.inf)
    customer = evolve(infinite, at_days=-3)
    assert predicted(parse(text), customer) in {None, SMALLEST_DAYS}
    for each in (parse(text), parse(f"now - at > 30 OR {text}")):
        assert not is_late(predicted(each, customer), first_change(each, customer, GRID))


def test_a_wrong_next_change_still_makes_progress() -> None:
    found = predicted(parse("level > 1"), Customer(level=3, level_days=-5))
    assert found == SMALLEST_DAYS
    assert NOW + timedelta(days=found) > NOW


def test_a_thousand_years_are_the_longest_wait() -> None:
    assert predicted(parse("silence > 365000"), Customer(silence=0)) == pytest.approx(365_000)
    assert predicted(parse("silence > 1e300"), Customer(silence=0)) == pytest.approx(365_250)


def test_floats_end_where_the_records_do() -> None:
    assert LAST_INSTANT == LATEST


def test_a_stepping_feature_has_its_next_change_in_a_column() -> None:
    steps = Feature(name="level", value=pl.col("value").sum(), motion=Steps(next_change=pl.col("on").min()))
    motion = motion_of_feature(steps)
    assert isinstance(motion, Steps)
    assert motion.next_change.meta.root_names() == [next_change_column("level")] == ["level__next_change"]
    still = Feature(name="level", value=pl.col("value").sum())
    assert motion_of_feature(still) == Still()


@pytest.mark.parametrize(
    "text",
    [
        "(" * 19 + "member" + " = (silence > 1))" * 19,
        "(" * 12 + "member" + " AND silence > 2 OR silence > 1)" * 12,
        "coalesce(silence, " * 12 + "warmth" + ")" * 12 + " > 2",
        "1 / (" * 19 + "silence" + ")" * 19 + " > 2",
        "(" * 12 + "silence" + " / (gap / gap))" * 12 + " > 2",
    ],
)
def test_the_work_grows_with_the_text_and_not_with_its_depth(text: str) -> None:
    customer = Customer(silence=1, warmth=8, gap=2, member=True)
    condition = parse(text)
    assert not is_late(predicted(condition, customer), first_change(condition, customer, REVIEWS))


def test_the_columns_it_needs_can_be_asked_for() -> None:
    names = set(days_until_change(parse("silence > 60 AND level > 1"), MOTIONS).meta.root_names())
    assert names == {"silence", "level", "level__next_change", "now"}
    assert days_until_change(parse("gap > 1"), MOTIONS).meta.root_names() == []


VALUES = st.none() | st.integers(-4, 40).map(lambda quarter: quarter / 4) | st.floats(-10, 100, width=32)
CUSTOMERS = st.builds(
    Customer,
    gap=VALUES,
    silence=VALUES,
    saved=VALUES,
    rate=st.sampled_from([0.0, 1.0, 0.1, -0.25, -3.0]),
    warmth=VALUES,
    habit=VALUES,
    score=VALUES,
    turn=st.sampled_from([0.5, 3.0, 40.0, 1000.0]),
    level=VALUES,
    level_after=VALUES,
    level_days=st.none() | st.integers(1, 800).map(lambda half: half / 2),
    mood=VALUES,
    mood_after=VALUES,
    hope=VALUES,
    hope_after=VALUES,
    hope_days=st.none() | st.integers(1, 800).map(lambda half: half / 2),
    faith=VALUES,
    at_days=st.none() | st.integers(-400, 400).map(lambda half: half / 2),
    stage=st.none() | st.sampled_from(STAGES),
    member=st.none() | st.booleans(),
)
NUMBER = st.sampled_from(["0", "1", "2", "3", "7", "0.1", "0.5", "20", "60", "1.5"])
COLUMN = st.sampled_from(["gap", "silence", "saved", "warmth", "habit", "score", "level", "mood", "hope", "faith"])
COMPARISON = st.sampled_from(["=", "<>", "<", "<=", ">", ">="])


def tame(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Sums, and products with what is still: what has a course at every instant."""
    return st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from("+-"), inner),
        st.builds("{} * {}".format, st.one_of(NUMBER, st.just("gap")), inner),
        st.builds("{} / {}".format, inner, st.one_of(NUMBER, st.just("gap"))),
        st.builds("-({})".format, inner),
        st.builds("coalesce({}, {})".format, inner, inner),
    )


def wild(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return tame(inner) | st.builds("({}) {} ({})".format, inner, st.sampled_from("*/"), inner)


def atoms(number: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("{} {} {}".format, number, COMPARISON, number),
        st.builds("{} {} {}".format, number, COMPARISON, NUMBER),
        st.builds("{} BETWEEN {} AND {}".format, number, NUMBER, number),
        st.builds("{} IN ({}, {})".format, number, NUMBER, NUMBER),
        st.builds("{} IS NULL".format, number),
        st.builds("now - at {} {}".format, COMPARISON, number),
        st.builds("at {} now + {}".format, COMPARISON, number),
        st.builds("coalesce(now - at, {}) {} {}".format, number, COMPARISON, number),
        st.sampled_from(["member", "stage >= 'client'", "stage IN ('customer')", "coalesce(member, FALSE)"]),
    )


def conditions(number: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.recursive(
        atoms(number),
        lambda inner: st.one_of(
            st.builds("({} AND {})".format, inner, inner),
            st.builds("({} OR {})".format, inner, inner),
            st.builds("NOT ({})".format, inner),
            st.builds("(({}) = ({}))".format, inner, inner),
        ),
        max_leaves=4,
    )


@given(text=conditions(st.recursive(COLUMN, tame, max_leaves=3)), customer=CUSTOMERS)
def test_never_late_at_any_instant(text: str, customer: Customer) -> None:
    condition = parse(text)
    days = predicted(condition, customer)
    assert days is None or days >= SMALLEST_DAYS
    assert not is_late(days, first_change(condition, customer, around(days)))


@given(text=conditions(st.recursive(COLUMN, wild, max_leaves=4)), customer=CUSTOMERS)
def test_never_late_from_day_to_day(text: str, customer: Customer) -> None:
    condition = parse(text)
    assert not is_late(predicted(condition, customer), first_change(condition, customer, REVIEWS))


SIMPLE = st.one_of(
    st.builds(
        "{} * {} {} {}".format,
        NUMBER,
        st.sampled_from(["silence", "warmth", "habit", "saved"]),
        st.sampled_from(["<", "<=", ">", ">="]),
        st.one_of(NUMBER, st.just("gap")),
    ),
    st.builds("now - at > {}".format, NUMBER),
    st.builds("silence - saved > {}".format, NUMBER),
)


# Far enough from the smallest float that what the conditions below make of it is not zero when they are looked at.
FAINT = st.floats(1e-290, 1e-285)
SCALE = st.sampled_from(["1", "3", "0.1", "0.5", "1.5", "0.97", "60", "1000"])
FADING = st.recursive(
    st.sampled_from(["warmth", "habit", "warmth", "coalesce(gap, warmth)"]),
    lambda inner: st.one_of(
        st.builds("{} * {}".format, SCALE, inner),
        st.builds("({}) / {}".format, inner, SCALE),
        st.builds("-({})".format, inner),
        st.builds("({} {} {})".format, inner, st.sampled_from("+-"), inner),
    ),
    max_leaves=3,
)


@given(
    text=st.builds("{} {} {}".format, FADING, COMPARISON, st.just("0") | FADING)
    | st.builds("{} BETWEEN 0 AND {}".format, FADING, FADING)
    | st.builds("{} IN (0, 1)".format, FADING),
    warmth=FAINT,
    habit=FAINT,
    signs=st.sampled_from([(1, 1), (1, -1), (-1, 1), (-1, -1)]),
)
def test_never_late_where_floats_end(text: str, warmth: float, habit: float, signs: tuple[int, int]) -> None:
    """Floats run out of digits, and then of numbers, before the judge's eyes."""
    customer = Customer(warmth=signs[0] * warmth, habit=signs[1] * habit)
    condition = parse(text)
    days = predicted(condition, customer)
    decades = [step * 10.0 for step in range(1, 2000)]
    times = [each for each in sorted([*around(days), *decades]) if each < DAYS_LEFT]
    assert not is_late(days, first_change(condition, customer, times))


@given(text=SIMPLE, customer=CUSTOMERS)
def test_not_absurdly_early(text: str, customer: Customer) -> None:
    condition = parse(text)
    days = predicted(condition, customer)
    if days is not None and SMALLEST_DAYS < days < 100_000:
        later = days + 1e-3 + days * 1e-6
        assert first_change(condition, customer, [later]) == later


@given(customer=CUSTOMERS, text=SIMPLE)
def test_waking_up_leads_on(text: str, customer: Customer) -> None:
    """Whoever looks again at the predicted time is told the rest of the way, and soon is past the change."""
    condition = parse(text)
    days = predicted(condition, customer)
    if days is not None and SMALLEST_DAYS < days < 100_000:
        frame = customer.at([days])
        again = frame.select(days_until_change(condition, MOTIONS).alias("days"))["days"].item()
        assert again is None or again < 1e-3


def test_the_longer_half_life_wins_however_small_it_begins() -> None:
    condition, customer = parse("warmth > habit"), Customer(warmth=1, habit=2.0**-60)
    times = [step * 10.0 for step in range(1, 400)]
    changed = first_change(condition, customer, times)
    assert changed == pytest.approx(60 / (1 / 30 - 1 / 365), abs=10)
    assert not is_late(predicted(condition, customer), changed)


def test_what_cancels_out_is_looked_at_however_small_it_is() -> None:
    condition, customer = parse("warmth = -habit"), Customer(warmth=2.0**-1074, habit=-(2.0**-1074))
    assert not is_late(predicted(condition, customer), first_change(condition, customer, GRID))


LATE = [
    ("silence > 60", Customer(silence=10)),
    ("NOT warmth + 1 > 3", Customer(warmth=8)),
    ("now - at > 30 OR gap > 3", Customer(at_days=-3)),
    ("score > 0.9", Customer(score=0.5)),
    ("level > 1", Customer(level=3, level_after=0, level_days=2)),
    ("mood > 1", Customer(mood=3, mood_after=0)),
    ("silence > 60 AND stage = 'client'", Customer(silence=10, stage="client")),
]


@pytest.mark.parametrize(("text", "customer"), LATE)
def test_the_judge_sees_a_late_prediction(text: str, customer: Customer) -> None:
    condition = parse(text)
    days = predicted(condition, customer)
    assert days is not None
    changed = first_change(condition, customer, GRID)
    assert not is_late(days, changed)
    assert is_late(days + 0.5, changed)
    assert is_late(None, changed)
