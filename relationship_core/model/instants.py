"""Instants: aware datetimes, kept in UTC. A naive datetime is refused, never guessed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from attrs import Attribute


def utc(instant: datetime) -> datetime:
    """The same instant in UTC.

    Raises:
        ValueError: the datetime has no zone.
    """
    if instant.tzinfo is None or instant.utcoffset() is None:
        message = f"the instant {instant.isoformat()} has no zone; say which, for example {instant.isoformat()}+00:00"
        raise ValueError(message)
    return instant.astimezone(UTC)


def aware(_owner: object, attribute: Attribute[datetime], value: datetime) -> None:
    """An attrs validator: the value must be an aware datetime."""
    if value.tzinfo is None or value.utcoffset() is None:
        message = f"{attribute.name} must be a datetime with a zone, not {value.isoformat()}"
        raise ValueError(message)


def parse_instant(text: str) -> datetime:
    """Read an ISO 8601 instant with a zone or offset, such as ``2017-03-01T09:00:00-05:00`` or ``...Z``.

    Raises:
        ValueError: the text is not an ISO instant, or names no zone.
    """
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        message = f"{text!r} is not an ISO instant such as 2017-03-01T09:00:00Z"
        raise ValueError(message) from error
    return utc(instant)
