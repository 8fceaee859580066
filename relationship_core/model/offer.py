"""Offers: what a campaign's messages promise to whoever takes them up."""

from __future__ import annotations

from attrs import field, frozen, validators

from relationship_core.errors import WrongArgumentError
from relationship_core.model.validation import LARGEST_MONEY, LONGEST_DAYS, declared, optional_floating

_CODE = r"([^\W_]+(-[^\W_]+)*)?"


@frozen(kw_only=True)
class Offer:
    """An offer; each message that tells of it issues one coupon.

    A message tells of it where its templates name ``offer.code``, ``offer.summary`` or another part of it. A coupon is
    issued when its message went, redeemed when a ``coupon_redeemed`` or an ``order`` bears its code, and expired when
    neither came in time.

    Attributes:
        summary: what it is, in words that customers read: ``10 % off your next order``.
        code: the code on every coupon: letters and digits, with hyphens between them; empty where each coupon has
            one of its own.
        days: how long a coupon is valid: to the end of the project-local day that is so many days of the calendar after
            the one on which its message went, at most 36500; None for ever.
        percent: how much is taken off, in percent; None where it is not a share.
        amount: how much is taken off, in minor units of the project's currency; None where it is no
            amount; at most 10^12.
        cost: what one redemption costs us, in minor units, at most 10^12.
    """

    summary: str = field(validator=declared.filled)
    code: str = field(
        default="", validator=declared.matching(_CODE, "letters and digits, with hyphens between them, or empty")
    )
    days: int | None = field(default=None, validator=validators.optional(declared.whole(0, LONGEST_DAYS)))
    percent: float | None = field(
        default=None, converter=optional_floating, validator=validators.optional(declared.number(0, 100))
    )
    amount: int | None = field(default=None, validator=validators.optional(declared.whole(1, LARGEST_MONEY)))
    cost: int = field(default=0, validator=declared.whole(0, LARGEST_MONEY))

    def __attrs_post_init__(self) -> None:
        """Refuse an offer of a share and an amount at once."""
        if self.percent is not None and self.amount is not None:
            message = "an offer takes off a percentage or an amount, not both"
            raise WrongArgumentError(message)
