"""Zones: in which time zones a customer may live, where nobody said it."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

_TABLE = "zoneinfo/zone.tab"
"""The time zone database's own table of countries and their zones, as the distribution ``tzdata`` holds it."""


def candidate_zones(zone: str | None, country: str | None) -> tuple[str, ...]:
    """The customer's own zone; where there is none of that name, those of the country; else none.

    Args:
        zone: IANA time zone name, as somebody wrote it.
        country: ISO 3166-1 code of two letters.
    """
    if zone and is_zone(zone):
        return (zone,)
    return _zones_of_countries().get((country or "").upper(), ())


@cache
def is_zone(name: str) -> bool:
    """Whether there is a time zone of that name."""
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        return False
    return True


@cache
def _zones_of_countries() -> dict[str, tuple[str, ...]]:
    lines = files("tzdata").joinpath(_TABLE).read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    zones: dict[str, list[str]] = {}
    for country, _place, zone, *_words in rows:
        zones.setdefault(country, []).append(zone)
    return {country: tuple(sorted(names)) for country, names in zones.items()}


def zones_of_number(number: str, country: str) -> tuple[str, ...]:
    """The zones in which a telephone number may be; none where it is no number.

    Of one that nobody knows where it belongs, as it is of numbers that nobody has been given yet, they are the zones of
    every country with its code.

    Args:
        number: as somebody wrote it.
        country: the country of numbers that begin with no country code; empty for none.
    """
    import phonenumbers
    from phonenumbers.timezone import time_zones_for_number

    try:
        read = phonenumbers.parse(number, country or None)
    except phonenumbers.NumberParseException:
        return ()
    if not phonenumbers.is_possible_number(read):
        return ()
    told = tuple(sorted(name for name in time_zones_for_number(read) if is_zone(name)))
    if told:
        return told
    countries = phonenumbers.region_codes_for_country_code(read.country_code or 0)
    return tuple(sorted({zone for each in countries for zone in candidate_zones(None, each)}))
