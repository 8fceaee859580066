"""Cases: what several interactions say together, in whatever order they arrive."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import polars as pl
import pytest
from hypothesis import Phase, given, settings, strategies as st

from relationship_core import (
    CaseMeasure,
    ConfigurationError,
    Feature,
    Interaction,
    InteractionKind,
    Ladder,
    Part,
    Relationships,
    Stage,
    hookimpl,
    load_plugins,
)
from relationship_core.errors import WrongArgumentError

Open = Callable[..., Relationships]
Make = Callable[..., Interaction]
Read = Callable[..., Mapping[str, Any]]

START = datetime(2024, 1, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def seen(make_project: Open) -> Read:
    """What one customer's measures are at an instant, after these interactions in this order."""

    def read(found: Sequence[Interaction], days: float, zone: str = "UTC") -> Mapping[str, Any]:
        project = make_project(zone=zone)
        for interaction in found:
            project.record([interaction])
        return project.customer("ada", as_of=START + days * DAY).measures

    return read


def case(make: Make, *events: tuple[str, float], reference: str | None = "1", **data: str) -> list[Interaction]:
    return [make("ada", kind, START + days * DAY, reference=reference, data=data) for kind, days in events]


# Promises


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_case_pairs_in_any_order_of_arrival(make_interaction: Make, seen: Read, order: Sequence[int]) -> None:
    events = [
        *case(make_interaction, ("complaint_opened", 0), severity="severe"),
        *case(make_interaction, ("complaint_answered", 1), ("complaint_resolved", 5)),
    ]
    found = seen([events[place] for place in order], 5)
    assert (found["complaints_open"], found["severe_complaints_open"], found["complaints_unpaired"]) == (0, 0, 0)
    assert found["complaints_redressed"] == pytest.approx(1)
    assert found["complaints_answered_in_time"] == pytest.approx(2 ** (-4 / 365))
    assert found["complaints_against"] == 0


def test_a_promise_kept_that_was_never_made_counts_for_nothing_until_its_making_arrives(
    make_interaction: Make, seen: Read
) -> None:
    (kept,) = case(make_interaction, ("promise_kept", 3))
    found = seen([kept], 4)
    assert (found["promises_kept"], found["promises_unpaired"]) == (0, 1)
    found = seen([kept, *case(make_interaction, ("promise_made", 1))], 4)
    assert found["promises_kept"] == pytest.approx(2 ** (-1 / 365))
    assert found["promises_unpaired"] == 0


def test_an_overdue_promise_is_broken_from_its_instant_on(make_interaction: Make, seen: Read) -> None:
    made = case(make_interaction, ("promise_made", 0), due=(START + 5 * DAY).isoformat())
    before, then, later = (seen(made, days) for days in (4.999, 5, 15))
    assert (before["promises_open"], before["promises_overdue"], before["promises_broken"]) == (1, 0, 0)
    assert before["next_promise_due_at"] == START + 5 * DAY
    assert (then["promises_open"], then["promises_overdue"], then["promises_broken"]) == (0, 1, 1)
    assert "next_promise_due_at" not in then
    assert later["promises_broken"] == pytest.approx(2 ** (-10 / 365))


def test_a_promise_kept_too_late_is_broken_and_no_longer_overdue(make_interaction: Make, seen: Read) -> None:
    made = case(make_interaction, ("promise_made", 0), due=(START + 5 * DAY).isoformat())
    found = seen([*made, *case(make_interaction, ("promise_kept", 6))], 7)
    assert (found["promises_kept"], found["promises_overdue"]) == (0, 0)
    assert found["promises_broken"] == pytest.approx(2 ** (-2 / 365))


def test_a_promise_that_was_put_off_is_due_at_the_last_time_named(make_interaction: Make, seen: Read) -> None:
    first = case(make_interaction, ("promise_made", 0), due=(START + 5 * DAY).isoformat())
    then = case(make_interaction, ("promise_made", 4), due=(START + 9 * DAY).isoformat())
    found = seen([*then, *first, *case(make_interaction, ("promise_kept", 8))], 8)
    assert (found["promises_kept"], found["promises_broken"]) == (1, 0)


@pytest.mark.parametrize(
    ("zone", "day", "ends"),
    [
        ("UTC", "2024-01-05", datetime(2024, 1, 6, tzinfo=UTC)),
        ("America/New_York", "2024-01-05", datetime(2024, 1, 6, 5, tzinfo=UTC)),
        ("America/Havana", "2024-03-09", datetime(2024, 3, 10, 5, tzinfo=UTC)),  # midnight does not exist
        ("America/Havana", "2024-11-02", datetime(2024, 11, 3, 4, tzinfo=UTC)),
        ("Pacific/Auckland", "2024-01-05", datetime(2024, 1, 5, 11, tzinfo=UTC)),
    ],
)
def test_a_date_lasts_until_its_local_day_ends(
    make_interaction: Make, seen: Read, zone: str, day: str, ends: datetime
) -> None:
    found = seen(case(make_interaction, ("promise_made", 0), due=day), 1, zone)
    assert found["next_promise_due_at"] == ends


