"""What the examples of embedding share: one thread for async callers, counting and logging; and several tenants."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Event, get_ident
from typing import TYPE_CHECKING, Any

import pytest

from relationship_core import (
    Channel,
    Choice,
    ConsentSettings,
    Interaction,
    Message,
    Money,
    ParameterSettings,
    Progress,
    ProjectSettings,
    Provider,
    Receipt,
    RejectedError,
    Relationships,
    Settings,
    Suppression,
    Variant,
    hookimpl,
    load_plugins,
)
from relationship_core.builtin.channels import NullSettings

if TYPE_CHECKING:
    from metrics import Metrics
    from one_thread import OneThread

Make = Callable[..., Any]
EXAMPLES = Path(__file__).resolve().parent.parent / "docs" / "examples"
NOON = datetime(2025, 3, 18, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def examples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(EXAMPLES)


@pytest.fixture
def one_thread(tmp_path: Path) -> "OneThread":
    from one_thread import OneThread

    settings = Settings(store=Choice(use="sqlite", settings={"path": str(tmp_path / "relationships.db")}))
    return OneThread(lambda: Relationships(settings=settings, clock=lambda: NOON))


def orders(*ids: str, customer: str = "anna", currency: str = "EUR") -> list[Interaction]:
    paid = Money(minor=740, currency=currency)
    return [Interaction(source="till", id=id, customer=customer, kind="order", at=NOON, amount=paid) for id in ids]


def kept(project: Relationships, id: str) -> int:
    return project.record(orders(id)).new


def test_coroutines_ask_a_project_in_its_own_thread(one_thread: "OneThread") -> None:
    async def work() -> tuple[list[int], set[int]]:
        async with one_thread as project:
            asked = [project.ask(partial(kept, id=str(number))) for number in range(20)]
            return await asyncio.gather(*asked), {await project.ask(lambda _: get_ident()) for _ in range(3)}

    new, threads = asyncio.run(work())
    assert (new, len(threads)) == ([1] * 20, 1)
    assert get_ident() not in threads


def test_what_a_project_refuses_reaches_who_asked_and_no_other(one_thread: "OneThread") -> None:
    async def work() -> int:
        async with one_thread as project:
            with pytest.raises(RejectedError):
                await project.ask(lambda it: it.customer("nobody"))
            return await project.ask(lambda it: it.record(orders("1")).new)

    assert asyncio.run(work()) == 1


def test_a_question_that_ends_in_stop_iteration_is_answered(one_thread: "OneThread") -> None:
    async def ask() -> None:
        async with one_thread as project:
            with pytest.raises(RuntimeError, match="StopIteration"):
                await asyncio.wait_for(project.ask(lambda _: next(iter(()))), timeout=30)

    asyncio.run(ask())


def test_who_is_cancelled_leaves_whole_what_had_begun_and_nothing_of_what_had_not(one_thread: "OneThread") -> None:
    began, go_on = Event(), Event()

    def slow(project: Relationships) -> None:
        began.set()
        go_on.wait(60)
        project.record(orders("begun"))

    async def work() -> tuple[int, int]:
        async with one_thread as project:
            first = asyncio.ensure_future(project.ask(slow))
            second = asyncio.ensure_future(project.ask(lambda it: it.record(orders("waiting"))))
            await asyncio.to_thread(began.wait, 60)
            first.cancel()
            second.cancel()
            await asyncio.gather(first, second, return_exceptions=True)
            go_on.set()
            return await project.ask(lambda it: (it.record(orders("begun")).new, it.record(orders("waiting")).new))

    assert asyncio.run(work()) == (0, 1)


def test_who_is_cancelled_while_a_project_opens_leaves_none_open(tmp_path: Path) -> None:
    from one_thread import OneThread

    begun, go_on, closed = Event(), Event(), Event()

    class Watched(Relationships):
        def close(self) -> None:
            super().close()
            closed.set()

    def opened() -> Relationships:
        begun.set()
        go_on.wait(60)
        return Watched(settings=Settings(store=Choice(use="sqlite", settings={"path": str(tmp_path / "it.db")})))

    async def enter() -> None:
        async with OneThread(opened):
            pytest.fail("it was cancelled before")

    async def work() -> None:
        entering = asyncio.ensure_future(enter())
        await asyncio.to_thread(begun.wait, 60)
        entering.cancel()
        await asyncio.gather(entering, return_exceptions=True)
        go_on.set()
        assert await asyncio.to_thread(closed.wait, 60)

    asyncio.run(work())


def test_a_project_that_cannot_be_opened_says_so_to_who_enters_it() -> None:
    from one_thread import OneThread

    async def work() -> None:
        async with OneThread(lambda: Relationships.open("nowhere")):
            pytest.fail("there is no such project")

    with pytest.raises(Exception, match=r"relationship\.toml"):
        asyncio.run(work())


class _Line:
    """A plugin, and its channel, which takes what is written to Anna, and breaks for others in words that name them."""

    medium = "email"

    @hookimpl
    def relationship_channels(self) -> tuple[Provider[Channel], ...]:
        return (Provider(name="line", factory=lambda _: self, settings=NullSettings, summary="A test."),)

    def send(self, messages: Sequence[Message]) -> Sequence[Receipt]:
        for message in messages:
            if message.address != "anna@example.com":
                text = f"no line to {message.address}"
                raise RuntimeError(text)
        return [Receipt(message=each.id, state="accepted") for each in messages]

    def close(self) -> None:
        pass


@pytest.fixture
def metrics() -> "Metrics":
    from metrics import Metrics

    return Metrics()


def test_counters_and_a_log_see_what_happened_and_nobody_in_it(
    metrics: "Metrics", make_project: Make, make_campaign: Make, make_customer: Make, caplog: pytest.LogCaptureFixture
) -> None:
    steps: list[Progress] = []
    with (
        caplog.at_level(logging.DEBUG),
        make_project(
            make_campaign("thanks", when="order_days >= 1"),
            plugins=[metrics, _Line()],
            clock=lambda: NOON,
            channels={"letters": Choice(use="line")},
        ) as project,
    ):
        project.record_customers(make_customer(id) for id in ("anna", "berta"))
        project.record([*orders("1"), *orders("2", customer="berta")])
        project.run(progress=steps.append)
    assert metrics.text().splitlines() == [
        'relationship_delivered_total{state="accepted"} 1',
        'relationship_delivered_total{state="unknown"} 1',
        'relationship_moved_total{from="prospect",to="customer"} 2',
        'relationship_recorded_total{kind="order"} 2',
    ]
    assert {each.step for each in steps} >= {"review", "plan", "deliver"}
    logged = [(record.name.partition(".")[0], record.levelname) for record in caplog.records]
    assert set(logged) == {("metrics", "INFO"), ("relationship_core", "WARNING")}
    assert "RuntimeError" in caplog.text
    told = "".join(str(vars(record)) for record in caplog.records).lower()
    assert [word for word in ("anna", "berta", "example.com") if word in told] == []


def numbers(project: Relationships) -> tuple[int, dict[str, str]]:
    view = project.customer("anna", as_of=NOON)
    return view.interactions, {each.name: str(each.value) for each in project.parameters if each.name == "dwell_days"}


def test_two_tenants_in_one_process_share_nothing(tmp_path: Path, make_campaign: Make, make_customer: Make) -> None:
    plugins = load_plugins()

    def opened(name: str, currency: str, dwell: float, text: str) -> Relationships:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        settings = Settings(
            project=ProjectSettings(name=name, currency=currency, postal_address="1 Main Street"),
            store=Choice(use="sqlite", settings={"path": "relationships.db"}),
            channels={"letters": Choice(use="folder", settings={"path": "outbox"})},
            parameters=ParameterSettings(values={"dwell_days": dwell}),
            consent=ConsentSettings(without=("email",)),
        )
        greeting = make_campaign(
            f"thanks-of-{name}", when="order_days >= 1", variants=[Variant(channel="letters", subject="Hi", text=text)]
        )
        return Relationships(
            settings=settings, campaigns=[greeting], plugins=plugins, folder=folder, clock=lambda: NOON
        )

    with opened("bakery", "EUR", 10, "Bread") as bakery, opened("cafe", "USD", 20, "Coffee") as cafe:
        for tenant, ids in ((bakery, ("1", "2")), (cafe, ("1",))):
            tenant.record_customers([make_customer("anna")])
            tenant.record(orders(*ids, currency=tenant.settings.project.currency))
        assert numbers(bakery) == (2, {"dwell_days": "10.0"})
        assert numbers(cafe) == (1, {"dwell_days": "20.0"})

        bakery.permissions.suppress(
            [Suppression(medium="email", address="anna@example.com", reason="unsubscribe", source="desk", at=NOON)]
        )
        assert (bakery.run().delivered.accepted, cafe.run().delivered.accepted) == (0, 1)
        (letter,) = (tmp_path / "cafe" / "outbox").glob("*.eml")
        assert "Coffee" in letter.read_text(encoding="utf-8")

        bakery.forget("anna")
        with pytest.raises(RejectedError):
            bakery.customer("anna")
        assert cafe.customer("anna").customer.name == "Anna"
        assert bakery.report() != cafe.report()
    with opened("cafe", "USD", 20, "Coffee") as cafe:
        assert cafe.customer("anna").interactions == 1
