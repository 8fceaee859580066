"""Texts in the nouns: what identifies something, and texts by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from attrs import validators

if TYPE_CHECKING:
    from attrs import Attribute

identifier = validators.matches_re(r"[a-z][a-z0-9_]*")
"""An attrs validator: a name that conditions can use, such as ``complaint_opened``."""

slug = validators.matches_re(r"[a-z][a-z0-9_-]*")
"""An attrs validator: a name that is never part of a condition, such as ``we-miss-you``."""


def filled(_owner: object, attribute: Attribute[str], value: str) -> None:
    """An attrs validator: text that is not empty and has no white space around it."""
    if not value or value != value.strip():
        message = f"{attribute.name} must be text without white space around it, not {value!r}"
        raise ValueError(message)


def read_only(values: Mapping[str, str]) -> Mapping[str, str]:
    """An attrs converter: a copy that nobody can change."""
    return MappingProxyType(dict(values))
