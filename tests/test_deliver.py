"""Deliver: every message goes out once, and what became of it is known, or said to be unknown."""

import logging
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any, Literal

import polars as pl
import pytest
from attrs import evolve

from relationship_core import (
    MESSAGES,
    SUPPRESSIONS,
    Campaign,
    Channel,
    Choice,
    ConfigurationError,
    Customer,
    DeliverySettings,
    Message,
    Offer,
    Provider,
    Receipt,
    Relationships,
    Renderer,
    Store,
    Variant,
    hookimpl,
)
from relationship_core.builtin.channels import NullSettings
from relationship_core.builtin.liquid import LiquidSettings
from relationship_core.builtin.sqlite.store import SQLiteStore
from relationship_core.flow.deliver.outlets import Outlet
from relationship_core.flow.deliver.portions import Portion
from relationship_core.flow.deliver.render import known_variables
from relationship_core.flow.deliver.worker import working
from relationship_core.flow.permission.keys import address_key
from relationship_core.flow.permission.terms import Terms
from relationship_core.flow.salt import project_salt

Open = Callable[..., Relationships]
Plan = Callable[..., Campaign]
Know = Callable[..., Customer]
Answer = Callable[[Message], Any]

START = datetime(2024, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Scripted:
    """A plugin with the channel ``scripted``, which answers as it is told and remembers what it was given."""

    medium = "email"

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.given: list[str] = []

    def send(self, messages: Sequence[Message]) -> Sequence[Receipt]:
        self.given += [message.engagement.customer for message in messages]
        return [self.answer(message) for message in messages]

    def close(self) -> None:
        pass

    @hookimpl
    def relationship_channels(self) -> tuple[Provider[Channel], ...]:
        return (
            Provider(
                name="scripted", factory=lambda _: self, settings=NullSettings, summary="Told.", capabilities=["local"]
            ),
        )


class Looking(Scripted):
    """One that can tell afterwards: what it ``wrote``."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
        self.wrote: set[str] = set()

    def sent(self, messages: Sequence[str]) -> frozenset[str]:
        return frozenset(self.wrote & set(messages))


def accept(message: Message) -> Receipt:
    return Receipt(message=message.id, state="accepted", reference=f"ref-{message.engagement.customer}")


def fail(_message: Message) -> Receipt:
    error = "the line went dead"
    raise OSError(error)


def states(project: Relationships) -> dict[str, str]:
    return dict(project.store.read(MESSAGES).select("customer", "state").sort("customer").iter_rows())


def message_of(project: Relationships, customer: str) -> dict[str, Any]:
    return project.store.read(MESSAGES, where={"customer": customer}).row(0, named=True)


@pytest.fixture
def queued(make_project: Open, make_campaign: Plan, make_customer: Know) -> Callable[..., Relationships]:
    """A project with a message queued for each of so many customers, c00, c01, ..."""

    def make(
        channel: Scripted | None,
        number: int,
        *,
        campaign: dict[str, Any] | None = None,
        plugins: Sequence[object] = (),
        **more: Any,
    ) -> Relationships:
        chosen = {"channels": {"letters": Choice(use="scripted" if channel else "null")}, **more}
        installed = [*plugins, *([channel] if channel else [])]
        project = make_project(make_campaign("hello", **(campaign or {})), plugins=installed, **chosen)
        project.record_customers(make_customer(f"c{each:02d}") for each in range(number))
        project.review(as_of=START)
        project.plan(as_of=START)
        assert states(project) == {f"c{each:02d}": "queued" for each in range(number)}
        return project

    return make


def test_files_are_written_and_receipts_kept(queued: Callable[..., Relationships], tmp_path: Path) -> None:
    project = queued(None, 3, channels={"letters": Choice(use="folder", settings={"path": tmp_path / "out"})})
    delivered = project.deliver(as_of=START)
    assert (delivered.accepted, delivered.waiting, delivered.as_of) == (3, {}, START)
    rows = project.store.read(MESSAGES).to_dicts()
    assert {row["state"] for row in rows} == {"accepted"}
    assert {row["settled_at"] for row in rows} == {START}
    assert {(row["worker"], row["claimed_until"]) for row in rows} == {(None, None)}
    assert {row["reference"] for row in rows} == {path.name for path in (tmp_path / "out").iterdir()}
    first = next(path for path in (tmp_path / "out").iterdir() if path.name == message_of(project, "c00")["reference"])
    mail = message_from_bytes(first.read_bytes(), policy=policy.default)
    assert "c00@example.com" in str(mail["To"])
    assert "Hello C00" in str(mail.get_body())


def test_two_deliveries_send_nothing_twice(queued: Callable[..., Relationships]) -> None:
    channel = Scripted(accept)
    project = queued(channel, 4)
    assert project.deliver(as_of=START).accepted == 4
    assert project.deliver(as_of=START + HOUR).accepted == 0
    assert sorted(channel.given) == ["c00", "c01", "c02", "c03"]


@pytest.mark.parametrize("state", ["rejected", "unknown"])
def test_what_the_channel_answers_is_kept(
    queued: Callable[..., Relationships], state: Literal["rejected", "unknown"]
) -> None:
    channel = Scripted(lambda message: Receipt(message=message.id, state=state, detail="its words", reference="r"))
    project = queued(channel, 1)
    project.deliver(as_of=START)
    project.deliver(as_of=START + 1000 * HOUR)
    row = message_of(project, "c00")
    assert (row["state"], row["detail"], row["reference"]) == (state, "its words", "r")
    assert channel.given == ["c00"]


def test_an_expired_message_is_not_sent(queued: Callable[..., Relationships]) -> None:
    channel = Scripted(accept)
    project = queued(channel, 1, campaign={"limits": {"expires_days": 2}})
    delivered = project.deliver(as_of=START + timedelta(days=2))
    assert (delivered.expired, channel.given) == (1, [])
    assert message_of(project, "c00")["settled_at"] == START + timedelta(days=2)
    project = queued(channel, 1, campaign={"limits": {"expires_days": 2}})
    assert project.deliver(as_of=START + timedelta(days=2) - timedelta(microseconds=1)).accepted == 1


def test_an_address_suppressed_after_planning_gets_nothing(queued: Callable[..., Relationships]) -> None:
    channel = Scripted(accept)
    project = queued(channel, 2)
    hashed = address_key("email", "c00@example.com", Terms(salt=project_salt(project.store, keep=True)))
    row = {"medium": "email", "address_hash": hashed, "scope": "all", "reason": "complaint", "at": START, "source": ""}
    with project.store.transaction():
        project.store.put(SUPPRESSIONS, pl.DataFrame([row], schema=dict(SUPPRESSIONS.schema)))
    assert project.deliver(as_of=START).stopped == 1
    assert channel.given == ["c01"]
    assert "suppressed" in message_of(project, "c00")["detail"]


class Stumbling:
    """A plugin with a renderer that fails for one customer."""

    def check(self, template: str) -> None:
        pass

    def variables(self, template: str) -> frozenset[str]:  # noqa: ARG002  the port's
        return frozenset()

    def render(self, template: str, context: Any, *, html: bool) -> str:  # noqa: ARG002  the port's
        if context["customer"]["id"] == "c01":
            error = "a secret of c01"
            raise ZeroDivisionError(error)
        return template

    @hookimpl
    def relationship_renderers(self) -> tuple[Provider[Renderer], ...]:
        return (Provider(name="stumbling", factory=lambda _: self, settings=LiquidSettings, summary="Stumbles."),)


def test_a_message_that_cannot_be_rendered_fails_alone(
    queued: Callable[..., Relationships], make_customer: Know
) -> None:
    channel = Scripted(accept)
    text = "{{ customer.nickname }}"
    variants = [Variant(channel="letters", subject="Hi", text=text)]
    project = queued(channel, 3, campaign={"variants": variants}, attributes={"nickname": "text"})
    project.record_customers([make_customer("c02", attributes={"nickname": "Zed"})])
    delivered = project.deliver(as_of=START)
    assert (delivered.failed, delivered.accepted, channel.given) == (2, 1, ["c02"])
    assert "nickname" in message_of(project, "c00")["detail"]


def test_a_renderer_that_breaks_fails_the_message_alone(queued: Callable[..., Relationships]) -> None:
    channel = Scripted(accept)
    project = queued(channel, 3, plugins=[Stumbling()], renderer=Choice(use="stumbling"))
    delivered = project.deliver(as_of=START)
    assert (delivered.failed, delivered.accepted) == (1, 2)
    assert message_of(project, "c01")["detail"] == "the renderer failed with ZeroDivisionError"


def test_a_subject_of_two_lines_is_not_sent(queued: Callable[..., Relationships], make_customer: Know) -> None:
    channel = Scripted(accept)
    variant = Variant(channel="letters", subject="Dear {{ customer.name }}", text="Hello")
    project = queued(channel, 1, campaign={"variants": [variant]})
    project.record_customers([make_customer("c00", name="Ada\nBcc: all@example.com")])
    assert project.deliver(as_of=START).failed == 1
    assert channel.given == []


# What templates name


BAD = Variant(channel="letters", subject="Hi", text="{{ customer.nickname }}")
GOOD = Variant(channel="letters", subject="Hi", text="Hello")


@pytest.fixture
def letter(make_project: Open, make_campaign: Plan, make_customer: Know) -> Callable[[Variant], Relationships]:
    """A project with one customer, of whom everything is known, and a campaign with this variant."""

    def make(variant: Variant) -> Relationships:
        project = make_project(make_campaign("hello", variants=[variant]), attributes={"nickname": "text"})
        ada = make_customer("ada", locale="de-AT", country="AT", attributes={"nickname": "Countess"})
        project.record_customers([ada])
        return project

    return make


@pytest.mark.parametrize("part", ["subject", "text", "html"])
@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        ("{{ facts.order_day }}", "'facts.order_day', and facts has no 'order_day'; did you mean 'order_days'?"),
        ("{{ order_days }}", "there is no 'order_days'; did you mean 'facts.order_days'?"),
        ("{{ customr.name }}", "there is no 'customr'; did you mean 'customer.name'?"),
        ("{{ foo }}", "there is no 'foo'; templates know customer, stage, occasion, campaign, project, facts"),
        ("{{ customer.phone }}", "customer has no 'phone'; it has country, id, locale, name, nickname"),
        ("{% if customer.nicknam %}x{% endif %}", "did you mean 'nickname'?"),
        ("{{ project.adress }}", "project has no 'adress'"),
        ("{{ occasion.nam }}", "did you mean 'name'?"),
        ("{{ facts[customer.id] }}", "'facts' without a column"),
    ],
)
def test_a_variable_that_nobody_has_is_refused_before_anything_is_planned(
    letter: Callable[[Variant], Relationships], part: str, template: str, sentence: str
) -> None:
    project = letter(Variant(channel="letters", **{"subject": "Hi", "text": "Hello", part: template}))
    with pytest.raises(ConfigurationError) as refused:
        project.run(as_of=START)
    assert "campaign 'hello', action 'write'" in str(refused.value)
    assert sentence in str(refused.value)
    assert states(project) == {}


def test_every_known_variable_can_be_used(letter: Callable[[Variant], Relationships]) -> None:
    known = known_variables(letter(GOOD).catalog)
    paths = [f"{root}.{name}" for root in known.keys() - {"facts"} for name in known[root]] + ["stage", "facts.stage"]
    text = "".join(f"{{{{ {path} }}}}" for path in sorted(paths))
    project = letter(Variant(channel="letters", subject="Hi", text=text))
    assert project.run(as_of=START).delivered.accepted == 1


# What never left does not use up the engagement


@pytest.fixture
def edited(make_project: Open, make_campaign: Plan) -> Callable[..., Relationships]:
    """The project of ``before``, its campaign now with these variants and limits."""

    def make(before: Relationships, **campaign: Any) -> Relationships:
        settings = before.settings
        return make_project(
            make_campaign("hello", **campaign),
            plugins=[_Kept(before.store)],
            store=Choice(use="kept"),
            attributes=settings.attributes,
        )

    return make


class _Kept:
    """A plugin with the store of another project."""

    def __init__(self, store: Store) -> None:
        self.store = store

    @hookimpl
    def relationship_stores(self) -> tuple[Provider[Store], ...]:
        return (Provider(name="kept", factory=lambda _: self.store, settings=NullSettings, summary="Kept."),)


def test_a_mended_campaign_reaches_those_whose_message_failed(
    queued: Callable[..., Relationships], edited: Callable[..., Relationships], make_customer: Know
) -> None:
    project = queued(None, 2, campaign={"variants": [BAD]}, attributes={"nickname": "text"})
    project.record_customers([make_customer("c01", attributes={"nickname": "Zed"})])
    project.deliver(as_of=START)
    assert states(project) == {"c00": "failed", "c01": "accepted"}
    before = message_of(project, "c00")

    project.run(as_of=START + HOUR)
    assert states(project)["c00"] == "failed", "the same campaign would fail again"

    mended = edited(project, variants=[GOOD], limits={"per_customer": 1})
    at = START + 2 * HOUR
    mended.review(as_of=at)
    assert mended.plan(as_of=at).planned == 1
    assert states(mended) == {"c00": "queued", "c01": "accepted"}
    row = message_of(mended, "c00")
    assert (row["id"], row["queued_at"], row["detail"]) == (before["id"], at, "")
    mended.review(as_of=at, everybody=True)
    assert mended.plan(as_of=at).planned == 0
    assert message_of(mended, "c00") == row

    assert mended.deliver(as_of=at).accepted == 1
    assert mended.run(as_of=at + HOUR).delivered.accepted == 0
    assert states(mended) == {"c00": "accepted", "c01": "accepted"}


def test_a_campaign_mended_at_the_same_instant(
    queued: Callable[..., Relationships], edited: Callable[..., Relationships]
) -> None:
    project = queued(None, 1, campaign={"variants": [BAD]}, attributes={"nickname": "text"})
    assert project.deliver(as_of=START).failed == 1
    mended = edited(project, variants=[GOOD])
    assert mended.run(as_of=START).delivered.accepted == 1
    assert mended.run(as_of=START).delivered.accepted == 0


@pytest.mark.parametrize("state", ["rejected", "unknown", "expired"])
def test_what_may_have_left_is_not_sent_again_by_a_changed_campaign(
    queued: Callable[..., Relationships], edited: Callable[..., Relationships], state: str
) -> None:
    project = queued(None, 1)
    with project.store.transaction():
        row = {"id": [message_of(project, "c00")["id"]], "state": [state]}
        project.store.update(MESSAGES, pl.DataFrame(row))
    changed = edited(project, variants=[GOOD])
    assert changed.run(as_of=START + HOUR).delivered.accepted == 0
    assert states(changed) == {"c00": state}


def test_what_failed_does_not_count_against_the_limit_of_a_customer(
    queued: Callable[..., Relationships], make_customer: Know
) -> None:
    campaign = {"variants": [BAD], "key": "month", "limits": {"per_customer": 1}}
    project = queued(None, 1, campaign=campaign, attributes={"nickname": "text"})
    assert project.deliver(as_of=START).failed == 1
    project.record_customers([make_customer("c00", attributes={"nickname": "Zed"})])
    assert project.run(as_of=START + timedelta(days=31)).delivered.accepted == 1
    assert project.run(as_of=START + timedelta(days=62)).delivered.accepted == 0


# Channels that fail


def test_a_channel_that_raises_leaves_it_unknown_and_goes_on(
    queued: Callable[..., Relationships], caplog: pytest.LogCaptureFixture
) -> None:
    channel = Scripted(lambda message: fail(message) if message.engagement.customer == "c01" else accept(message))
    project = queued(channel, 3)
    with caplog.at_level(logging.DEBUG):
        delivered = project.deliver(as_of=START)
    assert (delivered.accepted, delivered.unknown) == (2, 1)
    assert {row: state for row, state in states(project).items() if state != "accepted"} == {"c01": "unknown"}
    assert "example.com" not in caplog.text
    project.deliver(as_of=START + 1000 * HOUR)
    assert sorted(channel.given) == ["c00", "c01", "c02"], "it is never sent again by itself"


@pytest.mark.parametrize(
    "answer",
    [
        lambda _: None,
        lambda _: Receipt(message="somebody else's", state="accepted"),
        lambda _: "accepted",
    ],
)
def test_an_answer_that_is_no_receipt_is_unknown(queued: Callable[..., Relationships], answer: Answer) -> None:
    project = queued(Scripted(answer), 1)
    assert project.deliver(as_of=START).unknown == 1


@pytest.mark.parametrize("wrote", [True, False])
def test_a_channel_that_can_look_settles_it(queued: Callable[..., Relationships], wrote: bool) -> None:
    def write_and_fail(message: Message) -> Receipt:
        if wrote:
            channel.wrote.add(message.id)
        return fail(message)

    channel = Looking(write_and_fail)
    project = queued(channel, 1)
    delivered = project.deliver(as_of=START)
    assert (delivered.accepted, delivered.deferred) == ((1, 0) if wrote else (0, 1))
    channel.answer = accept
    project.deliver(as_of=START + HOUR)
    assert states(project) == {"c00": "accepted"}
    assert len(channel.given) == (1 if wrote else 2)


def test_a_channel_that_fails_to_look_leaves_it_unknown(
    queued: Callable[..., Relationships], monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = Looking(fail)
    monkeypatch.setattr(channel, "sent", fail)
    project = queued(channel, 1)
    assert project.deliver(as_of=START).unknown == 1


def test_the_breaker_opens_after_five_and_the_rest_stays_queued(queued: Callable[..., Relationships]) -> None:
    channel = Scripted(fail)
    project = queued(channel, 9)
    delivered = project.deliver(as_of=START)
    assert (delivered.unknown, [*delivered.waiting], len(channel.given)) == (5, ["letters"], 5)
    assert sorted(states(project).values()) == ["queued"] * 4 + ["unknown"] * 5
    rest = project.store.read(MESSAGES, where={"state": "queued"})
    assert rest["worker"].to_list() == [None] * 4
    channel.answer = accept
    assert project.deliver(as_of=delivered.waiting["letters"]).accepted == 4


def test_a_success_closes_the_count_of_the_breaker(queued: Callable[..., Relationships]) -> None:
    failed = iter([1, 1, 1, 1, 0, 1, 1, 1, 1, 0])
    project = queued(Scripted(lambda message: fail(message) if next(failed) else accept(message)), 10)
    delivered = project.deliver(as_of=START)
    assert (delivered.unknown, delivered.accepted, delivered.waiting) == (8, 2, {})


def test_deferred_waits_and_waits_longer(queued: Callable[..., Relationships]) -> None:
    channel = Scripted(lambda message: Receipt(message=message.id, state="deferred", detail="busy"))
    project = queued(channel, 1)
    waits, at = [], START
    for _ in range(14):
        assert project.deliver(as_of=at).deferred == 1
        row = message_of(project, "c00")
        assert (row["state"], row["detail"], row["settled_at"]) == ("queued", "busy", None)
        assert project.deliver(as_of=row["not_before"] - timedelta(microseconds=1)).deferred == 0
        waits.append(row["not_before"] - at)
        at = row["not_before"]
    longest = [min(timedelta(minutes=2**each), 6 * HOUR) for each in range(14)]
    assert all(whole / 2 <= wait <= whole for wait, whole in zip(waits, longest, strict=True))
    assert len({wait / whole for wait, whole in zip(waits, longest, strict=True)}) == 14, "never the same part of it"
    channel.answer = accept
    assert project.deliver(as_of=at).accepted == 1


def test_the_wish_of_the_provider_is_kept(queued: Callable[..., Relationships]) -> None:
    wish = timedelta(days=1)
    project = queued(
        Scripted(lambda message: Receipt(message=message.id, state="deferred", retry_after=wish.total_seconds())), 1
    )
    project.deliver(as_of=START)
    assert message_of(project, "c00")["not_before"] == START + wish


# Time passes


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


def slow(clock: Clock, takes: timedelta, seen: Callable[[], None] = lambda: None) -> Answer:
    """A channel's answer to which each message takes this long."""

    def answer(message: Message) -> Receipt:
        seen()
        clock.now += takes
        return accept(message)

    return answer


def test_the_instant_goes_on_while_messages_are_sent(
    queued: Callable[..., Relationships], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lease of a claim that begins late has not run out before it begins, and messages tell when they went."""
    monkeypatch.setattr("relationship_core.flow.deliver.portions.LARGEST", 1)
    clock = Clock()
    leases: list[timedelta] = []

    def look() -> None:
        (claimed,) = project.store.read(MESSAGES, where={"state": "attempting"}).to_dicts()
        leases.append(claimed["claimed_until"] - clock.now)

    project = queued(Scripted(slow(clock, HOUR, look)), 3, clock=clock)
    delivered = project.deliver()
    assert (delivered.as_of, delivered.accepted) == (START, 3)
    assert sorted(project.store.read(MESSAGES)["settled_at"]) == [START + HOUR, START + 2 * HOUR, START + 3 * HOUR]
    assert leases == [timedelta(minutes=15)] * 3


@pytest.mark.parametrize(
    ("seconds", "claims"),
    [
        (0, [10, 10, 10, 1]),
        (20, [10, 3, 3, 3, 3, 3, 1]),
        (100, [10, 1, 1, 1]),
    ],
)
def test_no_more_is_claimed_than_goes_in_a_minute(
    queued: Callable[..., Relationships],
    monkeypatch: pytest.MonkeyPatch,
    seconds: int,
    claims: Sequence[int],
) -> None:
    """Permission is asked when it is claimed, and so is whether it has expired."""
    monkeypatch.setattr("relationship_core.flow.deliver.portions.LARGEST", 10)
    clock = Clock()
    together: list[int] = []

    def look() -> None:
        states = project.store.read(MESSAGES)["state"]
        waiting = int((states == "claimed").sum())
        if sum(together) == sum((states == "accepted") | (states == "attempting")) - 1:
            together.append(waiting + 1)

    count = sum(claims)
    project = queued(Scripted(slow(clock, timedelta(seconds=seconds), look)), count, clock=clock)
    assert project.deliver().accepted == count
    assert together == claims


@pytest.mark.parametrize(("rate", "size"), [(None, 500), (5.0, 300), (0.1, 6), (0.001, 1)])
def test_a_rate_tells_before_the_first_claim_how_many_go_in_a_minute(*, rate: float | None, size: int) -> None:
    outlet = Outlet(name="letters", opened=lambda: Scripted(accept), settings=DeliverySettings(rate=rate))
    assert Portion(outlet).size == size


def test_a_message_that_goes_after_midnight_names_the_last_day_of_its_coupon(
    queued: Callable[..., Relationships], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relationship_core.flow.deliver.portions.LARGEST", 1)
    clock = Clock()
    said: dict[str, str] = {}

    def answer(message: Message) -> Receipt:
        if not said:
            clock.now += 12 * HOUR  # to midnight, where the second one is claimed
        said[message.engagement.customer] = message.text
        return accept(message)

    variants = [Variant(channel="letters", text="{{ offer.until }}")]
    campaign = {"offer": Offer(summary="Coffee", days=1), "variants": variants}
    project = queued(Scripted(answer), 2, campaign=campaign, clock=clock)
    assert project.deliver().accepted == 2
    last = list(said)[-1]
    (coupon,) = project.offers.show(customer=last, as_of=clock.now).coupons
    assert (said[last], coupon.expires_at) == ("2024-03-03", datetime(2024, 3, 4, tzinfo=UTC))


def test_what_expires_while_others_are_sent_is_not_sent(
    queued: Callable[..., Relationships], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relationship_core.flow.deliver.portions.LARGEST", 1)
    clock = Clock()
    project = queued(Scripted(slow(clock, 24 * HOUR)), 2, campaign={"limits": {"expires_days": 1}}, clock=clock)
    delivered = project.deliver()
    assert (delivered.accepted, delivered.expired) == (1, 1)


def test_what_is_put_off_while_others_are_sent_is_counted_once(
    queued: Callable[..., Relationships], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its time comes while the delivery still lasts; it waits from when it was put off."""
    monkeypatch.setattr("relationship_core.flow.deliver.portions.LARGEST", 1)
    clock = Clock()
    channel = Scripted(accept)
    first: list[str] = []
    waits: list[datetime] = []

    def answer(message: Message) -> Receipt:
        clock.now += HOUR
        if not first:
            first.append(message.engagement.customer)
            return Receipt(message=message.id, state="deferred")
        waits.append(message_of(project, first[0])["not_before"])
        return accept(message)

    channel.answer = answer
    project = queued(channel, 3, clock=clock)
    delivered = project.deliver()
    assert (delivered.accepted, delivered.deferred, len(channel.given)) == (3, 0, 4)
    assert timedelta(seconds=30) <= waits[0] - (START + HOUR) <= timedelta(minutes=1)


def test_a_clock_that_is_put_back_does_not_take_the_delivery_before_its_beginning(
    queued: Callable[..., Relationships],
) -> None:
    clock = Clock()
    project = queued(Scripted(slow(clock, -HOUR)), 1, clock=clock)
    assert project.deliver().accepted == 1
    assert message_of(project, "c00")["settled_at"] == START


def test_who_lives_through_the_past_again_stays_at_one_instant(queued: Callable[..., Relationships]) -> None:
    clock = Clock()
    project = queued(Scripted(slow(clock, HOUR)), 2, clock=clock)
    clock.now = START + timedelta(days=1, microseconds=1)
    assert project.deliver(as_of=START).accepted == 2
    assert set(project.store.read(MESSAGES)["settled_at"]) == {START}


# Crashes and neighbours


def in_a_file(make_project: Open, tmp_path: Path, *campaigns: Campaign, channel: Scripted) -> Relationships:
    store = Choice(use="sqlite", settings={"path": tmp_path / "relationships.db"})
    return make_project(*campaigns, plugins=[channel], store=store, channels={"letters": Choice(use="scripted")})


def test_attempting_is_committed_before_the_channel_is_called(
    make_project: Open, make_campaign: Plan, make_customer: Know, tmp_path: Path
) -> None:
    seen = []

    def look(message: Message) -> Receipt:
        other = SQLiteStore(tmp_path / "relationships.db")
        seen.append(sorted(other.read(MESSAGES)["state"]))
        assert other.read(MESSAGES, where={"id": message.id})["state"].item() == "attempting"
        other.close()
        return accept(message)

    with in_a_file(make_project, tmp_path, make_campaign("hello"), channel=Scripted(look)) as project:
        project.record_customers(make_customer(f"c{each}") for each in range(3))
        project.run(as_of=START)
    assert seen == [
        ["attempting", "claimed", "claimed"],
        ["accepted", "attempting", "claimed"],
        ["accepted", "accepted", "attempting"],
    ]


def leave(project: Relationships, customer: str, **columns: Any) -> None:
    """A message as somebody left it."""
    row = {**message_of(project, customer), **columns}
    with project.store.transaction():
        project.store.put(MESSAGES, pl.DataFrame([row], schema=dict(MESSAGES.schema)))


def _own_name() -> str:
    with working() as worker:
        return worker


def test_what_a_dead_worker_had_claimed_is_sent(queued: Callable[..., Relationships]) -> None:
    """Whether a delivery of this process is over, its process is gone, or its number belongs to another one."""
    machine = _own_name().partition(":")[0]
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    gone = [_own_name(), f"{machine}:{int(ended.stdout)}:12345:x", f"{machine}:{os.getppid()}:12345:x"]
    channel = Scripted(accept)
    project = queued(channel, 3)
    for number, worker in enumerate(gone):
        leave(project, f"c0{number}", state="claimed", worker=worker, claimed_until=START + HOUR)
    assert project.deliver(as_of=START).accepted == 3


@pytest.mark.parametrize(("kind", "wrote", "state"), [(Scripted, False, "unknown"), (Looking, True, "accepted")])
def test_what_a_dead_worker_was_attempting_is_not_sent_again(
    queued: Callable[..., Relationships], kind: type[Scripted], wrote: bool, state: str
) -> None:
    channel = kind(accept)
    project = queued(channel, 1)
    if isinstance(channel, Looking) and wrote:
        channel.wrote.add(message_of(project, "c00")["id"])
    leave(project, "c00", state="attempting", worker=_own_name(), claimed_until=START + HOUR)
    project.deliver(as_of=START)
    assert (states(project), channel.given) == ({"c00": state}, [])


def test_what_surely_was_not_sent_is_sent(queued: Callable[..., Relationships]) -> None:
    channel = Looking(accept)
    project = queued(channel, 1)
    leave(project, "c00", state="attempting", worker=_own_name(), claimed_until=START + HOUR)
    assert project.deliver(as_of=START).accepted == 1


@pytest.mark.parametrize("state", ["claimed", "attempting"])
def test_a_living_worker_is_left_alone_even_beyond_its_lease(queued: Callable[..., Relationships], state: str) -> None:
    channel = Scripted(accept)
    project = queued(channel, 1)
    with working() as worker:
        leave(project, "c00", state=state, worker=worker, claimed_until=START - HOUR)
        project.deliver(as_of=START)
        assert (states(project), channel.given) == ({"c00": state}, [])


def test_a_worker_elsewhere_has_its_lease(queued: Callable[..., Relationships]) -> None:
    channel = Scripted(accept)
    project = queued(channel, 1)
    leave(project, "c00", state="claimed", worker=f"another machine:{os.getpid()}:1:x", claimed_until=START + HOUR)
    project.deliver(as_of=START + HOUR - timedelta(microseconds=1))
    assert channel.given == []
    project.deliver(as_of=START + HOUR)
    assert channel.given == ["c00"]


def test_an_interrupted_delivery_is_taken_up_in_the_same_process(queued: Callable[..., Relationships]) -> None:
    """Ctrl-C while the second message is on its way: nobody knows about that one, the others follow."""

    def interrupt(message: Message) -> Receipt:
        if len(channel.given) == 2:
            raise KeyboardInterrupt
        return accept(message)

    channel = Scripted(interrupt)
    project = queued(channel, 4)
    with pytest.raises(KeyboardInterrupt):
        project.deliver(as_of=START)
    channel.answer = accept
    delivered = project.deliver(as_of=START)
    assert (delivered.accepted, delivered.unknown) == (2, 1)
    assert sorted(channel.given) == ["c00", "c01", "c02", "c03"]
    assert sorted(states(project).values()) == ["accepted"] * 3 + ["unknown"]


def test_a_message_says_what_its_version_of_the_campaign_said(
    make_project: Open, make_campaign: Plan, make_customer: Know
) -> None:
    told = []

    def listen(message: Message) -> Receipt:
        told.append(message.text)
        return accept(message)

    channel = Scripted(listen)
    campaign = make_campaign("hello")
    chosen = {"plugins": [channel], "channels": {"letters": Choice(use="scripted")}}
    project = make_project(campaign, **chosen)
    project.record_customers([make_customer("ada")])
    project.review(as_of=START)
    project.plan(as_of=START)
    (action,) = campaign.actions
    changed = evolve(action, variants=[Variant(channel="letters", subject="New", text="New")])
    other = make_project(evolve(campaign, actions=[changed]), **chosen)
    other.store = project.store
    other.deliver(as_of=START)
    assert told == ["Hello Ada"]
