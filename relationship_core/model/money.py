"""Money: integer minor units with a currency."""

from __future__ import annotations

import re

from attrs import field, frozen

from relationship_core.errors import WrongArgumentError, WrongDataError
from relationship_core.model.validation import data

_CURRENCY = "a code of three capital letters such as EUR (ISO 4217)"
_DIGITS = {
    **dict.fromkeys(
        "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0  # noqa: SIM905  a row of codes is read like a table
    ),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),  # noqa: SIM905  likewise
    **dict.fromkeys("CLF UYW".split(), 4),  # noqa: SIM905  likewise
}  # fmt: skip


MINOR_UNITS = " of minor units, such as 1250 for 12.50 EUR"
"""What an amount counts, as a sentence ends."""


def minor_digits(currency: str) -> int:
    """How many decimals of the currency's major unit its minor unit stands for: 2 for USD, 0 for JPY, 3 for KWD.

    Source: ISO 4217, table A.1; a currency that is not listed there with another number has 2.

    Raises:
        ConfigurationError: it is no code of three capital letters.
    """
    if not re.fullmatch(r"[A-Z]{3}", str(currency)):
        message = f"a currency must be {_CURRENCY}, not {currency!r}"
        raise WrongArgumentError(message)
    return _DIGITS.get(currency, 2)


@frozen(kw_only=True)
class Money:
    """An amount in minor units (cents for USD, yen for JPY) of one currency.

    Attributes:
        minor: the amount in minor units; negative for what flows back.
        currency: ISO 4217 code, three capital letters.
    """

    minor: int = field(validator=data.whole(of=MINOR_UNITS))
    currency: str = field(validator=data.matching(r"[A-Z]{3}", _CURRENCY))

    def __add__(self, other: Money) -> Money:
        """The sum; both must be in one currency.

        Raises:
            RejectedError: the currencies differ.
        """
        if not isinstance(other, Money):
            return NotImplemented
        if self.currency != other.currency:
            message = f"cannot add {other.currency} to {self.currency}; convert one of them first"
            raise WrongDataError(message)
        return Money(minor=self.minor + other.minor, currency=self.currency)