@pytest.mark.parametrize("due", ["soon", "2024-02-30", "", "2024-01-05T12:00:00", "05.01.2024"])
def test_a_time_that_is_none_is_no_time(make_interaction: Make, seen: Read, due: str) -> None:
    found = seen(case(make_interaction, ("promise_made", 0), due=due), 300)
    assert (found["promises_open"], found["promises_broken"]) == (1, 0)


# Complaints


def test_a_complaint_counts_against_until_it_is_put_right_in_time(make_interaction: Make, seen: Read) -> None:
    opened = case(make_interaction, ("complaint_opened", 0))
    found = seen(opened, 180)
    assert (found["complaints_open"], found["complaint_open_since"]) == (1, START)
    assert found["complaints_against"] == pytest.approx(0.5)
    late = seen([*opened, *case(make_interaction, ("complaint_resolved", 14.01))], 20)
    assert (late["complaints_open"], late["complaints_redressed"]) == (0, 0)
    assert late["complaints_against"] == pytest.approx(2 ** (-20 / 180))
    in_time = seen([*opened, *case(make_interaction, ("complaint_resolved", 14))], 14)
    assert (in_time["complaints_against"], in_time["complaints_redressed"]) == (0, 1)


def test_a_complaint_opened_again_is_open(make_interaction: Make, seen: Read) -> None:
    events = case(make_interaction, ("complaint_opened", 0), ("complaint_resolved", 2), ("complaint_opened", 3))
    found = seen(events, 4)
    assert (found["complaints_open"], found["complaints_redressed"]) == (1, 0)


def test_without_a_reference_harm_counts_and_what_would_help_us_does_not(make_interaction: Make, seen: Read) -> None:
    kinds = ("complaint_opened", "complaint_resolved", "promise_made", "promise_kept", "promise_broken")
    found = seen(case(make_interaction, *((kind, 0) for kind in kinds), reference=None), 0)
    assert (found["complaints_unnamed"], found["promises_broken_unnamed"]) == pytest.approx((1, 1))
    assert found["promises_kept"] == found["complaints_redressed"] == found["complaints_open"] == 0


# Questions, favours, items, goals


def test_open_questions_and_favours_are_known_until_they_are_answered(make_interaction: Make, seen: Read) -> None:
    asked = case(make_interaction, ("inquiry", 0), ("favour_asked", 1))
    found = seen(asked, 2)
    assert (found["inquiries_open"], found["favours_open"]) == (1, 1)
    assert (found["inquiry_open_since"], found["favour_open_since"]) == (START, START + DAY)
    found = seen([*asked, *case(make_interaction, ("inquiry_answered", 2), ("review", 2))], 2)
    assert (found["inquiries_open"], found["favours_open"], found["favours_granted"]) == (0, 0, 1)
    assert found["inquiries_answered_in_time"] == 1
    found = seen([*asked, *case(make_interaction, ("favour_declined", 2))], 2)
    assert (found["favours_open"], found["favours_declined"]) == (0, 1)


def test_a_thing_is_serviced_by_its_own_interval(make_interaction: Make, seen: Read) -> None:
    car = case(make_interaction, ("item_acquired", 0), service_interval_days="30")
    assert (seen(car, 29.9)["services_due"], seen(car, 30)["services_due"]) == (0, 1)
    serviced = [*car, *case(make_interaction, ("service", 31))]
    found = seen(serviced, 40)
    assert (found["items_owned"], found["services_due"], found["next_service_at"]) == (1, 0, START + 61 * DAY)
    found = seen([*serviced, *case(make_interaction, ("item_retired", 50))], 90)
    assert (found["items_owned"], found["services_due"], "next_service_at" in found) == (0, 0, False)


def test_a_goal_is_open_until_it_is_reached(make_interaction: Make, seen: Read) -> None:
    goal = case(make_interaction, ("goal_declared", 0), by="2024-06-01", goal="run a marathon")
    found = seen(goal, 1)
    assert (found["goals_open"], found["next_goal_at"]) == (1, datetime(2024, 6, 2, tzinfo=UTC))
    found = seen([*goal, *case(make_interaction, ("goal_reached", 100))], 101)
    assert (found["goals_open"], found["goals_reached"], "next_goal_at" in found) == (0, 1, False)


