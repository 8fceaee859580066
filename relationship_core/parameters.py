"""Parameters: the numbers that measures, scores and ladders are declared with, and how they are fitted.

A parameter has a value of its own, and perhaps others in named sets. A project chooses a set, sets single
parameters by hand, or has them fitted to its customers by a calibration. What is more than some numbers, such as
what is bought together with what, is a table, which a calibration of its own fits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from attrs import field, frozen

from relationship_core.errors import ConfigurationError, WrongArgumentError, nearest
from relationship_core.model.texts import identifier, slug
from relationship_core.model.validation import declared, floating, kind_of, read_only, texts

if TYPE_CHECKING:
    import polars as pl
    from attrs import Attribute

ParameterOrigin: TypeAlias = Literal["default", "set", "fitted", "by hand"]
"""Where a value in force comes from; each of these goes before those that stand left of it."""

LEAST_WRITTEN, MOST_WRITTEN = 1e-9, 1e15
"""Numbers between these are written out, digit by digit."""


@frozen(kw_only=True)
class Parameter:
    """A number that measures, scores, ladders and calibrations are declared with.

    Attributes:
        name: unique; the key in ``[parameters]`` and in what the hooks are handed.
        value: what it is unless a project says otherwise.
        sets: what it is instead in named sets, of which a project chooses one with ``[parameters] use``.
        low: the smallest value it may have.
        high: the largest value it may have.
        summary: one line for people: what it means, its unit, its source.
    """

    name: str = field(validator=identifier)
    value: float = field(converter=floating, validator=declared.number())
    sets: Mapping[str, float] = field(factory=dict, converter=read_only, validator=declared.values_by_name)
    low: float = field(default=-math.inf, converter=floating, validator=declared.number(finite=False))
    high: float = field(default=math.inf, converter=floating, validator=declared.number(finite=False))
    summary: str = field(default="", validator=declared.text)

    def __attrs_post_init__(self) -> None:
        """Refuse values that the parameter itself does not allow, and the name of another key of its table."""
        if self.name == "use":
            message = "a parameter cannot be called 'use', which chooses a set in [parameters]; give it another name"
            raise WrongArgumentError(message)
        if self.low > self.high:
            message = f"the parameter {self.name!r} has a low of {self.low:g} above its high of {self.high:g}"
            raise WrongArgumentError(message)
        for where, value in {
            "value": self.value,
            **{f"value in the set {name!r}": v for name, v in self.sets.items()},
        }.items():
            if complaint := self.complaint(value):
                message = f"the {where} of the parameter {self.name!r} {complaint}"
                raise WrongArgumentError(message)

    @property
    def range(self) -> str:
        """What it may be, as a sentence has it: ``a number from 0 to 1``."""
        if math.isinf(self.low) and math.isinf(self.high):
            return "a number"
        if math.isinf(self.high):
            return f"a number of at least {_plain(self.low)}"
        return (
            f"a number of at most {_plain(self.high)}"
            if math.isinf(self.low)
            else f"a number from {_plain(self.low)} to {_plain(self.high)}"
        )

    def complaint(self, value: object) -> str:
        """What is wrong with a value, as the end of a sentence; empty where the parameter may have it."""
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return f"must be {self.range}, not {kind_of(value)}"
        if not math.isfinite(value) or not self.low <= value <= self.high:
            return f"must be {self.range}, not {_plain(value)}"
        return ""


def _plain(number: float) -> str:
    """A number as people write it: a power of ten only where it has more digits than anybody reads."""
    text = f"{number:g}"
    readable = "e" in text and LEAST_WRITTEN <= abs(number) <= MOST_WRITTEN
    return f"{number:,.9f}".rstrip("0").rstrip(".") if readable else text


def _callable(owner: object, attribute: Attribute[Any], value: Any) -> None:
    if not callable(value):
        raise declared.wrong(owner, attribute, "a function", value, fits=False)


@frozen(kw_only=True)
class Calibration:
    """A way to fit parameters to the customers there are.

    Attributes:
        name: unique; what ``relate calibrate NAME`` calls it.
        parameters: the parameters that it fits; no other calibration may fit them.
        needs: the columns it reads: measures, features, scores and attributes of customers.
        fit: a function from a polars frame with a row for each customer, at least one, and the columns ``needs`` to
            the values of some or all of its parameters by name. One is left out where there is too little data to
            tell it, and then stays as it is.
        summary: one line for people: the method and its source.
    """

    name: str = field(validator=slug)
    parameters: tuple[str, ...] = field(converter=texts, validator=declared.each(str, least=1))
    needs: tuple[str, ...] = field(converter=texts, validator=declared.each(str, least=1))
    fit: Callable[[pl.DataFrame], Mapping[str, float]] = field(validator=_callable)
    summary: str = field(default="", validator=declared.text)


@frozen(kw_only=True)
class TableCalibration:
    """A way to fit a table to what customers have: what is bought together, say.

    The table is handed to ``relationship_measures``, under the calibration's name, once it was fitted. It is kept as
    text, so it should hold thousands of rows and not millions.

    Attributes:
        name: unique among calibrations; what ``relate calibrate NAME`` calls it, and the name of its table.
        keyed: the keyed measure that it reads.
        gather: a function from the rows of some customers, with the columns ``customer``, ``key`` and ``value``, to a
            frame with what the fit needs of them. It is called page by page, so that nothing grows with the rows.
        fit: a function from these frames, at least one, to the table: a frame whose columns are texts and numbers
            and hold no null. None where there is too little data to tell one; the table then stays as it is.
        summary: one line for people: the method and its source.
    """

    name: str = field(validator=slug)
    keyed: str = field(validator=identifier)
    gather: Callable[[pl.DataFrame], pl.DataFrame] = field(validator=_callable)
    fit: Callable[[Sequence[pl.DataFrame]], pl.DataFrame | None] = field(validator=_callable)
    summary: str = field(default="", validator=declared.text)


@frozen(kw_only=True)
class ParameterView:
    """A parameter as it is in force.

    Attributes:
        name: the parameter.
        value: its value in force.
        origin: where that comes from: the parameter's own ``default``, the chosen ``set``, ``fitted`` by a
            calibration, or set ``by hand``.
        low: the smallest value it may have.
        high: the largest value it may have.
        summary: what it means.
    """

    name: str
    value: float
    origin: ParameterOrigin
    low: float
    high: float
    summary: str


def in_force(
    parameters: Mapping[str, Parameter],
    *,
    use: str = "",
    by_hand: Mapping[str, float] | None = None,
    fitted: Mapping[str, float] | None = None,
) -> tuple[ParameterView, ...]:
    """Every parameter with its value in force, in order of declaration.

    What is set by hand goes before what was fitted, that before the chosen set, and that before the parameter's
    own value. What was fitted counts only while the parameter allows it.

    Args:
        parameters: every declared parameter, by name.
        use: the chosen set; empty for none.
        by_hand: values set by hand.
        fitted: values that calibrations found.

    Raises:
        ConfigurationError: there is no such set or parameter, or a value set by hand is out of range; a line for
            each mistake.
    """
    by_hand, fitted = by_hand or {}, fitted or {}
    problems = [*_wrong_set(parameters, use), *_wrong_values(parameters, by_hand)]
    if problems:
        raise ConfigurationError("\n".join(problems))
    return tuple(_view(each, use, by_hand, fitted) for each in parameters.values())


def _view(parameter: Parameter, use: str, by_hand: Mapping[str, float], fitted: Mapping[str, float]) -> ParameterView:
    value, origin = _value(parameter, use, by_hand, fitted)
    return ParameterView(
        name=parameter.name,
        value=float(value),
        origin=origin,
        low=parameter.low,
        high=parameter.high,
        summary=parameter.summary,
    )


def _value(
    parameter: Parameter, use: str, by_hand: Mapping[str, float], fitted: Mapping[str, float]
) -> tuple[float, ParameterOrigin]:
    name = parameter.name
    if name in by_hand:
        return by_hand[name], "by hand"
    if name in fitted and not parameter.complaint(fitted[name]):
        return fitted[name], "fitted"
    if use in parameter.sets:
        return parameter.sets[use], "set"
    return parameter.value, "default"


def _wrong_set(parameters: Mapping[str, Parameter], use: str) -> Iterable[str]:
    known = sorted({name for parameter in parameters.values() for name in parameter.sets})
    if use and use not in known:
        hint = nearest(use, known) or f"; the known ones are {', '.join(known) or 'none'}"
        yield f"[parameters] use: there is no set {use!r}{hint}"


def _wrong_values(parameters: Mapping[str, Parameter], by_hand: Mapping[str, float]) -> Iterable[str]:
    for name, value in by_hand.items():
        if name not in parameters:
            hint = nearest(name, [*parameters, "use"]) or "; `relate plugins` shows the known ones"
            yield f"[parameters] {name}: there is no such parameter{hint}"
        elif complaint := parameters[name].complaint(value):
            yield f"[parameters] {name} {complaint}"
