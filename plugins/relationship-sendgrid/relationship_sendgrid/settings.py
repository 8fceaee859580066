"""The keys of ``[channels.<instance>]`` and ``[receivers.<instance>]`` with ``use = "sendgrid"``."""

from __future__ import annotations

from email.utils import parseaddr
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from relationship_core import ConfigurationError, Secret, declared

if TYPE_CHECKING:
    from attrs import Attribute

WORLD = "https://api.sendgrid.com"
LONGEST_TIMEOUT = 600.0
LONGEST_WINDOW = 7 * 86_400.0

_HOST = r"https://[A-Za-z0-9.-]+(:[0-9]+)?|http://(127\.0\.0\.1|localhost)(:[0-9]+)?"


def _sender(_owner: object, attribute: Attribute[str], value: str) -> None:
    if "@" not in parseaddr(value)[1]:
        message = (
            f"{attribute.name} must be an address that SendGrid knows as yours, such as "
            f"Corner Bakery <hello@example.com>; give it here or as sender in [project]"
        )
        raise ConfigurationError(message)


def _reply_to(owner: object, attribute: Attribute[str], value: str) -> None:
    if value:
        _sender(owner, attribute, value)


def _secret(_owner: object, attribute: Attribute[Secret], value: Any) -> None:
    if not isinstance(value, Secret) or not (value.reveal().isascii() and value.reveal().isprintable()):
        message = f"{attribute.name} must be a secret of one line of ASCII"
        raise ConfigurationError(message)


def _filled(_owner: object, attribute: Attribute[tuple[str, ...]], value: tuple[str, ...]) -> None:
    if not value:
        message = (
            f"{attribute.name} must hold the verification key that SendGrid shows where the signed event webhook is "
            f"turned on"
        )
        raise ConfigurationError(message)


@frozen(kw_only=True)
class SendGridSettings:
    """Settings of the channel ``use = "sendgrid"``.

    Attributes:
        api_key: a key with the permission Mail Send.
        sender: who messages are from; ``[project] sender`` unless given here. Its domain or address must be
            verified at SendGrid.
        reply_to: where answers go; empty for the sender.
        host: where the API is; ``https://api.eu.sendgrid.com`` for subusers of the European region.
        timeout: seconds to wait for a connection, and for each answer.
        sandbox: whether SendGrid only checks every message and sends none.
        tracking: whether SendGrid counts opens and rewrites links to count clicks.
    """

    api_key: Secret = field(validator=_secret)
    sender: str = field(default="", validator=_sender, metadata={"project": "sender"})
    reply_to: str = field(default="", validator=_reply_to)
    host: str = field(default=WORLD, validator=declared.matching(_HOST, f"https:// and a host alone, such as {WORLD}"))
    timeout: float = field(default=30.0, validator=declared.number(above=0, high=LONGEST_TIMEOUT))
    sandbox: bool = False
    tracking: bool = False


@frozen(kw_only=True)
class SendGridReceiverSettings:
    """Settings of the receiver ``use = "sendgrid"``.

    Attributes:
        public_keys: the verification keys of the signed event webhook, as SendGrid shows them; while a key is changed,
            both. They are no secrets.
        window: how many seconds after it was signed a request is taken.
    """

    public_keys: tuple[str, ...] = field(validator=_filled)
    window: float = field(default=300.0, validator=declared.number(above=0, high=LONGEST_WINDOW))
