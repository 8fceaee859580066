"""Addresses that are held back stay so, however they are written and whatever is learned of their country."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, strategies as st

from relationship_core import (
    MESSAGES,
    SUPPRESSIONS,
    Campaign,
    Choice,
    Consent,
    ConsentSettings,
    ContactPoint,
    Customer,
    ProjectSettings,
    RejectedError,
    Relationships,
    Suppression,
    Table,
    Variant,
)
from relationship_core.builtin.memory import MemoryStore
from relationship_core.flow.facts import write_fact
from relationship_core.flow.permission import standing
from relationship_core.flow.permission.keys import address_key, held_back_keys
from relationship_core.flow.permission.terms import Terms
from relationship_core.flow.salt import SALT_FACT, project_salt

Open = Callable[..., Relationships]
Run = Callable[..., Campaign]

START = datetime(2024, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SMS: dict[str, Any] = {
    "channels": {"texts": Choice(use="null", settings={"medium": "sms"}), "letters": Choice(use="null")},
    "quiet_hours": {},
}
WRITINGS = (
    "+49 30 123456",
    "0049 30 123456",
    "030/123456",
    "(030) 12 34 56",
    "+49 (0)30 123456",
    "+49 30 123456 ext. 7",
)
COUNTRIES = (None, "DE", "AT", "US")


@pytest.fixture
def texting(make_project: Open, make_campaign: Run) -> Open:
    """A project with a campaign that texts everybody once."""

    def open_it(**more: Any) -> Relationships:
        campaign = make_campaign("text", variants=[Variant(channel="texts", text="Hello")])
        return make_project(campaign, **{**SMS, **more})

    return open_it


def somebody(who: str, number: str, country: str | None = None) -> Customer:
    return Customer(id=who, country=country, contact_points=[ContactPoint(medium="sms", address=number)])


def stop(number: str, medium: str = "sms") -> Suppression:
    return Suppression(medium=medium, address=number, reason="stop", at=START)


def texted(project: Relationships, at: datetime = START) -> set[str]:
    """Who has a message once everybody was planned for."""
    project.review(as_of=at)
    project.plan(as_of=at)
    return {*project.store.read(MESSAGES)["customer"]}


# Whatever is learned of the country


def test_a_stop_outlives_the_country_of_its_customer(texting: Open) -> None:
    project = texting()
    project.record_customers([somebody("ada", "030 123456"), somebody("bob", "030 123457")])
    project.permissions.suppress([stop("030 123456")])
    project.record_customers([Customer(id="ada", country="DE"), Customer(id="bob", country="DE")])
    assert [each.reason for each in project.permissions.show("ada").suppressions] == ["stop"]
    assert texted(project) == {"bob"}


def test_a_stop_outlives_the_country_of_the_project(texting: Open, tmp_path: Path) -> None:
    kept: dict[str, Any] = {"store": Choice(use="sqlite", settings={"path": "shop.db"}), "folder": tmp_path}
    with texting(**kept) as project:
        project.record_customers([somebody("ada", "030 123456"), somebody("bob", "030 123457")])
        project.permissions.suppress([stop("030 123456")])
    settings = ProjectSettings(zone="UTC", postal_address="1 Main Street", country="DE")
    with texting(project=settings, **kept) as project:
        assert texted(project) == {"bob"}


def test_a_stop_outlives_a_merge_into_somebody_of_another_country(texting: Open) -> None:
    project = texting()
    project.record_customers([somebody("bob", "030 123456", "DE"), Customer(id="ada", country="AT")])
    project.permissions.suppress([stop("+4930123456")])
    project.identities.merge("bob", into="ada")
    assert texted(project) == set()


@pytest.mark.parametrize("told", WRITINGS)
@pytest.mark.parametrize("kept", WRITINGS)
def test_a_stop_holds_for_every_way_of_writing_the_number(texting: Open, told: str, kept: str) -> None:
    project = texting()
    project.record_customers([somebody("ada", kept), somebody("bob", "+49 30 123457")])
    project.permissions.suppress([stop(told)])
    assert texted(project) == {"bob"}


def test_the_number_of_somebody_who_was_erased_stays_so_under_a_new_id_with_a_country(texting: Open) -> None:
    project = texting()
    project.record_customers([somebody("ada", "030 123456")])
    assert project.forget("ada").addresses == 1
    project.record_customers([somebody("zed", "030 123456", "DE"), somebody("bob", "030 123457", "DE")])
    assert texted(project) == {"bob"}


@given(
    st.sampled_from(WRITINGS),
    st.sampled_from(WRITINGS),
    st.lists(st.sampled_from(COUNTRIES), min_size=4, max_size=4),
)
def test_two_ways_of_writing_one_number_have_a_key_in_common(one: str, other: str, known: list[str | None]) -> None:
    assert keys(one, known[0], known[1]) & keys(other, known[2], known[3])
    assert not keys(one, known[0], known[1]) & keys(other.replace("6", "7"), known[2], known[3])


@given(st.sampled_from(["sms", "email", "post"]), st.text(max_size=20), st.sampled_from(COUNTRIES))
def test_the_strict_key_is_one_of_the_keys(medium: str, address: str, country: str | None) -> None:
    for project in ("", "DE"):
        terms = Terms(salt="s", country=project)
        strict = address_key(medium, address, terms, country)
        assert strict in keys(address, country, project, medium)


def keys(address: str, country: str | None, project: str | None, medium: str = "sms") -> set[str]:
    """The keys of an address whose customer, and whose project, has this country."""
    types = dict.fromkeys(("medium", "address", "country"), pl.String)
    points = pl.DataFrame([(medium, address, country)], schema=types, orient="row")
    return {*held_back_keys(points, Terms(salt="s", country=project or ""))["key"]}


def test_permission_for_one_number_goes_by_its_country(texting: Open) -> None:
    """What is held back may be too much, what is permitted never."""
    project = texting(consent=ConsentSettings())
    project.record_customers([somebody("ada", "030 123456", "DE"), somebody("bob", "030 123456", "AT")])
    for who in ("ada", "bob"):
        act = Consent(
            customer=who,
            act="grant",
            at=START,
            medium="sms",
            address="+4930123456",
            method="form",
            source="web",
            wording="v1",
        )
        project.permissions.record_consents([act])
    assert texted(project) == {"ada"}


# Whoever has the address, however they wrote it


def test_lifting_reaches_the_number_however_it_is_written(texting: Open) -> None:
    project = texting()
    project.record_customers([somebody("ada", "030 123456", "DE")])
    project.permissions.suppress([stop("030 123456")])
    assert texted(project) == set()
    assert project.permissions.unsuppress("sms", "+49 30 123456", actor="bob") == 1
    assert texted(project, START + HOUR) == {"ada"}
    assert project.store.read(SUPPRESSIONS)["lifted_by"].unique().to_list() == ["bob"]
    with pytest.raises(RejectedError, match="nothing suppresses"):
        project.permissions.unsuppress("sms", "030 123456", actor="bob")


def test_lifting_leaves_the_number_of_another_country(texting: Open) -> None:
    project = texting()
    project.record_customers([somebody("ada", "030 123456", "DE"), somebody("bob", "030 123456", "AT")])
    project.permissions.suppress([stop("+4930123456"), stop("+4330123456")])
    project.permissions.unsuppress("sms", "+4930123456", actor="cyd")
    assert texted(project) == {"ada"}


@pytest.mark.parametrize("written", ["Ada@Example.com", "ADA@EXAMPLE.COM", "ada@example.com"])
def test_lifting_and_suppressing_mark_whoever_has_the_address(
    make_project: Open, make_campaign: Run, written: str
) -> None:
    project = make_project(make_campaign("news"))
    point = ContactPoint(medium="email", address="Ada@example.com")
    project.record_customers([Customer(id="ada", contact_points=[point])])
    project.permissions.suppress([stop(written, "email")])
    assert texted(project) == set()
    project.permissions.unsuppress("email", written, actor="bob")
    assert project.store.marked("review") == 1
    assert texted(project, START + HOUR) == {"ada"}
    project.permissions.suppress([stop(written, "email")])
    assert project.store.marked("review") == 1


def test_forgetting_tells_of_others_with_the_address_however_they_wrote_it(texting: Open) -> None:
    project = texting()
    homes = {"ada": "home@example.com", "bob": "Home@Example.com", "cyd": "other@example.com"}
    numbers = {"ada": "030 123456", "dan": "+4930123456", "eve": "+4930123457"}
    project.record_customers(
        Customer(id=who, contact_points=[ContactPoint(medium="email", address=each)]) for who, each in homes.items()
    )
    project.record_customers(somebody(who, each) for who, each in numbers.items())
    forgotten = project.forget("ada")
    assert forgotten.sharing == ("bob", "dan")
    assert texted(project) == {"eve"}


# International domains

UNICODE, ASCII = "ada@bücher.example.com", "Ada@xn--bcher-kva.example.com"
DOMAINS = (
    "bücher.example.com",
    "BÜCHER.example.com",
    "bu\N{COMBINING DIAERESIS}cher.Example.com",
    "bücher\N{IDEOGRAPHIC FULL STOP}example.com",
    "xn--bcher-kva.example.com",
)
SHARP_S = ("ada@straße.example.com", "ada@strasse.example.com", "ada@xn--strae-oqa.example.com")


@pytest.mark.parametrize("domain", DOMAINS)
def test_an_international_domain_is_one_address_however_it_is_written(domain: str) -> None:
    terms = Terms(salt="s")
    assert address_key("email", f"ada@{domain}", terms) == address_key("email", ASCII, terms)
    assert address_key("email", f"bob@{domain}", terms) != address_key("email", ASCII, terms)


@pytest.mark.parametrize("kept", SHARP_S[1:])
def test_a_letter_that_the_standards_read_differently_is_held_back_both_ways(kept: str) -> None:
    assert keys(SHARP_S[0], None, None, "email") & keys(kept, None, None, "email")
    assert not keys(SHARP_S[1], None, None, "email") & keys(SHARP_S[2], None, None, "email")


@pytest.mark.parametrize("domain", ["ü" * 70, "a..ü", "ü\u0378", "", ".", "-ü-", "ü\u200f"])
def test_a_domain_that_cannot_be_written_as_ascii_equals_itself(domain: str) -> None:
    address = f"ada@{domain}"
    assert keys(address, None, None, "email") == keys(address.upper(), None, None, "email")
    assert not keys(address, None, None, "email") & keys(f"bob@{domain}", None, None, "email")


@pytest.mark.parametrize("told", [UNICODE, ASCII, f"Ada of Bücher <{UNICODE}>", f"<{ASCII}>", f"mailto:{ASCII}"])
def test_what_is_said_of_an_address_of_an_international_domain_holds(
    make_project: Open, make_campaign: Run, tmp_path: Path, told: str
) -> None:
    project = make_project(make_campaign("news"))
    for who, address in (("ada", ASCII), ("bob", "bob@xn--bcher-kva.example.com")):
        project.record_customers([Customer(id=who, contact_points=[ContactPoint(medium="email", address=address)])])
    project.permissions.suppress([stop(told, "email")])
    assert [each.reason for each in project.permissions.show("ada").suppressions] == ["stop"]
    assert texted(project) == {"bob"}
    project.permissions.unsuppress("email", told, actor="cyd")
    assert texted(project, START + HOUR) == {"ada", "bob"}
    file = tmp_path / "stops.csv"
    file.write_text(f"medium,address,reason,at\nemail,{told},stop,2024-03-01T00:00:00Z\n")
    assert project.permissions.import_file("suppressions", file).new == 1
    assert [each.lifted_at for each in project.permissions.show("ada").suppressions] == [None]


@pytest.mark.parametrize(
    "told",
    [
        "ada",
        "ada@",
        "ada@example.com, bob@example.com",
        "Ada <ada@example.com>, Bob <bob@example.com>",
        "a b@example.com",
    ],
)
def test_what_names_no_address_or_several_would_hold_back_nothing_and_is_refused(make_project: Open, told: str) -> None:
    project = make_project()
    with pytest.raises(RejectedError, match="not one address"):
        project.permissions.suppress([stop(told, "email")])
    with pytest.raises(RejectedError, match="not one address"):
        project.permissions.unsuppress("email", told, actor="cyd")
    assert project.store.read(SUPPRESSIONS).is_empty()


# What is read


def test_only_the_suppressions_of_the_addresses_in_question_are_read(
    make_project: Open, make_campaign: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def read(store: MemoryStore, table: Table, **chosen: Any) -> pl.DataFrame:
        if table == SUPPRESSIONS:
            asked.append(len(chosen["where"]["address_hash"]))
        return ordinary(store, table, **chosen)

    ordinary = MemoryStore.read
    project = make_project(make_campaign("news"))
    points = {who: ContactPoint(medium="email", address=f"{who}@example.com") for who in ("ada", "bob", "cyd")}
    project.record_customers(Customer(id=who, contact_points=[point]) for who, point in points.items())
    monkeypatch.setattr(MemoryStore, "read", read)
    project.permissions.suppress(stop(f"stranger-{number}@example.com", "email") for number in range(50))
    project.permissions.suppress([stop("ada@example.com", "email")])
    assert texted(project) == {"bob", "cyd"}
    project.permissions.suppress([stop("bob@example.com", "email")])
    assert project.deliver(as_of=START).stopped == 1
    project.permissions.unsuppress("email", "bob@example.com", actor="eve")
    assert project.permissions.show("ada").suppressions
    project.export("ada")
    project.forget("ada")
    assert asked[0] == 50
    # Everybody is reached on the medium of tasks beside their own.
    assert 0 < max(asked[1:]) <= len(points) + 1


@pytest.mark.parametrize("strangers", [0, 50])
def test_addresses_are_held_back_whether_they_are_many_or_few(
    make_project: Open, make_campaign: Run, monkeypatch: pytest.MonkeyPatch, strangers: int
) -> None:
    """Of many addresses it is asked first whether there is anything against their media, and how much."""
    monkeypatch.setattr(standing, "_MANY", 0)
    project = make_project(make_campaign("news"))
    names = ["ada", "bob", "cyd"]
    project.record_customers(
        Customer(id=who, contact_points=[ContactPoint(medium="email", address=f"{who}@example.com")]) for who in names
    )
    assert texted(project) == {*names}
    project.permissions.suppress(stop(f"stranger-{number}@example.com", "email") for number in range(strangers))
    project.permissions.suppress([stop("ada@example.com", "email"), stop("+49 30 1", "sms")])
    assert project.deliver(as_of=START).stopped == 1


# The salt


class SecondProcess(MemoryStore):
    """A store in which another process keeps its salt just before the first transaction."""

    def __init__(self) -> None:
        """Nobody was here before."""
        super().__init__()
        self.came = False

    @contextmanager
    def transaction(self, *, durable: bool = False, shared: bool = False) -> Iterator[None]:
        """The other process goes first."""
        with super().transaction(durable=durable, shared=shared):
            if not self.came:
                self.came = True
                write_fact(self, SALT_FACT, "of the other")
            yield


def test_of_two_first_processes_one_salt_counts() -> None:
    store = SecondProcess()
    assert project_salt(store, keep=True) == "of the other"
    assert project_salt(store, keep=True) == "of the other"
