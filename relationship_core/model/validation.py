"""What the nouns accept: attrs validators and converters, with complaints that are sentences.

There are two sets of the same validators. Those of ``data`` are for records of people and of what happened: their
complaints never repeat a value. Those of ``declared`` are for what a program or a file declares.

The converters leave alone what they cannot convert: the validator that follows knows the attribute's name.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from attrs import fields_dict

from relationship_core.errors import WrongArgumentError, WrongDataError, nearest

if TYPE_CHECKING:
    from attrs import Attribute

Validator: TypeAlias = "Callable[[Any, Attribute[Any], Any], None]"

AWARE = "a datetime with a zone, such as datetime(2025, 3, 18, 9, tzinfo=UTC)"
"""What an instant must be, as a sentence has it."""

LONGEST_DAYS = 36_500
"""What lasts, or is waited for, lasts at most so many days, about a hundred years."""

LARGEST_MONEY = 10**12
"""What a campaign or an offer costs or brings is so many minor units at most: millions of them add up in 64 bits."""
LARGEST_NUMBER = 1_000_000
"""What takes minutes, or has a weight, takes or has at most so many."""

_LONGEST_SHOWN = 60
_FILLED = "text that is not empty and has no white space around it"
_WHOLE = "a whole number"
_NUMBER = "a number"


def kind_of(value: object) -> str:
    """A value's type as a sentence names it: ``text``, ``a list``, ``an int``, ``None``."""
    if value is None or isinstance(value, str):
        return "None" if value is None else "text"
    return with_article(type(value).__name__)


def with_article(name: str) -> str:
    """A noun as a sentence has it: ``a Money``, ``an Action``."""
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def is_whole(value: object) -> bool:
    """Whether it is an integer; True and False are none."""
    return isinstance(value, int) and not isinstance(value, bool)


class Checks:
    """Validators for the fields of attrs classes.

    Args:
        error: what they raise.
        shows: whether a complaint repeats a value of the right type.
    """

    def __init__(self, error: Callable[[str], ValueError], *, shows: bool) -> None:
        self._error = error
        self._shows = shows

    def wrong(self, owner: object, attribute: Attribute[Any], wanted: str, value: object, *, fits: bool) -> ValueError:
        """The error for a value; ``fits`` where its type is right and its content is not."""
        sentence = f"{_place(owner, attribute)} must be {wanted}"
        if not fits:
            sentence += f", not {kind_of(value)}"
        elif self._shows:
            shown = repr(value)
            sentence += f", not {shown if len(shown) <= _LONGEST_SHOWN else shown[:_LONGEST_SHOWN] + '...'}"
        return self._error(sentence)

    def text(self, owner: object, attribute: Attribute[Any], value: object) -> None:
        """Text, which may be empty."""
        if not isinstance(value, str):
            raise self.wrong(owner, attribute, "text", value, fits=False)

    def optional_text(self, owner: object, attribute: Attribute[Any], value: object) -> None:
        """Text, or None."""
        if value is not None and not isinstance(value, str):
            raise self.wrong(owner, attribute, "text or None", value, fits=False)

    def filled(self, owner: object, attribute: Attribute[Any], value: object) -> None:
        """Text that identifies something: not empty, and without white space around it."""
        if not isinstance(value, str) or not value or value != value.strip():
            raise self.wrong(owner, attribute, _FILLED, value, fits=isinstance(value, str))

    def aware(self, owner: object, attribute: Attribute[Any], value: object) -> None:
        """A datetime that has a zone."""
        if not isinstance(value, datetime):
            raise self.wrong(owner, attribute, AWARE, value, fits=False)
        if value.tzinfo is None or value.utcoffset() is None:
            message = f"{_place(owner, attribute)} must be {AWARE}, not one without a zone"
            raise self._error(message)

    def yes_or_no(self, owner: object, attribute: Attribute[Any], value: object) -> None:
        """True or False."""
        if not isinstance(value, bool):
            raise self.wrong(owner, attribute, "True or False", value, fits=False)

    def texts_by_name(self, owner: object, attribute: Attribute[Any], value: object) -> None:
        """A mapping from text to text."""
        self._mapping(owner, attribute, value, (str,), "a dict of texts by name")

    def values_by_name(self, owner: object, attribute: Attribute[Any], value: object) -> None:
        """A mapping from text to text, finite numbers, True or False."""
        self._mapping(owner, attribute, value, (str, int, float), "a dict of texts, numbers, True or False by name")

    def _mapping(
        self, owner: object, attribute: Attribute[Any], value: object, of: tuple[type, ...], wanted: str
    ) -> None:
        if not isinstance(value, Mapping):
            raise self.wrong(owner, attribute, wanted, value, fits=False)
        for name, each in value.items():
            if not isinstance(name, str):
                raise self._error(f"{_place(owner, attribute)} must be {wanted}; a name is {kind_of(name)}")
            if not isinstance(each, of) or (isinstance(each, float) and not math.isfinite(each)):
                said = "a float that is not finite" if isinstance(each, float) and float in of else kind_of(each)
                raise self._error(f"{_place(owner, attribute)} must be {wanted}; a value is {said}")

    def an(self, of: type, *, optional: bool = False) -> Validator:
        """An instance of a class; with ``optional``, or None."""
        wanted = f"{with_article(of.__name__)}{' or None' if optional else ''}"

        def check(owner: object, attribute: Attribute[Any], value: object) -> None:
            if not isinstance(value, of) and not (optional and value is None):
                raise self.wrong(owner, attribute, wanted, value, fits=False)

        return check

    def each(self, of: type, *, least: int = 0) -> Validator:
        """A tuple of instances of a class, ``least`` of them or more."""
        name = "text" if of is str else of.__name__
        wanted = f"a list of {'texts' if of is str else f'{name} objects'}"

        def check(owner: object, attribute: Attribute[Any], value: object) -> None:
            if not isinstance(value, tuple):
                raise self.wrong(owner, attribute, wanted, value, fits=False)
            for number, one in enumerate(value, 1):
                if not isinstance(one, of):
                    raise self._error(f"{_place(owner, attribute)} must be {wanted}; number {number} is {kind_of(one)}")
            if len(value) < least:
                number_of = "one" if least == 1 else str(least)
                raise self._error(f"{_place(owner, attribute)} must hold at least {number_of} {name}")

        return check

    def one_of(self, options: Sequence[str]) -> Validator:
        """One of some texts."""
        wanted = f"{', '.join(options[:-1])} or {options[-1]}"

        def check(owner: object, attribute: Attribute[Any], value: object) -> None:
            if not isinstance(value, str):
                raise self.wrong(owner, attribute, wanted, value, fits=False)
            if value not in options:
                hint = nearest(value, options) if self._shows else ""
                raise self._error(str(self.wrong(owner, attribute, wanted, value, fits=True)) + hint)

        return check

    def each_one_of(self, options: Sequence[str]) -> Validator:
        """A tuple of some of some texts."""
        is_list, is_one = self.each(str), self.one_of(options)

        def check(owner: object, attribute: Attribute[Any], value: Iterable[object]) -> None:
            is_list(owner, attribute, value)
            for one in value:
                is_one(owner, attribute, one)

        return check

    def matching(self, pattern: str, wanted: str) -> Validator:
        """Text of a certain form."""
        full = re.compile(pattern).fullmatch

        def check(owner: object, attribute: Attribute[Any], value: object) -> None:
            if not isinstance(value, str) or full(value) is None:
                raise self.wrong(owner, attribute, wanted, value, fits=isinstance(value, str))

        return check

    def whole(self, low: int | None = None, high: int | None = None, *, of: str = "") -> Validator:
        """An integer within bounds; ``of`` says what it counts."""
        wanted = _WHOLE + of + _bounds(low, high)

        def check(owner: object, attribute: Attribute[Any], value: int) -> None:
            if not is_whole(value):
                raise self.wrong(owner, attribute, wanted, value, fits=False)
            if (low is not None and value < low) or (high is not None and value > high):
                raise self.wrong(owner, attribute, wanted, value, fits=True)

        return check

    def number(
        self,
        low: float | None = None,
        high: float | None = None,
        *,
        above: float | None = None,
        finite: bool = True,
    ) -> Validator:
        """A number within bounds; ``above`` is a bound that it must not reach. Not finite: any but NaN."""
        wanted = _NUMBER + (_bounds(low, high) if above is None else _above(above, high))

        def check(owner: object, attribute: Attribute[Any], value: float) -> None:
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise self.wrong(owner, attribute, wanted, value, fits=False)
            outside = (low is not None and value < low) or (high is not None and value > high)
            if outside or (above is not None and value <= above) or math.isnan(value) or (finite and math.isinf(value)):
                raise self.wrong(owner, attribute, wanted, value, fits=True)

        return check


