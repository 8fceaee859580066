"""Money: integer minor units with a currency."""

from __future__ import annotations

from attrs import field, frozen, validators

_DIGITS = {
    **dict.fromkeys(
        "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0  # noqa: SIM905  a row of codes is read like a table
    ),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),  # noqa: SIM905  likewise
    **dict.fromkeys("CLF UYW".split(), 4),  # noqa: SIM905  likewise
}  # fmt: skip


def minor_digits(currency: str) -> int:
    """How many decimals of the currency's major unit its minor unit stands for: 2 for USD, 0 for JPY, 3 for KWD.

    Source: ISO 4217, table A.1; a currency that is not listed there with another number has 2.
    """
    return _DIGITS.get(currency, 2)


@frozen(kw_only=True)
class Money:
    """An amount in minor units (cents for USD, yen for JPY) of one currency.

    Attributes:
        minor: the amount in minor units; negative for what flows back.
        currency: ISO 4217 code, three capital letters.
    """

    minor: int = field(validator=validators.instance_of(int))
    currency: str = field(validator=validators.matches_re(r"[A-Z]{3}"))

    def __add__(self, other: Money) -> Money:
        """The sum; both must be in one currency.

        Raises:
            ValueError: the currencies differ.
        """
        if self.currency != other.currency:
            message = f"cannot add {other.currency} to {self.currency}; convert one of them first"
            raise ValueError(message)
        return Money(minor=self.minor + other.minor, currency=self.currency)