def test_a_contact_after_the_opt_out_counts_and_one_before_does_not(make_interaction: Make, seen: Read) -> None:
    events = case(make_interaction, ("campaign_received", 1), ("unsubscribe", 2), ("campaign_received", 2.1))
    found = seen([events[place] for place in (2, 0, 1)], 2.1)
    assert (found["contacts_after_opt_out"], found["opted_out_at"]) == (1, START + 2 * DAY)
    of_a_topic = make_interaction("ada", "unsubscribe", START, data={"topic": "offers"})
    assert seen([of_a_topic, events[0]], 3)["contacts_after_opt_out"] == 0


# Whatever the history, folding again gives the same


@given(
    events=st.lists(
        st.tuples(
            st.sampled_from(["promise_made", "promise_kept", "promise_broken", "complaint_opened", "item_acquired"]),
            st.integers(0, 60),
            st.sampled_from(["1", "2", None]),
        ),
        max_size=12,
    ),
    split=st.integers(0, 12),
)
@settings(max_examples=20, phases=[Phase.reuse, Phase.generate])
def test_rebuild_gives_the_same_numbers(
    make_project: Open, make_interaction: Make, events: Sequence[tuple[str, int, str | None]], split: int
) -> None:
    project = make_project()
    found = [
        make_interaction("ada", kind, START + day * DAY, id=str(n), reference=reference, data={"due": "2024-02-01"})
        for n, (kind, day, reference) in enumerate(events)
    ]
    project.record([make_interaction("ada", "visit", START), *found[split:]])
    project.record(found[:split])
    before = project.customer("ada", as_of=START + 61 * DAY).measures
    project.rebuild()
    after = project.customer("ada", as_of=START + 61 * DAY).measures
    instants = {name: value for name, value in before.items() if not isinstance(value, float | int)}
    assert {name: after[name] for name in instants} == instants
    numbers = before.keys() - instants.keys()
    assert {name: after[name] for name in numbers} == pytest.approx({name: before[name] for name in numbers}, rel=1e-9)


# Cases of a plugin: a distribution of its own would hold such a module


class Workshop:
    """A plugin with its own kinds, cases, score and ladder: repairs, each from the estimate to the bill."""

    @hookimpl
    def relationship_interaction_kinds(self) -> tuple[InteractionKind, ...]:
        return tuple(
            InteractionKind(name=name, direction="outbound", summary=f"{name.title()}.")
            for name in ("estimate", "bill")
        )

    @hookimpl
    def relationship_measures(self) -> tuple[CaseMeasure, ...]:
        over = (pl.col("billed") > pl.col("estimated") * 1.1).fill_null(value=False)
        return (
            CaseMeasure(
                name="repair",
                parts=(
                    Part(name="estimated", kinds=("estimate",), combine="max", type="number", value=pl.col("amount")),
                    Part(name="billed", kinds=("bill",), combine="sum", type="number", value=pl.col("amount")),
                    Part(name="begun", kinds=("estimate",)),
                ),
                features=(
                    Feature(name="repairs", value=pl.len(), absent=0),
                    Feature(name="repairs_over_estimate", value=over.sum(), absent=0),
                    Feature(name="first_repair_at", value=pl.col("begun").min(), type="instant"),
                ),
                summary="What a repair should have cost, and did.",
            ),
        )


def test_a_plugin_has_cases_of_its_own(make_project: Open, make_interaction: Make) -> None:
    honest = Ladder(
        name="honest", stages=(Stage(name="new"), Stage(name="fair", enter="repairs - repairs_over_estimate >= 2"))
    )
    project = make_project(plugins=[Workshop()], ladder=honest)
    bills = [("1", 1_000, (900, 100)), ("2", 1_000, (1_050,)), ("3", 1_000, (700, 700)), ("4", None, (5,))]
    for reference, estimate, parts in bills:
        for place, minor in enumerate(parts):
            known = {"reference": reference, "id": f"bill {reference} {place}"}
            project.record([make_interaction("ada", "bill", START + place * DAY, minor=minor, **known)])
        if estimate is not None:
            known = {"reference": reference, "id": f"estimate {reference}"}
            project.record([make_interaction("ada", "estimate", START, minor=estimate, **known)])
    project.review(as_of=START + 3 * DAY)
    view = project.customer("ada", as_of=START + 3 * DAY)
    assert (view.measures["repairs"], view.measures["repairs_over_estimate"]) == (4, 1)
    assert (view.measures["first_repair_at"], view.stage) == (START, "fair")


