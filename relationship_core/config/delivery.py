"""How each channel is used: how fast, how many messages at once, and when it is left alone."""

from __future__ import annotations

from attrs import field, frozen, validators

from relationship_core.model.validation import declared


@frozen(kw_only=True)
class DeliverySettings:
    """``[delivery.<channel>]``: how the channel instance of that name is used.

    Attributes:
        attempting: how many messages it is handed at once. So many at most are unknown when it or we die; where it is
            not given, what the channel's plugin says, mostly 1.
        rate: how many messages go a second at most; as many as it takes where it is not given.
        breaker: after so many messages deferred or unknown in a row the channel is left alone for a while; 0 for never.
        resend_service: whether a service message of which nobody knows whether it went is sent once more, marked as
            sent again. Marketing never is.
    """

    attempting: int | None = field(default=None, validator=validators.optional(declared.whole(1, 1000)))
    rate: float | None = field(default=None, validator=validators.optional(declared.number(above=0)))
    breaker: int = field(default=5, validator=declared.whole(0))
    resend_service: bool = field(default=False, validator=declared.yes_or_no)
