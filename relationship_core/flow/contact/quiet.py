"""Quiet hours: when nobody is disturbed, by the clock where the customer lives.

Whether an instant is quiet is always decided from the instant in UTC, of which every clock shows exactly one time. So
the hour that a change of clocks skips is never waited for, and the hour that it repeats is quiet both times.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import polars as pl
from attrs import frozen

from relationship_core.columns import CUSTOMERS, Page
from relationship_core.config.contact import QuietHours
from relationship_core.flow.contact.zones import candidate_zones, zones_of_number
from relationship_core.model.instants import utc
from relationship_core.ports import Store
from relationship_core.table import INSTANT

HORIZON = timedelta(days=2)
"""Hours that do not meet for so long do not meet: each clock's day comes round within it, changes of clocks too."""

_STEP = timedelta(hours=1)
"""No zone changes its clock twice in so short a time."""
_DAY, _INSTANT = timedelta(days=1), timedelta(microseconds=1)

_Span = tuple[datetime, datetime]
"""From an instant on, and before another."""


def next_allowed(instant: datetime, zones: Iterable[str], begin: time, end: time) -> datetime | None:
    """The first instant from this one on at which it is quiet in none of the zones; None where there is none.

    Args:
        instant: an aware instant.
        zones: IANA names of the zones in which the customer may live; at least one.
        begin: when quiet begins by the clock there.
        end: when it ends, on the next day where that is earlier. Equal times mean that there is no quiet.
    """
    start = utc(instant)
    if begin == end:
        return start
    midnight = datetime.combine(start.date(), time(), tzinfo=UTC)
    for first, last in _free(frozenset(zones), midnight, begin, end):
        found = max(first, start)
        if found < last:
            return found if found < start + HORIZON else None
    return None


@lru_cache(maxsize=1_024)
def _free(zones: frozenset[str], midnight: datetime, begin: time, end: time) -> tuple[_Span, ...]:
    """When it is quiet in none of the zones, from a midnight of UTC on until after the horizon of its day."""
    spans = [(midnight, midnight + HORIZON + _DAY)]
    for clock in {tuple(_unchanged(zone, *spans[0])) for zone in zones}:
        spans = _meeting(spans, [span for piece in clock for span in _allowed(*piece, begin, end)])
    return tuple(spans)


def _meeting(left: Sequence[_Span], right: Sequence[_Span]) -> list[_Span]:
    """Where both hold, in order."""
    both = ((max(a, c), min(b, d)) for a, b in left for c, d in right)
    return sorted((first, last) for first, last in both if first < last)


def _allowed(first: datetime, last: datetime, shift: timedelta, begin: time, end: time) -> Iterator[_Span]:
    """When it is not quiet by a clock that is not changed: from the end of quiet until it begins again, day by day."""
    here, there = first + shift, last + shift
    day = datetime.combine(here.date() - _DAY, time(), tzinfo=UTC)
    while day <= there:
        since, until = _at(day, end), _at(day if end < begin else day + _DAY, begin)
        if max(here, since) < min(there, until):
            yield max(here, since) - shift, min(there, until) - shift
        day += _DAY


def _at(day: datetime, clock: time) -> datetime:
    return day.replace(hour=clock.hour, minute=clock.minute)


def _unchanged(zone: str, midnight: datetime, stop: datetime) -> Iterator[tuple[datetime, datetime, timedelta]]:
    """The time from a midnight of UTC on, cut where a day ends or the clock is changed, with what it shows more."""
    while midnight < stop:
        offsets = _offsets(zone, midnight)
        ends = [since for since, _offset in offsets[1:]] + [midnight + _DAY]
        for (since, offset), until in zip(offsets, ends, strict=True):
            yield since, until, offset
        midnight += _DAY


@lru_cache(maxsize=4_096)
def _offsets(zone: str, day: datetime) -> tuple[tuple[datetime, timedelta], ...]:
    """What a clock shows more than UTC from the beginning of a day of UTC on, and from each change in it on."""
    found = [(day, _offset(zone, day))]
    at = day
    while at < day + _DAY:
        later = at + _STEP
        if _offset(zone, at) != _offset(zone, later):
            changed = _change(zone, at, later)
            # The next day begins with the offset of its own first instant.
            if changed < day + _DAY:
                found.append((changed, _offset(zone, changed)))
        at = later
    return tuple(found)