class Warranty:
    """A plugin whose cases stand on the customer's page."""

    @hookimpl
    def relationship_interaction_kinds(self) -> tuple[InteractionKind, ...]:
        return tuple(
            InteractionKind(name=name, direction="inbound", summary="A test.") for name in ("claim", "claim_paid")
        )

    @hookimpl
    def relationship_measures(self) -> tuple[CaseMeasure, ...]:
        return (
            CaseMeasure(
                name="warranty_claim",
                parts=(
                    Part(name="claimed", kinds=("claim",)),
                    Part(name="by", kinds=("claim",), combine="max", value=pl.col("due")),
                    Part(name="paid", kinds=("claim_paid",)),
                ),
                features=(Feature(name="claims", value=pl.len(), absent=0),),
                opened="claimed",
                due="by",
                settled="paid",
            ),
        )


def test_the_cases_of_a_plugin_stand_beside_ours(make_project: Open, make_interaction: Make) -> None:
    project = make_project(plugins=[Warranty()])

    def deed(kind: str, day: float, reference: str, **data: str) -> None:
        known = {"id": f"{kind} {reference}", "reference": reference, "data": data}
        project.record([make_interaction("ada", kind, START + day * DAY, **known)])

    deed("claim", 0, "late", due="2024-01-03T12:00:00Z")
    deed("claim_paid", 3, "late")
    deed("claim_paid", 1, "in time")
    deed("claim", 0, "in time", due="2024-01-03")
    deed("claim", 1, "overdue", due="2024-01-03")
    deed("claim", 2, "open", due="2024-01-09")
    deed("claim", 3, "no date")
    deed("claim_paid", 3, "unpaired")
    deed("promise_made", 0, "ours", due="2024-01-04")
    view = project.customer("ada", as_of=START + 4 * DAY)
    assert [(case.kind, case.reference, case.state) for case in view.cases[:4]] == [
        ("warranty_claim", "overdue", "overdue"),
        ("promise", "ours", "overdue"),
        ("warranty_claim", "open", "open"),
        ("warranty_claim", "no date", "open"),
    ]
    done = {case.reference: (case.state, case.settled_by, case.settled_at) for case in view.cases[4:]}
    assert done == {
        "late": ("late", "paid", START + 3 * DAY),
        "in time": ("in_time", "paid", START + DAY),
        "unpaired": ("unpaired", "paid", START + 3 * DAY),
    }
    coming = [(each.what, each.detail, str(each.on), each.overdue) for each in view.ahead if each.what != "review"]
    assert coming == [
        ("case", "warranty claim overdue", "2024-01-03", True),
        ("promise", "ours", "2024-01-04", True),
        ("case", "warranty claim open", "2024-01-09", False),
        ("case", "warranty claim no date", "None", False),
    ]


def part(**more: Any) -> Part:
    return Part(**{"name": "begun", "kinds": ("estimate",), **more})


FEATURE = Feature(name="repairs", value=pl.len())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: part(combine="sum"), "the part 'begun' holds instants, which are combined by min or max, not by sum"),
        (lambda: part(kinds=()), "Part.kinds must hold at least one text"),
        (lambda: part(type="date"), "Part.type must be number or instant, not 'date'"),
        (
            lambda: CaseMeasure(name="repair", parts=(part(), part()), features=(FEATURE,)),
            "the case measure 'repair' cannot name a part 'begun', which is taken; rename it",
        ),
        (
            lambda: CaseMeasure(name="repair", parts=(part(name="now"),), features=(FEATURE,)),
            "the case measure 'repair' cannot name a part 'now', which is taken; rename it",
        ),
        (
            lambda: CaseMeasure(name="repair", parts=(part(),), features=(FEATURE,), opened="begin"),
            "the case measure 'repair' has no instant 'begin' to be opened; did you mean 'begun'?",
        ),
        (
            lambda: CaseMeasure(name="repair", parts=(part(),), features=(FEATURE,), settled="begun"),
            "the case measure 'repair' does not say which part opens a case; set opened as well",
        ),
        (lambda: CaseMeasure(name="repair", parts=(), features=(FEATURE,)), "hold at least one Part"),
        (lambda: CaseMeasure(name="repair", parts=(part(),), features=()), "hold at least one Feature"),
        (
            lambda: CaseMeasure(
                name="repair",
                key="category",  # type: ignore[arg-type]  # what is refused here
                parts=(part(),),
                features=(FEATURE,),
            ),
            "CaseMeasure.key must be day, reference, cause or topic, not 'category'",
        ),
    ],
)
def test_a_wrong_case_measure_gets_a_sentence(make: Callable[[], object], message: str) -> None:
    with pytest.raises(WrongArgumentError, match=message.replace("(", r"\(")):
        make()


def test_two_measures_of_one_name_are_refused_part_by_part() -> None:
    class Clash:
        @hookimpl
        def relationship_measures(self) -> tuple[CaseMeasure, ...]:
            return (CaseMeasure(name="promise", parts=(part(name="made"),), features=(FEATURE,)),)

    with pytest.raises(ConfigurationError, match="the measure 'promise"):
        _ = load_plugins(extra=[Clash()]).measures
