"""Deliver in batches: one call of a channel for several messages, and what becomes of each whatever it answers."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from attrs import define, field

from relationship_core import (
    MESSAGES,
    SUPPRESSIONS,
    Attachment,
    Campaign,
    Channel,
    Choice,
    ConfigurationError,
    ContactPoint,
    Customer,
    Engagement,
    Message,
    Provider,
    Receipt,
    Relationships,
    Suppression,
    SuppressionReason,
    UnsupportedError,
    Variant,
    hookimpl,
)
from relationship_core.builtin.channels import NullSettings
from relationship_core.config.delivery import DeliverySettings
from relationship_core.errors import WrongArgumentError
from relationship_core.flow.deliver.handover import hand_over
from relationship_core.flow.deliver.outlets import Outlet

Open = Callable[..., Relationships]
Plan = Callable[..., Campaign]
Know = Callable[..., Customer]
Answer = Callable[[Sequence[Message]], Any]

START = datetime(2024, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
BOTH = (ContactPoint(medium="email", address="c@example.com"), ContactPoint(medium="post", address="C\n1 Main Street"))


def accepted(messages: Sequence[Message]) -> list[Receipt]:
    return [Receipt(message=message.id, state="accepted") for message in messages]


@define(slots=False)
class Told:
    """A channel that answers a call as it is told, and remembers the calls."""

    answer: Answer = accepted
    medium: str = "email"
    calls: list[list[str]] = field(factory=list)
    seen: list[list[str]] = field(factory=list)
    look: Callable[[], list[str]] = list

    def send(self, messages: Sequence[Message]) -> Sequence[Receipt]:
        self.calls.append([message.engagement.customer for message in messages])
        self.seen.append(self.look())
        answered: Sequence[Receipt] = self.answer(messages)
        return answered

    def close(self) -> None:
        pass


class Looking(Told):
    """One that can tell afterwards that it sent whatever it was handed."""

    def sent(self, messages: Sequence[str]) -> frozenset[str]:
        return frozenset(messages)


def _made(channel: Told) -> Callable[[object], Told]:
    return lambda _settings: channel


@define(slots=False)
class Installed:
    """A plugin with these channels, each under its own name."""

    channels: dict[str, Told]
    capabilities: tuple[str, ...] = ("local",)
    batch: int = 1

    @hookimpl
    def relationship_channels(self) -> tuple[Provider[Channel], ...]:
        return tuple(
            Provider(
                name=f"told-{name}",
                factory=_made(channel),
                settings=NullSettings,
                summary="Told.",
                capabilities=self.capabilities,
                batch=self.batch,
            )
            for name, channel in self.channels.items()
        )


@pytest.fixture
def queued(make_project: Open, make_campaign: Plan, make_customer: Know) -> Callable[..., Relationships]:
    """A project with a message queued for each of so many customers, c0, c1, ..., on the channel ``letters``."""

    def make(
        number: int,
        *,
        delivery: dict[str, DeliverySettings] | None = None,
        capabilities: Sequence[str] = ("local",),
        batch: int = 1,
        campaign: dict[str, Any] | None = None,
        customer: dict[str, Any] | None = None,
        clock: Callable[[], datetime] | None = None,
        **channels: Told,
    ) -> Relationships:
        plugin = Installed(channels=channels, capabilities=tuple(capabilities), batch=batch)
        project = make_project(
            make_campaign("hello", **(campaign or {})),
            plugins=[plugin],
            channels={name: Choice(use=f"told-{name}") for name in channels},
            delivery=delivery or {},
            **({"clock": clock} if clock else {}),
        )
        project.record_customers(make_customer(f"c{each}", **(customer or {})) for each in range(number))
        project.review(as_of=START)
        assert project.plan(as_of=START).planned == number
        return project

    return make


def states(project: Relationships) -> dict[str, str]:
    return dict(project.store.read(MESSAGES).select("customer", "state").sort("customer").iter_rows())


def row_of(project: Relationships, customer: str) -> dict[str, Any]:
    return project.store.read(MESSAGES, where={"customer": customer}).row(0, named=True)


def sizes(channel: Told) -> list[int]:
    return [len(call) for call in channel.calls]


# How many at once


def test_a_provider_is_handed_its_batch(queued: Callable[..., Relationships]) -> None:
    letters = Told()
    project = queued(7, letters=letters, batch=3)
    assert project.deliver(as_of=START).accepted == 7
    assert sizes(letters) == [3, 3, 1]
    assert sorted(customer for call in letters.calls for customer in call) == [f"c{each}" for each in range(7)]


def test_the_configuration_says_how_many(queued: Callable[..., Relationships]) -> None:
    letters = Told()
    project = queued(5, letters=letters, batch=3, delivery={"letters": DeliverySettings(attempting=2)})
    project.deliver(as_of=START)
    assert sizes(letters) == [2, 2, 1]


def test_a_batch_is_attempting_in_one_commit_with_the_receipts_of_the_last(
    queued: Callable[..., Relationships],
) -> None:
    letters = Told(look=lambda: sorted(project.store.read(MESSAGES)["state"]))
    project = queued(5, letters=letters, batch=2)
    project.deliver(as_of=START)
    assert letters.seen == [
        ["attempting"] * 2 + ["claimed"] * 3,
        ["accepted"] * 2 + ["attempting"] * 2 + ["claimed"],
        ["accepted"] * 4 + ["attempting"],
    ]


@pytest.mark.parametrize(
    "answer",
    [
        lambda messages: accepted(messages)[:-1],
        lambda messages: [*accepted(messages), accepted(messages)[0]],
        lambda messages: accepted(messages)[::-1],
        lambda _: None,
        lambda messages: ["accepted" for _ in messages],
        lambda messages: iter(accepted(messages)),
    ],
    ids=["too few", "too many", "wrong order", "nothing", "no receipts", "no sequence"],
)
def test_a_wrong_answer_makes_all_of_the_call_unknown(queued: Callable[..., Relationships], answer: Answer) -> None:
    project = queued(3, letters=Told(answer), batch=3)
    assert project.deliver(as_of=START).unknown == 3
    looking = Looking(answer)
    assert queued(3, letters=looking, batch=3).deliver(as_of=START).accepted == 3


def test_an_error_makes_all_of_the_call_unknown_and_no_other(queued: Callable[..., Relationships]) -> None:
    def fail(messages: Sequence[Message]) -> list[Receipt]:
        if len(letters.calls) == 2:
            error = "the line went dead"
            raise OSError(error)
        return accepted(messages)

    letters = Told(fail)
    project = queued(6, letters=letters, batch=2)
    delivered = project.deliver(as_of=START)
    assert (delivered.accepted, delivered.unknown) == (4, 2)
    assert sorted(who for who, state in states(project).items() if state == "unknown") == sorted(letters.calls[1])


def test_a_mistake_of_the_plugin_may_have_sent(queued: Callable[..., Relationships]) -> None:
    """It is a ConfigurationError by its class, and says nothing about credentials."""

    def mistaken(_: Sequence[Message]) -> list[Receipt]:
        message = "no such state"
        raise WrongArgumentError(message)

    delivered = queued(1, letters=Told(mistaken)).deliver(as_of=START)
    assert (delivered.unknown, delivered.misconfigured) == (1, {})


def test_a_provider_that_knows_ids_again_is_asked_again(queued: Callable[..., Relationships]) -> None:
    def fail(_: Sequence[Message]) -> list[Receipt]:
        raise TimeoutError

    letters = Told(fail)
    project = queued(2, letters=letters, batch=2, capabilities=["idempotent"])
    delivered = project.deliver(as_of=START)
    assert (delivered.deferred, delivered.unknown) == (2, 0)
    letters.answer = accepted
    assert project.deliver(as_of=START + HOUR).accepted == 2


# What the channel cannot deliver


HTML = Variant(channel="letters", subject="Hi", text="Hello", html="<p>Hello</p>")


def test_html_for_a_channel_without_it_is_refused_before_anything_is_planned(
    make_project: Open, make_campaign: Plan
) -> None:
    plugin = Installed(channels={"letters": Told()})
    project = make_project(
        make_campaign("hello", variants=[HTML]), plugins=[plugin], channels={"letters": Choice(use="told-letters")}
    )
    with pytest.raises(ConfigurationError, match="action 'write': the channel 'letters' delivers no HTML"):
        project.plan(as_of=START)


def test_a_channel_that_lost_a_capability_fails_the_message(queued: Callable[..., Relationships]) -> None:
    """What was planned when the channel was another one is not handed over without its HTML."""
    letters = Told()
    project = queued(1, letters=letters, capabilities=["html"], campaign={"variants": [HTML]})
    outlet = project._project.outlets["letters"]()
    assert outlet.lack(_message(html="<p>")) == ""
    lesser = Outlet(name="letters", opened=lambda: letters)
    assert lesser.lack(_message(html="<p>")) == "HTML"
    assert lesser.lack(_message(attachments=[Attachment(name="a.pdf", content=b"x")])) == "files with a message"
    assert lesser.lack(_message()) == ""


def _message(**more: Any) -> Message:
    engagement = Engagement(campaign="c", action="a", customer="u", occasion="o")
    return Message(id="0" * 32, engagement=engagement, channel="letters", address="a@example.com", at=START, **more)


def test_an_unsupported_message_fails_alone(queued: Callable[..., Relationships]) -> None:
    def refuse(messages: Sequence[Message]) -> list[Receipt]:
        if any(message.engagement.customer == "c1" for message in messages):
            error = "no such letters"
            raise UnsupportedError(error)
        return accepted(messages)

    letters = Told(refuse)
    project = queued(3, letters=letters, batch=3)
    delivered = project.deliver(as_of=START)
    assert (delivered.accepted, delivered.failed, delivered.rejected) == (2, 1, 0)
    assert sizes(letters) == [3, 1, 1, 1]
    row = row_of(project, "c1")
    assert (row["state"], row["detail"]) == ("failed", "no such letters")


# Wrong credentials


def deny(_: Sequence[Message]) -> list[Receipt]:
    message = "the key is wrong: change [channels.letters] api_key"
    raise ConfigurationError(message)


def test_wrong_credentials_stop_their_channel_alone(queued: Callable[..., Relationships]) -> None:
    letters, cards = Told(deny), Told(medium="post")
    variants = [Variant(channel="letters", text="Hi"), Variant(channel="cards", text="Hi")]
    project = queued(4, letters=letters, cards=cards, batch=2, campaign={"variants": variants[:1]})
    delivered = project.deliver(as_of=START)
    assert delivered.misconfigured == {"letters": "the key is wrong: change [channels.letters] api_key"}
    assert (states(project), sizes(letters)) == (dict.fromkeys(["c0", "c1", "c2", "c3"], "queued"), [2])
    assert set(project.store.read(MESSAGES)["worker"]) == {None}
    assert (delivered.left, delivered.unknown, delivered.waiting) == ({"settings": 4}, 0, {})
    letters.answer = accepted
    assert project.deliver(as_of=START).accepted == 4


def test_other_channels_go_on(queued: Callable[..., Relationships], make_campaign: Plan) -> None:
    letters, cards = Told(deny), Told(medium="post")
    actions = {
        "actions": [
            *make_campaign("x", variants=[Variant(channel="letters", text="Hi")]).actions,
        ]
    }
    project = queued(1, letters=letters, cards=cards, campaign=actions, customer={"contact_points": BOTH})
    with project.store.transaction():
        row = row_of(project, "c0")
        way = {"channel": "cards", "medium": "post", "address": BOTH[1].address}
        other = {**row, "id": "f" * 32, "occasion": "o", **way}
        project.store.put(MESSAGES, pl.DataFrame([other], schema=dict(MESSAGES.schema)))
    delivered = project.deliver(as_of=START)
    assert (delivered.accepted, [*delivered.misconfigured]) == (1, ["letters"])


def test_credentials_found_wrong_one_by_one_keep_what_was_sent(queued: Callable[..., Relationships]) -> None:
    def answer(messages: Sequence[Message]) -> list[Receipt]:
        if len(messages) > 1:
            raise UnsupportedError
        if len(letters.calls) > 2:
            return deny(messages)
        return accepted(messages)

    letters = Told(answer)
    project = queued(3, letters=letters, batch=3)
    delivered = project.deliver(as_of=START)
    assert (delivered.accepted, delivered.left) == (1, {"settings": 2})


def test_handing_over_nothing_to_look_at() -> None:
    outlet = Outlet(name="letters", opened=lambda: Told(lambda _: None))
    (answer,) = hand_over(outlet, [_message()]).answers
    assert (answer.state, answer.is_trouble) == ("unknown", True)


# Addresses that will never work, and other channels


def rejecting(reason: SuppressionReason | None) -> Answer:
    return lambda messages: [
        Receipt(message=each.id, state="rejected", detail="5.1.1", suppression=reason) for each in messages
    ]


@pytest.mark.parametrize(("reason", "scope"), [("hard_bounce", "all"), ("complaint", "marketing")])
def test_an_address_that_the_channel_speaks_against_is_not_used_again(
    queued: Callable[..., Relationships], reason: SuppressionReason, scope: str
) -> None:
    project = queued(1, letters=Told(rejecting(reason)))
    project.deliver(as_of=START)
    (kept,) = project.store.read(SUPPRESSIONS).to_dicts()
    assert (kept["medium"], kept["scope"], kept["reason"], kept["source"], kept["at"]) == (
        *("email", scope, reason, "letters"),
        START,
    )
    assert "example.com" not in str(kept)
    assert project.permissions.show("c0").suppressions


@pytest.fixture
def two_ways() -> dict[str, Any]:
    """A campaign that writes an e-mail, or where that cannot be a card; and a customer with both addresses."""
    variants = [
        Variant(channel="letters", text="Hi"),
        Variant(channel="letters", text="Hi again"),
        Variant(channel="cards", text="Bonjour", locale="fr"),
        Variant(channel="cards", text="Hi, on paper"),
    ]
    return {"campaign": {"variants": variants}, "customer": {"contact_points": BOTH, "locale": "en-GB"}}


@pytest.mark.parametrize("first", ["letters", "zebra"])
def test_what_one_channel_rejects_goes_by_the_next_variant(
    queued: Callable[..., Relationships], two_ways: dict[str, Any], first: str
) -> None:
    """In the same delivery, whichever channel comes first in the alphabet; with the same id, as one engagement."""
    letters, cards = Told(rejecting("hard_bounce")), Told(medium="post")
    two_ways["campaign"]["variants"] = [
        Variant(channel=first if each.channel == "letters" else each.channel, text=each.text, locale=each.locale)
        for each in two_ways["campaign"]["variants"]
    ]
    project = queued(1, **{first: letters, "cards": cards}, **two_ways)
    before = row_of(project, "c0")
    said: list[str] = []

    def listen(messages: Sequence[Message]) -> list[Receipt]:
        said.extend(each.text for each in messages)
        return accepted(messages)

    cards.answer = listen
    delivered = project.deliver(as_of=START)
    assert (delivered.rejected, delivered.accepted, delivered.left) == (1, 1, {})
    row = row_of(project, "c0")
    assert (row["id"], row["channel"], row["medium"], row["variant"]) == (before["id"], "cards", "post", 3)
    assert (row["address"], row["state"], said) == (BOTH[1].address, "accepted", ["Hi, on paper"])
    assert sizes(letters) == [1]


def test_the_next_variant_must_be_allowed(queued: Callable[..., Relationships], two_ways: dict[str, Any]) -> None:
    cards = Told(medium="post")
    project = queued(1, letters=Told(rejecting(None)), cards=cards, **two_ways)
    project.permissions.suppress([Suppression(medium="post", address=BOTH[1].address, reason="manual", at=START)])
    assert project.deliver(as_of=START).rejected == 1
    assert (states(project), cards.calls) == ({"c0": "rejected"}, [])


def test_who_has_no_other_address_stays_rejected(
    queued: Callable[..., Relationships], two_ways: dict[str, Any]
) -> None:
    two_ways["customer"]["contact_points"] = BOTH[:1]
    project = queued(1, letters=Told(rejecting(None)), cards=Told(medium="post"), **two_ways)
    project.deliver(as_of=START)
    row = row_of(project, "c0")
    assert (row["state"], row["detail"], row["channel"]) == ("rejected", "5.1.1", "letters")


def test_both_reject(queued: Callable[..., Relationships], two_ways: dict[str, Any]) -> None:
    letters, cards = Told(rejecting(None)), Told(rejecting(None), medium="post")
    project = queued(1, letters=letters, cards=cards, **two_ways)
    project.deliver(as_of=START)
    assert (states(project), sizes(letters), sizes(cards)) == ({"c0": "rejected"}, [1], [1])
