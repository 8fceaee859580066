"""Conditions: audience and ladder expressions, from SQL text to polars expressions and explaining atoms.

sqlglot parses, a whitelist checks, and a small translation of the tree gives the expression: nothing is
evaluated as code, nothing reads the wall clock, and every row is judged by itself.

Numbers are computed as 64-bit floats, so that integers divide without loss; a division by zero and
whatever else has no number gives null. Nulls follow SQL's three-valued logic.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import accumulate
from types import MappingProxyType
from typing import TYPE_CHECKING

import polars as pl
from attrs import field, frozen

from relationship_core.conditions.nodes import TRUTH, Node, atoms_of, full_length, literal
from relationship_core.conditions.scope import DEEPEST_NESTING, NOW, STAGE, Scope
from relationship_core.conditions.translation import translate
from relationship_core.table import INSTANT

if TYPE_CHECKING:
    from sqlglot.errors import SqlglotError
    from sqlglot.expressions import Expr as Tree

__all__ = ["Atom", "Condition", "Node", "columns_named", "parse_condition"]

LONGEST_TEXT = 10_000
"""Characters of a condition."""


@frozen(kw_only=True, eq=False)
class Atom:
    """The smallest part of a condition that is true or false by itself, such as ``silence_days > 60``.

    Attributes:
        text: SQL as people read it.
        expr: its truth, row by row; null where SQL says unknown.
        operands: the columns it reads, in order; print their values to explain it.
        node: the same as a tree.
    """

    text: str
    expr: pl.Expr = field(repr=False)
    operands: tuple[str, ...]
    node: Node = field(repr=False)


@frozen(kw_only=True, eq=False)
class Condition:
    """A checked condition.

    Attributes:
        text: as it was written.
        expr: its truth, row by row: Boolean, as long as the frame, null where SQL says unknown.
        columns: the columns it reads, ``now`` included where it is used.
        atoms: its atoms in the order of the text.
        node: the same as a tree.
    """

    text: str
    expr: pl.Expr = field(repr=False)
    columns: frozenset[str]
    atoms: tuple[Atom, ...] = field(repr=False)
    node: Node = field(repr=False)

    @property
    def holds(self) -> pl.Expr:
        """Its truth with unknown taken for false: what an audience or a stage goes by."""
        return self.expr.fill_null(value=False)


def parse_condition(
    text: str,
    columns: Mapping[str, pl.DataType],
    *,
    stages: Sequence[str] = (),
    absent: Mapping[str, str] = MappingProxyType({}),
    where: str,
) -> Condition:
    """Read a condition, such as ``stage >= 'client' AND silence_days > 60``.

    Args:
        text: the condition; empty means always true.
        columns: the columns it may use and their types. ``now`` is always there: the instant of the run.
        stages: the stages from the lowest to the highest; the column ``stage`` compares in this order.
        absent: columns that could be there, and what brings them; for error messages.
        where: the place, for error messages, such as ``campaign 'lapse', audience``.

    Raises:
        ConfigurationError: it does not parse, uses what conditions do not have, names an unknown column
            or stage, compares unlike things, or is not true or false.
    """
    return _condition(text, tuple(columns.items()), tuple(stages), tuple(absent.items()), where)


@lru_cache(maxsize=512)
def _condition(
    text: str,
    columns: tuple[tuple[str, pl.DataType], ...],
    stages: tuple[str, ...],
    absent: tuple[tuple[str, str], ...],
    where: str,
) -> Condition:
    """The same condition by the same columns means the same: a program may open many projects, or one many times."""
    types = dict(columns)
    stage = types.get(STAGE)
    names = tuple(stage.categories) if isinstance(stage, pl.Enum) else stages
    scope = Scope(columns={NOW: INSTANT, **types}, stages=names, where=where, absent=dict(absent))
    node = translate(_parse(text, scope), scope) if text.strip() else literal(True, TRUTH, "TRUE")
    if node.kind != TRUTH:
        raise scope.error(f"{node.text} is {node.kind}, not true or false; compare it with something")
    atoms = atoms_of(node) if text.strip() else []
    expr, *each = _tried([node, *atoms], scope)
    return Condition(
        text=text,
        expr=expr,
        columns=frozenset(node.columns),
        atoms=tuple(
            Atom(text=atom.text, expr=truth, operands=atom.columns, node=atom)
            for atom, truth in zip(atoms, each, strict=True)
        ),
        node=node,
    )


def columns_named(text: str, *, where: str) -> frozenset[str]:
    """The columns that a condition names, whether they are there or not; without ``now``, which always is.

    Args:
        text: the condition; empty names none.
        where: the place, for error messages.

    Raises:
        ConfigurationError: it does not parse.
    """
    from sqlglot import exp

    if not text.strip():
        return frozenset()
    tree = _parse(text, Scope(columns={}, stages=(), where=where))
    return frozenset(column.name for column in tree.find_all(exp.Column)) - {NOW}


def _parse(text: str, scope: Scope) -> Tree:
    import sqlglot
    from sqlglot import ErrorLevel
    from sqlglot.errors import SqlglotError

    if len(text) > LONGEST_TEXT:
        raise scope.error(f"the condition is longer than {LONGEST_TEXT} characters; shorten it")
    try:
        opened = accumulate((sign.text == "(") - (sign.text == ")") for sign in sqlglot.tokenize(text))
        if max(opened, default=0) > DEEPEST_NESTING:
            raise scope.too_deep()
        return sqlglot.parse_one(text, into=sqlglot.exp.Condition, error_level=ErrorLevel.RAISE)
    except RecursionError as error:
        raise scope.too_deep() from error
    except SqlglotError as error:
        raise scope.error(f"the condition does not parse{_place_of(error)}") from error


def _place_of(error: SqlglotError) -> str:
    from sqlglot.errors import ParseError

    if not isinstance(error, ParseError) or not error.errors:
        return "; check its quotation marks and comments"
    first = error.errors[0]
    place = f"near {first['highlight']!r} (line {first['line']}, column {first['col']})"
    return f" {place}; a column named like an SQL keyword needs double quotes"


def _tried(nodes: Sequence[Node], scope: Scope) -> list[pl.Expr]:
    """The nodes' truths, each tried on a row of nulls and a row of plain values: the last guard."""
    frame = pl.DataFrame([_two_values(name, scope) for name in {NOW, *nodes[0].columns}])
    # A condition of one atom is that atom.
    tried = {node: _tried_on(frame, node, scope) for node in dict.fromkeys(nodes)}
    return [tried[node] for node in nodes]


def _tried_on(frame: pl.DataFrame, node: Node, scope: Scope) -> pl.Expr:
    expr = full_length(node.expr)
    try:
        result = frame.select(expr.alias("truth"))["truth"]
    except pl.exceptions.PolarsError as error:
        reason = str(error).partition("\n")[0]
        raise scope.error(f"{node.text} cannot be computed: {reason}") from error
    if result.dtype != pl.Boolean or result.len() != frame.height:
        raise scope.error(f"{node.text} gives {result.len()} {result.dtype}, not a truth for each customer")
    return expr


def _two_values(name: str, scope: Scope) -> pl.Series:
    dtype = scope.columns[name]
    choices = tuple(dtype.categories) if isinstance(dtype, pl.Enum) else scope.stages if name == STAGE else ()
    values = pl.Series(name, [None, choices[0]]) if choices else pl.Series(name, [None, 0], dtype=pl.Int32)
    return values.cast(dtype)
