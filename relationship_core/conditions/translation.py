"""From sqlglot's tree to nodes: the whitelist, the types and the polars expressions."""

from __future__ import annotations

import math
from collections.abc import Callable
from operator import add, eq, ge, gt, le, lt, mul, ne, sub
from typing import TYPE_CHECKING, TypeAlias

import polars as pl
from attrs import evolve

from relationship_core.conditions.nodes import (
    DAY,
    MICROSECONDS_PER_DAY,
    MOMENT,
    NUMBER,
    QUOTED,
    TEXT,
    TRUTH,
    Kind,
    Node,
    literal,
)
from relationship_core.conditions.patterns import like_regex
from relationship_core.conditions.scope import DEEPEST_NESTING, Scope, alike, read_column
from relationship_core.table import defined

if TYPE_CHECKING:
    from sqlglot.expressions import Expr as Tree

_Compute: TypeAlias = Callable[[pl.Expr, pl.Expr], pl.Expr]
_Rule: TypeAlias = "Callable[[Tree, Scope, int], Node]"


def translate(tree: Tree, scope: Scope, depth: int = 0) -> Node:
    """Translate a parsed condition, or a part of one.

    Raises:
        ConfigurationError: it is not on the whitelist, or its parts do not fit together.
    """
    if depth > DEEPEST_NESTING:
        raise scope.too_deep()
    known = _RULES.get(type(tree).__name__)
    if known is None:
        hint = _HINTS.get(type(tree).__name__, "compare the columns of one customer")
        raise scope.error(f"{_name_of(tree)} cannot be used in a condition; {hint}")
    allowed, rule = known
    for part, value in tree.args.items():
        if part not in allowed and value not in (None, False, []):
            name = "a subquery" if part == "query" else part.upper()
            raise scope.error(f"{name} cannot be used in {_name_of(tree)}")
    return rule(tree, scope, depth + 1)


def _name_of(tree: Tree) -> str:
    from sqlglot import exp

    known = _REFUSED.get(type(tree).__name__)
    if known:
        return known
    if isinstance(tree, exp.Window):
        return f"the window function {tree.this.sql_name() if isinstance(tree.this, exp.Func) else ''}".strip()
    if isinstance(tree, exp.AggFunc):
        return f"the aggregate {tree.sql_name()}"
    if isinstance(tree, exp.Anonymous):
        return f"the function {tree.name.upper()}"
    if isinstance(tree, exp.Func):
        return f"the function {tree.sql_name()}"
    return tree.key.upper()


def _column(tree: Tree, scope: Scope, _depth: int) -> Node:
    name = tree.name
    if tree.args.get("table") is not None:
        what = f"the qualified name {tree.sql()} cannot be used in a condition; write {name} alone"
        raise scope.error(what)
    if type(tree.this).__name__ != "Identifier":
        raise scope.error(f"{_name_of(tree.this)} cannot be used in a condition")
    kind, expr = read_column(name, scope)
    text = '"' + name.replace('"', '""') + '"' if tree.this.args.get("quoted") else name
    return Node(op="column", kind=kind, expr=expr, text=text, value=name)


def _constant(tree: Tree, scope: Scope, _depth: int) -> Node:
    text = str(tree.this)
    if tree.is_string:
        return literal(text, QUOTED, "'" + text.replace("'", "''") + "'")
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise scope.error(f"{text} is not a number that can be compared")
    return literal(number, NUMBER, text)


def _truth(tree: Tree, _scope: Scope, _depth: int) -> Node:
    return literal(bool(tree.this), TRUTH, "TRUE" if tree.this else "FALSE")


def _paren(tree: Tree, scope: Scope, depth: int) -> Node:
    inner = translate(tree.this, scope, depth)
    return evolve(inner, text=f"({inner.text})")


def _comparison(sign: str, compare: _Compute) -> _Rule:
    def rule(tree: Tree, scope: Scope, depth: int) -> Node:
        sides = [translate(part, scope, depth) for part in (tree.this, tree.expression)]
        left, right = alike(sides, "cannot compare", scope)
        if left.kind == TRUTH and sign not in {"=", "<>"}:
            raise scope.error(f"{left.text} is true or false, which {sign} does not order")
        text = f"{left.text} {sign} {right.text}"
        return Node(op=sign, kind=TRUTH, expr=compare(left.expr, right.expr), text=text, args=(left, right))

    return rule


