"""Messages: the delivery of an engagement on a channel, and what is heard of it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias, get_args

from attrs import field, frozen, validators

from relationship_core.model.engagement import Engagement
from relationship_core.model.validation import data

MessageState: TypeAlias = Literal[
    "queued", "claimed", "attempting", "accepted", "rejected", "unknown", "expired", "failed", "stopped", "held_out"
]
"""Where a message is on its way.

``queued`` waits, also after the channel deferred it; ``claimed`` belongs to a worker; ``attempting`` was
committed just before the channel was called; ``accepted`` and ``rejected`` are the channel's answers;
``unknown`` means that the channel may have sent it; ``expired`` was not worth sending any more; ``failed``
could not be rendered; ``stopped`` may not go any more: permission was taken back, the goal reached, the campaign
archived, or the task cancelled;
``held_out`` is never sent, so that one can see what the message would have caused, and counts as a contact.
"""

ReceiptState: TypeAlias = Literal["accepted", "rejected", "deferred", "unknown"]

EventType: TypeAlias = Literal[
    "accepted", "rejected", "failed", "bounced", "deferred", "delivered", "opened", "clicked", "complained",
    "unsubscribed", "replied", "unknown",
]  # fmt: skip
"""What was heard later; django-anymail's words, with ``accepted`` for its ``sent``."""


@frozen(kw_only=True)
class Message:
    """One rendered message, ready for its channel.

    Attributes:
        id: opaque and stable: the same engagement has the same id in every run. It carries no personal data.
        engagement: what it delivers.
        channel: the channel instance's name.
        address: where it goes, in the channel's own writing.
        recipient: the name to write beside the address; may be empty.
        locale: the language of the text, or None.
        subject: rendered subject; no line breaks.
        text: rendered plain text.
        html: rendered HTML, or empty.
        at: the instant at which it was filled in; what a date header shows.
    """

    id: str = field(validator=data.text)
    engagement: Engagement = field(validator=data.an(Engagement))
    channel: str = field(validator=data.text)
    address: str = field(validator=data.text, repr=False)
    recipient: str = field(default="", validator=data.text, repr=False)
    locale: str | None = field(default=None, validator=data.optional_text)
    subject: str = field(default="", validator=data.text, repr=False)
    text: str = field(default="", validator=data.text, repr=False)
    html: str = field(default="", validator=data.text, repr=False)
    at: datetime = field(validator=data.aware)


@frozen(kw_only=True)
class Receipt:
    """What a channel answered for one message.

    Attributes:
        message: the message's id.
        state: accepted, rejected (permanently), deferred (try later) or unknown (it may have been sent).
        reference: the provider's own id, if it gave one.
        detail: the provider's words, without personal data.
        retry_after: the provider's wish for a deferred message, in seconds; None when it said nothing.
    """

    message: str = field(validator=data.text)
    state: ReceiptState = field(validator=data.one_of(get_args(ReceiptState)))
    reference: str | None = field(default=None, validator=data.optional_text)
    detail: str = field(default="", validator=data.text)
    retry_after: float | None = field(default=None, validator=validators.optional(data.number(0)))


@frozen(kw_only=True)
class DeliveryEvent:
    """Something heard about a message after its receipt.

    Attributes:
        message: the message's id.
        type: what happened.
        at: when it happened, by the provider's clock.
        detail: the provider's words.
        raw: the event as it came.
    """

    message: str = field(validator=data.text)
    type: EventType = field(validator=data.one_of(get_args(EventType)))
    at: datetime = field(validator=data.aware)
    detail: str = field(default="", validator=data.text)
    raw: str = field(default="", validator=data.text, repr=False)
