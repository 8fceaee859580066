"""Customers and the points at which they can be reached."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeAlias

from attrs import field, frozen, validators

from relationship_core.model.texts import filled

AttributeValue: TypeAlias = str | int | float | bool


def _read_only(values: Mapping[str, AttributeValue]) -> Mapping[str, AttributeValue]:
    return MappingProxyType(dict(values))


@frozen(kw_only=True)
class ContactPoint:
    """One address of one customer on one medium.

    Attributes:
        medium: what kind of address it is: ``email``, ``sms``, ``post``, or a plugin's own.
        address: the address as that medium writes it; for post the lines of the label, separated by line feeds.
        synthetic: true for an address made up for a demonstration or a test; it is shown as such.
    """

    medium: str = field(validator=filled)
    address: str = field(validator=filled, repr=False)
    synthetic: bool = False


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

    id: str = field(validator=filled)
    name: str = field(default="", repr=False)
    locale: str | None = None
    zone: str | None = None
    country: str | None = field(default=None, validator=validators.optional(validators.matches_re(r"[A-Z]{2}")))
    contact_points: tuple[ContactPoint, ...] = field(default=(), converter=tuple[ContactPoint, ...])
    attributes: Mapping[str, AttributeValue] = field(factory=dict, converter=_read_only, repr=False)