def _arithmetic(sign: str, compute: _Compute) -> _Rule:
    def rule(tree: Tree, scope: Scope, depth: int) -> Node:
        left, right = (translate(part, scope, depth) for part in (tree.this, tree.expression))
        if sign == "-" and QUOTED in {left.kind, right.kind} and {left.kind, right.kind} & {MOMENT, DAY}:
            left, right = alike([left, right], "cannot subtract", scope)
        text = f"{left.text} {sign} {right.text}"
        kind = _result(sign, left.kind, right.kind)
        if kind is None:
            raise scope.error(f"{text} cannot be computed from {left.kind} and {right.kind}")
        if MOMENT in {left.kind, right.kind}:
            expr = compute(_as_microseconds(left), _as_microseconds(right))
            expr = expr if kind == MOMENT else expr / MICROSECONDS_PER_DAY
        else:
            expr = compute(left.expr, right.expr)
        return Node(op=sign, kind=kind, expr=defined(expr), text=text, args=(left, right))

    return rule


def _as_microseconds(node: Node) -> pl.Expr:
    return node.expr if node.kind == MOMENT else node.expr * MICROSECONDS_PER_DAY


def _result(sign: str, left: Kind, right: Kind) -> Kind | None:
    """The kind of a sum, difference, product or quotient; a number beside an instant or a date is in days."""
    times = {MOMENT, DAY}
    if left == right == NUMBER or (sign == "-" and left == right and left in times):
        return NUMBER
    if sign in {"+", "-"} and left in times and right == NUMBER:
        return left
    if sign == "+" and left == NUMBER and right in times:
        return right
    return None


def _divide(dividend: pl.Expr, divisor: pl.Expr) -> pl.Expr:
    return dividend / divisor.replace(0.0, None)


def _negative(tree: Tree, scope: Scope, depth: int) -> Node:
    inner = translate(tree.this, scope, depth)
    if inner.kind != NUMBER:
        raise scope.error(f"-{inner.text} cannot be computed from {inner.kind}")
    text = f"-({inner.text})" if inner.text.startswith("-") else f"-{inner.text}"  # -- begins a comment
    if inner.op == "literal":
        return literal(-float(inner.value), NUMBER, text)
    return Node(op="neg", kind=NUMBER, expr=-inner.expr, text=text, args=(inner,))


def _coalesce(tree: Tree, scope: Scope, depth: int) -> Node:
    parts = [translate(part, scope, depth) for part in (tree.this, *tree.expressions)]
    args = alike(parts, "cannot coalesce", scope)
    text = f"COALESCE({', '.join(arg.text for arg in args)})"
    expr = pl.coalesce([arg.expr for arg in args])
    return Node(op="coalesce", kind=args[0].kind, expr=expr, text=text, args=tuple(args))


def _chain(op: str, combine: Callable[[list[pl.Expr]], pl.Expr]) -> _Rule:
    def rule(tree: Tree, scope: Scope, depth: int) -> Node:
        parts: list[Tree] = []
        rest = [tree]
        while rest:
            each = rest.pop()
            if type(each) is type(tree):
                rest += [each.expression, each.this]
            else:
                parts.append(each)
        args = [_logical(translate(part, scope, depth), op, scope) for part in parts]
        text = f" {op.upper()} ".join(arg.text for arg in args)
        return Node(op=op, kind=TRUTH, expr=combine([arg.expr for arg in args]), text=text, args=tuple(args))

    return rule


def _logical(node: Node, op: str, scope: Scope) -> Node:
    if node.kind != TRUTH:
        raise scope.error(f"{op.upper()} needs true or false, and {node.text} is {node.kind}")
    return node


def _negation(inner: Node) -> Node:
    return Node(op="not", kind=TRUTH, expr=~inner.expr, text=f"NOT {inner.text}", args=(inner,))


def _not(tree: Tree, scope: Scope, depth: int) -> Node:
    return _negation(_logical(translate(tree.this, scope, depth), "not", scope))


def _in(tree: Tree, scope: Scope, depth: int) -> Node:
    parts = [translate(part, scope, depth) for part in (tree.this, *tree.expressions)]
    for part in parts[1:]:
        if part.op != "literal" or part.kind == TRUTH:
            raise scope.error(f"IN takes a list of numbers or quoted texts, and {part.text} is neither")
    if len(parts) == 1:
        raise scope.error("IN takes a list of at least one value")
    left, *values = alike(parts, "cannot compare", scope)
    text = f"{left.text} IN ({', '.join(value.text for value in values)})"
    expr = left.expr.is_in([value.value for value in values])
    return Node(op="in", kind=TRUTH, expr=expr, text=text, args=(left, *values))


