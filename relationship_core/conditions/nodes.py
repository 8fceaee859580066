"""A condition as a tree: what each part gives, its polars expression and its text."""

from __future__ import annotations

import polars as pl
from attrs import field, frozen

MICROSECONDS_PER_DAY = 86_400_000_000


@frozen(kw_only=True)
class Kind:
    """What a part of a condition gives, and thereby what it may be compared with.

    Attributes:
        name: what people call it.
        choices: for one of an ordered list of names: the names, lowest first.
    """

    name: str
    choices: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"one of {', '.join(self.choices)}" if self.choices else self.name


NUMBER = Kind(name="a number")
TEXT = Kind(name="text")
TRUTH = Kind(name="true or false")
MOMENT = Kind(name="an instant")
DAY = Kind(name="a date")
QUOTED = Kind(name="quoted text")
"""A quoted literal that has not met a column yet: it becomes text, a choice, an instant or a date."""


@frozen(kw_only=True, eq=False)
class Node:
    """One part of a condition.

    Attributes:
        op: ``column``, ``literal``, ``+ - * /``, ``neg``, ``coalesce``; ``= <> < <= > >=``, ``in``,
            ``between``, ``is null``, ``like``; ``and``, ``or``, ``not``.
        kind: what it gives.
        expr: its value. Numbers are Float64; so are instants (microseconds since 1970) and dates (days).
        text: SQL as people read it.
        args: its parts, in order.
        value: of a column its name, of a literal what it says.
    """

    op: str
    kind: Kind
    expr: pl.Expr = field(repr=False)
    text: str
    args: tuple[Node, ...] = ()
    value: str | float | bool = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it reads, in order, without repetition."""
        found = [str(self.value)] if self.op == "column" else []
        return tuple(dict.fromkeys([*found, *(name for arg in self.args for name in arg.columns)]))


def literal(value: str | float | bool, kind: Kind, text: str) -> Node:
    """What the condition says outright."""
    return Node(op="literal", kind=kind, expr=pl.lit(value), text=text, value=value)


def atoms_of(node: Node) -> list[Node]:
    """The smallest parts that are true or false by themselves, in the order of the text."""
    if node.op not in {"and", "or", "not"}:
        return [node]
    return [atom for arg in node.args for atom in atoms_of(arg)]


def full_length(truth: pl.Expr) -> pl.Expr:
    """The same truth, with a row for every row of the frame.

    Without this polars gives a single row where it finds the truth constant, and also where a literal
    stands left of a column that happens to hold one value only: ``lit(1) <= col("now")``.
    """
    return pl.all_horizontal(truth, pl.repeat(True, pl.len(), dtype=pl.Boolean))
