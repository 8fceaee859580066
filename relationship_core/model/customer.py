"""Customers and the points at which they can be reached."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias, cast

from attrs import field, frozen, validators

from relationship_core.model.validation import data, listed, read_only

AttributeValue: TypeAlias = str | int | float | bool

_COUNTRY = "a code of two capital letters such as US (ISO 3166-1)"


@frozen(kw_only=True)
class ContactPoint:
    """One address of one customer on one medium.

    Attributes:
        medium: what kind of address it is: ``email``, ``sms``, ``post``, or a plugin's own.
        address: the address as that medium writes it; for post the lines of the label, separated by line feeds.
        synthetic: true for an address made up for a demonstration or a test; it is shown as such.
    """

    medium: str = field(validator=data.filled)
    address: str = field(validator=data.filled, repr=False)
    synthetic: bool = field(default=False, validator=data.yes_or_no)


def _contact_points(values: Iterable[ContactPoint]) -> tuple[ContactPoint, ...]:
    return cast("tuple[ContactPoint, ...]", listed(values))


def _attributes(values: Mapping[str, AttributeValue]) -> Mapping[str, AttributeValue]:
    return cast("Mapping[str, AttributeValue]", read_only(values))


@frozen(kw_only=True)
class Customer:
    """A person, with what the project knows about them that is not history.

    Attributes:
        id: the project's own identity for the customer; text, unique in the project.
        name: how to address them; empty when unknown.
        locale: BCP 47 language tag such as ``en`` or ``pt-BR``; None when unknown.
        zone: IANA time zone name; None when unknown.
        country: ISO 3166-1 alpha-2 code; None when unknown.
        contact_points: where they can be reached.
        attributes: declared facts about the customer, by name.
    """

    id: str = field(validator=data.filled)
    name: str = field(default="", validator=data.text, repr=False)
    locale: str | None = field(default=None, validator=data.optional_text)
    zone: str | None = field(default=None, validator=data.optional_text)
    country: str | None = field(default=None, validator=validators.optional(data.matching(r"[A-Z]{2}", _COUNTRY)))
    contact_points: tuple[ContactPoint, ...] = field(
        default=(), converter=_contact_points, validator=data.each(ContactPoint)
    )
    attributes: Mapping[str, AttributeValue] = field(
        factory=dict, converter=_attributes, validator=data.values_by_name, repr=False
    )
