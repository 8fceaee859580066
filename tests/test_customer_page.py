"""One customer's page: evidence, course, cases and what comes next, on a terminal and on paper."""

import json
import random
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from io import StringIO
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, strategies as st
from rich.cells import cell_len
from rich.console import Console

from relationship_core import (
    Campaign,
    Choice,
    CustomerView,
    Interaction,
    OrderLine,
    ParameterSettings,
    Score,
    ScoringRule,
    hookimpl,
)
from relationship_core.cli import cli
from relationship_core.cli.plot import LEFT, SHORTEST, under_plot

Make = Callable[..., Any]
Relate = Callable[..., Result]

NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)
AS_OF = ("--as-of", "2024-06-01T12:00:00Z")
ZONE = "Europe/Berlin"
KINDS = (
    "order",
    "visit",
    "praise",
    "return",
    "promise_kept",
    "promise_broken",
    "review",
    "help_given",
    "survey_answer",
)


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def life(make_interaction: Make, customer: str, seed: int, deeds: int = 12) -> list[Interaction]:
    """Some deeds of every kind at random times of two years, orders with money and lines."""
    chance = random.Random(seed)
    paired = [
        make_interaction(customer, kind, ago(day), id=f"{customer} {kind} {day}", reference="c")
        for kind, day in (("promise_made", 200), ("promise_kept", 190))
    ]
    return paired + [
        make_interaction(
            customer,
            kind := chance.choice(KINDS),
            ago(chance.uniform(0, 700)),
            id=f"{customer} {deed}",
            reference=chance.choice((None, "a", "b")),
            minor=chance.randrange(0, 9000) if kind == "order" else None,
            lines=[OrderLine(product="p", category=chance.choice("xyz"))] if kind == "order" else (),
            data={"nps": str(chance.randrange(11))} if kind == "survey_answer" else {},
        )
        for deed in range(deeds)
    ]


def renamed(deeds: Iterable[Interaction], customer: str) -> list[Interaction]:
    """The same deeds of somebody else."""
    return [
        Interaction(
            source=each.source,
            id=f"{customer} did {each.id}",
            customer=customer,
            kind=each.kind,
            at=each.at,
            amount=each.amount,
            reference=each.reference,
            lines=each.lines,
            data=each.data,
        )
        for each in deeds
    ]


def scores_of(view: CustomerView) -> dict[str, Score]:
    return {score.name: score for score in view.scores}


def weights(found: Iterable[float | None]) -> list[float]:
    """How much they weigh, the heaviest first; without them there would be no value at all."""
    return sorted((float("inf") if each is None else abs(each) for each in found), reverse=True)


@pytest.mark.parametrize("seed", [1, 2])
def test_evidence_is_what_the_score_would_lack_without_it(
    make_project: Make, make_customer: Make, make_interaction: Make, seed: int
) -> None:
    deeds = life(make_interaction, "ada", seed)
    with make_project(zone=ZONE) as project:
        others = [f"without-{place:02}" for place in range(len(deeds))]
        project.record_customers([make_customer(each) for each in ("ada", *others)])
        project.record(deeds)
        for place, other in enumerate(others):
            project.record(renamed((each for each in deeds if each is not deeds[place]), other))
        view = project.customer("ada", as_of=NOW)
        whole = scores_of(view)
        left_out = [scores_of(project.customer(other, as_of=NOW)) for other in others]
    rules = {rule.name: rule for rule in project.catalog.scores}
    for name, score in whole.items():
        if rules[name].labels or score.confidence == 0:
            assert name not in view.influences
            continue
        assert score.value is not None
        values = [each[name].value for each in left_out]
        effects = {
            deed.id: None if value is None else score.value - value for deed, value in zip(deeds, values, strict=True)
        }
        named = view.influences.get(name, ())
        for each in named:
            assert each.effect == pytest.approx(effects[each.id], abs=1e-9), (name, each)
        heavy = [weight for weight in weights(effects.values()) if weight > 1e-6]
        assert weights(each.effect for each in named) == pytest.approx(heavy[:3], abs=1e-9), name
    assert {"benefit", "trust", "commitment"} <= view.influences.keys()


def test_the_heaviest_evidence_is_named_with_sign_date_and_kind(
    make_project: Make, make_customer: Make, make_interaction: Make
) -> None:
    with make_project() as project:
        project.record_customers([make_customer("ada")])
        project.record(
            [
                make_interaction("ada", "promise_made", ago(30), reference="p"),
                make_interaction("ada", "promise_broken", ago(20), reference="p"),
                make_interaction("ada", "praise", ago(10)),
            ]
        )
        view = project.customer("ada", as_of=NOW)
    first = view.influences["trust"][0]
    assert (first.kind, first.at) == ("promise_broken", ago(20))
    assert first.effect is not None
    assert first.effect < 0
    assert [each.kind for each in view.influences["benefit"]] == ["praise"]
    assert "reciprocity" not in view.influences


