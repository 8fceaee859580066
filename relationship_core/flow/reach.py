"""Whether a ladder can be climbed: stages that nobody can enter, and stages that whoever enters must leave at once.

Only what follows from the conditions' own text is decided: comparisons of one column with constants, and the stage
itself. Anything else is taken for possible. So a stage that is refused is surely wrong, and one that is not refused
may still be out of reach.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise, product
from typing import TYPE_CHECKING, Literal, TypeAlias

from attrs import field, frozen

from relationship_core.conditions import Node
from relationship_core.conditions.nodes import DAY, MOMENT, NUMBER
from relationship_core.conditions.scope import STAGE
from relationship_core.errors import ConfigurationError

if TYPE_CHECKING:
    from relationship_core.flow.rungs import Rung

Claim: TypeAlias = Literal["true", "false", "not true", "not false"]
"""What is claimed of a part: that it is true or false, or that it is not, which unknown is not either."""
Value: TypeAlias = "float | None"
Truth: TypeAlias = "bool | None"

MOST_WAYS = 2_000
"""Conditions that can hold in more ways than these are taken for sound."""

_OPPOSITE: Mapping[Claim, Claim] = {"true": "false", "false": "true", "not true": "not false", "not false": "not true"}
_MOVED = frozenset({"stage_days", "lapsed", "now"})
"""What the move itself changes, beside the stage."""

_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "=": lambda left, right: left == right,
    "<>": lambda left, right: left != right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}


@frozen(kw_only=True)
class _Atom:
    """A claim on one comparison; ``later`` where it is looked at after the move."""

    node: Node
    claim: Claim
    later: bool = False


_Way: TypeAlias = tuple[_Atom, ...]
"""Claims that together make a condition what was claimed of it."""


@frozen(kw_only=True)
class _Test:
    """A comparison as a function of one unknown: its truth for a value, and the constants that it compares with."""

    truth: Callable[[Value], Truth]
    constants: Sequence[float] = field(default=())
    choices: int = 0


class _TooManyError(Exception):
    """There are more ways than are looked at."""


def refuse_unreachable(rungs: Sequence[Rung], ladder: str) -> None:
    """Refuse stages that nobody can reach or keep.

    Raises:
        ConfigurationError: there is one; the message names it and says why.
    """
    for rung in rungs[1:]:
        try:
            _refuse(rungs, rung, ladder)
        except _TooManyError:
            continue


def _refuse(rungs: Sequence[Rung], rung: Rung, ladder: str) -> None:
    climbs = {origin.rank: _climbs(rungs, origin, rung) for origin in rungs[: rung.rank]}
    enter = rung.enter.text if rung.enter is not None else ""
    if not any(climbs.values()):
        message = (
            f"ladder {ladder!r}: nobody can reach the stage {rung.name!r}, since {enter!r} cannot hold for anybody "
            "below it while the conditions of the stages below hold; correct one of them"
        )
        raise ConfigurationError(message)
    if rung.leave is None:
        return
    stays = [
        tuple(_Atom(node=atom.node, claim=atom.claim, later=True) for atom in way)
        for way in _ways(rung.leave.node, "not true")
    ]
    kept = (
        _is_possible((*climb, *stay), rank, rung.rank)
        for rank, ways in climbs.items()
        for climb in ways
        for stay in stays
    )
    if not any(kept):
        message = (
            f"ladder {ladder!r}: whoever enters the stage {rung.name!r} leaves it at once, since {rung.leave.text!r} "
            f"holds wherever {enter!r} does; leave a band between the two"
        )
        raise ConfigurationError(message)


def _climbs(rungs: Sequence[Rung], origin: Rung, target: Rung) -> list[_Way]:
    """The ways in which somebody on one stage belongs on a higher one, as the review judges it."""
    claimed: list[list[_Way]] = []
    for rung in rungs[1 : target.rank + 1]:
        if rung.rank > origin.rank and rung.enter is not None:
            claimed.append(_ways(rung.enter.node, "true"))
        elif rung.rank <= origin.rank and rung.leave is not None:
            claimed.append(_ways(rung.leave.node, "not true"))
    return [way for way in _all_of(claimed) if _is_possible(way, origin.rank, target.rank)]


def _ways(node: Node, claim: Claim) -> list[_Way]:
    """The ways in which a condition is what is claimed of it; SQL's three values are kept apart."""
    positive = claim in {"true", "not false"}
    if node.op == "not":
        return _ways(node.args[0], _OPPOSITE[claim])
    if node.op in {"and", "or"}:
        parts = [_ways(arg, claim) for arg in node.args]
        return _all_of(parts) if (node.op == "and") == positive else [way for part in parts for way in part]
    if node.op == "literal":
        return [()] if bool(node.value) == positive else []
    return [(_Atom(node=node, claim=claim),)]


