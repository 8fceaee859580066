"""Postal addresses, from the lines of a label to the fields that Lob asks for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from relationship_core import RejectedError

HOME = "US"
"""Where Lob posts; addresses elsewhere need fewer fields."""

_TOWN = re.compile(r"(?P<city>.*\S)[\s,]+(?P<state>[A-Za-z]{2})[\s,]+(?P<zip>\d{5}(?:-\d{4})?)")
_HOME_NAMES = frozenset({"us", "u.s.", "usa", "u.s.a.", "united states", "united states of america"})
_LONGEST_NAME = 40
_LONGEST_LINE = 64
_LONGEST_LINES_ABROAD = 200
_LONGEST_TOWN = 250
"""More than any city with its state and ZIP code, spaces among them."""
_FEWEST_LINES = 2


def fields(address: str, recipient: str, country: str) -> Mapping[str, str]:
    """The fields of an address.

    Args:
        address: the lines of a label, with or without the name and the country.
        recipient: the name.
        country: the country's ISO 3166-1 code, unless the last line says United States.

    Raises:
        RejectedError: a field that Lob needs is missing, or longer than it may be. The reason repeats nothing of it.
    """
    lines = [" ".join(line.split()) for line in address.split("\n") if line.strip()]
    if lines and lines[-1].casefold() in _HOME_NAMES:
        lines.pop()
        country = HOME
    names, lines = _names(lines, " ".join(recipient.split()))
    street = _at_home(lines) if country == HOME else _abroad(lines, country)
    return {**names, **street, "address_country": country}


def _names(lines: Sequence[str], recipient: str) -> tuple[Mapping[str, str], list[str]]:
    """Name and company, and the lines without them."""
    rest = list(lines)
    if not recipient and len(rest) > _FEWEST_LINES and not _has_digit(rest[0]):
        recipient = rest.pop(0)
    elif rest and recipient and rest[0].casefold() == recipient.casefold():
        rest.pop(0)
    if not recipient:
        message = "the address has no name: give the customer a name"
        raise RejectedError(message)
    first, second = _in_two(recipient)
    return ({"name": first, "company": second} if second else {"name": first}), rest


def _in_two(name: str) -> tuple[str, str]:
    """A name on two lines where it is too long for one."""
    if len(name) <= _LONGEST_NAME:
        return name, ""
    space = name.rfind(" ", 0, _LONGEST_NAME + 1)
    first, second = name[:space], name[space + 1 :]
    if space < 0 or len(second) > _LONGEST_NAME:
        message = f"the name is longer than the two lines of {_LONGEST_NAME} characters that Lob prints"
        raise RejectedError(message)
    return first, second


def _at_home(lines: Sequence[str]) -> Mapping[str, str]:
    # A longer line is no town, and the search takes time with the cube of its length.
    found = _TOWN.fullmatch(lines[-1]) if lines and len(lines[-1]) <= _LONGEST_TOWN else None
    street = lines[:-1]
    if found is None:
        message = "the address does not end with city, state and ZIP code, as in: Springfield, IL 62701"
        raise RejectedError(message)
    if not street:
        message = "the address has no street"
        raise RejectedError(message)
    first, second = street[0], ", ".join(street[1:])
    if len(first) > _LONGEST_LINE or len(second) > _LONGEST_LINE:
        message = f"a line of the address is longer than the {_LONGEST_LINE} characters that Lob takes"
        raise RejectedError(message)
    town = {
        "address_city": found["city"].rstrip(" ,"),
        "address_state": found["state"].upper(),
        "address_zip": found["zip"],
    }
    return {"address_line1": first, **({"address_line2": second} if second else {}), **town}


def _abroad(lines: Sequence[str], country: str) -> Mapping[str, str]:
    """Street, more of it, and a last line that Lob prints as it is: the order of town and code differs by country."""
    if not re.fullmatch(r"[A-Z]{2}", country):
        message = "nobody knows the address's country: give the customer a country"
        raise RejectedError(message)
    rest = list(lines)
    # Lob adds the country by itself: a last line without a digit, below one with the postal code, names it.
    if len(rest) > _FEWEST_LINES and not _has_digit(rest[-1]) and _has_digit(rest[-2]):
        rest.pop()
    if len(rest) < _FEWEST_LINES:
        message = "the address has no street or no town"
        raise RejectedError(message)
    first, second, city = rest[0], ", ".join(rest[1:-1]), rest[-1]
    if max(map(len, (first, second, city))) > _LONGEST_LINES_ABROAD:
        message = f"a line of the address is longer than the {_LONGEST_LINES_ABROAD} characters that Lob takes"
        raise RejectedError(message)
    return {"address_line1": first, **({"address_line2": second} if second else {}), "address_city": city}


def _has_digit(line: str) -> bool:
    return any(each.isdigit() for each in line)