class _Kudos:
    """A plugin with a score of its own; without an order it says nothing at all."""

    @hookimpl
    def relationship_scores(self) -> tuple[ScoringRule, ...]:
        import polars as pl

        return (
            ScoringRule(
                name="kudos",
                value=lambda frame: frame["orders"] * 10,
                confidence=pl.lit(1.0),
                needs=("orders",),
                evidence=("orders",),
                high=float("inf"),
            ),
        )


def test_evidence_of_a_score_that_a_plugin_brings(
    make_project: Make, make_customer: Make, make_interaction: Make
) -> None:
    with make_project(plugins=[_Kudos()]) as project:
        project.record_customers([make_customer("ada"), make_customer("ben")])
        project.record(make_interaction("ada", "order", ago(day), minor=100) for day in (40, 20))
        project.record([make_interaction("ben", "order", ago(3), minor=100)])
        ada, ben = (project.customer(each, as_of=NOW) for each in ("ada", "ben"))
    assert [(each.at, each.effect) for each in ada.influences["kudos"]] == [(ago(20), 10.0), (ago(40), 10.0)]
    assert [(each.at, each.effect) for each in ben.influences["kudos"]] == [(ago(3), None)]
    assert ada.course.scores["kudos"][0] == 10.0
    assert ada.course.scores["kudos"][-1] == 20.0


def test_the_latest_two_hundred_are_weighed(make_project: Make, make_customer: Make, make_interaction: Make) -> None:
    with make_project(plugins=[_Kudos()]) as project:
        project.record_customers([make_customer("ada")])
        project.record(make_interaction("ada", "order", ago(500 - place), minor=100) for place in range(300))
        project.record(make_interaction("ada", "visit", ago(100 - place / 10)) for place in range(300))
        project.record(
            make_interaction("ada", "praise", ago(300), id=f"praise {place}", source="x") for place in range(3)
        )
        view = project.customer("ada", as_of=NOW)
    assert {each.effect for each in view.influences["kudos"]} == {10.0}
    assert [each.kind for each in view.influences["benefit"]] == ["praise"] * 3
    assert {each.kind for each in view.influences["visit_lapse"]} == {"visit"}


def test_the_course_is_what_the_scores_were(make_project: Make, make_customer: Make, make_interaction: Make) -> None:
    deeds = sorted(life(make_interaction, "ada", 5), key=lambda deed: deed.at)
    with make_project(zone=ZONE) as project:
        project.record_customers([make_customer("ada")])
        project.record(deeds)
        course = project.customer("ada", as_of=NOW).course
    assert course.headline == "strength"
    assert (course.instants[0], course.instants[-1]) == (deeds[0].at, NOW)
    assert len(course.instants) == len(course.stages) == 24
    with make_project(zone=ZONE) as replayed:
        replayed.record_customers([make_customer("ada")])
        for place in (0, 3, 11, 17, 23):
            instant = course.instants[place]
            replayed.record([deed for deed in deeds if deed.at <= instant])
            then = scores_of(replayed.customer("ada", as_of=instant))
            for name, values in course.scores.items():
                known = then[name].value if then[name].confidence else None
                assert values[place] == pytest.approx(known, abs=1e-9), (name, place)


def test_the_course_tells_the_stage_of_the_time(
    make_project: Make, make_customer: Make, make_interaction: Make
) -> None:
    with make_project() as project:
        project.record_customers([make_customer("ada")])
        project.record([make_interaction("ada", "order", ago(100), minor=100)])
        project.review(as_of=ago(50))
        view = project.customer("ada", as_of=NOW)
    before = [instant < ago(50) for instant in view.course.instants]
    assert view.course.stages == tuple("prospect" if each else "customer" for each in before)
    assert True in before
    assert view.stage == "customer"


def test_one_instant_has_a_course_of_one_point(make_project: Make, make_customer: Make, make_interaction: Make) -> None:
    with make_project() as project:
        project.record_customers([make_customer("ada")])
        project.record([make_interaction("ada", "order", NOW, minor=100)])
        assert project.customer("ada", as_of=NOW).course.instants == (NOW,)


PROMISES: Mapping[str, Sequence[tuple[str, float, Mapping[str, str]]]] = {
    "in_time": (("promise_made", 30, {"due": "2024-05-10"}), ("promise_kept", 22.0, {})),
    "late": (("promise_made", 30, {"due": "2024-05-10"}), ("promise_kept", 20, {})),
    "overdue": (("promise_made", 30, {"due": "2024-05-31T10:00:00Z"}),),
    "open": (("promise_made", 30, {"due": "2024-06-01", "text": "Call back"}),),
    "settled": (("promise_made", 30, {"due": "when I can"}), ("promise_kept", 20, {})),
    "broken": (("promise_made", 30, {"due": "2024-05-10"}), ("promise_broken", 25, {}), ("promise_kept", 24, {})),
    "unpaired": (("promise_kept", 20, {}),),
}


