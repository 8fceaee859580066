"""The documents that SendGrid takes, and which messages fit into one."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from email.utils import parseaddr
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from relationship_core import Attachment, Message
    from relationship_sendgrid.settings import SendGridSettings

MESSAGE_KEY = "relationship_message"
"""The custom argument that tells the message; SendGrid keeps such arguments for ever and shows them to its staff, so
that it is nothing but the opaque id."""

MOST_RECIPIENTS = 1000
MOST_BYTES = 30_000_000
"""What SendGrid takes at once."""

Numbered: TypeAlias = "tuple[int, Message]"
"""A message with its place in the batch."""


def grouped(messages: Iterable[Numbered]) -> Iterator[Sequence[Numbered]]:
    """The messages, in groups that each fit into one request.

    In a group subject, text, HTML and attachments are the same, and every address is there once. Messages that were
    filled in for each person are therefore groups of one.
    """
    alike: dict[object, list[dict[str, Numbered]]] = {}
    for number, message in messages:
        groups = alike.setdefault((message.subject, message.text, message.html, message.attachments), [])
        address = message.address.casefold()
        group = next((each for each in groups if address not in each and len(each) < MOST_RECIPIENTS), None)
        if group is None:
            group = {}
            groups.append(group)
        group[address] = (number, message)
    for groups in alike.values():
        yield from (tuple(group.values()) for group in groups)


def document(messages: Sequence[Message], settings: SendGridSettings) -> dict[str, Any]:
    """The request of mail for messages with the same content."""
    first = messages[0]
    made: dict[str, Any] = {
        "personalizations": [_personalization(each) for each in messages],
        "from": _person(*parseaddr(settings.sender)),
        "subject": first.subject,
        "content": _content(first),
        # Said each time: otherwise what somebody clicked in SendGrid's console decides.
        "tracking_settings": {
            "click_tracking": {"enable": settings.tracking, "enable_text": False},
            "open_tracking": {"enable": settings.tracking},
            "subscription_tracking": {"enable": False},
        },
    }
    if settings.reply_to:
        made["reply_to"] = _person(*parseaddr(settings.reply_to))
    if first.attachments:
        made["attachments"] = [_attachment(each) for each in first.attachments]
    if settings.sandbox:
        made["mail_settings"] = {"sandbox_mode": {"enable": True}}
    return made


def _content(message: Message) -> list[dict[str, str]]:
    """The text, and then the HTML, as the API wants them; without what there is not."""
    parts = (("text/plain", message.text), ("text/html", message.html))
    return [{"type": kind, "value": value} for kind, value in parts if value]


def size(message: Message) -> int:
    """About how many bytes a message takes, files as they are encoded."""
    files = sum(len(each.content) * 4 // 3 + len(each.name.encode()) for each in message.attachments)
    texts = (message.text, message.html, message.subject, message.recipient)
    return files + sum(len(each.encode()) for each in texts)


def _personalization(message: Message) -> dict[str, Any]:
    made: dict[str, Any] = {
        "to": [_person(message.recipient, message.address)],
        "custom_args": {MESSAGE_KEY: message.id},
    }
    if message.unsubscribe:
        made["headers"] = {
            "List-Unsubscribe": f"<{message.unsubscribe}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }
    return made


def _person(name: str, address: str) -> dict[str, str]:
    return {"email": address, "name": name} if name else {"email": address}


def _attachment(file: Attachment) -> dict[str, str]:
    return {
        "content": b64encode(file.content).decode("ascii"),
        "type": file.type,
        "filename": file.name,
        "disposition": "attachment",
    }
