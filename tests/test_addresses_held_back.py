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
    Variant,
)
from relationship_core.builtin.memory import MemoryStore
from relationship_core.flow.facts import write_fact
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


# The salt


class SecondProcess(MemoryStore):
    """A store in which another process keeps its salt just before the first transaction."""

    def __init__(self) -> None:
        """Nobody was here before."""
        super().__init__()
        self.came = False

    @contextmanager
    def transaction(self, *, durable: bool = False) -> Iterator[None]:
        """The other process goes first."""
        with super().transaction(durable=durable):
            if not self.came:
                self.came = True
                write_fact(self, SALT_FACT, "of the other")
            yield


def test_of_two_first_processes_one_salt_counts() -> None:
    store = SecondProcess()
    assert project_salt(store, keep=True) == "of the other"
    assert project_salt(store, keep=True) == "of the other"
