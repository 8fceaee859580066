"""Errors, grouped by what the caller can do about them.

Every message is one sentence: what happened, where, and what to do.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class RelationshipError(Exception):
    """The base of every error this package raises on purpose."""


class ConfigurationError(RelationshipError):
    """Something was declared wrongly: change a file, an argument or an installation, then run again."""


class RetriableError(RelationshipError):
    """It may work later, unchanged: a locked database, an unreachable peer, a full disk."""


class RejectedError(RelationshipError):
    """This input will never be accepted as it is: correct the data."""


class UnsupportedError(RelationshipError):
    """What was chosen cannot do this: choose another plugin or another form, or do without."""


class WrongArgumentError(ConfigurationError, ValueError):
    """A program declared or passed something wrong: an argument of a call, or an attribute of a declaration."""


class WrongDataError(RejectedError, ValueError):
    """A program made a record that cannot be: a customer, an interaction, an amount of money."""


def nearest(name: str, known: Iterable[str]) -> str:
    """How a message about a wrong name goes on: ``; did you mean 'trust'?``, or not at all. Case does not count."""
    folded = {each.lower(): each for each in reversed(list(known))}
    near = get_close_matches(name.lower(), folded, n=1)
    return f"; did you mean {folded[near[0]]!r}?" if near else ""
