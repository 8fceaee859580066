"""Postal addresses: from the lines of a label, checked by country, to the lines that are printed.

A label has the lines that somebody wrote, so its parts are found by the form of the country's postal code and by the
names of its states: what is above the town is the street. Whether the house exists nobody here knows.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING

from attrs import frozen

from relationship_core import RejectedError
from relationship_post.countries import Rules, country_of, rules_of
from relationship_post.faces import clean

if TYPE_CHECKING:
    from relationship_core import Message

_LONGEST_AREA_WORDS = 4
_LONGEST_ABBREVIATION = 3
_EAST_ASIAN = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
_NATION = re.compile(r"^[A-Z]{1,3}-$")
_COMMA = re.compile(r",(?! *[A-Z]{2} +[0-9])")
"""Where an address in one line is broken: not before a state and its code, as in ``Springfield, IL 62701``."""
_EDGES = " ,.;()-\u2013〒"


@frozen(kw_only=True)
class Label:
    """An address as it is printed.

    Attributes:
        lines: its lines from top to bottom.
        country: the code of its country; empty where nobody knows.
    """

    lines: tuple[str, ...]
    country: str


@frozen
class _Parts:
    """Where the parts of an address are: line numbers, and the postal code."""

    town: int | None
    code_line: int | None
    code: str
    area: str


def label(message: Message, *, home: str, check: bool) -> Label:
    """The label of a message.

    Args:
        message: its address, its recipient and its country.
        home: the country that the post leaves from; empty where it is not known.
        check: whether the address must be complete and right in form.

    Raises:
        RejectedError: it is not. The reason repeats nothing of it.
    """
    lines = [line for each in clean(message.address).split("\n") if (line := " ".join(each.split()))]
    named = country_of(lines[-1]) if len(lines) > 1 else ""
    if named:
        lines.pop()
    country = named or (message.country or "").upper() or home
    rules = rules_of(country) if country else None
    recipient = " ".join(clean(message.recipient).split())
    begins = _begins_with(lines, recipient)
    if check:
        _check(lines[begins:], country, rules)
    is_abroad = rules is not None and rules.code != home
    if is_abroad and rules is not None:
        lines = _in_capitals(lines, rules, begins)
    return Label(
        lines=(*_with_recipient(lines, recipient), *([rules.name] if is_abroad and rules is not None else ())),
        country=country,
    )


def sender_lines(address: str) -> tuple[str, ...]:
    """The lines of the sender's own address; one line is broken at its commas."""
    lines = [each.strip() for each in clean(address).split("\n") if each.strip()]
    if len(lines) == 1:
        lines = [part for each in _COMMA.split(lines[0]) if (part := each.strip())]
    return tuple(lines)


def _begins_with(lines: Sequence[str], recipient: str) -> int:
    """How many lines of an address are the recipient's name."""
    return int(bool(recipient and lines and lines[0].casefold().startswith(recipient.casefold())))


def _with_recipient(lines: Sequence[str], recipient: str) -> Sequence[str]:
    """The lines with the name, which in East Asian writing comes last; a name that is there already stays."""
    if not recipient or any(recipient.casefold() in line.casefold() for line in lines):
        return lines
    return [*lines, recipient] if any(map(_EAST_ASIAN.search, lines)) else [recipient, *lines]


def _check(lines: Sequence[str], country: str, rules: Rules | None) -> None:
    if not country:
        message = "nobody knows the address's country: give the customer a country, or [project] country"
        raise RejectedError(message)
    if rules is None:
        message = "the address's country is no ISO 3166-1 code of a country with post"
        raise RejectedError(message)
    parts = _parts(lines, rules)
    problem = _problem(lines, parts, rules)
    if problem:
        message = f"the address is not complete for {rules.name.title()}: {problem}"
        raise RejectedError(message)


