"""Instants: aware datetimes, kept in UTC. A naive datetime is refused, never guessed."""

from __future__ import annotations

from datetime import UTC, datetime

from relationship_core.errors import WrongArgumentError
from relationship_core.model.validation import AWARE, kind_of

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)
"""What is recorded, and every step, is at or after EARLIEST and before LATEST, so that no decayed weight overflows."""


def utc(instant: datetime) -> datetime:
    """The same instant in UTC.

    Raises:
        ConfigurationError: it is no datetime, has no zone, or lies outside the years 1 to 9999; a ValueError as well.
    """
    if not _is(datetime, instant):
        message = f"an instant must be {AWARE}, not {kind_of(instant)}"
        raise WrongArgumentError(message)
    if instant.tzinfo is None or instant.utcoffset() is None:
        message = f"the instant {instant.isoformat()} has no zone; say which, for example {instant.isoformat()}+00:00"
        raise WrongArgumentError(message)
    try:
        return instant.astimezone(UTC)
    except OverflowError as error:
        message = f"the instant {instant.isoformat()} lies outside the years 1 to 9999 of UTC; correct it"
        raise WrongArgumentError(message) from error


def parse_instant(text: str) -> datetime:
    """Read an ISO 8601 instant with a zone or offset, such as ``2017-03-01T09:00:00-05:00`` or ``...Z``.

    Raises:
        ConfigurationError: the text is not an ISO instant, or names no zone; a ValueError as well.
    """
    if not _is(str, text):
        message = f"an instant is read from text such as 2017-03-01T09:00:00Z, not from {kind_of(text)}"
        raise WrongArgumentError(message)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        message = f"{text!r} is not an ISO instant such as 2017-03-01T09:00:00Z"
        raise WrongArgumentError(message) from error
    return utc(instant)


def _is(kind: type, value: object) -> bool:
    return isinstance(value, kind)
