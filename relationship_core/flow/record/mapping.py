"""Which column of a file stands for which of ours."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from relationship_core.errors import ConfigurationError, RejectedError, nearest
from relationship_core.flow.record import contacts, customers, permission_rows, typed
from relationship_core.flow.record.customers import ATTRIBUTE, CONTACT
from relationship_core.flow.record.rows import Rows

_NAMES: Mapping[str, tuple[Sequence[str], Sequence[str]]] = {
    "customers": (customers.REQUIRED, customers.OPTIONAL),
    "interactions": (typed.REQUIRED, typed.OPTIONAL),
    "contacts": (contacts.REQUIRED, contacts.OPTIONAL),
    **permission_rows.NAMES,
}


def required_of(what: Rows) -> Sequence[str]:
    """Our columns that rows must have."""
    return _NAMES[what][0]


def has_column(what: Rows, our: str) -> bool:
    """Whether rows have one of our columns."""
    return our in _NAMES[what][0] or our in _NAMES[what][1]


def check_given(kinds: Iterable[Rows], given: Iterable[str]) -> None:
    """Refuse a value for a column that no rows have: it would be lost without a word.

    Args:
        kinds: what the rows of the file are.
        given: our columns whose value is given for all rows.

    Raises:
        ConfigurationError: there is such a one.
    """
    rows = dict.fromkeys(kinds)
    for our in given:
        if not any(has_column(what, our) for what in rows):
            message = f"{' and '.join(rows)} have no {our}; leave it out"
            raise ConfigurationError(message)


def map_columns(
    what: Rows, file: str, theirs: Sequence[str], columns: Mapping[str, str], given: Collection[str]
) -> dict[str, str]:
    """For each of our columns that the file has, its name there.

    Args:
        what: what the rows are.
        file: the file's name, for messages.
        theirs: the file's columns.
        columns: those that are called otherwise, by our names.
        given: our columns whose value is given for all rows.

    Raises:
        ConfigurationError: a name in ``columns`` is none of ours, or not in the file; the rows have no column whose
            value is given; or the amount comes twice.
        RejectedError: the file lacks a column.
    """
    check_given([what], given)
    required, optional = _NAMES[what]
    ours = (*required, *optional)
    for our, their in columns.items():
        if not _is_ours(what, our, ours):
            message = f"{what} have no column {our!r} (they have {', '.join(ours)}){nearest(our, ours)}"
            raise ConfigurationError(message)
        if their not in theirs:
            message = f"{file} has no column {their!r} (it has {', '.join(theirs)}){nearest(their, theirs)}"
            raise ConfigurationError(message)
    # A column that was said to be something is nothing else beside.
    free = [name for name in theirs if name not in columns.values()]
    found = {name: name for name in free if name not in columns and _is_ours(what, name, ours)} | dict(columns)
    for name in required:
        if name not in found and name not in given:
            unused = set(theirs) - set(found.values())
            near = nearest(name, unused) or "; say which of them it is"
            message = f"{file} has no column {name!r} (it has {', '.join(theirs)}){near}"
            raise RejectedError(message)
    _refuse_two_amounts(found)
    return found


def check_frame(what: Rows, columns: Collection[str]) -> None:
    """Refuse a frame without a column that it needs, or with one that means nothing.

    Raises:
        RejectedError: a column is missing or unknown.
        ConfigurationError: the amount is given twice.
    """
    required, optional = _NAMES[what]
    known = (*required, *optional)
    for name in columns:
        if not _is_ours(what, name, known):
            message = f"the frame has an unknown column {name!r}{nearest(name, known)}"
            raise RejectedError(message)
    for name in required:
        if name not in columns:
            message = f"the frame has no column {name!r} (it has {', '.join(columns)}){nearest(name, columns)}"
            raise RejectedError(message)
    _refuse_two_amounts(columns)


def media_of(columns: Iterable[str]) -> list[str]:
    """The media that columns of customers name."""
    return [name.removeprefix(CONTACT) for name in columns if name.startswith(CONTACT)]


def _is_ours(what: Rows, name: str, ours: Collection[str]) -> bool:
    return name in ours or (what == "customers" and name.startswith((CONTACT, ATTRIBUTE)))


def _refuse_two_amounts(columns: Collection[str]) -> None:
    """Refuse an amount that is given in major and in minor units.

    Raises:
        ConfigurationError: both are there.
    """
    if {"amount", "amount_minor"} <= set(columns):
        message = "the amount is given twice, as 'amount' and as 'amount_minor'; leave one out"
        raise ConfigurationError(message)
