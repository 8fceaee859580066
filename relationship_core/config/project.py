"""``[project]``: what holds for everything in a project."""

from __future__ import annotations

import re
from email.utils import getaddresses
from zoneinfo import ZoneInfo, available_timezones

import attrs
from attrs import field, frozen

from relationship_core.errors import ConfigurationError, nearest


def _currency(_owner: object, _attribute: object, value: str) -> None:
    if not re.fullmatch(r"[A-Z]{3}", value):
        message = f"currency must be an ISO 4217 code of three capital letters such as EUR, not {value!r}"
        raise ConfigurationError(message)


def _zone(_owner: object, _attribute: object, value: str) -> None:
    try:
        ZoneInfo(value)
    except (KeyError, OSError, ValueError) as error:
        hint = nearest(value, available_timezones())
        message = f"zone must be an IANA time zone such as Europe/Berlin, not {value!r}{hint}"
        raise ConfigurationError(message) from error


def _country(_owner: object, _attribute: object, value: str) -> None:
    if value and not re.fullmatch(r"[A-Z]{2}", value):
        message = f"country must be an ISO 3166-1 code of two capital letters such as US, not {value!r}"
        raise ConfigurationError(message)


def _locale(_owner: object, _attribute: object, value: str) -> None:
    if not re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*", value):
        message = f"locale must be a language tag such as en or pt-BR, not {value!r}"
        raise ConfigurationError(message)


def _one_line(_owner: object, attribute: attrs.Attribute[str], value: str) -> None:
    if not value.isprintable():
        message = f"{attribute.name} must be one line of text"
        raise ConfigurationError(message)


_ADDRESS = re.compile(
    r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*",
    re.IGNORECASE | re.ASCII,
)
"""An e-mail address as it may stand in a header without an extension for other scripts (RFC 5322, dot-atom)."""


def sender_complaint(sender: str) -> str:
    """What is wrong with a sender; empty where mail can come from it."""
    found = getaddresses([sender])  # of several, or of what stands around it, too
    address = found[0][1] if len(found) == 1 else ""
    if _ADDRESS.fullmatch(address) and (sender == address or sender.endswith(f"<{address}>")):
        return ""
    return (
        "must be an e-mail address such as hello@example.com, or a name and an address such as "
        "Corner Bakery <hello@example.com>, with quotation marks around a name that has a comma or a colon, "
        f"not {sender!r}"
    )


def _sender(_owner: object, attribute: attrs.Attribute[str], value: str) -> None:
    complaint = sender_complaint(value) if value else ""
    if complaint:
        message = f"{attribute.name} {complaint}"
        raise ConfigurationError(message)


def _links(_owner: object, _attribute: object, value: str) -> None:
    # Short, since the header that holds it must stay on one line; without a query, since a token follows it.
    if value and not re.fullmatch(r"https://[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._~/-]*)?", value):
        message = f"links must be an address that begins with https:// and has no query, not {value!r}"
        raise ConfigurationError(message)


@frozen(kw_only=True)
class ProjectSettings:
    """``[project]``: what holds for everything.

    Attributes:
        name: what the project is called; from a file without it, the folder's name.
        currency: ISO 4217 code; all money of a project is in one currency.
        zone: IANA time zone name; it decides what a day is.
        locale: language tag of customers whose language is unknown.
        country: ISO 3166-1 code of the country whose telephone numbers those without one are taken for, where their
            customer has no country either; empty for none.
        sender: who messages are from, such as ``Corner Bakery <hello@example.com>``.
        postal_address: the sender's postal address, as marketing messages must show it.
        links: where links in messages lead, such as ``https://shop.example.com/relationship``: an address of yours
            whose requests are handed to the receiver ``links``; empty for none.
    """

    name: str = field(default="", validator=_one_line)
    currency: str = field(default="EUR", validator=_currency)
    zone: str = field(default="UTC", validator=_zone)
    locale: str = field(default="en", validator=_locale)
    country: str = field(default="", validator=_country)
    sender: str = field(default="", validator=[_one_line, _sender])
    postal_address: str = ""
    links: str = field(default="", validator=_links)
