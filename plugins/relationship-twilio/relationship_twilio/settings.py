"""The keys of ``[channels.<instance>]`` and ``[receivers.<instance>]`` with ``use = "twilio"``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from attrs import field, frozen, validators

from relationship_core import ConfigurationError, Secret, declared

if TYPE_CHECKING:
    from attrs import Attribute

WORLD = "https://api.twilio.com"
LONGEST_TIMEOUT = 600.0
MOST_SEGMENTS = 24
"""More UCS-2 segments than these do not fit into the 1600 characters that Twilio takes."""

_HOST = r"https://[A-Za-z0-9.-]+(:[0-9]+)?|http://(127\.0\.0\.1|localhost)(:[0-9]+)?"
_URL = re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._~/-]*)?")
_SENDER = r"|\+[1-9][0-9]{6,14}|[0-9]{3,8}|(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}"
_SENDERS = "a number such as +15551234567, a short code, or a name of up to 11 letters and digits"


def _identifier(prefix: str, *, is_optional: bool = False) -> Any:
    def check(_owner: object, attribute: Attribute[str], value: str) -> None:
        if not re.fullmatch(rf"{prefix}[0-9a-fA-F]{{32}}", value) and not (is_optional and not value):
            message = f"{attribute.name} must be {prefix} and 32 hexadecimal digits, as Twilio's console shows it"
            raise ConfigurationError(message)

    return check


def _secret(_owner: object, attribute: Attribute[Any], value: Any) -> None:
    if not isinstance(value, Secret) or not (value.reveal().isascii() and value.reveal().isprintable()):
        message = f"{attribute.name} must be a secret of one line of ASCII"
        raise ConfigurationError(message)


def _secrets(owner: object, attribute: Attribute[Any], values: tuple[Any, ...]) -> None:
    if not values:
        message = f"{attribute.name} must hold the account's primary token, and the other one while they are changed"
        raise ConfigurationError(message)
    for each in values:
        _secret(owner, attribute, each)


def _url(_owner: object, attribute: Attribute[str], value: str) -> None:
    if not _URL.fullmatch(value) and not (attribute.default == "" and not value):
        message = (
            f"{attribute.name} must be the public address of your receiver, begin with https:// and have no query, "
            f"not {value!r}"
        )
        raise ConfigurationError(message)


def _prices(_owner: object, attribute: Attribute[Mapping[str, float]], values: Mapping[str, float]) -> None:
    for country, price in values.items():
        if not re.fullmatch(r"[A-Z]{2}", country) or price < 0:
            message = (
                f"{attribute.name} {country}: must give a country by two capital letters, such as US, and what one "
                f"segment costs there, in minor units"
            )
            raise ConfigurationError(message)


def _read_only(values: Mapping[str, float]) -> Mapping[str, float]:
    return MappingProxyType(dict(values))


@frozen(kw_only=True)
class TwilioSettings:
    """Settings of the channel ``use = "twilio"``.

    Attributes:
        account_sid: the account, ``AC`` and 32 digits.
        auth_token: the account's token; with ``api_key_sid``, that key's secret.
        api_key_sid: an API key, ``SK`` and 32 digits; empty for the account's token.
        messaging_service: a messaging service, ``MG`` and 32 digits, that chooses the sender.
        sender: the number, short code or name that messages are from, where there is no messaging service.
        callback_url: the public address of the receiver, at which Twilio reports what became of messages; empty for
            no reports.
        segment_price: what one segment costs, in minor units of the project's currency.
        segment_prices: the same by the country of the number, such as ``{ US = 0.79 }``.
        longest: how many segments a message may have; longer ones are rejected.
        timeout: seconds to wait for a connection, and for each answer.
        sandbox: whether messages are tried with Twilio's test credentials and sent to nobody; the account and the
            token are then the test ones.
        host: where the API is.
    """

    account_sid: str = field(validator=_identifier("AC"))
    auth_token: Secret = field(validator=_secret)
    api_key_sid: str = field(default="", validator=_identifier("SK", is_optional=True))
    messaging_service: str = field(default="", validator=_identifier("MG", is_optional=True))
    sender: str = field(default="", validator=declared.matching(_SENDER, _SENDERS))
    callback_url: str = field(default="", validator=_url)
    segment_price: float | None = field(default=None, validator=validators.optional(declared.number(0)))
    segment_prices: Mapping[str, float] = field(factory=dict, converter=_read_only, validator=_prices)
    longest: int = field(default=10, validator=declared.whole(1, MOST_SEGMENTS))
    timeout: float = field(default=30.0, validator=declared.number(above=0, high=LONGEST_TIMEOUT))
    sandbox: bool = False
    host: str = field(default=WORLD, validator=declared.matching(_HOST, f"https:// and a host alone, such as {WORLD}"))

    def __attrs_post_init__(self) -> None:
        """Refuse settings that do not say who messages are from."""
        if bool(self.messaging_service) == bool(self.sender):
            message = "give either messaging_service or sender: one of them says who messages are from"
            raise ConfigurationError(message)


@frozen(kw_only=True)
class TwilioReceiverSettings:
    """Settings of the receiver ``use = "twilio"``.

    Attributes:
        url: the public address of the receiver, without a query, as Twilio calls it; its signatures cover it.
        auth_tokens: the account's primary token, which signs requests; while it is changed, the other one beside it.
        stop_words: words beside the English ones that end messages, such as ``stopp``.
        start_words: words beside the English ones that bring them back.
        help_words: words beside the English ones that ask for help.
    """

    url: str = field(validator=_url)
    auth_tokens: tuple[Secret, ...] = field(validator=_secrets)
    stop_words: tuple[str, ...] = ()
    start_words: tuple[str, ...] = ()
    help_words: tuple[str, ...] = ()
