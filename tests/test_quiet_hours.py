"""Quiet hours: nobody is disturbed at night where they live, whatever clocks do, and whatever is known of that."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, strategies as st

from relationship_core import (
    CUSTOMERS,
    DECISIONS,
    MESSAGES,
    Campaign,
    Choice,
    ConfigurationError,
    ContactPoint,
    Customer,
    ProjectSettings,
    QuietHours,
    Relationships,
    Settings,
    Variant,
    read_settings,
)
from relationship_core.flow.contact.quiet import HORIZON, next_allowed
from relationship_core.flow.contact.zones import candidate_zones, is_zone, zones_of_number

MINUTE, MICROSECOND = timedelta(minutes=1), timedelta(microseconds=1)

NIGHT = (time(21), time(8))
GAP = (time(2, 15), time(2, 45))
NO_QUIET = (time(0), time(0))
EVENING = (time(19, 30), time(23))

AMERICA, RUSSIA, ANTARCTICA = (candidate_zones(None, country) for country in ("US", "RU", "AQ"))


# The pure function against every minute of the clocks


def quiet(local: time, begin: time, end: time) -> bool:
    """What the words say: from the beginning on, and before the end, be it over midnight."""
    if begin <= end:
        return begin <= local < end
    return local >= begin or local < end


def oracle(start: datetime, minutes: int, zones: Iterable[str], begin: time, end: time) -> list[datetime | None]:
    """For each minute from ``start`` on the first from it on that is quiet nowhere; None if none comes in time.

    It looks at every minute of UTC, and at what the clocks show in it.
    """
    horizon = HORIZON // MINUTE
    clocks = [ZoneInfo(name) for name in zones]
    instants = [start + MINUTE * number for number in range(minutes + horizon)]
    free = [not any(quiet(each.astimezone(clock).time(), begin, end) for clock in clocks) for each in instants]
    found: list[datetime | None] = [None] * minutes
    coming: int | None = None
    for number in reversed(range(minutes + horizon)):
        coming = number if free[number] else coming
        if number < minutes and coming is not None and coming - number < horizon:
            found[number] = instants[coming]
    return found


def agree(zones: Sequence[str], around: Iterable[datetime], windows: Iterable[tuple[time, time]], hours: int) -> None:
    for day in around:
        for begin, end in windows:
            start = day - timedelta(hours=hours)
            expected = oracle(start, 2 * hours * 60, zones, begin, end)
            found = [next_allowed(start + MINUTE * number, zones, begin, end) for number in range(2 * hours * 60)]
            assert found == expected, (zones, day, begin, end)


CHANGES = (datetime(2026, 3, 8, 7, tzinfo=UTC), datetime(2026, 11, 1, 6, tzinfo=UTC))
"""New York skips an hour, and repeats one."""
LORD_HOWE = (datetime(2026, 4, 4, 15, tzinfo=UTC), datetime(2026, 10, 3, 15, 30, tzinfo=UTC))
"""Lord Howe repeats half an hour on April 5th, and skips one on October 4th, by its own date."""
WINDOWS = (NIGHT, GAP, NO_QUIET)


def test_the_clocks_change_when_these_tests_say() -> None:
    for zone, instants in (("America/New_York", CHANGES), ("Australia/Lord_Howe", LORD_HOWE)):
        for instant in instants:
            offsets = {(instant + shift).astimezone(ZoneInfo(zone)).utcoffset() for shift in (-MINUTE, timedelta())}
            assert len(offsets) == 2, (zone, instant)


@pytest.mark.parametrize("zone", ["America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"])
def test_every_minute_around_changes_of_clocks(zone: str) -> None:
    agree([zone], (*CHANGES, *LORD_HOWE), (*WINDOWS, EVENING), hours=36)


@pytest.mark.parametrize(
    "zones", [AMERICA, RUSSIA, ANTARCTICA, ("America/New_York", "Australia/Lord_Howe")], ids=["US", "RU", "AQ", "two"]
)
def test_every_minute_where_the_zone_is_unknown(zones: Sequence[str]) -> None:
    # Zones that show the same now are one clock to the oracle, too.
    at = CHANGES[0] - timedelta(days=20)
    distinct = {tuple((at + timedelta(days=n)).astimezone(ZoneInfo(name)).utcoffset() for n in range(0, 400, 5)): name
                for name in zones}  # fmt: skip
    assert len(distinct) > 1
    for day in CHANGES:
        for begin, end in (NIGHT, GAP):
            start = day - timedelta(hours=20)
            expected = oracle(start, 40 * 60, distinct.values(), begin, end)
            assert [next_allowed(start + MINUTE * n, zones, begin, end) for n in range(40 * 60)] == expected


def test_hours_that_do_not_meet() -> None:
    assert next_allowed(CHANGES[0], ANTARCTICA, *NIGHT) is None
    assert next_allowed(CHANGES[0], AMERICA, time(12), time(9)) is None


def test_what_the_unknown_zones_of_a_country_leave() -> None:
    """From eight in Honolulu until nine in the evening in New York, on a day of winter."""
    assert {"Pacific/Honolulu", "America/New_York", "America/Adak"} <= set(AMERICA)
    midnight = datetime(2026, 1, 14, tzinfo=UTC)
    hours = [h for h in range(24) if next_allowed(midnight + timedelta(hours=h), AMERICA, *NIGHT) == midnight
             + timedelta(hours=h)]  # fmt: skip
    assert hours == [0, 1, 18, 19, 20, 21, 22, 23]


def test_an_hour_that_a_clock_skips_is_not_waited_for() -> None:
    """At 2:00 on March 8th it is 3:00 in New York: the quiet between never comes."""
    for number in range(120):
        instant = datetime(2026, 3, 8, 6, tzinfo=UTC) + MINUTE * number
        assert next_allowed(instant, ["America/New_York"], *GAP) == instant


def test_an_hour_that_a_clock_repeats_is_quiet_twice() -> None:
    found = {
        hour: next_allowed(datetime(2026, 11, 1, hour, 30, tzinfo=UTC), ["America/New_York"], time(1, 15), time(1, 45))
        for hour in (5, 6, 7)
    }
    assert found == {hour: datetime(2026, 11, 1, hour, 45 if hour < 7 else 30, tzinfo=UTC) for hour in (5, 6, 7)}


ZONES = sorted({*AMERICA, *RUSSIA, "Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia", "UTC"})
clocks = st.integers(0, 24 * 60 - 1).map(lambda minutes: time(minutes // 60, minutes % 60))


@given(
    st.integers(0, 10 * 365 * 86_400_000_000).map(
        lambda number: datetime(2020, 1, 1, tzinfo=UTC) + number * MICROSECOND
    ),
    st.lists(st.sampled_from(ZONES), min_size=1, max_size=4),
    clocks,
    clocks,
)
def test_any_instant_any_zones_any_hours(instant: datetime, zones: list[str], begin: time, end: time) -> None:
    found = next_allowed(instant, zones, begin, end)
    horizon = instant + HORIZON
    first = next((each for each in _marks(instant, horizon) if not _quiet_somewhere(each, zones, begin, end)), None)
    assert found == first


def _marks(instant: datetime, until: datetime) -> Iterable[datetime]:
    """The instant, and every minute of UTC after it: quiet ends, and clocks change, on minutes alone."""
    yield instant
    at = instant.replace(second=0, microsecond=0) + MINUTE
    while at < until:
        yield at
        at += MINUTE


def _quiet_somewhere(instant: datetime, zones: Iterable[str], begin: time, end: time) -> bool:
    return any(quiet(instant.astimezone(ZoneInfo(zone)).time(), begin, end) for zone in zones)


# Where somebody may be


def test_the_zone_itself_before_the_country() -> None:
    assert candidate_zones("Asia/Kathmandu", "US") == ("Asia/Kathmandu",)
    assert candidate_zones("Mars/Olympus", "NP") == candidate_zones(None, "np") == ("Asia/Kathmandu",)
    assert candidate_zones("", "") == candidate_zones(None, "XX") == ()


@pytest.mark.parametrize("name", ["Mars/Olympus", "../etc/passwd", "", "America", "New York"])
def test_what_is_no_zone(name: str) -> None:
    assert not is_zone(name)


def test_every_zone_of_every_country_can_be_read() -> None:
    codes = [first + second for first in map(chr, range(65, 91)) for second in map(chr, range(65, 91))]
    by_country = {code: candidate_zones(None, code) for code in codes}
    assert {"US", "RU", "AU", "NP", "DE", "AQ"} <= {code for code, zones in by_country.items() if zones}
    assert all(is_zone(zone) for zones in by_country.values() for zone in zones)


def test_a_telephone_number_tells_where_it_belongs() -> None:
    assert zones_of_number("+12125550123", "") == ("America/New_York",)
    for number, country in (("+9779841234567", ""), ("9841234567", "NP")):
        (zone,) = zones_of_number(number, country)
        assert ZoneInfo(zone).utcoffset(datetime(2026, 1, 1)) == timedelta(hours=5, minutes=45)  # noqa: DTZ001  a clock
    # An Australian mobile number is at home all over the country, and a number of nobody in all that share its code.
    assert {"Australia/Sydney", "Australia/Perth"} <= set(zones_of_number("+61412345678", ""))
    assert {*AMERICA, "America/Jamaica", "America/Vancouver"} <= set(zones_of_number("+10005550123", ""))
    for nothing, country in (("9841234567", ""), ("call me", "DE"), ("1", "DE")):
        assert zones_of_number(nothing, country) == ()


# In a plan, and when a message is claimed

Open = Callable[..., Relationships]
Plan = Callable[..., Campaign]
Know = Callable[..., Customer]

NOON_IN_BERLIN = datetime(2026, 1, 14, 11, tzinfo=UTC)
CHANNELS = {"texts": Choice(use="null", settings={"medium": "sms"}), "letters": Choice(use="null")}
BERLIN = ProjectSettings(zone="Europe/Berlin", country="DE", postal_address="Sample Street 1, 10000 Anytown")


@pytest.fixture
def texting(make_project: Open, make_campaign: Plan) -> Callable[..., Relationships]:
    def make(**more: Any) -> Relationships:
        campaign = make_campaign("hello", variants=[Variant(channel="texts", text="Hello")])
        return make_project(campaign, **{"channels": CHANNELS, "project": BERLIN, **more})

    return make


def reachable(make_customer: Know, name: str, number: str, **more: Any) -> Customer:
    return make_customer(name, contact_points=[ContactPoint(medium="sms", address=number, synthetic=True)], **more)


def waits(project: Relationships) -> dict[str, datetime]:
    return dict(project.store.read(MESSAGES).select("customer", "not_before").iter_rows())


def details(project: Relationships) -> dict[str, str]:
    return dict(project.store.read(DECISIONS).select("customer", "detail").iter_rows())


def at(hour: int, minute: int = 0, *, day: int = 14) -> datetime:
    return datetime(2026, 1, day, hour, minute, tzinfo=UTC)


def test_a_message_waits_until_quiet_ends_where_its_customer_lives(
    texting: Callable[..., Relationships], make_customer: Know
) -> None:
    project = texting()
    people = [
        reachable(make_customer, "berlin", "+4930123456", zone="Europe/Berlin"),
        reachable(make_customer, "kathmandu", "+4930123457", zone="Asia/Kathmandu"),
        reachable(make_customer, "american", "+4930123458", country="US"),
        reachable(make_customer, "misspelt", "+4930123459", country="NP"),
        reachable(make_customer, "by-number", "+12125550123"),
        reachable(make_customer, "nowhere", "+4930123460", country="AQ"),
        reachable(make_customer, "anywhere", "1"),
    ]
    project.record_customers(people)
    with project.store.transaction():  # as an older version may have kept it
        project.store.update(CUSTOMERS, pl.DataFrame({"customer": ["misspelt"], "zone": ["America/NewYork"]}))
    now = at(3, 30)
    project.review(as_of=now)
    project.plan(as_of=now)
    eight_in_berlin = at(7)
    assert waits(project) == {
        "berlin": eight_in_berlin,
        "kathmandu": now,  # 9:15 there
        "american": at(18),  # eight in Honolulu
        "misspelt": now,
        "by-number": at(13),  # eight in New York
        "nowhere": eight_in_berlin,  # the hours of Antarctica do not meet
        "anywhere": eight_in_berlin,
    }
    told = details(project)
    assert {name for name, detail in told.items() if "project's clock" in detail} == {"nowhere", "anywhere"}
    assert project.deliver(as_of=now).accepted == 2
    assert project.deliver(as_of=eight_in_berlin).accepted == 3
    assert project.deliver(as_of=at(18)).accepted == 2


def test_what_would_expire_in_quiet_hours_is_not_queued(
    make_project: Open, make_campaign: Plan, make_customer: Know, make_interaction: Callable[..., Any]
) -> None:
    """It waits for the morning at 7:00 UTC; what is worth it until then, and not longer, would wait in vain."""
    for since, reason, left in ((at(7), "quiet_hours", {}), (at(7, 1), "due", {"ada": at(7)})):
        campaign = make_campaign(
            "thanks",
            audience="orders > 0",
            key="last_order_at",
            since="last_order_at",
            limits={"expires_days": 1},
            variants=[Variant(channel="texts", text="Hello")],
        )
        project = make_project(campaign, channels=CHANNELS, project=BERLIN)
        project.record_customers([reachable(make_customer, "ada", "+4930123456", zone="Europe/Berlin")])
        project.record([make_interaction("ada", "order", since - timedelta(days=1), minor=500)])
        project.review(as_of=at(3))
        project.plan(as_of=at(3))
        assert waits(project) == left
        (row,) = project.store.read(DECISIONS).to_dicts()
        assert row["reason"] == reason
        if not left:
            assert (row["detail"], row["until"]) == ("expires before it may be sent", at(7))
            (policy,) = [
                each for each in project.explain("ada", as_of=at(3)).actions[0].policies if each.name == "quiet_hours"
            ]
            assert policy.answer == "holds_back"
            project.plan(as_of=at(7))
            assert project.store.read(DECISIONS)["reason"].to_list() == ["expired"]


def test_email_is_never_quiet_unless_it_is_said(make_project: Open, make_campaign: Plan, make_customer: Know) -> None:
    for hours, expected in (({}, at(3)), ({"email": QuietHours(begin="20:00", end="05:30")}, at(4, 30))):
        project = make_project(make_campaign("hello"), project=BERLIN, quiet_hours=hours)
        project.record_customers([make_customer("ada", zone="Europe/Berlin")])
        project.review(as_of=at(3))
        project.plan(as_of=at(3))
        assert waits(project) == {"ada": expected}


def test_service_waits_too(make_project: Open, make_campaign: Plan, make_customer: Know) -> None:
    campaign = make_campaign("hello", purpose="service", variants=[Variant(channel="texts", text="Hello")])
    project = make_project(campaign, channels=CHANNELS, project=BERLIN)
    project.record_customers([reachable(make_customer, "ada", "+4930123456")])
    project.review(as_of=at(3))
    project.plan(as_of=at(3))
    assert waits(project) == {"ada": at(7)}


def test_what_is_claimed_at_night_goes_back_until_the_morning(
    texting: Callable[..., Relationships], make_customer: Know
) -> None:
    project = texting()
    project.record_customers([reachable(make_customer, "ada", "+4930123456", zone="Europe/Berlin")])
    project.review(as_of=NOON_IN_BERLIN)
    project.plan(as_of=NOON_IN_BERLIN)
    assert waits(project) == {"ada": NOON_IN_BERLIN}
    delivered = project.deliver(as_of=at(20, 30))
    assert (delivered.accepted, delivered.deferred, delivered.waiting) == (0, 1, {})
    (row,) = project.store.read(MESSAGES).to_dicts()
    assert (row["state"], row["not_before"], row["attempts"]) == ("queued", at(7, day=15), 0)
    assert project.deliver(as_of=at(6, 59, day=15)).accepted == 0
    assert project.deliver(as_of=at(7, day=15)).accepted == 1


def test_equal_times_are_no_quiet(texting: Callable[..., Relationships], make_customer: Know) -> None:
    project = texting(quiet_hours={"sms": QuietHours(begin="00:00", end="00:00")})
    project.record_customers([reachable(make_customer, "ada", "+4930123456")])
    project.review(as_of=at(2))
    project.plan(as_of=at(2))
    assert project.deliver(as_of=at(2)).accepted == 1


# What cannot be configured


@pytest.mark.parametrize("wrong", ["24:00", "8:00", "21", "21:60", "", "noon", 21])
def test_a_time_that_there_is_not(wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="begin must be"):
        QuietHours(begin=wrong)


def test_a_letter_wakes_nobody(tmp_path: Any) -> None:
    with pytest.raises(ConfigurationError, match="post has no quiet hours"):
        Settings(quiet_hours={"post": QuietHours()})
    (tmp_path / "relationship.toml").write_text('[quiet_hours.post]\nbegin = "20:00"\n', encoding="utf-8")
    with pytest.raises(ConfigurationError, match="post has no quiet hours"):
        read_settings(tmp_path)