@pytest.mark.parametrize("order", ["as it happened", "backwards"])
def test_a_promise_stands_as_its_reports_say_in_any_order(
    make_project: Make, make_customer: Make, make_interaction: Make, order: str
) -> None:
    deeds = [
        make_interaction("ada", kind, ago(days), reference=state, id=f"{state} {kind}", data=facts)
        for state, reports in PROMISES.items()
        for kind, days, facts in reports
    ]
    with make_project() as project:
        project.record_customers([make_customer("ada")])
        for deed in deeds if order == "as it happened" else reversed(deeds):
            project.record([deed])
        cases = {case.reference: case for case in project.customer("ada", as_of=NOW).cases}
    assert {reference: case.state for reference, case in cases.items()} == {state: state for state in PROMISES}
    assert cases["open"].about == "Call back"
    assert cases["open"].due_at == datetime(2024, 6, 2, tzinfo=UTC)
    assert cases["settled"].due_at is None
    assert (cases["broken"].settled_by, cases["broken"].settled_at) == ("promise_broken", ago(25))


def test_what_waits_stands_first_and_counts_as_the_measures_count_it(
    make_project: Make, make_customer: Make, make_interaction: Make
) -> None:
    deeds = [
        make_interaction(
            "ada", "complaint_opened", ago(5), reference="c", data={"severity": "severe", "text": "Noise"}
        ),
        make_interaction("ada", "complaint_answered", ago(4), reference="c"),
        make_interaction("ada", "complaint_opened", ago(60), reference="d"),
        make_interaction("ada", "complaint_resolved", ago(50), reference="d"),
        make_interaction("ada", "complaint_opened", ago(40), reference="d"),
        make_interaction("ada", "complaint_resolved", ago(40), reference="never"),
        make_interaction("ada", "complaint_opened", ago(3)),
        make_interaction("ada", "inquiry", ago(9), reference="i"),
        make_interaction("ada", "inquiry_answered", ago(8), reference="i"),
        make_interaction("ada", "inquiry_answered", ago(7), reference="j"),
        make_interaction("ada", "favour_asked", ago(9), reference="f"),
        make_interaction("ada", "favour_asked", ago(9), reference="g", id="g"),
        make_interaction("ada", "favour_declined", ago(8), reference="g"),
        make_interaction("ada", "favour_asked", ago(9), reference="h", id="h"),
        make_interaction("ada", "review", ago(2), reference="h"),
        make_interaction("ada", "review", ago(1), reference="of their own accord"),
    ]
    with make_project() as project:
        project.record_customers([make_customer("ada")])
        project.record(deeds)
        view = project.customer("ada", as_of=NOW)
    stands = {(case.kind, case.reference): case.state for case in view.cases}
    assert stands == {
        ("complaint", "d"): "overdue",
        ("complaint", "c"): "open",
        ("complaint", None): "open",
        ("favour", "f"): "open",
        ("inquiry", "i"): "in_time",
        ("favour", "h"): "settled",
        ("favour", "g"): "declined",
        ("complaint", "never"): "unpaired",
        ("inquiry", "j"): "unpaired",
    }
    assert [case.reference for case in view.cases[:4]] == ["d", "c", None, "f"]
    assert (view.cases[1].severity, view.cases[1].about, view.cases[1].answered_at) == ("severe", "Noise", ago(4))
    # A case without a reference cannot pair; measures leave it out.
    assert view.measures["complaints_open"] == 2
    assert view.measures["complaints_unpaired"] == 1
    assert view.measures["favours_open"] == 1


def coming(view: CustomerView) -> dict[str, tuple[date | None, str, bool]]:
    return {each.what: (each.on, each.detail, each.overdue) for each in view.ahead}


