"""Permission against a slow reference in plain Python: consent, wishes, suppressions, merges and un-merges."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, frozen
from hypothesis import given, settings, strategies as st

from relationship_core import (
    Choice,
    Consent,
    ConsentSettings,
    ContactPoint,
    Customer,
    Interaction,
    Money,
    Plugins,
    Preference,
    PreferenceSettings,
    RejectedError,
    Relationships,
    Settings,
    Suppression,
)
from relationship_core.flow.permission.keys import address_key
from relationship_core.flow.permission.terms import Terms

START = datetime(2024, 1, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
IDS = ("ada", "bob", "cleo")
MEDIA, TOPICS = ("email", "sms"), ("", "news", "offers")
ADDRESSES = ("", "one@example.com", "two@example.com")
STATES = ("not_needed", "granted", "pending", "expired", "none", "withdrawn", "objected")
ACTS, WISHES = ("grant", "confirm", "withdraw", "object"), ("close", "occasional", "transactional", "none")

Open = Callable[..., Relationships]


@frozen
class Merge:
    customer: str
    into: str


@frozen
class Unmerge:
    customer: str


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(scope="session")
def open_project(standard_plugins: Plugins) -> Open:
    """A project in memory in which marketing needs consent, with ``clock`` for its clock."""

    def open_it(clock: Clock, **more: Any) -> Relationships:
        chosen = Settings(channels={"letters": Choice(use="null")}, **more)
        project = Relationships(settings=chosen, clock=clock, plugins=standard_plugins)
        points = [ContactPoint(medium="email", address=address) for address in ADDRESSES[1:]]
        phone = ContactPoint(medium="sms", address="+49 30 1234567")
        project.record_customers([Customer(id=each, contact_points=[*points, phone]) for each in IDS])
        return project

    return open_it


# The slow reference: what was written under which id, folded act by act.


@frozen
class Kept:
    """Something that was said, under the id that it is written under, with those who were one customer with it."""

    id: str
    said: Consent | Preference
    recorded_at: datetime
    together: frozenset[str]

    @property
    def at(self) -> datetime:
        """Nothing happened after it was recorded."""
        return min(self.said.at, self.recorded_at)


class Reference:
    """Who is who, and what is written under which id, in the words of the rules."""

    def __init__(self, without: Sequence[str], double: Sequence[str]) -> None:
        self.into: dict[str, str] = {}
        self.kept: list[Kept] = []
        self.without, self.double = without, double

    def survivor(self, id: str) -> str:
        return self.survivor(self.into[id]) if id in self.into else id

    def group(self, id: str) -> list[str]:
        return [each for each in IDS if self.survivor(each) == self.survivor(id)]

    def merge(self, id: str, into: str) -> None:
        self.into[id] = self.survivor(into)

    def unmerge(self, id: str) -> None:
        """What was said together stays with the id that it was said of."""
        del self.into[id]
        self.kept = [evolve(each, together=each.together & {*self.group(each.id)}) for each in self.kept]

    def counts(self, kept: Kept, id: str) -> bool:
        return kept.id == id or id in kept.together

    def record(self, said: Consent | Preference, now: datetime, unasked: str = "occasional") -> bool:
        """Write it where it belongs; whether it was news."""
        group = frozenset(self.group(said.customer))
        alike = {kept.id for kept in self.kept if kept.id in group and content(kept.said) == content(said)}
        if isinstance(said, Consent) and said.act in {"withdraw", "object"}:
            ids = set() if said.customer in alike else group - alike
        elif isinstance(said, Consent):
            ids = set() if alike else {said.customer}
        else:
            stricter = {
                id
                for id in group - alike
                if WISHES.index(said.wish) > WISHES.index(self.wish_of_id(id, own=True, now=now) or unasked)
            }
            ids = set() if said.customer in alike else stricter | (set() if alike else {said.customer})
        self.kept += [Kept(id, said, now, group) for id in ids]
        return bool(ids)

    def state(self, customer: str, medium: str, topic: str, address: str, now: datetime) -> str:
        states = [self.state_of_id(id, medium, topic, address, now) for id in self.group(customer)]
        strictest = max(states, key=STATES.index)
        if medium in self.without and strictest in {"pending", "expired", "none"}:
            return "not_needed"
        return strictest

    def state_of_id(self, id: str, medium: str, topic: str, address: str, now: datetime) -> str:
        acts = [
            (kept.at, kept.said)
            for kept in self.kept
            if isinstance(kept.said, Consent)
            and self.counts(kept, id)
            and self.covers(kept.said, medium, topic, address)
            and kept.at <= now
        ]
        forever = datetime.max.replace(tzinfo=UTC)
        state, refused, ends = "none", None, None
        for _, act in sorted(
            acts,
            key=lambda each: (each[0], ACTS.index(each[1].act), -(each[1].expires_at or forever).timestamp()),
        ):
            if act.act == "object":
                state = refused = "objected"
            elif act.act == "withdraw":
                state = refused = state if state == "objected" else "withdrawn"
            elif act.act == "grant" and not (refused and act.basis == "soft_opt_in"):
                state, ends = ("pending" if medium in self.double else "granted"), act.expires_at
            elif act.act == "confirm" and state == "pending":
                state = "granted"
        if state in {"granted", "pending"} and ends is not None and ends <= now:
            return refused or "expired"
        return state

    @staticmethod
    def covers(act: Consent, medium: str, topic: str, address: str) -> bool:
        if act.medium not in {"", medium} or act.topic not in {"", topic}:
            return False
        return act.act in {"withdraw", "object"} or act.address in {"", address}

    def wish(self, customer: str, now: datetime) -> str | None:
        found = [self.wish_of_id(id, own=False, now=now) for id in self.group(customer)]
        return max((each for each in found if each), key=WISHES.index, default=None)

    def wish_of_id(self, id: str, *, own: bool, now: datetime) -> str | None:
        """The latest wish that counts for an id; ``own`` is what is written under it."""
        told = [
            (kept.at, WISHES.index(kept.said.wish))
            for kept in self.kept
            if isinstance(kept.said, Preference)
            and (kept.id == id if own else self.counts(kept, id))
            and kept.at <= now
        ]
        return WISHES[max(told)[1]] if told else None


def content(each: Consent | Preference) -> Any:
    return (each.at, each.wish) if isinstance(each, Preference) else evolve(each, customer="x")


# Random histories

instants = st.integers(0, 6).map(lambda hours: START + 58 * DAY + hours * HOUR) | st.integers(0, 24).map(
    lambda hours: START + 60 * DAY + hours * HOUR
)
"""Few instants, so that acts meet; and some of clocks that are ahead."""


@st.composite
def consents(draw: st.DrawFn) -> Consent:
    act = draw(st.sampled_from(("grant", *ACTS)))
    medium = draw(st.sampled_from(MEDIA if act in {"grant", "confirm"} else ("", *MEDIA)))
    at = draw(instants)
    granted = act == "grant"
    soft = granted and draw(st.booleans())
    customer = draw(st.sampled_from(IDS))
    lasts = draw(st.none() | st.integers(1, 80)) if granted else None
    return Consent(
        customer=customer,
        act=act,  # type: ignore[arg-type]  # drawn from the acts there are
        at=at,
        medium=medium,
        topic=draw(st.sampled_from(("", *TOPICS))),
        address=draw(st.sampled_from(("", "", *ADDRESSES))) if medium == "email" else "",
        basis="soft_opt_in" if soft else "consent",
        evidence=f"shop:{customer}" if soft else "",
        expires_at=at + lasts * HOUR if lasts else None,
        method="form",
        source="web",
        wording="v1",
    )


preferences = st.builds(Preference, customer=st.sampled_from(IDS), wish=st.sampled_from(WISHES), at=instants)
said = st.lists(st.one_of(consents(), consents(), preferences), min_size=2, max_size=6)
merges = st.permutations(IDS).map(lambda ids: [Merge(ids[0], ids[1])])
unmerges = st.sampled_from(IDS).map(lambda id: [Unmerge(id)])
histories = st.tuples(said, merges, said, merges | unmerges | st.just([]), said).map(lambda parts: [*chain(*parts)])

media_settings = st.sampled_from([((), ()), (("sms",), ()), ((), ("email",)), (("sms",), ("email",))])


def order(id: str, customer: str = "ada", at: datetime = START, minor: int = 100) -> Interaction:
    return Interaction(
        source="shop", id=id, customer=customer, kind="order", at=at, amount=Money(minor=minor, currency="EUR")
    )


def play(project: Relationships, reference: Reference, clock: Clock, history: Sequence[Any]) -> None:
    """Do everything to both; a merge that cannot be is left out of both."""
    for event in history:
        clock.now += HOUR
        if isinstance(event, Merge):
            if event.customer in reference.into or reference.survivor(event.into) == reference.survivor(event.customer):
                continue
            project.identities.merge(event.customer, into=event.into)
            reference.merge(event.customer, event.into)
        elif isinstance(event, Unmerge):
            if event.customer in reference.into:
                project.identities.unmerge(event.customer)
                reference.unmerge(event.customer)
        else:
            known = project.permissions
            record = known.record_consents if isinstance(event, Consent) else known.record_preferences
            assert record([event]).new == reference.record(event, clock.now)


def compare(project: Relationships, reference: Reference, now: datetime) -> None:
    for customer in IDS:
        view = project.permissions.show(customer, as_of=now)
        for each in view.consents:
            expected = reference.state(customer, each.medium, each.topic, each.address, now)
            assert (customer, each.medium, each.topic, each.address, each.state) == (
                customer,
                each.medium,
                each.topic,
                each.address,
                expected,
            )
        assert view.preference == (reference.wish(customer, now) or "unasked")


@settings(max_examples=50)
@given(history=histories, media=media_settings)
def test_states_and_wishes_are_those_of_the_rules_through_merges_and_unmerges(
    open_project: Open, history: Sequence[Any], media: tuple[tuple[str, ...], tuple[str, ...]]
) -> None:
    clock, (without, double) = Clock(), media
    with open_project(clock, consent=ConsentSettings(without=without, double_opt_in=double)) as project:
        project.record([order(id, customer=id, at=START - DAY) for id in IDS])
        clock.now = START + 60 * DAY
        reference = Reference(without, double)
        play(project, reference, clock, history)
        compare(project, reference, clock.now)
        compare(project, reference, START + 60 * DAY + 80 * HOUR)
        for customer in [*reference.into]:
            clock.now += HOUR
            project.identities.unmerge(customer)
            reference.unmerge(customer)
        compare(project, reference, clock.now)


# What is refused


def act(customer: str = "ada", act: str = "grant", **more: Any) -> Consent:
    proof = {"medium": "email", "method": "form", "source": "web", "wording": "v1"} if act == "grant" else {}
    return Consent(customer=customer, act=act, **{"at": START, **proof, **more})  # type: ignore[arg-type]  # named by tests


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def project(open_project: Open, clock: Clock) -> Relationships:
    return open_project(clock)


FRAMES: Mapping[str, tuple[dict[str, Any], str]] = {
    "no proof": ({"act": "grant", "medium": "email"}, "there is no proof"),
    "half a proof": ({"act": "grant", "medium": "email", "method": "form", "wording": "v1"}, "there is no proof"),
    "no medium": ({"act": "grant", "method": "form", "source": "web", "wording": "v1"}, "for each medium"),
    "unknown medium": ({"act": "withdraw", "medium": "emial"}, "did you mean 'email'"),
    "unknown act": ({"act": "give"}, "grant, confirm, withdraw, object"),
    # A refusal of such a topic or customer is kept, see below: the rule is for permission alone.
    "bad topic": (
        {"act": "grant", "medium": "email", "method": "form", "source": "web", "wording": "v1", "topic": "Our News"},
        "lower-case",
    ),
    "unknown customer": (
        {"act": "grant", "medium": "email", "method": "form", "source": "web", "wording": "v1", "customer": "dora"},
        "no such customer",
    ),
    "soft opt-in without an order": (
        {"act": "grant", "medium": "email", "method": "sale", "source": "web", "basis": "soft_opt_in",
         "evidence": "shop:17"},
        "names no order of this customer",
    ),
    "ends before it begins": (
        {"act": "grant", "medium": "email", "method": "form", "source": "web", "wording": "v1",
         "expires_at": START - DAY},
        "ends before it begins",
    ),
    "an address that is none": (
        {"act": "grant", "medium": "email", "method": "form", "source": "web", "wording": "v1", "address": "Ada"},
        "not one address",
    ),
    "years ahead": ({"act": "withdraw", "at": START + 400 * DAY}, "more than a day in the future"),
}  # fmt: skip


@pytest.mark.parametrize("case", FRAMES)
def test_one_wrong_row_refuses_its_batch_with_a_sentence(project: Relationships, case: str) -> None:
    import polars as pl

    row, told = FRAMES[case]
    rows = [{"customer": "ada", "act": "withdraw", "at": START}, {"customer": "ada", "at": START, **row}]
    with pytest.raises(RejectedError, match=told) as refused:
        project.permissions.record_consents(pl.from_dicts(rows, infer_schema_length=2))
    assert "number 2" in str(refused.value)
    assert "dora" not in str(refused.value)
    assert project.permissions.show("ada").acts == ()


def test_consent_without_proof_is_refused() -> None:
    with pytest.raises(RejectedError, match="needs its proof"):
        Consent(customer="ada", act="grant", at=START, medium="email")


def test_a_soft_opt_in_rests_on_an_order_of_that_customer(project: Relationships) -> None:
    sale = {"method": "sale", "source": "web", "basis": "soft_opt_in", "evidence": "shop:17"}
    soft = act(**sale)
    visit = Interaction(source="shop", id="17", customer="ada", kind="visit", at=START)
    project.record([visit])
    with pytest.raises(RejectedError, match="names no order"):
        project.permissions.record_consents([soft])
    project.record([order("18"), order("19", minor=0), order("20", at=START + timedelta(seconds=1))])
    for unpaid_or_later in ("shop:19", "shop:20"):
        with pytest.raises(RejectedError, match="names no order"):
            project.permissions.record_consents([evolve(soft, evidence=unpaid_or_later)])
    project.permissions.record_consents([evolve(soft, evidence="shop:18")])
    assert states(project, "ada")["email"] == "granted"
    with pytest.raises(RejectedError, match="names no order"):
        project.permissions.record_consents([evolve(soft, customer="bob", evidence="shop:18")])


def states(project: Relationships, customer: str, topic: str = "") -> dict[str, str]:
    """The state of each medium for one topic, of the first address there."""
    found: dict[str, str] = {}
    for each in project.permissions.show(customer).consents:
        if each.topic == topic:
            found.setdefault(each.medium, each.state)
    return found


# Repetition


def test_a_repeated_act_adds_nothing_and_one_under_its_id_is_refused(project: Relationships) -> None:
    first = act(id="form-1")
    assert project.permissions.record_consents([first, first]).new == 1
    assert project.permissions.record_consents([first]).repeated == 1
    forged = act(act="withdraw", id="form-1")
    with pytest.raises(RejectedError, match="recorded before with another act"):
        project.permissions.record_consents([forged])
    assert [each.act for each in project.permissions.show("ada").acts] == ["grant"]


def test_a_repeated_import_after_a_merge_makes_no_consent(project: Relationships, clock: Clock) -> None:
    """What one of the two allowed long ago is not allowed by both because a file comes again."""
    given_by_bob = act("bob", id="form-1")
    project.permissions.record_consents([given_by_bob])
    clock.now += HOUR
    project.permissions.record_consents([act("ada", "withdraw", at=START - DAY)])
    clock.now += HOUR
    project.identities.merge("bob", into="ada")
    clock.now += HOUR
    assert project.permissions.record_consents([given_by_bob]).repeated == 1
    assert states(project, "ada")["email"] == "withdrawn"
    project.identities.unmerge("bob")
    assert (states(project, "ada")["email"], states(project, "bob")["email"]) == ("withdrawn", "granted")


def test_a_linked_id_takes_nothing_away(project: Relationships, clock: Clock) -> None:
    project.permissions.record_consents([act("ada")])
    clock.now += HOUR
    project.identities.link("crm-17", to="ada")
    assert states(project, "ada")["email"] == "granted"
    clock.now += HOUR
    project.permissions.record_consents([act("crm-17", "withdraw", at=START + HOUR)])
    assert states(project, "ada")["email"] == "withdrawn"
    clock.now += HOUR
    project.identities.unmerge("crm-17")
    assert (states(project, "ada")["email"], states(project, "crm-17")) == ("withdrawn", {})


# Unsubscribing


def test_an_unsubscribe_interaction_withdraws_once(project: Relationships, clock: Clock) -> None:
    project.permissions.record_consents([act("ada", topic=topic) for topic in TOPICS])
    left = Interaction(
        source="mails", id="7", customer="ada", kind="unsubscribe", at=START + HOUR, data={"topic": "news"}
    )
    clock.now += DAY
    project.record([left])
    project.record([left])
    project.rebuild()
    assert [states(project, "ada", topic)["email"] for topic in TOPICS] == ["granted", "withdrawn", "granted"]
    (withdrawal,) = (each for each in project.permissions.show("ada").acts if each.act == "withdraw")
    assert (withdrawal.source, withdrawal.method, withdrawal.evidence) == ("mails", "interaction", "mails:7")
    everything = Interaction(source="mails", id="8", customer="ada", kind="unsubscribe", at=START + 2 * HOUR)
    project.record([everything])
    assert {states(project, "ada", topic)["email"] for topic in TOPICS} == {"withdrawn"}


def test_a_refused_batch_withdraws_nothing(project: Relationships) -> None:
    left = Interaction(source="mails", id="7", customer="ada", kind="unsubscribe", at=START)
    with pytest.raises(RejectedError):
        project.record([left, evolve(left, at=START - DAY)])
    assert project.permissions.show("ada").acts == ()


# Suppressions


def held(project: Relationships, customer: str) -> list[tuple[str, str, str]]:
    return [
        (each.address, each.scope, each.reason)
        for each in project.permissions.show(customer).suppressions
        if each.lifted_at is None
    ]


def test_a_suppressed_address_is_known_however_it_is_written(project: Relationships) -> None:
    told = [
        Suppression(medium="email", address="ONE@Example.com", reason="complaint", scope="marketing", at=START),
        Suppression(medium="sms", address="+49301234567", reason="stop", at=START),
    ]
    assert project.permissions.suppress(told).new == 2
    assert project.permissions.suppress(told).repeated == 2
    expected = [("one@example.com", "marketing", "complaint"), ("+49 30 1234567", "all", "stop")]
    assert held(project, "ada") == held(project, "bob") == expected


def test_a_suppression_is_lifted_by_somebody_and_that_is_kept(project: Relationships, clock: Clock) -> None:
    told = Suppression(medium="email", address="one@example.com", reason="manual", at=START)
    project.permissions.suppress([told])
    with pytest.raises(RejectedError, match="name whoever decides"):
        project.permissions.unsuppress("email", "one@example.com", actor=" ")
    clock.now += DAY
    assert project.permissions.unsuppress("email", "one@example.com", actor="bob") == 1
    assert held(project, "ada") == []
    (lifted,) = project.permissions.show("ada").suppressions
    assert (lifted.lifted_by, lifted.lifted_at) == ("bob", START + DAY)
    with pytest.raises(RejectedError, match="nothing suppresses"):
        project.permissions.unsuppress("email", "one@example.com", actor="bob")
    project.permissions.suppress([told])
    assert held(project, "ada") == [("one@example.com", "all", "manual")]


def test_an_erased_address_stays_suppressed(project: Relationships) -> None:
    told: dict[str, Any] = {"medium": "email", "address": "one@example.com", "at": START}
    project.permissions.suppress([Suppression(reason="manual", **told)])
    # Only forgetting somebody says so: the rule is new, and so this test forgets one who has the address.
    with pytest.raises(RejectedError, match="use `relate forget`"):
        project.permissions.suppress([Suppression(reason="erased", **told)])
    project.forget("bob")
    project.permissions.suppress([Suppression(reason="manual", **told)])
    with pytest.raises(RejectedError, match="stays suppressed"):
        project.permissions.unsuppress("email", "one@example.com", actor="bob")
    assert [each for each in held(project, "ada") if each[0] == "one@example.com"] == [
        ("one@example.com", "all", "erased")
    ]


# Marks


def test_whoever_is_concerned_is_due_for_review(project: Relationships, clock: Clock) -> None:
    clock.now += DAY
    project.review()
    assert project.store.marked("review") == 0
    records: Sequence[Callable[[], object]] = (
        lambda: project.permissions.record_consents([act("bob")]),
        lambda: project.permissions.record_preferences([Preference(customer="bob", wish="none", at=START)]),
    )
    for record in records:
        record()
        assert project.store.marked("review") == 1
        project.review()
    project.permissions.suppress([Suppression(medium="email", address="two@example.com", reason="stop", at=START)])
    assert project.store.marked("review") == len(IDS)


def test_when_they_may_be_asked_again(open_project: Open, clock: Clock) -> None:
    with open_project(clock, preference=PreferenceSettings(ask_again_days=10)) as project:
        assert project.permissions.show("ada").ask_at is None
        project.permissions.record_preferences([Preference(customer="ada", wish="close", at=START)])
        assert project.permissions.show("ada").ask_at == START + 10 * DAY
        later = Preference(customer="ada", wish="close", at=START + HOUR, ask_again_at=START + 99 * DAY)
        project.permissions.record_preferences([later])
        assert project.permissions.show("ada", as_of=START + DAY).ask_at == START + 99 * DAY


# Keys


def test_keys_are_hmac_sha256_of_the_normal_form() -> None:
    for salt in ("short", "long" * 40):
        terms = Terms(salt=salt)
        for medium, written, normal in (
            ("email", " Ann@Example.COM ", "ann@example.com"),
            ("sms", "+49 (30) 1234-567", "+49301234567"),
            ("sms", "12 34", "1234"),
            ("post", "1, High St.\nYORK", "1 high st york"),
            ("push", "Device-A", "device a"),
        ):
            expected = hmac.digest(salt.encode(), f"{medium}\x1f{normal}".encode(), "sha256").hex()
            assert address_key(medium, written, terms) == expected
    assert address_key("sms", "030 1234567", Terms(salt="s", country="DE")) == address_key(
        "sms", "+49 30 1234567", Terms(salt="s")
    )
    assert address_key("sms", "030 1234567", Terms(salt="s", country="FR"), "DE") == address_key(
        "sms", "+49 30 1234567", Terms(salt="s")
    )


# The rules one by one


def test_an_objection_is_lifted_by_a_later_consent_alone(project: Relationships, clock: Clock) -> None:
    project.record([order("18")])
    clock.now += DAY
    project.permissions.record_consents([act(), act(act="object", at=START + HOUR)])
    project.permissions.record_consents([act(at=START + 2 * HOUR, basis="soft_opt_in", evidence="shop:18")])
    assert states(project, "ada")["email"] == "objected"
    project.permissions.record_consents([act(at=START + 3 * HOUR)])
    assert states(project, "ada")["email"] == "granted"


def test_a_double_opt_in_waits_for_its_answer(open_project: Open, clock: Clock) -> None:
    with open_project(clock, consent=ConsentSettings(double_opt_in=("email",))) as project:
        clock.now += DAY
        answer = Consent(
            customer="ada", act="confirm", at=START + HOUR, medium="email", method="link", source="web", evidence="m-1"
        )
        project.permissions.record_consents([act(), act(medium="sms")])
        assert states(project, "ada") == {"email": "pending", "sms": "granted"}
        project.permissions.record_consents([answer])
        assert states(project, "ada")["email"] == "granted"


def test_what_is_refused_after_a_merge_stays_refused_by_both_after_it(project: Relationships, clock: Clock) -> None:
    project.permissions.record_consents([act("ada"), act("bob")])
    clock.now += HOUR
    project.identities.merge("bob", into="ada")
    clock.now += HOUR
    project.permissions.record_consents([act("ada", "withdraw", at=START + HOUR)])
    project.permissions.record_preferences([Preference(customer="ada", wish="none", at=START + HOUR)])
    clock.now += HOUR
    project.identities.unmerge("bob")
    for customer in ("ada", "bob"):
        assert states(project, customer)["email"] == "withdrawn"
        assert project.permissions.show(customer).preference == "none"


def test_what_is_allowed_after_a_merge_is_theirs_who_were_named_after_it(project: Relationships, clock: Clock) -> None:
    """It had been the survivor's: what bob allowed was ada's after the un-merge."""
    clock.now += HOUR
    project.identities.merge("bob", into="ada")
    clock.now += HOUR
    project.permissions.record_consents([act("bob", at=START + HOUR)])
    project.permissions.record_preferences([Preference(customer="bob", wish="close", at=START + HOUR)])
    assert states(project, "bob")["email"] == "granted"
    assert project.permissions.show("bob").preference == "close"
    clock.now += HOUR
    project.identities.unmerge("bob")
    assert (states(project, "ada")["email"], states(project, "bob")["email"]) == ("none", "granted")
    assert (project.permissions.show("ada").preference, project.permissions.show("bob").preference) == (
        "unasked",
        "close",
    )


@pytest.mark.parametrize("named", ["ada", "bob"])
def test_a_wish_reaches_those_ids_that_had_a_closer_one(project: Relationships, clock: Clock, named: str) -> None:
    project.permissions.record_preferences(
        [Preference(customer="ada", wish="none", at=START), Preference(customer="bob", wish="close", at=START)]
    )
    clock.now += HOUR
    project.identities.merge("bob", into="ada")
    clock.now += HOUR
    project.permissions.record_preferences([Preference(customer=named, wish="transactional", at=clock.now)])
    assert project.permissions.show("ada").preference == "transactional"
    clock.now += HOUR
    project.identities.unmerge("bob")
    of_ada = "transactional" if named == "ada" else "none"
    assert (project.permissions.show("ada").preference, project.permissions.show("bob").preference) == (
        of_ada,
        "transactional",
    )


def test_what_one_allowed_before_a_merge_does_not_lift_what_the_other_refused(
    project: Relationships, clock: Clock
) -> None:
    project.permissions.record_consents([act("ada", at=START + 2 * HOUR), act("bob", "withdraw", at=START + HOUR)])
    clock.now += HOUR
    project.identities.merge("bob", into="ada")
    assert states(project, "ada")["email"] == "withdrawn"
    clock.now += DAY
    project.permissions.record_consents([act("ada", at=START + 3 * HOUR)])
    assert states(project, "ada")["email"] == "granted"


def test_the_last_grant_says_when_it_ends(project: Relationships, clock: Clock) -> None:
    clock.now += DAY
    project.permissions.record_consents([act(), act(at=START + HOUR, expires_at=START + 10 * DAY)])

    def state(at: datetime) -> str:
        return project.permissions.show("ada", as_of=at).consents[0].state

    assert state(START + 10 * DAY - timedelta(microseconds=1)) == "granted"
    assert state(START + 10 * DAY) == "expired"
    clock.now += DAY
    project.permissions.record_consents([act(at=START + 2 * HOUR)])
    assert state(START + 10 * DAY) == "granted"


def test_a_soft_opt_in_never_lifts_a_withdrawal(project: Relationships, clock: Clock) -> None:
    project.permissions.record_consents([act()])
    left = Interaction(source="mails", id="7", customer="ada", kind="unsubscribe", at=START)
    project.record([left])
    clock.now += DAY
    project.record([order("18", at=clock.now)])
    project.permissions.record_consents([act(at=clock.now, basis="soft_opt_in", evidence="shop:18")])
    assert states(project, "ada")["email"] == "withdrawn"
    clock.now += HOUR
    project.permissions.record_consents([act(at=clock.now, expires_at=clock.now + DAY)])
    assert states(project, "ada")["email"] == "granted"
    project.permissions.record_consents(
        [act(at=clock.now + HOUR, basis="soft_opt_in", evidence="shop:18", wording="v2")]
    )
    clock.now += 2 * DAY
    assert states(project, "ada")["email"] == "withdrawn"


def test_a_clock_that_is_ahead_allows_nothing_after_a_refusal(project: Relationships, clock: Clock) -> None:
    project.permissions.record_consents([act(at=START + 20 * HOUR)])
    project.permissions.record_preferences([Preference(customer="ada", wish="close", at=START + 20 * HOUR)])
    assert (states(project, "ada")["email"], project.permissions.show("ada").preference) == ("granted", "close")
    clock.now += HOUR
    project.permissions.record_consents([act(act="withdraw", at=clock.now)])
    project.permissions.record_preferences([Preference(customer="ada", wish="none", at=clock.now)])
    for _ in range(3):
        assert (states(project, "ada")["email"], project.permissions.show("ada").preference) == ("withdrawn", "none")
        clock.now += 20 * HOUR


@pytest.mark.parametrize(("refusal", "state"), [("object", "objected"), ("withdraw", "withdrawn")])
def test_a_refusal_holds_again_where_what_lifted_it_has_ended(
    open_project: Open, clock: Clock, refusal: str, state: str
) -> None:
    with open_project(clock, consent=ConsentSettings(without=("sms",))) as project:
        project.permissions.record_consents([act(act=refusal)])
        clock.now += HOUR
        lifting = [act(medium=each, at=clock.now, expires_at=clock.now + HOUR) for each in MEDIA]
        project.permissions.record_consents(lifting)
        assert states(project, "ada") == {"email": "granted", "sms": "granted"}
        clock.now += HOUR
        assert states(project, "ada") == {"email": state, "sms": state}


@pytest.mark.parametrize(
    ("more", "topics"),
    [
        ({"topic": "News"}, {"news"}),
        ({"topic": " news "}, {"news"}),
        ({"topic": "Our News"}, {"", "news", "offers"}),
        ({"topic": "all"}, {"", "news", "offers"}),
        ({"topic": "ALL"}, {"", "news", "offers"}),
        ({"medium": "email", "address": " One@Example.com "}, {"", "news", "offers"}),
        ({"address": "one@example.com"}, {"", "news", "offers"}),
        ({"medium": "email", "address": "nobody"}, {"", "news", "offers"}),
        ({"basis": "soft_opt_in", "expires_at": START - DAY}, {"", "news", "offers"}),
    ],
)
def test_a_refusal_is_kept_and_read_as_widely_as_it_may_be_meant(
    project: Relationships, more: dict[str, Any], topics: set[str]
) -> None:
    project.permissions.record_consents([act(topic=topic) for topic in TOPICS])
    assert project.permissions.record_consents([act(act="withdraw", **more)]).new == 1
    assert project.permissions.record_consents([act(act="withdraw", **more)]).repeated == 1
    assert {topic for topic in TOPICS if states(project, "ada", topic)["email"] == "withdrawn"} == topics
    assert {each.topic for each in project.permissions.show("ada").acts} == {*TOPICS}


def test_a_refusal_is_kept_under_an_id_that_is_another_ones(project: Relationships, clock: Clock) -> None:
    project.permissions.record_consents([act("ada", id="1")])
    clock.now += HOUR
    project.identities.merge("bob", into="ada")
    clock.now += HOUR
    refusal = act("bob", "object", at=clock.now, id="1")
    assert project.permissions.record_consents([refusal]).new == 1
    assert project.permissions.record_consents([refusal]).repeated == 1
    assert states(project, "ada")["email"] == "objected"
    project.identities.unmerge("bob")
    for customer in ("ada", "bob"):
        assert states(project, customer)["email"] == "objected"
    assert [each.act for each in project.permissions.show("ada").acts] == ["grant", "object"]
    assert [each.act for each in project.permissions.show("bob").acts] == ["object"]


def test_refusals_of_one_batch_keep_apart_under_ids_that_are_alike(project: Relationships, clock: Clock) -> None:
    project.identities.merge("bob", into="ada")
    clock.now += HOUR
    told = [act("ada", "object", id="1"), act("bob", "withdraw", id="1"), act("bob", id="2")]
    assert project.permissions.record_consents(told).new == 3
    assert project.permissions.record_consents(told).repeated == 3
    project.identities.unmerge("bob")
    acts = {each: sorted(one.act for one in project.permissions.show(each).acts) for each in ("ada", "bob")}
    assert acts == {"ada": ["object", "withdraw"], "bob": ["grant", "object", "withdraw"]}


def test_an_opt_out_of_somebody_unknown_is_kept(project: Relationships, tmp_path: Path) -> None:
    file = tmp_path / "optouts.csv"
    file.write_text("customer,act,at\neve,object,2024-01-01T00:00:00Z\n")
    assert project.permissions.import_file("consents", file).new == 1
    assert project.customer("eve").customer.name == ""
    project.record_customers([Customer(id="eve", contact_points=[ContactPoint(medium="email", address=ADDRESSES[1])])])
    assert project.permissions.import_file("consents", file).already
    assert states(project, "eve")["email"] == "objected"
    project.forget("eve")
    with pytest.raises(RejectedError, match="erased"):
        project.permissions.record_consents([act("eve", "withdraw")])


def test_an_opt_out_of_somebody_unknown_holds_on_their_address(project: Relationships, tmp_path: Path) -> None:
    file = tmp_path / "optouts.csv"
    file.write_text(
        "customer,act,at,medium,topic,address\n"
        "eve,object,2024-01-01T00:00:00Z,email,,Ada <One@example.com>\n"
        "eva,withdraw,2024-01-01T00:00:00Z,sms,news,+49 30 1234567\n"
        "bob,withdraw,2024-01-01T00:00:00Z,email,,two@example.com\n"
        "eli,withdraw,2024-01-01T00:00:00Z,email,,nothing\n"
    )
    assert project.permissions.import_file("consents", file).new == 4
    expected = [("one@example.com", "marketing", "unsubscribe"), ("+49 30 1234567", "topic:news", "unsubscribe")]
    assert held(project, "ada") == held(project, "bob") == expected
    assert states(project, "ada")["email"] == "none"
    assert {project.customer(each).customer.name for each in ("eve", "eva", "eli")} == {""}


@pytest.mark.parametrize(
    ("reason", "scope"),
    [("unsubscribe", "marketing"), ("complaint", "marketing"), ("hard_bounce", "all"), ("manual", "all")],
)
def test_a_suppression_without_a_scope_has_that_of_its_reason(
    project: Relationships, tmp_path: Path, reason: Any, scope: str
) -> None:
    project.permissions.suppress([Suppression(medium="email", address="one@example.com", reason=reason, at=START)])
    assert held(project, "ada") == [("one@example.com", scope, reason)]
    file = tmp_path / "suppressed.csv"
    file.write_text(f"medium,address,reason,at\nemail,two@example.com,{reason},2024-01-01T00:00:00Z\n")
    project.permissions.import_file("suppressions", file)
    assert ("two@example.com", scope, reason) in held(project, "ada")


def test_no_import_says_that_somebody_was_erased(project: Relationships, tmp_path: Path) -> None:
    file = tmp_path / "suppressed.csv"
    file.write_text("medium,address,reason,at\nemail,one@example.com,erased,2024-01-01T00:00:00Z\n")
    assert project.permissions.import_file("suppressions", file).rejected == 1
    assert held(project, "ada") == []


# What is told to a person


def test_what_is_shown_is_what_would_be_allowed_and_why_not(project: Relationships) -> None:
    def told() -> dict[tuple[str, str], str]:
        shown = [each for each in project.permissions.show("ada").consents if each.address != "two@example.com"]
        assert all(each.permitted == (each.reason == "") for each in shown)
        return {(each.medium, each.topic): each.reason for each in shown}

    project.record_customers([Customer(id="ada", contact_points=[ContactPoint(medium="post", address="1 High St")])])
    project.permissions.record_consents([act("ada", "grant", medium="email")])
    assert told() == {
        ("email", ""): "",
        ("post", ""): "",
        ("sms", ""): "no_consent",
    }
    for medium, address, scope in (("email", "one@example.com", "topic:offers"), ("post", "1 high st", "all")):
        said = Suppression(medium=medium, address=address, reason="manual", scope=scope, at=START)
        project.permissions.suppress([said])
    assert told() == {
        ("email", ""): "",
        ("email", "offers"): "suppressed",
        ("post", ""): "suppressed",
        ("post", "offers"): "suppressed",
        ("sms", ""): "no_consent",
        ("sms", "offers"): "no_consent",
    }
    project.permissions.record_preferences([Preference(customer="ada", wish="transactional", at=START)])
    assert {*told().values()} == {"preference"}
    project.record_customers([Customer(id="dan")])
    project.permissions.record_consents([act("dan", "grant", medium="email")])
    (nowhere,) = project.permissions.show("dan").consents
    assert (nowhere.state, nowhere.permitted, nowhere.reason) == ("granted", False, "no_contact_point")