def _place(owner: object, attribute: Attribute[Any]) -> str:
    return f"{type(owner).__name__}.{attribute.name}"


def _above(low: float, high: float | None) -> str:
    return f" above {low:g}" + ("" if high is None else f" and at most {high:,}")


def _bounds(low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return f" from {low:,} to {high:,}"
    return "" if low is None else f" of at least {low:g}"


data = Checks(WrongDataError, shows=False)
"""For records of people and of what happened."""

declared = Checks(WrongArgumentError, shows=True)
"""Validators for the fields of attrs classes, such as settings of plugins, that a program or a file declares."""


def check_each(owner: Any, checks: Mapping[str, Validator]) -> None:
    """Put each attribute to its own check.

    For a class of which there are many: it looks at all of its attributes at once and comes here where that was not
    enough, since a validator for each costs more than making the object.
    """
    attributes = fields_dict(type(owner))
    for name, check in checks.items():
        check(owner, attributes[name], getattr(owner, name))


def listed(values: Any) -> Any:
    """For converters: a tuple of what can be iterated; text and mappings are no lists."""
    if isinstance(values, (tuple, str, bytes, Mapping)) or not isinstance(values, Iterable):
        return values
    return tuple(values)


def texts(values: Iterable[str]) -> tuple[str, ...]:
    """An attrs converter: a tuple of texts."""
    return cast("tuple[str, ...]", listed(values))


def read_only(values: Any) -> Any:
    """For converters: a copy of a mapping that nobody can change."""
    return MappingProxyType(dict(values)) if isinstance(values, Mapping) else values


def texts_by_name(values: Mapping[str, str]) -> Mapping[str, str]:
    """An attrs converter: texts by name, in a copy that nobody can change."""
    if type(values) is dict:
        return MappingProxyType(values.copy())
    return cast("Mapping[str, str]", read_only(values))


def floating(value: float) -> float:
    """An attrs converter: a number of any kind as a float; True and False are none."""
    if type(value) is float:
        return value
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        return value
    try:
        return float(value)
    except OverflowError:
        return math.inf


def optional_floating(value: float | None) -> float | None:
    """An attrs converter: a number of any kind as a float, or None."""
    return None if value is None else floating(value)