@pytest.fixture
def garage(make_project: Make, make_customer: Make, make_interaction: Make) -> CustomerView:
    """Ada owns a car, has a goal, and comes every twenty days."""
    settings = {"attributes": {"birthday": "text"}}
    car = {"product": "estate", "name": "Estate", "service_interval_days": "365"}
    with make_project(zone=ZONE, **settings) as project:
        project.record_customers([make_customer("ada", attributes={"birthday": "1992-02-29"})])
        lines = [
            OrderLine(product="pads", category="parts", minor=900),
            OrderLine(product="oil", category="fluids", minor=300),
            OrderLine(product="wiper", category="parts", minor=100),
        ]
        project.record(
            [
                *(make_interaction("ada", "order", ago(day), minor=1300, lines=lines) for day in (62, 42, 22)),
                make_interaction("ada", "item_acquired", ago(400), reference="car", data=car),
                make_interaction("ada", "service", ago(300), reference="car"),
                make_interaction("ada", "item_acquired", ago(400), reference="old", id="old", data={"name": "Old"}),
                make_interaction("ada", "item_retired", ago(200), reference="old"),
                make_interaction("ada", "service", ago(100), reference="not theirs"),
                make_interaction(
                    "ada", "goal_declared", ago(9), reference="g",
                    data={"goal": "To the North Cape", "by": "2024-07-10", "help": "a roof box"},
                ),
                make_interaction("ada", "goal_declared", ago(90), reference="h", data={"goal": "A shed"}),
                make_interaction("ada", "goal_reached", ago(8), reference="h"),
                make_interaction("ada", "preference_declared", ago(9), data={"topic": "contact", "value": "by post"}),
                make_interaction("ada", "preference_declared", ago(8), data={"topic": "contact", "value": "by phone"}),
                make_interaction("ada", "preference_declared", ago(7), data={"cause": "rivers"}),
                make_interaction("ada", "community_act", ago(6), data={"cause": "repair café"}),
                make_interaction("ada", "promise_made", ago(3), reference="p", data={"due": "2024-06-04"}),
            ]
        )  # fmt: skip
        project.review(as_of=NOW)
        view: CustomerView = project.customer("ada", as_of=NOW)
    return view


def test_what_comes_next(garage: CustomerView) -> None:
    comes = coming(garage)
    gap = garage.measures["order_gap_days"]
    assert isinstance(gap, float)
    assert comes["order"][0] == (ago(22) + timedelta(days=gap)).date()
    assert comes["order"][2] == (comes["order"][0] < NOW.date())
    assert comes["promise"] == (date(2024, 6, 4), "p", False)
    assert comes["service"] == (ago(300).date() + timedelta(days=365), "Estate (car)", False)
    assert comes["birthday"] == (date(2025, 2, 28), "turns 33", False)
    assert comes["goal"] == (date(2024, 7, 10), "To the North Cape; we help: a roof box", False)
    assert comes["review"][0] == (garage.due_at.date() if garage.due_at else None)
    assert [each.on for each in garage.ahead] == sorted(each.on for each in garage.ahead if each.on)
    assert sum(each.what == "goal" for each in garage.ahead) == 1


def test_what_they_have_want_and_like(garage: CustomerView) -> None:
    assert [(item.name, item.retired_at) for item in garage.items] == [("Estate", None), ("Old", ago(200))]
    assert garage.items[0].service_on == date(2024, 8, 5)
    assert [(goal.goal, goal.reached_at) for goal in garage.goals] == [("To the North Cape", None), ("A shed", ago(8))]
    assert [(each.topic, each.value) for each in garage.preferences] == [("contact", "by phone")]
    assert garage.causes == ("repair café", "rivers")
    assert [(each.sort, each.name, each.lines, each.minor) for each in garage.likes] == [
        ("category", "parts", 6, 3000),
        ("category", "fluids", 3, 900),
        ("product", "oil", 3, 900),
        ("product", "pads", 3, 2700),
        ("product", "wiper", 3, 300),
    ]


@pytest.mark.parametrize(
    ("told", "on", "detail"),
    [
        ("1990-06-01", date(2024, 6, 1), "turns 34"),
        ("1990-05-31", date(2025, 5, 31), "turns 35"),
        ("--12-24", date(2024, 12, 24), ""),
        ("--02-29", date(2025, 2, 28), ""),
        ("0001-02-28", date(2025, 2, 28), ""),
        ("2030-02-28", date(2025, 2, 28), ""),
        ("24.12.1990", None, None),
        ("1990-13-01", None, None),
        ("1990-02-30", None, None),
    ],
)
def test_a_birthday_is_the_next_one(
    make_project: Make, make_customer: Make, told: str, on: date | None, detail: str | None
) -> None:
    with make_project(attributes={"birthday": "text"}) as project:
        project.record_customers([make_customer("ada", attributes={"birthday": told})])
        found = coming(project.customer("ada", as_of=NOW)).get("birthday")
    assert found == (None if on is None else (on, detail, False))


@pytest.mark.parametrize(
    "due",
    [
        "2024-07-09",
        " 2024-07-09 ",
        "2024-7-9",
        "20240709",
        "2024-W28-2",
        "2024-07-09T10:00",
        "2024-07-09T10Z",
        "2024-07-09T24:00:00Z",
        "2024-07-09 10:00:00+05:45",
        "2024-07-09T10:00:00-12:00",
        "9999-12-31",
        "9999-12-31T23:59:59-12:00",
        "bald",
    ],
)
def test_a_time_in_the_data_is_read_as_measures_read_it(
    make_project: Make, make_interaction: Make, due: str, tmp_path: Path
) -> None:
    for store in (Choice(use="memory"), Choice(use="sqlite", settings={"path": str(tmp_path / "project.db")})):
        with make_project(zone=ZONE, store=store) as project:
            project.record([make_interaction("ada", "promise_made", ago(5), reference="1", data={"due": due})])
            view = project.customer("ada", as_of=NOW)
            assert view.cases[0].due_at == view.measures.get("next_promise_due_at")
            project.review(as_of=NOW)


