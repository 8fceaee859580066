"""What a condition may refer to: columns by name, and quoted texts that become what their column holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType

import polars as pl
from attrs import evolve, frozen

from relationship_core.conditions.nodes import DAY, MOMENT, NUMBER, QUOTED, TEXT, TRUTH, Kind, Node, literal
from relationship_core.errors import ConfigurationError, nearest
from relationship_core.model.instants import parse_instant
from relationship_core.table import defined

NOW = "now"
STAGE = "stage"
DEEPEST_NESTING = 40
MOST_NAMES = 12
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@frozen(kw_only=True)
class Scope:
    """What the text may refer to, and where it stands."""

    columns: Mapping[str, pl.DataType]
    stages: tuple[str, ...]
    where: str
    absent: Mapping[str, str] = MappingProxyType({})

    def error(self, what: str) -> ConfigurationError:
        """An error that tells the place."""
        return ConfigurationError(f"{self.where}: {what}")

    def too_deep(self) -> ConfigurationError:
        """The error for a hostile nesting."""
        return self.error(f"the condition is nested deeper than {DEEPEST_NESTING} levels; simplify it")


def _advice(name: str, known: Sequence[str]) -> str:
    """How a message about a wrong name goes on: the right one that is nearest, or some to choose from."""
    rest = ", ..." if len(known) > MOST_NAMES else ""
    return nearest(name, known) or f"; choose among {', '.join(known[:MOST_NAMES])}{rest}"


def read_column(name: str, scope: Scope) -> tuple[Kind, pl.Expr]:
    """What a column holds, and its values in the form of Node.

    Raises:
        ConfigurationError: there is no such column, or conditions cannot compare what it holds.
    """
    if name not in scope.columns:
        missing = scope.absent.get(name)
        hint = f"; {missing}" if missing else _advice(name, sorted(scope.columns))
        raise scope.error(f"there is no column {name!r}{hint}")
    column, dtype = pl.col(name), scope.columns[name]
    choices = scope.stages if name == STAGE else ()
    if isinstance(dtype, pl.Enum):
        choices = tuple(dtype.categories)
    if choices:
        kind = Kind(name="a stage" if name == STAGE or choices == scope.stages else "a choice", choices=choices)
        return kind, column if isinstance(dtype, pl.Enum) else column.cast(pl.Enum(choices))
    if dtype.is_numeric():
        return NUMBER, defined(column.cast(pl.Float64))
    if dtype in (pl.String, pl.Categorical):
        return TEXT, column.cast(pl.String)
    if dtype == pl.Boolean:
        return TRUTH, column
    if dtype == pl.Date:
        return DAY, column.cast(pl.Int32).cast(pl.Float64)
    if isinstance(dtype, pl.Datetime) and dtype.time_zone:
        return MOMENT, column.dt.timestamp("us").cast(pl.Float64)
    raise scope.error(f"the column {name!r} holds {dtype}, which conditions cannot compare")


def alike(nodes: Sequence[Node], doing: str, scope: Scope) -> list[Node]:
    """The same nodes, of one kind: quoted texts become what the others are.

    Raises:
        ConfigurationError: they are of several kinds, or a quoted text does not suit.
    """
    kinds = list(dict.fromkeys(node.kind for node in nodes if node.kind != QUOTED)) or [TEXT]
    if len(kinds) > 1:
        first, other = (next(node for node in nodes if node.kind == kind) for kind in kinds[:2])
        raise scope.error(f"{doing} {first.text}, {first.kind}, with {other.text}, {other.kind}")
    return [_as_kind(node, kinds[0], doing, scope) if node.kind == QUOTED else node for node in nodes]


def _as_kind(node: Node, kind: Kind, doing: str, scope: Scope) -> Node:
    text = str(node.value)
    if kind.choices:
        if text not in kind.choices:
            raise scope.error(f"there is no {kind.name.split()[-1]} {text!r}{_advice(text, kind.choices)}")
        expr = pl.lit(text, dtype=pl.Enum(kind.choices))
        return Node(op="literal", kind=kind, expr=expr, text=node.text, value=text)
    if kind == TEXT:
        return evolve(node, kind=TEXT)
    if kind not in {MOMENT, DAY}:
        raise scope.error(f"{doing} {kind} with the text {node.text}")
    try:
        number = _microseconds(text) if kind == MOMENT else _day_number(text)
    except ValueError as error:
        raise scope.error(str(error)) from error
    return literal(number, kind, node.text)


def _microseconds(text: str) -> float:
    return float((parse_instant(text) - _EPOCH) // timedelta(microseconds=1))


def _day_number(text: str) -> float:
    try:
        return float((date.fromisoformat(text) - _EPOCH.date()).days)
    except ValueError as error:
        message = f"{text!r} is not an ISO date such as 2017-03-01"
        raise ValueError(message) from error
