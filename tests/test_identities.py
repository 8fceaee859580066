"""Identities: ids that become one customer, and customers of their own again."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from attrs import evolve
from hypothesis import given, settings, strategies as st

from relationship_core import (
    ALIASES,
    CUSTOMERS,
    MERGES,
    MESSAGES,
    STATES,
    TRANSITIONS,
    Campaign,
    Choice,
    ConfigurationError,
    ContactPoint,
    Customer,
    Interaction,
    KeyedMeasure,
    Measure,
    ProjectSettings,
    RejectedError,
    Relationships,
    RetriableError,
)
from relationship_core.builtin.memory import MemoryStore
from relationship_core.flow import accounts, identities
from relationship_core.flow.rebuild import rebuild
from relationship_core.flow.record.recorder import Recorder
from relationship_core.flow.record.recording import record
from relationship_core.flow.united import united

Make = Callable[..., Interaction]
Open = Callable[..., Relationships]
Know = Callable[..., Customer]
Plan = Callable[..., Campaign]
Record = Callable[..., Recorder]
Numbers = Callable[[Recorder], dict[tuple[str, ...], float]]

START = datetime(2024, 1, 1, 12, tzinfo=UTC)


def days(number: float) -> timedelta:
    return timedelta(days=number)


def two_ids_of_ada(project: Relationships, make_customer: Know, make_interaction: Make) -> None:
    project.record_customers([make_customer("ada", name="Ada", country=None), make_customer("lovelace", country="GB")])
    project.record([make_interaction("ada", "order", START, minor=100)])
    project.record([make_interaction("lovelace", "order", START + days(3), minor=50)])


# What a merge does


def test_numbers_add_up_under_the_survivors_id_and_come_apart_again(
    make_project: Open, make_customer: Know, make_interaction: Make
) -> None:
    project = make_project()
    two_ids_of_ada(project, make_customer, make_interaction)
    apart = {who: project.customer(who).measures for who in ("ada", "lovelace")}

    done = project.identities.merge("lovelace", into="ada", actor="grace", reason="married")
    assert (done.act, done.customer, done.survivor, done.actor, done.reason) == (
        "merge",
        "lovelace",
        "ada",
        "grace",
        "married",
    )
    both = project.customer("ada")
    assert (both.measures["orders"], both.measures["spent"], both.interactions) == (2.0, 150.0, 2)
    assert project.customer("lovelace") == both, "the merged id stands for the survivor"

    project.identities.unmerge("lovelace")
    assert {who: project.customer(who).measures for who in ("ada", "lovelace")} == apart


def test_history_and_profiles_keep_the_ids_under_which_they_came(
    make_project: Open, make_customer: Know, make_interaction: Make
) -> None:
    project = make_project()
    two_ids_of_ada(project, make_customer, make_interaction)
    before = {table.name: project.store.read(table).rows() for table in (CUSTOMERS, MESSAGES)}
    project.identities.merge("lovelace", into="ada")
    project.record([make_interaction("lovelace", "visit", START + days(4))])
    assert {table.name: project.store.read(table).rows() for table in (CUSTOMERS, MESSAGES)} == before
    assert project.customer("ada").measures["interactions"] == 3.0

    project.identities.unmerge("lovelace")
    assert project.customer("ada").measures["interactions"] == 1.0
    assert project.customer("lovelace").measures["interactions"] == 2.0


def test_a_survivor_is_known_by_what_both_say_and_by_its_own_word_first(
    make_project: Open, make_customer: Know, make_interaction: Make
) -> None:
    project = make_project()
    two_ids_of_ada(project, make_customer, make_interaction)
    project.identities.merge("lovelace", into="ada")
    who = project.customer("lovelace").customer
    assert (who.id, who.name, who.country) == ("ada", "Ada", "GB")
    assert {point.address for point in who.contact_points} == {"ada@example.com", "lovelace@example.com"}
    assert project.explain("lovelace").customer == "ada"


def test_chains_are_followed_to_their_end_and_come_apart_link_by_link(
    make_project: Open, make_interaction: Make
) -> None:
    project = make_project()
    project.record([make_interaction(who, "order", START, minor=1) for who in "abc"])
    project.identities.merge("a", into="b")
    project.identities.merge("b", into="c")
    assert project.identities.show("a").customer == "c"
    assert project.identities.show("c").aliases == ("a", "b")
    assert project.customer("a").measures["orders"] == 3.0

    project.identities.unmerge("b")
    assert project.identities.show("a").customer == "b", "what was merged into it before stays with it"
    assert [project.customer(who).measures["orders"] for who in "abc"] == [2.0, 2.0, 1.0]
    assert [(each.act, each.customer, each.survivor) for each in project.identities.show("a").merges] == [
        ("merge", "a", "b"),
        ("merge", "b", "c"),
        ("unmerge", "b", "c"),
    ]


def test_merging_into_a_merged_id_means_its_survivor(make_project: Open, make_interaction: Make) -> None:
    project = make_project()
    project.record([make_interaction(who, "visit", START) for who in "abc"])
    project.identities.merge("a", into="b")
    assert project.identities.merge("c", into="a").survivor == "b"


def test_an_id_of_another_system_is_linked_before_anything_comes_under_it(
    make_project: Open, make_interaction: Make
) -> None:
    project = make_project()
    project.record([make_interaction("ada", "visit", START)])
    project.identities.link("crm-17", to="ada")
    done = project.record([make_interaction("crm-17", "visit", START + days(1))])
    assert (done.new, done.unknown_customers) == (1, 0)
    assert project.customer("ada").measures["interactions"] == 2.0
    assert project.report().customers == 1


def test_a_repetition_under_the_other_id_is_none_of_another_customer(
    make_project: Open, make_interaction: Make
) -> None:
    project = make_project()
    project.record([make_interaction("ada", "visit", START, id="1"), make_interaction("eve", "visit", START, id="2")])
    with pytest.raises(RejectedError, match="another customer"):
        project.record([make_interaction("eve", "visit", START, id="1")])
    project.identities.merge("eve", into="ada")
    assert project.record([make_interaction("eve", "visit", START, id="1")]).repeated == 1


def test_a_batch_that_comes_again_after_a_merge_is_a_repetition_but_for_what_contradicts(
    make_project: Open, make_interaction: Make
) -> None:
    project = make_project()
    batch = [make_interaction(who, "visit", START, id=who) for who in ("ada", "bob", "eve", "joe")]
    project.record(batch)
    project.identities.merge("eve", into="ada")
    assert project.record(batch).repeated == 4
    wrong = [batch[0], make_interaction("eve", "visit", START, id="bob"), *batch[2:]]
    with pytest.raises(RejectedError, match=r"the id 'bob' of 'test' was recorded before with another customer;"):
        project.record(wrong)


def test_files_that_name_the_merged_id_are_for_the_survivor(
    make_project: Open, make_interaction: Make, tmp_path: Any
) -> None:
    project = make_project()
    project.record([make_interaction("ada", "visit", START), make_interaction("eve", "visit", START)])
    project.identities.merge("eve", into="ada")
    project.review(as_of=START)
    for name, text in (
        ("interactions", "source,id,customer,kind,at\nshop,1,eve,visit,2024-02-01T00:00:00Z\n"),
        ("customers", "customer,country\neve,GB\n"),
    ):
        file = tmp_path / f"{name}.csv"
        file.write_text(text)
        project.import_file(name, file)  # type: ignore[arg-type]  # one of the two words, in a loop
        assert project.store.marked("review") == 1, "the survivor, once"
        assert project.review(as_of=START + days(60)).customers == 1
    seen = project.customer("ada", as_of=START + days(60))
    assert (seen.measures["interactions"], seen.customer.country) == (3.0, "GB")


@pytest.mark.parametrize("use", ["memory", "sqlite"])
def test_a_merge_is_there_after_the_project_was_closed_and_in_another_process(
    use: str, make_project: Open, make_interaction: Make, tmp_path: Any
) -> None:
    if use == "memory":
        project = again = make_project()
    else:
        store = Choice(use="sqlite", settings={"path": str(tmp_path / "r.db")})
        project, again = (make_project(store=store, folder=tmp_path) for _ in range(2))
    with project, again:
        project.record([make_interaction(who, "visit", START) for who in ("ada", "eve")])
        assert again.customer("eve").measures["interactions"] == 1.0
        project.identities.merge("eve", into="ada")
        again.record([make_interaction("eve", "visit", START + days(1))])
        assert again.customer("eve").measures["interactions"] == 3.0
        again.identities.unmerge("eve")
        project.record([make_interaction("eve", "visit", START + days(2))])
        assert [project.customer(who).measures["interactions"] for who in ("ada", "eve")] == [1.0, 3.0]


# What is refused


@pytest.mark.parametrize(
    ("act", "told"),
    [
        (lambda ids: ids.merge("ada", into="ada"), "cannot be merged with itself"),
        (lambda ids: ids.merge("eve", into="ada"), "one customer already, 'ada'"),
        (lambda ids: ids.merge("ada", into="eve"), "one customer already, 'ada'"),
        (lambda ids: ids.merge("eve", into="bob"), "was merged into 'ada' before; un-merge it first, or merge 'ada'"),
        (lambda ids: ids.merge("nobody", into="ada"), "there is no customer 'nobody'"),
        (lambda ids: ids.merge("bob", into="nobody"), "there is no customer 'nobody'"),
        (lambda ids: ids.merge("bob", into="firm"), "'firm' is an account and 'bob' is none"),
        (lambda ids: ids.merge("firm", into="eve"), "'firm' is an account and 'eve' is none"),
        (lambda ids: ids.unmerge("bob"), "'bob' is not merged into anybody"),
        (lambda ids: ids.unmerge("nobody"), "there is no customer 'nobody'"),
        (lambda ids: ids.link("bob", to="ada"), "is a customer's already"),
        (lambda ids: ids.link("new", to="nobody"), "there is no customer 'nobody'"),
        (lambda ids: ids.link(" new", to="ada"), "white space"),
        (lambda ids: ids.link("", to="ada"), "there is no customer"),
        (lambda ids: ids.show("nobody"), "there is no customer 'nobody'"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence_and_changes_nothing(
    act: Callable[[Any], object], told: str, make_project: Open, make_interaction: Make
) -> None:
    project = make_project()
    project.record([make_interaction(who, "visit", START) for who in ("ada", "bob", "eve", "firm", "kim")])
    project.identities.merge("eve", into="ada")
    project.accounts.link("firm", "kim")
    before = [project.store.read(table).rows() for table in (ALIASES, MERGES, CUSTOMERS)]
    with pytest.raises(RejectedError, match=told):
        act(project.identities)
    assert [project.store.read(table).rows() for table in (ALIASES, MERGES, CUSTOMERS)] == before


@pytest.mark.parametrize("act", ["merge", "link", "unmerge", "show"])
def test_an_id_that_is_no_text_is_told_as_such(act: str, make_project: Open) -> None:
    more: Mapping[str, Any] = {"merge": {"into": "a"}, "link": {"to": "a"}}.get(act, {})
    with pytest.raises(ConfigurationError, match="as text, not an int"):
        getattr(make_project().identities, act)(17, **more)


# Engagements


def lettered(project: Relationships) -> list[tuple[str, str]]:
    rows = project.store.read(MESSAGES, columns=["customer", "state"])
    return sorted(rows.iter_rows())


def test_what_was_delivered_to_either_id_counts_for_both_and_for_its_own_again(
    make_project: Open, make_campaign: Plan, make_customer: Know
) -> None:
    project = make_project(make_campaign("hello", when="customer = 'ada' OR customer = 'eve'"))
    project.record_customers([make_customer("eve")])
    project.run(as_of=START)
    assert lettered(project) == [("eve", "accepted")]
    project.record_customers([make_customer("ada")])
    project.identities.merge("eve", into="ada")
    project.run(as_of=START + days(30))
    assert lettered(project) == [("eve", "accepted")], "never the same twice"
    assert [each.state for each in project.explain("ada", as_of=START + days(30)).actions[0].messages] == ["accepted"]

    project.identities.unmerge("eve")
    project.run(as_of=START + days(60))
    assert lettered(project) == [("ada", "accepted"), ("eve", "accepted")]
    project.identities.merge("eve", into="ada")
    project.run(as_of=START + days(90))
    assert len(lettered(project)) == 2


def test_a_contact_with_either_id_is_a_contact_with_the_customer(
    make_project: Open, make_campaign: Plan, make_customer: Know
) -> None:
    project = make_project(
        make_campaign("first", when="customer = 'eve'"), make_campaign("second", when="customer = 'ada'")
    )
    project.record_customers([make_customer("ada", contact_points=[]), make_customer("eve")])
    project.run(as_of=START)
    project.identities.merge("eve", into="ada")
    decided = project.run(as_of=START + days(1)).planned
    assert decided is not None
    assert dict(decided.decided)["second", "minimum_interval"] == 1, "reached by the merged id's address, but not yet"
    project.run(as_of=START + days(20))
    assert lettered(project) == [("ada", "accepted"), ("eve", "accepted")]


def test_of_one_engagement_that_waits_for_both_ids_one_message_goes_out(
    make_project: Open, make_campaign: Plan, make_customer: Know
) -> None:
    project = make_project(make_campaign("hello"))
    project.record_customers([make_customer("ada"), make_customer("eve")])
    project.review(as_of=START)
    project.plan(as_of=START)
    project.identities.merge("eve", into="ada")
    assert lettered(project) == [("ada", "queued")]
    assert project.plan(as_of=START).planned == 0
    project.deliver(as_of=START)

    project.identities.unmerge("eve")
    project.run(as_of=START + days(1))
    assert lettered(project) == [("ada", "accepted"), ("eve", "accepted")], "what was taken back may come again"


def test_a_message_that_waits_for_the_merged_id_goes_out_with_what_is_known_of_the_survivor(
    make_project: Open, make_campaign: Plan, make_customer: Know, make_interaction: Make, tmp_path: Any
) -> None:
    text = "{{ customer.name }} has {{ facts.orders }} orders"
    variant = make_campaign("x").actions[0].variants[0].__class__(channel="letters", subject="s", text=text)
    project = make_project(
        make_campaign("hello", when="orders = 1", variants=[variant]),
        channels={"letters": Choice(use="folder", settings={"path": str(tmp_path)})},
    )
    project.record_customers([make_customer("ada", contact_points=[]), make_customer("eve", name="Eve")])
    project.record([make_interaction(who, "order", START, minor=1) for who in ("ada", "eve")])
    project.review(as_of=START)
    project.plan(as_of=START)
    assert lettered(project) == [("eve", "queued")]
    project.identities.merge("eve", into="ada")
    assert project.deliver(as_of=START).accepted == 1
    (sent,) = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert "Ada has 2 orders" in sent.read_text()


def test_two_messages_on_their_way_hold_up_a_merge(
    make_project: Open, make_campaign: Plan, make_customer: Know
) -> None:
    project = make_project(make_campaign("hello"))
    project.record_customers([make_customer("ada"), make_customer("eve")])
    project.review(as_of=START)
    project.plan(as_of=START)
    with project.store.transaction():
        project.store.claim(worker="w", channel="letters", as_of=START, until=START + days(1), limit=9)
    with pytest.raises(RetriableError, match="being sent to both"):
        project.identities.merge("eve", into="ada")
    assert project.store.read(ALIASES).is_empty()


# The ladder


def test_the_survivor_keeps_its_stage_and_the_merged_id_gets_its_own_back(
    make_project: Open, make_interaction: Make
) -> None:
    project = make_project()
    project.record([make_interaction("ada", "visit", START), make_interaction("eve", "order", START, minor=1)])
    project.review(as_of=START)
    stages = dict(project.store.read(STATES, columns=["customer", "stage"]).iter_rows())
    assert stages == {"eve": "customer"}, "who stands on the first rung needs no row"
    project.identities.merge("eve", into="ada")
    assert project.customer("ada", as_of=START).stage == "prospect", "never silently the other one"
    assert project.ladder().stages["prospect"] == 1
    assert sum(project.ladder().stages.values()) == 1
    reviewed = project.review(as_of=START + days(1))
    assert (reviewed.customers, reviewed.transitions) == (1, 1), "by what both did it is a customer now"
    assert sum(project.report().ladder.stages.values()) == 1
    assert project.review(as_of=START + days(500), everybody=True).customers == 1

    project.identities.unmerge("eve")
    assert project.customer("eve", as_of=START + days(500)).stage == "customer"
    assert project.review(as_of=START + days(500)).customers == 2
    assert sum(project.ladder().stages.values()) == 2


CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["record", "record", "merge", "unmerge"]),
        st.integers(0, 3),
        st.integers(0, 3),
        st.sampled_from(["order", "order", "visit", "praise", "complaint_opened", "promise_kept"]),
        st.floats(0.1, 60),
    ),
    min_size=3,
    max_size=25,
)


def kept(project: Relationships) -> list[list[tuple[Any, ...]]]:
    columns = ["customer", "stage", "since", "lapsed"]
    states = project.store.read(STATES, columns=columns)
    # Who was looked at and has not moved needs no state.
    told = states.filter((pl.col("stage") != "prospect") | pl.col("since").is_not_null() | pl.col("lapsed"))
    return [told.rows(), project.store.read(TRANSITIONS, columns=["customer", "at", "origin", "target"]).rows()]


@given(changes=CHANGES)
@settings(max_examples=25)
def test_reviewing_the_due_is_reviewing_everybody_with_merges_in_between(
    changes: Sequence[tuple[str, int, int, str, float]], make_project: Open, make_interaction: Make
) -> None:
    due, everybody = make_project(), make_project()
    known, now = set[str](), START
    for number, (what, one, other, kind, wait) in enumerate(changes):
        now += timedelta(days=round(wait, 2))
        who, whom = f"c{one}", f"c{other}"
        for project in (due, everybody):
            if what == "record" or not {who, whom} <= known:
                minor = 100 if kind == "order" else None
                project.record([make_interaction(who, kind, now, minor=minor, id=str(number))])
            elif what == "merge":
                try_to(project.identities.merge, who, into=whom)
            else:
                try_to(project.identities.unmerge, who)
        known.add(who)
        due.review(as_of=now)
        everybody.review(as_of=now, everybody=True)
        assert kept(due) == kept(everybody)


def try_to(act: Callable[..., object], *given: object, **more: object) -> bool:
    try:
        act(*given, **more)
    except RejectedError:
        return False
    return True


# Measures, in any order of events


IDS = ("p0", "p1", "p2", "p3", "f0", "f1")
OPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("record"),
            st.sampled_from(IDS),
            st.sampled_from(["order", "visit", "complaint_opened"]),
            st.integers(0, 1_000_000),
            st.none() | st.integers(0, 10_000),
        ),
        st.tuples(st.just("merge"), st.sampled_from(IDS), st.sampled_from(IDS)),
        st.tuples(st.just("unmerge"), st.sampled_from(IDS)),
        st.tuples(st.just("link"), st.sampled_from(IDS), st.sampled_from(IDS), st.none() | st.integers(0, 1_000_000)),
        st.tuples(st.just("unlink"), st.sampled_from(IDS), st.sampled_from(IDS), st.booleans()),
        st.tuples(st.just("rebuild")),
    ),
    min_size=4,
    max_size=30,
)


def at_minute(minute: int) -> datetime:
    return START - days(300) + timedelta(minutes=minute)


class Model:
    """Who is who and what happened, as a person would write it down."""

    def __init__(self) -> None:
        self.history: list[Interaction] = []
        self.into: dict[str, str] = {}
        self.links: dict[tuple[str, str], tuple[datetime | None, datetime | None]] = {}

    def now(self, customer: str) -> str:
        while customer in self.into:
            customer = self.into[customer]
        return customer

    def unlink(self, account: str, contact: str, end: datetime | None) -> None:
        pair = self.now(account), self.now(contact)
        for each in [each for each in self.links if (self.now(each[0]), self.now(each[1])) == pair]:
            since, until = self.links.pop(each)
            if end is not None:
                self.links[each] = (since, until or end)

    def counted(self) -> list[tuple[Interaction, str]]:
        """Every interaction with everybody whom it counts for, once each."""
        found = set[tuple[str, str]]()
        by_id = {each.id: each for each in self.history}
        for each in self.history:
            who = self.now(each.customer)
            found.add((each.id, who))
            for (account, contact), (since, until) in self.links.items():
                in_time = (since is None or since <= each.at) and (until is None or each.at < until)
                if self.now(contact) == who and in_time:
                    found.add((each.id, self.now(account)))
        return [(by_id[id_], who) for id_, who in sorted(found)]


def play(recorder: Recorder, model: Model, op: tuple[Any, ...], number: int, make: Make) -> None:
    match op:
        case ("record", who, kind, minute, minor):
            happened = make(who, kind, at_minute(minute), minor=minor, id=str(number), reference=f"r{number % 3}")
            record(recorder, [happened])
            model.history.append(happened)
        case ("merge", who, whom):
            if try_to(identities.merge, recorder, who, whom):
                model.into[who] = model.now(whom)
        case ("unmerge", who):
            if try_to(identities.unmerge, recorder, who):
                del model.into[who]
        case ("link", account, contact, minute):
            since = None if minute is None else at_minute(minute)
            if try_to(accounts.link, recorder, account, contact, since=since):
                model.links[account, contact] = (since, None)
        case ("unlink", account, contact, mistaken):
            if try_to(accounts.unlink, recorder, account, contact, mistaken=mistaken):
                model.unlink(account, contact, None if mistaken else recorder.clock())
        case _:
            rebuild(recorder)


@given(ops=OPS)
@settings(max_examples=120)
def test_any_order_of_events_gives_the_numbers_of_each_ones_own_history(
    ops: Sequence[tuple[Any, ...]],
    every_measure: tuple[Measure | KeyedMeasure, ...],
    make_recorder: Record,
    make_interaction: Make,
    kept_numbers: Numbers,
) -> None:
    recorder = make_recorder(united(MemoryStore()), every_measure)
    model = Model()
    record(recorder, [make_interaction(who, "visit", START, id=f"first {who}") for who in IDS])
    model.history.extend(make_interaction(who, "visit", START, id=f"first {who}") for who in IDS)
    for number, op in enumerate(ops):
        play(recorder, model, op, number, make_interaction)

    scratch = make_recorder(MemoryStore(), every_measure)
    record(scratch, [rewritten(each, who) for each, who in model.counted()])
    expected, found = kept_numbers(scratch), kept_numbers(recorder)
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        assert found[key] == pytest.approx(value, rel=1e-9), key


def rewritten(interaction: Interaction, who: str) -> Interaction:
    return evolve(interaction, customer=who, source=who)


# Candidates


def person(id_: str, name: str = "", country: str | None = None, **points: str) -> Customer:
    contact_points = [ContactPoint(medium=medium, address=address) for medium, address in points.items()]
    return Customer(id=id_, name=name, country=country, contact_points=contact_points)


def found(project: Relationships) -> dict[tuple[str, ...], tuple[str, ...]]:
    return {each.customers: each.reasons for each in project.identities.candidates().found}


MAIL, CALL, HOME = "the same e-mail address", "the same telephone number", "the same name and postal address"


@pytest.mark.parametrize(
    ("one", "other", "country", "reasons"),
    [
        ({"email": "Ann.Lee@Example.com"}, {"email": "ann.lee@example.com"}, "", (MAIL,)),
        ({"email": "ann.lee@example.com"}, {"email": "annlee@example.com"}, "", ()),
        ({"email": "ann+shop@example.com"}, {"email": "ann@example.com"}, "", ()),
        ({"sms": "+44 20 7946 0958"}, {"sms": "+442079460958"}, "", (CALL,)),
        ({"sms": "020 7946 0958", "country": "GB"}, {"sms": "+44 (0)20 7946-0958"}, "", (CALL,)),
        ({"sms": "020 7946 0958"}, {"sms": "0044 20 79460958"}, "GB", (CALL,)),
        ({"sms": "020 7946 0958", "country": "GB"}, {"sms": "020 7946 0958", "country": "DE"}, "", ()),
        ({"sms": "+44 20 7946 0958 ext. 5"}, {"sms": "+44 20 7946 0958"}, "", ()),
        ({"sms": "+44 20 7946 0958 ext. 5"}, {"sms": "+44 20 7946 0958#5"}, "", (CALL,)),
        ({"sms": "1-800-356-9377"}, {"sms": "1-800-FLOWERS"}, "US", (CALL,)),
        ({"sms": "\uff0b44 20 7946 0958"}, {"sms": "+44 20 7946 0958"}, "", (CALL,)),
        ({"sms": "4002"}, {"sms": "+683 4002"}, "NU", (CALL,)),
        ({"sms": "12345678901234567890"}, {"sms": "12345678901234567890"}, "GB", ()),
        (
            {"name": "Ann  Lee", "post": "1 High St.\nYork"},
            {"name": "ann lee", "post": "1 high st\nYORK"},
            "",
            (HOME,),
        ),
        ({"name": "Ann Lee", "post": "1 High St\nYork"}, {"name": "Bob Lee", "post": "1 High St\nYork"}, "", ()),
        ({"post": "1 High St\nYork"}, {"post": "1 High St\nYork"}, "", ()),
        (
            {"email": "a@example.com", "sms": "+442079460958"},
            {"email": "A@example.com", "sms": "+44 2079460958"},
            "",
            (MAIL, CALL),
        ),
    ],
)
def test_candidates_share_what_can_be_compared(
    one: Mapping[str, str], other: Mapping[str, str], country: str, reasons: tuple[str, ...], make_project: Open
) -> None:
    project = make_project(project=ProjectSettings(country=country))
    project.record_customers([person("a", **one), person("b", **other), person("c", name="Somebody")])
    assert found(project) == ({("a", "b"): reasons} if reasons else {})
    assert project.store.read(ALIASES).is_empty(), "nobody is merged"


def test_a_number_without_a_country_is_told_and_stops_nothing(make_project: Open) -> None:
    project = make_project()
    project.record_customers(
        [
            person("a", sms="020 7946 0958", email="a@example.com"),
            person("b", sms="020 7946 0958", email="A@example.com"),
        ]
    )
    seen = project.identities.candidates()
    assert [(each.customers, each.reasons) for each in seen.found] == [(("a", "b"), (MAIL,))]
    assert [(each.customer, each.medium) for each in seen.uncompared] == [("a", "sms"), ("b", "sms")]
    assert "neither its customer nor [project] has a country" in seen.uncompared[0].reason


def test_a_number_that_cannot_be_one_is_told(make_project: Open) -> None:
    project = make_project()
    number = "123456789012345"
    project.record_customers([person(id_, country="GB", sms=number) for id_ in "ab"])
    assert [each.reason for each in project.identities.candidates().uncompared] == [
        "the telephone number cannot be one in its customer's country"
    ] * 2


def test_candidates_are_those_of_now(make_project: Open) -> None:
    project = make_project()
    project.record_customers([person(id_, email="us@example.com") for id_ in "abcd"])
    project.identities.merge("b", into="a")
    assert found(project) == {("a", "c", "d"): (MAIL,)}
    project.accounts.link("d", "c")
    assert found(project) == {("a", "c"): (MAIL,)}, "a firm is no candidate for a person"
    project.identities.unmerge("b")
    assert found(project) == {("a", "b", "c"): (MAIL,)}


def test_candidates_of_many_customers_take_seconds(make_project: Open) -> None:
    number = 50_000
    project = make_project(project=ProjectSettings(country="DE"))
    ids = pl.Series("customer", [f"c{n:06d}" for n in range(number)])
    place = pl.int_range(number, eager=True)
    people = pl.DataFrame(
        {
            "customer": ids,
            "name": "Name " + (place % 20_000).cast(pl.String),
            # One house with a thousand names, one address with a thousand customers.
            "contact.email": "m"
            + pl.select(pl.when(place < 1_000).then(0).otherwise(place)).to_series().cast(pl.String)
            + "@example.com",
            "contact.sms": "0151 " + (place * 7919 % 100_000_000).cast(pl.String).str.zfill(8),
            "contact.post": "Street " + (place % 10).cast(pl.String) + "\nTown",
        }
    )
    project.record_customers(people)
    start = time.perf_counter()
    groups = project.identities.candidates().found
    assert time.perf_counter() - start < 20, "200,000 take two seconds where nobody else is busy; the square, an hour"
    assert max(len(each.customers) for each in groups) == 1_000