@pytest.mark.parametrize("until", ["9999-12-31", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00"])
def test_a_contract_without_end_is_often_written_as_the_last_day_there_is(
    make_project: Make, make_interaction: Make, until: str
) -> None:
    with make_project(ladder="b2b", zone=ZONE) as project:
        project.record([make_interaction("ada", "contract_signed", ago(5), data={"until": until})])
        project.record([make_interaction("ada", "goal_declared", ago(5), data={"goal": "last", "by": until})])
        project.review(as_of=NOW)
        view = project.customer("ada", as_of=NOW)
    assert view.stage == ("client" if until.startswith("9999") else "customer")
    assert view.goals[0].by is not None


@pytest.mark.parametrize("interval", ["1_80", "\N{FULLWIDTH DIGIT ONE}80"])
def test_a_number_in_the_data_is_read_as_measures_read_it(
    make_project: Make, make_interaction: Make, interval: str
) -> None:
    with make_project() as project:
        told = {"service_interval_days": interval}
        project.record([make_interaction("ada", "item_acquired", ago(5), reference="1", data=told)])
        view = project.customer("ada", as_of=NOW)
    assert view.items[0].service_on is None
    assert "next_service_at" not in view.measures


def test_an_order_expected_after_the_end_of_time_is_not_expected(make_project: Make, make_interaction: Make) -> None:
    far = ParameterSettings(values={"order_gap_prior_days": 1e12})
    with make_project(parameters=far) as project:
        project.record([make_interaction("ada", "order", ago(day), id=str(day)) for day in (5, 9)])
        assert "order" not in coming(project.customer("ada", as_of=NOW))


def test_planned_messages_and_refusals_that_may_lift_come_with_their_day(
    make_project: Make, make_customer: Make, make_interaction: Make, make_campaign: Make
) -> None:
    first: Campaign = make_campaign("first", when="orders >= 1", audience="orders >= 1")
    second: Campaign = make_campaign("second", when="orders >= 1", audience="orders >= 1")
    with make_project(first, second, minimum_interval_days={"default": 10}) as project:
        project.record_customers([make_customer("ada")])
        project.record([make_interaction("ada", "order", ago(5), minor=100)])
        project.review(as_of=NOW)
        project.plan(as_of=NOW)
        comes = [each for each in project.customer("ada", as_of=NOW).ahead if each.what in {"message", "decision"}]
    assert [(each.what, each.on) for each in comes if each.what == "message"] == [("message", NOW.date())]
    assert any("letters" in each.detail for each in comes)
    assert all(each.on is None or each.on >= NOW.date() for each in comes)


# On a terminal and on paper


PEOPLE = {
    "ada": "Ada Example",
    "long": "Prinzessin " + "Wilhelmine-Augusta-Viktoria " * 6 + "Donaudampfschifffahrtsgesellschaftskapitän" * 3,
    "ar": "محمد عبد الرحمن الفارسي",
    "he": "שרה כהן־לוי",
    "zoe": "Zoë \U0001f469\u200d\U0001f467 <script>alert(1)</script> & Söhne",
    "new": "",
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Relate:
    """Runs ``relate`` in a project of six people, one of them without a history; nobody changes it."""
    folder = tmp_path_factory.mktemp("page")
    runner = CliRunner()

    def relate(*arguments: object) -> Result:
        return runner.invoke(cli, ["--project", str(folder / "shop"), *map(str, arguments)], prog_name="relate")

    told = [{"customer": who, "name": name, "contact.email": f"{who}@example.com"} for who, name in PEOPLE.items()]
    told[-1] = {"customer": "new"}
    deeds: list[dict[str, Any]] = []
    for who, name in PEOPLE.items():
        if who == "new":
            continue
        line = {"product": name, "category": "<i>parts</i>", "quantity": 1, "minor": 900}
        deeds += [
            {"kind": "order", "days": day, "amount": 9, "lines": [line]} | {"customer": who}
            for day in range(10, 400, 30)
        ]
        deeds += [
            {"customer": who, "kind": "promise_made", "days": 9, "reference": "P-1",
             "data": {"due": "2024-06-09", "text": f"Call {name}"}},
            {"customer": who, "kind": "promise_kept", "days": 8, "reference": "P-9"},
            {"customer": who, "kind": "praise", "days": 40},
            {"customer": who, "kind": "promise_made", "days": 90, "reference": "P-0", "data": {"due": "2024-03-20"}},
            {"customer": who, "kind": "promise_kept", "days": 80, "reference": "P-0"},
            {"customer": who, "kind": "goal_declared", "days": 30, "reference": "G-1",
             "data": {"goal": f"Goal of {name}", "by": "2024-08-01"}},
        ]  # fmt: skip
    rows = [
        {"source": "till", "id": str(place), "at": ago(deed.pop("days")).isoformat(), **deed}
        for place, deed in enumerate(deeds)
    ]
    for name, lines in (("customers", told), ("interactions", rows)):
        file = folder / f"{name}.jsonl"
        file.write_text("".join(f"{json.dumps(each)}\n" for each in lines), encoding="utf-8")
    assert relate("init").exit_code == 0
    for what in ("customers", "interactions"):
        told_by = relate("import", what, folder / f"{what}.jsonl")
        assert told_by.exit_code == 0, told_by.stderr
    assert relate("run", *AS_OF).exit_code == 0
    return relate


VOID = {"meta", "link", "br", "hr", "img", "input", "base", "source", "embed", "area", "col", "track", "wbr"}


class _Page(HTMLParser):
    """Reads a page strictly: every element that opens closes, in order."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[tuple[tuple[str, ...], str]] = []
        self.feed(text)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append((tuple(self.open), data))

    @property
    def text(self) -> str:
        return " ".join(" ".join(data for inside, data in self.words if "style" not in inside).split())


def page_of(shop: Relate, folder: Path, who: str) -> tuple[str, _Page]:
    file = folder / f"{who}.html"
    told = shop("customer", who, "--html", file, *AS_OF)
    assert told.exit_code == 0, told.stderr
    assert told.stdout == ""
    assert told.stderr == f"Wrote {file}.\n"
    source = file.read_text(encoding="utf-8")
    return source, _Page(source)


@pytest.mark.parametrize("who", sorted(PEOPLE))
def test_a_page_is_well_formed_and_needs_nothing_else(shop: Relate, tmp_path: Path, who: str) -> None:
    source, page = page_of(shop, tmp_path, who)
    assert source.startswith('<!DOCTYPE html>\n<html lang="en">')
    assert {tag for tag, _ in page.tags} <= {
        *("html", "head", "meta", "title", "style", "body", "header", "section", "footer", "h1", "h2", "p", "small"),
        *("table", "thead", "tbody", "tr", "th", "td", "dl", "dt", "dd", "ul", "li", "span", "strong", "bdi"),
        *("svg", "rect", "line", "text", "polyline", "circle"),
    }
    wanted = {"class", "dir", "lang", "charset", "name", "content", "http-equiv", "role", "aria-label", "aria-hidden"}
    drawn = {
        "viewbox",
        "width",
        "height",
        "rx",
        "x",
        "y",
        "x1",
        "x2",
        "y1",
        "y2",
        "cx",
        "cy",
        "r",
        "points",
        "text-anchor",
    }
    assert {name for _, attributes in page.tags for name in attributes} <= wanted | drawn
    assert not re.search(r"url\(|@import|https?:|//", source.replace("<!DOCTYPE html>", ""))
    assert "default-src 'none'" in source
    assert "nan" not in re.findall(r'="([^"]*)"', source)


@pytest.mark.parametrize("who", ["ar", "he", "zoe", "long"])
def test_what_comes_from_outside_is_text_in_a_direction_of_its_own(shop: Relate, tmp_path: Path, who: str) -> None:
    _, page = page_of(shop, tmp_path, who)
    name = " ".join(PEOPLE[who].split())
    for part in (name, f"Call {name}", f"Goal of {name}"):
        inside = [path for path, data in page.words if part in " ".join(data.split()) and "title" not in path]
        assert inside, part
        assert all(path[-1] == "bdi" for path in inside), part
    assert ("h1", {"dir": "auto"}) in page.tags


def test_a_page_holds_the_facts(shop: Relate, tmp_path: Path) -> None:
    _, page = page_of(shop, tmp_path, "ada")
    view = json.loads(shop("customer", "ada", "--json", *AS_OF).stdout)
    for fact in (
        "Ada Example ada",
        "client since 2024-06-01 12:00",
        "ada@example.com",
        "promise of ours",
        "2024-06-09",
        "kept, but never made",
        "Goal of Ada Example",
        "<i>parts</i>",
        "117.00 EUR",
        "<i>parts</i> (13 times, 117.00 EUR)",
        "prospect → client",
        "no evidence",
        f"strength {next(s['value'] for s in view['scores'] if s['name'] == 'strength'):.2f}",
    ):
        assert fact in page.text, fact
    drawings = [attributes for tag, attributes in page.tags if tag == "svg" and attributes["class"] == "large"]
    assert len(drawings) == 1


def test_a_page_is_written_whole_or_the_file_is_named(shop: Relate, tmp_path: Path) -> None:
    told = shop("customer", "ada", "--html", tmp_path / "nowhere" / "ada.html", *AS_OF)
    assert told.exit_code == 1
    assert "cannot write" in told.stderr
    assert "ada.html" in told.stderr


@pytest.mark.parametrize("who", sorted(PEOPLE))
@pytest.mark.parametrize("width", [80, 100, 120])
def test_a_screen_fits_its_terminal(shop: Relate, monkeypatch: pytest.MonkeyPatch, who: str, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    told = shop("customer", who, *AS_OF)
    assert told.exit_code == 0
    assert max(map(cell_len, told.stdout.splitlines())) <= width
    parts = ("What comes next", "Promises and cases", "Where it stands", "What they have", "What happened last")
    places = [told.stdout.index(part) for part in parts]
    assert places == sorted(places)


def test_without_a_history_a_screen_says_so_part_by_part(shop: Relate) -> None:
    told = " ".join(shop("customer", "new", *AS_OF).stdout.split())
    for part in (
        "history no evidence",
        "Over time no evidence",
        "Promises and cases no evidence",
        "owns no evidence",
        "goals no evidence",
        "buys most no evidence",
        "strength no evidence",
        "What happened last, of 0 interactions no evidence",
    ):
        assert part in told, part
    assert "Contacts" not in told


def test_a_screen_shows_course_and_evidence_and_measures_when_asked(
    shop: Relate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    told = shop("customer", "ada", *AS_OF).stdout
    assert re.search(r"^Strength over time  now 0\.\d\d \(confidence 0\.\d\d\)$", told, flags=re.MULTILINE)
    assert re.search(r"^ 1\.0 │", told, flags=re.MULTILINE)
    assert re.search(r"^benefit .*\+0\.\d\d praise 2024-04-22", told, flags=re.MULTILINE)
    assert "The last order." not in told
    assert "The last order." in shop("customer", "ada", "--measures", *AS_OF).stdout


def test_a_document_holds_everything(shop: Relate) -> None:
    view = json.loads(shop("customer", "ada", "--json", *AS_OF).stdout)
    assert len(view["course"]["instants"]) == len(view["course"]["scores"]["strength"]) == 24
    assert view["course"]["headline"] == "strength"
    assert view["influences"]["benefit"][0]["kind"] == "praise"
    assert {case["reference"]: case["state"] for case in view["cases"]} == {
        "P-0": "in_time",
        "P-1": "open",
        "P-9": "unpaired",
    }
    assert {each["what"] for each in view["ahead"]} >= {"order", "promise", "goal"}
    assert view["likes"][0]["name"] == "<i>parts</i>"
    assert view["goals"][0]["by"] == "2024-08-01"
    assert (view["contacts"], view["accounts"], view["merged"]) == ([], [], [])


def test_a_terminal_without_blocks_gets_letters(shop: Relate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("relationship_core.cli.plot.is_plain", lambda: True)
    told = shop("customer", "ada", *AS_OF).stdout
    assert not set("▁▂▃▄▅▆▇█·│") & set(told)
    assert re.search(r"^ 1\.0 \|", told, flags=re.MULTILINE)


def test_five_thousand_interactions_make_a_page_of_ordinary_length(
    make_project: Make, make_customer: Make, make_interaction: Make
) -> None:
    from relationship_core.cli.page import customer_page

    with make_project() as project:
        project.record_customers([make_customer("ada")])
        project.record(
            make_interaction("ada", KINDS[place % len(KINDS)], ago(place / 5), minor=100 if place % 9 == 0 else None)
            for place in range(5000)
        )
        view = project.customer("ada", as_of=NOW)
        source = customer_page(view, project, measures=False)
    page = _Page(source)
    assert view.interactions == 5000
    assert "5,000 interactions" in page.text
    assert re.search(r"and \d,\d{3} more", page.text)
    assert len(source) < 100_000


def test_a_heap_of_open_complaints_hides_nothing_else_that_comes(make_project: Make, make_interaction: Make) -> None:
    from relationship_core.cli.page import customer_page
    from relationship_core.cli.screen import parts

    with make_project() as project:
        project.record(
            make_interaction("ada", "complaint_opened", ago(100 + place), reference=f"c{place}") for place in range(999)
        )
        project.record([make_interaction("ada", "goal_declared", ago(9), data={"goal": "sail", "by": "2025-01-01"})])
        view = project.customer("ada", as_of=NOW)
        page = _Page(customer_page(view, project, measures=False)).text
        console = Console(width=100, file=StringIO(), record=True)
        console.print(*parts(view, project, 100, measures=False))
    for told in (page, flat(console.export_text())):
        ahead = told[told.index("What comes next") : told.index("Promises and cases")]
        assert ahead.count("complaint to settle") == 5
        assert "sail" in ahead
        assert ahead.strip().endswith("and 994 more")
    assert len(view.ahead) == 1000


def test_a_little_confidence_is_not_shown_as_none(make_project: Make, make_interaction: Make) -> None:
    from relationship_core.cli.page import customer_page

    with make_project() as project:
        project.record([make_interaction("ada", "praise", ago(1900))])
        view = project.customer("ada", as_of=NOW)
        page = _Page(customer_page(view, project, measures=False)).text
    (benefit,) = [score for score in view.scores if score.name == "benefit"]
    assert 0 < benefit.confidence < 0.005
    assert "(confidence <0.01)" in page


# Merged customers and accounts


def test_a_merged_customer_shows_the_history_of_both(
    make_project: Make, make_customer: Make, make_interaction: Make
) -> None:
    with make_project() as project:
        project.record_customers([make_customer("ada"), make_customer("ada-2")])
        project.record(make_interaction("ada", "order", ago(day), minor=100) for day in (90, 60))
        project.record(
            [
                make_interaction("ada-2", "promise_made", ago(9), reference="p"),
                make_interaction("ada-2", "praise", ago(5)),
            ]
        )
        project.identities.merge("ada-2", into="ada")
        view, same = (project.customer(who, as_of=NOW) for who in ("ada", "ada-2"))
    assert view == same
    assert (view.asked, same.asked) == ("ada", "ada-2")
    assert (view.customer.id, view.merged, view.interactions) == ("ada", ("ada-2",), 4)
    assert [case.reference for case in view.cases] == ["p"]
    assert [each.kind for each in view.influences["benefit"]] == ["praise"]


def test_who_asks_for_a_merged_id_is_told_that_they_see_the_survivor(shop: Relate, tmp_path: Path) -> None:
    assert shop("identity", "link", "ada-2", "--to", "ada").exit_code == 0
    told = {who: flat(shop("customer", who, *AS_OF).stdout) for who in ("ada", "ada-2")}
    assert "merged ada-2 (which you asked for)" in told["ada-2"]
    assert "asked for" not in told["ada"]
    assert "ada-2 (which you asked for)" in page_of(shop, tmp_path, "ada-2")[1].text
    assert json.loads(shop("customer", "ada-2", "--json", *AS_OF).stdout)["asked"] == "ada-2"


def flat(text: str) -> str:
    return " ".join(text.split())


def test_an_account_shows_its_contacts_and_who_is_in_touch(
    make_project: Make, make_customer: Make, make_interaction: Make
) -> None:
    from relationship_core.cli.page import customer_page

    with make_project() as project:
        project.record_customers([make_customer(each) for each in ("firm", "ada", "ben", "eve")])
        project.accounts.link("firm", "ada", role="buyer")
        project.accounts.link("firm", "ben", role="boss")
        project.accounts.link("firm", "eve")
        project.record(
            [
                make_interaction("ada", "order", ago(20), minor=100),
                make_interaction("ben", "visit", ago(9)),
                make_interaction("firm", "praise", ago(5)),
            ]
        )
        firm, ada = (project.customer(each, as_of=NOW) for each in ("firm", "ada"))
        page = _Page(customer_page(firm, project, measures=False))
    told = [(tie.customer, tie.name, tie.role, tie.in_touch_at) for tie in firm.contacts]
    assert told == [("ben", "Ben", "boss", ago(9)), ("ada", "Ada", "buyer", ago(20)), ("eve", "Eve", "", None)]
    assert [(tie.customer, tie.role) for tie in ada.accounts] == [("firm", "buyer")]
    assert firm.interactions == 3
    assert firm.course.scores["commitment"][-1] == pytest.approx(scores_of(firm)["commitment"].value, abs=1e-9)
    assert {each.kind for each in firm.influences["regularity"]} <= {"order", "visit"}
    assert "Ben ben boss in touch 2024-05-23" in page.text
    assert "Eve eve no evidence" in page.text


@given(
    labels=st.lists(st.sampled_from(["prospect", "client", "customer", "advocate"]), min_size=1, max_size=24),
    columns=st.integers(60, 130),
)
def test_every_stage_has_its_place_under_a_plot(labels: list[str], columns: int) -> None:
    line = under_plot(labels, columns).plain
    assert cell_len(line) <= columns
    words = [word.rstrip("…") for word in line.split()]
    stages = iter([label for label, _ in groupby(labels)])
    assert all(any(stage.startswith(word) for stage in stages) for word in words)
    room = max(len(labels), columns - LEFT)
    *runs, _last = (list(run) for _, run in groupby(range(len(labels)), key=labels.__getitem__))
    for run in runs:
        begin, end = (place * room // len(labels) for place in (run[0], run[-1] + 1))
        told, label = line[LEFT + begin : LEFT + end].rstrip(), labels[run[0]]
        if len(label) < end - begin:
            assert told.startswith(label)
        elif end - begin > SHORTEST:
            assert told == label[: end - begin - 2] + "…"
        else:
            # There is no room for what could be read: nothing, rather than a letter or two.
            assert told == ""
