"""Ladders: the standard ones and their freeze, and those that nobody could climb."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import pytest
from hypothesis import Phase, given, settings, strategies as st

from relationship_core import (
    TRANSITIONS,
    ConfigurationError,
    Interaction,
    Ladder,
    ParameterSettings,
    Plugins,
    Relationships,
    Stage,
)

Open = Callable[..., Relationships]
Make = Callable[..., Interaction]

START = datetime(2024, 1, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def moves(project: Relationships) -> list[tuple[str, str, int]]:
    """The transitions, oldest first: origin, target, and the day since START."""
    rows = project.store.read(TRANSITIONS).sort("at")
    return [(row["origin"], row["target"], (row["at"] - START).days) for row in rows.iter_rows(named=True)]


def fans(make: Make, last: int = 400) -> list[Interaction]:
    """Somebody who buys every week, and of whom much good is known from the start."""
    orders = [make("ada", "order", START + day * DAY, minor=900) for day in range(0, last, 7)]
    good = [make("ada", "praise", START + DAY + n * timedelta(hours=1)) for n in range(6)]
    kept = [
        make("ada", kind, START + DAY + n * timedelta(hours=1), reference=f"parcel {n}")
        for n in range(6)
        for kind in ("promise_made", "promise_kept")
    ]
    return [*orders, *good, *kept]


def replay(project: Relationships, found: Iterable[Interaction], days: Iterable[int]) -> None:
    waiting = sorted(found, key=lambda interaction: interaction.at)
    for day in days:
        now = START + day * DAY
        project.record([each for each in waiting if each.at <= now])
        waiting = [each for each in waiting if each.at > now]
        project.review(as_of=now)


# The freeze


def test_an_open_severe_complaint_lets_nobody_up(make_project: Open, make_interaction: Make) -> None:
    project = make_project()
    case = [
        make_interaction("ada", "complaint_opened", START + 20 * DAY, reference="7", data={"severity": "severe"}),
        make_interaction("ada", "complaint_resolved", START + 101 * DAY, reference="7"),
    ]
    replay(project, [*fans(make_interaction), *case], range(150))
    assert moves(project)[0] == ("prospect", "customer", 0)
    assert [day for _, _, day in moves(project)] == [0, 101], "the dwell of 30 days was long over"
    assert moves(project)[-1][1] == "supporter"


def test_a_minor_complaint_freezes_nobody(make_project: Open, make_interaction: Make) -> None:
    project = make_project()
    case = make_interaction("ada", "complaint_opened", START + 20 * DAY, reference="7", data={"severity": "minor"})
    replay(project, [*fans(make_interaction), case], range(40))
    assert [target for _, target, _ in moves(project)] == ["customer", "supporter"]


def test_the_freeze_holds_nobody_up(make_project: Open, make_interaction: Make) -> None:
    """Down goes on: silence takes a client away, whatever is open."""
    project = make_project()
    orders = [make_interaction("ada", "order", START + day * DAY, minor=900) for day in range(0, 40, 7)]
    case = make_interaction("ada", "complaint_opened", START + 36 * DAY, reference="7", data={"severity": "severe"})
    replay(project, [*orders, case], range(0, 150, 5))
    assert [target for _, target, _ in moves(project)] == ["customer", "client", "customer"]


def test_a_freeze_is_lifted_on_the_day_by_whoever_is_due(make_project: Open, make_interaction: Make) -> None:
    """A freeze that ends by itself makes due: nothing is recorded, and only who is due is looked at."""
    ladder = Ladder(
        name="frozen",
        stages=(Stage(name="cold"), Stage(name="warm", enter="orders >= 1")),
        freezes="silence_days < 5.5",
    )
    project = make_project(ladder=ladder)
    replay(project, [make_interaction("ada", "order", START, minor=900)], range(10))
    assert moves(project) == [("cold", "warm", 6)]


# Business with businesses


def test_an_account_with_a_contract_is_a_client_until_its_grace_is_over(
    make_project: Open, make_interaction: Make
) -> None:
    project = make_project(ladder="b2b", parameters=ParameterSettings(values={"b2b_dwell_days": 0.0}))
    ends = (START + 100 * DAY).date().isoformat()
    signed = make_interaction("acme", "contract_signed", START, data={"until": ends})
    replay(project, [signed], range(240))
    assert moves(project) == [("prospect", "client", 0), ("client", "customer", 191)], "until midnight, and 90 days"


def test_the_thresholds_are_parameters(make_project: Open, make_interaction: Make) -> None:
    project = make_project(parameters=ParameterSettings(values={"client_order_days": 5.0, "dwell_days": 0.5}))
    orders = [make_interaction("ada", "order", START + day * DAY, minor=900) for day in range(6)]
    replay(project, orders, range(6))
    assert moves(project) == [("prospect", "customer", 0), ("customer", "client", 4)]


def test_both_ladders_have_the_same_stages(standard_plugins: Plugins) -> None:
    assert standard_plugins.ladders["b2b"].names == standard_plugins.ladders["b2c"].names


# Ladders that nobody could climb


def ladder(*conditions: tuple[str, str]) -> Ladder:
    stages = [Stage(name=f"s{place}", enter=enter, leave=leave) for place, (enter, leave) in enumerate(conditions, 1)]
    return Ladder(name="odd", stages=(Stage(name="s0"), *stages))


UNREACHABLE = {
    "more than all": ("s1", ladder(("orders > 5 AND orders < 3", ""))),
    "itself": ("s1", ladder(("stage >= 's1'", ""))),
    "a higher one": ("s1", ladder(("stage = 's2'", ""), ("orders > 1", ""))),
    "each other": ("s1", ladder(("stage IN ('s2', 's3')", ""), ("stage = 's3'", ""), ("orders > 1", ""))),
    "never": ("s1", ladder(("FALSE", ""))),
    "null": ("s2", ladder(("orders > 1", "orders IS NULL"), ("orders IS NULL", ""))),
    "below refuses": ("s2", ladder(("orders > 5", "orders < 5"), ("orders < 4", ""))),
    "not both": ("s1", ladder(("lapsed AND NOT lapsed", ""))),
    "between": ("s1", ladder(("orders BETWEEN 3 AND 5 AND orders IN (7, 9)", ""))),
    "a label": ("s1", ladder(("loyalty = 'true' AND loyalty <> 'true'", ""))),
}
LEAVING = {
    "the same": ladder(("orders > 5", "orders > 5")),
    "wider": ladder(("orders > 5 AND trust > 0.5", "orders > 3")),
    "or": ladder(("trust > 0.5", "trust > 0.7 OR trust <= 0.7")),
    "the stage": ladder(("orders > 5", "stage = 's1'")),
    "higher": ladder(("orders > 1", ""), ("orders > 5", "stage >= 's1' AND orders > 2")),
}
SOUND = {
    "a band": ladder(("orders > 5", "orders < 3")),
    "touching": ladder(("orders >= 5", "orders < 5")),
    "the stage below": ladder(("orders > 1", ""), ("stage = 's1' AND stage_days > 3", "stage_days > 9")),
    "from the first": ladder(("stage = 's0'", ""), ("stage IN ('s0', 's1')", "")),
    "unknown": ladder(("orders / spent > 3 AND NOT orders / spent > 4", "lapsed")),
    "null": ladder(("trust IS NULL OR trust > 0.5", "trust < 0.5")),
    "the mark": ladder(("NOT lapsed", "lapsed")),
    "the label": ladder(("loyalty IN ('latent', 'true')", "loyalty < 'latent'")),
}


@pytest.mark.parametrize(("stage", "odd"), UNREACHABLE.values(), ids=UNREACHABLE)
def test_a_stage_that_nobody_can_reach_is_refused(make_project: Open, stage: str, odd: Ladder) -> None:
    with pytest.raises(ConfigurationError, match=f"ladder 'odd': nobody can reach the stage '{stage}', since"):
        _ = make_project(ladder=odd).rules


@pytest.mark.parametrize("odd", LEAVING.values(), ids=LEAVING)
def test_a_stage_that_is_left_on_entering_is_refused(make_project: Open, odd: Ladder) -> None:
    with pytest.raises(ConfigurationError, match=r"ladder 'odd': whoever enters the stage 's\d' leaves it at once"):
        _ = make_project(ladder=odd).rules


@pytest.mark.parametrize("sound", SOUND.values(), ids=SOUND)
def test_a_sound_ladder_is_taken(make_project: Open, sound: Ladder) -> None:
    assert make_project(ladder=sound).rules.rungs[1].name == "s1"


NUMBER = st.integers(0, 3)
COMPARISON = st.builds("orders {} {}".format, st.sampled_from(["<", "<=", "=", "<>", ">=", ">"]), NUMBER)
ATOM = COMPARISON | st.builds("stage {} 's{}'".format, st.sampled_from(["<", "=", "<>", ">="]), st.integers(0, 2))
CONDITION = st.recursive(
    ATOM,
    lambda inner: (
        st.builds("({} AND {})".format, inner, inner)
        | st.builds("({} OR {})".format, inner, inner)
        | st.builds("NOT ({})".format, inner)
    ),
    max_leaves=3,
)


@given(enters=st.tuples(CONDITION, CONDITION), leaves=st.tuples(CONDITION, CONDITION))
@settings(max_examples=25, phases=[Phase.reuse, Phase.generate])
def test_what_is_refused_as_out_of_reach_nobody_reaches(
    make_project: Open, make_interaction: Make, enters: tuple[str, str], leaves: tuple[str, str]
) -> None:
    """The judge: somebody for each number of orders, reviewed day by day on the ladder that was refused."""
    odd = ladder(*zip(enters, leaves, strict=True))
    project = make_project(ladder=odd)
    try:
        _ = project.rules
    except ConfigurationError as error:
        refused = str(error)
    else:
        return
    people = [
        make_interaction(f"c{orders}", "order", START - n * timedelta(minutes=1), minor=5)
        for orders in range(1, 5)
        for n in range(orders)
    ]
    project.record([*people, make_interaction("c0", "visit", START)])
    with patch("relationship_core.flow.rules.refuse_unreachable"):
        for day in range(6):
            project.review(as_of=START + day * DAY, everybody=True)
    stage = refused.partition("the stage '")[2][:2]
    found = project.store.read(TRANSITIONS).sort("customer", "at")
    up = found.filter((found["origin"] < found["target"]) & (found["origin"] < stage) & (found["target"] >= stage))
    if "nobody can reach" in refused:
        assert up.is_empty()
    entered = up.filter((up["target"] == stage) & (up["at"] < START + 5 * DAY))
    for customer, at in entered.select("customer", "at").iter_rows():
        then = found.filter((found["customer"] == customer) & (found["at"] == at + DAY))
        assert then["origin"].to_list() == [stage]
