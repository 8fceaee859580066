"""The keys of ``[channels.<instance>]`` and ``[receivers.<instance>]`` with ``use = "lob"``."""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

from attrs import Attribute, field, frozen, validators

from relationship_core import ConfigurationError, Secret, declared

WORLD = "https://api.lob.com/v1"
LONGEST_TIMEOUT = 600.0
LONGEST_WINDOW = 7 * 86_400.0

Format: TypeAlias = Literal["letter", "postcard"]

_HOST = r"https://[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._/-]*)?|http://127\.0\.0\.1(:[0-9]+)?(/[A-Za-z0-9]*)?"
_COUNTRY = "an ISO 3166-1 code of two capital letters such as US"


def _key(_owner: object, attribute: Attribute[Secret], value: Secret) -> None:
    key = value.reveal()
    if not re.fullmatch(r"(live|test)_[!-9;-~]+", key) or "_pub_" in key:
        message = (
            f"{attribute.name} must be a secret key of Lob, which begins with live_ or test_ and is not publishable"
        )
        raise ConfigurationError(message)


def _sandbox(owner: LobSettings, _attribute: Attribute[bool], value: bool) -> None:
    is_test = owner.api_key.reveal().startswith("test_")
    if is_test and not value:
        message = "api_key is a test key, with which nothing is posted: set sandbox = true, or give a key of live_"
        raise ConfigurationError(message)
    if value and not is_test:
        message = (
            "with sandbox = true api_key must be a test key, which begins with test_: with another, mail is posted"
        )
        raise ConfigurationError(message)


def _secrets(_owner: object, attribute: Attribute[tuple[Secret, ...]], value: tuple[Secret, ...]) -> None:
    if not value or not all(each.reveal() for each in value):
        message = (
            f"{attribute.name} must hold the secret that Lob shows for the webhook, and an earlier one if there is one"
        )
        raise ConfigurationError(message)


@frozen(kw_only=True)
class LobSettings:
    """Settings of the channel ``use = "lob"``.

    Attributes:
        api_key: a secret key: of ``live_``, or of ``test_`` with ``sandbox``.
        sandbox: whether Lob only checks and renders, and posts nothing.
        format: what is printed: ``letter`` or ``postcard``.
        sender_address: who it is from, an address in the United States: its lines, or one line that is broken at its
            commas, or the id of an address at Lob (``adr_...``); ``[project] postal_address`` unless given here.
        country: the ISO 3166-1 code of the country of customers of whom none is known.
        use_type: what Lob is to be told that the mail is: ``marketing`` or ``operational``.
        verify: whether an address in the United States is verified before; each costs, and so does wrong mail.
        mail_type: the class of postage within the United States.
        color: whether letters are printed in colour.
        size: of postcards, in inches.
        price: what one piece costs, in minor units of the project's currency; previews show it.
        host: where the API is.
        timeout: seconds to wait for a connection, and for each answer.
    """

    api_key: Secret = field(validator=_key)
    sandbox: bool = field(default=False, validator=_sandbox)
    format: Format = "letter"
    sender_address: str = field(default="", metadata={"project": "postal_address"})
    country: str = field(default="US", validator=declared.matching(r"[A-Z]{2}", _COUNTRY))
    use_type: Literal["marketing", "operational"] = "marketing"
    verify: bool = False
    mail_type: Literal["usps_first_class", "usps_standard"] = "usps_first_class"
    color: bool = False
    size: Literal["4x6", "6x9", "6x11"] = "4x6"
    price: float | None = field(default=None, validator=validators.optional(declared.number(0)))
    host: str = field(
        default=WORLD, validator=declared.matching(_HOST, f"an address that begins with https://, such as {WORLD}")
    )
    timeout: float = field(default=30.0, validator=declared.number(above=0, high=LONGEST_TIMEOUT))


@frozen(kw_only=True)
class LobReceiverSettings:
    """Settings of the receiver ``use = "lob"``.

    Attributes:
        secrets: the webhook's secret; while it is being changed, the earlier one beside it.
        window: how many seconds after it was signed a request is taken.
    """

    secrets: tuple[Secret, ...] = field(validator=_secrets)
    window: float = field(default=300.0, validator=declared.number(above=0, high=LONGEST_WINDOW))
