"""What receiving a request did, and what to answer."""

from __future__ import annotations

from attrs import frozen


@frozen(kw_only=True)
class Received:
    """What receiving one request did, and the answer that its sender waits for.

    Attributes:
        status: the status of HTTP to answer with: 200 where it was taken, 400 to 599 where it was refused.
        body: the body to answer with; a page where a person opened a link, and else empty.
        content_type: the media type of the body.
        refused: why nothing was taken; empty where something was.
        events: how much was new: delivery events, that a message was answered among them, and what a customer said of
            consent and preference by a link.
        repeated: how many were known already.
        replies: how many replies were recorded as interactions of customers.
        unmatched: how many replies came from an address that is no customer's, or that of several.
        ignored: how much of it is about no message of ours, or cannot be kept.
        suppressed: how many addresses are not used from now on.
    """

    status: int = 200
    body: str = ""
    content_type: str = "text/plain; charset=utf-8"
    refused: str = ""
    events: int = 0
    repeated: int = 0
    replies: int = 0
    unmatched: int = 0
    ignored: int = 0
    suppressed: int = 0
