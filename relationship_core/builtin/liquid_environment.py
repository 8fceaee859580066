"""The Liquid environment of the renderer ``liquid``: which tags and filters there are, and what they may cost."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, ClassVar

from liquid import Environment, RenderContext, StrictUndefined, Undefined
from liquid.builtin.expressions.primitive import RangeLiteral
from liquid.exceptions import FilterArgumentError, ResourceLimitError
from liquid.expression import Expression

if TYPE_CHECKING:
    from liquid import BoundTemplate, Node

LONGEST_TEXT = 100_000
"""Characters that may go into a filter or come out of it."""
LONGEST_LIST = 10_000
LARGEST_NUMBER = 2**256

FURTHEST_RANGE = 10_000
"""Either end of a range; ``(1..n)`` may be made into a list before the limit on loops is looked at."""

_REACHING_OUT = ("include", "render")
"""Tags that read other files."""
_TRUSTING = ("safe",)
"""Filters that would write a value into HTML as it is."""


class BoundedEnvironment(Environment):
    """Liquid with bounds on what one template may cost."""

    output_stream_limit: ClassVar[int | None] = 1_000_000
    loop_iteration_limit: ClassVar[int | None] = 10_000
    local_namespace_limit: ClassVar[int | None] = 1_000_000
    block_nesting_limit: ClassVar[int] = 20


def make_environment(*, autoescape: bool) -> BoundedEnvironment:
    """An environment for HTML, or with ``autoescape=False`` for text."""
    environment = BoundedEnvironment(undefined=StrictUndefined, autoescape=autoescape)
    for tag in _REACHING_OUT:
        del environment.tags[tag]
    for name in _TRUSTING:
        del environment.filters[name]
    environment.filters["date"] = _date
    for name, function in environment.filters.items():
        environment.filters[name] = _bounded(name, function)
    return environment


def bound_ranges(template: BoundTemplate) -> None:
    """Make every range of a parsed template refuse ends that are too far out."""
    context = RenderContext(template)
    nodes: list[Node] = list(template.nodes)
    while nodes:
        node = nodes.pop()
        nodes.extend(node.children(context))
        _bound(node.expressions())


def _bound(expressions: Iterable[Expression]) -> None:
    waiting = list(expressions)
    while waiting:
        expression = waiting.pop()
        waiting.extend(expression.children())
        if isinstance(expression, RangeLiteral):
            expression.start = _End(expression.start)
            expression.stop = _End(expression.stop)


class _End(Expression):
    """One end of a range."""

    __slots__ = ("inner",)

    def __init__(self, inner: Expression) -> None:
        super().__init__(inner.token)
        self.inner = inner

    def __str__(self) -> str:
        return str(self.inner)

    def evaluate(self, context: RenderContext) -> object:
        value = self.inner.evaluate(context)
        if _number(value) > FURTHEST_RANGE:
            message = f"a range goes beyond {FURTHEST_RANGE}"
            raise ResourceLimitError(message, token=self.token)
        return value

    def children(self) -> Iterable[Expression]:
        return [self.inner]


def _number(value: object) -> int:
    """How far from zero an end is; Liquid takes text that is a number for that number."""
    try:
        return abs(int(value)) if isinstance(value, (str, int, float)) else 0
    except (OverflowError, ValueError):  # no number: Liquid takes it for zero, or refuses it
        return 0


def _date(value: object, pattern: str) -> str:
    """Format an instant or a date by strftime. Liquid's own would look at the wall clock for ``"now"``."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            value = None
    if not isinstance(value, (date, datetime)):
        message = "expected a date"
        raise FilterArgumentError(message, token=None)
    return value.strftime(str(pattern))


def _bounded(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The filter, refusing what is too large before it becomes larger."""

    @wraps(function)
    def bounded(*values: Any, **options: Any) -> Any:
        for value in values:
            _measure(value)
        if name == "replace" and len(values) > 2:  # noqa: PLR2004  value, what to replace, by what
            text, old, new = (str(each) for each in values[:3])
            _refuse_over(LONGEST_TEXT, text.count(old) * len(new))
        if name == "join" and isinstance(values[0], (list, tuple, range)):
            _refuse_over(LONGEST_TEXT, len(values[0]) * sum(len(str(each)) for each in values[1:]))
        result = function(*values, **options)
        _measure(result)
        return result

    return bounded


def _measure(value: object) -> None:
    if isinstance(value, Undefined):
        str(value)  # raises, which some filters would not
    elif isinstance(value, str):
        _refuse_over(LONGEST_TEXT, len(value))
    elif isinstance(value, int):
        _refuse_over(LARGEST_NUMBER, abs(value))
    elif isinstance(value, range):
        _refuse_over(LONGEST_LIST, len(value))
    elif isinstance(value, (list, tuple)):
        _refuse_over(LONGEST_LIST, len(value))
        _refuse_over(LONGEST_TEXT, sum(len(each) for each in value if isinstance(each, (str, list, tuple))))


def _refuse_over(most: int, size: int) -> None:
    if size > most:
        message = "what a filter works on is too large"
        raise ResourceLimitError(message, token=None)