def _problem(lines: Sequence[str], parts: _Parts, rules: Rules) -> str:
    """What is wrong with the parts of an address; empty where nothing is."""
    if rules.needs_code and not parts.code:
        return f"it has no postal code{f' such as {rules.example}' if rules.example else ''}"
    if rules.needs_area and not parts.area:
        return f"it has no {rules.area} that is known there"
    begins = (rules_of(rules.code, parts.area) or rules).of_area if parts.area else None
    if begins is not None and parts.code and not begins.match(parts.code):
        return f"the postal code is none of its {rules.area}"
    if rules.needs_city and parts.town is None:
        return "it has no town"
    taken = {number for number in (parts.town, parts.code_line) if number is not None}
    in_one_line = bool(_EAST_ASIAN.search("".join(lines)))  # there the street follows the town without a break
    if not in_one_line and not any(number not in taken for number in range(len(lines))):
        return "it has no street"
    return ""


def _parts(lines: Sequence[str], rules: Rules) -> _Parts:
    """Find postal code, town and area."""
    code_line, code, rest = _postal_code(lines, rules)
    town = code_line
    if code_line is None:
        town = len(lines) - 1 if len(lines) > 1 else None
    elif len(rest) <= _LONGEST_ABBREVIATION and (not rest or rest.upper() in rules.areas):
        # The code stands alone, or with the state only: the town is on the line above, or below where codes come first.
        town = code_line - 1 if code_line > 0 else (1 if len(lines) > 1 else None)
    line = rest or (lines[town] if town is not None else "")
    return _Parts(town=town, code_line=code_line, code=code, area=_area(lines, line, rules))


def _postal_code(lines: Sequence[str], rules: Rules) -> tuple[int | None, str, str]:
    """The number of the line with the postal code, the code, and what else is on that line."""
    if rules.postal_code is None:
        return None, "", ""
    order = range(len(lines)) if _EAST_ASIAN.search("".join(lines)) else range(len(lines) - 1, -1, -1)
    for number in order:
        found = list(rules.postal_code.finditer(lines[number]))
        is_street = number == 0 and len(lines) > 1 and order.step < 0
        if found and not is_street:
            match = found[0] if order.step > 0 else found[-1]
            before, after = lines[number][: match.start()], lines[number][match.end() :]
            before = "" if _NATION.match(before.strip()) else before
            return number, match[0].upper(), f"{before} {after}".strip(_EDGES)
    return None, "", ""


def _area(lines: Sequence[str], of_town: str, rules: Rules) -> str:
    """The code of the area: at either end of the town's line, or by its full name in any line."""
    if not rules.areas:
        return ""
    for words in (re.split(r"[\s,()]+", of_town.upper().strip(_EDGES)), re.split(r"[\s,()-]+", of_town.upper())):
        for count in range(min(_LONGEST_AREA_WORDS, len(words)), 0, -1):
            for part in (words[-count:], words[:count]):
                if found := rules.areas.get(" ".join(part)):
                    return found
    text = "\n".join(lines).upper()
    return next((rules.areas[name] for name in rules.area_names if _names(text, name)), "")


def _names(text: str, name: str) -> bool:
    """Whether text in capitals holds a name as a whole word; East Asian writing has no spaces."""
    if _EAST_ASIAN.search(name):
        return name in text
    return name in text and re.search(rf"\b{re.escape(name)}\b", text) is not None


def _in_capitals(lines: Sequence[str], rules: Rules, begins: int) -> list[str]:
    """The lines with the town in capitals, as the Universal Postal Union asks for abroad."""
    parts = _parts(lines[begins:], rules)
    towns = {begins + number for number in (parts.town, parts.code_line) if number is not None}
    return [_capitals(line) if number in towns else line for number, line in enumerate(lines)]


def _capitals(line: str) -> str:
    """The line in capitals, which in Greek have no accent."""
    taken_apart = unicodedata.normalize("NFD", line.upper())
    return unicodedata.normalize("NFC", re.sub("(?<=[\u0370-\u03ff])\u0301", "", taken_apart))
