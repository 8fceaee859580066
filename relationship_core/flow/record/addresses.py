"""Addresses: which media there are, how an address on each is written, and what is wrong with one that is not.

Nobody's address stands in a reason: it is told in messages and kept in files of rejects.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import TypeAlias

import polars as pl

from relationship_core.columns import CONTACT_POINTS
from relationship_core.errors import ConfigurationError, nearest
from relationship_core.flow.normal_forms import FOREIGN
from relationship_core.flow.record.checks import CONTROL, PROBLEM, Rule, first_reason
from relationship_core.model.words import TASK_MEDIUM

STANDARD_MEDIA = ("email", "post", "sms")
"""The media on which every project knows addresses; the others are those of its configured channels."""

Media: TypeAlias = Callable[[], Collection[str]]
"""Gives the media of configured channels; asked where a medium is not a standard one."""

PLACE = "__place"
"""The column that holds the place of a contact point's customer among those that it came with, from 0."""

POINTS = {PLACE: pl.UInt32, **{name: type_ for name, type_ in CONTACT_POINTS.schema.items() if name != "found_by"}}
"""Contact points on their way in; what they are found by is told when they are kept."""

# A dot-atom (RFC 5322, 3.2.3) at a host name (RFC 1123, 2.1) of two labels or more (RFC 7085). Quoted names,
# comments and address literals are e-mail addresses too, but no customer has one and no channel here takes one.
# The libraries that know all of it need 50 to 70 microseconds an address, a minute for a million customers.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_MAILBOX = rf"^{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})+$"

_NAMED = r"^[^<>]*<([^<>]*)>\s*$"
_MAILTO = r"^\s*(?i:mailto:)"
_ONE = r"^[^\s@<>,;()\"]+@[^\s@<>,;()\"]+$"

_LONGEST_LOCAL_PART, _LONGEST_MAILBOX = 64, 254
"""In octets; RFC 5321, 4.5.3.1, with its erratum 1690."""


def check_media(media: Iterable[str], configured: Media) -> None:
    """Refuse a medium that nobody knows.

    Raises:
        ConfigurationError: one is neither standard nor that of a configured channel.
    """
    problems = media_problems(media, configured)
    if problems:
        raise ConfigurationError(next(iter(problems.values())))


def media_problems(media: Iterable[str], configured: Media) -> dict[str, str]:
    """For each of these media that nobody knows, what to tell."""
    strange = sorted(set(media) - {*STANDARD_MEDIA, TASK_MEDIUM})
    known = sorted({*STANDARD_MEDIA, *configured()}) if strange else []
    otherwise = f"; known are {', '.join(known)}, and those of configured channels"
    return {
        medium: f"the medium {medium[:40]!r} is unknown{nearest(medium[:40], known) or otherwise}"
        for medium in strange
        if medium not in known
    }


def tidy(medium: pl.Expr, address: pl.Expr) -> pl.Expr:
    """The address as it is kept: the lines of a label are separated by line feeds, whoever wrote them."""
    lines = address.str.replace_all("\r\n", "\n", literal=True)
    return pl.when(medium == "post").then(lines).otherwise(address)


def named_address(medium: pl.Expr, address: pl.Expr) -> pl.Expr:
    """The address where a name stands before it, as in ``Ann <ann@example.com>``; otherwise as it is."""
    bare = pl.coalesce(address.str.extract(_NAMED), address.str.replace(_MAILTO, ""))
    return pl.when(medium == "email").then(bare.str.strip_chars()).otherwise(address)


def one_address_rule(medium: pl.Expr, address: pl.Expr) -> Rule:
    """What an address must be that is held back: one, of whatever letters, or it would hold back nothing."""
    several = (medium == "email") & (address != "") & ~address.str.contains(_ONE)
    return several, "the email address is not one address such as ann@example.com, with or without a name before it"


def point_problems(points: pl.DataFrame, configured: Media) -> pl.DataFrame:
    """For each place with a contact point that cannot be kept, ``__problem``: the first reason."""
    strange = media_problems(points["medium"].unique(), configured)
    medium = pl.col("medium")
    unknown = medium.replace_strict(strange, default=None, return_dtype=pl.String)
    told = points.select(PLACE, pl.coalesce(unknown, address_problem(medium, pl.col("address"))).alias(PROBLEM))
    return told.drop_nulls().unique(PLACE, keep="first", maintain_order=True)


def address_problem(medium: pl.Expr, address: pl.Expr) -> pl.Expr:
    """Why an address cannot be kept; null where it can be, and where there is none."""
    rules = [
        ((medium == TASK_MEDIUM) & address.is_not_null(), "a task needs no address: it goes to one of ours"),
        *_of_every_medium(medium, address),
        *((condition & (medium == "email"), told) for condition, told in _of_email(address)),
    ]
    return first_reason(rules)


def _of_every_medium(medium: pl.Expr, address: pl.Expr) -> list[Rule]:
    one_line, label = medium != "post", address.str.replace_all("\n", "", literal=True)
    return [
        (address.str.strip_chars() == "", pl.format("the {} address is empty", medium)),
        (address != address.str.strip_chars(), pl.format("the {} address has white space around it", medium)),
        (
            one_line & address.str.contains(CONTROL),
            pl.format("the {} address holds a line break or another control character", medium),
        ),
        (
            ~one_line & label.str.contains(CONTROL),
            pl.format("the {} address holds a control character other than line feeds", medium),
        ),
    ]


def _of_email(address: pl.Expr) -> list[Rule]:
    local = address.str.split("@").list.first()
    return [
        (
            address.str.contains(FOREIGN),
            "the email address is not all ASCII; write its domain in the form that begins with xn--",
        ),
        (
            ~address.str.contains(_MAILBOX),
            "the email address is not one address such as ann@example.com, and nothing else",
        ),
        (
            (address.str.len_bytes() > _LONGEST_MAILBOX) | (local.str.len_bytes() > _LONGEST_LOCAL_PART),
            f"the email address is longer than {_LONGEST_MAILBOX} characters, or {_LONGEST_LOCAL_PART} before the @",
        ),
    ]