def _between(tree: Tree, scope: Scope, depth: int) -> Node:
    parts = [translate(part, scope, depth) for part in (tree.this, tree.args["low"], tree.args["high"])]
    value, low, high = alike(parts, "cannot compare", scope)
    if value.kind == TRUTH:
        raise scope.error(f"{value.text} is true or false, which BETWEEN does not order")
    text = f"{value.text} BETWEEN {low.text} AND {high.text}"
    expr = (value.expr >= low.expr) & (value.expr <= high.expr)
    return Node(op="between", kind=TRUTH, expr=expr, text=text, args=(value, low, high))


def _is_null(tree: Tree, scope: Scope, depth: int) -> Node:
    if type(tree.expression).__name__ != "Null":
        raise scope.error("IS takes NULL only; compare with = instead")
    inner = translate(tree.this, scope, depth)
    expr = inner.expr.is_null()
    return Node(op="is null", kind=TRUTH, expr=expr, text=f"{inner.text} IS NULL", args=(inner,))


def _like(tree: Tree, scope: Scope, depth: int, escape: str = "") -> Node:
    left, right = (translate(part, scope, depth) for part in (tree.this, tree.expression))
    if left.kind not in {TEXT, QUOTED} or right.kind != QUOTED:
        raise scope.error(f"LIKE compares text with a quoted pattern, not {left.kind} with {right.text}")
    try:
        pattern = like_regex(str(right.value), escape)
    except ValueError as error:
        raise scope.error(str(error)) from error
    ending = f" ESCAPE '{escape}'" if escape else ""
    text = f"{left.text} LIKE {right.text}{ending}"
    like = Node(op="like", kind=TRUTH, expr=left.expr.str.contains(pattern), text=text, args=(left,))
    return _negation(like) if tree.args.get("negate") else like


def _escape(tree: Tree, scope: Scope, depth: int) -> Node:
    sign = str(tree.expression.this)
    if type(tree.this).__name__ != "Like" or type(tree.expression).__name__ != "Literal" or len(sign) != 1:
        raise scope.error("ESCAPE belongs to LIKE and takes one quoted character")
    return _like(tree.this, scope, depth, sign)


_TWO = frozenset({"this", "expression"})
_MANY = frozenset({"this", "expressions"})
_ONE = frozenset({"this"})

_RULES: dict[str, tuple[frozenset[str], _Rule]] = {
    "Column": (frozenset({"this", "table", "db", "catalog"}), _column),
    "Literal": (frozenset({"this", "is_string"}), _constant),
    "Boolean": (_ONE, _truth),
    "Paren": (_ONE, _paren),
    "EQ": (_TWO, _comparison("=", eq)),
    "NEQ": (_TWO, _comparison("<>", ne)),
    "LT": (_TWO, _comparison("<", lt)),
    "LTE": (_TWO, _comparison("<=", le)),
    "GT": (_TWO, _comparison(">", gt)),
    "GTE": (_TWO, _comparison(">=", ge)),
    "Add": (_TWO, _arithmetic("+", add)),
    "Sub": (_TWO, _arithmetic("-", sub)),
    "Mul": (_TWO, _arithmetic("*", mul)),
    "Div": (_TWO | {"typed", "safe"}, _arithmetic("/", _divide)),
    "Neg": (_ONE, _negative),
    "Coalesce": (_MANY | {"is_nvl", "is_null"}, _coalesce),
    "And": (_TWO, _chain("and", pl.all_horizontal)),
    "Or": (_TWO, _chain("or", pl.any_horizontal)),
    "Not": (_ONE, _not),
    "In": (_MANY, _in),
    "Between": (frozenset({"this", "low", "high"}), _between),
    "Is": (_TWO, _is_null),
    "Like": (_TWO | {"negate"}, _like),
    "Escape": (_TWO, _escape),
}

_REFUSED = {
    "AtTimeZone": "AT TIME ZONE",
    "Block": "more than one expression",
    "Bracket": "an index",
    "Case": "CASE",
    "Cast": "a cast",
    "TryCast": "a cast",
    "DPipe": "||",
    "Exists": "a subquery",
    "ILike": "ILIKE",
    "Interval": "INTERVAL",
    "Mod": "%",
    "Null": "NULL",
    "NullSafeEQ": "IS NOT DISTINCT FROM",
    "NullSafeNEQ": "IS DISTINCT FROM",
    "Parameter": "a parameter",
    "Placeholder": "a parameter",
    "Select": "a subquery",
    "Star": "*",
    "Subquery": "a subquery",
    "Tuple": "a list outside IN",
}

_HINTS = {
    "Block": "join them with AND",
    "Cast": "write numbers as they are, and instants and dates as quoted ISO text",
    "Interval": "write a number of days",
    "Null": "write IS NULL",
}