def _all_of(parts: Sequence[Sequence[_Way]]) -> list[_Way]:
    if math.prod(len(part) for part in parts) > MOST_WAYS:
        raise _TooManyError
    return [tuple(atom for way in chosen for atom in way) for chosen in product(*parts)]


def _is_possible(way: _Way, origin: int, target: int) -> bool:
    """Whether no unknown would have to be two things at once."""
    claims: dict[tuple[str, bool], list[tuple[_Test, Claim]]] = {}
    for atom in way:
        test = _test(atom.node)
        name = str(atom.node.args[0].value) if test.constants or test.choices else atom.node.text
        moved = atom.later and bool({STAGE, *_MOVED} & set(atom.node.columns))
        claims.setdefault((name, moved), []).append((test, atom.claim))
    return all(
        any(all(_is(test.truth(value), claim) for test, claim in each) for value in _values(name, each, place))
        for (name, moved), each in claims.items()
        for place in [target if moved else origin]
    )


def _values(name: str, claims: Sequence[tuple[_Test, Claim]], place: int) -> Sequence[Value]:
    """Values among which there is one for every combination of truths that these tests can have together."""
    choices = max(test.choices for test, _ in claims)
    if name == STAGE and choices:
        return (float(place),)
    if choices:
        return (None, *map(float, range(choices)))
    points = sorted({constant for test, _ in claims for constant in test.constants})
    between = [(low + high) / 2 for low, high in pairwise(points)]
    # Of what is not understood the value is its own truth: 0, 1 or unknown.
    return (None, *points, *between, *((points[0] - 1, points[-1] + 1) if points else (0.0, 1.0)))


def _test(node: Node) -> _Test:
    """What can be said of a comparison; of one that is not understood only that it is true, false or unknown."""
    column, constants = (node.args[0], node.args[1:]) if node.args else (node, ())
    plain = column.op == "column" and all(each.op == "literal" for each in constants)
    if not plain or not (column.kind.choices or column.kind in {NUMBER, MOMENT, DAY}):
        return _Test(truth=lambda value: None if value is None else bool(value))
    numbers = [_number(each, column.kind.choices) for each in constants]
    choices = len(column.kind.choices)
    if node.op == "is null":
        return _Test(truth=lambda value: value is None, constants=(0.0,), choices=choices)
    return _Test(
        truth=lambda value: None if value is None else _holds(node.op, value, numbers),
        constants=numbers,
        choices=choices,
    )


def _number(node: Node, choices: Sequence[str]) -> float:
    return float(choices.index(str(node.value))) if choices else float(node.value)


def _holds(sign: str, value: float, constants: Sequence[float]) -> bool:
    if sign == "in":
        return value in constants
    if sign == "between":
        return constants[0] <= value <= constants[1]
    return _COMPARE[sign](value, constants[0])


def _is(truth: Truth, claim: Claim) -> bool:
    if truth is None:
        return claim in {"not true", "not false"}
    return truth == (claim in {"true", "not false"})
