"""Columns that hold more than one value: order lines, and data by name as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Never, TypeVar

import polars as pl

from relationship_core.config import AttributeType
from relationship_core.errors import RejectedError, nearest
from relationship_core.flow.record.checks import LARGEST_AMOUNT
from relationship_core.flow.record.convert import Converted, fine, wrong_type
from relationship_core.table import ORDER_LINE

T = TypeVar("T")

LINES = pl.List(ORDER_LINE)
_FIELDS = tuple(field.name for field in ORDER_LINE.fields)
_ATTRIBUTES: Mapping[AttributeType, type | tuple[type, ...]] = {
    "text": str,
    "number": (int, float),
    "boolean": bool,
}
_NOT_LINES = (
    'the lines are not a JSON list such as [{"product": "4711", "category": "tea", "quantity": 1, "minor": 499}]'
)


def lines(column: pl.Series) -> Converted:
    """Order lines: a list of structs, or the same as JSON text. A missing quantity is 1.

    Raises:
        RejectedError: the column holds something else.
    """
    kind = column.dtype
    if kind in {pl.String, pl.Null}:
        return _each(column.cast(pl.String), read_lines, LINES)
    if isinstance(kind, pl.List) and isinstance(kind.inner, pl.Struct):
        return _struct_lines(column, kind.inner), fine(column)
    raise wrong_type(column, "order lines: a list of structs, or JSON text")


def data(column: pl.Series) -> Converted:
    """Data by name: a JSON object in each row; values that are not text become their JSON text.

    Raises:
        RejectedError: the column holds something else than text.
    """
    if column.dtype not in {pl.String, pl.Null}:
        raise wrong_type(column, "JSON text")
    return _each(column.cast(pl.String), read_data, pl.String())


def read_json(written: str) -> Any:
    """The value of a JSON text.

    Raises:
        ValueError: it is not JSON, or no other program could read it.
    """
    try:
        value = _DECODER.decode(written)
        if "\\u" in written:
            json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair is no character
    except RecursionError as error:
        message = "too deeply nested"
        raise ValueError(message) from error
    return value


def read_json_of(kind: type[T], written: str, otherwise: str) -> T:
    """The value of a JSON text that must be of a type.

    Raises:
        ValueError: it is not; its message is ``otherwise``.
    """
    try:
        value = read_json(written)
    except ValueError as error:
        raise ValueError(otherwise) from error
    if not isinstance(value, kind):
        raise ValueError(otherwise)  # noqa: TRY004  the text has a wrong value
    return value


def read_lines(written: str) -> list[dict[str, Any]]:
    """Order lines from JSON.

    Raises:
        ValueError: they are none; the message is the reason.
    """
    return [_line(item) for item in read_json_of(list, written, _NOT_LINES)]


def read_data(written: str) -> str | None:
    """Data from JSON, in one way of writing; None for an empty object.

    Raises:
        ValueError: they are no object; the message is the reason.
    """
    items = read_json_of(dict, written, 'the data are not a JSON object such as {"shop": "north"}')
    texts = {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in items.items()
        if value is not None
    }
    return json.dumps(texts, ensure_ascii=False, sort_keys=True) if texts else None


def attribute_problems(column: pl.Series, declared: Mapping[str, AttributeType]) -> pl.Series:
    """What is wrong with attributes, JSON objects: one is not declared, or of another type."""
    return pl.Series([None if text is None else _attribute_problem(text, declared) for text in column], dtype=pl.String)


def _attribute_problem(written: str, declared: Mapping[str, AttributeType]) -> str | None:
    for name, value in json.loads(written).items():
        if name not in declared:
            return f"the attribute {name!r} is not declared{nearest(name, declared)}"
        boolean = isinstance(value, bool)
        if boolean != (declared[name] == "boolean") or not isinstance(value, _ATTRIBUTES[declared[name]]):
            return f"the attribute {name!r} is not a {declared[name]}"
    return None


def _line(item: object) -> dict[str, Any]:
    if not isinstance(item, dict):
        raise ValueError(_NOT_LINES)  # noqa: TRY004  the text has a wrong value
    unknown = [name for name in item if name not in _FIELDS]
    if unknown:
        message = f"an order line has an unknown field {unknown[0][:40]!r}{nearest(unknown[0][:40], _FIELDS)}"
        raise ValueError(message)
    product, category = (_text(item.get(name), name) for name in ("product", "category"))
    quantity, minor = item.get("quantity"), item.get("minor")
    if quantity is not None and not _is_number(quantity):
        message = "an order line has a quantity that is not a number of at least 0"
        raise ValueError(message)
    if minor is not None and not (_is_number(minor) and isinstance(minor, int)):
        message = "an order line has an amount that is not a whole number of minor units"
        raise ValueError(message)
    return {
        "product": product,
        "category": category,
        "quantity": 1.0 if quantity is None else float(quantity),
        "minor": minor,
    }


def _text(value: object, name: str) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    message = f"an order line has a {name} that is not text"
    raise ValueError(message)


def _is_number(value: object) -> bool:
    # No NaN and no infinity passes the comparison.
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= LARGEST_AMOUNT


def _no_constant(constant: str) -> Never:
    message = f"{constant} is no JSON number"
    raise ValueError(message)


_DECODER = json.JSONDecoder(parse_constant=_no_constant)


def _each(column: pl.Series, read: Callable[[str], Any], kind: pl.DataType) -> Converted:
    """Read every text; those that cannot be read are problems."""
    if column.null_count() == len(column):
        return pl.Series([None], dtype=kind).new_from_index(0, len(column)).alias(column.name), fine(column)
    values: list[Any] = []
    problems: list[str | None] = []
    for written in column:
        value = problem = None
        try:
            value = None if written is None else read(written)
        except ValueError as error:
            problem = str(error)
        values.append(value)
        problems.append(problem)
    return pl.Series(column.name, values, dtype=kind), pl.Series(problems, dtype=pl.String)


def _struct_lines(column: pl.Series, struct: pl.Struct) -> pl.Series:
    types = {field.name: field.dtype for field in struct.fields}
    for name in types:
        if name not in _FIELDS:
            message = (
                f"the column {column.name!r} has order lines with an unknown field {name!r}{nearest(name, _FIELDS)}"
            )
            raise RejectedError(message)
    minor = types.get("minor", pl.Int64())
    if "product" not in types or not (minor.is_integer() or minor == pl.Null):
        raise wrong_type(column, "order lines with a product, and with a minor of whole numbers")
    fields = [
        (pl.element().struct.field(name) if name in types else pl.lit(None)).cast(field.dtype).alias(name)
        for name, field in zip(_FIELDS, ORDER_LINE.fields, strict=True)
    ]
    fields[_FIELDS.index("quantity")] = fields[_FIELDS.index("quantity")].fill_null(1.0)
    try:
        return column.list.eval(pl.struct(fields))
    except pl.exceptions.PolarsError as error:
        raise wrong_type(column, "order lines: product and category text, quantity a number, minor whole") from error
