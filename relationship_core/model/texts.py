"""Text that identifies something: never empty, never padded."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from attrs import Attribute


def filled(_owner: object, attribute: Attribute[str], value: str) -> None:
    """An attrs validator: text that is not empty and has no white space around it."""
    if not value or value != value.strip():
        message = f"{attribute.name} must be text without white space around it, not {value!r}"
        raise ValueError(message)
