"""Messages: the delivery of an engagement on a channel, and what is heard of it."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Literal, TypeAlias, TypeGuard, get_args

from attrs import field, frozen, validators

from relationship_core.model.engagement import Engagement
from relationship_core.model.permission import SuppressionReason
from relationship_core.model.validation import data, listed

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
"""What a channel answers: it took the message, it never will, it may later, or nobody knows whether it did."""

EventType: TypeAlias = Literal[
    "accepted", "rejected", "failed", "bounced", "deferred", "delivered", "opened", "clicked", "complained",
    "unsubscribed", "replied", "unknown",
]  # fmt: skip
"""What was heard later; django-anymail's words, with ``accepted`` for its ``sent``."""


_OUTBOX_ID = re.compile(r"[0-9a-f]{32}")
_SUPPRESSION = validators.optional(data.one_of(get_args(SuppressionReason)))


def is_outbox_id(message: object) -> TypeGuard[str]:
    """Whether something is the id of a message of the outbox: 32 hexadecimal digits in lower case.

    A receiver asks it of what a provider sends back; a test of a campaign, for one, has other ids.
    """
    return isinstance(message, str) and _OUTBOX_ID.fullmatch(message) is not None


@frozen(kw_only=True)
class Attachment:
    """A file that goes with a message.

    Attributes:
        name: what the file is called there.
        type: its media type, such as ``application/pdf``.
        content: its bytes.
    """

    name: str = field(validator=data.filled, repr=False)
    type: str = field(default="application/octet-stream", validator=data.filled)
    content: bytes = field(validator=data.an(bytes), repr=False)


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
        country: the ISO 3166-1 code of the customer's country; None where nobody knows.
        expires_at: after this instant it is worth nothing, and a provider that can should drop it; None for never.
        unsubscribe: the address, of https, at which one POST ends messages of its kind (RFC 8058); empty where the
            message is no marketing, or the project has no address for links.
        attachments: files that go with it.
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
    country: str | None = field(default=None, validator=data.optional_text)
    expires_at: datetime | None = field(default=None, validator=validators.optional(data.aware))
    unsubscribe: str = field(default="", validator=data.text, repr=False)
    attachments: tuple[Attachment, ...] = field(default=(), converter=listed, validator=data.each(Attachment))


@frozen(kw_only=True)
class Receipt:
    """What a channel answered for one message.

    Attributes:
        message: the message's id.
        state: accepted, rejected (permanently), deferred (try later) or unknown (it may have been sent).
        reference: the provider's own id, if it gave one.
        detail: the provider's words, without personal data.
        retry_after: the provider's wish for a deferred message, in seconds; None when it said nothing.
        suppression: why the address must not be used again, such as ``hard_bounce`` where it does not exist; None
            where nothing speaks against it.
    """

    message: str = field(validator=data.text)
    state: ReceiptState = field(validator=data.one_of(get_args(ReceiptState)))
    reference: str | None = field(default=None, validator=data.optional_text)
    detail: str = field(default="", validator=data.text)
    retry_after: float | None = field(default=None, validator=validators.optional(data.number(0)))
    suppression: SuppressionReason | None = field(default=None, validator=_SUPPRESSION)


@frozen(kw_only=True)
class Price:
    """What sending one message costs.

    Attributes:
        parts: of how many parts that are paid for it consists: segments of an SMS, sheets of a letter.
        part: what such a part is called, in the singular, such as ``segment``.
        minor: what all of it costs in minor units of the project's currency; None where nobody said.
    """

    parts: int = field(validator=data.whole(1))
    part: str = field(validator=data.filled)
    minor: float | None = field(default=None, validator=validators.optional(data.number(0)))


@frozen(kw_only=True)
class DeliveryEvent:
    """Something heard about a message after its receipt.

    Attributes:
        message: the message's id.
        type: what happened.
        at: when it happened, by the provider's clock.
        detail: the provider's words, without personal data.
        suppression: why the address must not be used again; None where nothing speaks against it. A bounce without
            it is a soft one.
        raw: the event as it came.
    """

    message: str = field(validator=data.text)
    type: EventType = field(validator=data.one_of(get_args(EventType)))
    at: datetime = field(validator=data.aware)
    detail: str = field(default="", validator=data.text)
    suppression: SuppressionReason | None = field(default=None, validator=_SUPPRESSION)
    raw: str = field(default="", validator=data.text, repr=False)


ReplyWish: TypeAlias = Literal["stop", "start", "help"]
"""What a reply asks for in words that carriers and the law know: an end of messages, their return, or help."""


@frozen(kw_only=True)
class Reply:
    """Something that a customer wrote to us, as an answer or unasked.

    Attributes:
        id: the provider's id of it; the same reply has the same id whenever it is heard of.
        medium: the kind of contact point it came from, such as ``sms``.
        address: where it came from, in the medium's own writing.
        at: when it was written, by the provider's clock.
        text: what it says; may be empty.
        message: the id of the message that it answers; None where nothing tells.
        wish: what it asks for; None where it is for a person to read.
    """

    id: str = field(validator=data.filled)
    medium: str = field(validator=data.filled)
    address: str = field(validator=data.filled, repr=False)
    at: datetime = field(validator=data.aware)
    text: str = field(default="", validator=data.text, repr=False)
    message: str | None = field(default=None, validator=data.optional_text)
    wish: ReplyWish | None = field(default=None, validator=validators.optional(data.one_of(get_args(ReplyWish))))
