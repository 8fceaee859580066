"""Order lines out of the columns of an export: exact money, or none."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal

import polars as pl

from relationship_core.flow.record.numbers import GROUP, THOUSAND, plain_number
from relationship_core.model.money import minor_digits

_PLAIN = re.compile(r"[+-]?([0-9]{1,15}(\.[0-9]{0,9})?|\.[0-9]{1,9})")


def order_lines(pieces: Mapping[str, pl.Series], currency: str, decimal: str | None) -> pl.Series:
    """The lines of each order as JSON text; null where none has a product.

    What was paid for a line is its total, or price times quantity less the discount. Money that cannot be read, may
    mean two amounts, or is finer than the currency, is left out; so is that of a line whose quantity cannot be read.

    Args:
        pieces: ``product``, and any of ``category``, ``quantity``, ``price``, ``discount`` and ``total``: lists of
            texts, of one length in each row.
        currency: the project's currency.
        decimal: the mark of decimals; None for a point.
    """
    digits = minor_digits(currency)
    names = list(pieces)
    written: list[str | None] = []
    for row in zip(*pieces.values(), strict=True):
        lines = [_line(dict(zip(names, values, strict=True)), digits, decimal) for values in zip(*row, strict=True)]
        kept = [line for line in lines if line is not None]
        written.append(json.dumps(kept, ensure_ascii=False) if kept else None)
    return pl.Series(written, dtype=pl.String)


def _line(texts: Mapping[str, str | None], digits: int, decimal: str | None) -> dict[str, object] | None:
    product = texts.get("product")
    if product is None:
        return None
    money = {
        name: None if decimal is None and digits < GROUP and re.search(THOUSAND, text) else _number(text, decimal)
        for name in ("price", "discount", "total")
        if (text := texts.get(name))
    }
    line: dict[str, object] = {"product": product}
    if texts.get("category"):
        line["category"] = texts["category"]
    many = texts.get("quantity")
    quantity = _number(many, decimal) if many else Decimal(1)
    if quantity is not None:
        line["quantity"] = float(quantity)
    minor = _minor(_paid(money, quantity), digits)
    if minor is not None:
        line["minor"] = minor
    return line


def _paid(money: Mapping[str, Decimal | None], quantity: Decimal | None) -> Decimal | None:
    if "total" in money:
        return money["total"]
    price, discount = money.get("price"), money.get("discount", Decimal(0))
    if price is None or discount is None or quantity is None:
        return None
    return price * quantity - discount


def _minor(amount: Decimal | None, digits: int) -> int | None:
    if amount is None:
        return None
    scaled = amount.scaleb(digits)
    return int(scaled) if scaled == scaled.to_integral_value() else None


def _number(text: str, decimal: str | None) -> Decimal | None:
    plain = plain_number(text, decimal)
    return None if plain is None or _PLAIN.fullmatch(plain) is None else Decimal(plain)
