"""Receiving: what is heard of messages comes to the same whatever the order, and is acted upon at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from attrs import evolve
from hypothesis import given, settings, strategies as st

from relationship_core import (
    CONSENTS,
    DELIVERY_EVENTS,
    INTERACTIONS,
    MESSAGES,
    SUPPRESSIONS,
    Action,
    Campaign,
    Choice,
    ConfigurationError,
    Consent,
    ContactPoint,
    Customer,
    DeliveryEvent,
    EventType,
    Heard,
    Message,
    Occasion,
    Provider,
    RawRequest,
    Receipt,
    Refusal,
    Relationships,
    Reply,
    UnsupportedError,
    Variant,
    hookimpl,
)
from relationship_core.builtin.channels import NullSettings

START = datetime(2024, 1, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
PEOPLE = ("ada", "bob", "eve")
Open = Callable[..., Relationships]
Make = Callable[..., Campaign]


class Post:
    """A plugin, its channel, whose answer can be chosen, and its receiver, which hears what a test says."""

    medium = "email"

    def __init__(self) -> None:
        self.answer: Any = "accepted"
        self.sent: list[Message] = []
        self.meanwhile: Callable[[Sequence[Message]], object] = lambda _: None
        self.says: Any = Heard()

    @hookimpl
    def relationship_channels(self) -> tuple[Provider[Any], ...]:
        return (Provider(name="line", factory=lambda _: self, settings=NullSettings, summary="A test."),)

    @hookimpl
    def relationship_receivers(self) -> tuple[Provider[Any], ...]:
        return (Provider(name="ear", factory=lambda _: self, settings=NullSettings, summary="A test."),)

    def send(self, messages: Sequence[Message]) -> Sequence[Receipt]:
        self.sent += messages
        self.meanwhile(messages)
        return [Receipt(message=each.id, state=self.answer) for each in messages]

    def receive(self, _request: RawRequest) -> Any:
        if isinstance(self.says, Exception):
            raise self.says
        return self.says

    def close(self) -> None:
        pass


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def shop(make_project: Open, post: Post) -> Open:
    """A project that writes to ``ada``, ``bob`` and ``eve`` by e-mail."""

    def open_it(*campaigns: Campaign, **more: Any) -> Relationships:
        project = make_project(
            *campaigns,
            plugins=[post],
            channels={"mail": Choice(use="line")},
            minimum_interval_days={"default": 0},
            **{"receivers": {"ear": Choice(use="ear")}, **more},
        )
        points = {who: [ContactPoint(medium="email", address=f"{who}@example.com")] for who in PEOPLE}
        project.record_customers(Customer(id=who, contact_points=points[who]) for who in PEOPLE)
        return project

    return open_it


@pytest.fixture
def letter(make_campaign: Make) -> Make:
    def make(name: str = "letter", **more: Any) -> Campaign:
        return make_campaign(name, variants=[Variant(channel="mail", subject="Hello", text="Hello")], **more)

    return make


def send(project: Relationships, at: datetime = START) -> dict[str, str]:
    """Review, plan and deliver; the ids of all messages by customer, the latest of each."""
    project.run(as_of=at)
    return dict(project.store.read(MESSAGES).sort("queued_at").select("customer", "id").iter_rows())


def request() -> RawRequest:
    return RawRequest(received_at=START)


def hear(project: Relationships, post: Post, *said: DeliveryEvent | Reply) -> Any:
    events = [each for each in said if isinstance(each, DeliveryEvent)]
    post.says = Heard(events=events, replies=[each for each in said if isinstance(each, Reply)])
    return project.receivers.receive("ear", request())


def event(message: str, kind: EventType, hours: float = 1, **more: Any) -> DeliveryEvent:
    return DeliveryEvent(message=message, type=kind, at=START + timedelta(hours=hours), **more)


def reply(id: str = "r1", **more: Any) -> Reply:
    return Reply(**{"id": id, "medium": "email", "address": "ada@example.com", "at": START + DAY, **more})


def states(project: Relationships) -> dict[str, str]:
    return dict(project.store.read(MESSAGES).select("customer", "state").iter_rows())


def suppressed(project: Relationships) -> list[tuple[str, str]]:
    kept = project.store.read(SUPPRESSIONS).filter(pl.col("lifted_at").is_null())
    return sorted(kept.select("reason", "scope").unique().iter_rows())


# Events


@pytest.mark.parametrize(
    "case",
    [
        ("unknown", ["delivered"], "accepted"),
        ("unknown", ["bounced"], "accepted"),
        ("unknown", ["rejected"], "rejected"),
        ("unknown", ["accepted"], "accepted"),
        ("unknown", ["unknown"], "unknown"),
        ("accepted", ["rejected"], "rejected"),
        ("accepted", ["failed"], "rejected"),
        ("accepted", ["failed", "delivered"], "accepted"),
        ("accepted", ["deferred", "delivered", "opened"], "accepted"),
        ("rejected", ["delivered"], "accepted"),
        ("deferred", ["delivered"], "accepted"),
    ],
)
def test_what_was_heard_says_where_a_message_is(
    shop: Open, letter: Make, post: Post, case: tuple[str, list[EventType], str]
) -> None:
    answer, heard, state = case
    post.answer = answer
    project = shop(letter())
    ids = send(project)
    for kind in heard:
        hear(project, post, event(ids["ada"], kind))
    assert states(project)["ada"] == state
    assert states(project)["bob"] == {"deferred": "queued"}.get(answer, answer)


@settings(max_examples=15)
@given(data=st.data())
def test_the_order_and_the_number_of_times_make_no_difference(make_project: Open, data: st.DataObject) -> None:
    def ended(batches: Sequence[Sequence[DeliveryEvent]]) -> list[Any]:
        project = make_project(
            campaign, plugins=[post], channels={"mail": Choice(use="line")}, receivers={"ear": Choice(use="ear")}
        )
        points = {who: [ContactPoint(medium="email", address=f"{who}@example.com")] for who in PEOPLE}
        project.record_customers(Customer(id=who, contact_points=points[who]) for who in PEOPLE)
        ids = send(project)
        for batch in batches:
            hear(project, post, *(evolve(each, message=ids[each.message]) for each in batch))
        kept = project.store.read(DELIVERY_EVENTS).select("customer", "type", "at", "suppression")
        return [states(project), sorted(map(str, kept.rows())), suppressed(project), len(project.store.read(CONSENTS))]

    post = Post()
    post.answer = "unknown"
    action = Action(
        name="write", occasion=Occasion(name="o"), variants=(Variant(channel="mail", subject="Hi", text="Hi"),)
    )
    campaign = Campaign(name="letter", owner="tests", purpose="marketing", nature="give", actions=(action,))
    kinds = st.sampled_from(["accepted", "rejected", "failed", "bounced", "deferred", "delivered", "complained",
                             "unsubscribed", "unknown"])  # fmt: skip
    reasons = st.sampled_from([None, "hard_bounce"])
    events = data.draw(
        st.lists(st.builds(event, st.sampled_from(PEOPLE), kinds, st.integers(0, 3), suppression=reasons), max_size=8)
    )
    # Of one message, type and instant there is one event.
    events = list({(each.message, each.type, each.at): each for each in events}.values())
    shuffled = data.draw(st.permutations([*events, *events[: data.draw(st.integers(0, len(events)))]]))
    cut = data.draw(st.integers(0, len(shuffled)))
    assert ended([[each] for each in events]) == ended([shuffled[:cut], shuffled[cut:]])


def test_a_report_may_come_before_the_answer_that_it_is_about(shop: Open, letter: Make, post: Post) -> None:
    project = shop(letter())
    post.answer = "unknown"
    post.meanwhile = lambda messages: hear(project, post, *(event(each.id, "delivered", 0) for each in messages[:1]))
    send(project)
    assert set(states(project).values()) == {"accepted"}


def test_what_is_heard_twice_is_kept_once(shop: Open, letter: Make, post: Post) -> None:
    project = shop(letter())
    ids = send(project)
    first = hear(project, post, event(ids["ada"], "delivered", raw="{}"))
    again = hear(project, post, event(ids["ada"], "delivered", raw="{}"), event(ids["bob"], "delivered"))
    assert (first.events, first.repeated) == (1, 0)
    assert (again.events, again.repeated) == (1, 1)
    assert sorted(project.store.read(DELIVERY_EVENTS)["customer"]) == ["ada", "bob"]


def test_what_is_heard_of_no_message_of_ours_is_ignored(shop: Open, letter: Make, post: Post) -> None:
    project = shop(letter())
    send(project)
    assert hear(project, post, event("0" * 32, "complained")).ignored == 1
    assert project.store.read(DELIVERY_EVENTS).is_empty()
    assert suppressed(project) == []


def test_an_address_that_does_not_exist_is_used_no_more(shop: Open, letter: Make, post: Post) -> None:
    project = shop(letter(), letter("news", purpose="service", key="month"))
    ids = send(project)
    assert hear(project, post, event(ids["ada"], "bounced", suppression="hard_bounce")).suppressed == 1
    assert suppressed(project) == [("hard_bounce", "all")]
    send(project, START + 40 * DAY)
    later = project.store.read(MESSAGES).filter(pl.col("queued_at") > START + DAY)
    assert set(later["customer"]) == {"bob", "eve"}


def test_a_complaint_ends_marketing_and_not_service(shop: Open, letter: Make, post: Post) -> None:
    project = shop(letter(), letter("bill", purpose="service", key="month"), letter("more", key="month"))
    ids = send(project)
    hear(project, post, event(ids["ada"], "complained"))
    assert suppressed(project) == [("complaint", "marketing")]
    send(project, START + 40 * DAY)
    later = project.store.read(MESSAGES).filter(pl.col("queued_at") > START + DAY, pl.col("customer") == "ada")
    assert set(later["campaign"]) == {"bill"}


def test_unsubscribing_ends_its_topic(shop: Open, letter: Make, post: Post) -> None:
    project = shop(letter(topic="news"), letter("other", topic="events", key="month"))
    project.run(as_of=START)
    messages = project.store.read(MESSAGES, where={"campaign": "letter", "customer": "ada"})
    hear(project, post, event(messages["id"][0], "unsubscribed"), event(messages["id"][0], "unsubscribed", 5))
    assert suppressed(project) == [("unsubscribe", "topic:news")]
    (consent,) = project.store.read(CONSENTS).to_dicts()
    assert (consent["act"], consent["topic"], consent["medium"]) == ("withdraw", "news", "")
    (kept,) = project.store.read(INTERACTIONS, where={"kind": "unsubscribe"}).to_dicts()
    assert (kept["customer"], kept["source"]) == ("ada", "ear")


def test_three_of_the_last_five_that_came_back_are_enough(shop: Open, letter: Make, post: Post) -> None:
    project = shop(letter(key="month"))
    for number in range(4):
        at = START + number * 31 * DAY
        ids = send(project, at)
        if number != 1:
            hear(project, post, evolve(event(ids["ada"], "bounced"), at=at + timedelta(hours=1)))
        assert suppressed(project) == ([("soft_bounces", "all")] if number == 3 else [])


def test_an_address_that_is_used_again_stays_so_when_an_old_report_comes_again(
    shop: Open, letter: Make, post: Post
) -> None:
    project = shop(letter())
    ids = send(project)
    bounce = event(ids["ada"], "bounced", suppression="hard_bounce")
    hear(project, post, bounce)
    project.permissions.unsuppress("email", "ada@example.com", actor="ann")
    hear(project, post, bounce)
    assert suppressed(project) == []


# Replies


def test_a_reply_is_history_of_whoever_was_asked(shop: Open, letter: Make, post: Post) -> None:
    project = shop(letter())
    ids = send(project)
    wrote = reply(message=ids["bob"], address="bob@work.example.com", text="Yes, please")
    answer = hear(project, post, wrote)
    assert (answer.replies, answer.events) == (1, 1)
    assert (
        hear(project, post, reply(message=ids["bob"], address="bob@work.example.com", text="Yes, please")).replies == 0
    )
    (kept,) = project.store.read(INTERACTIONS, where={"kind": "reply"}).to_dicts()
    assert (kept["customer"], kept["reference"], json.loads(kept["data"])) == (
        "bob",
        ids["bob"],
        {"text": "Yes, please"},
    )


def test_a_reply_to_nothing_is_of_whoever_has_the_address(shop: Open, letter: Make, post: Post) -> None:
    project = shop(letter())
    assert hear(project, post, reply(address="ADA@example.com")).replies == 1
    assert hear(project, post, reply("r2", address="nobody@example.com")).unmatched == 1
    assert project.store.read(INTERACTIONS, where={"kind": "reply"})["customer"].to_list() == ["ada"]


def test_of_several_with_one_address_the_last_one_written_to_answered(shop: Open, letter: Make, post: Post) -> None:
    project = shop(letter())
    twin = Customer(id="twin", contact_points=[ContactPoint(medium="email", address="ada@example.com")])
    project.record_customers([twin])
    assert hear(project, post, reply(at=START - DAY)).unmatched == 1
    send(project)
    assert hear(project, post, reply("r2")).replies == 1


def test_stop_holds_the_address_back_at_once_and_start_lets_it_go(shop: Open, letter: Make, post: Post) -> None:
    project = shop(letter(purpose="service"))
    assert hear(project, post, reply(wish="stop", at=START - DAY)).suppressed == 1
    assert suppressed(project) == [("stop", "all")]
    assert "ada" not in send(project)
    hear(project, post, reply("r2", wish="start", at=START + 2 * DAY))
    assert suppressed(project) == []
    assert "ada" in send(project, START + 3 * DAY)


def test_stop_from_somebody_unknown_holds_back_too(shop: Open, letter: Make, post: Post) -> None:
    project = shop(letter())
    assert hear(project, post, reply(address="new@example.com", wish="stop")).suppressed == 1


def test_a_start_that_is_older_than_the_stop_lifts_nothing(shop: Open, letter: Make, post: Post) -> None:
    project = shop(letter())
    hear(project, post, reply(wish="stop", at=START + 2 * DAY))
    hear(project, post, reply("r0", wish="start", at=START + DAY))
    assert suppressed(project) == [("stop", "all")]


def test_start_lifts_nothing_but_a_stop(shop: Open, letter: Make, post: Post) -> None:
    project = shop(letter())
    ids = send(project)
    hear(project, post, event(ids["ada"], "bounced", suppression="hard_bounce"))
    hear(project, post, reply(wish="start"))
    assert suppressed(project) == [("hard_bounce", "all")]


def test_an_old_word_that_comes_again_undoes_no_newer_one(shop: Open, letter: Make, post: Post) -> None:
    project = shop(letter())
    hear(project, post, reply("r1", wish="stop"))
    hear(project, post, reply("r2", wish="start"))
    assert hear(project, post, reply("r1", wish="stop", at=START + 2 * DAY)).suppressed == 0
    assert suppressed(project) == []
    hear(project, post, reply("r3", wish="stop"))
    # Providers that tell no time give the one at which they repeat it.
    hear(project, post, reply("r2", wish="start", at=START + 3 * DAY))
    assert suppressed(project) == [("stop", "all")]


def test_a_reply_that_comes_again_at_another_time_is_the_same(shop: Open, letter: Make, post: Post) -> None:
    project = shop(letter())
    assert hear(project, post, reply(text="Hello")).replies == 1
    assert hear(project, post, reply(text="Hello", at=START + 2 * DAY)).replies == 0


@pytest.mark.parametrize("wrong", [{"id": "line\nbreak"}, {"id": "\udc80"}, {"text": "half a pair \udc80"}])
def test_a_reply_that_cannot_be_kept_holds_no_other_back(
    shop: Open, letter: Make, post: Post, wrong: dict[str, str]
) -> None:
    project = shop(letter())
    answer = hear(project, post, reply(**{"id": "r1", "text": "Hello", **wrong}, wish="stop"), reply("r2"))
    assert (answer.status, answer.suppressed) == (200, 1)
    assert "r2" in set(project.store.read(INTERACTIONS, where={"kind": "reply"})["id"])


def test_half_a_surrogate_pair_in_a_report_holds_no_other_back(shop: Open, letter: Make, post: Post) -> None:
    project = shop(letter())
    ids = send(project)
    answer = hear(
        project,
        post,
        event(ids["ada"], "delivered", detail="\udc80", raw="\udc80"),
        event("\udc80", "delivered"),
        reply(address="\udc80@example.com"),
        reply("r2", message=ids["bob"] + "\udc80", text="é"),
    )
    assert (answer.status, answer.events, answer.replies, answer.unmatched) == (200, 1, 1, 1)


def test_times_that_cannot_be_hold_no_report_back(shop: Open, letter: Make, post: Post) -> None:
    project = shop(letter())
    ids = send(project)
    ancient = datetime(1, 1, 1, tzinfo=UTC)
    told = [evolve(event(ids[who], "unsubscribed"), at=ancient) for who in PEOPLE]
    answer = hear(project, post, *told, reply(at=ancient))
    assert (answer.events, answer.suppressed, answer.replies) == (3, 3, 1)


@pytest.mark.parametrize("kind", ["unsubscribed", "complained"])
def test_whoever_allowed_it_again_may_end_it_again_by_an_old_message(
    shop: Open, letter: Make, post: Post, kind: EventType
) -> None:
    project = shop(letter(topic="news"))
    ids = send(project)
    hear(project, post, event(ids["ada"], kind))
    held = suppressed(project)
    project.permissions.unsuppress("email", "ada@example.com", actor="ann")
    lifted = project.store.read(SUPPRESSIONS)["lifted_at"][0]
    # What was said before counts as it did; what is said from then on is meant.
    assert hear(project, post, evolve(event(ids["ada"], kind), at=lifted - timedelta(hours=1))).suppressed == 0
    assert suppressed(project) == []
    assert hear(project, post, evolve(event(ids["ada"], kind), at=lifted)).suppressed == 1
    assert suppressed(project) == held


def test_a_consent_that_was_given_again_is_withdrawn_by_an_old_message(shop: Open, letter: Make, post: Post) -> None:
    project = shop(letter(topic="news"))
    ids = send(project)
    hear(project, post, event(ids["ada"], "unsubscribed", 1))
    yes = Consent(customer="ada", act="grant", at=START + timedelta(hours=2), medium="email", topic="news",
                  method="form", source="site", wording="Yes")  # fmt: skip
    project.permissions.record_consents([yes])
    hear(project, post, event(ids["ada"], "unsubscribed", 3), event(ids["ada"], "unsubscribed", 4))
    state = {(each.medium, each.topic): each.state for each in project.permissions.show("ada").consents}
    assert state["email", "news"] == "withdrawn"
    acts = project.store.read(CONSENTS).sort("at")["act"].to_list()
    assert acts == ["withdraw", "grant", "withdraw"]


@pytest.mark.parametrize("order", [("unsubscribed", "complained"), ("complained", "unsubscribed")])
def test_a_complaint_is_the_reason_whichever_was_heard_first(
    shop: Open, letter: Make, post: Post, order: Sequence[EventType]
) -> None:
    project = shop(letter())
    ids = send(project)
    for kind in order:
        hear(project, post, event(ids["ada"], kind))
    assert suppressed(project) == [("complaint", "marketing")]


def test_soft_bounces_that_come_in_one_report_count_as_those_that_come_one_by_one(
    shop: Open, letter: Make, post: Post
) -> None:
    project = shop(letter(key="month"))
    bounces = []
    for number in range(3):
        at = START + number * 31 * DAY
        bounces.append(evolve(event(send(project, at)["ada"], "bounced"), at=at + timedelta(hours=1)))
    assert hear(project, post, *bounces).suppressed == 1
    assert suppressed(project) == [("soft_bounces", "all")]


# Refusals


def test_a_refusal_is_told_and_keeps_nothing(shop: Open, post: Post) -> None:
    project = shop()
    post.says = Refusal(status=401, reason="the signature is wrong")
    answer = project.receivers.receive("ear", request())
    assert (answer.status, answer.refused) == (401, "the signature is wrong")


@pytest.mark.parametrize("says", [ValueError("ada@example.com"), None, "text"])
def test_a_receiver_that_fails_is_a_refusal_without_its_words(shop: Open, post: Post, says: object) -> None:
    project = shop()
    post.says = says
    answer = project.receivers.receive("ear", request())
    assert answer.status == 500
    assert "example.com" not in answer.refused


def test_a_receiver_that_there_is_not_is_named(shop: Open) -> None:
    project = shop()
    with pytest.raises(ConfigurationError, match="did you mean 'ear'"):
        project.receivers.receive("ears", request())
    with pytest.raises(UnsupportedError, match="reads no mailbox"):
        list(project.receivers.read_mailbox("ear", "."))
    with pytest.raises(ConfigurationError, match="RawRequest"):
        project.receivers.receive("ear", b"POST")  # type: ignore[arg-type]  # what a program may pass


def test_a_receiver_cannot_take_the_name_of_the_links(shop: Open) -> None:
    with pytest.raises(ConfigurationError, match="links"):
        shop(receivers={"links": Choice(use="ear")})


# What is shown of it


def test_the_report_and_the_page_tell_what_was_heard(shop: Open, letter: Make, post: Post) -> None:
    project = shop(letter())
    ids = send(project)
    hear(project, post, event(ids["ada"], "delivered"), event(ids["ada"], "opened", 2), event(ids["bob"], "delivered"))
    assert project.report().heard == {"delivered": 2, "opened": 1}
    assert project.report(as_of=START + timedelta(minutes=90)).heard == {"delivered": 2}
    (entry,) = [each for each in project.customer("ada", as_of=START + DAY).timeline if each.kind == "message"]
    assert entry.detail == "mail: accepted, opened"
    (entry,) = [each for each in project.customer("eve", as_of=START + DAY).timeline if each.kind == "message"]
    assert entry.detail == "mail: accepted"


def test_what_was_heard_is_exported_and_forgotten(shop: Open, letter: Make, post: Post) -> None:
    project = shop(letter())
    ids = send(project)
    hear(project, post, event(ids["ada"], "delivered", raw='{"email": "ada@example.com"}'))
    (kept,) = project.export("ada").tables["delivery_events"]
    assert kept["raw"] == '{"email": "ada@example.com"}'
    project.forget("ada", actor="ann")
    assert project.store.read(DELIVERY_EVENTS).is_empty()
