"""Rebuilding: history folded again gives the same numbers, and a rebuild may die at any moment."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from relationship_core import (
    Choice,
    ConfigurationError,
    Interaction,
    KeyedMeasure,
    Measure,
    Money,
    OrderLine,
    Relationships,
    Settings,
    Store,
    hookimpl,
    load_plugins,
)
from relationship_core.builtin.memory import MemoryStore
from relationship_core.flow import rebuild as rebuild_module
from relationship_core.flow.progress import Progress
from relationship_core.flow.rebuild import Rebuilt, check_measures, rebuild
from relationship_core.flow.record.recorder import Recorder
from relationship_core.flow.record.recording import record

Measures = tuple[Measure | KeyedMeasure, ...]
MakeRecorder = Callable[..., Recorder]
KeptNumbers = Callable[[Recorder], dict[tuple[str, ...], float]]
MakeMortal = Callable[..., Store]

NOON = datetime(2017, 3, 1, 12, tzinfo=UTC)


def history(customers: int = 5) -> list[Interaction]:
    return [
        Interaction(
            source="shop",
            id=f"{number}",
            customer=f"c{number % customers}",
            kind="order" if number % 3 else "visit",
            at=NOON + timedelta(days=number * 7),
            amount=Money(minor=100 + number, currency="EUR"),
            reference=f"r{number % 2}",
            lines=[OrderLine(product="tea", category=f"k{number % 2}", minor=100)],
        )
        for number in range(customers * 4)
    ]


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rebuild_module, "_INTERACTIONS_A_PAGE", 8)  # two of the customers above
    monkeypatch.setattr(rebuild_module, "_FIRST_PAGE", 2)


def test_a_rebuild_gives_the_same_numbers(
    store: Store, make_recorder: MakeRecorder, every_measure: Measures, kept_numbers: KeptNumbers
) -> None:
    recorder = make_recorder(store, every_measure)
    for one in reversed(history()):
        record(recorder, [one])
    before = kept_numbers(recorder)
    heard: list[Progress] = []
    assert rebuild(recorder, progress=heard.append) == Rebuilt(customers=5, interactions=20, resumed=False)
    assert kept_numbers(recorder) == pytest.approx(before, rel=1e-9)
    assert [(one.done, one.total) for one in heard] == [(2, 5), (4, 5), (5, 5)]


def test_a_rebuild_takes_more_at_once_of_customers_with_short_histories(
    store: Store, make_recorder: MakeRecorder, every_measure: Measures
) -> None:
    recorder = make_recorder(store, every_measure)
    # Of forty customers the first twenty have one interaction each, the others eight.
    times = [1 if number < 20 else 8 for number in range(40)]
    record(
        recorder,
        [
            Interaction(source="shop", id=f"{number}-{time}", customer=f"c{number:02}", kind="visit", at=NOON)
            for number, many in enumerate(times)
            for time in range(many)
        ],
    )
    heard: list[Progress] = []
    assert rebuild(recorder, progress=heard.append).interactions == sum(times)
    done = [0, *(one.done for one in heard)]
    assert done[:4] == [0, 2, 10, 18]
    assert [after - before for before, after in pairwise(done[4:])] == [1] * 14
    assert done[-1] == 40


def test_a_rebuild_marks_everybody(store: Store, make_recorder: MakeRecorder, every_measure: Measures) -> None:
    recorder = make_recorder(store, every_measure)
    record(recorder, history())
    rebuild(recorder)
    assert store.marked("review") is None


def test_a_rebuild_of_nothing(store: Store, make_recorder: MakeRecorder, every_measure: Measures) -> None:
    assert rebuild(make_recorder(store, every_measure)) == Rebuilt(customers=0, interactions=0, resumed=False)


def test_a_rebuild_settles_new_changed_and_removed_measures(
    store: Store, make_recorder: MakeRecorder, every_measure: Measures, kept_numbers: KeptNumbers
) -> None:
    record(make_recorder(store, every_measure), history())
    new = Measure(name="new", combine="count")
    changed = Measure(name="spent", combine="count")
    measures = (*(one for one in every_measure if one.name not in {"spent", "order_day", "paid"}), changed, new)
    recorder = make_recorder(store, measures)
    with pytest.raises(ConfigurationError):
        check_measures(store, measures)
    rebuild(recorder)
    check_measures(store, measures)
    fresh = make_recorder(MemoryStore(), measures)
    record(fresh, history())
    assert kept_numbers(recorder) == pytest.approx(kept_numbers(fresh), rel=1e-9)


@pytest.mark.parametrize("moment", ["before the commit", "after the commit"])
@pytest.mark.parametrize("at", [1, 2, 3, 4, 5])
def test_a_rebuild_that_dies_is_taken_up(
    store: Store,
    at: int,
    moment: str,
    *,
    make_mortal: MakeMortal,
    make_recorder: MakeRecorder,
    every_measure: Measures,
    kept_numbers: KeptNumbers,
) -> None:
    committed = moment == "after the commit"
    first, rest = history()[:15], history()[15:]
    record(make_recorder(store, every_measure), first)
    measures = (*every_measure, Measure(name="new", combine="count"))
    with pytest.raises(KeyboardInterrupt):
        rebuild(make_recorder(make_mortal(store, at, committed=committed), measures))
    begun = committed or at > 1
    finished = committed and at == 5
    if begun and not finished:
        with pytest.raises(ConfigurationError, match="a rebuild of the measures did not come to its end"):
            check_measures(store, measures)
        record(make_recorder(store, measures), rest)  # recording goes on beside it
    recorder = make_recorder(store, measures)
    if not finished:
        assert rebuild(recorder).resumed == begun
    record(recorder, rest)
    check_measures(store, measures)
    fresh = make_recorder(MemoryStore(), measures)
    record(fresh, history())
    assert kept_numbers(recorder) == pytest.approx(kept_numbers(fresh), rel=1e-9)


def test_a_rebuild_of_other_measures_does_not_take_up_one_that_died(
    store: Store,
    make_mortal: MakeMortal,
    make_recorder: MakeRecorder,
    every_measure: Measures,
    kept_numbers: KeptNumbers,
) -> None:
    record(make_recorder(store, every_measure), history())
    with pytest.raises(KeyboardInterrupt):
        rebuild(make_recorder(make_mortal(store, 3, committed=True), every_measure))
    measures = (*every_measure, Measure(name="new", combine="count"))
    recorder = make_recorder(store, measures)
    assert rebuild(recorder) == Rebuilt(customers=5, interactions=20, resumed=False)
    fresh = make_recorder(MemoryStore(), measures)
    record(fresh, history())
    assert kept_numbers(recorder) == pytest.approx(kept_numbers(fresh), rel=1e-9)


@settings(max_examples=20)
@given(shuffled=st.permutations(history(2)))
def test_a_rebuild_after_any_order_of_arrival(
    shuffled: list[Interaction], make_recorder: MakeRecorder, every_measure: Measures, kept_numbers: KeptNumbers
) -> None:
    recorder = make_recorder(MemoryStore(), every_measure, batch=3)
    record(recorder, shuffled)
    before = kept_numbers(recorder)
    rebuild(recorder)
    assert kept_numbers(recorder) == pytest.approx(before, rel=1e-9)


def test_a_new_measure_is_noticed_by_every_step_until_history_is_folded_again(
    tmp_path: Path, make_interaction: Callable[..., Interaction]
) -> None:
    class Wishes:
        @hookimpl
        def relationship_measures(self) -> tuple[Measure, ...]:
            return (Measure(name="wishes", kinds=("inquiry",), combine="count", summary="Inquiries."),)

    now = datetime(2024, 3, 1, tzinfo=UTC)
    kept = Settings(store=Choice(use="sqlite", settings={"path": str(tmp_path / "kept.db")}))
    with Relationships(settings=kept, clock=lambda: now) as project:
        project.record([make_interaction("ada", "inquiry", now)])
        project.run()
    with Relationships(settings=kept, clock=lambda: now, plugins=load_plugins(extra=[Wishes()])) as project:
        for step in (project.review, project.plan, project.run):
            with pytest.raises(ConfigurationError, match=r"'wishes' is new .* `relate rebuild`"):
                step()
        project.rebuild()
        project.run()
        assert project.customer("ada").measures["wishes"] == 1
