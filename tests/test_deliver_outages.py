"""Deliver through trouble: the pace of a channel, its breaker, and messages of which nobody knows whether they went."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Literal

import polars as pl
import pytest
from attrs import define, field
from hypothesis import given, strategies as st

from relationship_core import (
    FACTS,
    MESSAGES,
    Campaign,
    Channel,
    Choice,
    ConfigurationError,
    Customer,
    DeliverySettings,
    Message,
    Provider,
    Receipt,
    ReceiptState,
    Relationships,
    hookimpl,
)
from relationship_core.builtin.channels import NullSettings
from relationship_core.flow.deliver.backoff import delay
from relationship_core.flow.deliver.pace import Pace

Open = Callable[..., Relationships]
Queued = Callable[..., Relationships]

START = datetime(2024, 3, 1, 12, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


class Clock:
    """A clock that is moved by hand, and by waiting."""

    def __init__(self) -> None:
        self.now = START
        self.waited: list[float] = []

    def __call__(self) -> datetime:
        return self.now

    def wait(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.now += timedelta(seconds=seconds)


@define(slots=False)
class Line:
    """A plugin with a channel ``line`` that answers as it is told."""

    state: ReceiptState = "accepted"
    capabilities: tuple[str, ...] = ("local",)
    batch: int = 1
    medium: str = "email"
    answer: Callable[[Message], ReceiptState] | None = None
    given: list[str] = field(factory=list)
    times: list[datetime] = field(factory=list)
    clock: Clock | None = None

    def send(self, messages: Sequence[Message]) -> Sequence[Receipt]:
        self.given += [message.engagement.customer for message in messages]
        self.times += [self.clock.now] * len(messages) if self.clock else []
        return [
            Receipt(message=each.id, state=self.answer(each) if self.answer else self.state, detail="its words")
            for each in messages
        ]

    def close(self) -> None:
        pass

    @hookimpl
    def relationship_channels(self) -> tuple[Provider[Channel], ...]:
        return (
            Provider(
                name="line",
                factory=lambda _: self,
                settings=NullSettings,
                summary="Told.",
                capabilities=self.capabilities,
                batch=self.batch,
            ),
        )


class Looking(Line):
    """One that can tell afterwards what it sent."""

    sure: frozenset[str] = frozenset()
    asked: Sequence[str] = ()

    def sent(self, messages: Sequence[str]) -> frozenset[str]:
        self.asked = messages
        return self.sure & frozenset(messages)


@pytest.fixture
def queued(
    make_project: Open, make_campaign: Callable[..., Campaign], make_customer: Callable[..., Customer]
) -> Queued:
    """A project with a message queued for each of so many customers, c00, c01, ..., on the channel ``letters``."""

    def make(line: Line, number: int, *, campaign: dict[str, Any] | None = None, **delivery: Any) -> Relationships:
        project = make_project(
            make_campaign("hello", **(campaign or {})),
            plugins=[line],
            channels={"letters": Choice(use="line")},
            delivery={"letters": DeliverySettings(**delivery)},
            **({"clock": line.clock} if line.clock else {}),
        )
        project.record_customers(make_customer(f"c{each:02d}") for each in range(number))
        project.review(as_of=START)
        assert project.plan(as_of=START).planned == number
        return project

    return make


def states(project: Relationships) -> list[str]:
    return sorted(project.store.read(MESSAGES)["state"])


def row_of(project: Relationships, customer: str = "c00") -> dict[str, Any]:
    return project.store.read(MESSAGES, where={"customer": customer}).row(0, named=True)


# The pace


def test_no_more_go_in_a_second_than_the_rate(queued: Queued) -> None:
    line = Line(clock=Clock(), batch=3)
    assert line.clock is not None
    project = queued(line, 10, rate=2.0)
    assert project.deliver(wait=line.clock.wait).accepted == 10
    assert all(later - earlier >= SECOND for earlier, later in zip(line.times, line.times[2:], strict=False))
    assert sum(line.clock.waited) == pytest.approx(4)


def test_a_rate_below_one_a_second(queued: Queued) -> None:
    line = Line(clock=Clock())
    assert line.clock is not None
    project = queued(line, 3, rate=0.1)
    project.deliver(wait=line.clock.wait)
    assert [later - earlier for earlier, later in pairwise(line.times)] == [timedelta(seconds=10)] * 2


def test_without_a_rate_nobody_waits(queued: Queued) -> None:
    line = Line(clock=Clock())
    assert line.clock is not None
    queued(line, 10).deliver(wait=line.clock.wait)
    assert line.clock.waited == []


@given(
    rate=st.floats(0.01, 1000),
    burst=st.integers(1, 20),
    steps=st.lists(st.tuples(st.integers(1, 20), st.floats(0, 100)), max_size=30),
    stands=st.booleans(),
)
def test_a_bucket_gives_no_more_than_it_held_and_got(
    rate: float, burst: int, steps: list[tuple[int, float]], *, stands: bool
) -> None:
    """Whatever is taken when: never more than the burst and what came since; also where the clock stands still."""
    clock = Clock()
    pace = Pace(rate, burst=burst, clock=clock, wait=clock.waited.append if stands else clock.wait)
    taken = 0.0
    for messages, pause in steps:
        clock.now += timedelta(seconds=pause)
        pace.take(min(messages, burst))
        taken += min(messages, burst)
        passed = (clock.now - START).total_seconds() + (sum(clock.waited) if stands else 0)
        assert taken <= burst + passed * rate + 1e-3 * rate + 1e-6


def test_no_more_is_claimed_than_goes_in_a_minute(queued: Queued) -> None:
    """Permission is asked when a message is claimed: a slow channel asks again and again."""
    line = Line(clock=Clock())
    assert line.clock is not None
    most: list[int] = []

    def look(_: Message) -> Literal["accepted"]:
        most.append(project.store.read(MESSAGES, where={"state": ["claimed", "attempting"]}).height)
        return "accepted"

    line.answer = look
    project = queued(line, 9, rate=0.05)
    project.deliver(wait=line.clock.wait)
    assert max(most) == 3


def test_a_claim_that_runs_out_is_given_back(queued: Queued) -> None:
    """Somebody elsewhere may take it over then: what is not begun is claimed anew."""
    clock = Clock()

    def slow(_: Message) -> Literal["accepted"]:
        clock.now += 10 * MINUTE
        leases.append(project.store.read(MESSAGES, where={"state": "attempting"})["claimed_until"][0] - clock.now)
        return "accepted"

    leases: list[timedelta] = []
    line = Line(clock=clock, answer=slow)
    project = queued(line, 5)
    assert project.deliver().accepted == 5
    assert len(line.given) == 5
    assert min(leases) >= -5 * MINUTE, "it began within the lease"


# Backoff


@given(key=st.text(), attempt=st.integers(1, 100))
def test_a_delay_is_at_least_half_and_at_most_whole(key: str, attempt: int) -> None:
    wait = delay(key, attempt, first=MINUTE, longest=HOUR)
    whole = min(MINUTE * 2 ** min(attempt - 1, 10), HOUR)
    assert whole / 2 <= wait <= whole
    assert wait == delay(key, attempt, first=MINUTE, longest=HOUR)


def test_messages_deferred_together_do_not_come_back_together(queued: Queued) -> None:
    line = Line("deferred")
    project = queued(line, 20, breaker=0)
    delivered = project.deliver(as_of=START)
    waits = project.store.read(MESSAGES)["not_before"] - START
    assert waits.n_unique() == 20
    assert (delivered.left, delivered.next_at) == ({"time": 20}, START + min(waits))


def test_a_message_is_deferred_until_it_expires(queued: Queued) -> None:
    line = Line("deferred")
    project = queued(line, 1, campaign={"limits": {"expires_days": 1}})
    at, tried = START, 0
    while project.deliver(as_of=at).expired == 0:
        tried += 1
        at = row_of(project)["not_before"]
    assert (states(project), tried > 5, at >= START + timedelta(days=1)) == (["expired"], True, True)


# The breaker


def test_a_later_delivery_leaves_the_channel_alone_and_says_until_when(queued: Queued) -> None:
    line = Line("unknown")
    project = queued(line, 8)
    delivered = project.deliver(as_of=START)
    until = delivered.waiting["letters"]
    assert START + MINUTE / 2 <= until <= START + MINUTE
    assert delivered.left == {"breaker": 3}
    again = project.deliver(as_of=until - timedelta(microseconds=1))
    assert (again.waiting, again.left, len(line.given)) == ({"letters": until}, {"breaker": 3}, 5)


def test_one_message_tries_the_channel_and_a_success_lets_all_go(queued: Queued) -> None:
    line = Line("unknown")
    project = queued(line, 12)
    until = project.deliver(as_of=START).waiting["letters"]
    sizes: list[int] = []

    def look(_: Message) -> Literal["accepted"]:
        sizes.append(project.store.read(MESSAGES, where={"state": ["claimed", "attempting"]}).height)
        return "accepted"

    line.answer = look
    delivered = project.deliver(as_of=until)
    assert (delivered.accepted, delivered.waiting, delivered.left) == (7, {}, {})
    assert sizes == [1, 6, 5, 4, 3, 2, 1]
    assert project.store.read(FACTS, where={"name": "breaker of letters"}).is_empty()


def test_a_rejection_is_no_trouble_of_the_channel(queued: Queued) -> None:
    line = Line("unknown")
    project = queued(line, 8)
    until = project.deliver(as_of=START).waiting["letters"]
    line.state = "rejected"
    assert project.deliver(as_of=until).rejected == 3


def test_each_failed_try_waits_longer(queued: Queued) -> None:
    line = Line("unknown")
    project = queued(line, 20)
    at, waits = START, []
    for _ in range(9):
        before = len(line.given)
        until = project.deliver(as_of=at).waiting["letters"]
        assert len(line.given) - before == (5 if at == START else 1)
        waits.append(until - at)
        at = until
    longest = [min(MINUTE * 2**each, HOUR) for each in range(9)]
    assert all(whole / 2 <= wait <= whole for wait, whole in zip(waits, longest, strict=True))


def test_a_worker_that_dies_of_the_try_leaves_the_channel_alone(queued: Queued) -> None:
    line = Line("unknown")
    project = queued(line, 8)
    until = project.deliver(as_of=START).waiting["letters"]

    def die(_: Message) -> ReceiptState:
        raise KeyboardInterrupt

    line.answer = die
    with pytest.raises(KeyboardInterrupt):
        project.deliver(as_of=until)
    line.answer = None
    assert project.deliver(as_of=until).waiting["letters"] >= until + MINUTE
    assert len(line.given) == 6


def test_of_two_workers_one_tries(queued: Queued) -> None:
    line = Line("unknown")
    project = queued(line, 8)
    until = project.deliver(as_of=START).waiting["letters"]
    others: list[Any] = []

    def beside(_: Message) -> Literal["accepted"]:
        if not others:
            others.append(None)
            others.append(project.deliver(as_of=until))
        return "accepted"

    line.answer = beside
    project.deliver(as_of=until)
    assert "letters" in others[1].waiting
    assert others[1].accepted == 0


def test_a_try_that_came_to_nothing_leaves_the_time_as_it_is(queued: Queued) -> None:
    """The message had expired: nothing was learned of the channel, and the next one tries it."""
    line = Line("unknown")
    project = queued(line, 7, campaign={"limits": {"expires_days": 1}})
    project.deliver(as_of=START)
    line.state = "accepted"
    delivered = project.deliver(as_of=START + timedelta(days=1))
    assert (delivered.expired, delivered.waiting, len(line.given)) == (2, {}, 5)
    kept = project.store.read(FACTS, where={"name": "breaker of letters"})["value"].item()
    assert '"times": 1' in kept


@pytest.mark.parametrize("state", ["deferred", "unknown"])
def test_a_breaker_of_0_never_opens(queued: Queued, state: ReceiptState) -> None:
    line = Line(state)
    project = queued(line, 30, breaker=0)
    delivered = project.deliver(as_of=START)
    assert (getattr(delivered, state), delivered.waiting, len(line.given)) == (30, {}, 30)
    assert project.deliver(as_of=START).accepted == 0
    assert len(line.given) == 30


def test_it_opens_after_as_many_as_the_configuration_says(queued: Queued) -> None:
    line = Line("deferred")
    queued(line, 9, breaker=7).deliver(as_of=START)
    assert len(line.given) == 7


# Unknown messages


def test_an_unknown_message_is_settled_when_its_channel_can_tell(queued: Queued) -> None:
    line = Looking("unknown", capabilities=("lookup",))
    project = queued(line, 2)
    project.deliver(as_of=START)
    line.state = "accepted"
    line.sure = frozenset([row_of(project)["id"]])
    delivered = project.deliver(as_of=START + HOUR)
    assert sorted(line.asked) == sorted(project.store.read(MESSAGES)["id"])
    assert (states(project), delivered.accepted) == (["accepted", "accepted"], 1)
    assert sorted(line.given) == ["c00", "c01", "c01"]
    assert row_of(project)["detail"] == "the channel was asked once more"


def test_where_looking_fails_it_stays_unknown(queued: Queued, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Sequence[str]) -> frozenset[str]:
        raise OSError

    line = Looking("unknown", capabilities=("lookup",))
    monkeypatch.setattr(line, "sent", fail)
    project = queued(line, 1)
    project.deliver(as_of=START)
    project.deliver(as_of=START + HOUR)
    assert (states(project), len(line.given)) == (["unknown"], 1)


def test_unknown_marketing_is_never_sent_again(queued: Queued) -> None:
    line = Line("unknown")
    project = queued(line, 1, resend_service=True)
    for hours in range(5):
        project.deliver(as_of=START + hours * HOUR)
    assert (states(project), len(line.given)) == (["unknown"], 1)


@pytest.mark.parametrize(("resend", "times"), [(True, 2), (False, 1)])
def test_an_unknown_service_message_goes_once_more_marked(queued: Queued, *, resend: bool, times: int) -> None:
    line = Line("unknown")
    project = queued(line, 1, campaign={"purpose": "service"}, resend_service=resend)
    for hours in range(5):
        project.deliver(as_of=START + hours * HOUR)
    assert (states(project), len(line.given)) == (["unknown"], times)
    assert row_of(project)["detail"].startswith("sent again, ") == resend


def test_it_stays_marked_whatever_becomes_of_it(queued: Queued) -> None:
    line = Line("unknown")
    project = queued(line, 1, campaign={"purpose": "service"}, resend_service=True)
    project.deliver(as_of=START)
    line.state = "deferred"
    project.deliver(as_of=START)
    assert row_of(project)["detail"] == "sent again, its words"
    line.state = "accepted"
    assert project.deliver(as_of=START + HOUR).accepted == 1
    assert row_of(project)["detail"] == "sent again, its words"


# Dead letters


@pytest.mark.parametrize("state", ["rejected", "failed", "unknown"])
def test_dead_letters_are_put_back_and_go_under_their_ids(queued: Queued, state: str) -> None:
    line = Line()
    project = queued(line, 2)
    with project.store.transaction():
        row = pl.DataFrame({"id": [row_of(project)["id"]], "state": [state], "attempts": [7], "detail": ["bad"]})
        project.store.update(MESSAGES, row)
    project.deliver(as_of=START)
    assert line.given == ["c01"]
    assert project.outbox.retry() == ({} if state == "unknown" else {state: 1})
    assert project.outbox.retry(unknown=True) == ({state: 1} if state == "unknown" else {})
    before = row_of(project)
    assert (before["state"], before["attempts"]) == ("queued", 0)
    assert project.deliver(as_of=START).accepted == 1
    after = row_of(project)
    assert (after["id"], after["state"]) == (before["id"], "accepted")
    assert after["detail"].startswith("sent again") == (state == "unknown")


def test_the_dead_letters_of_one_channel(queued: Queued) -> None:
    line = Line("rejected")
    project = queued(line, 2)
    project.deliver(as_of=START)
    with pytest.raises(ConfigurationError, match="there is no 'lettres'; did you mean 'letters'"):
        project.outbox.retry("lettres")
    assert project.outbox.retry("letters") == {"rejected": 2}


def test_what_has_expired_is_not_put_back(queued: Queued) -> None:
    line = Line("rejected", clock=Clock())
    assert line.clock is not None
    project = queued(line, 1, campaign={"limits": {"expires_days": 1}})
    project.deliver()
    line.clock.now += timedelta(days=1)
    assert project.outbox.retry() == {}
    line.clock.now -= SECOND
    assert project.outbox.retry() == {"rejected": 1}