def _change(zone: str, before: datetime, after: datetime) -> datetime:
    """The first instant of the new time, between two instants on either side of the change."""
    old = _offset(zone, before)
    while after - before > _INSTANT:
        between = before + (after - before) // 2
        if _offset(zone, between) == old:
            before = between
        else:
            after = between
    return after


def _offset(zone: str, instant: datetime) -> timedelta:
    return instant.astimezone(ZoneInfo(zone)).utcoffset() or timedelta()


@frozen(kw_only=True)
class Clocks:
    """By which clocks it is told whether a customer may be disturbed.

    Attributes:
        hours: quiet hours by medium.
        zone: the project's zone, for customers of whom nobody knows where they live.
        country: the country of telephone numbers whose customer has none; empty for none.
    """

    hours: Mapping[str, QuietHours]
    zone: str
    country: str = ""

    def wait(self, now: datetime, medium: str, zones: Sequence[str]) -> tuple[datetime, bool]:
        """Until when to wait, which is now where it is not quiet, and whether the project's own clock said so."""
        begin, end = self.hours[medium].times
        found = next_allowed(now, zones, begin, end) if zones else None
        if found is not None:
            return found, False
        return next_allowed(now, [self.zone], begin, end) or utc(now) + HORIZON, True


def with_quiet_hours(addressed: pl.DataFrame, *, store: Store, now: datetime, clocks: Clocks) -> pl.DataFrame:
    """Add ``quiet_until``, null where it is not quiet, and ``quiet_unknown``: whether the project's clock told it.

    It is asked where the customer has no zone that there is, and neither the country nor the telephone number tells
    one, or the hours of those that they tell do not meet.

    Args:
        addressed: with ``customer``, ``medium`` and ``address``; the last two may be null.
        store: where the zones and countries of customers are.
        now: the run's instant.
        clocks: quiet hours, and what else decides.
    """
    nothing = [pl.lit(None, INSTANT).alias("quiet_until"), pl.lit(value=False).alias("quiet_unknown")]
    quiet = [medium for medium, hours in clocks.hours.items() if hours.begin != hours.end]
    concerned = addressed.filter(pl.col("medium").is_in(quiet)).select("customer", "medium", "address").unique()
    if concerned.is_empty():
        return addressed.with_columns(nothing)
    page = Page(concerned["customer"].unique().sort())
    homes = store.read(CUSTOMERS, page=page, columns=["customer", "zone", "country"])
    known = _placed(concerned.join(homes, on="customer", how="left"))
    keys = ["medium", "zone", "country", "number"]
    waits = [_wait(row, now, clocks) for row in known.select(keys).unique().iter_rows()]
    found = pl.DataFrame(
        waits,
        schema={**dict.fromkeys(keys, pl.String), "quiet_until": INSTANT, "quiet_unknown": pl.Boolean},
        orient="row",
    )
    told = known.join(found, on=keys, nulls_equal=True).select(
        "customer", "medium", "address", "quiet_until", "quiet_unknown"
    )
    return addressed.join(
        told, on=["customer", "medium", "address"], how="left", nulls_equal=True, maintain_order="left"
    ).with_columns(pl.col("quiet_unknown").fill_null(value=False))


def _placed(concerned: pl.DataFrame) -> pl.DataFrame:
    """With ``number``: the address, where neither zone nor country says where its customer lives."""
    places = concerned.select("zone", "country").unique()
    is_placed = pl.Series("placed", [bool(candidate_zones(*place)) for place in places.iter_rows()], dtype=pl.Boolean)
    return concerned.join(places.with_columns(is_placed), on=["zone", "country"], nulls_equal=True).with_columns(
        pl.when(~pl.col("placed")).then("address").alias("number")
    )


def _wait(
    row: tuple[str, str | None, str | None, str | None], now: datetime, clocks: Clocks
) -> tuple[str, str | None, str | None, str | None, datetime | None, bool]:
    medium, zone, country, number = row
    zones = candidate_zones(zone, country) if number is None else zones_of_number(number, clocks.country)
    until, unknown = clocks.wait(now, medium, zones)
    return (*row, until if until > now else None, unknown)
